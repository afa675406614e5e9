"""One peer on one task, in the peers' own environment: a job as JSON on stdin, seconds and numbers on stdout.

The way its users would do it: by item, breakdown and wave. Loading the data is not timed.
"""

from __future__ import annotations

import json
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from importlib.metadata import version
from typing import Any

import pandas as pd

Cell = tuple[str, str, str, str, float, float]  # wave, item, domain, code, p, se


class Task:
    """Items and breakdowns of some waves, a frame each."""

    def __init__(self, job: dict[str, Any]) -> None:
        self.items: list[str] = job["items"]
        self.breakdowns: dict[str, list[str]] = job["breakdowns"]
        self.frames = {wave: pd.read_parquet(path) for wave, path in job["waves"].items()}
        self.failed = 0

    def each(self) -> Iterator[tuple[str, pd.DataFrame, str, str, list[str]]]:
        for wave, frame in self.frames.items():
            for item in self.items:
                for domain, by in self.breakdowns.items():
                    yield wave, frame, item, domain, by


def as_categories(frame: pd.DataFrame) -> pd.DataFrame:
    """Keys as categories (enums in SQL), which these tools group much faster than texts."""
    texts = frame.select_dtypes(exclude="number").columns
    return frame.astype(dict.fromkeys(texts, "category"))


def code_of(values: Any) -> str:
    return "*".join(values) if isinstance(values, tuple) else str(values)


def with_pandas(task: Task) -> Callable[[], list[Cell]]:
    task.frames = {wave: as_categories(frame) for wave, frame in task.frames.items()}
    for frame in task.frames.values():
        frame["n_h"] = frame.groupby("stratum", observed=True)["w"].transform("size")

    def estimate() -> list[Cell]:
        cells: list[Cell] = []
        for wave, frame, item, domain, by in task.each():
            known = frame[frame[item].notna()]
            groups = by or ["all"]
            wy = (
                (known["w"] * known[item])
                .groupby([known[name] for name in groups], observed=True)
                .transform("sum")
            )
            w = known.groupby(groups, observed=True)["w"].transform("sum")
            p = wy / w
            z = known["w"] * (known[item] - p) / w
            made = known[[*groups, "stratum", "n_h", "N"]].assign(p=p, z=z, zz=z * z)
            strata = made.groupby([*groups, "stratum"], observed=True).agg(
                p=("p", "first"), z=("z", "sum"), zz=("zz", "sum"), n=("n_h", "first"), N=("N", "first")
            )
            factor = (1 - strata["n"] / strata["N"]) * strata["n"] / (strata["n"] - 1)
            strata["v"] = factor * (strata["zz"] - strata["z"] ** 2 / strata["n"])
            found = strata.groupby(level=groups, observed=True).agg(p=("p", "first"), v=("v", "sum"))
            cells += [
                (wave, item, domain, code_of(code) if by else "", p, max(v, 0) ** 0.5)
                for code, p, v in zip(found.index, found["p"], found["v"], strict=True)
            ]
        return cells

    return estimate


def with_sql(task: Task) -> Callable[[], list[Cell]]:
    import duckdb

    connection = duckdb.connect()
    frames = as_categories(pd.concat([frame.assign(wave=wave) for wave, frame in task.frames.items()]))
    connection.register("frames", frames)
    connection.execute("CREATE TABLE t AS SELECT * FROM frames")
    connection.execute("CREATE TABLE n AS SELECT wave, stratum, count(*) AS n_h FROM t GROUP BY ALL")

    def estimate() -> list[Cell]:
        cells: list[Cell] = []
        for item in task.items:
            for domain, by in task.breakdowns.items():
                keys = ", ".join(["wave", *by])
                connection.execute(
                    f"CREATE OR REPLACE TABLE p AS SELECT {keys}, sum(w * {item}) / sum(w) AS p, sum(w) AS total "
                    f"FROM t WHERE {item} IS NOT NULL GROUP BY {keys}"
                )
                rows = connection.execute(
                    f"WITH z AS (SELECT {keys}, stratum, any_value(N) AS pop, any_value(p) AS p, "
                    f"sum(w * ({item} - p) / total) AS z, sum((w * ({item} - p) / total) ** 2) AS zz "
                    f"FROM t JOIN p USING ({keys}) WHERE {item} IS NOT NULL GROUP BY {keys}, stratum) "
                    f"SELECT {keys}, any_value(p), "
                    "sum((1 - n_h / pop) * n_h / (n_h - 1) * (zz - z * z / n_h)) "
                    f"FROM z JOIN n USING (wave, stratum) GROUP BY {keys}"
                ).fetchall()
                cells += [
                    (row[0], item, domain, "*".join(row[1:-2]), row[-2], max(row[-1], 0) ** 0.5)
                    for row in rows
                ]
        return cells

    return estimate


def with_svy(task: Task) -> Callable[[], list[Cell]]:
    import polars
    import svy

    design = svy.Design(stratum="stratum", wgt="w", pop_size="N")
    kept = ["stratum", "w", "N", *task.items, *{name for by in task.breakdowns.values() for name in by}]
    samples = {
        wave: svy.Sample(polars.from_pandas(frame[kept]), design) for wave, frame in task.frames.items()
    }

    def estimate() -> list[Cell]:
        cells: list[Cell] = []
        for wave, _, item, domain, by in task.each():
            made = samples[wave].estimation.mean(item, by=by or None, drop_nulls=True).to_polars()
            cells += [
                (wave, item, domain, "*".join(row[name] for name in by), row["est"], row["se"])
                for row in made.iter_rows(named=True)
            ]
        return cells

    return estimate


def with_samplics(task: Task) -> Callable[[], list[Cell]]:
    from samplics import TaylorEstimator
    from samplics.utils.types import PopParam

    for frame in task.frames.values():
        for domain, by in task.breakdowns.items():
            if by:
                joined = frame[by[0]].astype(str)
                for name in by[1:]:
                    joined = joined + "*" + frame[name].astype(str)
                frame[f"by_{domain}"] = joined.astype(object)
        frame["stratum"] = frame["stratum"].astype(object)

    def estimate() -> list[Cell]:
        cells: list[Cell] = []
        task.failed = 0
        for wave, frame, item, domain, by in task.each():
            sizes = frame.groupby("stratum").agg(n=("w", "size"), N=("N", "first"))
            fraction = {stratum: float(1 - n / N) for stratum, n, N in sizes.itertuples()}
            estimator = TaylorEstimator(PopParam.mean)
            try:
                estimator.estimate(
                    y=frame[item], samp_weight=frame["w"], stratum=frame["stratum"], fpc=fraction,
                    domain=frame[f"by_{domain}"] if by else None, remove_nan=True,
                )  # fmt: skip
            except Exception:
                task.failed += 1
                continue
            points, errors = estimator.point_est, estimator.stderror
            if not by:
                points, errors = {"": points}, {"": errors}
            cells += [
                (wave, item, domain, str(code), float(points[code]), float(errors[code])) for code in points
            ]
        return cells

    return estimate


PEERS = {"pandas": with_pandas, "SQL": with_sql, "svy": with_svy, "samplics": with_samplics}
PACKAGE = {"pandas": "pandas", "SQL": "duckdb", "svy": "svy", "samplics": "samplics"}


def main() -> None:
    """Reads the job, repeats the work, writes seconds and the cells of the last time."""
    warnings.simplefilter("ignore")
    job = json.load(sys.stdin)
    task = Task(job)
    estimate = PEERS[job["peer"]](task)
    seconds, cells = [], []
    for _ in range(job["repeats"]):
        started = time.perf_counter()
        cells = estimate()
        seconds.append(time.perf_counter() - started)
    package = PACKAGE[job["peer"]]
    made = {
        "seconds": seconds,
        "cells": cells,
        "failed": task.failed,
        "version": f"{package} {version(package)}",
    }
    json.dump(made, sys.stdout)


if __name__ == "__main__":
    main()
