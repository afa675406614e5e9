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
            package: {"sent": delivery.sent, "unchanged": delivery.kept, "removed": delivery.removed}
            for package, delivery in done.items()
        }
        print_json({"ok": True, "destination": destination, "packages": packages, "problems": []})
        return
    for package, delivery in done.items():
        report = (
            f"{counted(delivery.sent, 'file')} sent, {delivery.kept} unchanged, {delivery.removed} removed"
        )
        typer.echo(f"{package}: {report}: {destination}/{package}")
