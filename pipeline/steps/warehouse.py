"""The step that builds the warehouse, of what has passed the audit of the candidate packages."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from pipeline import warehouse as database
from pipeline.catalogue import Catalogue
from pipeline.contracts import conform, table
from pipeline.release import published_tables
from pipeline.release.tables import COMPARED
from pipeline.staleness.fingerprint import Sound
from pipeline.staleness.outputs import Metadata, StepResult, product_folder, wave_folder, wave_report
from pipeline.steps.candidates import every_revision
from pipeline.steps.comparisons import unrounded_comparisons
from pipeline.steps.product_step import product_step, units_of
from pipeline.steps.shared_read import remove_unused_reads


def warehouse(catalogue: Catalogue) -> StepResult:
    """barometer.duckdb: microdata, statistics, and the published tables as the candidates hold them."""

    def work(folder: Path, sound: Sound) -> Metadata:
        remove_unused_reads(catalogue)
        root = catalogue.root
        made = pd.read_parquet(product_folder(root, "estimates") / "estimates.parquet")
        packed = product_folder(root, "data_package")
        protected = pd.read_parquet(packed / "estimates.parquet")
        compared = {name: pd.read_parquet(packed / f"{name}.parquet") for name in COMPARED}
        units = units_of(sound, catalogue)
        published = published_tables(catalogue, protected, units, compared=compared)
        published["revisions"] = every_revision(catalogue, published["estimates"])
        measured = [wave for wave in units if catalogue.waves[wave].is_microdata]
        answers = [wave_folder(root, "weighted_wave", wave) / "answers.parquet" for wave in measured]
        quarantine = [wave_folder(root, "harmonised_wave", wave) / "quarantine.parquet" for wave in measured]
        path = database.build(
            root,
            catalogue,
            made,
            published,
            answers=answers,
            quarantine=quarantine,
            inside={
                **unrounded_comparisons(catalogue),
                "item_nonresponse": _item_nonresponse(measured, catalogue),
            },
        )
        return {"rows": len(protected), "tables": len(published), "bytes": path.stat().st_size}

    return product_step("warehouse", catalogue, work)


def _item_nonresponse(waves: Sequence[str], catalogue: Catalogue) -> pd.DataFrame:
    """The counts of every wave's questions as their stored table."""
    rows = [
        {"wave": wave, "question": question, **counts}
        for wave in waves
        for question, counts in wave_report(catalogue.root, "harmonised_wave", wave)[
            "item_nonresponse"
        ].items()
    ]
    columns = [field["name"] for field in table("item_nonresponse")["fields"]]
    return conform(pd.DataFrame(rows, columns=columns), "item_nonresponse")
