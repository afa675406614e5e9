"""Writing one data package: made beside the old one, validated there, swapped in whole.

Here belongs the order of things. What a file says belongs to ``files``, ``descriptor`` and ``readme``,
what must hold to ``checks``. A package takes published tables and nothing else.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pyarrow as pa

from pipeline.arrow import arrow
from pipeline.catalogue import Catalogue, Package
from pipeline.contracts import conform
from pipeline.faults import FaultError
from pipeline.release.checks import SUMS, check_package
from pipeline.release.descriptor import descriptor
from pipeline.release.files import checksums, csv_bytes, parquet_bytes
from pipeline.release.readme import licence_text, readme
from pipeline.release.tables import PUBLISHED
from pipeline.swap import swapped_in


def candidate(root: Path, package: Package) -> Path:
    """Where the candidate of a package lies."""
    return root / "warehouse" / "candidate" / package.key


def write_package(
    root: Path, catalogue: Catalogue, package: Package, tables: Mapping[str, pd.DataFrame]
) -> Path:
    """Write and validate a package, then put it in the place of the former candidate.

    ``tables``: what ``published_tables`` gives for this package. Raises FaultError, and leaves the former
    candidate as it was, when a table breaks its contract or the package does not pass its validation.
    """
    rows = {name: arrow(conform(tables[name], name), name) for name in PUBLISHED}
    target = candidate(root, package)
    with swapped_in(target) as fresh:
        _write(fresh, catalogue, package, rows)
        if faults := check_package(fresh):
            place = target.relative_to(root).as_posix()
            raise FaultError(replace(fault, file=f"{place}/{fault.file}") for fault in faults)
    return target


def _write(folder: Path, catalogue: Catalogue, package: Package, rows: Mapping[str, pa.Table]) -> None:
    (folder / "data").mkdir()
    for name, table in rows.items():
        (folder / "data" / f"{name}.csv").write_bytes(csv_bytes(table))
        (folder / "data" / f"{name}.parquet").write_bytes(parquet_bytes(table))
    waves = [catalogue.waves[key] for key in rows["waves"]["wave"].to_pylist()]
    described = descriptor(catalogue, package, waves, folder, rows)
    texts = {
        "datapackage.json": json.dumps(described, ensure_ascii=False, indent=2) + "\n",
        "README.md": readme(catalogue, described, {name: len(table) for name, table in rows.items()}),
        "LICENSE": licence_text(catalogue.barometer.licence),
    }
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8", newline="\n")
    names = [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]
    (folder / SUMS).write_text(checksums(folder, names), encoding="utf-8", newline="\n")
