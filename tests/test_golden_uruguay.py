"""Uruguay's official innovation survey, raw file to estimates, against R's ``survey`` (4.2.2, survey
4.1-1).
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.catalogue.model import Estimation
from pipeline.estimation import Specification, estimate_wave
from pipeline.estimation.contrasts import Contrasts
from tests.golden import Estimated, close, estimate, reference
from tests.golden_uruguay import write_eaii


@pytest.fixture(scope="module")
def found(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Estimated:
    raw = shared / "data" / "eaii_uy" / "eaii_2019-2021.csv"
    return estimate(write_eaii(tmp_path_factory.mktemp("eaii") / "barometer", raw))


SECTORS = {"sector2=industria": "industry", "sector2=servicios y otros": "services"}


def test_shares_means_and_totals_equal_r(found: Estimated, shared: Path) -> None:
    checked = 0
    for row in reference(shared, "eaii_uy.csv", "eaii_uy"):
        kind, variable = row["estimator"], row["variable"]
        if variable == "innov01" and kind == "total":
            cell, unit = found.cell("innovative_enterprises", "yes"), 1
        elif variable == "innov01" and kind == "mean_deff_srswr":
            assert close(found.cell("innovative", "yes")["deff"], row["deff"])
            continue
        elif variable == "innov01" and kind == "mean":
            cell, unit = found.cell("innovative", "yes"), 100
        elif variable.startswith("b1_"):
            cell, unit = found.cell("activity", f"a{variable[3:]}"), 100
        else:
            continue
        assert close(cell["value"], float(row["estimate"]) * unit), row
        assert close(cell["se"], float(row["se"]) * unit), row
        assert cell["n"] == int(row["n_unweighted"]), row
        checked += 1
    assert checked == 11


def test_domains_keep_the_full_design(found: Estimated, shared: Path) -> None:
    checked = 0
    for row in reference(shared, "eaii_uy.csv", "eaii_uy"):
        if row["estimator"] != "domain_proportion":
            continue
        name, _, code = row["domain"].partition("=")
        where = ("division", f"d{code}") if name == "Division" else ("sector", SECTORS[row["domain"]])
        cell = found.cell("innovative", "yes", *where)
        assert close(cell["value"], float(row["estimate"]) * 100), row
        assert close(cell["se"], float(row["se"]) * 100), row
        assert (cell["n"], cell["df"]) == (int(row["n_unweighted"]), float(row["df"])), row
        if cell["se"] > 0:
            # R's svyciprop(method = "logit") fits a model by iteration; its last digits are its own.
            assert close(cell["ci_low"], float(row["ci_special_lo"]) * 100, 1e-6), row
            assert close(cell["ci_high"], float(row["ci_special_hi"]) * 100, 1e-6), row
        checked += 1
    assert checked == 60


@pytest.mark.parametrize(("interval", "method"), [("logit", "xlogit"), ("beta", "beta"), ("wald", "mean")])
def test_intervals_equal_r(interval: str, method: str, found: Estimated, shared: Path) -> None:
    rows = reference(shared, "eaii_uy.csv", "eaii_uy")
    (row,) = [row for row in rows if row["estimator"] == f"svyciprop_{method}"]
    barometer = replace(found.catalogue.barometer, estimation=Estimation(proportion_ci=interval))
    estimates = estimate_wave(
        found.cells, Specification.of(found.wave, replace(found.catalogue, barometer=barometer))
    )
    cell = replace(found, estimates=estimates).cell("innovative", "yes")
    assert close(cell["ci_low"], float(row["ci_special_lo"]) * 100)
    assert close(cell["ci_high"], float(row["ci_special_hi"]) * 100)


def test_a_difference_of_sectors_equals_r(found: Estimated, shared: Path) -> None:
    rows = reference(shared, "eaii_uy.csv", "eaii_uy")
    (row,) = [row for row in rows if row["estimator"] == "difference_of_domain_means"]
    ready = Contrasts.of(found.cells, Specification.of(found.wave, found.catalogue))
    joint = ready.between("innovative", "yes", [("sector", "industry"), ("sector", "services")])
    value, error = joint.difference(0, 1)
    assert close(value, float(row["estimate"]) * 100)
    assert close(error, float(row["se"]) * 100)


@pytest.mark.parametrize(
    ("estimator", "indicator", "unit"),
    [("proportion", "importance", 100), ("total_category", "enterprises", 1)],
)
def test_substantive_denominators_equal_r(
    estimator: str, indicator: str, unit: int, found: Estimated, shared: Path
) -> None:
    rows = [row for row in reference(shared, "eaii_uy.csv", "eaii_uy_999") if row["estimator"] == estimator]
    assert len(rows) == 12
    for row in rows:
        item = row["variable"].removeprefix("H1A_").removesuffix("_na")
        cell = found.cell(f"{indicator}_{row['level']}", f"r{item}")
        assert close(cell["value"], float(row["estimate"]) * unit), row
        assert close(cell["se"], float(row["se"]) * unit), row


def test_code_999_leaves_the_denominator(found: Estimated) -> None:
    assert found.cell("importance_1", "r15")["n"] == 2408 - 2219
