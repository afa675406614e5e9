"""The step that compares: waves with each other, cells with their whole, estimates with published figures.

Here belongs what is read and stored. What a comparison is, and what of it may be published, belongs to
``pipeline.comparison``.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from pipeline.catalogue import Catalogue, fingerprint
from pipeline.comparison import (
    Compared,
    ComparisonInputs,
    benchmarks,
    comparisons_of,
    errata,
    published,
    reconciliation,
    trends,
)
from pipeline.estimation import Cells, read_cells, wave_statistics, write_cells
from pipeline.staleness.fingerprint import Sound, shared_input
from pipeline.staleness.outputs import (
    SUMS,
    Metadata,
    StepResult,
    make,
    product_folder,
    shared_folder,
    wave_folder,
)
from pipeline.steps.product_step import product_step

STORED_FOR_PUBLICATION = ("comparisons", "benchmarks", "errata", "narrowed")
UNROUNDED_TABLES = ("comparisons", "benchmarks", "trends", "reconciliation")  # of the schema statistics


def comparisons(catalogue: Catalogue) -> StepResult:
    """What may be compared, with verdicts, differences and tests; unrounded and unsuppressed."""

    def work(folder: Path, sound: Sound) -> Metadata:
        root = catalogue.root
        estimates = pd.read_parquet(product_folder(root, "estimates") / "estimates.parquet")
        inputs = ComparisonInputs(
            estimates,
            lambda wave: read_cells(wave_folder(root, "wave_statistics", wave)),
            sum_microdata,
            catalogue,
            lambda wave: unit_ids(wave, catalogue),
        )
        made = {
            "comparisons": comparisons_of(inputs),
            "benchmarks": benchmarks(inputs),
            "trends": trends(estimates, catalogue),
            "errata": errata(inputs),
            "reconciliation": reconciliation(inputs),
        }
        made["narrowed"] = inputs.narrowed_to(made["comparisons"])
        for name, frame in made.items():
            frame.to_parquet(folder / f"{name}.parquet", index=False)
        counted: Metadata = {"rows": len(made["comparisons"])}
        verdicts = made["comparisons"]["verdict"].value_counts()
        return counted | {str(key): int(number) for key, number in sorted(verdicts.items())}

    return product_step("comparisons", catalogue, work)


def unit_ids(wave: str, catalogue: Catalogue) -> list[str]:
    """The ids of a wave's units, as it was last harmonised; none of a wave that was not yet."""
    path = wave_folder(catalogue.root, "harmonised_wave", wave) / "answers.parquet"
    return pd.read_parquet(path, columns=["unit"])["unit"].tolist() if path.is_file() else []


def sum_microdata(wave: str, catalogue: Catalogue, scope: Mapping[str, tuple[str, ...]]) -> Cells:
    """A wave's sums from its microdata: of the indicators of a catalogue and of the units in a scope.

    They are kept in a folder per scope until the wave or the indicators change.
    """
    declared = catalogue.waves[wave]
    weighted = wave_folder(catalogue.root, "weighted_wave", wave)

    def work(folder: Path) -> Metadata:
        chosen = [(name, "in", codes) for name, codes in scope.items()]
        answers = pd.read_parquet(weighted / "answers.parquet", filters=chosen) if scope else None
        cells = wave_statistics(weighted / "codes.arrow" if answers is None else answers, declared, catalogue)
        write_cells(cells, folder)
        measures = sum(len(each.plan.measures) for each in cells.by_weight)
        return {"rows": len(cells.frame), "measures": measures}

    folder = shared_folder(catalogue.root, wave, fingerprint(scope)[:12] if scope else "everyone")
    make(folder, shared_input(declared, catalogue, scope), work, needed=SUMS)
    return read_cells(folder)


def published_comparisons(
    catalogue: Catalogue, estimates: pd.DataFrame, protected: pd.DataFrame
) -> dict[str, pd.DataFrame]:
    """The tables of comparisons as they may be published beside these estimates, unrounded and protected."""
    return published(Compared(**_stored(catalogue, STORED_FOR_PUBLICATION)), estimates, protected, catalogue)


def unrounded_comparisons(catalogue: Catalogue) -> dict[str, pd.DataFrame]:
    """The tables of the schema ``statistics``, which are never published."""
    return _stored(catalogue, UNROUNDED_TABLES)


def _stored(catalogue: Catalogue, names: tuple[str, ...]) -> dict[str, pd.DataFrame]:
    folder = product_folder(catalogue.root, "comparisons")
    return {name: pd.read_parquet(folder / f"{name}.parquet") for name in names}
