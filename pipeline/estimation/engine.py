"""The engine that runs the one pass: DuckDB. The SQL it is given is the subset that Spark and Sail share."""

from __future__ import annotations

from types import TracebackType
from typing import Protocol, Self

import duckdb
import pyarrow as pa


class Engine(Protocol):
    """Where microdata are summed; another engine implements these two methods and no SQL of its own."""

    def register(self, name: str, table: pa.Table) -> None:
        """Makes a table readable as ``name``."""
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

    def register(self, name: str, table: pa.Table) -> None:
        """See ``Engine.register``."""
        self._connection.register(name, table)

    def query(self, sql: str) -> pa.Table:
        """See ``Engine.query``."""
        return self._connection.sql(sql).to_arrow_table()
