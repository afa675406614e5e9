"""The whole core against R's ``survey`` on its samples of Californian schools.

Reference values: R 4.2.2, survey 4.1-1; the files name case, design and estimator.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.golden import Estimated, close, estimate, reference
from tests.golden_barometers import write_api

STRATA = "stype,population\nE,4421\nM,1018\nH,755\n"
STRATIFIED = 'id = "snum"\nstrata = ["stype"]\nweight = "pw"'
CLUSTERED = 'id = "snum"\npsu = "dnum"\nweight = "pw"'
SIMPLE = 'id = "snum"\nweight = "pw"'
DESIGNS = {
    "api_strat": ("apistrat", STRATIFIED, STRATA),
    "api_srs": ("apisrs", SIMPLE, "population\n6194\n"),
    "api_clus1": ("apiclus1", CLUSTERED, "population\n757\n"),
}
NAMES = {"awd01": "awards", "one": ""}


def cell_of(row: dict[str, str], found: Estimated) -> tuple[object, float] | None:
    """Our cell for a reference row and the factor of its unit; None where the barometer has no such indicator."""
    variable, level = NAMES.get(row["variable"], row["variable"]), row["level"]
    domain, _, code = row["domain"].partition("=")
    where = (domain, code) if domain in ("stype", "awards") else ("total", "")
    if row["domain"] and where == ("total", ""):
        return None
    kind = row["estimator"]
    if kind in ("mean", "mean_deff_srswr", "domain_mean") and variable in ("api00", "enroll"):
        return found.cell(variable, "mean", *where), 1
    if variable not in ("awards", "stype", "schw"):
        return None
    if kind in ("mean", "proportion", "domain_proportion") or kind.startswith("svyciprop"):
        return found.cell(variable, level or "Yes", *where), 100
    if kind == "total_category" or (kind == "total" and variable == "awards"):
        return (found.cell(f"{variable}_total", level or "Yes", *where), 1) if variable != "schw" else None
    return None


@pytest.mark.parametrize("case", DESIGNS)
def test_designs_equal_r(case: str, shared: Path, tmp_path: Path) -> None:
    data, design, strata = DESIGNS[case]
    raw = shared / "data" / "survey_r" / f"{data}.csv"
    found = estimate(write_api(tmp_path / "logit", raw, design, strata=strata))
    checked = {"value": 0, "se": 0, "deff": 0}
    for row in reference(shared, "api.csv", case):
        matched = cell_of(row, found)
        if matched is None or (row["variable"] == "enroll" and "NA" in row["note"]):
            continue
        cell, unit = matched
        if row["estimator"] == "mean_deff_srswr":
            assert close(cell["deff"], row["deff"]), row
            checked["deff"] += 1
            continue
        # R's svyciprop(method = "logit") fits a model by iteration: its last digits are its own.
        loose = 1e-8 if row["estimator"] in ("svyciprop_logit", "svyciprop_likelihood") else 1e-9
        assert close(cell["value"], float(row["estimate"]) * unit, loose), row
        assert close(cell["se"], float(row["se"]) * unit), row
        checked["value"] += 1
        checked["se"] += 1
        if row["estimator"] == "svyciprop_xlogit":
            assert close(cell["ci_low"], float(row["ci_special_lo"]) * unit), row
            assert close(cell["ci_high"], float(row["ci_special_hi"]) * unit), row
        if row["estimator"] == "domain_proportion":
            assert cell["df"] == float(row["df"]), row
            if cell["se"] > 0:
                assert close(cell["ci_low"], float(row["ci_special_lo"]) * unit, 1e-7), row
                assert close(cell["ci_high"], float(row["ci_special_hi"]) * unit, 1e-7), row
        if row["estimator"] == "mean" and cell["unit_measure"] == "mean":
            assert cell["df"] == float(row["df"]), row
            assert close(cell["ci_low"], row["ci_t_lo"]), row
            assert close(cell["ci_high"], row["ci_t_hi"]), row
    assert checked["value"] >= 12 and checked["deff"] >= 2, checked


@pytest.mark.parametrize(("interval", "estimator"), [("beta", "svyciprop_beta"), ("wald", "svyciprop_mean")])
@pytest.mark.parametrize("case", DESIGNS)
def test_other_intervals_equal_r(
    case: str, interval: str, estimator: str, shared: Path, tmp_path: Path
) -> None:
    data, design, strata = DESIGNS[case]
    raw = shared / "data" / "survey_r" / f"{data}.csv"
    found = estimate(write_api(tmp_path, raw, design, strata=strata, interval=interval))
    rows = [row for row in reference(shared, "api.csv", case) if row["estimator"] == estimator]
    assert rows
    for row in rows:
        cell = found.cell(NAMES.get(row["variable"], row["variable"]), row["level"])
        assert close(cell["ci_low"], float(row["ci_special_lo"]) * 100), row
        assert close(cell["ci_high"], float(row["ci_special_hi"]) * 100), row


def test_without_a_finite_population_correction(shared: Path, tmp_path: Path) -> None:
    raw = shared / "data" / "survey_r" / "apistrat.csv"
    found = estimate(write_api(tmp_path, raw, STRATIFIED)).cell("api00", "mean")
    (wanted,) = [
        row
        for row in reference(shared, "api.csv", "api_strat_ablation")
        if row["design"] == "id=~1,strata=~stype,weights=~pw (no fpc)"
        and (row["estimator"], row["variable"]) == ("mean", "api00")
    ]
    assert close(found["se"], wanted["se"])


METHODS = {
    "calib_raking": ("rake", [("stype",), ("schwide",)]),
    "poststrat": ("poststratify", [("stype",)]),
    "poststrat_joint": ("poststratify", [("stype", "schwide")]),
    "rake3": ("rake", [("stype",), ("schwide",), ("awarded",)]),
}
WEIGHTS = {
    ("rake", "apisrs"): "apisrs_rake_stype_schwide",
    ("calib_raking", "apistrat"): "apistrat_calib_raking_stype_schwide",
    ("poststrat", "apistrat"): "apistrat_poststrat_stype",
    ("poststrat_joint", "apistrat"): "apistrat_poststrat_stype_x_schwide",
    ("rake3", "apistrat"): "apistrat_rake3_stype_schwide_awards",
}


@pytest.mark.parametrize("data", ["apisrs", "apistrat", "apiclus1"])
@pytest.mark.parametrize("method", METHODS)
def test_calibration_equals_r(method: str, data: str, shared: Path, tmp_path: Path) -> None:
    name, margins = METHODS[method]
    design, strata = {
        "apisrs": (SIMPLE, "population\n6194\n"),
        "apistrat": (STRATIFIED, STRATA),
        "apiclus1": (CLUSTERED, "population\n757\n"),
    }[data]
    raw = shared / "data" / "survey_r" / f"{data}.csv"
    found = estimate(write_api(tmp_path, raw, design, f'method = "{name}"', strata, margins))
    checked = 0
    for row in reference(shared, "weighting.csv", f"{method}_{data}"):
        matched = cell_of(row, found)
        if matched is None:
            continue
        cell, unit = matched
        # R's rake() takes the residuals margin by margin; ours are of one regression, as calibrate() does.
        same_variance = method != "rake3"
        loose = 1e-8 if row["estimator"] == "svyciprop_logit" else 1e-9
        assert close(cell["value"], float(row["estimate"]) * unit, loose), row
        if same_variance:
            assert close(cell["se"], float(row["se"]) * unit), row
        checked += 1
    assert checked >= (1 if method in ("poststrat_joint", "rake3") else 10)


@pytest.mark.parametrize(("method", "data"), WEIGHTS)
def test_calibrated_weights_equal_r(method: str, data: str, shared: Path, tmp_path: Path) -> None:
    name, margins = METHODS["calib_raking" if method == "rake" else method]
    design, strata = (SIMPLE, "population\n6194\n") if data == "apisrs" else (STRATIFIED, STRATA)
    raw = shared / "data" / "survey_r" / f"{data}.csv"
    found = estimate(write_api(tmp_path, raw, design, f'method = "{name}"', strata, margins))
    weights = found.weighted.answers.set_index("unit")["weight"]
    file = shared / "reference" / "weights" / f"{WEIGHTS[method, data]}.csv"
    lines = file.read_text(encoding="utf-8").splitlines()[1:]
    assert len(lines) == len(weights)
    for line in lines:
        _, unit, _, final = line.split(",")
        assert close(weights[unit], final), line


def test_linear_calibration_meets_its_margins_with_no_error_of_their_own(
    shared: Path, tmp_path: Path
) -> None:
    raw = shared / "data" / "survey_r" / "apistrat.csv"
    found = estimate(
        write_api(tmp_path, raw, STRATIFIED, 'method = "linear"', STRATA, [("stype",), ("schwide",)])
    )
    for margin in found.weighted.report["margins"]:
        assert close(margin["reached"], margin["total"])
    for code, total in {"E": 4421, "M": 1018, "H": 755}.items():
        cell = found.cell("stype_total", code)
        assert close(cell["value"], total)
        assert cell["se"] == 0
