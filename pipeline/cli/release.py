"""``barometer release``: seals the candidates, and says what became of each package."""

from __future__ import annotations

from pathlib import Path

import typer

from pipeline.catalogue import Catalogue, load_catalogue
from pipeline.cli.output import print_json
from pipeline.steps.releases import Sealing, left_out, seal_candidates


def seal(root: Path, only: list[str], as_json: bool) -> None:
    """Prints each package with its version. Raises ProblemError, before any is sealed, when one may not
    be.
    """
    catalogue = load_catalogue(root)
    _known(catalogue, only)
    made, missing = seal_candidates(catalogue, only), left_out(catalogue)
    if as_json:
        packages = [_record(sealing, root) for sealing in made]
        print_json({"ok": True, "packages": packages, "left_out": missing, "problems": []})
        return
    for sealing in made:
        typer.echo(_line(sealing, root))
    if any(sealing.new for sealing in made):
        typer.echo("The site shows it after the next `barometer run`; `barometer publish` sends it out.")
    if missing:
        typer.echo(f"Left out because of problems: {', '.join(missing)}")


def _known(catalogue: Catalogue, only: list[str]) -> None:
    for package in only:
        if package not in catalogue.barometer.packages:
            known = ", ".join(catalogue.barometer.packages)
            raise typer.BadParameter(
                f"{package!r} is not a package of this barometer; its packages: {known}",
                param_hint="--package",
            )


def _record(sealing: Sealing, root: Path) -> dict[str, object]:
    return {**sealing._asdict(), "folder": sealing.folder.relative_to(root).as_posix()}


def _line(sealing: Sealing, root: Path) -> str:
    name, folder = f"{sealing.package} {sealing.version}", sealing.folder.relative_to(root).as_posix()
    if not sealing.new:
        return f"{name} is sealed already, with the same bytes: {folder}"
    history = (
        f", a revision of {sealing.revises} ({sealing.bump})" if sealing.revises else ", the first release"
    )
    return f"Sealed {name}{history}: {folder}"
