"""``barometer withdraw``: removes the data of a release and leaves a tombstone."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import typer

from pipeline.catalogue import load_catalogue
from pipeline.cli.output import print_json
from pipeline.steps.releases import withdraw_release


def take_back(root: Path, package: str, version: str, reason: str, on: str, as_json: bool) -> None:
    """Prints what was withdrawn, and what still holds its values. Raises ProblemError when it cannot be."""
    try:
        day = date.fromisoformat(on)
    except ValueError:
        raise typer.BadParameter(f"{on!r} is not a date such as 2026-12-01", param_hint="--date") from None
    load_catalogue(root)
    revising = withdraw_release(root, package, version, reason, day)
    if as_json:
        print_json(
            {"ok": True, "package": package, "version": version, "revised_by": revising, "problems": []}
        )
        return
    typer.echo(f"Withdrew {package} {version}: its data were removed, its tombstone stays.")
    for other in revising:
        typer.echo(
            f"{package} {other} revises it and so contains its values: withdraw that as well if they must go."
        )
    typer.echo(
        "The site still shows it until the next `barometer run`, other places until `barometer publish`."
    )
