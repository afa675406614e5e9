"""The declared tables: their Table Schemas, and the fields that a codebook adds to the microdata.

These keys of Table Schema are supported: fields with name, type (string, integer, number,
boolean, date), title, description and constraints (required, unique, enum, minimum, maximum), and
primaryKey.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pipeline.catalogue.fieldwork import Wave, weight_column
from pipeline.catalogue.model import Catalogue
from pipeline.catalogue.questionnaire import NO_ANSWER, NOT_ASKED, item_key

Field = Mapping[str, Any]
TableSchema = Mapping[str, Any]

TABLES = Path(__file__).with_name("tables")
WEIGHTS = ("base_weight", "weight", "population")  # microdata columns that weighting adds


def table(name: str) -> dict[str, Any]:
    """The Table Schema of a stored table, with its title and description. KeyError when there is none."""
    path = TABLES / f"{name}.json"
    if not path.is_file():
        raise KeyError(name)
    schema: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return schema


def columns(name: str) -> list[str]:
    """The names of a stored table's columns, in order."""
    return [field["name"] for field in table(name)["fields"]]


def primary_key(name: str) -> list[str]:
    """The columns that identify a row of a stored table."""
    return list(table(name)["primaryKey"])


def extended(name: str, extra_fields: Iterable[Field] = ()) -> dict[str, Any]:
    """The Table Schema of a stored table with more fields after its own."""
    schema = table(name)
    return {**schema, "fields": [*schema["fields"], *extra_fields]}


def microdata_fields(catalogue: Catalogue, wave: Wave | None = None) -> list[Field]:
    """The fields of further weights and harmonised variables: background, then answers in codebook order.

    Of one wave: those its crosswalk fills, with the background codes its scope allows. Without a
    wave: the weights of all, and every variable of the codebook with every code.
    """
    mapped = catalogue.mapped_variables(wave) if wave else None
    scope = wave.scope if wave else {}
    designs = [each.design for each in ([wave] if wave else catalogue.waves.values()) if each.design]
    fields: list[Field] = [
        {
            "name": weight_column(name),
            "type": "number",
            "title": f"Weight {name}",
            "description": "As delivered; blank or 0 where a unit has none.",
        }
        for name in dict.fromkeys(name for design in designs for name in design.weights)
    ]
    for variable in catalogue.variables.values():
        if mapped is None or variable.key in mapped:
            codes = [*scope.get(variable.key, tuple(variable.codes)), NO_ANSWER]
            fields.append(_coded(variable.key, variable.label, variable.note or variable.label, codes))
    for question in catalogue.questions.values():
        for answer in question.answers:
            if mapped is not None and answer not in mapped:
                continue
            title = question.items.get(item_key(answer)) or question.label or question.text
            if question.type == "numeric":
                limits = {"minimum": question.minimum, "maximum": question.maximum}
                given = {name: limit for name, limit in limits.items() if limit is not None}
                field = {"name": answer, "type": "number", "title": title, "description": question.text}
                fields.append(field | ({"constraints": given} if given else {}))
            else:
                codes = [*question.answer_codes, NO_ANSWER, NOT_ASKED]
                fields.append(_coded(answer, title, question.text, codes))
    return fields


def _coded(name: str, title: str, description: str, codes: list[str]) -> Field:
    constraints = {"required": True, "enum": codes}
    return {
        "name": name,
        "type": "string",
        "title": title,
        "description": description,
        "constraints": constraints,
    }


def microdata_schema(catalogue: Catalogue, wave: Wave, replicates: int = 0) -> dict[str, Any]:
    """The Table Schema of one harmonised wave, before weighting, with ``replicates`` replicate weights."""
    schema = table("microdata")
    fields = [field for field in schema["fields"] if field["name"] not in WEIGHTS]
    fields += [
        {
            "name": f"replicate_{i}",
            "type": "number",
            "title": f"Replicate weight {i}",
            "description": "As delivered.",
        }
        for i in range(1, replicates + 1)
    ]
    return {**schema, "fields": [*fields, *microdata_fields(catalogue, wave)]}
