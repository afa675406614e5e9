"""``barometer init``: a new barometer, ready to run or drafted from a delivered file."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import typer

from pipeline.catalogue import load_catalogue
from pipeline.catalogue.schema import FOLDER
from pipeline.cli.output import named, print_json
from pipeline.drafting import draft_barometer, write_starter
from pipeline.drafting.draft import toml_value
from pipeline.problems import Problem, ProblemError, counted


def begin(
    root: Path,
    name: str,
    file: Path | None,
    given: Mapping[str, Any],
    wave: str,
    identifier: Sequence[str],
    as_json: bool,
) -> None:
    """Prints the files written. Raises ProblemError when anything is in the way; nothing is then written."""
    folder = root / name if name else root
    if not file and (given or wave or identifier):
        hint = "They say how a delivered file is read: name it with --from, or leave them out."
        raise ProblemError(Problem("init", "", "has options of a raw file and none to read", hint))
    written = draft_barometer(folder, file, given, wave, identifier) if file else write_starter(folder)
    paths = [path.relative_to(folder).as_posix() for path in written]
    if as_json:
        print_json({"ok": True, "folder": str(folder), "written": paths, "problems": []})
        return
    for path in paths:
        if not path.startswith(FOLDER):
            typer.echo(f"wrote {Path(name, path).as_posix()}")
    typer.echo(
        f"wrote {Path(name, FOLDER).as_posix()}: schemas, by which an editor completes the declarations"
    )
    command = named(folder)
    if file:
        typer.echo(_drafted(folder))
        typer.echo(f"Every guess is marked. Next: `{command} check` lists what is left to decide,")
        typer.echo(f"`{command} run` builds a draft; a release waits until every guess is confirmed.")
    else:
        typer.echo(f"The data are synthetic. `{command} run` builds data package and site.")


def _drafted(folder: Path) -> str:
    """What a draft found in the file."""
    catalogue = load_catalogue(folder)
    sizes = [(catalogue.questions, "question"), (catalogue.variables, "background variable")]
    found = [counted(len(entries), noun) for entries, noun in sizes]
    (path,) = (folder / "schemas" / "waves").glob("*.toml")
    design = tomllib.loads(path.read_text(encoding="utf-8"))["design"]
    for key, columns in design.items():
        named_columns = columns["columns"] if key == "replicate_weights" else columns
        if named_columns:
            found.append(f"{key} = {toml_value(named_columns)}")
    return f"Drafted: {', '.join(found)}."
