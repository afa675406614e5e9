"""The catalogue site: of the bundled barometer, and of a hundred waves. Needs the packages of `barometer
run`.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from benchmarks import report
from benchmarks.task import folder
from pipeline import workers
from pipeline.catalogue import Catalogue, Wave, load_catalogue
from pipeline.site import build_site

ROOT = Path(__file__).parents[1]
COPIES, TARGET = 9, 30.0
KEYS = ("wave", "wave_a", "wave_b", "survey", "first_wave", "last_wave")


def run() -> None:
    """Seconds of one processor, pages, bytes and the heaviest page."""
    packages = sorted(path.parent for path in ROOT.glob("warehouse/candidate/[!.]*/datapackage.json"))
    if not packages:
        raise SystemExit("There are no packages yet: run `make run` first.")
    catalogue = load_catalogue(ROOT)
    workers.MAX_WORKERS = 1  # all in this process, whose seconds are counted
    with folder() as root:
        rows = [_measured("bundled", catalogue, packages, root / "bundled")]
        many, package = _many(catalogue, packages[-1], root)
        rows.append(_measured(f"{len(many.waves)} waves", many, [package], root / "many"))
    report.keep("site", "The site, in six languages (processor seconds)", rows)


def _measured(name: str, catalogue: Catalogue, packages: Sequence[Path], target: Path) -> dict[str, Any]:
    target.mkdir()
    started = time.process_time()
    written = build_site(catalogue, packages, target)
    seconds = report.digits(time.process_time() - started)
    sizes = [path.stat().st_size for path in target.rglob("*.html")]
    return {
        "barometer": name,
        "seconds": seconds,
        "pages": written["pages"],
        "charts": written["charts"],
        "heaviest page (kB)": round(max(sizes) / 1000),
        "all pages (MB)": round(sum(sizes) / 1e6),
        "target": TARGET,
    }


def _many(catalogue: Catalogue, package: Path, root: Path) -> tuple[Catalogue, Path]:
    """The waves of a package several times over, each copy with surveys of its own."""
    target = root / "copies" / package.name
    (target / "data").mkdir(parents=True)
    shutil.copy(package / "datapackage.json", target)
    for path in sorted(package.glob("data/*.parquet")):
        table = pq.ParquetFile(path).read()
        keyed = [name for name in KEYS if name in table.column_names]
        copies = [_copy(table, keyed, copy) for copy in range(COPIES)] if keyed else [table]
        pq.write_table(pa.concat_tables(copies), target / "data" / path.name)
    waves = pq.read_table(package / "data" / "waves.parquet")["wave"].to_pylist()
    made: dict[str, Wave] = {}
    for copy in range(COPIES):
        for key in waves:
            wave = catalogue.waves[key]
            made[f"{key}-{copy}"] = replace(wave, key=f"{key}-{copy}", survey=f"{wave.survey}-{copy}")
    return replace(catalogue, root=root, waves=made), target


def _copy(table: pa.Table, keyed: Sequence[str], copy: int) -> pa.Table:
    for name in keyed:
        named = pc.binary_join_element_wise(table[name], f"-{copy}", "")
        table = table.set_column(table.column_names.index(name), name, named)
    return table
