"""``barometer publish``: sends the releases to a folder or a bucket, and says what was sent."""

from __future__ import annotations

from pathlib import Path

import typer

from pipeline.catalogue import load_catalogue
from pipeline.cli.output import print_json
from pipeline.problems import counted
from pipeline.steps.releases import publish_releases


def send(root: Path, destination: str, only: list[str], as_json: bool) -> None:
    """Prints what was sent, by package. Raises ProblemError when the destination does not take it."""
    load_catalogue(root)
    done = publish_releases(root, destination, only)
    if as_json:
        packages = {
            package: {"sent": place.sent, "unchanged": place.kept, "removed": place.removed}
            for package, place in done.items()
        }
        print_json({"ok": True, "destination": destination, "packages": packages, "problems": []})
        return
    for package, place in done.items():
        sent = f"{counted(place.sent, 'file')} sent, {place.kept} unchanged, {place.removed} removed"
        typer.echo(f"{package}: {sent}: {destination}/{package}")
