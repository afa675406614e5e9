"""Weights: what they meet, what they refuse, and what does not change them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.catalogue import Catalogue, Wave, load_catalogue
from pipeline.catalogue.fieldwork import Weighting
from pipeline.harmonise import harmonise
from pipeline.problems import ProblemError
from pipeline.sources import fetch, read_raw
from pipeline.weighting import weigh
from pipeline.weighting.calibration import calibrate, exponential, linear
from tests.barometers import edit


def prepared(root: Path) -> tuple[pd.DataFrame, Wave, Catalogue]:
    catalogue = load_catalogue(root)
    wave = catalogue.waves["dk-2020"]
    raw = read_raw(fetch(wave, root), wave.source)
    return harmonise(raw.frame, wave, catalogue).answers, wave, catalogue


def with_weighting(wave: Wave, **changes: object) -> Wave:
    assert wave.weighting is not None
    return replace(wave, weighting=replace(wave.weighting, **changes))


@pytest.mark.parametrize("method", ["rake", "linear"])
def test_margins_are_met(method: str, barometer: Path) -> None:
    answers, wave, catalogue = prepared(barometer)
    made = weigh(answers, with_weighting(wave, method=method), catalogue)
    for margin in made.report["margins"]:
        assert margin["reached"] == pytest.approx(margin["total"], rel=1e-9)
    sums = made.answers.groupby("region", observed=True)["weight"].sum()
    assert sums["north"] == pytest.approx(150) and sums["south"] == pytest.approx(250)


def test_design_weights_are_population_over_sample(barometer: Path) -> None:
    answers, wave, catalogue = prepared(barometer)
    plain = replace(wave, weighting=Weighting("design"))
    made = weigh(answers, plain, catalogue).answers
    assert made.groupby("stratum", observed=True)["weight"].sum().to_dict() == pytest.approx(
        {"1": 220, "2": 180}
    )
    assert (made["weight"] == made["base_weight"]).all()
    assert set(made["population"]) == {220.0, 180.0}


def test_design_weights_of_clusters_are_of_clusters(barometer: Path) -> None:
    answers, wave, catalogue = prepared(barometer)
    assert wave.design is not None
    answers["psu"] = (np.arange(len(answers)) % 5).astype(str)
    clustered = replace(wave, weighting=Weighting("design"), design=replace(wave.design, psu="KOMMUNE"))
    made = weigh(answers, clustered, catalogue).answers
    drawn = answers.groupby("stratum", observed=True)["psu"].nunique()
    for stratum, population in (("1", 220), ("2", 180)):
        assert set(made.loc[made["stratum"] == stratum, "weight"]) == {population / drawn[stratum]}


def test_more_clusters_than_there_are_are_refused(barometer: Path) -> None:
    edit(barometer / "warehouse/raw/dk-strata.csv", "2,180", "2,4")
    answers, wave, catalogue = prepared(barometer)
    assert wave.design is not None
    answers["psu"] = (np.arange(len(answers)) % 10).astype(str)
    clustered = replace(wave, weighting=Weighting("design"), design=replace(wave.design, psu="KOMMUNE"))
    with pytest.raises(ProblemError, match=r"is 4, fewer than the \d+ that answered"):
        weigh(answers, clustered, catalogue)


@pytest.mark.parametrize(("bounds", "said"), [(None, "negative"), ((0.0, 9.0), "zero")])
def test_calibrated_weights_that_are_none_are_refused(
    bounds: tuple[float, float] | None, said: str, barometer: Path
) -> None:
    answers, wave, catalogue = prepared(barometer)
    answers["design_weight"] = np.where(answers["region"] == "north", 9.0, 1.0)
    answers["sector"] = np.where(np.arange(len(answers)) % 10 < 7, answers["sector"], "care")
    totals = "margin,code,total\nsector,care,300\nsector,school,100\nregion,north,2\nregion,south,398\n"
    (barometer / "warehouse/raw/dk-margins.csv").write_text(totals, encoding="utf-8")
    linear_ = with_weighting(wave, method="linear", bounds=bounds)
    with pytest.raises(ProblemError, match="does not keep every calibrated weight above 0") as caught:
        weigh(answers, linear_, catalogue)
    (problem,) = caught.value.problems
    assert problem.key == "weighting.bounds" and said in str(problem.value)


@pytest.mark.parametrize(
    "trouble", [(0, "zero in 1 row"), (-2, "negative in 1 row"), (np.nan, "missing in 1 row")]
)
def test_what_is_no_weight_is_refused(trouble: tuple[float, str], barometer: Path) -> None:
    answers, wave, catalogue = prepared(barometer)
    assert wave.design is not None
    answers["design_weight"] = 2.0
    answers.loc[answers.index[3], "design_weight"] = trouble[0]
    given = replace(wave, weighting=Weighting("given"), design=replace(wave.design, weight="VEKT"))
    with pytest.raises(ProblemError, match="VEKT is not above 0 in every row") as caught:
        weigh(answers, given, catalogue)
    (problem,) = caught.value.problems
    assert (problem.key, problem.value) == ("design.weight", trouble[1])


def test_the_report_says_how_uneven_the_weights_are(barometer: Path) -> None:
    answers, wave, catalogue = prepared(barometer)
    made = weigh(answers, wave, catalogue)
    w, report = made.answers["weight"].to_numpy(), made.report
    assert (report["rows"], report["min"], report["max"]) == (len(w), w.min(), w.max())
    assert report["sum"] == pytest.approx(w.sum())
    assert report["ratio"] == pytest.approx(w.max() / w.min())
    assert report["deff"] == pytest.approx(1 + w.var() / w.mean() ** 2)  # Kish
    assert report["effective_n"] == pytest.approx(len(w) / report["deff"])


def test_calibration_starts_from_the_design_weights(barometer: Path) -> None:
    answers, wave, catalogue = prepared(barometer)
    made = weigh(answers, wave, catalogue).answers
    factor = (made["weight"] / made["base_weight"]).groupby([made["sector"], made["region"]], observed=True)
    assert (factor.max() - factor.min()).max() < 1e-12


def test_bounds_are_kept(barometer: Path) -> None:
    answers, wave, catalogue = prepared(barometer)
    free = weigh(answers, wave, catalogue).answers
    widest = (free["weight"] / free["base_weight"]).max()
    bounded = with_weighting(wave, bounds=(0.5, widest * 1.5))
    made = weigh(answers, bounded, catalogue).answers
    assert ((made["weight"] / made["base_weight"]).between(0.5, widest * 1.5)).all()


def test_a_margin_that_cannot_be_met_names_itself_and_the_gap(barometer: Path) -> None:
    answers, wave, catalogue = prepared(barometer)
    with pytest.raises(
        ProblemError, match=r"margin region cannot be met: \w+ reaches [\d.]+ of \d+ \('gap "
    ) as caught:
        weigh(answers, with_weighting(wave, bounds=(0.999, 1.001)), catalogue)
    assert caught.value.problems[0].wave == "dk-2020"


def test_a_margin_code_without_respondents_cannot_be_met(barometer: Path) -> None:
    answers, wave, catalogue = prepared(barometer)
    with pytest.raises(ProblemError, match="margin region cannot be met: no respondent has the code"):
        weigh(answers[answers["region"] != "north"], wave, catalogue)


def test_a_stratum_of_which_everyone_answered_is_a_census(barometer: Path) -> None:
    edit(barometer / "warehouse/raw/dk-strata.csv", "2,180", "2,40")
    answers, wave, catalogue = prepared(barometer)
    made = weigh(answers, replace(wave, weighting=Weighting("design")), catalogue).answers
    assert set(made.loc[made["stratum"] == "2", "weight"]) == {1.0}


def test_more_respondents_than_units_are_refused(barometer: Path) -> None:
    edit(barometer / "warehouse/raw/dk-strata.csv", "2,180", "2,30")
    answers, wave, catalogue = prepared(barometer)
    with pytest.raises(ProblemError, match="is 30, fewer than the 40 that answered"):
        weigh(answers, wave, catalogue)


def test_a_stratum_without_a_count_is_refused(barometer: Path) -> None:
    edit(barometer / "warehouse/raw/dk-strata.csv", "2,180", "3,180")
    answers, wave, catalogue = prepared(barometer)
    with pytest.raises(ProblemError, match="has no row for a stratum with 40 respondents"):
        weigh(answers, wave, catalogue)


def test_strata_without_respondents_are_reported(barometer: Path) -> None:
    edit(barometer / "warehouse/raw/dk-strata.csv", "2,180", "2,180\n3,20")
    answers, wave, catalogue = prepared(barometer)
    assert weigh(answers, wave, catalogue).report["uncovered"] == ["3"]


def test_weights_do_not_depend_on_the_order_of_the_rows(barometer: Path) -> None:
    answers, wave, catalogue = prepared(barometer)
    once = weigh(answers, wave, catalogue).answers.set_index("unit")["weight"]
    turned = weigh(answers.iloc[::-1], wave, catalogue).answers.set_index("unit")["weight"]
    assert (turned[once.index] == once).all()


cells = st.lists(st.floats(0.5, 50), min_size=6, max_size=6)


@given(
    cells,
    st.lists(st.floats(0.5, 2), min_size=2, max_size=2),
    st.lists(st.floats(0.5, 2), min_size=3, max_size=3),
)
def test_raking_equals_iterative_proportional_fitting(
    start: list[float], rows: list[float], columns: list[float]
) -> None:
    """Two margins of a 2 x 3 table: Newton on the dual ends where alternate scaling ends."""
    table = np.array(start).reshape(2, 3)
    scaled = table * np.outer(rows, columns)
    wanted_rows, wanted_columns = scaled.sum(axis=1), scaled.sum(axis=0)
    fitted = table.copy()
    for _ in range(500):
        fitted *= (wanted_rows / fitted.sum(axis=1))[:, None]
        fitted *= wanted_columns / fitted.sum(axis=0)
    design = np.array(
        [[r == 0, r == 1, c == 0, c == 1, c == 2] for r in range(2) for c in range(3)], dtype=float
    )
    totals = np.concatenate([wanted_rows, wanted_columns])
    made = calibrate(table.reshape(-1), design, totals, exponential(None), 1e-12, 100)
    assert made.factors * table.reshape(-1) == pytest.approx(fitted.reshape(-1), rel=1e-8)


@given(cells, st.floats(0.2, 5))
def test_calibrated_weights_do_not_depend_on_the_scale_of_the_start(start: list[float], scale: float) -> None:
    design = np.array(
        [[r == 0, r == 1, c == 0, c == 1, c == 2] for r in range(2) for c in range(3)], dtype=float
    )
    weights = np.array(start)
    totals = design.T @ (weights * np.array([1.1, 0.9, 1.0, 1.2, 0.8, 1.0]))
    once = calibrate(weights, design, totals, exponential(None), 1e-12, 100)
    again = calibrate(weights * scale, design, totals, exponential(None), 1e-12, 100)
    assert again.factors * scale == pytest.approx(once.factors, rel=1e-8)


def test_linear_factors_are_the_regression_estimator() -> None:
    design = np.array([[1.0, 0], [1, 0], [0, 1]])
    made = calibrate(np.array([10.0, 20, 30]), design, np.array([60.0, 30]), linear(None), 1e-12, 50)
    assert made.factors == pytest.approx([2, 2, 1])
