"""Two ways to the same sums of a wave, both exact, both in the SQL that DuckDB, Spark and Sail share.

``by_counting``: where the units of a cell share few distinct weights (design weights and calibrated
weights nearly always do), group by weight too and only count; a sum of weights is a count times a weight.
``by_adding``: where weights are the units' own, add them as whole numbers of 2^-k, which no order of
addition can change. Conditions are counted with CASE: a FILTER on every one of hundreds of aggregates is
many times slower.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeline.estimation.domains import Floats
from pipeline.estimation.engine import Engine
from pipeline.estimation.plan import Plan

DIGITS = 59  # bits of a whole number that fits DECIMAL(18, 0), whose sums every engine keeps exactly


@dataclass(frozen=True)
class Spread:
    """The centre of a numeric measure and the largest distance from it."""

    centre: float
    reach: float


def by_counting(engine: Engine, plan: Plan, keys: list[str], spreads: Mapping[int, Spread]) -> pd.DataFrame:
    """The sums of a wave from counts by cell and weight; ``statistics.Cells`` says which columns."""
    groups = engine.query(counts_sql(plan, keys, spreads)).to_pandas()
    groups = groups.sort_values([*keys, "w", "d"], kind="stable", ignore_index=True)
    starts = np.flatnonzero(~groups.duplicated(keys).to_numpy())
    column = {name: groups[name].to_numpy(dtype=np.float64) for name in groups if name not in keys}
    w, d = column["w"], column["d"]
    terms = {"n": column["n"], "w": column["n"] * w, "q": column["n"] * w * w, "d": column["n"] * d}
    for stem, count in _counted(plan):
        terms[f"{stem}_{count}"] = units = column[f"{stem}_{count}"]
        if f"{stem}_y" not in column:
            terms[f"{stem}_w"], terms[f"{stem}_q"] = units * w, units * w * w
    for number, spread in spreads.items():
        y = column[f"y{number}_y"] / _scale(spread.reach)
        yy = column[f"y{number}_yy"] / _scale(spread.reach**2)
        products = {"w": y * w, "q": y * w * w, "wyy": yy * w, "qyy": yy * w * w}
        terms |= {f"y{number}_{name}": product for name, product in products.items()}
    sums = {name: np.add.reduceat(term, starts) for name, term in terms.items()}
    return _frame(groups.loc[starts, keys], sums)


def by_adding(
    engine: Engine, plan: Plan, keys: list[str], largest: float, spreads: Mapping[int, Spread]
) -> pd.DataFrame:
    """The sums of a wave from its units' own weights, none larger than ``largest``."""
    cells = engine.query(sums_sql(plan, keys, largest, spreads)).to_pandas()
    scales = {"w": _scale(largest), "q": _scale(largest**2), "d": _scale(largest)}
    for stem, _ in _counted(plan):
        scales |= {f"{stem}_w": scales["w"], f"{stem}_q": scales["q"]}
    for number, spread in spreads.items():
        scales |= {
            f"y{number}_{name}": _scale(size) for name, _, size in _products("y", largest, spread.reach)
        }
    sums = {
        name: cells[name].to_numpy(dtype=np.float64) / scales.get(name, 1.0)
        for name in cells
        if name not in keys
    }
    return _frame(cells[keys], sums)


def _frame(keys: pd.DataFrame, sums: Mapping[str, Floats]) -> pd.DataFrame:
    return pd.concat([keys.reset_index(drop=True), pd.DataFrame(sums)], axis=1)


def _counted(plan: Plan) -> Iterator[tuple[str, str]]:
    """The stem and the count's name of every mask and every measure."""
    yield from ((f"b{number}", "n") for number in range(len(plan.masks)))
    yield from ((f"y{number}", "m") for number in range(len(plan.measures)))


def _conditions(plan: Plan) -> Iterator[tuple[str, str, str]]:
    """Stem, count's name and condition of everything counted."""
    conditions = [*plan.masks, *(m.mask if m.unit == "mean" else m.value for m in plan.measures)]
    for (stem, count), condition in zip(_counted(plan), conditions, strict=True):
        yield stem, count, condition


def counts_sql(plan: Plan, keys: list[str], spreads: Mapping[int, Spread]) -> str:
    """Units by cell and weight; of a number, the sums of y and y^2."""
    wanted = ["count(*) AS n"]
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
    wanted = ["count(*) AS n", _total("TRUE", "d", largest, "d")]
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
