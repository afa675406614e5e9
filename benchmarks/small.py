"""Twenty-four waves of 2,000 rows: the cost of a typical barometer."""

from __future__ import annotations

from benchmarks import data, report
from benchmarks.task import Survey, folder
from benchmarks.timing import interleaved

ROWS, TARGET = 2_000, 0.5


def run() -> None:
    """Seconds of sums and estimates, with weights constant in a stratum and with units' own."""
    rows = []
    for own in (False, True):
        with folder() as root:
            survey = Survey.written(root, ROWS * data.WAVES, own_weights=own)
            methods = {"statistics": survey.statistics, "estimates": survey.estimates, "both": survey.cube}
            medians = {name: report.digits(taken) for name, taken in interleaved(methods, 5).items()}
        rows.append({"weights": "own" if own else "by stratum", **medians, "target": TARGET})
    report.keep("small", f"{data.WAVES} waves of {ROWS:,} rows (seconds)", rows)
