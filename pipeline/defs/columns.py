"""A table's declared columns as Dagster shows them."""

from __future__ import annotations

import dagster as dg

from pipeline.catalogue import Catalogue, Wave
from pipeline.contracts import WEIGHTS, Field, TableSchema, microdata_fields, table


def wave_columns(step: str, wave: Wave, catalogue: Catalogue) -> dict[str, dg.TableSchema]:
    """The metadata entry of a wave's harmonised or weighted table; nothing for the other steps."""
    if step == "harmonised_wave" and not wave.is_microdata:
        return columns_of(table("figures"))
    if step not in ("harmonised_wave", "weighted_wave") or not wave.is_microdata:
        return {}
    later = WEIGHTS if step == "harmonised_wave" else ()
    own = [field for field in table("microdata")["fields"] if field["name"] not in later]
    return columns_of({"fields": [*own, *microdata_fields(catalogue, wave)]})


def columns_of(schema: TableSchema) -> dict[str, dg.TableSchema]:
    """The metadata entry that lists a table's columns with type, description and constraints."""
    return {"dagster/column_schema": dg.TableSchema(columns=[_column(field) for field in schema["fields"]])}


def _column(field: Field) -> dg.TableColumn:
    constraints = field.get("constraints", {})
    other_constraints = [
        f"{name}: {_short(value)}"
        for name, value in constraints.items()
        if name not in ("required", "unique")
    ]
    return dg.TableColumn(
        name=field["name"],
        type=field["type"],
        description=field["description"],
        constraints=dg.TableColumnConstraints(
            nullable=not constraints.get("required", False),
            unique=constraints.get("unique", False),
            other=other_constraints,
        ),
    )


def _short(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
