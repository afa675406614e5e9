"""``barometer init``: a new barometer, ready to run or drafted from a delivered file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import typer

from pipeline.cli.output import print_json
from pipeline.drafting import draft_barometer, write_starter


def begin(root: Path, name: str, file: Path | None, given: Mapping[str, Any], as_json: bool) -> None:
    """Prints the files written. Raises ProblemError when anything is in the way; nothing is then written."""
    folder = root / name if name else root
    written = draft_barometer(folder, file, given) if file else write_starter(folder)
    paths = [path.relative_to(folder).as_posix() for path in written]
    if as_json:
        print_json({"ok": True, "folder": str(folder), "written": paths, "problems": []})
        return
    for path in paths:
        typer.echo(f"wrote {Path(name, path).as_posix()}")
    here = folder.resolve() == Path.cwd()
    command = "barometer" if here else f"barometer --project {name if root == Path.cwd() else folder}"
    if file:
        typer.echo(f"Every guess is marked; `{command} check` lists what is left to decide.")
    else:
        typer.echo(f"The data are synthetic. `{command} run` builds data package and site.")
