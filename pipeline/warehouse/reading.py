"""Where the warehouse of a barometer lies, and reading it without writing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from pipeline.problems import Problem, ProblemError

SETTINGS: Mapping[str, Any] = {
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "allow_community_extensions": False,
}


@dataclass(frozen=True)
class Result:
    """What a query gives: the names of its columns, and its rows."""

    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]


def database(root: Path) -> Path:
    """Where the warehouse of a barometer lies."""
    return root / "warehouse" / "barometer.duckdb"


def query(root: Path, sql: str) -> Result:
    """Run SQL on the warehouse, which it can neither change nor leave: no other file, no network, no setting.

    Raises ProblemError when there is no warehouse yet, or DuckDB refuses the SQL.
    """
    target = database(root)
    if not target.is_file():
        raise ProblemError(
            Problem(
                file=target.relative_to(root).as_posix(),
                key="",
                message="there is no warehouse yet",
                hint="Build it with `barometer run`.",
            )
        )
    sealed = {**SETTINGS, "enable_external_access": False, "lock_configuration": True}
    with duckdb.connect(str(target), read_only=True, config=sealed) as connection:
        try:
            cursor = connection.execute(sql)
            columns = tuple(str(column[0]) for column in cursor.description or ())
            return Result(columns, cursor.fetchall())
        except duckdb.Error as error:
            raise ProblemError(
                Problem(
                    file=target.relative_to(root).as_posix(),
                    key="",
                    message=f"DuckDB refuses this SQL: {error}",
                    hint="The warehouse is read-only, and SHOW ALL TABLES lists its tables.",
                    value=sql,
                )
            ) from error
