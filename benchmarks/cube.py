"""The full cube against a bare scan: 24 waves x 12 breakdowns x 100 items, with SE, df, interval, deff."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import duckdb

from benchmarks import data, report
from benchmarks.task import Survey, folder, scan
from benchmarks.timing import interleaved

SIZES = {
    False: {100_000: 5, 1_000_000: 5, 10_000_000: 2},
    True: {100_000: 3, 1_000_000: 2},
}  # own weights: rows, repeats
TARGETS = {1_000_000: 8.0, 10_000_000: 3.0}
MEMORY = {10_000_000: 2.0}


def run() -> None:
    """Measures every size, with weights constant in a stratum and with units' own."""
    rows = []
    for own in (False, True):
        for size, repeats in SIZES[own].items():
            with folder() as root:
                rows.append(_measured(root, size, repeats, own))
    for before, row in pairwise(rows):
        if before["weights"] == row["weights"]:
            row["growth"] = report.digits(row["cube"] / before["cube"])
    report.keep("cube", "Full cube against a bare scan (seconds; growth for ten times the rows)", rows)


def _measured(root: Path, size: int, repeats: int, own: bool) -> dict[str, Any]:
    survey = Survey.written(root, size, own_weights=own)
    data.numbers(sorted(root.glob("*.parquet")), root / "numbers.duckdb")
    with duckdb.connect(str(root / "numbers.duckdb"), read_only=True) as connection:
        methods = {
            "floor": lambda: scan(connection),
            "cube": survey.cube,
            "statistics": survey.statistics,
            "estimates": survey.estimates,
        }
        medians = interleaved(methods, repeats)
    return {
        "weights": "own" if own else "by stratum",
        "rows": size,
        "cells": sum(len(cells.frame) for cells in survey.sums),
        "estimated": survey.estimates(),
        **{name: report.digits(seconds) for name, seconds in medians.items()},
        "ratio": report.digits(medians["cube"] / medians["floor"]),
        "target": TARGETS.get(size, ""),
        "peak_gib": report.digits(survey.peak_gib()),
        "memory_target": MEMORY.get(size, ""),
    }
