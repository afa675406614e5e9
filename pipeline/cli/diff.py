"""``barometer diff``: what one release changed of another, cell by cell."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from pipeline.catalogue import load_catalogue
from pipeline.cli.output import print_json
from pipeline.contracts import table
from pipeline.release import PUBLISHED
from pipeline.release.compared_tables import described_in, tables_of
from pipeline.release.diff import Changes
from pipeline.release.revisions import comparison, entry
from pipeline.steps.releases import package_folders

MAX_ROWS = 20  # rows a table; --json has them all


def show(root: Path, old: str, new: str, as_json: bool) -> None:
    """Prints the changes. Raises ProblemError when one of the two names no package."""
    if not all(Path(name).is_dir() for name in (old, new)):
        load_catalogue(root)  # a folder that holds no barometer says so
    before, after = package_folders(root, (old, new))
    described = described_in(before), described_in(after)
    compared = comparison(
        described[1]["name"],
        (described[0]["version"], tables_of(before)),
        (described[1]["version"], tables_of(after)),
    )
    if as_json:
        print_json({"ok": True, **compared, "problems": []})
        return
    candidates = root / "warehouse" / "candidate"
    old, new = (
        "candidate" if folder.parent == candidates else version
        for folder, version in ((before, compared["old"]), (after, compared["new"]))
    )
    typer.echo(f"{compared['package']}: {old} to {new}")
    for line in entry(compared):
        typer.echo(line)
    for name, changes in compared["tables"].items():
        _show(name, list(_lines(name, changes)))


def _lines(name: str, changes: Changes) -> Iterable[tuple[str, str, str, str]]:
    """The kind of change, where it is, the old value and the new one."""
    for location in changes["schema"]:
        yield "described", location["place"], _text(location["old"]), _text(location["new"])
    key = table(name)["primaryKey"] if name in PUBLISHED else None
    for row in changes["changed"]:
        for column, cell in row["cells"].items():
            yield "changed", f"{_named(row['key'], key)} {column}", _text(cell["old"]), _text(cell["new"])
    yield from (("removed", _named(row, key), "", "") for row in changes["removed"])
    yield from (("added", _named(row["row"], key), "", "") for row in changes["added"])
    yield from (("moved", _named(row["key"], key), "", f"row {row['at'] + 1}") for row in changes["moved"])


def _named(row: dict[str, Any], key: Iterable[str] | None) -> str:
    """A row by its key; by all its cells in a table that this version of the product does not know."""
    return " ".join(str(row[name]) for name in (key or row) if row.get(name) not in (None, ""))


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _show(name: str, lines: list[tuple[str, str, str, str]]) -> None:
    """A table of changes on a terminal; a line a change elsewhere."""
    more = f"{len(lines) - MAX_ROWS} more; --json has them all" if len(lines) > MAX_ROWS else ""
    console = Console()
    if not console.is_terminal:
        for what, location, old, new in lines[:MAX_ROWS]:
            typer.echo(f"{name}: {what} {location}" + (f": {old!r} -> {new!r}" if old or new else ""))
        if more:
            typer.echo(f"{name}: {more}")
        return
    grid = Table(title=name, title_justify="left", caption=more, caption_justify="left")
    for header in ("", "where", "old", "new"):
        grid.add_column(header)
    for line in lines[:MAX_ROWS]:
        grid.add_row(*map(Text, line))
    console.print(grid)
