"""The problems that only a run finds in a wave, kept with the fingerprint that they were found at.

A wave that cannot be made from what is declared now is at fault, not stale: others need not wait for it. What
it rests on may be no declaration (a library that is missing, a file at an address), so a run of the wave
itself tries again.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from pipeline.atomic import make_parent, remove
from pipeline.catalogue import Catalogue
from pipeline.problems import Problem
from pipeline.staleness.fingerprint import wave_input
from pipeline.staleness.outputs import read_damaged, write_json


def keep_problems(wave: str, problems: Iterable[Problem], catalogue: Catalogue) -> None:
    """Keeps what stopped a wave that is declared soundly."""
    file = _file(wave, catalogue)
    make_parent(file)
    remove(file)
    found = [problem.as_dict() for problem in problems]
    write_json(file, {"made_from": wave_input(catalogue.waves[wave], catalogue), "problems": found})


def forget_problems(wave: str, catalogue: Catalogue) -> None:
    """Takes back what was kept: the wave is being made again."""
    remove(_file(wave, catalogue))


def kept_problems(wave: str, catalogue: Catalogue) -> tuple[Problem, ...]:
    """What stopped a wave when it was last made, if everything it is made from is as it was then."""
    kept = read_damaged(_file(wave, catalogue))
    try:
        found = tuple(Problem(**problem) for problem in kept["problems"])
        made_from = kept["made_from"]
    except (KeyError, TypeError):  # none, or not written to the end
        return ()
    return found if made_from == wave_input(catalogue.waves[wave], catalogue) else ()


def _file(wave: str, catalogue: Catalogue) -> Path:
    return catalogue.path("warehouse", "problems", f"{wave}.json")
