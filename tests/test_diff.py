"""Comparing releases: applying a comparison gives the new release; it says which version it calls for."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.arrow import TYPES
from pipeline.contracts import table
from pipeline.release.bump import BUMPS, bump_between, reasons, required_bump
from pipeline.release.diff import ComparedTable, diff
from tests.applying import applied

KINDS = {
    "string": st.sampled_from(["", "a", "b", "æ\nø", "1"]),
    "integer": st.none() | st.integers(-3, 3),
    "number": st.none() | st.sampled_from([0.1 + 0.2, 12.5, -1.0, 1.0, 1e-300]),
    "boolean": st.none() | st.booleans(),
    "date": st.none() | st.sampled_from([date(2020, 1, 1), date(2021, 12, 31)]),
}


def sheet(fields: list[dict[str, Any]], rows: list[dict[str, Any]], key: list[str] | None) -> ComparedTable:
    typed = pa.schema([(field["name"], TYPES[field["type"]]) for field in fields])
    schema = {"fields": fields, "missingValues": [""]} | ({"primaryKey": key} if key else {})
    return ComparedTable(schema, pa.Table.from_pylist(rows, schema=typed))


@st.composite
def sheets(draw: st.DrawFn) -> ComparedTable:
    """A table of a key and some columns, its rows in any order, now and then without a key."""
    names = draw(st.permutations(["p", "q", "r"]))[: draw(st.integers(0, 3))]
    kinds = {name: draw(st.sampled_from(sorted(KINDS))) for name in names}
    fields = [{"name": "k", "type": "integer"}, *({"name": n, "type": kinds[n], "title": n} for n in names)]
    for field in fields[1:]:
        if draw(st.booleans()):
            field["constraints"] = {"required": draw(st.booleans())}
    keys = draw(st.permutations(range(6)))[: draw(st.integers(0, 6))]
    rows = [{"k": key} | {name: draw(KINDS[kinds[name]]) for name in names} for key in keys]
    return sheet(fields, rows, draw(st.sampled_from([["k"], ["k"], ["k"], None])))


@given(st.dictionaries(st.sampled_from("abc"), sheets()), st.dictionaries(st.sampled_from("abc"), sheets()))
def test_applying_the_comparison_to_the_old_gives_the_new(
    old: dict[str, ComparedTable], new: dict[str, ComparedTable]
) -> None:
    changes = json.loads(json.dumps(diff(old, new), allow_nan=False))
    made = applied(changes, old)
    assert made.keys() == new.keys()
    for name, expected in new.items():
        assert made[name].rows.equals(expected.rows)
        assert made[name].schema == expected.schema


@given(st.dictionaries(st.sampled_from("abc"), sheets()))
def test_nothing_changed_is_nothing_said(same: dict[str, ComparedTable]) -> None:
    assert diff(same, same) == {} and required_bump({}) == "none"


def published(name: str, *rows: dict[str, Any]) -> ComparedTable:
    """A published table with its own contract; what a row does not say is blank."""
    fields = table(name)["fields"]
    blank = {field["name"]: "" if field["type"] == "string" else None for field in fields}
    return sheet(fields, [blank | row for row in rows], table(name)["primaryKey"])


CELL = {"wave": "dk-2020", "indicator": "novelty", "category": "first", "domain": "total"}
CODE = {"variable": "sector", "code": "care", "position": 1, "label": "Sector"}
SCHOOL = {"variable": "sector", "code": "school", "position": 2, "label": "Sector"}


def change(name: str, old: list[dict[str, Any]], new: list[dict[str, Any]]) -> dict[str, Any]:
    return diff({name: published(name, *old)}, {name: published(name, *new)})


def test_a_changed_cell_has_its_old_and_its_new_value() -> None:
    found = change("estimates", [CELL | {"value": 12.5, "n": 80}], [CELL | {"value": 13.0, "n": 80}])
    key = CELL | {"domain_code": ""}
    assert found["estimates"]["changed"] == [{"key": key, "cells": {"value": {"old": 12.5, "new": 13.0}}}]


def test_a_row_that_moved_is_the_only_one_said_to_have_moved() -> None:
    rows = [{"wave": f"w{at}"} for at in range(6)]
    found = change("waves", rows, [rows[4], *rows[:4], rows[5]])
    assert found["waves"]["moved"] == [{"at": 0, "key": {"wave": "w4"}}]


@pytest.mark.parametrize(
    ("name", "old", "new", "needed", "said"),
    [
        ("estimates", [CELL], [CELL | {"value": 1.0}], "patch", "rows of estimates corrected"),
        (
            "estimates",
            [CELL],
            [CELL, CELL | {"wave": "dk-2022"}],
            "minor",
            "rows of estimates added or removed",
        ),
        ("waves", [{"wave": "a"}], [{"wave": "a"}, {"wave": "b"}], "minor", "wave b added"),
        ("waves", [{"wave": "a"}, {"wave": "b"}], [{"wave": "a"}], "major", "wave b removed"),
        ("codebook", [CODE], [CODE, SCHOOL], "major", "code sector=school added"),
        ("codebook", [CODE, SCHOOL], [CODE], "major", "code sector=school removed"),
        ("codebook", [CODE], [CODE | {"code": "health"}], "major", "code sector=care removed"),
        (
            "codebook",
            [CODE],
            [SCHOOL | {"position": 1}, CODE | {"position": 2}],
            "major",
            "code sector=school added",
        ),
        (
            "codebook",
            [CODE],
            [CODE, SCHOOL | {"variable": "size", "position": 1}],
            "minor",
            "variable size added",
        ),
        ("codebook", [CODE], [CODE | {"label": "Field"}], "patch", "rows of codebook corrected"),
        (
            "indicators",
            [{"indicator": "i", "formula": "a=yes"}],
            [{"indicator": "i", "formula": "b=yes"}],
            "major",
            "indicator i redefined",
        ),
        (
            "indicators",
            [{"indicator": "i", "label": "A"}],
            [{"indicator": "i", "label": "B"}],
            "patch",
            "rows of indicators corrected",
        ),
        ("translations", [{"lang": "da", "key": "k"}], [], "patch", "rows of translations added or removed"),
        ("domains", [{"domain": "sector", "domain_code": "care"}], [], "major", "domain sector care removed"),
    ],
)
def test_a_change_calls_for_a_bump(
    name: str, old: list[dict[str, Any]], new: list[dict[str, Any]], needed: str, said: str
) -> None:
    found = change(name, old, new)
    assert required_bump(found) == needed
    assert reasons(found)[0][0] == needed and (needed, said) in reasons(found)


def redescribed(**changes: Any) -> list[tuple[str, str]]:
    """What changes of the column ``change`` of the revisions call for."""
    old, fields = published("revisions"), [dict(field) for field in table("revisions")["fields"]]
    at = [field["name"] for field in fields].index("change")
    fields[at] |= changes
    new = sheet([field for field in fields if field["type"]], [], table("revisions")["primaryKey"])
    return reasons(diff({"t": old}, {"t": new}))


def test_columns_and_codes_are_what_readers_rely_on() -> None:
    assert ("major", "code t.change=moved added") in redescribed(
        constraints={"required": True, "enum": ["added", "removed", "changed", "moved"]}
    )
    assert redescribed(type="integer")[0] == ("major", "type of column t.change changed")
    assert redescribed(constraints={"required": True})[0][0] == "major"
    assert redescribed(type="")[0] == ("major", "column t.change removed")
    assert redescribed(name="deed")[:2] == [
        ("major", "column t.change removed"),
        ("major", "column t.deed added"),
    ]
    assert redescribed(title="Deed") == [("patch", "words about the columns of t changed")]


def test_tables_come_and_go() -> None:
    one = {"t": published("waves", {"wave": "a"})}
    assert reasons(diff({}, one))[0] == ("minor", "table t added")
    assert reasons(diff(one, {}))[0] == ("major", "table t removed")


def test_a_bump_is_the_first_number_that_differs() -> None:
    found = [bump_between("1.2.3", version) for version in ("1.2.3", "1.2.4", "1.3.0", "2.0.0")]
    assert tuple(found) == BUMPS
