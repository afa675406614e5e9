"""``barometer check``: every problem of the declarations, and what is left to translate."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from itertools import groupby
from pathlib import Path

import typer

from pipeline.catalogue import Catalogue, load_catalogue
from pipeline.catalogue.check.translations import gaps
from pipeline.catalogue.load import unread_files
from pipeline.catalogue.unconfirmed import Unconfirmed, places
from pipeline.cli.output import print_json
from pipeline.problems import ProblemError, counted

MAX_KEYS = 20
MAX_TEXT = 60  # characters of a guess


def check_declarations(root: Path, as_json: bool) -> None:
    """Prints what is declared and which texts lack a translation. Raises ProblemError with every problem."""
    catalogue = load_catalogue(root)
    if catalogue.problems:
        raise ProblemError(catalogue.problems)
    sizes, missing, unread = _sizes(catalogue), gaps(catalogue), unread_files(catalogue)
    if as_json:
        print_json(
            {
                "ok": True,
                "barometer": catalogue.barometer.id,
                **sizes,
                "untranslated": missing,
                "unconfirmed": [asdict(each) for each in catalogue.unconfirmed],
                "unread": unread,
                "problems": [],
            }
        )
        return
    listed = ", ".join(counted(number, name[:-1]) for name, number in sizes.items())
    typer.echo(f"{catalogue.barometer.id}: {listed}. No problems.")
    for file in unread:
        typer.echo(f"{file}: nothing reads this file. Correct its name or its folder, or remove it.")
    for language, keys in missing.items():
        if keys:
            more = f" and {len(keys) - MAX_KEYS} more (--json lists them all)" if len(keys) > MAX_KEYS else ""
            typer.echo(
                f"{language}: {counted(len(keys), 'text')} to translate: {', '.join(keys[:MAX_KEYS])}{more}"
            )
    for line in unconfirmed_lines(catalogue.unconfirmed):
        typer.echo(line)


def unconfirmed_lines(found: Sequence[Unconfirmed]) -> Iterator[str]:
    """What a draft leaves to confirm: how many lines of which file, and the first of them."""
    if found:
        total = counted(len(found), "guess", "guesses")
        yield f"Draft: {total} to confirm; until then nothing that rests on one is released."
    for file, group in groupby(found, key=lambda each: each.file):
        own = list(group)
        yield f"  {file}, {places(own)}: {_shortened(own[0].text)}" + (" ..." if len(own) > 1 else "")


def _shortened(text: str) -> str:
    return text if len(text) <= MAX_TEXT else f"{text[:MAX_TEXT]}..."


def _sizes(catalogue: Catalogue) -> dict[str, int]:
    return {
        "waves": len(catalogue.waves),
        "instruments": len(catalogue.instruments),
        "questions": len(catalogue.questions),
        "indicators": len(catalogue.indicators),
        "breakdowns": len(catalogue.domains),
    }
