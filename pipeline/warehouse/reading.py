"""The file of a barometer's warehouse, and queries that only read it."""

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
    """The file of a barometer's warehouse."""
    return root / "warehouse" / "barometer.duckdb"


def query(root: Path, sql: str) -> Result:
    """Run SQL that only reads the warehouse: it can change nothing, and reach no other file, network or
    setting.

    Raises ProblemError when there is no warehouse yet, or DuckDB refuses the SQL.
    """
    target = database(root)
    if not target.is_file():
        raise ProblemError(
            Problem(
                file=target.relative_to(root).as_posix(),
                key="",
                message="does not exist yet",
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
                    message=f"DuckDB rejects this SQL: {error}",
                    hint="The warehouse is read-only; SHOW ALL TABLES lists its tables.",
                    value=sql,
                )
            ) from error
