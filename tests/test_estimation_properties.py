"""What must hold of any estimates: they add up, and what is only a name or a scale changes nothing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.catalogue import Catalogue, Wave, load_catalogue
from pipeline.catalogue.fieldwork import Design, Weighting
from pipeline.catalogue.logic import Condition, Logic
from pipeline.catalogue.questionnaire import Indicator
from pipeline.harmonise import harmonise
from pipeline.harmonise.routing import holds
from pipeline.sources import fetch, read_raw
from tests.barometers import write_barometer
from tests.test_estimation import cell, drawn, estimated

ROUNDED = ["value", "se", "ci_low", "ci_high", "deff", "n_eff"]
few = settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> tuple[Catalogue, Wave]:
    root = write_barometer(tmp_path_factory.mktemp("properties") / "barometer")
    catalogue = load_catalogue(root)
    return catalogue, catalogue.waves["dk-2020"]


def weighted_by(answers: pd.DataFrame, known: tuple[Catalogue, Wave], strata: bool = True) -> pd.DataFrame:
    """Estimates with the weights that the answers carry, without population counts."""
    design = Design("ID", strata=("SEKTOR",) if strata else (), weight="VEKT")
    return estimated(answers, known, design=design, weighting=Weighting("given"))[0]


def drawn_with_weights(seed: int) -> pd.DataFrame:
    answers = drawn(seed)
    answers["design_weight"] = np.random.default_rng(seed).lognormal(1, 1, len(answers))
    return answers


def same(one: pd.DataFrame, other: pd.DataFrame, scale: float = 1.0) -> None:
    """Equal to rounding; counts may be on another scale."""
    assert one[["indicator", "category", "domain", "domain_code", "n", "df", "m", "obs_status"]].equals(
        other[["indicator", "category", "domain", "domain_code", "n", "df", "m", "obs_status"]]
    )
    for column in ROUNDED:
        moves = column in ("value", "se", "ci_low", "ci_high")
        factor = np.where(moves & (one["unit_measure"] == "count"), scale, 1.0)
        np.testing.assert_allclose(
            other[column].to_numpy(float), one[column].to_numpy(float) * factor, rtol=1e-9, atol=1e-9
        )


@few
@given(seed=st.integers(0, 10**6))
def test_a_domain_and_its_complement_add_up(seed: int, known: tuple[Catalogue, Wave]) -> None:
    estimates, _ = estimated(drawn(seed), known)
    for by in ("sector", "sector_region"):
        parts = estimates[(estimates["indicator"] == "innovative_workplaces") & (estimates["domain"] == by)]
        whole = cell(estimates, "innovative_workplaces", "yes")
        assert parts["value"].sum() == pytest.approx(whole["value"], rel=1e-9)
        assert (parts["n"].sum(), parts["m"].sum()) == (whole["n"], whole["m"])


@few
@given(seed=st.integers(0, 10**6), scale=st.floats(1e-3, 1e6))
def test_the_scale_of_the_weights_changes_counts_only(
    seed: int, scale: float, known: tuple[Catalogue, Wave]
) -> None:
    answers = drawn_with_weights(seed)
    scaled = answers.assign(design_weight=answers["design_weight"] * scale)
    same(weighted_by(answers, known), weighted_by(scaled, known), scale)


@few
@given(seed=st.integers(0, 10**6))
def test_other_names_of_codes_and_strata_change_nothing(seed: int, known: tuple[Catalogue, Wave]) -> None:
    catalogue, wave = known
    sector, novelty = catalogue.variables["sector"], catalogue.questions["novelty"]
    names = {"care": "zoo", "school": "art"}
    answers = drawn_with_weights(seed)
    renamed = answers.assign(
        sector=answers["sector"].map(names), stratum=answers["stratum"].map({"1": "west", "2": "east"})
    )
    labels = {names[code]: label for code, label in sector.codes.items()}
    variables = {**catalogue.variables, "sector": replace(sector, codes=labels)}
    turned = replace(novelty, codes=dict(reversed(novelty.codes.items())))
    questions = {**catalogue.questions, "novelty": turned}
    other = weighted_by(renamed, (replace(catalogue, variables=variables, questions=questions), wave))
    back = {new: old for old, new in names.items()}
    codes = ["*".join(back.get(part, part) for part in code.split("*")) for code in other["domain_code"]]
    key = ["indicator", "category", "domain", "domain_code"]
    other = other.assign(domain_code=codes).sort_values(key, ignore_index=True)
    same(weighted_by(answers, known).sort_values(key, ignore_index=True), other)


@few
@given(
    seed=st.integers(0, 10**6), method=st.sampled_from(["rake", "linear", "logit"]), clustered=st.booleans()
)
def test_a_margin_has_no_error_after_calibration(
    seed: int, method: str, clustered: bool, known: tuple[Catalogue, Wave]
) -> None:
    catalogue, wave = known
    assert wave.weighting is not None and wave.design is not None
    of = catalogue.indicators["any_innovation"]
    margins = {
        code: replace(of, key=code, logic=Logic("any", (Condition(variable, (code,)),)))
        for variable, code in (("sector", "care"), ("region", "north"))
    }
    counts = {f"{code}_total": Indicator(f"{code}_total", "", "all", total=code) for code in margins}
    asking = replace(catalogue, indicators={**margins, **counts})
    bounds = (0.1, 10.0) if method == "logit" else None
    estimates, _ = estimated(
        drawn(seed, psus=6 if clustered else 0),
        (asking, wave),
        weighting=replace(wave.weighting, method=method, bounds=bounds),
        design=replace(wave.design, psu="KOMMUNE" if clustered else ""),
    )
    for code, total in (("care", 220), ("north", 150)):
        assert cell(estimates, code, "yes")["value"] == pytest.approx(total / 4)
        assert cell(estimates, code, "yes")["se"] == pytest.approx(0, abs=1e-6)
        assert cell(estimates, f"{code}_total", "yes")["value"] == pytest.approx(total)
        assert cell(estimates, f"{code}_total", "yes")["se"] == pytest.approx(0, abs=1e-6)


def test_several_strata_columns_are_their_joined_key(barometer: Path) -> None:
    catalogue = load_catalogue(barometer)
    wave = catalogue.waves["dk-2020"]
    assert wave.design is not None
    raw = read_raw(fetch(wave, barometer), wave.source).frame
    raw["KEY"] = raw["SEKTOR"] + "*" + raw["REG"]
    counts = {"1*N": 70, "1*S": 150, "2*N": 80, "2*S": 100}
    folder = barometer / "warehouse" / "raw"
    two = "".join(f"{key.replace('*', ',')},{count}\n" for key, count in counts.items())
    (folder / "two.csv").write_text("SEKTOR,REG,population\n" + two, encoding="utf-8")
    one = "".join(f"{key},{count}\n" for key, count in counts.items())
    (folder / "one.csv").write_text("KEY,population\n" + one, encoding="utf-8")
    found = []
    for strata, file in ((("SEKTOR", "REG"), "two.csv"), (("KEY",), "one.csv")):
        design = replace(wave.design, strata=strata, population=file)
        each = replace(wave, design=design, weighting=Weighting("design"))
        answers = harmonise(raw, each, catalogue).answers
        assert set(answers["stratum"]) == set(counts)
        found.append(estimated(answers, (catalogue, each))[0])
    pd.testing.assert_frame_equal(found[0], found[1], check_exact=True)


VARIABLES = {
    "introduced.*": ("yes", "no", "dont_know"),
    "introduced.service": ("yes", "no", "dont_know"),
    "novelty": ("first", "copied", "dont_know"),
    "value.*": ("selected", "not_selected"),
    "sector": ("care", "school"),
}
conditions = st.sampled_from(list(VARIABLES)).flatmap(
    lambda name: st.lists(st.sampled_from(VARIABLES[name]), min_size=1, max_size=2, unique=True).map(
        lambda codes: Condition(name, tuple(codes))
    )
)
operators = st.sampled_from(["any", "all", "none"])
logics = st.recursive(
    st.builds(Logic, operators, st.lists(conditions, min_size=1, max_size=3).map(tuple)),
    lambda inner: st.builds(
        Logic, operators, st.lists(st.one_of(conditions, inner), min_size=1, max_size=3).map(tuple)
    ),
    max_leaves=4,
)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(logic=logics, seed=st.integers(0, 10**6))
def test_logic_means_the_same_to_harmonisation_and_to_estimation(
    logic: Logic, seed: int, known: tuple[Catalogue, Wave]
) -> None:
    """One declared logic, read twice: as flags over answers, and as SQL over numbers."""
    catalogue, wave = known
    indicator = replace(catalogue.indicators["any_innovation"], logic=logic)
    asking = replace(catalogue, indicators={"any_innovation": indicator})
    answers = drawn(seed)
    estimates, _ = estimated(answers, (asking, wave))
    held = holds(logic, {name: answers[name] for name in answers}, catalogue, len(answers))
    named = {name for each in logic.conditions() for name in catalogue.expand(each.pattern)}
    answered = ~answers[sorted(named)].isin(["no_answer", "not_asked"]).all(axis=1).to_numpy()
    for sector in ("", "care", "school"):
        here = answered & ((answers["sector"] == sector).to_numpy() | (sector == ""))
        found = cell(estimates, "any_innovation", "yes", "sector" if sector else "total", sector)
        assert found["n"] == here.sum()
        if found["n"]:
            assert found["m"] == (held & here).sum()


def test_answers_from_one_stratum_take_their_error_from_it(known: tuple[Catalogue, Wave]) -> None:
    answers = drawn_with_weights(21)
    here = answers["stratum"] == "1"
    answers["introduced.product"] = answers["introduced.product"].where(here, "no_answer")
    found = cell(weighted_by(answers, known), "introduced", "product")
    w = answers["design_weight"].to_numpy()[here]
    asked = (answers["introduced.product"] != "no_answer").to_numpy()[here]
    yes = (answers["introduced.product"] == "yes").to_numpy(float)[here]
    share = np.average(yes[asked], weights=w[asked])
    z = np.where(asked, w * (yes - share) / w[asked].sum(), 0)
    assert found["se"] / 100 == pytest.approx(np.sqrt(len(z) * z.var(ddof=1)))
    assert (found["n"], found["df"]) == (asked.sum(), len(answers) - 2)


def test_without_degrees_of_freedom_there_is_no_interval(known: tuple[Catalogue, Wave]) -> None:
    answers = drawn_with_weights(22).assign(psu="only", stratum="")
    design = Design("ID", psu="KOMMUNE", weight="VEKT")
    estimates, _ = estimated(answers, known, design=design, weighting=Weighting("given"))
    for indicator, category in (("introduced", "product"), ("staff_mean", "mean")):
        found = cell(estimates, indicator, category)
        assert found["df"] == 0 and np.isfinite(found["value"])
        assert np.isnan(found["ci_low"]) and np.isnan(found["ci_high"])


def test_a_domain_without_units_has_no_row(known: tuple[Catalogue, Wave]) -> None:
    answers = drawn_with_weights(23)
    answers = answers[(answers["sector"] != "care") | (answers["region"] != "north")]
    estimates = weighted_by(answers, known)
    found = set(estimates.loc[estimates["domain"] == "sector_region", "domain_code"])
    assert found == {"care*south", "school*north", "school*south"}
