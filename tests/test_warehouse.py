"""The warehouse: three schemas, everything commented, swapped in whole, read without writing."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pandas as pd
import pytest

from pipeline.catalogue import load_catalogue
from pipeline.contracts import TABLES, table
from pipeline.disclosure import protect
from pipeline.problems import ProblemError
from pipeline.release import PUBLISHED, published_tables
from pipeline.warehouse import INSIDE, Result, build, database, query
from tests.barometers import write_barometer
from tests.cells import cell, estimates

USED = {"dk-2020": 80, "dk-2022": 80, "no-2020": 0}


def answers(wave: str, **more: list[str]) -> pd.DataFrame:
    """Two weighted units of a wave."""
    design = {"wave": wave, "unit": ["0001", "0002"], "stratum": ["1", "2"], "psu": ""}
    weights = {"design_weight": float("nan"), "base_weight": 2.5, "weight": [2.25, 2.75], "population": 200.0}
    return pd.DataFrame(design | weights | {"replicate_1": 1.0, "sector": ["care", "school"]} | more)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small barometer with a warehouse: one hidden cell, and a question that only one wave asked."""
    folder = tmp_path_factory.mktemp("warehouse")
    return built(write_barometer(folder / "barometer"), folder, value=40.25)


@pytest.fixture
def own(barometer: Path, tmp_path: Path) -> Path:
    """The same, for a test that builds it anew."""
    return built(barometer, tmp_path, value=40.25)


def built(barometer: Path, folder: Path, value: float) -> Path:
    catalogue = load_catalogue(barometer)
    files = [folder / "dk-2020.parquet", folder / "dk-2022.parquet"]
    answers("dk-2020").to_parquet(files[0], index=False)
    answers("dk-2022", novelty=["first", "not_asked"]).to_parquet(files[1], index=False)
    bad = {"wave": "dk-2020", "row": [7], "column": "REG", "rule": "scope", "code": "X"}
    pd.DataFrame(bad).to_parquet(folder / "bad.parquet", index=False)
    hidden = cell(domain="sector", domain_code="care", n=9, m=4)
    frame = estimates(cell(value=value), hidden, cell(wave="dk-2022"))
    tables = published_tables(catalogue, protect(frame, catalogue), USED)
    build(barometer, catalogue, frame, tables, answers=files, quarantine=[folder / "bad.parquet"])
    return barometer


def test_each_schema_holds_its_tables(root: Path) -> None:
    found = query(root, "SELECT schema_name, table_name FROM duckdb_tables()").rows
    assert {name for schema, name in found if schema == "published"} == set(PUBLISHED)
    assert {name for schema, name in found if schema == "statistics"} == {"estimates", "precision", *INSIDE}
    assert {name for schema, name in found if schema == "microdata"} == {"answers", "quarantine"}


def test_everything_is_commented(root: Path) -> None:
    for what in ("tables", "views", "columns"):  # DuckDB has no comments on schemas
        assert query(root, f"FROM duckdb_{what}() WHERE NOT internal AND comment IS NULL").rows == []


def test_what_is_hidden_in_published_stands_in_statistics(root: Path) -> None:
    where = "WHERE domain = 'sector'"
    assert query(root, f"SELECT value, n FROM statistics.estimates {where}").rows == [(40.25, 9)]
    assert query(root, f"SELECT m FROM statistics.precision {where}").rows == [(4,)]
    published = query(root, f"SELECT value, n, obs_status FROM published.estimates {where}")
    assert published.rows == [(None, None, "Q")]


def test_waves_stand_in_one_wide_table(root: Path) -> None:
    sql = "SELECT wave, unit, weight, sector, novelty, staff FROM microdata.answers ORDER BY ALL"
    rows = query(root, sql).rows
    assert rows[0] == ("dk-2020", "0001", 2.25, "care", None, None)
    assert rows[2] == ("dk-2022", "0001", 2.25, "care", "first", None)
    assert query(root, "SELECT code FROM microdata.quarantine").rows == [("X",)]


def test_no_column_of_microdata_is_published(root: Path) -> None:
    catalogue = load_catalogue(root)
    never = {"unit", "stratum", "psu", "weight", "base_weight", "design_weight", *catalogue.variables}
    never |= {answer for question in catalogue.questions.values() for answer in question.answers}
    sql = "SELECT column_name FROM duckdb_columns() WHERE schema_name = 'published' AND table_name <> 'waves'"
    assert never.isdisjoint(column for (column,) in query(root, sql).rows)


def test_labelled_spells_every_key_out(root: Path) -> None:
    labels = "indicator_label, domain_label, domain_code_label"
    assert query(root, f"SELECT {labels} FROM labelled WHERE domain = 'sector'") == Result(
        ("indicator_label", "domain_label", "domain_code_label"),
        [("Workplaces with at least one innovation", "Sector", "Care")],
    )


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE TABLE published.mine (a INT)",
        "DELETE FROM published.estimates",
        "COPY published.estimates TO '/tmp/stolen.csv'",
        "SELECT * FROM read_csv('/etc/passwd')",
        "ATTACH '/tmp/other.duckdb'",
        "SET enable_external_access = true",
        "INSTALL httpfs",
        "SELECT nothing FROM nowhere",
    ],
)
def test_a_query_can_neither_write_nor_leave(root: Path, sql: str) -> None:
    with pytest.raises(ProblemError, match="DuckDB rejects"):
        query(root, sql)


def test_without_a_warehouse_the_way_to_one_is_named(barometer: Path) -> None:
    with pytest.raises(ProblemError, match="barometer run"):
        query(barometer, "SELECT 1")


def test_a_reader_keeps_the_old_warehouse_while_a_new_one_is_swapped_in(own: Path, tmp_path: Path) -> None:
    sql = "SELECT value FROM statistics.estimates WHERE wave = 'dk-2020' AND domain = 'total'"
    with duckdb.connect(str(database(own)), read_only=True) as reader:
        built(own, tmp_path, value=50.5)
        assert reader.execute(sql).fetchall() == [(40.25,)]
    assert query(own, sql).rows == [(50.5,)]
    assert list(database(own).parent.glob(".barometer*")) == []


def test_a_failed_build_leaves_the_old_warehouse(own: Path, tmp_path: Path) -> None:
    before = database(own).read_bytes()
    with pytest.raises(Exception, match="gone"):
        build(own, load_catalogue(own), estimates(cell()), {}, answers=[tmp_path / "gone.parquet"])
    assert database(own).read_bytes() == before
    assert list(database(own).parent.glob(".barometer*")) == []


@pytest.mark.parametrize("name", sorted(path.stem for path in TABLES.glob("*.json")))
def test_every_declared_column_is_documented(name: str) -> None:
    schema = table(name)
    fields = [field["name"] for field in schema["fields"]]
    assert schema["name"] == name and schema["title"] and schema["description"]
    assert all(field["title"] and field["description"] for field in schema["fields"])
    assert set(schema["primaryKey"]) <= set(fields) and len(fields) == len(set(fields))
    for field in schema["fields"]:
        codes = [category["value"] for category in field.get("categories", [])]
        assert codes in ([], field.get("constraints", {}).get("enum"))
    for key in schema.get("foreignKeys", []):
        there = [field["name"] for field in table(key["reference"]["resource"])["fields"]]
        assert set(key["fields"]) <= set(fields) and set(key["reference"]["fields"]) <= set(there)
