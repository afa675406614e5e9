"""The step that packs: the candidate of every package that holds a wave."""

from __future__ import annotations

import shutil
from collections.abc import Collection
from pathlib import Path

import pandas as pd

from pipeline.catalogue import Catalogue
from pipeline.release import published_tables
from pipeline.release.tables import COMPARED
from pipeline.staleness.fingerprint import Sound
from pipeline.staleness.outputs import Metadata, StepResult, product_folder, write_json
from pipeline.steps.candidates import make_candidate
from pipeline.steps.product_step import product_step, units_of


def data_package(catalogue: Catalogue) -> StepResult:
    """The candidate data packages, one a status: what the next release would publish, validated."""

    def work(folder: Path, sound: Sound) -> Metadata:
        built = product_folder(catalogue.root, "warehouse")
        protected = pd.read_parquet(built / "estimates.parquet")
        compared = {name: pd.read_parquet(built / f"{name}.parquet") for name in COMPARED}
        units = units_of(sound, catalogue)
        rows: Metadata = {}
        guesses: Metadata = {}  # a draft says so in Dagster, too
        for key, package in catalogue.barometer.packages.items():
            tables = published_tables(catalogue, protected, units, package, compared)
            if len(tables["waves"]):
                write_json(folder / f"{key}.audit.json", make_candidate(catalogue, package, tables))
                rows[key] = len(tables["estimates"])
                waves = [catalogue.waves[wave] for wave in tables["waves"]["wave"]]
                guesses[f"unconfirmed in {key}"] = len(catalogue.unconfirmed_of(waves))
        _remove_others(catalogue.path("warehouse", "candidate"), rows)
        return {"packages": len(rows), **{f"rows in {key}": count for key, count in rows.items()}, **guesses}

    return product_step("data_package", catalogue, work)


def _remove_others(candidates: Path, kept: Collection[str]) -> None:
    """Candidates of packages that no longer hold a wave are not left to be mistaken for current ones."""
    for folder in candidates.glob("*/"):
        if folder.name not in kept:
            shutil.rmtree(folder)
