"""The second step of a wave: its answers in the codebook's variables and codes."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from pipeline.catalogue import Catalogue, Wave
from pipeline.harmonise import harmonise, harmonise_figures
from pipeline.sources import FileMetadata
from pipeline.staleness.outputs import Metadata, StepResult, read_json, wave_folder, write_json
from pipeline.steps.extremes import refuse_extremes
from pipeline.steps.raw_wave import RECEIPT
from pipeline.steps.shared_read import FILE_METADATA, TABLE
from pipeline.steps.wave_step import plain_values, wave_step


def harmonised_wave(wave: str, catalogue: Catalogue) -> StepResult:
    """Map a wave's answers to the codebook, bad rows to quarantine; or check its published figures."""

    def work(folder: Path, declared: Wave) -> Metadata:
        before = wave_folder(catalogue.root, "raw_wave", wave)
        raw = pd.read_parquet(before / TABLE)
        if not declared.is_microdata:
            figures = harmonise_figures(raw, declared, catalogue)
            refuse_extremes(figures, declared, "source.file", "figures")
            figures.to_parquet(folder / "figures.parquet", index=False)
            write_json(folder / "report.json", {"rows": len(figures)})
            return {"rows": len(figures)}
        made = harmonise(raw, declared, catalogue, FileMetadata.read(before / FILE_METADATA))
        made.answers.to_parquet(folder / "answers.parquet", index=False)
        made.quarantine.to_parquet(folder / "quarantine.parquet", index=False)
        in_file = int(read_json(before / RECEIPT)["rows_in_file"])
        report = {"rows_in_file": in_file, "rows_of_other_waves": in_file - len(raw), **made.report}
        write_json(folder / "report.json", report)
        return plain_values(report) | {"rows": len(made.answers), "columns": made.answers.shape[1]}

    return wave_step("harmonised_wave", wave, catalogue, work)
