"""``barometer new-wave``: drafts the declarations of a new wave from its raw file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import typer

from pipeline.catalogue import load_catalogue
from pipeline.cli.output import named, print_json
from pipeline.drafting import draft_wave


def draft(
    root: Path,
    wave: str,
    file: Path,
    instrument: str,
    given: Mapping[str, Any],
    identifier: Sequence[str],
    as_json: bool,
) -> None:
    """Prints the files written. Raises ProblemError when the draft cannot be made; nothing is then
    written.
    """
    written = draft_wave(root, load_catalogue(root), wave, file, instrument, given, identifier)
    paths = [path.relative_to(root).as_posix() for path in written]
    if as_json:
        print_json({"ok": True, "wave": wave, "written": paths, "problems": []})
        return
    for path in paths:
        typer.echo(f"wrote {path}")
    typer.echo(
        f"Every guess is marked. Next: `{named(root)} check` lists what is left to decide and to confirm."
    )
