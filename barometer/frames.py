"""Rows as a DataFrame in the types that a Table Schema declares."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

TYPES: Mapping[str, Any] = {
    "string": "str",
    "integer": "Int64",
    "number": "float64",
    "boolean": "boolean",
    "date": "datetime64[s]",
}


def typed(frame: pd.DataFrame, fields: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """The declared columns in their declared types. What is missing: "" in texts, else NaN, NA or NaT."""
    made = {}
    for field in fields:
        column, kind = frame[field["name"]], str(field["type"])
        if kind == "string":
            column = column.astype("object").where(column.notna(), "")
        elif kind == "date":
            column = pd.to_datetime(column.astype("object").where(column.notna(), None))
        made[field["name"]] = column.astype(TYPES[kind])
    return pd.DataFrame(made)
