"""The fourth step of a wave: the sums that its estimates are made of."""

from __future__ import annotations

from pathlib import Path

from pipeline.catalogue import Catalogue, Wave
from pipeline.estimation import wave_statistics as sum_up
from pipeline.estimation import write_cells
from pipeline.staleness.outputs import Metadata, StepResult, wave_folder
from pipeline.steps.wave_step import wave_step


def wave_statistics(wave: str, catalogue: Catalogue) -> StepResult:
    """Reduce a wave to sums per stratum, PSU, domain and indicator: all that its estimates need."""

    def work(folder: Path, declared: Wave) -> Metadata:
        codes = wave_folder(catalogue.root, "weighted_wave", wave) / "codes.arrow"
        cells = sum_up(codes, declared, catalogue)
        write_cells(cells, folder)
        return {"rows": len(cells.frame), "measures": len(cells.plan.measures)}

    return wave_step("wave_statistics", wave, catalogue, work)
