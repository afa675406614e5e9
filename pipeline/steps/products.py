"""The barometer-wide steps: estimates of every sound wave, the warehouse, the candidate packages.

A wave that is at fault or out of date is left out and named, and never stops the others. What an
estimate is, how the warehouse is laid out and what a package holds belong to the rooms below.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Collection
from pathlib import Path

import pandas as pd

from pipeline import warehouse as database
from pipeline.catalogue import Catalogue, Package, Wave
from pipeline.disclosure import protect
from pipeline.estimation import KEY, estimate_wave, figures_estimates, read_cells
from pipeline.faults import Fault, FaultError
from pipeline.release import published_tables
from pipeline.release.package import candidate
from pipeline.release.tables import COMPARED
from pipeline.steps.candidates import every_revision, make_candidate
from pipeline.steps.comparisons import comparisons, published_comparisons, unrounded_comparisons
from pipeline.steps.folders import (
    METADATA,
    Metadata,
    StepResult,
    make,
    product_folder,
    read_json,
    wave_folder,
    write_json,
)
from pipeline.steps.inputs import Sound, product_inputs, product_outputs, sound_waves


def estimates(catalogue: Catalogue) -> StepResult:
    """Every sound wave's estimates in one table, unrounded and unsuppressed: never for readers."""

    def work(folder: Path, sound: Sound) -> Metadata:
        if not sound:
            raise FaultError(
                Fault(
                    file="schemas/waves",
                    key="",
                    message="no wave is built, so there is nothing to estimate",
                    mend="Mend the waves' faults, or declare a wave, and run `barometer run`.",
                )
            )
        frame = pd.concat([_estimates_of(catalogue.waves[wave], catalogue) for wave in sound])
        frame.sort_values(KEY, kind="stable").to_parquet(folder / "estimates.parquet", index=False)
        left_out = ", ".join(wave for wave in catalogue.waves if wave not in sound)
        return {"rows": len(frame), "waves": len(sound), "left out": left_out or "none"}

    return _step("estimates", catalogue, work)


def warehouse(catalogue: Catalogue) -> StepResult:
    """barometer.duckdb: microdata, statistics and published tables; beside it, the estimates as published."""

    def work(folder: Path, sound: Sound) -> Metadata:
        made = pd.read_parquet(product_folder(catalogue.root, "estimates") / "estimates.parquet")
        protected = protect(made, catalogue)
        protected.to_parquet(folder / "estimates.parquet", index=False)
        units = _units(sound, catalogue)
        compared = published_comparisons(catalogue, made, protected)
        for name, frame in compared.items():
            frame.to_parquet(folder / f"{name}.parquet", index=False)
        published = published_tables(catalogue, protected, units, compared=compared)
        published["revisions"] = every_revision(catalogue, published["estimates"])
        measured = [wave for wave in units if catalogue.waves[wave].is_microdata]
        answers = [
            wave_folder(catalogue.root, "weighted_wave", wave) / "answers.parquet" for wave in measured
        ]
        quarantine = [
            wave_folder(catalogue.root, "harmonised_wave", wave) / "quarantine.parquet" for wave in measured
        ]
        path = database.build(
            catalogue.root,
            catalogue,
            made,
            published,
            answers=answers,
            quarantine=quarantine,
            inside=unrounded_comparisons(catalogue),
        )
        hidden = int((protected["obs_status"] == "Q").sum())
        return {
            "rows": len(protected),
            "suppressed": hidden,
            "tables": len(published),
            "bytes": path.stat().st_size,
        }

    return _step("warehouse", catalogue, work)


def data_package(catalogue: Catalogue) -> StepResult:
    """The candidate data packages, one a status: what the next release would publish, validated."""

    def work(folder: Path, sound: Sound) -> Metadata:
        built = product_folder(catalogue.root, "warehouse")
        protected = pd.read_parquet(built / "estimates.parquet")
        compared = {name: pd.read_parquet(built / f"{name}.parquet") for name in COMPARED}
        units = _units(sound, catalogue)
        rows: Metadata = {}
        for key, package in catalogue.barometer.packages.items():
            tables = published_tables(catalogue, protected, units, package, compared)
            if len(tables["waves"]):
                write_json(folder / f"{key}.audit.json", make_candidate(catalogue, package, tables))
                rows[key] = len(tables["estimates"])
        _remove_others(catalogue.path("warehouse", "candidate"), rows)
        return {"packages": len(rows)} | {f"rows in {key}": count for key, count in rows.items()}

    return _step("data_package", catalogue, work)


def package_alone(catalogue: Catalogue, package: Package) -> Path:
    """The candidate of one package, straight from its waves; the warehouse is not built for it."""
    estimates(catalogue)
    comparisons(catalogue)
    made = pd.read_parquet(product_folder(catalogue.root, "estimates") / "estimates.parquet")
    units, protected = _units(sound_waves(catalogue), catalogue), protect(made, catalogue)
    compared = published_comparisons(catalogue, made, protected)
    make_candidate(catalogue, package, published_tables(catalogue, protected, units, package, compared))
    return candidate(catalogue.root, package)


def _step(step: str, catalogue: Catalogue, work: Callable[[Path, Sound], Metadata]) -> StepResult:
    if faults := catalogue.shared_faults:
        raise FaultError(faults)
    sound = sound_waves(catalogue)
    return make(
        product_folder(catalogue.root, step),
        product_inputs(catalogue, sound)[step],
        lambda fresh: work(fresh, sound),
        product_outputs(step, catalogue, sound),
    )


def _estimates_of(wave: Wave, catalogue: Catalogue) -> pd.DataFrame:
    if wave.is_microdata:
        return estimate_wave(
            read_cells(wave_folder(catalogue.root, "wave_statistics", wave.key)), wave, catalogue
        )
    figures = wave_folder(catalogue.root, "harmonised_wave", wave.key) / "figures.parquet"
    return figures_estimates(
        pd.read_parquet(figures), wave, catalogue.indicators, catalogue.barometer.estimation
    )


def _units(sound: Sound, catalogue: Catalogue) -> dict[str, int]:
    """The sound waves with the units that their estimates rest on; 0 for published figures."""
    return {wave: _rows(wave, catalogue) if catalogue.waves[wave].is_microdata else 0 for wave in sound}


def _rows(wave: str, catalogue: Catalogue) -> int:
    return int(read_json(wave_folder(catalogue.root, "weighted_wave", wave) / METADATA)["rows"])


def _remove_others(candidates: Path, kept: Collection[str]) -> None:
    """Candidates of packages that no longer hold a wave are not left to be mistaken for current ones."""
    for folder in candidates.glob("*/"):
        if folder.name not in kept:
            shutil.rmtree(folder)
