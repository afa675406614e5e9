"""The four steps of one wave: pin and read the raw file, harmonise, weigh, sum up.

Each reads the folder of the step before it and makes its own; a step whose inputs are unchanged does
nothing. Published figures are pinned and validated, and pass by the other two. All raise FaultError
when the wave or its data is at fault, and leave the former output in place.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline.catalogue import Catalogue, Wave
from pipeline.estimation import wave_statistics as sum_up
from pipeline.estimation import write_cells, write_codes
from pipeline.harmonise import harmonise, harmonise_figures
from pipeline.sources import fetch, read_raw
from pipeline.steps.folders import Metadata, StepResult, make, wave_folder, write_json
from pipeline.steps.hashes import hash_of_file
from pipeline.steps.inputs import sound_wave, steps_of, wave_input, wave_inputs
from pipeline.weighting import weigh

NOTHING_TO_DO: Metadata = {"nothing to do": "published figures are taken as they are"}


def raw_wave(wave: str, catalogue: Catalogue) -> StepResult:
    """Pin a wave's raw file to its declared hash and keep every cell as text."""

    def work(folder: Path, declared: Wave) -> Metadata:
        path = fetch(declared, catalogue.root)
        frame = read_raw(path, declared.source).frame
        frame.to_parquet(folder / "raw.parquet", index=False)
        facts: Metadata = {"rows": len(frame), "columns": frame.shape[1], "bytes": path.stat().st_size}
        facts |= {"file": declared.source.file, "sha256": hash_of_file(path)}
        write_json(folder / "receipt.json", facts)
        return facts

    return _step("raw_wave", wave, catalogue, work)


def harmonised_wave(wave: str, catalogue: Catalogue) -> StepResult:
    """Map a wave's answers to the codebook, bad rows to quarantine; or check its published figures."""

    def work(folder: Path, declared: Wave) -> Metadata:
        raw = pd.read_parquet(wave_folder(catalogue.root, "raw_wave", wave) / "raw.parquet")
        if not declared.is_microdata:
            figures = harmonise_figures(raw, declared, catalogue)
            figures.to_parquet(folder / "figures.parquet", index=False)
            write_json(folder / "report.json", {"rows": len(figures)})
            return {"rows": len(figures)}
        made = harmonise(raw, declared, catalogue)
        made.answers.to_parquet(folder / "answers.parquet", index=False)
        made.quarantine.to_parquet(folder / "quarantine.parquet", index=False)
        write_json(folder / "report.json", made.report)
        return _numbers(made.report) | {"rows": len(made.answers), "columns": made.answers.shape[1]}

    return _step("harmonised_wave", wave, catalogue, work)


def weighted_wave(wave: str, catalogue: Catalogue) -> StepResult:
    """Give every unit its weight, by the wave's method and margins."""

    def work(folder: Path, declared: Wave) -> Metadata:
        answers = pd.read_parquet(wave_folder(catalogue.root, "harmonised_wave", wave) / "answers.parquet")
        made = weigh(answers, declared, catalogue)
        made.answers.to_parquet(folder / "answers.parquet", index=False)
        write_codes(made.answers, declared, catalogue, folder / "codes.arrow")
        write_json(folder / "report.json", made.report)
        return _numbers(made.report)

    return _step("weighted_wave", wave, catalogue, work)


def wave_statistics(wave: str, catalogue: Catalogue) -> StepResult:
    """Reduce a wave to sums per stratum, PSU, domain and indicator: all that its estimates need."""

    def work(folder: Path, declared: Wave) -> Metadata:
        codes = wave_folder(catalogue.root, "weighted_wave", wave) / "codes.arrow"
        cells = sum_up(codes, declared, catalogue)
        write_cells(cells, folder)
        return {"rows": len(cells.frame), "measures": len(cells.plan.measures)}

    return _step("wave_statistics", wave, catalogue, work)


def _step(step: str, wave: str, catalogue: Catalogue, work: Callable[[Path, Wave], Metadata]) -> StepResult:
    declared = sound_wave(wave, catalogue)
    if step not in steps_of(declared):
        return StepResult(wave_input(declared, catalogue), NOTHING_TO_DO, redone=False)
    folder = wave_folder(catalogue.root, step, wave)
    return make(folder, wave_inputs(declared, catalogue)[step], lambda fresh: work(fresh, declared))


def _numbers(report: dict[str, Any]) -> Metadata:
    """The plain counts and measures of a report; its lists stay in the report."""
    return {key: value for key, value in report.items() if isinstance(value, (int, float, str))}
