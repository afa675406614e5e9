"""Strata of clusters against R's ``survey`` (4.1-1 on R 4.2.2): NHANES, and Stata's correction example."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.golden import Estimated, close, estimate, reference
from tests.golden_nhanes import AGES, write_nhanes, write_stata


@pytest.fixture(scope="module")
def found(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Estimated:
    raw = shared / "data" / "survey_r" / "nhanes.csv"
    return estimate(write_nhanes(tmp_path_factory.mktemp("nhanes") / "barometer", raw))


def test_clusters_numbered_within_strata_equal_r(found: Estimated, shared: Path) -> None:
    checked = 0
    for row in reference(shared, "nhanes_fpc.csv", "nhanes"):
        kind = row["estimator"]
        if kind not in ("mean", "total", "mean_deff_srswr", "svyciprop_xlogit"):
            continue
        cell, unit = found.cell("high", "yes"), 100
        if kind == "total":
            cell, unit = found.cell("high_total", "yes"), 1
            assert close(cell["ci_low"], row["ci_t_lo"]) and close(cell["ci_high"], row["ci_t_hi"])
        assert close(cell["value"], float(row["estimate"]) * unit), row
        assert close(cell["se"], float(row["se"]) * unit), row
        if kind == "mean":
            assert (cell["df"], cell["n"]) == (float(row["df"]), int(row["n_unweighted"]))
        if kind == "mean_deff_srswr":
            assert close(cell["deff"], row["deff"])
        if kind == "svyciprop_xlogit":
            assert close(cell["ci_low"], float(row["ci_special_lo"]) * 100)
            assert close(cell["ci_high"], float(row["ci_special_hi"]) * 100)
        checked += 1
    assert checked == 4


def test_domains_of_clusters_equal_r(found: Estimated, shared: Path) -> None:
    checked = 0
    for row in reference(shared, "nhanes_fpc.csv", "nhanes"):
        if row["estimator"] != "domain_proportion":
            continue
        by, _, code = row["domain"].partition("=")
        where = ("race", f"r{code}") if by == "race" else ("age", AGES[code])
        cell = found.cell("high", "yes", *where)
        assert close(cell["value"], float(row["estimate"]) * 100), row
        assert close(cell["se"], float(row["se"]) * 100), row
        assert cell["n"] == int(row["n_unweighted"]), row
        assert cell["df"] == float(row["df"]), row
        assert close(cell["ci_low"], float(row["ci_special_lo"]) * 100, 1e-6), row  # R's fits a model
        assert close(cell["ci_high"], float(row["ci_special_hi"]) * 100, 1e-6), row
        checked += 1
    assert checked == 8


@pytest.mark.parametrize(("interval", "estimator"), [("beta", "svyciprop_beta"), ("wald", "svyciprop_mean")])
def test_other_intervals_equal_r(interval: str, estimator: str, shared: Path, tmp_path: Path) -> None:
    raw = shared / "data" / "survey_r" / "nhanes.csv"
    cell = estimate(write_nhanes(tmp_path, raw, interval)).cell("high", "yes")
    (row,) = [r for r in reference(shared, "nhanes_fpc.csv", "nhanes") if r["estimator"] == estimator]
    # R's beta adjusts by the rows of the file, also those without an answer; ours by those with one.
    loose = 1e-5 if interval == "beta" else 1e-9
    assert close(cell["ci_low"], float(row["ci_special_lo"]) * 100, loose)
    assert close(cell["ci_high"], float(row["ci_special_hi"]) * 100, loose)


@pytest.mark.parametrize(
    ("design", "population"),
    [("Stata manual svy fpc example, no fpc", ""), ("with fpc=~Nh", "stratid,population\n1,15\n2,12\n")],
)
def test_the_example_of_statas_manual(design: str, population: str, shared: Path, tmp_path: Path) -> None:
    raw = shared / "data" / "survey_r" / "fpc.csv"
    cell = estimate(write_stata(tmp_path, raw, population)).cell("x", "mean")
    checked = 0
    for row in reference(shared, "nhanes_fpc.csv", "fpc_stata"):
        if row["design"] != design or row["estimator"] == "total":
            continue
        if row["estimator"] == "mean_deff_srswr":
            assert close(cell["deff"], row["deff"])
        assert close(cell["value"], row["estimate"]) and close(cell["se"], row["se"]), row
        assert close(cell["ci_low"], row["ci_t_lo"]) and close(cell["ci_high"], row["ci_t_hi"]), row
        assert (cell["df"], cell["n"]) == (6, 8)
        checked += 1
    assert checked == 2
