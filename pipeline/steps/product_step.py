"""What the barometer-wide steps share: made of every sound wave, from current inputs only."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pipeline.catalogue import Catalogue
from pipeline.lock import building
from pipeline.problems import Problem, ProblemError
from pipeline.staleness.fingerprint import Sound, product_inputs
from pipeline.staleness.outputs import (
    METADATA,
    NEEDED,
    PRODUCT_STEPS,
    Metadata,
    StepResult,
    is_current,
    make,
    product_folder,
    read_json,
    wave_folder,
)
from pipeline.staleness.status import product_outputs, sound_waves


def product_step(step: str, catalogue: Catalogue, work: Callable[[Path, Sound], Metadata]) -> StepResult:
    """The output of a step. A wave that is at fault or stale is left out, and never stops the others.

    Raises ProblemError when shared declarations are at fault, or the step before it is not current.
    """
    if problems := catalogue.shared_problems:
        raise ProblemError(problems)
    with building(catalogue.path("warehouse")):
        sound = sound_waves(catalogue)
        inputs = product_inputs(catalogue, sound)
        for before in PRODUCT_STEPS[: PRODUCT_STEPS.index(step)][-1:]:
            require_current(before, step, catalogue, sound)
        return make(
            product_folder(catalogue.root, step),
            inputs[step],
            lambda fresh: work(fresh, sound),
            product_outputs(step, catalogue, sound),
            NEEDED[step],
        )


def require_current(before: str, step: str, catalogue: Catalogue, sound: Sound) -> None:
    """Raises ProblemError when ``step`` would be made from the output of a step that is not current."""
    folder, made = product_folder(catalogue.root, before), product_inputs(catalogue, sound)[before]
    if not is_current(folder, made, product_outputs(before, catalogue, sound)):
        location = folder.relative_to(catalogue.root).as_posix()
        hint = f"Make {before} first; `barometer run` makes every step in order."
        raise ProblemError(Problem(location, "", f"is stale, and {step} is made from it", hint))


def units_of(sound: Sound, catalogue: Catalogue) -> dict[str, int]:
    """The sound waves with the units that their estimates rest on; 0 for published figures."""
    return {wave: _rows(wave, catalogue) if catalogue.waves[wave].is_microdata else 0 for wave in sound}


def _rows(wave: str, catalogue: Catalogue) -> int:
    return int(read_json(wave_folder(catalogue.root, "weighted_wave", wave) / METADATA)["rows"])
