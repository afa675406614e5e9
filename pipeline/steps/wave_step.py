"""What the steps of a wave share: made from the current output of the step before, only when stale."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from pipeline.catalogue import Catalogue, Wave
from pipeline.lock import building
from pipeline.problems import Problem, ProblemError
from pipeline.staleness.fingerprint import steps_of, wave_input, wave_inputs
from pipeline.staleness.outputs import NEEDED, Metadata, StepResult, is_current, make, wave_folder
from pipeline.staleness.run_problems import forget_problems, keep_problems
from pipeline.staleness.status import sound_wave

NOTHING_TO_DO: Metadata = {"nothing to do": "published figures are taken as they are"}


def wave_step(
    step: str, wave: str, catalogue: Catalogue, work: Callable[[Path, Wave], Metadata]
) -> StepResult:
    """The output of a step for a wave. Steps for microdata only do nothing for published figures.

    Raises ProblemError when the wave is at fault, or the step before it is not current. The problems that
    ``work`` finds are kept: until something that the wave is made from changes, it is at fault.
    """
    declared = sound_wave(wave, catalogue)
    steps = steps_of(declared)
    if step not in steps:
        return StepResult(wave_input(declared, catalogue), NOTHING_TO_DO, redone=False)
    with building(catalogue.path("warehouse")):
        return _made(step, steps, declared, catalogue, work)


def _made(
    step: str,
    steps: tuple[str, ...],
    declared: Wave,
    catalogue: Catalogue,
    work: Callable[[Path, Wave], Metadata],
) -> StepResult:
    wave, inputs = declared.key, wave_inputs(declared, catalogue)
    for before in steps[: steps.index(step)][-1:]:
        folder = wave_folder(catalogue.root, before, wave)
        if not is_current(folder, inputs[before]):
            location = folder.relative_to(catalogue.root).as_posix()
            hint = f"Make {before} first; `barometer run --wave {wave}` makes every step in order."
            raise ProblemError(
                Problem(location, "", f"is stale, and {step} is made from it", hint, wave=wave)
            )
    folder = wave_folder(catalogue.root, step, wave)
    forget_problems(wave, catalogue)
    try:
        return make(folder, inputs[step], lambda fresh: work(fresh, declared), needed=NEEDED[step])
    except ProblemError as error:
        keep_problems(wave, error.problems, catalogue)
        raise


def plain_values(report: dict[str, Any]) -> Metadata:
    """The plain counts and measures of a report; its lists stay in the report."""
    return {key: value for key, value in report.items() if isinstance(value, (int, float, str))}
