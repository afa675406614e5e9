"""The engine that runs the one pass: DuckDB. The SQL it is given is the subset that Spark and Sail share."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

Columns = Mapping[str, npt.NDArray[Any]]
ALONE = 50_000  # rows that one thread sums sooner than several are started
STATEMENTS = 32  # kept parsed: waves of one questionnaire are summed by the same text


class Engine(Protocol):
    """Where microdata are summed; another engine implements this method and no SQL of its own."""

    def query(self, sql: str, answers: Path | pa.Table, columns: Mapping[str, str]) -> Columns:
        """The columns that a query of the table ``answers`` results in; none may have missing values.

        ``answers`` is a Parquet file or a table; ``columns`` gives its columns plain SQL names.
        """
        ...


class DuckDB:
    """An in-memory DuckDB, closed on leaving the ``with`` block."""

    def __init__(self, threads: int | None = None) -> None:
        self._connection = duckdb.connect(":memory:", config={} if threads is None else {"threads": threads})
        # One scan and one GROUP BY of a hundred aggregates: optimising them costs more than it saves.
        self._connection.execute("PRAGMA disable_optimizer")
        self._parsed = lru_cache(STATEMENTS)(self._connection.extract_statements)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self._connection.close()

    def query(self, sql: str, answers: Path | pa.Table, columns: Mapping[str, str]) -> Columns:
        """See ``Engine.query``."""
        origin, files = ("read_parquet(?)", [str(answers)]) if isinstance(answers, Path) else ("coded", [])
        if not files:
            self._connection.register("coded", answers)
        chosen = ", ".join(f'"{column}" AS {alias}' for column, alias in columns.items())
        (statement,) = self._parsed(f"WITH answers AS (SELECT {chosen} FROM {origin}) {sql}")
        found = self._connection.execute(statement, files).fetchnumpy()
        if not files:
            self._connection.unregister("coded")
        return {name: np.asarray(column) for name, column in found.items()}


_OF_THREAD = threading.local()


def default_engine(rows: int) -> DuckDB:
    """The calling thread's own DuckDB for so many rows: opening one costs more than summing a small wave."""
    threads = 1 if rows <= ALONE else None
    engines: dict[int | None, DuckDB] = _OF_THREAD.__dict__.setdefault("engines", {})
    if threads not in engines:
        engines[threads] = DuckDB(threads)
    return engines[threads]
