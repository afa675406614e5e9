"""Waves with replicate weights among the others: differences, scopes, benchmarks, compositions, tests.

Reference values: R 4.2.2, survey 4.1-1 (``replicates.csv``, the cases around the full-sample estimate). R's
differences of domains are those of the jackknives and the bootstrap; its other contrasts are not in the table,
and are held against the replicates' own estimates, made from the units.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.catalogue import Catalogue, Composition, Wave, load_catalogue
from pipeline.catalogue.fieldwork import Design, ReplicateWeights, Weighting
from pipeline.comparison import Known, Pair, against_rest, benchmarks, comparisons_of, standardise, trends
from pipeline.estimation import estimate_wave, wave_statistics
from pipeline.estimation.contrasts import Contrasts
from pipeline.estimation.replicates import factors
from tests.barometers import pin, write_barometer
from tests.comparing import Prepared, one, prepared
from tests.golden import close, reference
from tests.optional import write_optional
from tests.test_comparison import narrower
from tests.test_contrasts import PLACES, contrasts, in_domain
from tests.test_replicates import CASES, api, drawn

BOOTSTRAP = ReplicateWeights("rw_*", "bootstrap")


@pytest.mark.parametrize("case", CASES)
def test_a_difference_of_domains_equals_r(case: str, shared: Path, tmp_path: Path) -> None:
    ready = contrasts(api(tmp_path / "files", shared, case))
    rows = reference(shared, "replicates.csv", f"rep_{case}_mse")
    (row,) = [row for row in rows if row["estimator"] == "difference_of_domain_means"]
    assert row["domain"] == "stype:E-H"
    joint = ready.between("api00", "mean", [("stype", "E"), ("stype", "H")])
    difference, error = joint.difference(0, 1)
    assert close(difference, row["estimate"]) and close(error, row["se"])


@pytest.mark.parametrize("case", CASES)
def test_a_part_of_the_population_is_rs_domain(case: str, shared: Path, tmp_path: Path) -> None:
    found = api(tmp_path / "files", shared, case)
    checked = 0
    for row in reference(shared, "replicates.csv", f"rep_{case}_mse"):
        if row["estimator"] == "domain_mean" and row["domain"].startswith("stype="):
            code = row["domain"].removeprefix("stype=")
            units = found.weighted.answers[found.weighted.answers["stype"] == code]
            made = estimate_wave(
                wave_statistics(units, found.wave, found.catalogue), found.wave, found.catalogue
            )
            total = one(made, indicator="api00", category="mean", domain="total")
            assert close(total["value"], row["estimate"]) and close(total["se"], row["se"])
            assert total["df"] == float(row["note"].rpartition("=")[2])
            checked += 1
    assert checked == 3


# ── The variance of a difference is the variance of the replicates' differences ──


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> tuple[Catalogue, Wave]:
    root = write_barometer(tmp_path_factory.mktemp("replicates") / "barometer")
    domains = root / "schemas" / "domains.toml"
    domains.write_text(domains.read_text() + '[domains.region]\nby = ["region"]\n', encoding="utf-8")
    catalogue = load_catalogue(root)
    design = Design(id="ID", weight="W", replicate_weights=BOOTSTRAP)
    return catalogue, replace(catalogue.waves["dk-2020"], design=design, weighting=Weighting("given"))


def ready(known: tuple[Catalogue, Wave], seed: int) -> tuple[Contrasts, pd.DataFrame]:
    units = drawn(200, 12, seed)
    return Contrasts.of(wave_statistics(units, known[1], known[0]), known[1], known[0]), units


def weights_of(units: pd.DataFrame) -> np.ndarray:
    """The full weights and every replicate's: units x (1 + R)."""
    count = sum(name.startswith("replicate_") for name in units.columns)
    return units[["weight", *(f"replicate_{number}" for number in range(1, count + 1))]].to_numpy(dtype=float)


def thetas(units: pd.DataFrame, y: np.ndarray, counted: np.ndarray, domain: str, code: str) -> np.ndarray:
    """An average with the full weights and with every replicate's, straight from the units."""
    there = counted & in_domain(units, domain, code)
    weights = weights_of(units)[there]
    return (weights * y[there, None]).sum(axis=0) / weights.sum(axis=0)


def measured(units: pd.DataFrame) -> dict[tuple[str, str], tuple[np.ndarray, np.ndarray, float]]:
    said, staff = units["introduced.product"], units["staff"].to_numpy()
    answered = (said != "no_answer").to_numpy()
    return {
        ("introduced", "product"): ((said == "yes").to_numpy(dtype=float), answered, 100.0),
        ("staff_mean", "mean"): (np.nan_to_num(staff), ~np.isnan(staff), 1.0),
    }


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10**6), places=st.lists(st.sampled_from(PLACES), min_size=2, max_size=2))
def test_the_variance_of_a_difference_is_that_of_the_replicates_differences(
    seed: int, places: list[tuple[str, str]], known: tuple[Catalogue, Wave]
) -> None:
    """Domains apart, overlapping, or part of one another; shares and means."""
    made, units = ready(known, seed)
    for (indicator, category), (y, counted, unit) in measured(units).items():
        a, b = (thetas(units, y, counted, *place) * unit for place in places)
        wanted = ((a - b)[1:] - (a - b)[0]) @ (factors(BOOTSTRAP, 12) * ((a - b)[1:] - (a - b)[0]))
        difference, error = made.between(indicator, category, places).difference(0, 1)
        assert close(difference, (a - b)[0]) and close(error, np.sqrt(wanted), 1e-8)


def test_a_cell_against_the_rest_and_a_composition(known: tuple[Catalogue, Wave]) -> None:
    made, units = ready(known, 3)
    scale = factors(BOOTSTRAP, 12)
    for (indicator, category), (y, counted, unit) in measured(units).items():
        care, school = (thetas(units, y, counted, "sector", code) * unit for code in ("care", "school"))
        _, (difference, error) = against_rest(made, indicator, category, "sector", "care")
        apart = care - school
        assert close(difference, apart[0]) and close(error, np.sqrt(((apart[1:] - apart[0]) ** 2) @ scale))
        half = Composition("half", "sector", "", {"care": 3.0, "school": 1.0})
        mixed = 0.75 * care + 0.25 * school
        value, error = standardise(made, half, ("care", "school"), (indicator, category), known[0])
        assert close(value, mixed[0]) and close(error, np.sqrt(((mixed[1:] - mixed[0]) ** 2) @ scale))


def test_the_diagonal_is_the_error_of_each_estimate(known: tuple[Catalogue, Wave]) -> None:
    catalogue, wave = known
    cells = wave_statistics(drawn(200, 12), wave, catalogue)
    estimates = estimate_wave(cells, wave, catalogue)
    made = Contrasts.of(cells, wave, catalogue)
    for indicator, category in (
        ("introduced", "product"),
        ("staff_mean", "mean"),
        ("innovative_workplaces", "yes"),
    ):
        joint = made.between(indicator, category, PLACES)
        for number, (domain, code) in enumerate(PLACES):
            cell = one(estimates, indicator=indicator, category=category, domain=domain, domain_code=code)
            assert close(joint.values[number], cell["value"])
            assert close(np.sqrt(joint.covariance[number, number]), cell["se"])
        assert joint.difference(0, 0) == (0.0, 0.0)


def test_shares_of_a_single_choice_sum_to_100_in_every_replicate(known: tuple[Catalogue, Wave]) -> None:
    units = drawn(200, 12)
    said = np.random.default_rng(8).choice(["first", "copied", "dont_know"], len(units))
    units = units.assign(novelty=said, **{"introduced.product": "yes"})
    joint = Contrasts.of(wave_statistics(units, known[1], known[0]), *known[::-1]).shares("novelty")
    assert joint.values.sum() == pytest.approx(100)
    assert np.abs(joint.covariance.sum(axis=1)).max() < 1e-9 < joint.covariance[0, 0]


# ── Beside the other waves ───────────────────────────────────────────────────


def replicated(root: Path, *waves: str, count: int = 20) -> Path:
    """Gives waves of the small barometer a weight of 5 a unit and bootstrap weights, in place of their design."""
    for key in waves:
        path = root / "schemas" / "waves" / f"{key}.toml"
        text = path.read_text(encoding="utf-8")
        design = '[design]\nid = "ID"\nweight = "W"\nreplicate_weights = { columns = "rw_*", method = "bootstrap" }\n'
        path.write_text(
            text[: text.index("[design]")] + design + '[weighting]\nmethod = "given"\n', encoding="utf-8"
        )
        raw = root / "warehouse" / "raw" / f"{key}.csv"
        lines = raw.read_text(encoding="utf-8").splitlines()
        random = np.random.default_rng(int(key[-4:]))
        drawn = 5 * random.poisson(1, (len(lines) - 1, count))
        wide = [";".join([lines[0], "W", *(f"rw_{number}" for number in range(count))])]
        wide += [f"{line};5;{';'.join(map(str, row))}" for line, row in zip(lines[1:], drawn, strict=True)]
        raw.write_text("\n".join(wide) + "\n", encoding="utf-8")
        pin(root, key)
    return root


@pytest.fixture(scope="module")
def narrow(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    """Edition 2022 covers care alone and 2020 has replicate weights; answers were offered in 2020 alone."""
    root = narrower(write_optional(tmp_path_factory.mktemp("narrow") / "barometer"))
    found = prepared(replicated(root, "dk-2020"))
    rules = {
        key: rule for key, rule in found.catalogue.comparability.rules.items() if key != "weighting_changed"
    }
    return replace(found, catalogue=replace(found.catalogue, comparability=replace(found.catalogue.comparability, rules=rules)))  # fmt: skip


def test_a_replicate_wave_is_narrowed_to_the_shared_part(narrow: Prepared) -> None:
    catalogue = narrow.catalogue
    assert (
        Pair(catalogue.waves["dk-2022"], catalogue.waves["dk-2020"], Known(catalogue)).shared.state()
        == "shared"
    )
    material = narrow.material()
    made = comparisons_of(material)
    for indicator, category in (("any_innovation", "yes"), ("staff_mean", "mean"), ("value", "quality")):
        row = one(
            made, wave_a="dk-2022", wave_b="dk-2020", indicator=indicator, category=category, domain="total"
        )
        care = one(narrow.estimates, wave="dk-2020", indicator=indicator, category=category, domain="sector", domain_code="care")  # fmt: skip
        own = one(narrow.estimates, wave="dk-2022", indicator=indicator, category=category, domain="total")
        assert row["scope"] == "sector=care" and row["n_b"] == care["n"]
        assert close(row["value_b"], care["value"]) and close(row["se"], np.hypot(own["se"], care["se"]))
    again = material.narrowed().query("wave == 'dk-2020' and domain == 'total' and scope == 'sector=care'")
    plain = narrow.estimates.query("wave == 'dk-2020' and domain == 'sector' and domain_code == 'care'")
    both = again.merge(plain, on=["indicator", "category"])
    assert len(both) > 10 and (both["df_x"] == both["df_y"]).all()


def test_and_to_the_shared_answers(narrow: Prepared) -> None:
    material = narrow.material()
    row = one(comparisons_of(material), wave_b="dk-2020", indicator="any_partner", domain="total")
    assert row["scope"] == "partner=citizens|companies sector=care" and row["verdict"] == "like_for_like"
    units = narrow.answers["dk-2020"]
    units = units[units["sector"] == "care"]
    chosen = (units[["partner.citizens", "partner.companies"]] == "selected").any(axis=1).to_numpy()
    weights = weights_of(units)
    theta = 100 * weights[chosen].sum(axis=0) / weights.sum(axis=0)
    cell = {"wave": "dk-2020", "indicator": "any_partner", "domain": "total", "scope": row["scope"]}
    again = one(material.narrowed(), **cell)
    assert close(again["value"], theta[0]) and close(row["value_b"], theta[0])
    assert close(again["se"], np.sqrt(((theta[1:] - theta[0]) ** 2).sum() / 19))


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    root = write_barometer(tmp_path_factory.mktemp("both") / "barometer")
    return prepared(replicated(root, "dk-2020", "dk-2022"))


def test_a_cell_is_tested_against_the_whole_of_its_wave(both: Prepared) -> None:
    row = one(benchmarks(both.material()), wave="dk-2020", indicator="introduced", category="product", domain_code="care")  # fmt: skip
    units = both.answers["dk-2020"]
    answered = (units["introduced.product"] != "no_answer").to_numpy()
    yes = (units["introduced.product"] == "yes").to_numpy(dtype=float)
    apart = 100 * (thetas(units, yes, answered, "sector", "care") - thetas(units, yes, answered, "total", ""))
    assert close(row["difference"], apart[0])
    assert close(row["se"], np.sqrt(((apart[1:] - apart[0]) ** 2).sum() / 19))
    assert 0 < row["p_value"] < 1 and row["rank_low"] <= row["rank"] <= row["rank_high"]


def test_distributions_compositions_and_trends_have_their_tests(both: Prepared) -> None:
    half = {"half": Composition("half", "sector", "Half and half", {"care": 1, "school": 1})}
    declared = replace(both.catalogue.comparability, compositions=half)
    material = replace(both, catalogue=replace(both.catalogue, comparability=declared)).material()
    made = comparisons_of(material)
    total = {"wave_a": "dk-2022", "wave_b": "dk-2020", "domain": "total", "standard": ""}
    assert 0 < one(made, **total, indicator="novelty", category="first")["p_distribution"] <= 1
    found = one(made, **(total | {"standard": "half"}), indicator="any_innovation")
    cells = both.estimates.query("indicator == 'any_innovation' and domain == 'sector'")
    assert close(found["value_b"], cells.query("wave == 'dk-2020'")["value"].mean()) and found["p_value"] > 0
    series = one(trends(material), indicator="any_innovation", category="yes")
    assert series["editions"] == 2 and series["se"] > 0
