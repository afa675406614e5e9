"""A published table as bytes: CSV for everyone, Parquet for machines, cell by cell the same.

Same table, same bytes: nothing depends on the time, and every number has one notation.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq


def csv_bytes(rows: pa.Table) -> bytes:
    """A table as CSV: UTF-8 with no byte order mark, line feeds, commas, decimal points, missing is blank."""
    columns = [_texts(column) for column in rows.columns]
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(rows.column_names)
    writer.writerows(zip(*columns, strict=True))
    return text.getvalue().encode("utf-8")


def _texts(column: pa.ChunkedArray) -> list[str]:
    """The cells of a column as text; each distinct value is written once."""
    values = column.to_pylist()
    if pa.types.is_floating(column.type):
        texts = {value: number_text(value) for value in set(values)}
    elif pa.types.is_boolean(column.type):
        texts = {None: "", True: "true", False: "false"}
    else:
        texts = {value: "" if value is None else str(value) for value in set(values)}
    return [texts[value] for value in values]


def number_text(value: float | None) -> str:
    """The shortest decimal text that is read back as the same number: 12.5, 80, 0.00001."""
    return "" if value is None else np.format_float_positional(value + 0.0, trim="-")  # + 0.0: no minus zero


def parquet_bytes(rows: pa.Table) -> bytes:
    """A table as Parquet, in the compression that every reader knows."""
    sink = pa.BufferOutputStream()
    pq.write_table(rows, sink, compression="snappy")
    return bytes(sink.getvalue())


def read_parquet(path: Path) -> pa.Table:
    """The table of a Parquet file. Raises pyarrow.ArrowInvalid or OSError when it cannot be read."""
    return pq.ParquetFile(path).read()


def sha256sums(made: Mapping[str, bytes]) -> bytes:
    """The file SHA256SUMS for files by their path, as ``sha256sum -c`` reads it."""
    return "".join(f"{digest(made[name])}  {name}\n" for name in sorted(made)).encode()


def digest(content: bytes) -> str:
    """The sha256 of bytes, in hex."""
    return hashlib.sha256(content).hexdigest()


def json_bytes(value: Any) -> bytes:
    """A document as JSON, for people to read as well."""
    return (json.dumps(value, ensure_ascii=False, indent=1) + "\n").encode()
