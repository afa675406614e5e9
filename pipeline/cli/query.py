"""``barometer query``: rows of the warehouse as table, CSV or JSON."""

from __future__ import annotations

import csv
import io
import json
import sys
from pathlib import Path
from typing import Any, Literal

import typer

from pipeline.catalogue import load_catalogue
from pipeline.problems import counted
from pipeline.warehouse import Result, database, query


def show(root: Path, sql: str, form: Literal["table", "csv", "json"] | None) -> None:
    """Prints the rows: in the form asked for, else a table on a terminal and CSV into a pipe or file."""
    if not database(root).is_file():
        load_catalogue(root)  # a folder that holds no barometer says so
    result = query(root, sql)
    form = form or ("table" if sys.stdout.isatty() else "csv")
    {"table": _table, "csv": _csv, "json": _json}[form](result)


def _csv(result: Result) -> None:
    lines = io.StringIO()
    writer = csv.writer(lines, lineterminator="\n")
    writer.writerow(result.columns)
    writer.writerows(["" if value is None else value for value in row] for row in result.rows)
    typer.echo(lines.getvalue(), nl=False)


def _json(result: Result) -> None:
    rows = [dict(zip(result.columns, map(_plain, row), strict=True)) for row in result.rows]
    typer.echo(json.dumps(rows, ensure_ascii=False, indent=2, default=str))


def _plain(value: Any) -> Any:
    """JSON knows no NaN and no infinity."""
    return None if isinstance(value, float) and value - value != 0 else value


def _table(result: Result) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(caption=counted(len(result.rows), "row"), caption_justify="left")
    numeric = [
        any(isinstance(row[at], (int, float)) for row in result.rows) for at in range(len(result.columns))
    ]
    for name, is_number in zip(result.columns, numeric, strict=True):
        table.add_column(Text(name), justify="right" if is_number else "left")
    for row in result.rows:
        table.add_row(*(Text("" if value is None else str(value)) for value in row))
    Console().print(table)
