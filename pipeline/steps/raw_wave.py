"""The first step of a wave: its raw file, fetched, pinned and read."""

from __future__ import annotations

from pathlib import Path

from pipeline.catalogue import Catalogue, Wave
from pipeline.sources import fetch, read_raw
from pipeline.staleness.files import hash_of_file
from pipeline.staleness.outputs import Metadata, StepResult, write_json
from pipeline.steps.wave_step import wave_step

FILE_METADATA = "raw.json"  # what the raw file says of its columns, beside raw.parquet


def raw_wave(wave: str, catalogue: Catalogue) -> StepResult:
    """Pin a wave's raw file to its declared hash; keep every cell as text, and what the file says of it."""

    def work(folder: Path, declared: Wave) -> Metadata:
        path = fetch(declared, catalogue.root)
        table = read_raw(path, declared.source)
        frame = table.frame
        frame.to_parquet(folder / "raw.parquet", index=False)
        table.metadata.write(folder / FILE_METADATA)
        facts: Metadata = {"rows": len(frame), "columns": frame.shape[1], "bytes": path.stat().st_size}
        facts |= {"file": declared.source.file, "sha256": hash_of_file(path)}
        write_json(folder / "receipt.json", facts)
        return facts

    return wave_step("raw_wave", wave, catalogue, work)
