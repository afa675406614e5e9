"""The first step of a wave: its raw file, fetched, pinned and read."""

from __future__ import annotations

from pathlib import Path

from pipeline.catalogue import Catalogue, Wave
from pipeline.sources import fetch
from pipeline.staleness.files import hash_of_file
from pipeline.staleness.outputs import Metadata, StepResult, write_json
from pipeline.steps.shared_read import FILE_METADATA, TABLE, read_rows
from pipeline.steps.wave_step import wave_step

RECEIPT = "receipt.json"


def raw_wave(wave: str, catalogue: Catalogue) -> StepResult:
    """Pin a wave's raw file to its declared hash; keep every cell of its rows as text, labelled with the
    row's place in the file, and what the file says of its columns."""

    def work(folder: Path, declared: Wave) -> Metadata:
        path = fetch(declared, catalogue.root)
        table, rows_in_file = read_rows(path, declared, catalogue.root)
        frame = table.frame
        frame.to_parquet(folder / TABLE)
        table.metadata.write(folder / FILE_METADATA)
        facts: Metadata = {"rows": len(frame), "rows_in_file": rows_in_file, "columns": frame.shape[1]}
        facts |= {"bytes": path.stat().st_size, "file": declared.source.file, "sha256": hash_of_file(path)}
        write_json(folder / RECEIPT, facts)
        return facts

    return wave_step("raw_wave", wave, catalogue, work)
