"""Calibration at its limits: bounds, trimming, starts, and totals that cannot be."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.catalogue import load_catalogue
from pipeline.catalogue.fieldwork import Design
from pipeline.problems import ProblemError
from pipeline.weighting import weigh
from pipeline.weighting.calibration import Distance, calibrate, exponential, linear, logit
from tests.barometers import edit
from tests.test_weighting import prepared, with_weighting

TABLE = np.array([[r == 0, r == 1, c == 0, c == 1, c == 2] for r in range(2) for c in range(3)], dtype=float)


@given(
    start=st.lists(st.floats(0.5, 50), min_size=6, max_size=6),
    place=st.lists(st.floats(0.05, 0.95), min_size=6, max_size=6),
    bounds=st.tuples(st.floats(0.1, 0.8), st.floats(1.3, 5)),
    method=st.sampled_from([linear, logit]),
)
def test_totals_that_some_factors_within_the_bounds_reach_are_reached(
    start: list[float], place: list[float], bounds: tuple[float, float], method: object
) -> None:
    low, high = bounds
    weights = np.array(start)
    totals = TABLE.T @ (weights * (low + (high - low) * np.array(place)))
    made = calibrate(weights, TABLE, totals, method(bounds), 1e-10, 100)
    assert made.gaps(totals).max() <= 1e-9
    assert made.factors.min() >= low and made.factors.max() <= high


@given(u=st.floats(-2, 2), bounds=st.tuples(st.floats(0, 0.8), st.floats(1.2, 5)))
def test_the_logit_distance_is_that_of_deville_and_sarndal(u: float, bounds: tuple[float, float]) -> None:
    """F(u) = [L(U-1) + U(1-L) e^(Au)] / [U-1 + (1-L) e^(Au)], their case 6, and its slope."""
    low, high = bounds
    steep = np.exp((high - low) / ((1 - low) * (high - 1)) * u)
    factor, slope = logit(bounds)(np.array([u]))
    below = high - 1 + (1 - low) * steep
    assert factor[0] == pytest.approx((low * (high - 1) + high * (1 - low) * steep) / below)
    assert slope[0] == pytest.approx((high - low) ** 2 * steep / below**2)
    assert logit(bounds)(np.array([0.0]))[0] == pytest.approx(1)


def test_logit_meets_the_margins_within_its_bounds(barometer: Path) -> None:
    answers, wave, catalogue = prepared(barometer)
    report = weigh(answers, with_weighting(wave, method="logit", bounds=(0.4, 2.5)), catalogue).report
    for margin in report["margins"]:
        assert margin["reached"] == pytest.approx(margin["total"], rel=1e-9)
    assert 0.4 < report["factor_min"] < 1 < report["factor_max"] < 2.5


@pytest.mark.parametrize("method", ["rake", "linear", "logit"])
def test_delivered_weights_are_where_calibration_starts(method: str, barometer: Path) -> None:
    answers, wave, catalogue = prepared(barometer)
    answers["design_weight"] = np.random.default_rng(1).uniform(3, 8, len(answers))
    wave = with_weighting(wave, method=method, bounds=(0.3, 3.0))
    wave = replace(wave, design=Design("ID", strata=("SEKTOR",), weight="VEKT"))
    made = weigh(answers, wave, catalogue).answers
    assert (made["base_weight"] == answers["design_weight"]).all()
    factors = (made["weight"] / made["base_weight"]).groupby([made["sector"], made["region"]], observed=True)
    assert (factors.max() - factors.min()).max() < 1e-12
    assert made["weight"].nunique() > 4  # units of one cell keep what sets them apart


def test_without_design_weights_calibration_starts_from_equal_ones(barometer: Path) -> None:
    answers, wave, catalogue = prepared(barometer)
    made = weigh(answers, replace(wave, design=Design("ID")), catalogue)
    assert set(made.answers["base_weight"]) == {400 / len(answers)}
    assert made.report["sum"] == pytest.approx(400)


def test_crossed_margins_are_met_cell_by_cell(barometer: Path) -> None:
    answers, wave, catalogue = prepared(barometer)
    totals = {"care*north": 70, "care*south": 150, "school*north": 80, "school*south": 100}
    lines = ["margin,code,total", *(f"sector*region,{code},{total}" for code, total in totals.items())]
    (barometer / "warehouse/raw/dk-margins.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    for method in ("poststratify", "rake", "linear"):
        crossed = with_weighting(wave, method=method, margins=(("sector", "region"),))
        made = weigh(answers, crossed, catalogue).answers
        sums = made.groupby(made["sector"].astype(str) + "*" + made["region"].astype(str))["weight"].sum()
        assert sums.to_dict() == pytest.approx(totals, rel=1e-9)


def test_trimmed_weights_keep_the_margins_and_the_limits(barometer: Path) -> None:
    answers, wave, catalogue = prepared(barometer)
    answers["design_weight"] = np.random.default_rng(2).lognormal(1.5, 0.8, len(answers))
    wave = replace(wave, design=Design("ID", strata=("SEKTOR",), weight="VEKT"))
    free = weigh(answers, wave, catalogue).report
    mean = 400 / len(answers)
    assert free["max"] > 2.5 * mean and free["min"] < 0.4 * mean
    made = weigh(answers, with_weighting(wave, trim=(0.4, 2.5)), catalogue)
    for margin in made.report["margins"]:
        assert margin["reached"] == pytest.approx(margin["total"], rel=1e-9)
    assert made.answers["weight"].between(0.4 * mean * (1 - 1e-9), 2.5 * mean * (1 + 1e-9)).all()
    assert made.report["deff"] < free["deff"]
    factor = made.answers["weight"] / made.answers["base_weight"]  # of the cut weights
    spread = factor.groupby([made.answers["sector"], made.answers["region"]], observed=True)
    assert (spread.max() - spread.min()).max() < 1e-12


def test_limits_that_nothing_breaks_change_nothing(barometer: Path) -> None:
    answers, wave, catalogue = prepared(barometer)
    free = weigh(answers, wave, catalogue).answers["weight"]
    assert (
        weigh(answers, with_weighting(wave, trim=(0.01, 100.0)), catalogue).answers["weight"] == free
    ).all()


def test_limits_that_no_weights_keep_name_the_margin(barometer: Path) -> None:
    answers, wave, catalogue = prepared(barometer)
    with pytest.raises(ProblemError, match=r"margin region cannot be met: \w+ reaches") as caught:
        weigh(answers, with_weighting(wave, trim=(0.99, 1.01)), catalogue)
    assert caught.value.problems[0].key == "weighting.trim"


def test_the_report_gives_the_range_of_the_factors(barometer: Path) -> None:
    answers, wave, catalogue = prepared(barometer)
    made = weigh(answers, wave, catalogue)
    factors = made.answers["weight"] / made.answers["base_weight"]
    assert (made.report["factor_min"], made.report["factor_max"]) == (factors.min(), factors.max())
    uncalibrated = weigh(answers, with_weighting(wave, method="design"), catalogue).report
    assert (uncalibrated["factor_min"], uncalibrated["factor_max"]) == (1, 1)


FILE = "schemas/waves/dk-2020.toml"


@pytest.mark.parametrize(
    ("file", "old", "new", "problem"),
    [
        (FILE, 'method = "rake"', 'method = "logit"', "is missing for the method logit"),
        (FILE, 'method = "rake"', 'method = "logit"\nbounds = [1.1, 3.0]', "does not include 1"),
        (FILE, 'method = "rake"', 'method = "rake"\ntrim = [0.2, 0.9]', "does not include 1"),
        (FILE, 'method = "rake"', 'method = "rake"\ntolerance = 1e-6', "is out of range"),
        (FILE, 'method = "rake"', 'method = "rake"\nmax_iterations = 0', "is out of range"),
        (FILE, "[origin]", '[scope]\nsector = ["care"]\n[origin]', "is outside the wave's scope"),
        ("warehouse/raw/dk-margins.csv", "region,south,250", "region,south,251", "different populations"),
        ("warehouse/raw/dk-margins.csv", "region,south,250", "region,west,250", "is not a code"),
    ],
)
def test_what_no_weights_can_meet_is_refused_without_data(
    file: str, old: str, new: str, problem: str, barometer: Path
) -> None:
    edit(barometer / file, old, new)
    problems = [each for each in load_catalogue(barometer).problems if problem in each.message]
    assert [each.wave for each in problems if each.wave == "dk-2020"] == ["dk-2020"]


@pytest.mark.parametrize("distance", [linear((0.5, 2.0)), exponential((0.5, 2.0))])
def test_a_factor_at_its_bound_has_no_slope(distance: Distance) -> None:
    """Newton's step must not count on a unit that cannot move; between the bounds it does."""
    factor, slope = distance(np.array([-5.0, 0.0, 5.0]))
    assert factor.tolist() == [0.5, 1.0, 2.0] and slope.tolist() == [0.0, 1.0, 0.0]
