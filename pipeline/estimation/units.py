"""A wave's sums by sampling unit within each breakdown's domains: what clusters' variances are made of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from pipeline.arrays import Floats, Ints
from pipeline.estimation.domains import Domains, Kinds, adder
from pipeline.estimation.sums import Sums


@dataclass(frozen=True)
class Units:
    """One breakdown's sums by domain and sampling unit, in this order.

    ``domains`` are the breakdown's and stand at ``rows`` of all; ``domain`` and ``unit`` are each sum's.
    ``sums`` are those of w, ``asked`` the units of each base.
    """

    rows: slice
    domains: Domains
    domain: Ints
    unit: Ints
    sums: Sums
    asked: Floats


@dataclass(frozen=True)
class _Level:
    """A breakdown's groups: that of each cell (-1: none), a cell of each, and the breakdowns made of them."""

    rows: slice
    domains: Domains
    of_cell: Ints
    cell: Ints
    domain: Ints
    unit: Ints
    coarser: list[_Level] = field(default_factory=list)

    @classmethod
    def of(cls, rows: slice, domains: Domains, kinds: Kinds, unit: Ints) -> _Level:
        of_kind = np.full(len(kinds.cell), -1)
        of_kind[domains.cell] = domains.domain
        domain = of_kind[kinds.of_cell]
        inside = np.flatnonzero(domain >= 0)
        own = Domains(domains.breakdowns, domains.codes, domain[inside], inside)
        groups = own.adder(unit)
        of_cell, cell = np.full(len(unit), -1), np.empty(len(groups), dtype=np.int64)
        of_cell[inside], cell[groups.group] = groups.group, inside
        return cls(rows, own, of_cell, cell, groups.domain, groups.other)

    def within(self, other: _Level) -> bool:
        """Whether each group is part of one of the other's, or of none, and nothing else is in these."""
        return np.array_equal(np.append(other.of_cell[self.cell], -1)[self.of_cell], other.of_cell)

    def made(self, sums: Sums, asked: Floats, of_row: Ints) -> Iterator[Units]:
        """Its sums and those of all made of them, from sums whose rows belong to its groups ``of_row``."""
        inside = np.flatnonzero(of_row >= 0)
        matrix = adder(of_row[inside], len(self.cell), inside, len(of_row))
        own = Units(
            self.rows, self.domains, self.domain, self.unit, sums.gathered(matrix, (1,)), matrix @ asked
        )
        yield own
        for level in self.coarser:
            yield from level.made(own.sums, own.asked, level.of_cell[self.cell])


def units_of(sums: Sums, domains: Domains, kinds: Kinds, unit: Ints) -> Iterator[Units]:
    """The sums of each breakdown, made from those of the coarsest that it is coarser than: cells are many.

    ``sums`` and ``unit`` are of cells, ``domains`` of their kinds.
    """
    levels = [_Level.of(rows, part, kinds, unit) for rows, part in domains.parts()]
    levels.sort(key=lambda level: len(level.cell), reverse=True)
    finest: list[_Level] = []
    for number, level in enumerate(levels):
        finer = next((each for each in reversed(levels[:number]) if each.within(level)), None)
        (finest if finer is None else finer.coarser).append(level)
    asked = sums.asked
    for level in finest:
        yield from level.made(sums, asked, level.of_cell)
