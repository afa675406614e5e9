"""A second opinion: svy, another implementation of survey statistics, on random designs.

The same units, strata, clusters, population counts, weights and missing answers go through both.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pandas as pd
import polars
import pytest
import svy
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.catalogue import Catalogue, Wave, load_catalogue
from pipeline.catalogue.fieldwork import Design, Weighting
from pipeline.estimation import Specification, estimate_wave, wave_statistics
from pipeline.weighting import weigh
from tests.barometers import write_barometer
from tests.test_estimation import cell, drawn

MEASURES = [("introduced", "product", 100), ("any_innovation", "yes", 100), ("staff_mean", "mean", 1)]


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> tuple[Catalogue, Wave]:
    root = write_barometer(tmp_path_factory.mktemp("svy") / "barometer")
    catalogue = load_catalogue(root)
    return catalogue, catalogue.waves["dk-2020"]


def sample(weighted: pd.DataFrame, design: Design) -> object:
    """The weighted answers as svy takes them: a number a measure, null where nobody answered."""
    product, service = weighted["introduced.product"], weighted["introduced.service"]
    frame = polars.DataFrame(
        {
            "stratum": weighted["stratum"].tolist(),
            "psu": weighted["psu"].tolist(),
            "weight": weighted["weight"].tolist(),
            "population": weighted["population"].tolist(),
            "sector": weighted["sector"].tolist(),
            "sector_region": (weighted["sector"] + "*" + weighted["region"]).tolist(),
            "introduced": [None if a == "no_answer" else float(a == "yes") for a in product],
            "any_innovation": [
                None if {a, b} == {"no_answer"} else float("yes" in (a, b))
                for a, b in zip(product, service, strict=True)
            ],
            "staff_mean": [None if np.isnan(a) else float(a) for a in weighted["staff"]],
        },
        strict=False,
    )
    return svy.Sample(
        frame,
        svy.Design(
            stratum="stratum" if design.strata else None,
            psu="psu" if design.psu else None,
            wgt="weight",
            pop_size="population" if design.population else None,
        ),
    )


def opinions(asked: object, name: str) -> Iterator[tuple[str, str, object]]:
    """svy's estimates of a measure by domain and code."""
    means = asked.estimation.mean
    yield "total", "", means(name, drop_nulls=True, deff="wr").estimates[0]
    for by in ("sector", "sector_region"):
        for found in means(name, by=by, drop_nulls=True).estimates:
            yield by, found.by_level[0], found


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10**6), stratified=st.booleans(), clustered=st.booleans(), corrected=st.booleans())
def test_svy_agrees(
    seed: int, stratified: bool, clustered: bool, corrected: bool, known: tuple[Catalogue, Wave]
) -> None:
    catalogue, wave = known
    answers = drawn(seed, rows=150, psus=9 if clustered else 0)
    answers["design_weight"] = np.random.default_rng(seed).lognormal(2, 1, len(answers))
    if not stratified:
        answers["stratum"] = ""
    design = Design(
        "ID",
        strata=("SEKTOR",) if stratified else (),
        psu="KOMMUNE" if clustered else "",
        weight="W",
        population=("dk-strata.csv" if stratified else "dk-whole.csv") if corrected else "",
    )
    (catalogue.root / "warehouse" / "raw" / "dk-whole.csv").write_text("population\n400\n", encoding="utf-8")
    wave = replace(wave, design=design, weighting=Weighting("given"))
    weighted = weigh(answers, wave, catalogue).answers
    estimates = estimate_wave(wave_statistics(weighted, wave, catalogue), Specification.of(wave, catalogue))
    asked, compared = sample(weighted, design), 0
    for indicator, category, unit in MEASURES:
        for domain, code, opinion in opinions(asked, indicator):
            ours = cell(estimates, indicator, category, domain, code)
            assert ours["value"] == pytest.approx(opinion.est * unit, rel=1e-9)
            assert ours["se"] == pytest.approx(opinion.se * unit, rel=1e-9, abs=1e-9)
            assert ours["n"] == opinion.n
            # svy drops who did not answer before it counts; R's degf, and ours, keeps the whole domain.
            assert ours["df"] >= opinion.df
            if unit == 1 and ours["df"] == opinion.df:
                assert ours["ci_low"] == pytest.approx(opinion.lci, rel=1e-9)
                assert ours["ci_high"] == pytest.approx(opinion.uci, rel=1e-9)
            if opinion.deff is not None:
                assert ours["deff"] == pytest.approx(opinion.deff, rel=1e-9)
            compared += 1
    assert compared == 3 * (1 + 2 + 4)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10**6), method=st.sampled_from(["rake", "linear"]))
def test_svy_calibrates_to_the_same_weights(seed: int, method: str, known: tuple[Catalogue, Wave]) -> None:
    catalogue, wave = known
    assert wave.weighting is not None
    answers = drawn(seed, rows=150)
    answers["design_weight"] = np.random.default_rng(seed).lognormal(2, 0.5, len(answers))
    design, weighting = Design("ID", weight="W"), replace(wave.weighting, method=method)
    ours = weigh(answers, replace(wave, design=design, weighting=weighting), catalogue).answers
    frame = polars.DataFrame({name: answers[name].tolist() for name in ("sector", "region", "design_weight")})
    asked = svy.Sample(frame, svy.Design(wgt="design_weight")).weighting
    totals = {"sector": {"care": 220, "school": 180}, "region": {"north": 150, "south": 250}}
    if method == "rake":
        made = asked.rake(controls=totals, wgt_name="made", tol=1e-13, max_iter=1000)
    else:
        made = asked.calibrate(controls={svy.Cat(name): of for name, of in totals.items()}, wgt_name="made")
    assert ours["weight"].tolist() == pytest.approx(made.data["made"].to_list(), rel=1e-9)
