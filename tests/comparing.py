"""Brings a barometer's waves to comparisons through the core, without Dagster."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from pipeline.catalogue import Catalogue, load_catalogue
from pipeline.comparison import Compared, ComparisonInputs, benchmarks, comparisons_of, errata, published
from pipeline.disclosure import protect
from pipeline.estimation import Cells, Specification, estimate_wave, figures_estimates, wave_statistics
from pipeline.harmonise import harmonise, harmonise_figures
from pipeline.sources import fetch, read_raw
from pipeline.weighting import weigh


@dataclass(frozen=True)
class Prepared:
    catalogue: Catalogue
    estimates: pd.DataFrame
    cells: dict[str, Cells]
    answers: dict[str, pd.DataFrame]

    def inputs(self) -> ComparisonInputs:
        return ComparisonInputs(self.estimates, self.cells.__getitem__, self.sum_microdata, self.catalogue)

    def sum_microdata(self, wave: str, catalogue: Catalogue, scope: Mapping[str, tuple[str, ...]]) -> Cells:
        answers = self.answers[wave]
        for name, codes in scope.items():
            answers = answers[answers[name].isin(codes)]
        return wave_statistics(answers, catalogue.waves[wave], catalogue)

    def compared(self) -> Compared:
        inputs = self.inputs()
        compared = comparisons_of(inputs)
        return Compared(compared, benchmarks(inputs), errata(inputs), inputs.narrowed_to(compared))

    def published(self, made: Compared | None = None) -> dict[str, pd.DataFrame]:
        protected = protect(self.estimates, self.catalogue)
        return published(made or self.compared(), self.estimates, protected, self.catalogue)


def prepared(root: Path, catalogue: Catalogue | None = None) -> Prepared:
    catalogue = catalogue or load_catalogue(root)
    assert not catalogue.problems, [str(problem) for problem in catalogue.problems]
    cells, kept, frames = {}, {}, []
    for wave in catalogue.waves.values():
        raw = read_raw(fetch(wave, root), wave.source).frame
        if wave.is_microdata:
            kept[wave.key] = weigh(harmonise(raw, wave, catalogue).answers, wave, catalogue).answers
            cells[wave.key] = wave_statistics(kept[wave.key], wave, catalogue)
            frames.append(estimate_wave(cells[wave.key], Specification.of(wave, catalogue)))
        else:
            frames.append(
                figures_estimates(
                    harmonise_figures(raw, wave, catalogue),
                    wave,
                    catalogue.indicators,
                    catalogue.barometer.estimation,
                )
            )
    return Prepared(catalogue, pd.concat(frames, ignore_index=True), cells, kept)


def one(frame: pd.DataFrame, **wanted: str) -> pd.Series:
    """The only row with these values."""
    for name, value in wanted.items():
        frame = frame[frame[name] == value]
    assert len(frame) == 1, f"{len(frame)} rows"
    return frame.iloc[0]
