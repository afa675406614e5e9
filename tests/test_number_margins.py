"""Calibration to the sum of a number: what it meets, what its variance knows, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pipeline.catalogue import load_catalogue
from pipeline.disclosure.sizes import register_counts
from pipeline.disclosure.sums import Cell
from pipeline.estimation import read_cells, write_cells
from pipeline.problems import ProblemError
from tests.barometers import edit, pin
from tests.golden import Estimated, close, estimated

FILE = "schemas/waves/dk-2020.toml"
TOTALS = "warehouse/raw/dk-margins.csv"
SECTORS = "margin,code,total\nsector,care,220\nsector,school,180\n"
METHODS = [
    'method = "linear"',
    'method = "rake"',
    'method = "rake"\nbounds = [0.5, 2.0]',
    'method = "logit"\nbounds = [0.5, 2.0]',
    'method = "rake"\ntrim = [0.6, 1.5]',
]


@pytest.fixture
def summed(barometer: Path) -> Path:
    """A wave that knows the staff of every unit, and how many staff there are."""
    raw = barometer / "warehouse/raw/dk-2020.csv"
    raw.write_text(raw.read_text(encoding="utf-8").replace(";999\n", ";15,5\n"), encoding="utf-8")
    edit(barometer / "schemas/instruments/dk.csv", "ANSATTE,999,staff,no_answer,do not know\n", "")
    pin(barometer, "dk-2020")
    (barometer / TOTALS).write_text(f"{SECTORS}staff,,8400\n", encoding="utf-8")
    edit(barometer / FILE, 'margins = [["sector"], ["region"]]', 'margins = [["sector"], ["staff"]]')
    return barometer


def made(root: Path) -> Estimated:
    catalogue = load_catalogue(root)
    wrong = [str(problem) for problem in catalogue.problems_of("dk-2020")]
    assert not wrong, wrong
    return estimated(catalogue.waves["dk-2020"], catalogue, root)


@pytest.mark.parametrize("method", METHODS)
def test_the_sum_is_met_and_its_mean_has_no_error(method: str, summed: Path) -> None:
    edit(summed / FILE, 'method = "rake"', method)
    found = made(summed)
    answers = found.weighted.answers
    assert close((answers["weight"] * answers["staff"]).sum(), 8400)
    assert close(answers.loc[answers["sector"] == "care", "weight"].sum(), 220)
    mean = found.cell("staff_mean", "mean")
    assert close(mean["value"], 8400 / 400) and mean["se"] == 0
    assert found.cell("staff_mean", "mean", "sector", "care")["se"] > 0


def test_numbers_of_any_size_are_met(summed: Path) -> None:
    """Turnover may count in single units where staff count in tens: the factors do not change."""
    small = made(summed).weighted.answers["weight"]
    raw = summed / "warehouse/raw/dk-2020.csv"
    head, *rows = raw.read_text(encoding="utf-8").splitlines()
    large = [f"{row.rpartition(';')[0]};{row.rpartition(';')[2].replace(',5', '5')}000000000" for row in rows]
    raw.write_text("\n".join([head, *large]) + "\n", encoding="utf-8")
    pin(summed, "dk-2020")
    edit(summed / TOTALS, "staff,,8400", "staff,,84000000000000")
    assert np.allclose(made(summed).weighted.answers["weight"], small, rtol=1e-9, atol=0)


def test_cells_with_numbers_are_kept_and_read(summed: Path, tmp_path: Path) -> None:
    cells = made(summed).cells
    folder = tmp_path / "cells"
    folder.mkdir()
    write_cells(cells, folder)
    assert read_cells(folder).frame.equals(cells.frame) and cells.frame["staff"].dtype == np.float64


def test_units_without_the_number_are_counted(summed: Path) -> None:
    raw = summed / "warehouse/raw/dk-2020.csv"
    raw.write_text(raw.read_text(encoding="utf-8").replace(";15,5\n", ";\n"), encoding="utf-8")
    pin(summed, "dk-2020")
    with pytest.raises(ProblemError, match=r"has no number in 7 rows \('staff'\)"):
        made(summed)


def test_a_sum_that_cannot_be_met_is_named(summed: Path) -> None:
    edit(summed / TOTALS, "staff,,8400", "staff,,99999")
    with pytest.raises(ProblemError, match=r"margin staff cannot be met: its sum reaches [\d.]+ of 99999"):
        made(summed)


def test_a_sum_of_numbers_is_no_count_of_units(summed: Path) -> None:
    """What an outsider knows of the sizes of cells are the margins of codes."""
    catalogue = load_catalogue(summed)
    cells = (Cell("total", ""), Cell("sector", "care"), Cell("sector", "school"))
    counts = register_counts("dk-2020", cells, catalogue)
    assert set(counts.values()) == {400.0, 220.0, 180.0}


@pytest.mark.parametrize(
    ("margins", "method", "totals", "said"),
    [
        ('[["sector"], ["staff"]]', "poststratify", "staff,,8400", "is a number, for post-stratification"),
        ('[["staff"]]', "rake", "staff,,8400", "are numbers only ('staff')"),
        ('[["sector", "staff"]]', "rake", "", "is a number beside other variables ('staff')"),
        ('[["sector"], ["novelty"]]', "rake", "", "is not known ('novelty')"),
        ('[["sector"], ["staff"]]', "rake", "", "has no totals ('staff')"),
        ('[["sector"], ["staff"]]', "rake", "staff,many,8400", "is a number, and has codes ('many')"),
        ('[["sector"], ["staff"]]', "rake", "staff,,8400\nstaff,a,1", "is a number, and has codes"),
        ('[["sector"], ["staff"]]', "rake", "staff,,-5", "is not a positive number ('-5')"),
    ],
)
def test_what_is_no_margin_is_refused_without_data(
    margins: str, method: str, totals: str, said: str, summed: Path
) -> None:
    edit(summed / FILE, 'margins = [["sector"], ["staff"]]', f"margins = {margins}")
    edit(summed / FILE, 'method = "rake"', f'method = "{method}"')
    (summed / TOTALS).write_text(f"{SECTORS}{totals}\n", encoding="utf-8")
    problems = "\n".join(map(str, load_catalogue(summed).problems_of("dk-2020")))
    assert said in problems, problems
