"""The declaration files as the records' types define them: JSON Schemas for editors, Markdown for readers."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, get_args, get_origin

from pipeline.catalogue.comparability import ComparabilityFile
from pipeline.catalogue.fields import Field, bare, fields_of, is_table
from pipeline.catalogue.fieldwork import Wave
from pipeline.catalogue.logic import LOGIC
from pipeline.catalogue.model import Barometer
from pipeline.catalogue.questionnaire import CodebookFile, DomainsFile, IndicatorsFile, Instrument
from pipeline.catalogue.reader import adapter

FILES: Mapping[str, type] = {  # every TOML file below schemas/, and the record it is read as
    "barometer.toml": Barometer,
    "codebook.toml": CodebookFile,
    "indicators.toml": IndicatorsFile,
    "domains.toml": DomainsFile,
    "instruments/<instrument>.toml": Instrument,
    "waves/<wave>.toml": Wave,
    "comparability.toml": ComparabilityFile,
}
FOLDER = "schemas/.json"  # where the first line of a declaration, ``#:schema``, points to
DIALECT = "https://json-schema.org/draft/2020-12/schema"


def json_schemas() -> dict[str, dict[str, Any]]:
    """The JSON Schema of each declaration file, by the name of the schema's own file."""
    made = {}
    for name, record in FILES.items():
        schema = adapter(record).json_schema(by_alias=True)
        parts = schema.get("$defs", {})
        logic = parts.get("LogicTable", {}).get("properties", {})
        plain = _plain(schema, logic)
        title = f"schemas/{name}"
        made[f"{name.split('/')[0].removesuffix('.toml')}.json"] = {
            "$schema": DIALECT,
            **plain,
            "title": title,
        }
    return made


def schema_files() -> dict[str, bytes]:
    """The content of each JSON Schema, by its path in a barometer's folder."""
    return {
        f"{FOLDER}/{name}": (json.dumps(schema, ensure_ascii=False, indent=2) + "\n").encode()
        for name, schema in json_schemas().items()
    }


def schema_line(file: str) -> str:
    """The first line of a declaration file, by its path in ``schemas``: an editor finds its schema by it."""
    folder, _, name = file.rpartition("/")
    above, kind = ("..", folder) if folder else (".", name.removesuffix(".toml"))
    return f"#:schema {above}/.json/{kind}.json"


def _plain(node: Any, logic: Mapping[str, Any]) -> Any:
    """Without entries that are not keys of a table, and without null, which TOML lacks."""
    if isinstance(node, list):
        return [_plain(each, logic) for each in node]
    if not isinstance(node, dict):
        return node
    if "anyOf" in node and {"type": "null"} in node["anyOf"]:
        rest = [each for each in node["anyOf"] if each != {"type": "null"}]
        node = {key: value for key, value in node.items() if key != "anyOf"}
        node |= rest[0] if len(rest) == 1 else {"anyOf": rest}
    if node.get("default", "") in (None, ""):
        node = {key: value for key, value in node.items() if key != "default"}
    made: dict[str, Any] = {}
    for key, value in node.items():
        if key == "properties":
            own = {name: each for name, each in value.items() if not name.startswith("<")}
            made[key] = {name: _plain(each, logic) for name, each in own.items()}
            if LOGIC in value:
                made[key] |= _plain(dict(logic), logic)
        elif key == "required":
            made[key] = [name for name in value if not name.startswith("<")]
        else:
            made[key] = _plain(value, logic)
    return made


def key_tables() -> dict[str, str]:
    """The keys of each declaration file as Markdown tables, by the file's name."""
    return {name: "\n\n".join(_tables(record, "")) for name, record in FILES.items()}


def _tables(record: Any, path: str) -> Iterator[str]:
    """The table of a record's keys, then those of the tables below it."""
    found = fields_of(record)
    rows = [f"| `{each.name}` | {_what(each)} | {_default(each)} | {_meaning(each)} |" for each in found]
    heading = f"`[{path}]`\n\n" if path else ""
    yield heading + "\n".join(["| key | value | when left out | meaning |", "|---|---|---|---|", *rows])
    for each in found:
        inner, below = _below(each)
        if inner is not None:
            below_path = f"{path}.{each.name}" if path else each.name
            yield from _tables(inner, f"{below_path}{below}")


def _below(field: Field) -> tuple[Any, str]:
    """The record below a key, and the rest of its path; None for anything but a table of keys."""
    kind = field.type
    if is_table(kind):
        return kind, ""
    arguments = [bare(each) for each in get_args(kind) if each is not ...]
    if get_origin(kind) is tuple and is_table(arguments[0]):
        return arguments[0], ""
    if len(arguments) == 2 and is_table(arguments[1]):
        return arguments[1], ".<name>"
    return None, ""


def _what(field: Field) -> str:
    """The value in words."""
    if field.allowed:
        choices = ", ".join(f"`{each}`" for each in field.allowed if each)
        return f"a list of {choices}" if get_origin(field.type) is tuple else choices
    if field.type is date:
        return "a date"
    return field.phrase.replace(" in quotes", "")


def _default(field: Field) -> str:
    if field.required:
        return "required"
    value = field.default
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, (int, float)):
        return f"`{value}`"
    if isinstance(value, str) and value:
        return f"`{value}`"
    if isinstance(value, tuple) and value and all(isinstance(each, str) for each in value):
        return f"`{list(value)}`".replace("'", '"')
    return ""


def _meaning(field: Field) -> str:
    return str(field.info.get("description", "")).replace("|", "\\|")
