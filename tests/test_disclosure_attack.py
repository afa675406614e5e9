"""The attacker: releases that fail through how closely a cell can be disclosed alone, n and what it tells,
a whole wave.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from shutil import copytree
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from pipeline.catalogue import Catalogue, load_catalogue
from pipeline.disclosure import audit, protect
from pipeline.disclosure.programmes import Block
from pipeline.disclosure.ranges import ranges
from pipeline.disclosure.relaxation import TOLERANCE, relaxed
from pipeline.staleness.outputs import WAVE_STEPS, product_folder
from pipeline.steps import products, waves
from tests.cells import cell, estimates

SIZES = (6, 31, 32, 36, 301)
WAVE = "fi-municipal-2022-synthetic"


@pytest.fixture
def catalogue(barometer: Path) -> Catalogue:
    """The small barometer, which prints shares with two decimals."""
    return printing(load_catalogue(barometer), 2)


def printing(catalogue: Catalogue, decimals: int) -> Catalogue:
    rounding = replace(catalogue.barometer.rounding, total=decimals, breakdown=decimals)
    return replace(catalogue, barometer=replace(catalogue.barometer, rounding=rounding))


def rare(indicator: str = "any_innovation", sizes: Sequence[int] = SIZES, **given: Any) -> pd.DataFrame:
    """2 % say yes, in the total and in sectors of these sizes: the first, of 6, is hidden."""

    def one(n: int, **place: Any) -> dict[str, Any]:
        disclosed = {"n": n, "m": n // 50, "value": 2.0, "ci_low": 1.0, "ci_high": 3.0, "fraction": 0.1}
        return cell(indicator=indicator, **disclosed | place | given)

    sectors = [one(n, domain="sector", domain_code=f"of_{n}") for n in sizes]
    return estimates(one(sum(sizes)), *sectors)


def hidden(frame: pd.DataFrame) -> set[str]:
    return set(frame.loc[frame["conf_status"].isin(["C", "D"]), "domain_code"])


def problems(catalogue: Catalogue, candidate: pd.DataFrame, *earlier: pd.DataFrame) -> list[str]:
    releases = [(f"1.{number}.0", {"estimates": frame}) for number, frame in enumerate(earlier)]
    every = [*releases, ("candidate", {"estimates": candidate})]
    return [str(problem) for problem in audit(every, catalogue).problems]


def only_by_width(found: list[str]) -> bool:
    return bool(found) and all("of_6:" in problem and "audit_width" in problem for problem in found)


# ── Width alone ──────────────────────────────────────────────────────────────


def test_a_shown_cell_that_subtraction_does_not_need_fails_by_its_width(catalogue: Catalogue) -> None:
    """Of so rare an answer one other hidden cell leaves too little open: several are hidden, and needed."""
    rows = rare()
    frame = protect(rows, catalogue)
    secondary = frame.index[frame["conf_status"] == "D"]
    assert len(secondary) > 1 and problems(catalogue, frame) == []
    largest = rows.loc[secondary, "n"].idxmax()
    frame.loc[largest, ["value", "n"]] = [2.0, 10 * round(rows.loc[largest, "n"] / 10)]
    frame.loc[largest, ["obs_status", "conf_status"]] = ["A", "F"]
    assert only_by_width(problems(catalogue, frame))


def test_one_more_digit_fails_by_its_width_even_where_it_is_declared(catalogue: Catalogue) -> None:
    coarse = printing(catalogue, 0)
    frame = protect(rare(), coarse)
    assert problems(coarse, frame) == []
    assert only_by_width(problems(printing(catalogue, 1), frame))


def test_an_earlier_release_with_more_digits_fails_by_its_width(catalogue: Catalogue) -> None:
    coarse = printing(catalogue, 0)
    now = protect(rare(), coarse)
    finer = now.assign(value=now["value"] + 0.01)
    assert problems(coarse, now, now) == []
    assert only_by_width(problems(coarse, now, finer))


# ── The linear programmes ────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("unit", "hides", "width"), [(0.1, (0,), 1.9), (1.0, (0,), 19.0), (0.1, (0, 1), 21.9)]
)
def test_groups_of_a_tenth_and_a_fiftieth_of_the_whole(
    unit: float, hides: tuple[int, ...], width: float
) -> None:
    """Golden: intervals that scipy's linprog gave for the same three releases (61.2-63.1, 48.7-67.7,
    48.7-70.6).
    """
    weights, values = np.array([0.1, 0.02, 0.88]), np.array([62.3, 50.0, 50.0])
    total = float(weights @ values)
    low, high = values - unit / 2, values + unit / 2
    low[list(hides)], high[list(hides)] = 0.0, 100.0
    block = Block(
        sparse.coo_array(weights[None, :]), np.array([total - unit / 2]), np.array([total + unit / 2]),
        low, high, np.array([0]), np.array([99.0]),
    )  # fmt: skip
    assert ranges([block]).widths[0] == pytest.approx([width], abs=0.05)


def test_only_rows_that_contradict_each_other_are_loosened() -> None:
    """x is said to be 10 and 14, y to be 5: the two give 2 each, and y nothing."""
    rows, disclosed = np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]]), np.array([10.0, 14.0, 5.0])
    block = Block(
        sparse.coo_array(rows),
        disclosed,
        disclosed,
        np.zeros(2),
        np.full(2, 100.0),
        np.array([1]),
        np.ones(1),
    )
    (made,), (x,) = relaxed([block])
    assert x == pytest.approx([12.0, 5.0], abs=1e-5)
    assert made.row_low == pytest.approx([10.0, 12.0, 5.0], abs=4 * TOLERANCE)
    assert made.row_high == pytest.approx([12.0, 14.0, 5.0], abs=4 * TOLERANCE)


# ── n ────────────────────────────────────────────────────────────────────────


def test_an_earlier_n_of_a_hidden_cell_fails_the_audit(catalogue: Catalogue) -> None:
    """The n of all hidden cells but one, from an earlier release, gives that one."""
    now = protect(rare(), catalogue)
    before = now.assign(n=now["n"].mask(now["n"].notna(), rare()["n"]))
    partners = now.index[now["conf_status"] == "D"]
    before.loc[partners, "n"] = rare().loc[partners, "n"]
    before.loc[partners, "conf_status"] = "F"
    found = problems(catalogue, now, before)
    assert found and all("of_6:" in problem and "number of answers" in problem for problem in found)


def test_an_n_is_not_told_where_every_cell_of_its_base_is_hidden(catalogue: Catalogue) -> None:
    few = rare(sizes=(3, 4))
    staff = {"indicator": "staff_mean", "category": "mean", "unit_measure": "mean"}
    frame = protect(estimates(*few.to_dict("records"), cell(**staff)), catalogue)
    assert frame["n"].notna().tolist() == [False, False, False, True]
    assert problems(catalogue, frame) == []


def routed(catalogue: Catalogue) -> pd.DataFrame:
    """Nobody of the hidden sector was asked the question below: its n of none."""
    below = rare("novelty", category="first")
    none = dict.fromkeys(["value", "se", "ci_low", "ci_high", "deff"], np.nan) | {"obs_status": "M"}
    below.loc[below["domain_code"] == "of_6", [*none, "n", "m"]] = [*none.values(), 0, 0]
    return protect(pd.concat([rare(), below], ignore_index=True), catalogue)


def test_that_nobody_was_asked_below_is_hidden_with_the_cell_above(catalogue: Catalogue) -> None:
    frame = routed(catalogue)
    cells = frame[(frame["indicator"] == "novelty") & (frame["domain_code"] == "of_6")]
    assert (
        cells[["obs_status", "conf_status"]].to_numpy().tolist() == [["Q", "D"]] and cells["n"].isna().all()
    )
    assert problems(catalogue, frame) == []
    frame.loc[cells.index, ["n", "obs_status", "conf_status"]] = [0, "M", "F"]
    assert any(
        "novelty/first" in problem and "routes to it" in problem for problem in problems(catalogue, frame)
    )


# ── A whole wave ─────────────────────────────────────────────────────────────


def test_a_bundled_wave_withstands_the_attacker(repository: Path, tmp_path: Path) -> None:
    """From its raw file through the steps: nothing is disclosed, nothing is got by subtraction, row order
    is nothing.
    """
    copytree(repository / "schemas", tmp_path / "schemas")
    raw = tmp_path / "warehouse" / "raw"
    raw.mkdir(parents=True)
    for path in (repository / "warehouse" / "raw").glob(f"{WAVE}*"):
        (raw / path.name).write_bytes(path.read_bytes())
    declared = load_catalogue(tmp_path)
    for step in WAVE_STEPS:
        getattr(waves, step)(WAVE, declared)
    products.estimates(declared)
    made = pd.read_parquet(product_folder(tmp_path, "estimates") / "estimates.parquet")
    table = protect(made, declared)
    found = audit([("candidate", {"estimates": table})], declared)
    assert found.problems == []
    assert found.report["pinned_cells"] == found.report["pinned_numbers"] == 0
    assert found.report["audited_cells"] > 40 and found.report["every_width_is_at_least"] == 20
    disclosed = found.report["recovered_by_subtraction"]
    assert disclosed["primary_only"] > disclosed["as_published"] == 0
    again = protect(made.sample(frac=1.0, random_state=3), declared)
    key = ["wave", "indicator", "category", "domain", "domain_code"]
    pd.testing.assert_frame_equal(
        again.sort_values(key, ignore_index=True), table.sort_values(key, ignore_index=True)
    )
