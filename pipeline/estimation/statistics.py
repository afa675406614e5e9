"""The one pass over a wave's microdata: sums by stratum and finest cell.

The sums are additive: over rows, cells, strata and files. Rows come ordered by unit and one thread adds
them, so that the same wave gives the same bits on every machine.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.catalogue.model import Catalogue, Wave
from pipeline.estimation.plan import Measure, Plan, plan_wave

DESIGN = ("stratum", "psu", "population", "base_weight", "weight")


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


def wave_statistics(weighted: pd.DataFrame, wave: Wave, catalogue: Catalogue) -> Cells:
    """Sums of a microdata wave from its weighted answers (one row a unit)."""
    plan = plan_wave(wave, catalogue)
    ordered = weighted.sort_values("unit", kind="stable")
    table = pa.table(
        {
            **{name: pa.array(ordered[name], from_pandas=True) for name in DESIGN},
            **{alias: pa.array(ordered[name], from_pandas=True) for name, alias in plan.columns.items()},
        }
    )
    with duckdb.connect(":memory:", config={"threads": 1}) as connection:
        connection.register("answers", table)
        centres = {
            number: _centre(connection, measure)
            for number, measure in enumerate(plan.measures)
            if measure.unit == "mean"
        }
        frame = connection.sql(statistics_sql(plan, centres)).to_arrow_table().to_pandas()
    named = {plan.columns[name]: name for name in plan.cell}
    keys = ["stratum", *(["psu"] if plan.clustered else []), *plan.cell]
    frame = frame.rename(columns=named).sort_values(keys, kind="stable", ignore_index=True)
    return Cells(frame, plan, centres)


def _centre(connection: duckdb.DuckDBPyConnection, measure: Measure) -> float:
    """The median: it needs no sum, so it does not depend on the order of the rows."""
    rows = connection.execute(f"SELECT median({measure.value}) FROM answers WHERE {measure.mask}").fetchall()
    return float(rows[0][0]) if rows[0][0] is not None else 0.0


def statistics_sql(plan: Plan, centres: Mapping[int, float]) -> str:
    """The query of the one pass, in the SQL that DuckDB, Spark and Sail share.

    The inner query turns conditions into 1.0, 0.0 and NULL; the outer one only multiplies and adds
    (a FILTER on every aggregate is many times slower with hundreds of them).
    """
    keys = ["stratum", *(["psu"] if plan.clustered else []), *(plan.columns[name] for name in plan.cell)]
    masks = {mask: f"b{number}" for number, mask in enumerate(plan.masks)}
    inner = [*keys, "base_weight AS d", "weight AS w", "weight * weight AS w2"]
    inner += [f"CASE WHEN {mask} THEN 1.0E0 END AS {alias}" for mask, alias in masks.items()]
    outer = [*keys, "count(*) AS n", "sum(w) AS w", "sum(w2) AS q", "sum(d) AS d"]
    for alias in masks.values():
        outer += [f"count({alias}) AS {alias}_n"]
        outer += [
            f"coalesce(sum({alias} * {weight}), 0) AS {alias}_{name}"
            for weight, name in (("w", "w"), ("w2", "q"))
        ]
    for number, measure in enumerate(plan.measures):
        y = f"y{number}"
        if measure.unit == "mean":
            value = f"CAST({measure.value} AS DOUBLE) - {centres[number]!r}"
            sums = {"w": f"{y} * w", "q": f"{y} * w2", "wyy": f"{y} * {y} * w", "qyy": f"{y} * {y} * w2"}
            outer += [f"count({y}) AS {y}_m"]
        else:
            value = f"CASE WHEN {measure.value} THEN 1.0E0 ELSE 0.0E0 END"
            sums = {"m": y, "w": f"{y} * w", "q": f"{y} * w2"}
        inner += [f"CASE WHEN {measure.mask} THEN {value} END AS {y}"]
        outer += [f"coalesce(sum({expression}), 0) AS {y}_{name}" for name, expression in sums.items()]
    separator = ",\n  "
    return (
        f"SELECT\n  {separator.join(outer)}\n"
        f"FROM (\n  SELECT\n  {separator.join(inner)}\n  FROM answers\n) AS coded\n"
        f"GROUP BY {', '.join(keys)}"
    )


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


def matrix(frame: pd.DataFrame, names: list[str]) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """The named columns as one array (rows x names)."""
    return frame[names].to_numpy(dtype=np.float64, copy=False)
