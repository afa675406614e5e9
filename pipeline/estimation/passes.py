"""Ways to the same sums of a wave, all repeatable, all in the SQL that DuckDB, Spark and Sail share.

``statistics`` chooses one by the number of rows and of distinct weights, ``engine`` runs its query.

``counted_by_weight``: where units share weights (design weights and calibrated weights nearly always do),
group by weight too and only count; a sum of weights is a count times a weight, which is left for later.
``added_weights``: where weights are the units' own, add them as whole numbers of 2^-k, which no order of
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
from pipeline.estimation import columns
from pipeline.estimation.engine import Columns
from pipeline.estimation.plan import Plan
from pipeline.grouping import exact_sums

DIGITS = 59  # bits of a whole number that fits DECIMAL(18, 0), whose sums every engine keeps exactly
AT_ONCE = 32  # columns that are added together: few enough for little memory


@dataclass(frozen=True)
class Centring:
    """The number that a mean's numbers are counted from, and the largest distance from it."""

    centre: float
    reach: float


@dataclass(frozen=True)
class _SumColumn:
    """What is summed: ``value``, or 1, over the units that meet the condition; ``counted`` is its name."""

    counted: str
    condition: str
    value: str = ""
    size: float = 1.0  # the largest value

    def sql(self, power: int = 0, largest: float = 1.0) -> str:
        """The sum times 1, w or w^2, in units of 1 / ``scale``."""
        factors, name = ["w"] * power + [self.value] * bool(self.value), columns.in_sql(self.counted, power)
        if not factors:
            return f"count_if({self.condition}) AS {name}"
        scale = self.scale(power, largest)
        whole = f"CAST(round(({' * '.join(factors)}) * {scale!r}) AS DECIMAL(18, 0))"
        total = f"sum(CASE WHEN {self.condition} THEN {whole} END)"
        return f"CAST(coalesce({total}, 0) AS DOUBLE) AS {name}"

    @property
    def listed(self) -> str:
        """The same of one unit: whether it meets the condition, or its value if it does."""
        met = f"CASE WHEN {self.condition} THEN {self.value} ELSE 0 END" if self.value else self.condition
        return f"{met} AS {columns.in_sql(self.counted)}"

    def scale(self, power: int = 0, largest: float = 1.0) -> float:
        """The power of two that takes the largest term to just below 2^DIGITS; 1 of what is counted."""
        if not power and not self.value:
            return 1.0
        size = self.size * largest**power
        return 2.0 ** (DIGITS - math.frexp(size)[1]) if size > 0 else 1.0


def _sum_columns(plan: Plan, centrings: Mapping[int, Centring]) -> tuple[list[_SumColumn], list[_SumColumn]]:
    """What is summed with powers of the weight, everyone last, and what is only counted: units asked."""
    values = {
        number: f"(CAST({plan.measures[number].value} AS DOUBLE) - {centring.centre!r})"
        for number, centring in centrings.items()
    }
    sums = [_SumColumn(columns.answered(number), mask) for number, mask in enumerate(plan.masks)]
    sums += [
        _SumColumn(columns.value(number), measure.mask, values[number], centrings[number].reach)
        if number in centrings
        else _SumColumn(columns.value(number), measure.value)
        for number, measure in enumerate(plan.measures)
    ]
    sums += [
        _SumColumn(
            columns.squared(number), plan.measures[number].mask, f"{y} * {y}", centrings[number].reach ** 2
        )
        for number, y in values.items()
    ]
    asked = [_SumColumn(columns.asked(number), base) for number, base in enumerate(plan.bases)]
    return [*sums, _SumColumn(columns.EVERYONE, "TRUE")], asked


def counted_by_weight(
    query: Callable[[str], Columns],
    plan: Plan,
    keys: list[str],
    centrings: Mapping[int, Centring],
    *,
    listed: bool,
) -> tuple[Columns, pd.DataFrame]:
    """Counts by cell and weight: the keys of the cells and what everyone weighs, and the other sums
    (``columns``)."""
    summed, asked = _sum_columns(plan, centrings)
    counted, by = [*summed, *asked], [*keys, "w", "d"]
    everyone = columns.in_sql(columns.EVERYONE)
    names = [columns.in_sql(each.counted) for each in counted]
    if listed:
        units = query(_selected([*by, *(each.listed for each in counted)]))
        table, made = _grouped_units(units, keys, by, names, {0: len(names)})
    else:
        table = _sorted(query(_grouped(by, [each.sql() for each in counted])), by)
        made = _matrix(table, names, [each.scale() for each in counted])
        made = made if centrings else made.astype(holding(int(table[everyone].sum())))
    n, w, d = made[:, names.index(everyone)].astype(np.float64), table["w"], table["d"]
    weights = {
        columns.in_frame(columns.EVERYONE, 1): n * w,
        columns.in_frame(columns.EVERYONE, 2): n * w * w,
        columns.START: n * d,
        columns.SHARED: w,
    }
    return {key: table[key] for key in keys} | weights, _framed(made, names)


def added_weights(
    query: Callable[[str], Columns],
    plan: Plan,
    keys: list[str],
    centrings: Mapping[int, Centring],
    largest: Mapping[str, float],
    *,
    listed: bool,
) -> tuple[Columns, pd.DataFrame]:
    """The same where weights are the units' own, none of ``w`` and of ``d`` larger than ``largest``."""
    summed, asked = _sum_columns(plan, centrings)
    wanted = [(each, 0) for each in [*summed, *asked]]
    wanted += [(each, power) for power in (1, 2) for each in summed]
    start = _SumColumn("d", "TRUE", "d", largest["d"])
    names = [columns.in_sql(each.counted, power) for each, power in wanted]
    if listed:
        units = query(_selected([*keys, "w", "d", *(each.listed for each in [*summed, *asked])]))
        counts = {0: len(summed) + len(asked), 1: len(summed), 2: len(summed)}
        table, made = _grouped_units(units, keys, keys, names[: counts[0]], counts)
        started = table["d"]
    else:
        several = [*wanted, (start, 0)]
        table = _sorted(
            query(_grouped(keys, [each.sql(power, largest["w"]) for each, power in several])), keys
        )
        made = _matrix(table, names, [each.scale(power, largest["w"]) for each, power in wanted])
        started = table[columns.in_sql("d")] / start.scale()
    return {key: table[key] for key in keys} | {columns.START: started}, _framed(made, names)


def _grouped_units(
    units: Columns, keys: list[str], by: list[str], names: list[str], counts: Mapping[int, int]
) -> tuple[Columns, Numbers]:
    """Listed units that are alike in the columns ``by``: these columns, and the units' sums as one array.

    ``counts``: by power of the weight, how many of the columns ``names`` are added times it. They stand side
    by side. Units of a cell are in the order of their weights, so that every sum has its terms in
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

    def adding(terms: Numbers) -> sparse.csr_array:
        return sparse.csr_array((terms, order, ends), shape=(len(firsts), len(order)))

    if "d" not in by:
        table["d"] = adding(np.ones(len(order))) @ units["d"]
    numbers = [number for number, name in enumerate(names) if units[name].dtype != bool]
    whole, floating = holding(len(order)), np.dtype(np.float64)
    kinds = [floating if power or numbers else whole for power in counts]
    matrices = [
        adding((ordered["w"] ** power).astype(kind)) for power, kind in zip(counts, kinds, strict=True)
    ]
    at = np.cumsum([0, *counts.values()])
    made = np.empty((len(firsts), at[-1]), dtype=kinds[-1])
    for first in range(0, len(names), AT_ONCE):
        some = [units[name] for name in names[first : first + AT_ONCE]]
        flags = np.ascontiguousarray(np.array(some).T)
        terms = {kind: flags.astype(kind) for kind in kinds}
        for start, count, kind, matrix in zip(at, counts.values(), kinds, matrices, strict=False):
            inside = terms[kind][:, : max(count - first, 0)]
            made[:, start + first : start + first + inside.shape[1]] = matrix @ inside
    group = np.empty(len(order), dtype=np.int64)
    group[order] = np.cumsum(starts) - 1
    for number in numbers:  # whose terms doubles do not add without rounding
        for start, (power, count) in zip(at, counts.items(), strict=False):
            if number < count:
                own = units[names[number]] * units["w"] ** power
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
    return pd.Index([f"{columns.SUM}{name}" for name in names])


def _grouped(keys: list[str], wanted: list[str]) -> str:
    return f"{_selected([*keys, *wanted])}\nGROUP BY {', '.join(keys)}"


def _selected(wanted: list[str]) -> str:
    listed = ",\n  ".join(wanted)
    return f"SELECT\n  {listed}\nFROM answers"
