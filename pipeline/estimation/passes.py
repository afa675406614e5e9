"""Two ways to the same sums of a wave, both exact, both in the SQL that DuckDB, Spark and Sail share.

``by_counting``: where the units of a cell share few distinct weights (design weights and calibrated
weights nearly always do), group by weight too and only count; a sum of weights is a count times a weight.
``by_adding``: where weights are the units' own, add them as whole numbers of 2^-k, which no order of
addition can change. Conditions are counted with count_if: a FILTER on each of hundreds of aggregates is
many times slower. Its HUGEINT reaches NumPy as a double, which holds any number of units exactly.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.arrays import Floats, Ints
from pipeline.estimation.engine import Columns, Engine
from pipeline.estimation.plan import Plan

DIGITS = 59  # bits of a whole number that fits DECIMAL(18, 0), whose sums every engine keeps exactly


@dataclass(frozen=True)
class Spread:
    """The centre of a numeric measure and the largest distance from it."""

    centre: float
    reach: float


def by_counting(engine: Engine, plan: Plan, keys: list[str], spreads: Mapping[int, Spread]) -> pd.DataFrame:
    """The sums of a wave from counts by cell and weight; ``statistics.Cells`` says which columns."""
    table = engine.query(counts_sql(plan, keys, spreads))
    order, starts = _cells(table, keys, [*keys, "w", "d"])
    w, d = (table[name][order][:, None] for name in ("w", "d"))
    means = {f"y{number}" for number in spreads}
    counts = {"n": "", **{f"{stem}_{count}": f"{stem}_" for stem, count in _counted(plan)}}
    shares = {name: stem for name, stem in counts.items() if stem[:-1] not in means}
    asked = [f"a{number}_n" for number in range(len(plan.bases))]
    units = _matrix(table, list(counts), order)
    weighted = (units if len(shares) == len(counts) else units[:, [name in shares for name in counts]]) * w
    names = [
        *counts,
        "d",
        *(f"{stem}w" for stem in shares.values()),
        *(f"{stem}q" for stem in shares.values()),
        *asked,
    ]
    blocks = [units, units[:, :1] * d, weighted, weighted * w, _matrix(table, asked, order)]
    for number, spread in spreads.items():
        y, yy = (_matrix(table, [f"y{number}_{name}"], order) for name in ("y", "yy"))
        y, yy = y / _scale(spread.reach), yy / _scale(spread.reach**2)
        blocks += [y * w, y * w * w, yy * w, yy * w * w]
        names += [f"y{number}_{name}" for name in ("w", "q", "wyy", "qyy")]
    sums = np.hstack(blocks)
    if len(starts) < len(sums):  # else every cell has a single weight
        sums = np.add.reduceat(sums, starts, axis=0)
    return _frame(table, keys, order[starts], sums, names)


def by_adding(
    engine: Engine, plan: Plan, keys: list[str], largest: float, spreads: Mapping[int, Spread]
) -> pd.DataFrame:
    """The sums of a wave from its units' own weights, none larger than ``largest``."""
    table = engine.query(sums_sql(plan, keys, largest, spreads))
    scales = {"w": _scale(largest), "q": _scale(largest**2), "d": _scale(largest)}
    for stem, _ in _counted(plan):
        scales |= {f"{stem}_w": scales["w"], f"{stem}_q": scales["q"]}
    for number, spread in spreads.items():
        scales |= {
            f"y{number}_{name}": _scale(size) for name, _, size in _products("y", largest, spread.reach)
        }
    names = [name for name in table if name not in keys]
    order, _ = _cells(table, keys, keys)
    sums = _matrix(table, names, order) / np.array([scales.get(name, 1.0) for name in names])
    return _frame(table, keys, order, sums, names)


def _cells(table: Columns, keys: list[str], by: list[str]) -> tuple[Ints, Ints]:
    """The order of a query's rows ``by`` columns, and where in it another cell starts."""
    ranks = {name: _ranked(table[name]) for name in by}
    order = np.lexsort([ranks[name] for name in reversed(by)])
    new = np.zeros(len(order), dtype=bool)
    new[:1] = True
    for name in keys:
        new[1:] |= np.diff(ranks[name][order]) != 0
    return order, np.flatnonzero(new)


def _ranked(column: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Numbers as they are, texts as their places in order."""
    if column.dtype != object:
        return column
    places: Ints = pd.factorize(column, sort=True)[0]
    return places


def _matrix(table: Columns, names: list[str], order: Ints) -> Floats:
    """Columns as one array (rows x names), in an order of the rows."""
    made = np.empty((len(order), len(names)))
    for number, name in enumerate(names):
        made[:, number] = table[name][order]
    return made


def _frame(table: Columns, keys: list[str], rows: Ints, sums: Floats, names: list[str]) -> pd.DataFrame:
    frame = pd.DataFrame(sums, columns=names, copy=False)
    for place, name in enumerate(keys):
        frame.insert(place, name, table[name][rows])
    return frame


def _counted(plan: Plan) -> Iterator[tuple[str, str]]:
    """The stem and the count's name of every mask and every measure."""
    yield from ((f"b{number}", "n") for number in range(len(plan.masks)))
    yield from ((f"y{number}", "m") for number in range(len(plan.measures)))


def _conditions(plan: Plan) -> Iterator[tuple[str, str, str]]:
    """Stem, count's name and condition of everything counted."""
    conditions = [*plan.masks, *(m.mask if m.unit == "mean" else m.value for m in plan.measures)]
    for (stem, count), condition in zip(_counted(plan), conditions, strict=True):
        yield stem, count, condition


def _asked(plan: Plan) -> list[str]:
    """Units of every base."""
    return [f"count_if({base}) AS a{number}_n" for number, base in enumerate(plan.bases)]


def counts_sql(plan: Plan, keys: list[str], spreads: Mapping[int, Spread]) -> str:
    """Units by cell and weight; of a number, the sums of y and y^2."""
    wanted = ["count(*) AS n", *_asked(plan)]
    wanted += [f"count_if({condition}) AS {stem}_{count}" for stem, count, condition in _conditions(plan)]
    for number, spread in spreads.items():
        measure = plan.measures[number]
        y = _centred(measure.value, spread)
        for name, expression, size in (("y", y, spread.reach), ("yy", f"{y} * {y}", spread.reach**2)):
            wanted.append(_total(measure.mask, expression, size, f"y{number}_{name}"))
    return _grouped([*keys, "w", "d"], wanted)


def sums_sql(plan: Plan, keys: list[str], largest: float, spreads: Mapping[int, Spread]) -> str:
    """Units, weights and squared weights by cell; of a number, their products with y and y^2."""
    weights = (("w", "w", largest), ("q", "w * w", largest**2))
    wanted = ["count(*) AS n", *_asked(plan), _total("TRUE", "d", largest, "d")]
    wanted += [_total("TRUE", expression, size, name) for name, expression, size in weights]
    for stem, count, condition in _conditions(plan):
        wanted.append(f"count_if({condition}) AS {stem}_{count}")
        if stem not in {f"y{number}" for number in spreads}:
            wanted += [
                _total(condition, expression, size, f"{stem}_{name}") for name, expression, size in weights
            ]
    for number, spread in spreads.items():
        measure = plan.measures[number]
        y = _centred(measure.value, spread)
        for name, expression, size in _products(y, largest, spread.reach):
            wanted.append(_total(measure.mask, expression, size, f"y{number}_{name}"))
    return _grouped(keys, wanted)


def _products(y: str, largest: float, reach: float) -> list[tuple[str, str, float]]:
    """Name, expression and largest size of the terms of a mean's sums."""
    return [
        ("w", f"w * {y}", largest * reach),
        ("q", f"w * w * {y}", largest**2 * reach),
        ("wyy", f"w * {y} * {y}", largest * reach**2),
        ("qyy", f"w * w * {y} * {y}", largest**2 * reach**2),
    ]


def _scale(largest: float) -> float:
    """The power of two that takes the largest value to just below 2^DIGITS."""
    return 2.0 ** (DIGITS - math.frexp(largest)[1]) if largest > 0 else 1.0


def _centred(value: str, spread: Spread) -> str:
    return f"(CAST({value} AS DOUBLE) - {spread.centre!r})"


def _total(condition: str, expression: str, size: float, name: str) -> str:
    """The exact sum of an expression over the units that meet the condition, in units of 1 / scale."""
    whole = f"CAST(round(({expression}) * {_scale(size)!r}) AS DECIMAL(18, 0))"
    return f"CAST(coalesce(sum(CASE WHEN {condition} THEN {whole} END), 0) AS DOUBLE) AS {name}"


def _grouped(keys: list[str], wanted: list[str]) -> str:
    separator = ",\n  "
    return f"SELECT\n  {separator.join([*keys, *wanted])}\nFROM answers\nGROUP BY {', '.join(keys)}"
