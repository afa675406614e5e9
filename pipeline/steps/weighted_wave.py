"""The third step of a wave: a weight for every unit, and the answers encoded for summing up."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from pipeline.catalogue import Catalogue, Wave
from pipeline.estimation import totals_of, write_codes
from pipeline.staleness.outputs import Metadata, StepResult, wave_folder, write_json
from pipeline.steps.wave_step import plain_values, wave_step
from pipeline.weighting import require_expansion, scaled_to_sample, weigh


def weighted_wave(wave: str, catalogue: Catalogue) -> StepResult:
    """Give every unit its weight, by the wave's method and margins."""

    def work(folder: Path, declared: Wave) -> Metadata:
        answers = pd.read_parquet(wave_folder(catalogue.root, "harmonised_wave", wave) / "answers.parquet")
        made = weigh(answers, declared, catalogue)
        totals = totals_of(declared, catalogue)
        require_expansion(declared, made.report, totals)
        report = made.report | {
            "scaled_to_sample": scaled_to_sample(declared, made.report, totals.get("", ()))
        }
        made.answers.to_parquet(folder / "answers.parquet", index=False)
        write_codes(made.answers, declared, catalogue, folder / "codes.arrow")
        write_json(folder / "report.json", report)
        return plain_values(report)

    return wave_step("weighted_wave", wave, catalogue, work)
