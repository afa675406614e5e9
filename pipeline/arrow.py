"""A frame as an Arrow table in the declared types of its stored table, for Parquet and DuckDB.

Here belongs the Arrow type of each declared type, so that no library infers it from the rows. The columns
are declared in ``contracts/tables``; validating a frame against them belongs to ``contracts``.
"""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import pyarrow as pa

from pipeline.contracts import Field, table

TYPES: Mapping[str, pa.DataType] = {
    "string": pa.string(),
    "integer": pa.int64(),
    "number": pa.float64(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
}


def arrow(frame: pd.DataFrame, name: str) -> pa.Table:
    """The columns of a stored table, in their declared order and types; missing values are null.

    ``frame`` conforms to the contract of the table: a missing text is "", a date is ISO text or "".
    """
    fields = table(name)["fields"]
    arrays = [_array(frame[field["name"]], field) for field in fields]
    schema = pa.schema([pa.field(field["name"], TYPES[field["type"]]) for field in fields])
    return pa.Table.from_arrays(arrays, schema=schema)


def _array(column: pd.Series, field: Field) -> pa.Array:
    kind = field["type"]
    if kind != "date":
        return pa.Array.from_pandas(column, type=TYPES[kind])
    return pa.array([text or None for text in column], type=pa.string()).cast(pa.date32())
