"""Table contracts: one declaration of columns, and what is compiled from it.

``tables/*.json`` (Frictionless Table Schema) declares the columns of every stored table. Here belong the
Pandera contract of a frame, and the DuckDB statements that create and document its table. The rows come
from the packages that make them.
"""

from pipeline.contracts.frames import DTYPES, compiled, conform, pandera_schema, validate
from pipeline.contracts.statements import ddl, literal, quoted
from pipeline.contracts.tables import (
    TABLES,
    WEIGHTS,
    Field,
    TableSchema,
    columns,
    microdata_fields,
    microdata_schema,
    primary_key,
    table,
)

__all__ = [
    "DTYPES",
    "TABLES",
    "WEIGHTS",
    "Field",
    "TableSchema",
    "columns",
    "compiled",
    "conform",
    "ddl",
    "literal",
    "microdata_fields",
    "microdata_schema",
    "pandera_schema",
    "primary_key",
    "quoted",
    "table",
    "validate",
]
