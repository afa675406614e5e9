"""The file of a barometer's warehouse, and queries that only read it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import duckdb

from pipeline.problems import Problem, ProblemError

SETTINGS: Mapping[str, Any] = {
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "allow_community_extensions": False,
}

DAMAGED = (duckdb.IOException, duckdb.InternalException, duckdb.FatalException)


@dataclass(frozen=True)
class Result:
    """What a query gives: the names of its columns, and its rows."""

    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]


def database(root: Path) -> Path:
    """The file of a barometer's warehouse."""
    return root / "warehouse" / "barometer.duckdb"


def _opened(target: Path, root: Path) -> duckdb.DuckDBPyConnection:
    """The warehouse, opened so that nothing else can be reached. Raises ProblemError when it cannot be."""
    sealed = {**SETTINGS, "enable_external_access": False, "lock_configuration": True}
    try:
        return duckdb.connect(str(target), read_only=True, config=sealed)
    except duckdb.Error as error:
        problem = _damaged(target, root)
        if "lock on file" in str(error):
            problem = replace(problem, message="is held by another program", hint="Close that program.")
        raise ProblemError(problem) from None


def _damaged(target: Path, root: Path) -> Problem:
    file, message = target.relative_to(root).as_posix(), "is damaged, or was written by another version"
    return Problem(file, "", message, "Run `barometer run`: it is made again.")


def query(root: Path, sql: str) -> Result:
    """Run SQL that only reads the warehouse: it can change nothing, and reach no other file, network or
    setting.

    Raises ProblemError when there is no warehouse yet, it is damaged or held by another program, the SQL is
    not one statement, or DuckDB refuses it.
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
    with _opened(target, root) as connection:
        try:
            if len(connection.extract_statements(sql)) != 1:
                hint = "Give one statement that reads, such as 'FROM published.estimates'."
                raise ProblemError(Problem("SQL", "", "is not one statement", hint, sql))
            cursor = connection.execute(sql)
            columns = tuple(str(column[0]) for column in cursor.description or ())
            return Result(columns, cursor.fetchall())
        except DAMAGED:
            raise ProblemError(_damaged(target, root)) from None
        except duckdb.Error as error:
            raise ProblemError(
                Problem(
                    file=target.relative_to(root).as_posix(),
                    key="",
                    message=f"DuckDB rejects this SQL: {' '.join(str(error).partition('LINE ')[0].split())}",
                    hint="The warehouse is read-only; SHOW ALL TABLES lists its tables.",
                    value=sql,
                )
            ) from error
