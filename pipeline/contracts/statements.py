"""A Table Schema as DuckDB statements; running them belongs to ``warehouse``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pipeline.contracts.tables import Field, extended

TYPES = {"string": "VARCHAR", "integer": "BIGINT", "number": "DOUBLE", "boolean": "BOOLEAN", "date": "DATE"}
BOUNDS = (("minimum", ">="), ("maximum", "<="))


def ddl(name: str, schema_name: str, extra_fields: Iterable[Field] = (), called: str = "") -> list[str]:
    """The DuckDB statements that create a stored table in a schema and comment the table and every column.

    ``called`` is the table's name there, where it is not its own.
    """
    schema = extended(name, extra_fields)
    target = f"{quoted(schema_name)}.{quoted(called or name)}"
    lines = [_definition(field) for field in schema["fields"]]
    if schema.get("primaryKey"):
        lines.append(f"PRIMARY KEY ({', '.join(map(quoted, schema['primaryKey']))})")
    statements = [f"CREATE TABLE {target} (\n  " + ",\n  ".join(lines) + "\n)"]
    statements.append(f"COMMENT ON TABLE {target} IS {literal(comment(schema))}")
    for field in schema["fields"]:
        statements.append(f"COMMENT ON COLUMN {target}.{quoted(field['name'])} IS {literal(comment(field))}")
    return statements


def _definition(field: Field) -> str:
    column, constraints = quoted(field["name"]), field.get("constraints", {})
    parts = [column, TYPES[field["type"]]]
    if constraints.get("required"):
        parts.append("NOT NULL")
    if constraints.get("unique"):
        parts.append("UNIQUE")
    checks = []
    if "enum" in constraints:
        blank = () if constraints.get("required") or field["type"] != "string" else ("",)
        checks.append(f"{column} IN ({', '.join(map(literal, (*constraints['enum'], *blank)))})")
    checks += [f"{column} {sign} {constraints[word]}" for word, sign in BOUNDS if word in constraints]
    return " ".join(parts + ([f"CHECK ({' AND '.join(checks)})"] if checks else []))


def comment(declared: Mapping[str, Any]) -> str:
    """Title and description of a table or field as one text."""
    title, description = declared["title"], declared["description"]
    return f"{title}: {description}" if description != title else str(title)


def quoted(name: str) -> str:
    """A name as SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(value: Any) -> str:
    """A text, number or truth value as SQL literal."""
    return "'" + value.replace("'", "''") + "'" if isinstance(value, str) else str(value)
