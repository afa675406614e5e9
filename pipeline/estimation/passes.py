"""Ways to the same sums of a wave, all repeatable, all in the SQL that DuckDB, Spark and Sail share.

``by_counting``: where units share weights (design weights and calibrated weights nearly always do), group
by weight too and only count; a sum of weights is a count times a weight, which is left for later.
``by_adding``: where weights are the units' own, add them as whole numbers of 2^-k, which no order of
addition can change.

Either way units can be ``listed`` instead, each with what it meets, and added here: quicker where groups
are small or hold many sums, but in the memory of one process. Conditions are counted with count_if: a
FILTER on each of hundreds of aggregates is many times slower. Its HUGEINT reaches NumPy as a double, which
holds any number of units exactly.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse

from pipeline.arrays import Ints, Numbers
from pipeline.crossing import exact_sums
from pipeline.estimation.engine import Columns
from pipeline.estimation.plan import Plan

DIGITS = 59  # bits of a whole number that fits DECIMAL(18, 0), whose sums every engine keeps exactly
AT_ONCE = 32  # columns that are added together: few enough for little memory
POWERS = {"": 0, "_w": 1, "_q": 2}  # of the weight, by the ending of a column's name


@dataclass(frozen=True)
class Spread:
    """The centre of a numeric measure and the largest distance from it."""

    centre: float
    reach: float


@dataclass(frozen=True)
class _Sum:
    """A column of a wave's sums: of ``value``, or of 1, over the units that meet the condition."""

    name: str
    condition: str
    value: str = ""
    size: float = 1.0  # the largest value

    def sql(self, ending: str = "", largest: float = 1.0) -> str:
        """The sum times 1, w or w^2, in units of 1 / ``scale``."""
        factors = ["w"] * POWERS[ending] + [self.value] * bool(self.value)
        if not factors:
            return f"count_if({self.condition}) AS {self.name}"
        scale = self.scale(ending, largest)
        whole = f"CAST(round(({' * '.join(factors)}) * {scale!r}) AS DECIMAL(18, 0))"
        total = f"sum(CASE WHEN {self.condition} THEN {whole} END)"
        return f"CAST(coalesce({total}, 0) AS DOUBLE) AS {self.name}{ending}"

    @property
    def listed(self) -> str:
        """The same of one unit: whether it meets the condition, or its value if it does."""
        met = f"CASE WHEN {self.condition} THEN {self.value} ELSE 0 END" if self.value else self.condition
        return f"{met} AS {self.name}"

    def scale(self, ending: str = "", largest: float = 1.0) -> float:
        """The power of two that takes the largest term to just below 2^DIGITS; 1 of what is counted."""
        if not ending and not self.value:
            return 1.0
        size = self.size * largest ** POWERS[ending]
        return 2.0 ** (DIGITS - math.frexp(size)[1]) if size > 0 else 1.0


def _sums(plan: Plan, spreads: Mapping[int, Spread]) -> tuple[list[_Sum], list[_Sum]]:
    """What is summed with powers of the weight, everyone last, and what is only counted: units asked."""
    values = {
        number: f"(CAST({plan.measures[number].value} AS DOUBLE) - {spread.centre!r})"
        for number, spread in spreads.items()
    }
    sums = [_Sum(f"b{number}", mask) for number, mask in enumerate(plan.masks)]
    sums += [
        _Sum(f"y{number}", measure.mask, values[number], spreads[number].reach)
        if number in spreads
        else _Sum(f"y{number}", measure.value)
        for number, measure in enumerate(plan.measures)
    ]
    sums += [
        _Sum(f"s{number}", plan.measures[number].mask, f"{y} * {y}", spreads[number].reach ** 2)
        for number, y in values.items()
    ]
    return [*sums, _Sum("n", "TRUE")], [_Sum(f"a{number}", base) for number, base in enumerate(plan.bases)]


def by_counting(
    query: Callable[[str], Columns],
    plan: Plan,
    keys: list[str],
    spreads: Mapping[int, Spread],
    *,
    listed: bool,
) -> tuple[Columns, pd.DataFrame]:
    """Counts by cell and weight: the keys of the cells and what everyone weighs, and the other sums that
    ``statistics.Cells`` names."""
    summed, asked = _sums(plan, spreads)
    counted, by = [*summed, *asked], [*keys, "w", "d"]
    names = [each.name for each in counted]
    if listed:
        units = query(_selected([*by, *(each.listed for each in counted)]))
        table, made = _collapsed(units, keys, by, names, {"": len(names)})
    else:
        table = _sorted(query(_grouped(by, [each.sql() for each in counted])), by)
        made = _matrix(table, names, [each.scale() for each in counted])
        made = made if spreads else made.astype(holding(int(table["n"].sum())))
    n, w, d = made[:, names.index("n")].astype(np.float64), table["w"], table["d"]
    everyone = {"w": n * w, "q": n * w * w, "d": n * d, "weight": w}
    return {key: table[key] for key in keys} | everyone, _framed(made, names)


def by_adding(
    query: Callable[[str], Columns],
    plan: Plan,
    keys: list[str],
    spreads: Mapping[int, Spread],
    largest: float,
    *,
    listed: bool,
) -> tuple[Columns, pd.DataFrame]:
    """The same where weights are the units' own, none larger than ``largest``."""
    summed, asked = _sums(plan, spreads)
    wanted = [(each, "") for each in [*summed, *asked]]
    wanted += [(each, ending) for ending in ("_w", "_q") for each in summed]
    start = _Sum("d", "TRUE", "d", largest)
    names = [each.name + ending for each, ending in wanted]
    if listed:
        units = query(_selected([*keys, "w", "d", *(each.listed for each in [*summed, *asked])]))
        counts = {"": len(summed) + len(asked), "_w": len(summed), "_q": len(summed)}
        table, made = _collapsed(units, keys, keys, names[: counts[""]], counts)
        started = table["d"]
    else:
        several = [(each, ending) for each, ending in wanted] + [(start, "")]
        table = _sorted(query(_grouped(keys, [each.sql(ending, largest) for each, ending in several])), keys)
        made = _matrix(table, names, [each.scale(ending, largest) for each, ending in wanted])
        started = table["d"] / start.scale("", largest)
    everyone = {"n_w": "w", "n_q": "q"}
    sums = _framed(made, [everyone.get(name, name) for name in names])
    return {key: table[key] for key in keys} | {"d": started}, sums


def _collapsed(
    units: Columns, keys: list[str], by: list[str], names: list[str], counts: Mapping[str, int]
) -> tuple[Columns, Numbers]:
    """Listed units that are alike in the columns ``by``: these columns, and the units' sums as one array.

    ``counts``: by ending, how many of the columns ``names`` are added times that power of the weight. They
    stand side by side. Units of a cell are in the order of their weights, so that every sum has its terms in
    one order.
    """
    order = _order(units, [*keys, "w", "d"])
    ordered = {name: units[name][order] for name in (*keys, "w", "d")}
    starts = np.zeros(len(order), dtype=bool)
    starts[:1] = True
    for name in by:
        starts[1:] |= ordered[name][1:] != ordered[name][:-1]
    firsts = np.flatnonzero(starts)
    table = {name: ordered[name][firsts] for name in by}
    ends = np.append(firsts, len(order))

    def adder(terms: Numbers) -> sparse.csr_array:
        return sparse.csr_array((terms, order, ends), shape=(len(firsts), len(order)))

    if "d" not in by:
        table["d"] = adder(np.ones(len(order))) @ units["d"]
    numbers = [number for number, name in enumerate(names) if units[name].dtype != bool]
    whole, floating = holding(len(order)), np.dtype(np.float64)
    kinds = [floating if POWERS[ending] or numbers else whole for ending in counts]
    adders = [
        adder((ordered["w"] ** POWERS[ending]).astype(kind))
        for ending, kind in zip(counts, kinds, strict=True)
    ]
    at = np.cumsum([0, *counts.values()])
    made = np.empty((len(firsts), at[-1]), dtype=kinds[-1])
    for first in range(0, len(names), AT_ONCE):
        some = [units[name] for name in names[first : first + AT_ONCE]]
        flags = np.ascontiguousarray(np.array(some).T)
        terms = {kind: flags.astype(kind) for kind in kinds}
        for start, count, kind, matrix in zip(at, counts.values(), kinds, adders, strict=False):
            inside = terms[kind][:, : max(count - first, 0)]
            made[:, start + first : start + first + inside.shape[1]] = matrix @ inside
    group = np.empty(len(order), dtype=np.int64)
    group[order] = np.cumsum(starts) - 1
    for number in numbers:  # whose terms doubles do not add without rounding
        for start, (ending, count) in zip(at, counts.items(), strict=False):
            if number < count:
                own = units[names[number]] * units["w"] ** POWERS[ending]
                made[:, start + number] = exact_sums(own, group, len(firsts))
    return table, made


def holding(units: int) -> np.dtype[Any]:
    """The smallest type of whole numbers that holds so many units, and so any count of them."""
    return np.min_scalar_type(units)


def _sorted(table: Columns, by: list[str]) -> dict[str, npt.NDArray[Any]]:
    """A query's rows in the order of the columns ``by``."""
    order = _order(table, by)
    return {name: column[order] for name, column in table.items()}


def _order(table: Columns, by: list[str]) -> Ints:
    order: Ints = np.lexsort([table[name] for name in reversed(by)])
    return order


def _matrix(table: Columns, names: list[str], scales: list[float]) -> Numbers:
    """Columns over their scales as one array: rows x names."""
    made = np.empty((len(table[names[0]]), len(names)))
    for number, (name, scale) in enumerate(zip(names, scales, strict=True)):
        made[:, number] = table[name] if scale == 1 else table[name] / scale
    return made


def _framed(made: Numbers, names: list[str]) -> pd.DataFrame:
    return pd.DataFrame(made, columns=_index(tuple(names)), copy=False)


@lru_cache
def _index(names: tuple[str, ...]) -> pd.Index[str]:
    return pd.Index(names)


def _grouped(keys: list[str], wanted: list[str]) -> str:
    return f"{_selected([*keys, *wanted])}\nGROUP BY {', '.join(keys)}"


def _selected(wanted: list[str]) -> str:
    listed = ",\n  ".join(wanted)
    return f"SELECT\n  {listed}\nFROM answers"
