"""``barometer verify``: rebuilds a sealed release and says whether every byte is the same."""

from __future__ import annotations

import time
from pathlib import Path

import typer

from pipeline.catalogue import load_catalogue
from pipeline.cli.output import print_json
from pipeline.steps.verification import verify


def check_release(root: Path, path: Path, as_json: bool) -> None:
    """Prints what was rebuilt. Raises ProblemError with the first file and cell that differ."""
    started = time.monotonic()
    found = verify(load_catalogue(root), path)
    if as_json:
        print_json({"ok": True, **found._asdict(), "problems": []})
        return
    name, seconds = f"{found.package} {found.version}", time.monotonic() - started
    typer.echo(f"{name}: {found.files} files rebuilt, every byte the same, in {seconds:.1f} s.")
