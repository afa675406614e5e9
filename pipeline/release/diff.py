"""The difference of two releases: every table, row and cell, and the schemas of the tables, as plain data.

Here belongs comparing two releases. Where releases come from belongs to
``compared_tables``, what version number a change calls for to ``bump``, the change of estimates as a
published table to ``revisions``.

A comparison has an entry a table that changed: ``schema`` lists places with ``old`` and ``new`` (null where
there is none), ``added`` and ``moved`` say where in the new table a row stands, ``changed`` has the cells.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import pyarrow as pa

Row = dict[str, Any]
Key = tuple[Any, ...]
Changes = dict[str, Any]


@dataclass(frozen=True)
class ComparedTable:
    """A published table with its Table Schema: fields, primary and foreign keys, missing values."""

    schema: Mapping[str, Any]
    rows: pa.Table


NOTHING = ComparedTable({}, pa.table({}))
ROW_CHANGES = ("added", "removed", "moved", "changed")


def diff(old: Mapping[str, ComparedTable], new: Mapping[str, ComparedTable]) -> dict[str, Changes]:
    """What changed from ``old`` to ``new``, by table; a table that did not change is not in it."""
    names = [*new, *(name for name in old if name not in new)]
    found = {name: compare(old.get(name, NOTHING), new.get(name, NOTHING)) for name in names}
    return {name: changes for name, changes in found.items() if any(changes.values())}


def compare(old: ComparedTable, new: ComparedTable) -> Changes:
    """What changed in one table: ``schema``, rows ``added``, ``removed`` and ``moved``, cells ``changed``."""
    schema = _schema_changes(_places(old.schema), _places(new.schema))
    same = old.rows.equals(new.rows)
    nothing: Changes = {kind: [] for kind in ROW_CHANGES}
    return {"schema": schema, **(nothing if same else _row_changes(old, new))}


def plain(value: Any) -> Any:
    """A cell as JSON holds it."""
    return value.isoformat() if isinstance(value, date) else value


def _places(schema: Mapping[str, Any]) -> dict[str, Any]:
    """A Table Schema as one value for each place in it; ``columns`` is their order."""
    if not schema:
        return {}
    places = {name: value for name, value in schema.items() if name != "fields"}
    places["columns"] = _names(schema)
    for field in schema["fields"]:
        places |= {f"columns.{field['name']}.{word}": field[word] for word in field if word != "name"}
    return places


def _schema_changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Row]:
    return [
        {"place": place, "old": old.get(place), "new": new.get(place)}
        for place in sorted({*old, *new})
        if old.get(place) != new.get(place)
    ]


def _names(schema: Mapping[str, Any]) -> list[str]:
    return [field["name"] for field in schema.get("fields", ())]


def _row_changes(old: ComparedTable, new: ComparedTable) -> Changes:
    before, after = _records(old), _records(new)
    columns = _names(new.schema)
    keys = _keys(old, before), _keys(new, after)
    if keys[0] is None or keys[1] is None or old.schema["primaryKey"] != new.schema["primaryKey"]:
        added = [{"at": at, "row": row} for at, row in enumerate(after)]
        return {"added": added, "removed": before, "moved": [], "changed": []}
    earlier, later = dict(zip(keys[0], before, strict=True)), dict(zip(keys[1], after, strict=True))
    key, blanks = new.schema["primaryKey"], _blanks(new.schema)
    position = {each: at for at, each in enumerate(keys[1])}
    kept = [each for each in keys[0] if each in later]
    stay = _in_order([position[each] for each in kept])
    return {
        "added": [{"at": position[each], "row": row} for each, row in later.items() if each not in earlier],
        "removed": [row for each, row in earlier.items() if each not in later],
        "moved": [
            {"at": position[each], "key": dict(zip(key, each, strict=True))}
            for each in kept
            if position[each] not in stay
        ],
        "changed": [
            {"key": dict(zip(key, each, strict=True)), "cells": cells}
            for each, row in later.items()
            if each in earlier
            if (cells := _changed_cells({**blanks, **earlier[each]}, row, columns))
        ],
    }


def _records(compared_table: ComparedTable) -> list[Row]:
    return [{name: plain(value) for name, value in row.items()} for row in compared_table.rows.to_pylist()]


def _keys(compared_table: ComparedTable, rows: Sequence[Row]) -> list[Key] | None:
    """The key of every row; None where there is no key, or it is not unique."""
    key = compared_table.schema.get("primaryKey")
    found = [tuple(row[name] for name in key) for row in rows] if key else []
    return found if key and len(set(found)) == len(found) else None


def _blanks(schema: Mapping[str, Any]) -> Row:
    """The default of every cell: an empty text, everything else missing."""
    return {field["name"]: "" if field["type"] == "string" else None for field in schema["fields"]}


def _changed_cells(old: Row, new: Row, columns: Iterable[str]) -> dict[str, Row]:
    return {
        name: {"old": old[name], "new": new[name]}
        for name in columns
        if old[name] != new[name] or type(old[name]) is not type(new[name])
    }


def _in_order(places: Sequence[int]) -> set[int]:
    """A longest increasing subsequence of distinct numbers: the rows that need not be moved."""
    tails: list[int] = []  # the last number of the best part of each length
    before: dict[int, int | None] = {}
    for place in places:
        at = bisect_left(tails, place)
        before[place] = tails[at - 1] if at else None
        tails[at : at + 1] = [place]
    found: set[int] = set()
    here = tails[-1] if tails else None
    while here is not None:
        found.add(here)
        here = before[here]
    return found
