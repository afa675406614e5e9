"""Applying a comparison of two releases: what proves that it says everything that changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from pipeline.arrow import TYPES
from pipeline.release.diff import NOTHING, ROW_CHANGES, Changes, ComparedTable, Row, compare, plain


def applied(changes: Mapping[str, Changes], old: Mapping[str, ComparedTable]) -> dict[str, ComparedTable]:
    """The tables that a comparison leads to from those it began with."""
    tables = {name: _applied(changes[name], old.get(name, NOTHING)) for name in changes}
    return {
        name: compared_table for name, compared_table in {**old, **tables}.items() if compared_table.schema
    }


def _schema(places: Mapping[str, Any]) -> dict[str, Any]:
    """The Table Schema from its places."""
    if not places:
        return {}
    fields: dict[str, Row] = {name: {"name": name} for name in places["columns"]}
    others = {}
    for place, value in places.items():
        if place.startswith("columns."):
            _, name, word = place.split(".", 2)
            fields[name][word] = value
        elif place != "columns":
            others[place] = value
    return {"fields": list(fields.values()), **others}


def _applied(changes: Changes, old: ComparedTable) -> ComparedTable:
    places = {change["place"]: change["new"] for change in compare(NOTHING, old)["schema"]} | {
        change["place"]: change["new"] for change in changes["schema"]
    }
    schema = _schema({place: value for place, value in places.items() if value is not None})
    if not schema:
        return NOTHING
    typed = pa.schema([(field["name"], TYPES[field["type"]]) for field in schema["fields"]])
    if typed.equals(old.rows.schema) and not any(changes[kind] for kind in ROW_CHANGES):
        return ComparedTable(schema, old.rows)
    return ComparedTable(schema, _table(typed, _applied_rows(changes, old, schema)))


def _applied_rows(changes: Changes, old: ComparedTable, schema: Mapping[str, Any]) -> list[Row]:
    made: list[Row] = []
    blanks = {field["name"]: "" if field["type"] == "string" else None for field in schema["fields"]}
    coming = [(row["at"], row["row"]) for row in changes["added"]]
    if len(changes["removed"]) < old.rows.num_rows:
        key = schema["primaryKey"]
        records = [{name: plain(cell) for name, cell in row.items()} for row in old.rows.to_pylist()]
        by_key = {tuple(row[name] for name in key): row for row in records}
        for row in changes["removed"]:
            del by_key[tuple(row[name] for name in key)]
        for change in changes["changed"]:
            cells = {name: cell["new"] for name, cell in change["cells"].items()}
            by_key[tuple(change["key"].values())] |= cells
        coming += [(row["at"], by_key.pop(tuple(row["key"].values()))) for row in changes["moved"]]
        made = list(by_key.values())
    for at, row in sorted(coming, key=lambda pair: pair[0]):
        made.insert(at, row)
    return [{**blanks, **row} for row in made]


def _table(typed: pa.Schema, rows: Sequence[Row]) -> pa.Table:
    arrays = []
    for field in typed:
        cells = [row[field.name] for row in rows]
        is_date = pa.types.is_date(field.type)
        arrays.append(
            pa.array(cells, pa.string()).cast(field.type) if is_date else pa.array(cells, field.type)
        )
    return pa.Table.from_arrays(arrays, schema=typed)
