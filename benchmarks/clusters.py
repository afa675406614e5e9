"""The cost of clusters: a sample of primary sampling units against an element sample of the same size."""

from __future__ import annotations

from typing import Any

from benchmarks import report
from benchmarks.task import Survey, folder
from benchmarks.timing import interleaved

ROWS, PER_PSU, TARGET = 1_000_000, 20, 6.0
LAYOUTS: dict[str, dict[str, Any]] = {
    "elements": {},
    "clusters of like units": {"per_psu": PER_PSU, "alike": True},
    "clusters of mixed units": {"per_psu": PER_PSU},
}


def run() -> None:
    """PSUs whose units are alike in all breakdowns, and PSUs that cut across them (the harder case)."""
    with folder() as root:
        surveys = {
            name: Survey.written(root / str(number), ROWS, **layout)
            for number, (name, layout) in enumerate(LAYOUTS.items())
        }
        medians = interleaved({name: survey.cube for name, survey in surveys.items()}, 5)
        peaks = {name: survey.peak_gib() for name, survey in surveys.items()}
    rows = [
        {
            "design": name,
            "seconds": report.digits(seconds),
            "ratio": report.digits(seconds / medians["elements"]),
            "target": "" if name == "elements" else TARGET,
            "peak_gib": report.digits(peaks[name]),
        }
        for name, seconds in medians.items()
    ]
    report.keep("clusters", f"{ROWS:,} rows, {PER_PSU} units a PSU", rows)
