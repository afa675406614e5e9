"""CSVW: the CSV files described as CSV on the Web: types, keys, and references between tables.

A blank text is a value, as in the contracts: the code of the total is blank, for example, and part of a key.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.release.contents import Contents
from pipeline.release.files import json_bytes

PATH = "csv-metadata.json"
DATATYPES = {
    "string": "string",
    "integer": "integer",
    "number": "decimal",
    "boolean": "boolean",
    "date": "date",
}
Json = dict[str, Any]


def files(contents: Contents) -> dict[str, bytes]:
    """The metadata of all tables, in one file."""
    barometer = contents.catalogue.barometer
    described: Json = {
        "@context": ["http://www.w3.org/ns/csvw", {"@language": "en"}],
        "dc:title": _in_languages(contents, "title"),
        "dc:description": _in_languages(contents, "description"),
        "dc:identifier": contents.name,
        "dc:issued": {"@value": barometer.released.isoformat(), "@type": "xsd:date"},
        "dc:publisher": ", ".join(contents.publishers),
        "dc:license": {"@id": contents.licence_address},
        "dialect": {"encoding": "utf-8", "delimiter": ",", "lineTerminators": ["\n"], "header": True},
        "tables": [_table(contents, contents.schema(name)) for name in contents.rows],
    }
    return {PATH: json_bytes(described)}


def _in_languages(contents: Contents, what: str) -> list[Json]:
    mark = contents.marked if what == "title" else contents.warned
    texts = {language: getattr(labels, what) for language, labels in contents.labels.items()}
    return [
        {"@value": mark(text), "@language": language}
        for language, text in texts.items()
        if contents.labels[language].is_translated(text)
    ]


def _table(contents: Contents, schema: Mapping[str, Any]) -> Json:
    keys = [_reference(key) for key in schema.get("foreignKeys", ())]
    return {
        "url": f"data/{schema['name']}.csv",
        "dc:title": contents.marked(schema["title"]),
        "dc:description": contents.marked(schema["description"]),
        "tableSchema": {
            "columns": [_column(field) for field in schema["fields"]],
            "primaryKey": schema["primaryKey"],
            **({"foreignKeys": keys} if keys else {}),
        },
    }


def _reference(key: Mapping[str, Any]) -> Json:
    reference = key["reference"]
    target = {"resource": f"data/{reference['resource']}.csv", "columnReference": reference["fields"]}
    return {"columnReference": key["fields"], "reference": target}


def _column(field: Mapping[str, Any]) -> Json:
    """A column; its first title is the name in the head of the file, by which CSVW knows it."""
    constraints = field.get("constraints", {})
    datatype: Json = {"base": DATATYPES[field["type"]]}
    if pattern := _pattern(constraints):
        datatype["format"] = pattern
    datatype |= {word: constraints[word] for word in ("minimum", "maximum") if word in constraints}
    titles = dict.fromkeys((field["name"], field["title"]))
    return {
        "name": field["name"],
        "titles": {"en": list(titles)},
        "dc:description": field["description"],
        "datatype": datatype,
        "null": [] if field["type"] == "string" else [""],
        "required": bool(constraints.get("required", False)),
    }


def _pattern(constraints: Mapping[str, Any]) -> str:
    return "|".join(constraints["enum"]) if "enum" in constraints else constraints.get("pattern", "")
