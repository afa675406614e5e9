"""``barometer schema``: JSON Schemas of the declaration files, for editors that complete and mark TOML."""

from __future__ import annotations

from pathlib import Path

import typer

from pipeline.atomic import write_file
from pipeline.catalogue.schema import FOLDER, key_tables, schema_files
from pipeline.cli.output import print_json
from pipeline.problems import Problem, ProblemError


def write(root: Path, folder: Path | None, markdown: bool, as_json: bool) -> None:
    """Writes a JSON Schema a declaration file, into ``schemas/.json`` or a folder; or prints key tables.

    Raises ProblemError when there is no barometer to write them to, or the folder cannot be written.
    """
    if markdown:
        for name, table in key_tables().items():
            typer.echo(f"## {name}\n\n{table}\n")
        return
    if folder is None and not (root / "schemas").is_dir():
        hint = "Run in a barometer's folder, name it with --project, or name a folder for the schemas."
        raise ProblemError(Problem("schemas", "", f"is missing: {root} holds no barometer", hint))
    target = folder or root / FOLDER
    try:
        target.mkdir(parents=True, exist_ok=True)
        written = [
            str(write_file(target / Path(name).name, content)) for name, content in schema_files().items()
        ]
    except OSError as error:
        hint = "Name a folder that you can write to."
        raise ProblemError(Problem(str(target), "", f"cannot be written: {error.strerror}", hint)) from None
    print_json({"written": written}) if as_json else typer.echo("\n".join(written))
