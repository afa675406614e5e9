"""A raw file that several waves were delivered in: read once, and kept as it was read.

Each such file has a folder of its own in ``warehouse/read``, by its hash and the way it is read.
"""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from filelock import FileLock

from pipeline.catalogue import Catalogue, Source, Wave, fingerprint
from pipeline.sources import FileMetadata, RawTable, read_raw, rows_of
from pipeline.staleness.code import code_of, libraries
from pipeline.staleness.outputs import Metadata, make

TABLE, FILE_METADATA = "raw.parquet", "raw.json"
READER = "sources.readers"  # whose code the table depends on


def read_rows(path: Path, wave: Wave, root: Path) -> tuple[RawTable, int]:
    """A wave's rows of its raw file, labelled with their place in the file; and how many rows the file has.

    A wave that has the whole file reads it; the others take their rows from the table that the first of them
    kept. Raises ProblemError as ``read_raw`` and ``rows_of`` do.
    """
    if not wave.source.rows:
        table = read_raw(path, wave.source)
        return table, len(table.frame)
    key = _key(wave.source)
    folder = reads(root) / key[:16]
    folder.parent.mkdir(parents=True, exist_ok=True)

    def read(fresh: Path) -> Metadata:
        table = read_raw(path, _whole(wave.source))
        table.frame.to_parquet(fresh / TABLE, index=False)
        table.metadata.write(fresh / FILE_METADATA)
        return {"rows": len(table.frame), "columns": table.frame.shape[1]}

    with FileLock(folder.with_name(f".{folder.name}.lock")):  # without limit: the read itself has one
        make(folder, key, read)
        there = pq.read_schema(folder / TABLE).names
        cells = pq.read_table(folder / TABLE, columns=[name for name in wave.source.rows if name in there])
        names = pa.schema([(name, pa.string()) for name in there]).empty_table().to_pandas()
        metadata = FileMetadata.read(folder / FILE_METADATA)
        found = cells.to_pandas() if cells.num_columns else names
        chosen = rows_of(found, wave.source, wave.key, metadata)
        places = chosen.nonzero()[0]
        frame = pq.read_table(folder / TABLE).filter(pa.array(chosen)).to_pandas().set_index(places)
        return RawTable(frame, metadata), len(chosen)


def reads(root: Path) -> Path:
    """The folder of the files that are kept as they were read."""
    return root / "warehouse" / "read"


def remove_unused_reads(catalogue: Catalogue) -> None:
    """Remove what no declared wave takes its rows from any more."""
    used = {_key(wave.source)[:16] for wave in catalogue.waves.values() if wave.source.rows}
    for folder in reads(catalogue.root).glob("[!.]*"):
        if folder.name not in used:
            shutil.rmtree(folder, ignore_errors=True)
            folder.with_name(f".{folder.name}.lock").unlink(missing_ok=True)


def _key(source: Source) -> str:
    return fingerprint(_whole(source), code_of(READER), libraries())


def _whole(source: Source) -> Source:
    """The file itself, without what a wave makes of it."""
    return replace(source, rows={}, choices={})
