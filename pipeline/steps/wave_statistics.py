"""The fourth step of a wave: the sums that its estimates are made of, and the estimates."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pipeline.catalogue import Catalogue, Wave
from pipeline.estimation import Specification, estimate_wave, read_cells, write_cells
from pipeline.estimation import wave_statistics as sum_up
from pipeline.staleness.outputs import Metadata, StepResult, wave_folder
from pipeline.steps.extremes import LARGEST_SQUARES, refuse_extremes
from pipeline.steps.wave_step import wave_step


def wave_statistics(wave: str, catalogue: Catalogue) -> StepResult:
    """Reduce a wave to sums per stratum, PSU, domain and indicator, and estimate from these alone.

    What cannot be estimated is a problem of this wave, and stops no other.
    """

    def work(folder: Path, declared: Wave) -> Metadata:
        codes = wave_folder(catalogue.root, "weighted_wave", wave) / "codes.arrow"
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):  # refused below
            cells = sum_up(codes, declared, catalogue)
            write_cells(cells, folder)
            for cube in cells.cubes:
                refuse_extremes(cube.frame, declared, "source.file", "sums", LARGEST_SQUARES)
            estimates = estimate_wave(read_cells(folder), Specification.of(declared, catalogue))
        refuse_extremes(estimates, declared, "source.file", "estimates")
        estimates.to_parquet(folder / "estimates.parquet", index=False)
        return {"rows": len(cells.frame), "measures": len(cells.plan.measures)}

    return wave_step("wave_statistics", wave, catalogue, work)
