"""``barometer run`` from the raw file to the warehouse and the package, on real open data, against R's
``survey``.

Reference values: R 4.2.2, survey 4.1-1.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from tests.golden import close, reference
from tests.golden_barometers import write_api
from tests.golden_uruguay import write_eaii


def run(root: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pipeline", "--project", str(root), "run"],
        cwd=Path(__file__).parents[1], capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def stored(root: Path, where: str) -> tuple[float, float, int]:
    with duckdb.connect(str(root / "warehouse" / "barometer.duckdb"), read_only=True) as warehouse:
        found = warehouse.execute(f"SELECT value, se, n FROM statistics.estimates WHERE {where}").fetchall()
    assert len(found) == 1
    return found[0]


@pytest.fixture(scope="module")
def uruguay(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = write_eaii(tmp_path_factory.mktemp("run") / "uy", shared / "data/eaii_uy/eaii_2019-2021.csv")
    run(root)
    return root


def test_uruguay_in_the_warehouse_equals_r(uruguay: Path, shared: Path) -> None:
    rows = reference(shared, "eaii_uy.csv", "eaii_uy")
    (mean,) = [row for row in rows if (row["estimator"], row["variable"]) == ("mean", "innov01")]
    value, se, n = stored(uruguay, "indicator = 'innovative' AND category = 'yes' AND domain = 'total'")
    assert close(value, float(mean["estimate"]) * 100)
    assert close(se, float(mean["se"]) * 100)
    assert n == int(mean["n_unweighted"])
    for row in rows:
        if row["domain"].startswith("Division=") and row["estimator"] == "domain_proportion":
            code = row["domain"].removeprefix("Division=")
            where = f"indicator = 'innovative' AND category = 'yes' AND domain_code = 'd{code}'"
            value, se, n = stored(uruguay, where)
            assert close(value, float(row["estimate"]) * 100), row
            assert close(se, float(row["se"]) * 100), row


def test_uruguay_is_published_and_protected(uruguay: Path) -> None:
    package = uruguay / "warehouse" / "candidate" / "golden"
    described = json.loads((package / "datapackage.json").read_text(encoding="utf-8"))
    assert described["sources"][0]["title"].startswith("ANII and INE")
    with duckdb.connect(str(uruguay / "warehouse" / "barometer.duckdb"), read_only=True) as warehouse:
        small = warehouse.execute(
            "SELECT count(*), count(p.value) FROM published.estimates p JOIN statistics.estimates s "
            "USING (wave, indicator, category, domain, domain_code) WHERE s.n BETWEEN 1 AND 9"
        ).fetchall()
    assert small[0][0] > 0 and small[0][1] == 0
    raw = (uruguay / "warehouse/raw/eaii.csv").read_bytes()
    assert len(raw) > max(file.stat().st_size for file in package.rglob("*") if file.is_file())


def test_the_stratified_sample_of_schools_in_the_warehouse_equals_r(shared: Path, tmp_path: Path) -> None:
    root = write_api(
        tmp_path / "api",
        shared / "data/survey_r/apistrat.csv",
        'id = "snum"\nstrata = ["stype"]\nweight = "pw"',
        strata="stype,population\nE,4421\nM,1018\nH,755\n",
    )
    run(root)
    for row in reference(shared, "api.csv", "api_strat"):
        if row["estimator"] == "mean" and row["variable"] in ("api00", "enroll"):
            value, se, n = stored(root, f"indicator = '{row['variable']}' AND domain = 'total'")
            assert close(value, row["estimate"]) and close(se, row["se"]) and n == 200
