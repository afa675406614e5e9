"""The one pass over a wave's microdata: sums by stratum and finest cell.

The sums are additive over rows, cells, strata and files, and exact: units are counted, and where
weights must be added they are added as whole numbers (``passes``). So the same wave gives the same bits
whatever the order of its rows and the number of threads.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.catalogue.model import Catalogue, Wave
from pipeline.estimation.encoding import decoded, encoded
from pipeline.estimation.engine import DuckDB, Engine
from pipeline.estimation.passes import Spread, by_adding, by_counting
from pipeline.estimation.plan import Measure, Plan, plan_wave

FEW = 20_000  # rows, of which any grouping is quick


@dataclass(frozen=True)
class Cells:
    """The sums of a wave, one row a cell, ordered by its key.

    Key columns: ``stratum``, ``psu`` (clustered designs) and ``plan.cell``. Sums: ``n, w, q, d``
    (units, weights, squared weights, start weights) of everyone; ``b<i>_n, _w, _q`` of those whom mask
    i counts; ``y<j>_m, _w, _q`` of measure j (units, w*y, w^2*y). A mean adds ``_wyy`` (w*y^2) and
    ``_qyy`` (w^2*y^2), with y counted from ``centres[j]`` to keep every digit of its variance.
    """

    frame: pd.DataFrame
    plan: Plan
    centres: Mapping[int, float]


def wave_statistics(
    weighted: Path | pd.DataFrame, wave: Wave, catalogue: Catalogue, engine: Engine | None = None
) -> Cells:
    """Sums of a microdata wave from its weighted answers (a Parquet file or a frame, one row a unit)."""
    if engine is None:
        with DuckDB() as duck:
            return wave_statistics(weighted, wave, catalogue, duck)
    plan = plan_wave(wave, catalogue)
    table = encoded(weighted, plan, catalogue)
    spreads = {
        number: _spread(table, measure)
        for number, measure in enumerate(plan.measures)
        if measure.unit == "mean"
    }
    engine.register("answers", table)
    keys = ["stratum", *(["psu"] if plan.clustered else []), *(plan.columns[name] for name in plan.cell)]
    if table.num_rows <= FEW or pc.count_distinct(table["w"]).as_py() <= table.num_rows // 20:
        frame = by_counting(engine, plan, keys, spreads)
    else:
        frame = by_adding(engine, plan, keys, pc.max(table["w"]).as_py(), spreads)
    frame = frame.sort_values(keys, kind="stable", ignore_index=True)
    frame = frame.rename(columns={plan.columns[name]: name for name in plan.cell})
    for name in plan.cell:
        frame[name] = decoded(frame[name], name, catalogue)
    return Cells(frame, plan, {number: spread.centre for number, spread in spreads.items()})


def _spread(table: pa.Table, measure: Measure) -> Spread:
    """The middle and half the range of a mean's numbers; neither depends on the order of the rows."""
    low, high = measure.scores or (pc.min(table[measure.value]).as_py(), pc.max(table[measure.value]).as_py())
    return Spread(((low or 0.0) + (high or 0.0)) / 2, ((high or 0.0) - (low or 0.0)) / 2)


def write_cells(cells: Cells, folder: Path) -> None:
    """Writes ``cells.parquet`` and ``plan.json`` into an existing folder."""
    pq.write_table(pa.Table.from_pandas(cells.frame, preserve_index=False), folder / "cells.parquet")
    plan = asdict(cells.plan) | {"centres": {str(number): centre for number, centre in cells.centres.items()}}
    (folder / "plan.json").write_text(json.dumps(plan, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def read_cells(folder: Path) -> Cells:
    """Reads what ``write_cells`` wrote."""
    stored = json.loads((folder / "plan.json").read_text(encoding="utf-8"))
    plan = Plan(
        columns=stored["columns"],
        cell=tuple(stored["cell"]),
        margins=tuple(tuple(margin) for margin in stored["margins"]),
        clustered=stored["clustered"],
        measures=tuple(
            Measure(**{**measure, "scores": tuple(measure["scores"])}) for measure in stored["measures"]
        ),
    )
    centres = {int(number): float(centre) for number, centre in stored["centres"].items()}
    return Cells(pq.read_table(folder / "cells.parquet").to_pandas(), plan, centres)
