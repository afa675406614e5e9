"""A wave's sums by primary sampling unit (PSU) within each breakdown's domains.

Clusters' variances are made of these totals (Särndal, Swensson & Wretman 1992, chapter 4). Here belongs
how they are added up, from breakdown to breakdown; what they say of errors stands in ``variance``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from pipeline.arrays import Floats, Ints
from pipeline.estimation.domains import BackgroundCells, Domains, aggregation_matrix
from pipeline.estimation.sums import Sums


@dataclass(frozen=True)
class PsuSums:
    """One breakdown's sums by domain and PSU, in this order.

    ``domains`` are the breakdown's and stand at ``rows`` of all; ``domain`` and ``psu`` are each sum's.
    ``sums`` are those of w, ``n_asked`` the units of each base.
    """

    rows: slice
    domains: Domains
    domain: Ints
    psu: Ints
    sums: Sums
    n_asked: Floats


@dataclass(frozen=True)
class _Breakdown:
    """A breakdown's groups: that of each cell (-1: none), a cell of each, and the breakdowns made of them."""

    rows: slice
    domains: Domains
    of_cell: Ints
    cell: Ints
    domain: Ints
    psu: Ints
    coarser: list[_Breakdown] = field(default_factory=list)

    @classmethod
    def of(cls, rows: slice, domains: Domains, background: BackgroundCells, psu: Ints) -> _Breakdown:
        of_background = np.full(len(background.example), -1)
        of_background[domains.cell] = domains.domain
        domain = of_background[background.of_cell]
        inside = np.flatnonzero(domain >= 0)
        own = Domains(domains.breakdowns, domains.codes, domain[inside], inside)
        groups = own.groups(psu)
        of_cell, cell = np.full(len(psu), -1), np.empty(len(groups), dtype=np.int64)
        of_cell[inside], cell[groups.group] = groups.group, inside
        return cls(rows, own, of_cell, cell, groups.domain, groups.other)

    def nested_in(self, other: _Breakdown) -> bool:
        """Whether each group is part of one of the other's, or of none, and nothing else is in these."""
        return np.array_equal(np.append(other.of_cell[self.cell], -1)[self.of_cell], other.of_cell)

    def rolled_up(self, sums: Sums, n_asked: Floats, of_row: Ints) -> Iterator[PsuSums]:
        """Its sums and those of all made of them, from sums whose rows belong to its groups ``of_row``."""
        inside = np.flatnonzero(of_row >= 0)
        matrix = aggregation_matrix(of_row[inside], len(self.cell), inside, len(of_row))
        own = PsuSums(
            self.rows, self.domains, self.domain, self.psu, sums.gathered(matrix, (1,)), matrix @ n_asked
        )
        yield own
        for breakdown in self.coarser:
            yield from breakdown.rolled_up(own.sums, own.n_asked, breakdown.of_cell[self.cell])


def psu_sums(sums: Sums, domains: Domains, background: BackgroundCells, psu: Ints) -> Iterator[PsuSums]:
    """The sums of each breakdown, made from those of the coarsest that it is coarser than: cells are many.

    ``sums`` and ``psu`` are of cells, ``domains`` of their background cells.
    """
    breakdowns = [_Breakdown.of(rows, part, background, psu) for rows, part in domains.by_breakdown()]
    # Finest first: each is then made from the last before it that is finer, which is the coarsest of those.
    breakdowns.sort(key=lambda breakdown: len(breakdown.cell), reverse=True)
    finest: list[_Breakdown] = []
    for number, breakdown in enumerate(breakdowns):
        finer = next((each for each in reversed(breakdowns[:number]) if each.nested_in(breakdown)), None)
        (finest if finer is None else finer.coarser).append(breakdown)
    n_asked = sums.n_asked
    for breakdown in finest:
        yield from breakdown.rolled_up(sums, n_asked, breakdown.of_cell)
