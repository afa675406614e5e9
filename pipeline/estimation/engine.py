"""The engine that runs the one pass: DuckDB. The SQL it is given is the subset that Spark and Sail share."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

import duckdb
import pyarrow as pa


class Engine(Protocol):
    """Where microdata are summed; another engine implements these two methods and no SQL of its own."""

    def register(self, name: str, source: Path | pa.Table, columns: Mapping[str, str]) -> None:
        """Makes a Parquet file or a table readable as ``name``, its columns under plain SQL names."""
        ...

    def query(self, sql: str) -> pa.Table:
        """The result of a query."""
        ...


class DuckDB:
    """An in-memory DuckDB, closed on leaving the ``with`` block."""

    def __init__(self, threads: int | None = None) -> None:
        self._connection = duckdb.connect(":memory:", config={} if threads is None else {"threads": threads})

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self._connection.close()

    def register(self, name: str, source: Path | pa.Table, columns: Mapping[str, str]) -> None:
        """See ``Engine.register``."""
        origin = f"{name}_table"
        if isinstance(source, Path):
            text = str(source).replace("'", "''")
            origin = f"read_parquet('{text}')"
        else:
            self._connection.register(origin, source)
        chosen = ", ".join(f'"{column}" AS {alias}' for column, alias in columns.items())
        self._connection.execute(f"CREATE OR REPLACE TEMP VIEW {name} AS SELECT {chosen} FROM {origin}")

    def query(self, sql: str) -> pa.Table:
        """See ``Engine.query``."""
        return self._connection.sql(sql).to_arrow_table()


_OF_THREAD = threading.local()


def default_engine() -> DuckDB:
    """The calling thread's own DuckDB, opened once: opening one costs more than summing a small wave."""
    if not hasattr(_OF_THREAD, "engine"):
        _OF_THREAD.engine = DuckDB()
    engine: DuckDB = _OF_THREAD.engine
    return engine
