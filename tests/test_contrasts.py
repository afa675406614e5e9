"""Covariances within a wave: equal to R's, to the textbook on units, and to the errors of single
estimates.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.catalogue import Catalogue, Wave, load_catalogue
from pipeline.catalogue.fieldwork import Weighting
from pipeline.catalogue.model import Estimation
from pipeline.estimation import Specification, estimate_wave, wave_statistics
from pipeline.estimation.contrasts import Contrasts
from pipeline.weighting import weigh
from tests.barometers import write_barometer
from tests.golden import Estimated, close, estimate, rao_scott, reference
from tests.golden_barometers import write_api
from tests.golden_nhanes import write_nhanes
from tests.test_estimation import cell, drawn

STRATA = "stype,population\nE,4421\nM,1018\nH,755\n"
STRATIFIED = 'id = "snum"\nstrata = ["stype"]\nweight = "pw"'
CLUSTERED = 'id = "snum"\npsu = "dnum"\nweight = "pw"'


def contrasts(found: Estimated) -> Contrasts:
    return Contrasts.of(found.cells, Specification.of(found.wave, found.catalogue))


def noted(row: dict[str, str], name: str) -> float:
    return float(row["note"].partition(f"{name}=")[2].split()[0])


@pytest.mark.parametrize(
    ("case", "data", "design", "strata", "differences"),
    [
        ("api_strat", "apistrat", STRATIFIED, STRATA, 3),
        ("api_clus1", "apiclus1", CLUSTERED, "population\n757\n", 1),
    ],
)
def test_differences_of_domains_equal_r(
    case: str, data: str, design: str, strata: str, differences: int, shared: Path, tmp_path: Path
) -> None:
    raw = shared / "data" / "survey_r" / f"{data}.csv"
    ready = contrasts(estimate(write_api(tmp_path, raw, design, strata=strata)))
    rows = [
        row for row in reference(shared, "api.csv", case) if row["estimator"] == "difference_of_domain_means"
    ]
    assert len(rows) == differences
    for row in rows:
        by, _, codes = row["domain"].partition(":")
        indicator, category = ("api00", "mean") if row["variable"] == "api00" else ("awards", "Yes")
        unit = 1 if category == "mean" else 100
        found = ready.between(indicator, category, [(by, code) for code in codes.split("-")])
        value, error = found.difference(0, 1)
        assert close(value, float(row["estimate"]) * unit), row
        assert close(error, float(row["se"]) * unit), row
        assert close(found.covariance[0, 1], noted(row, "cov(a,b)") * unit**2), row
        assert close(found.values[0], noted(row, "mean_a") * unit), row


def test_a_difference_in_strata_of_clusters_equals_r(shared: Path, tmp_path: Path) -> None:
    ready = contrasts(estimate(write_nhanes(tmp_path, shared / "data" / "survey_r" / "nhanes.csv")))
    found = ready.between("high", "yes", [("sex", "s1"), ("sex", "s2")])
    rows = reference(shared, "nhanes_fpc.csv", "nhanes")
    (row,) = [row for row in rows if row["estimator"] == "difference_of_domain_means"]
    value, error = found.difference(0, 1)
    assert close(value, float(row["estimate"]) * 100) and close(error, float(row["se"]) * 100)
    assert close(found.covariance[0, 1] / 100**2, noted(row, "cov(a,b)"))


def test_the_covariance_of_a_table_gives_rs_test_of_independence(shared: Path, tmp_path: Path) -> None:
    raw = shared / "data" / "survey_r" / "apistrat.csv"
    ready = contrasts(estimate(write_api(tmp_path, raw, STRATIFIED, strata=STRATA)))
    table = ready.table("awards", "stype")
    statistic, df = rao_scott(table, 3, 2, 200)
    (row,) = [r for r in reference(shared, "api.csv", "api_strat") if r["estimator"] == "chisq_rao_scott_F"]
    assert close(statistic, row["estimate"])
    assert close(df, noted(row, "ndf")) and close(df * 197, noted(row, "ddf"))


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> tuple[Catalogue, Wave]:
    root = write_barometer(tmp_path_factory.mktemp("contrasts") / "barometer")
    domains = root / "schemas" / "domains.toml"
    domains.write_text(domains.read_text() + '[domains.region]\nby = ["region"]\n', encoding="utf-8")
    catalogue = load_catalogue(root)
    return catalogue, catalogue.waves["dk-2020"]


designs = {"method": st.sampled_from(["design", "rake", "linear"]), "clustered": st.booleans()}
PLACES = [
    ("total", ""),
    ("sector", "care"),
    ("sector", "school"),
    ("region", "north"),
    ("sector_region", "care*north"),
]


def prepared(
    seed: int, method: str, clustered: bool, known: tuple[Catalogue, Wave]
) -> tuple[Contrasts, pd.DataFrame, pd.DataFrame]:
    catalogue, wave = known
    assert wave.weighting is not None and wave.design is not None
    weighting = Weighting("design") if method == "design" else replace(wave.weighting, method=method)
    wave = replace(wave, weighting=weighting, design=replace(wave.design, psu="KOMMUNE" if clustered else ""))
    weighted = weigh(drawn(seed, psus=7 if clustered else 0), wave, catalogue).answers
    cells = wave_statistics(weighted, wave, catalogue)
    return (
        Contrasts.of(cells, Specification.of(wave, catalogue)),
        estimate_wave(cells, Specification.of(wave, catalogue)),
        weighted,
    )


def in_domain(weighted: pd.DataFrame, domain: str, code: str) -> np.ndarray:
    inside = np.ones(len(weighted), dtype=bool)
    for name, part in zip(domain.split("_"), code.split("*"), strict=True):
        if domain != "total":
            inside &= (weighted[name] == part).to_numpy()
    return inside


def on_units(weighted: pd.DataFrame, us: list[np.ndarray], calibrated: bool, clustered: bool) -> np.ndarray:
    """Covariances of the sums of w u, unit by unit, from the definition."""
    w, d = weighted["weight"].to_numpy(), weighted["base_weight"].to_numpy()
    u = np.column_stack(us)
    if calibrated:
        x = np.column_stack([weighted[name] == code for name in ("sector", "region") for code in sorted(set(weighted[name]))])  # fmt: skip
        root = np.sqrt(d)[:, None]
        u = u - x @ np.linalg.lstsq(x * root, u * root, rcond=None)[0]
    made = np.zeros((u.shape[1], u.shape[1]))
    for stratum in sorted(set(weighted["stratum"])):
        here = (weighted["stratum"] == stratum).to_numpy()
        z = pd.DataFrame(w[here, None] * u[here])
        if clustered:
            z = z.groupby(weighted["psu"].to_numpy()[here]).sum()
        n, known_units = len(z), weighted["population"].to_numpy()[here][0]
        made += (1 - n / known_units) * n * np.cov(z.to_numpy().T, ddof=1).reshape(made.shape)
    return made


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10**6), **designs)
def test_covariances_equal_the_textbook_on_units(
    seed: int, method: str, clustered: bool, known: tuple[Catalogue, Wave]
) -> None:
    """Apart, overlapping, part of one another: whatever two domains have in common."""
    ready, _, weighted = prepared(seed, method, clustered, known)
    staff = weighted["staff"].to_numpy()
    checks = [
        ("introduced", "product", 100, (weighted["introduced.product"] == "yes").to_numpy(float), (weighted["introduced.product"] != "no_answer").to_numpy()),
        ("staff_mean", "mean", 1, np.nan_to_num(staff), ~np.isnan(staff)),
    ]  # fmt: skip
    w = weighted["weight"].to_numpy()
    for indicator, category, unit, y, answered in checks:
        us = []
        for domain, code in PLACES:
            inside = answered & in_domain(weighted, domain, code)
            us.append(np.where(inside, y - np.average(y[inside], weights=w[inside]), 0) / w[inside].sum())
        wanted = on_units(weighted, us, method != "design", clustered) * unit**2
        found = ready.between(indicator, category, PLACES)
        size = np.sqrt(np.maximum(np.diag(wanted), 1e-12))  # of a share of 0 there is no error to measure by
        scale = np.outer(size, size)
        np.testing.assert_allclose(found.covariance / scale, wanted / scale, rtol=1e-9, atol=1e-10)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10**6), **designs)
def test_shares_of_a_single_choice_have_their_multinomial_covariance(
    seed: int, method: str, clustered: bool, known: tuple[Catalogue, Wave]
) -> None:
    ready, estimates, weighted = prepared(seed, method, clustered, known)
    found = ready.shares("novelty", "sector", "care")
    asked = ~weighted["novelty"].isin(["no_answer", "not_asked"]).to_numpy()
    inside = asked & in_domain(weighted, "sector", "care")
    w = weighted["weight"].to_numpy()
    us = []
    for category, _, _ in found.names:
        y = (weighted["novelty"] == category).to_numpy(float)
        us.append(np.where(inside, y - np.average(y[inside], weights=w[inside]), 0) / w[inside].sum() * 100)
    wanted = on_units(weighted, us, method != "design", clustered)
    np.testing.assert_allclose(found.covariance, wanted, rtol=1e-8, atol=1e-9)
    assert found.values.sum() == pytest.approx(100)
    assert np.abs(found.covariance.sum(axis=1)).max() < 1e-9  # the shares sum to 100 without error
    for number, (category, domain, code) in enumerate(found.names):
        single = cell(estimates, "novelty", category, domain, code)
        assert found.values[number] == pytest.approx(single["value"])
        assert np.sqrt(found.covariance[number, number]) == pytest.approx(single["se"], rel=1e-8, abs=1e-9)


@pytest.mark.parametrize("rule", ["certainty", "adjust", "average"])
@pytest.mark.parametrize(
    ("indicator", "category"),
    [("introduced", "product"), ("staff_mean", "mean"), ("innovative_workplaces", "yes")],
)
def test_the_diagonal_is_the_error_of_each_estimate(
    rule: str, indicator: str, category: str, known: tuple[Catalogue, Wave]
) -> None:
    catalogue, wave = known
    estimation = Estimation(lonely_psu=rule)
    catalogue = replace(catalogue, barometer=replace(catalogue.barometer, estimation=estimation))
    answers = drawn(4)
    answers = answers[(answers["stratum"] == "1") | (answers["unit"] == "0003")]
    wave = replace(wave, weighting=Weighting("design"))
    cells = wave_statistics(weigh(answers, wave, catalogue).answers, wave, catalogue)
    estimates = estimate_wave(cells, Specification.of(wave, catalogue))
    places = [("total", ""), ("sector", "care"), ("region", "north")]
    found = Contrasts.of(cells, Specification.of(wave, catalogue)).between(indicator, category, places)
    for number, place in enumerate(places):
        single = cell(estimates, indicator, category, *place)
        assert found.values[number] == pytest.approx(single["value"])
        assert np.sqrt(found.covariance[number, number]) == pytest.approx(single["se"], rel=1e-9)


def test_a_domain_does_not_differ_from_itself(known: tuple[Catalogue, Wave]) -> None:
    ready, _, _ = prepared(11, "rake", False, known)
    found = ready.between("introduced", "product", [("sector", "care"), ("sector", "care")])
    assert found.difference(0, 1) == (0, 0)


def test_where_nobody_answered_there_is_no_covariance(known: tuple[Catalogue, Wave]) -> None:
    catalogue, wave = known
    answers = drawn(12)
    answers["staff"] = answers["staff"].where(answers["sector"] != "care")
    cells = wave_statistics(weigh(answers, wave, catalogue).answers, wave, catalogue)
    found = Contrasts.of(cells, Specification.of(wave, catalogue)).between("staff_mean", "mean", PLACES[:3])
    assert np.isnan(found.values[1]) and np.isnan(found.covariance[1]).all()
    assert np.isfinite(found.covariance[np.ix_([0, 2], [0, 2])]).all()
    assert np.isnan(found.difference(0, 1)).all()


def test_answers_whose_products_were_not_summed_are_refused(known: tuple[Catalogue, Wave]) -> None:
    ready, _, _ = prepared(13, "design", False, known)
    with pytest.raises(ValueError, match="value is not a single-choice question"):
        ready.shares("value")
    with pytest.raises(ValueError, match="no domain sector nowhere"):
        ready.between("introduced", "product", [("sector", "nowhere")])
    with pytest.raises(ValueError, match="no estimate of introduced process"):
        ready.between("introduced", "process", PLACES)
