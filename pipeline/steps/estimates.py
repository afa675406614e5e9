"""The step that gathers the estimates of every sound wave in one table."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from pipeline.catalogue import Catalogue, Wave
from pipeline.estimation import KEY, figures_estimates
from pipeline.problems import Problem, ProblemError
from pipeline.staleness.fingerprint import Sound
from pipeline.staleness.outputs import Metadata, StepResult, wave_folder
from pipeline.steps.product_step import product_step


def estimates(catalogue: Catalogue) -> StepResult:
    """Every sound wave's estimates in one table, unrounded and unsuppressed: never published."""

    def work(folder: Path, sound: Sound) -> Metadata:
        if not sound:
            raise ProblemError(
                Problem(
                    file="schemas/waves",
                    key="",
                    message="no wave is built, so there is nothing to estimate",
                    hint="Fix the waves' problems, or declare a wave, and run `barometer run`.",
                )
            )
        frame = pd.concat([_estimates_of(catalogue.waves[wave], catalogue) for wave in sound])
        frame.sort_values(KEY, kind="stable").to_parquet(folder / "estimates.parquet", index=False)
        left_out = ", ".join(wave for wave in catalogue.waves if wave not in sound)
        return {"rows": len(frame), "waves": len(sound), "left out": left_out or "none"}

    return product_step("estimates", catalogue, work)


def _estimates_of(wave: Wave, catalogue: Catalogue) -> pd.DataFrame:
    if wave.is_microdata:
        return pd.read_parquet(wave_folder(catalogue.root, "wave_statistics", wave.key) / "estimates.parquet")
    figures = wave_folder(catalogue.root, "harmonised_wave", wave.key) / "figures.parquet"
    return figures_estimates(
        pd.read_parquet(figures), wave, catalogue.indicators, catalogue.barometer.estimation
    )
