"""One list of columns compiles to a contract that bad rows cannot pass, and to a documented table."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest

from pipeline.catalogue import load_catalogue
from pipeline.contracts import (
    DTYPES,
    TABLES,
    compiled,
    conform,
    ddl,
    microdata_fields,
    microdata_schema,
    table,
    validate,
)
from pipeline.problems import ProblemError

NAMES = sorted(path.stem for path in TABLES.glob("*.json"))
SCHEMA: dict[str, Any] = {
    "name": "toy",
    "fields": [
        {"name": "unit", "type": "string", "constraints": {"required": True}},
        {"name": "code", "type": "string", "constraints": {"enum": ["yes", "no"]}},
        {"name": "staff", "type": "integer", "constraints": {"minimum": 1, "maximum": 99}},
        {"name": "seen", "type": "date"},
    ],
    "primaryKey": ["unit"],
}


def toy(**cells: Any) -> pd.DataFrame:
    """Two sound rows; ``cells`` changes the second one."""
    rows = [{"unit": "a", "code": "yes", "staff": 1, "seen": "2020-01-31"}]
    rows.append({"unit": "b", "code": "", "staff": None, "seen": "", **cells})
    return pd.DataFrame(rows).astype({"unit": "str", "code": "str", "staff": "Int64", "seen": "str"})


@pytest.mark.parametrize("name", NAMES)
def test_every_stored_table_documents_itself_and_every_column(name: str) -> None:
    schema = table(name)
    assert schema["name"] == name
    for declared in (schema, *schema["fields"]):
        assert declared["title"].strip()
        assert declared["description"].strip()
    assert {field["type"] for field in schema["fields"]} <= set(DTYPES)
    assert set(schema.get("primaryKey", ())) <= {field["name"] for field in schema["fields"]}


def test_an_unknown_table_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        table("nothing")


def test_sound_rows_pass() -> None:
    good, bad = validate(toy(), compiled(SCHEMA))
    assert len(good) == 2
    assert bad.empty


@pytest.mark.parametrize(
    ("column", "value", "rule", "code"),
    [
        ("unit", "", "required", ""),
        ("unit", "a", "unique", ""),
        ("code", "maybe", "enum", "maybe"),
        ("staff", 0, "minimum", "0"),
        ("staff", 100, "maximum", "100"),
        ("seen", "31.1.2020", "date", "31.1.2020"),
    ],
)
def test_a_bad_cell_is_found_with_its_rule_and_only_its_row_leaves(
    column: str, value: Any, rule: str, code: str
) -> None:
    good, bad = validate(toy(**{column: value}), compiled(SCHEMA))
    broken = bad[bad["row"] == 1]
    assert broken[["column", "rule", "code"]].to_numpy().tolist() == [[column, rule, code]]
    assert list(good.index) == ([] if rule == "unique" else [0])


def test_every_failure_of_a_row_is_reported() -> None:
    _, bad = validate(toy(unit="", code="maybe", staff=0), compiled(SCHEMA))
    assert list(zip(bad["column"], bad["rule"], strict=True)) == [
        ("unit", "required"),
        ("code", "enum"),
        ("staff", "minimum"),
    ]


def test_coded_columns_may_be_categorical() -> None:
    good, bad = validate(toy(code="maybe").astype({"code": "category"}), compiled(SCHEMA))
    assert list(good.index) == [0]
    assert list(bad["code"]) == ["maybe"]


def test_missing_extra_and_mistyped_columns_stop_everything() -> None:
    frame = toy().drop(columns="code").assign(more=1).astype({"staff": "float64"})
    with pytest.raises(ProblemError) as error:
        validate(frame, compiled(SCHEMA))
    assert {problem.key for problem in error.value.problems} >= {"code", "more", "staff"}


def test_conform_types_and_orders_a_frame() -> None:
    frame = pd.DataFrame(
        {"code": [None], "rule": ["enum"], "column": ["Q1"], "row": [3.0], "wave": ["x-2020"]}
    )
    made = conform(frame, "quarantine")
    assert list(made.columns) == ["wave", "row", "column", "rule", "code"]
    assert made["row"].dtype == "Int64"
    assert list(made["code"]) == [""]


def test_conform_names_every_broken_rule() -> None:
    frame = pd.DataFrame({"wave": ["x"], "row": [0], "column": [""], "rule": ["guess"], "code": [""]})
    with pytest.raises(ProblemError) as error:
        conform(frame, "quarantine")
    assert [problem.key for problem in error.value.problems] == ["row", "column", "rule"]


def test_the_statements_make_a_table_that_keeps_its_rules_and_explains_itself() -> None:
    with duckdb.connect() as connection:
        connection.execute("CREATE SCHEMA microdata")
        for statement in ddl("quarantine", "microdata"):
            connection.execute(statement)
        comments = connection.execute(
            "SELECT column_name, comment FROM duckdb_columns() WHERE NOT internal"
        ).fetchall()
        assert [name for name, _ in comments] == [field["name"] for field in table("quarantine")["fields"]]
        assert all(comment for _, comment in comments)
        connection.execute("INSERT INTO microdata.quarantine VALUES ('x', 1, 'Q1', 'enum', '9')")
        for bad in (
            "('x', 1, 'Q1', 'enum', '8')",
            "('x', 0, 'Q1', 'enum', '9')",
            "('x', 1, 'Q1', 'guess', '9')",
        ):
            with pytest.raises(duckdb.ConstraintException):
                connection.execute(f"INSERT INTO microdata.quarantine VALUES {bad}")


@pytest.mark.parametrize("name", NAMES)
def test_every_stored_table_can_be_created(name: str) -> None:
    extra = [{"name": 'a "quoted".name', "type": "date", "title": "It's", "description": "It's"}]
    with duckdb.connect() as connection:
        for statement in ['CREATE SCHEMA "s"', *ddl(name, "s", extra)]:
            connection.execute(statement)
        described = connection.execute(f'SELECT * FROM "s"."{name}"').description
    assert [column[0] for column in described][-1] == 'a "quoted".name'


def test_microdata_fields_follow_codebook_scope_and_questionnaire(barometer: Path) -> None:
    catalogue = load_catalogue(barometer)
    wave = replace(catalogue.waves["dk-2020"], scope={"sector": ("care",)})
    fields = {field["name"]: field for field in microdata_fields(catalogue, wave)}
    assert fields["sector"]["constraints"]["enum"] == ["care", "no_answer"]
    assert fields["value.quality"]["constraints"]["enum"] == [
        "selected",
        "not_selected",
        "no_answer",
        "not_asked",
    ]
    assert fields["staff"]["type"] == "number"
    assert fields["value.quality"]["title"] == "Quality"


def test_a_wave_has_the_fields_that_its_crosswalk_fills(barometer: Path) -> None:
    crosswalk = barometer / "schemas/instruments/dk.csv"
    lines = crosswalk.read_text(encoding="utf-8").splitlines(keepends=True)
    crosswalk.write_text("".join(line for line in lines if "novelty" not in line), encoding="utf-8")
    catalogue = load_catalogue(barometer)
    names = [
        field["name"]
        for field in microdata_schema(catalogue, catalogue.waves["dk-2020"], replicates=2)["fields"]
    ]
    assert names[:7] == ["wave", "unit", "stratum", "psu", "design_weight", "replicate_1", "replicate_2"]
    assert "novelty" not in names
    assert "novelty" in [field["name"] for field in microdata_fields(catalogue)]
