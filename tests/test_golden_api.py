"""The whole core against R's ``survey`` on its samples of Californian schools, by design.

Reference values: R 4.2.2, survey 4.1-1; the files name case, design and estimator. What each case of the
reference files is covered by stands in ``docs/golden.md``.
"""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from tests.golden import close, estimate, reference
from tests.golden_barometers import write_api
from tests.golden_cells import cell_of, check

STRATA = "stype,population\nE,4421\nM,1018\nH,755\n"
STRATIFIED = 'id = "snum"\nstrata = ["stype"]\nweight = "pw"'
CLUSTERED = 'id = "snum"\npsu = "dnum"\nweight = "pw"'
SIMPLE = 'id = "snum"\nweight = "pw"'
# (case, how its design begins): (data, design, population counts, rows that the product can express)
DESIGNS = {
    ("api_strat", ""): ("apistrat", STRATIFIED, STRATA, 46),
    ("api_srs", ""): ("apisrs", SIMPLE, "population\n6194\n", 22),
    ("api_clus1", ""): ("apiclus1", CLUSTERED, "population\n757\n", 25),
    ("api_clus2", "id=~dnum,weights"): ("apiclus2", CLUSTERED, "", 4),
    ("api_strat_ablation", "id=~1,strata=~stype,weights=~pw (no fpc)"): ("apistrat", STRATIFIED, "", 7),
    ("api_strat_ablation", "id=~1,weights=~pw (no strata"): ("apistrat", SIMPLE, "", 7),
    ("api_strat_ablation", "id=~1,strata=~stype,fpc only"): (
        "apistrat",
        'id = "snum"\nstrata = ["stype"]',
        STRATA,
        7,
    ),
    ("api_strat_ablation", "fpc given as fraction"): ("apistrat", STRATIFIED, STRATA, 2),
}


@pytest.mark.parametrize("case", DESIGNS, ids=str)
def test_designs_equal_r(case: tuple[str, str], shared: Path, tmp_path: Path) -> None:
    data, design, strata, expressible = DESIGNS[case]
    raw = shared / "data" / "survey_r" / f"{data}.csv"
    method = "given" if "weight" in design else "design"
    found = estimate(write_api(tmp_path, raw, design, f'method = "{method}"', strata))
    checked = 0
    for row in reference(shared, "api.csv", case[0]):
        if not row["design"].startswith(case[1]) or (matched := cell_of(row, found)) is None:
            continue
        holes = case[0] == "api_clus2" and row["variable"] == "enroll"  # R's notes say so of one row only
        check(row | {"note": "NA"} if holes else row, matched)
        checked += 1
    assert checked == expressible


@pytest.mark.parametrize(("interval", "estimator"), [("beta", "svyciprop_beta"), ("wald", "svyciprop_mean")])
@pytest.mark.parametrize("case", ["api_strat", "api_srs", "api_clus1"])
def test_other_intervals_equal_r(
    case: str, interval: str, estimator: str, shared: Path, tmp_path: Path
) -> None:
    data, design, strata, _ = DESIGNS[case, ""]
    raw = shared / "data" / "survey_r" / f"{data}.csv"
    found = estimate(write_api(tmp_path, raw, design, strata=strata, interval=interval))
    rows = [row for row in reference(shared, "api.csv", case) if row["estimator"] == estimator]
    assert rows
    for row in rows:
        matched = cell_of(row, found)
        assert matched is not None
        check(row, matched, interval)


def changed(raw: Path, target: Path, column: str, values: dict[int, str] | str) -> Path:
    """A copy of a raw file with other values in a column: in every row, or by row (from 1)."""
    with raw.open(encoding="utf-8", newline="") as opened:
        rows = list(csv.DictReader(opened))
    for number, row in enumerate(rows, 1):
        row[column] = values if isinstance(values, str) else values.get(number, row[column])
    with target.open("w", encoding="utf-8", newline="") as opened:
        writer = csv.DictWriter(opened, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return target


def test_missing_answers_leave_the_denominator_and_not_the_design(shared: Path, tmp_path: Path) -> None:
    """R: api_na is api00 with every seventh row missing, and the design keeps its 200 schools."""
    blank = dict.fromkeys(range(7, 201, 7), "")
    raw = changed(shared / "data" / "survey_r" / "apistrat.csv", tmp_path / "api.csv", "api00", blank)
    found = estimate(write_api(tmp_path / "barometer", raw, STRATIFIED, strata=STRATA))
    checked = 0
    for row in reference(shared, "api.csv", "api_missing"):
        if (matched := cell_of(row | {"variable": "api00"}, found)) is not None:
            check(row | {"note": "NA"}, matched)
            checked += 1
    assert checked == 5
    assert found.cell("api00", "mean")["df"] == 200 - 3


@pytest.mark.parametrize(("answer", "case"), [("Yes", "one"), ("No", "zero")])
def test_shares_of_all_and_nothing_have_no_error(
    answer: str, case: str, shared: Path, tmp_path: Path
) -> None:
    raw = changed(shared / "data" / "survey_r" / "apistrat.csv", tmp_path / "api.csv", "awards", answer)
    found = estimate(write_api(tmp_path / "barometer", raw, STRATIFIED, strata=STRATA)).cell("awards", "Yes")
    (row,) = [row for row in reference(shared, "api.csv", "api_degenerate") if row["variable"] == case]
    assert (
        (found["value"], found["se"])
        == (100 * float(row["estimate"]), float(row["se"]))
        == (found["value"], 0)
    )
    assert found["df"] == float(row["df"])


def test_a_census_is_the_truth_without_error(shared: Path, tmp_path: Path) -> None:
    raw = shared / "data" / "survey_r" / "apipop.csv"
    design = write_api(tmp_path, raw, 'id = "snum"', 'method = "design"', "population\n6194\n")
    found, checked = estimate(design), 0
    for row in reference(shared, "api.csv", "api_truth"):
        if (matched := cell_of(row, found)) is None:
            continue
        cell, unit = matched
        assert close(cell["value"], float(row["estimate"]) * unit), row
        assert cell["se"] == 0 and cell["n"] == int(row["n_unweighted"]), row
        checked += 1
    assert checked == 3
