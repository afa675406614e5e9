"""The engine that runs the one pass: DuckDB. The SQL it is given is the subset that Spark and Sail share.

``passes`` and ``replicates`` write the queries, of one table, the encoded answers; what comes back is a
mapping of NumPy arrays. Here belongs how a query is planned and by how many threads, and nothing of
statistics.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Protocol, Self

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

Columns = Mapping[str, npt.NDArray[Any]]
ALONE = 50_000  # rows that one thread sums sooner than several are started
PLANS = 32  # that are kept: waves of one questionnaire are summed by the same


class Engine(Protocol):
    """Where microdata are summed; another engine implements this method and no SQL of its own."""

    def query(self, sql: str, answers: pa.Table, columns: Mapping[str, str]) -> Columns:
        """The columns that a query of the table ``answers`` results in; none may have missing values.

        ``columns`` gives its columns plain SQL names.
        """
        ...


@dataclass
class _Table:
    """The table that a planned query reads next, through Arrow's PyCapsule interface."""

    now: pa.Table

    def __arrow_c_schema__(self) -> object:
        return self.now.schema.__arrow_c_schema__()

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self.now.__arrow_c_stream__(requested_schema)


@dataclass(frozen=True)
class _Planned:
    """A query of ``answers`` that is planned once, for all tables of one schema.

    Planning a hundred conditions costs more than running them over two thousand rows.
    """

    connection: duckdb.DuckDBPyConnection
    answers: _Table
    nobody: pa.Table  # a plan outlives the microdata

    @classmethod
    def of(cls, sql: str, table: pa.Table, connection: duckdb.DuckDBPyConnection) -> Self:
        answers = _Table(table)
        connection.register("answers", answers)
        connection.execute(f"PREPARE planned AS {sql}")
        return cls(connection, answers, table.schema.empty_table())

    def run(self, table: pa.Table) -> Columns:
        # The plan reads ``now`` while it is executed and fetched: put in before, taken out after both.
        self.answers.now = table
        found = self.connection.execute("EXECUTE planned").fetchnumpy()
        self.answers.now = self.nobody
        return {name: np.asarray(column) for name, column in found.items()}


class DuckDB:
    """An in-memory DuckDB, closed on leaving the ``with`` block."""

    def __init__(self, threads: int | None = None) -> None:
        self._database = duckdb.connect(":memory:", config={} if threads is None else {"threads": threads})
        self._planned: dict[tuple[str, pa.Schema], _Planned] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self._database.close()

    def query(self, sql: str, answers: pa.Table, columns: Mapping[str, str]) -> Columns:
        """See ``Engine.query``."""
        table = answers.select(list(columns)).rename_columns(list(columns.values()))
        return self._plan(sql, table).run(table)

    def _plan(self, sql: str, table: pa.Table) -> _Planned:
        key = sql, table.schema.remove_metadata()
        if key not in self._planned:
            if len(self._planned) == PLANS:
                self._planned.pop(next(iter(self._planned))).connection.close()
            self._planned[key] = _Planned.of(sql, table, self._connected())
        return self._planned[key]

    def _connected(self) -> duckdb.DuckDBPyConnection:
        connection = self._database.cursor()
        # One scan and one GROUP BY of a hundred aggregates: optimising them costs more than it saves.
        connection.execute("PRAGMA disable_optimizer")
        return connection


_OF_THREAD = threading.local()


def default_engine(rows: int) -> DuckDB:
    """The calling thread's own DuckDB for so many rows: opening one costs more than summing a small wave."""
    threads = 1 if rows <= ALONE else None
    engines: dict[int | None, DuckDB] = _OF_THREAD.__dict__.setdefault("engines", {})
    if threads not in engines:
        engines[threads] = DuckDB(threads)
    return engines[threads]
