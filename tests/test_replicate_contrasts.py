"""Covariances from replicate weights: equal to R's, and to those of the replicates' own estimates.

Reference values: R 4.2.2, survey 4.1-1 (``replicates.csv``, the cases around the full-sample estimate). R's
differences of domains are those of the jackknives and the bootstrap; its other contrasts are not in the
table, and are held against the replicates' own estimates, made from the units.
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
from pipeline.comparison import against_rest, standardise
from pipeline.estimation import Specification, estimate_wave, wave_statistics
from pipeline.estimation.contrasts import Contrasts
from pipeline.estimation.replicates import factors
from tests.barometers import write_barometer
from tests.comparing import one
from tests.golden import close, reference
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
                wave_statistics(units, found.wave, found.catalogue),
                Specification.of(found.wave, found.catalogue),
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
    return Contrasts.of(
        wave_statistics(units, known[1], known[0]), Specification.of(known[1], known[0])
    ), units


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
    estimates = estimate_wave(cells, Specification.of(wave, catalogue))
    made = Contrasts.of(cells, Specification.of(wave, catalogue))
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
    joint = Contrasts.of(
        wave_statistics(units, known[1], known[0]), Specification.of(known[1], known[0])
    ).shares("novelty")
    assert joint.values.sum() == pytest.approx(100)
    assert np.abs(joint.covariance.sum(axis=1)).max() < 1e-9 < joint.covariance[0, 0]
