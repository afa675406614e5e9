"""What stands as it would be made now, what is stale, and what is at fault."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Literal

from pipeline.catalogue import Catalogue, Wave, fingerprint
from pipeline.problems import Problem, ProblemError, wave_problem
from pipeline.staleness.fingerprint import (
    Sound,
    product_inputs,
    site_input,
    steps_of,
    wave_input,
    wave_inputs,
)
from pipeline.staleness.outputs import PRODUCT_STEPS, is_current, is_damaged, product_folder, wave_folder
from pipeline.staleness.run_problems import kept_problems

Status = Literal["at fault", "stale", "current"]


def status(wave: str, catalogue: Catalogue) -> Status:
    """Whether a wave is at fault, has something to be redone, or is built from what is declared now."""
    if wave_problems(wave, catalogue):
        return "at fault"
    if _built(wave, wave_inputs(catalogue.waves[wave], catalogue), catalogue):
        return "current"
    return "at fault" if kept_problems(wave, catalogue) else "stale"


def sound_waves(catalogue: Catalogue) -> Sound:
    """The waves that are built from what is declared now, each with the fingerprint of its whole chain."""
    sound = {}
    for key, wave in catalogue.waves.items():
        if not catalogue.problems_of(key) and _built(key, steps := wave_inputs(wave, catalogue), catalogue):
            sound[key] = list(steps.values())[-1]
    return sound


def _built(wave: str, steps: Mapping[str, str], catalogue: Catalogue) -> bool:
    return all(is_current(wave_folder(catalogue.root, step, wave), made) for step, made in steps.items())


def damaged(catalogue: Catalogue) -> list[str]:
    """The outputs that are not as an earlier run has left them: cut short, altered, replaced or gone."""
    steps = {step: product_folder(catalogue.root, step) for step in PRODUCT_STEPS}
    beside = {step: product_outputs(step, catalogue, catalogue.waves) for step in PRODUCT_STEPS}
    made = [(folder, beside[step]) for step, folder in steps.items()]
    record, pages = site_output(catalogue)
    made += [(record, (pages,))]
    made += [
        (wave_folder(catalogue.root, step, key), ())
        for key, wave in catalogue.waves.items()
        for step in steps_of(wave)
    ]
    found = [path for folder, others in made for path in is_damaged(folder, others)]
    return sorted(path.relative_to(catalogue.root).as_posix() for path in found)


def product_outputs(step: str, catalogue: Catalogue, sound: Collection[str]) -> tuple[Path, ...]:
    """What a barometer-wide step swaps in beside its own folder."""
    warehouse = catalogue.path("warehouse")
    if step == "data_package":
        kept = dict.fromkeys(catalogue.package_of(catalogue.waves[wave]).key for wave in sound)
        return tuple(warehouse / "candidate" / package for package in kept)
    return (warehouse / "barometer.duckdb",) if step == "warehouse" else ()


def products_current(catalogue: Catalogue, sound: Sound) -> bool:
    """Whether estimates, warehouse and packages are made from exactly these waves."""
    return all(
        is_current(product_folder(catalogue.root, step), made, product_outputs(step, catalogue, sound))
        for step, made in product_inputs(catalogue, sound).items()
    )


def site_output(catalogue: Catalogue) -> tuple[Path, Path]:
    """Where it stands what the site was made from, and the site: every page, script and picture of it."""
    return catalogue.path("warehouse", "pages"), catalogue.path("warehouse", "site")


def site_current(catalogue: Catalogue, sound: Sound) -> bool:
    """Whether the site shows exactly these packages and releases, every file of it as it was made."""
    folder, pages = site_output(catalogue)
    return is_current(folder, site_input(catalogue, sound), (pages,))


def source_version(wave: str, catalogue: Catalogue) -> str:
    """The hash of all that a wave is made from; of its problems, when it cannot be made."""
    if problems := wave_problems(wave, catalogue):
        return fingerprint([str(problem) for problem in problems])
    return wave_input(catalogue.waves[wave], catalogue)


def wave_problems(wave: str, catalogue: Catalogue) -> tuple[Problem, ...]:
    """What stops a wave before it starts: the problems of its declarations, or that there are none."""
    problems = catalogue.problems_of(wave)
    if not problems and wave not in catalogue.waves:
        known = ", ".join(catalogue.waves)
        hint = f"Use one of {known}." if known else "Declare a wave first."
        return (wave_problem(wave, "", "is not a wave of this barometer", hint, wave),)
    return problems


def sound_wave(wave: str, catalogue: Catalogue) -> Wave:
    """A wave fit to run. Raises ProblemError with everything that stops it."""
    if problems := wave_problems(wave, catalogue):
        raise ProblemError(problems)
    return catalogue.waves[wave]
