"""R's results of ``tests/evidence``, its walks included, computed again, where R and its package ``survey`` are installed."""

from __future__ import annotations

import csv
import math
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.evidence.barometers import FOLDER
from tests.evidence.walks.draw import FILES, write

R = shutil.which("Rscript")


def cells(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def same(found: str, committed: str) -> bool:
    """The same text, or the same number to 1e-9: versions of the algebra differ in the last digits."""
    try:
        return found == committed or math.isclose(float(found), float(committed), rel_tol=1e-9, abs_tol=1e-11)
    except ValueError:
        return False


def compute(*arguments: Path) -> None:
    """Runs a script; skips where R or its package is not there."""
    if R is None or subprocess.run([R, "-e", "library(survey)"], capture_output=True, check=False).returncode:
        pytest.skip("R with its package survey is not on this machine")
    done = subprocess.run([R, *map(str, arguments)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_r_computes_the_committed_results_of_the_walks(tmp_path: Path) -> None:
    for name in FILES:
        write(tmp_path, name)
    compute(FOLDER / "walks/walks.R", tmp_path, tmp_path / "results.csv")
    again, committed = cells(tmp_path / "results.csv"), cells(FOLDER / "walks/results.csv")
    assert len(again) == len(committed) == 41
    for one, other in zip(again, committed, strict=True):
        assert all(map(same, one, other)), (one, other)


def test_r_computes_the_committed_results(tmp_path: Path) -> None:
    compute(FOLDER / "evidence.R", tmp_path)
    tables = sorted(file.name for file in (FOLDER / "results").glob("*.csv"))
    assert sorted(file.name for file in tmp_path.iterdir()) == tables
    for table in tables:
        if table == "made_from.csv":  # versions may be newer
            continue
        again, committed = cells(tmp_path / table), cells(FOLDER / "results" / table)
        assert len(again) == len(committed), table
        for one, other in zip(again, committed, strict=True):
            assert all(map(same, one, other)), (table, one, other)
