"""``barometer schema``: JSON Schemas of the declaration files, for editors that complete and mark TOML."""

from __future__ import annotations

import json
from pathlib import Path

import typer

from pipeline.catalogue.schema import json_schemas, key_tables
from pipeline.cli.output import print_json
from pipeline.problems import Problem, ProblemError


def write(folder: Path | None, markdown: bool, as_json: bool) -> None:
    """Writes one JSON Schema per declaration file into the folder, or prints them all, or the key tables.

    Raises ProblemError when the folder cannot be written.
    """
    if markdown:
        for name, table in key_tables().items():
            typer.echo(f"## {name}\n\n{table}\n")
        return
    schemas = json_schemas()
    if folder is None:
        print_json(schemas)
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, schema in schemas.items():
            text = json.dumps(schema, ensure_ascii=False, indent=2) + "\n"
            (folder / name).write_text(text, encoding="utf-8")
    except OSError as error:
        hint = "Name a folder that you can write to."
        raise ProblemError(Problem(str(folder), "", f"cannot be written: {error.strerror}", hint)) from None
    written = [str(folder / name) for name in schemas]
    print_json({"written": written}) if as_json else typer.echo("\n".join(written))
