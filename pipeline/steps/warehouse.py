"""The step that protects the estimates and builds the warehouse."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from pipeline import warehouse as database
from pipeline.catalogue import Catalogue
from pipeline.disclosure import protect
from pipeline.release import published_tables
from pipeline.staleness.fingerprint import Sound
from pipeline.staleness.outputs import Metadata, StepResult, product_folder, wave_folder
from pipeline.steps.candidates import every_revision
from pipeline.steps.comparisons import published_comparisons, unrounded_comparisons
from pipeline.steps.product_step import product_step, units_of
from pipeline.steps.shared_read import remove_unused_reads


def warehouse(catalogue: Catalogue) -> StepResult:
    """barometer.duckdb: microdata, statistics and published tables; beside it, the estimates as published."""

    def work(folder: Path, sound: Sound) -> Metadata:
        remove_unused_reads(catalogue)
        made = pd.read_parquet(product_folder(catalogue.root, "estimates") / "estimates.parquet")
        protected = protect(made, catalogue)
        protected.to_parquet(folder / "estimates.parquet", index=False)
        units = units_of(sound, catalogue)
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

    return product_step("warehouse", catalogue, work)
