"""R's results of ``tests/evidence`` computed again, where R and its package ``survey`` are installed."""

from __future__ import annotations

import csv
import math
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.evidence.barometers import FOLDER

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


def test_r_computes_the_committed_results(tmp_path: Path) -> None:
    if R is None or subprocess.run([R, "-e", "library(survey)"], capture_output=True, check=False).returncode:
        pytest.skip("R with its package survey is not on this machine")
    done = subprocess.run(
        [R, str(FOLDER / "evidence.R"), str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    tables = sorted(file.name for file in (FOLDER / "results").glob("*.csv"))
    assert sorted(file.name for file in tmp_path.iterdir()) == tables
    for table in tables:
        if table == "made_from.csv":  # versions may be newer
            continue
        again, committed = cells(tmp_path / table), cells(FOLDER / "results" / table)
        assert len(again) == len(committed), table
        for one, other in zip(again, committed, strict=True):
            assert all(map(same, one, other)), (table, one, other)
