"""The tables themselves: each as CSV and, cell by cell the same, as Parquet."""

from __future__ import annotations

from pipeline.release.contents import Contents
from pipeline.release.files import csv_bytes, parquet_bytes


def files(contents: Contents) -> dict[str, bytes]:
    """Every table, twice."""
    made: dict[str, bytes] = {}
    for name, table in contents.rows.items():
        made[f"data/{name}.csv"] = csv_bytes(table)
        made[f"data/{name}.parquet"] = parquet_bytes(table)
    return made
