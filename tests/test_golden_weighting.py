"""Calibration against R's ``survey``: weights, estimates and their errors (R 4.2.2, survey 4.1-1)."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from pipeline.problems import ProblemError
from tests.golden import close, estimate, reference
from tests.golden_barometers import write_api
from tests.golden_cells import cell_of, check

SIMPLE = 'id = "snum"\nweight = "pw"'
DESIGNS = {
    "apisrs": (SIMPLE, "population\n6194\n"),
    "apistrat": (SIMPLE + '\nstrata = ["stype"]', "stype,population\nE,4421\nM,1018\nH,755\n"),
    "apiclus1": (SIMPLE + '\npsu = "dnum"', "population\n757\n"),
}
TWO = [("stype",), ("schwide",)]
LOGIT = 'method = "logit"\nbounds = [0.4, 2.5]'
# case of R: (our weighting, margins, whether R takes the residuals of one regression as we do, rows)
METHODS = {
    "rake": ('method = "rake"', TWO, False, 17),
    "calib_raking": ('method = "rake"', TWO, True, 17),
    "calib_logit": (LOGIT, TWO, True, 1),
    "poststrat": ('method = "poststratify"', [("stype",)], True, 17),
    "poststrat_joint": ('method = "poststratify"', [("stype", "schwide")], True, 1),
    "rake3": ('method = "rake"', [("stype",), ("schwide",), ("awarded",)], False, 1),
}


@pytest.mark.parametrize("data", DESIGNS)
@pytest.mark.parametrize("method", METHODS)
def test_calibration_equals_r(method: str, data: str, shared: Path, tmp_path: Path) -> None:
    weighting, margins, one_regression, expressible = METHODS[method]
    design, strata = DESIGNS[data]
    raw = shared / "data" / "survey_r" / f"{data}.csv"
    found = estimate(write_api(tmp_path, raw, design, weighting, strata, margins))
    checked = 0
    for row in reference(shared, "weighting.csv", f"{method}_{data}"):
        if (matched := cell_of(row, found)) is None:
            continue
        check(row, matched, error=one_regression)
        checked += 1
    assert checked == expressible


WEIGHTS = {
    "apisrs_rake_stype_schwide": "rake",
    "apistrat_rake_stype_schwide": "rake",
    "apistrat_calib_raking_stype_schwide": "calib_raking",
    "apistrat_calib_logit_stype_schwide_b0.4_2.5": "calib_logit",
    "apistrat_poststrat_stype": "poststrat",
    "apistrat_poststrat_stype_x_schwide": "poststrat_joint",
    "apistrat_rake3_stype_schwide_awards": "rake3",
}


def weights(shared: Path, name: str) -> dict[str, float]:
    """R's calibrated weights by school."""
    with (shared / "reference" / "weights" / f"{name}.csv").open(encoding="utf-8", newline="") as opened:
        return {row["snum"]: float(row["w_final"]) for row in csv.DictReader(opened)}


@pytest.mark.parametrize("file", WEIGHTS)
def test_calibrated_weights_equal_r(file: str, shared: Path, tmp_path: Path) -> None:
    weighting, margins, _, _ = METHODS[WEIGHTS[file]]
    data = file.partition("_")[0]
    design, strata = DESIGNS[data]
    raw = shared / "data" / "survey_r" / f"{data}.csv"
    found = estimate(write_api(tmp_path, raw, design, weighting, strata, margins))
    ours = found.weighted.answers.set_index("unit")["weight"]
    wanted = weights(shared, file)
    assert len(ours) == len(wanted)
    for unit, weight in wanted.items():
        assert close(ours[unit], weight), unit


def test_respondents_raked_to_the_population_equal_r(shared: Path, tmp_path: Path) -> None:
    """Of the 200 schools, the 120 that R's script let respond: start weights and margins are the sample's."""
    name = "apistrat_respondents_rake_stype_awards"
    wanted = weights(shared, name)
    with (shared / "data" / "survey_r" / "apistrat.csv").open(encoding="utf-8", newline="") as opened:
        rows = list(csv.DictReader(opened))
    with (tmp_path / "api.csv").open("w", encoding="utf-8", newline="") as opened:
        writer = csv.DictWriter(opened, list(rows[0]))
        writer.writeheader()
        writer.writerows(row for row in rows if row["snum"] in wanted)
    design, _ = DESIGNS["apistrat"]
    margins = [("stype",), ("awarded",)]
    root = write_api(tmp_path / "barometer", tmp_path / "api.csv", design, 'method = "rake"', "", margins)
    found = estimate(root)
    ours = found.weighted.answers.set_index("unit")["weight"]
    for unit, weight in wanted.items():
        assert close(ours[unit], weight), unit
    checked = 0
    for row in reference(shared, "weighting.csv", "rake_nonresponse_apistrat"):
        if (matched := cell_of(row, found)) is not None:
            check(row, matched, error=False)
            checked += 1
    assert checked == 17


def test_limits_that_break_a_margin_are_refused_where_r_breaks_it(shared: Path, tmp_path: Path) -> None:
    """R's trimWeights cuts and shares out what it cut: its elementary schools no longer add up to 4,421.

    Ours keeps limits and margins both, or says that it cannot.
    """
    wanted = weights(shared, "apistrat_rake_trimmed")
    with (shared / "data" / "survey_r" / "apistrat.csv").open(encoding="utf-8", newline="") as opened:
        elementary = [row["snum"] for row in csv.DictReader(opened) if row["stype"] == "E"]
    assert sum(wanted[unit] for unit in elementary) == pytest.approx(4008.8)
    most = max(wanted.values()) / (6194 / 200)
    design, strata = DESIGNS["apistrat"]
    raw = shared / "data" / "survey_r" / "apistrat.csv"
    trimmed = f'method = "rake"\ntrim = [0.1, {most!r}]'
    with pytest.raises(
        ProblemError, match=r"margin stype cannot be met: E reaches 4008\.8 of 4421"
    ) as caught:
        estimate(write_api(tmp_path, raw, design, trimmed, strata, TWO))
    assert caught.value.problems[0].key == "weighting.trim"


@pytest.mark.parametrize("weighting", ['method = "linear"', 'method = "rake"', LOGIT])
def test_a_margin_has_no_error_of_its_own(weighting: str, shared: Path, tmp_path: Path) -> None:
    design, strata = DESIGNS["apistrat"]
    raw = shared / "data" / "survey_r" / "apistrat.csv"
    found = estimate(write_api(tmp_path, raw, design, weighting, strata, TWO))
    for margin in found.weighted.report["margins"]:
        assert close(margin["reached"], margin["total"])
    for code, total in {"E": 4421, "M": 1018, "H": 755}.items():
        cell = found.cell("stype_total", code)
        assert close(cell["value"], total)
        assert cell["se"] == 0
