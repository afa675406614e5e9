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
import pyarrow.parquet as pq

from pipeline.catalogue.model import Catalogue, Wave
from pipeline.estimation.engine import DuckDB, Engine
from pipeline.estimation.passes import Spread, by_adding, by_counting
from pipeline.estimation.plan import Measure, Plan, plan_wave

DESIGN = {"stratum": "stratum", "psu": "psu", "base_weight": "d", "weight": "w"}
FEW_GROUPS = 20_000


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
    columns = {**DESIGN, **plan.columns}
    source = weighted if isinstance(weighted, Path) else _table(weighted, list(columns))
    engine.register("answers", source, columns)
    rows, largest, spreads = _look(engine, plan)
    keys = ["stratum", *(["psu"] if plan.clustered else []), *(plan.columns[name] for name in plan.cell)]
    if rows <= FEW_GROUPS or _groups(engine, keys) <= max(FEW_GROUPS, rows // 4):
        frame = by_counting(engine, plan, keys, spreads)
    else:
        frame = by_adding(engine, plan, keys, largest, spreads)
    named = {plan.columns[name]: name for name in plan.cell}
    frame = frame.rename(columns=named)
    frame = frame.sort_values([named.get(key, key) for key in keys], kind="stable", ignore_index=True)
    return Cells(frame, plan, {number: spread.centre for number, spread in spreads.items()})


def _table(frame: pd.DataFrame, names: list[str]) -> pa.Table:
    return pa.table({name: pa.array(frame[name], from_pandas=True) for name in names})


def _look(engine: Engine, plan: Plan) -> tuple[int, float, dict[int, Spread]]:
    """Rows, the largest weight and the range of every numeric measure: none depends on the order of rows."""
    means = {number: measure for number, measure in enumerate(plan.measures) if measure.unit == "mean"}
    wanted = ["count(*) AS n", "max(w) AS w"]
    for number, measure in means.items():
        value = f"CAST(CASE WHEN {measure.mask} THEN {measure.value} END AS DOUBLE)"
        wanted += [f"min({value}) AS low{number}", f"max({value}) AS high{number}"]
    (row,) = engine.query(f"SELECT {', '.join(wanted)} FROM answers").to_pylist()
    spreads = {}
    for number in means:
        low, high = row[f"low{number}"] or 0.0, row[f"high{number}"] or 0.0
        spreads[number] = Spread((low + high) / 2, (high - low) / 2)
    return row["n"], row["w"] or 1.0, spreads


def _groups(engine: Engine, keys: list[str]) -> int:
    by = ", ".join([*keys, "w", "d"])
    (row,) = engine.query(
        f"SELECT count(*) AS n FROM (SELECT {by} FROM answers GROUP BY {by}) AS g"
    ).to_pylist()
    return int(row["n"])


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
        measures=tuple(Measure(**measure) for measure in stored["measures"]),
    )
    centres = {int(number): float(centre) for number, centre in stored["centres"].items()}
    return Cells(pq.read_table(folder / "cells.parquet").to_pandas(), plan, centres)
