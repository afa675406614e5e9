"""Which cells of a wave belong to which domain of which breakdown, and the matrices that add cells up.

Here belongs membership alone: what is added up stands in ``sums``, what the results mean in ``variance``
and ``estimates``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd
from scipy import sparse

from pipeline.arrays import Floats, Ints
from pipeline.catalogue.questionnaire import ABSENT, Domain
from pipeline.grouping import cross_classify, cross_classify_codes, distinct, indexed


@dataclass(frozen=True)
class Domains:
    """Domains of a wave, ordered by breakdown and code, and the cells each holds.

    ``domain`` and ``cell`` are parallel: cell ``cell[i]`` belongs to domain ``domain[i]``. A cell is in
    one domain of each breakdown at most.
    """

    breakdowns: tuple[str, ...]  # of each domain
    codes: tuple[str, ...]  # of each domain
    domain: Ints
    cell: Ints

    def __len__(self) -> int:
        return len(self.codes)

    def groups(self, of_cell: Ints | None = None) -> Groups:
        """Groups of cells: by domain, or by domain and what ``of_cell`` says of a cell."""
        if of_cell is None:
            own = np.arange(len(self))
            return Groups(self.domain, self.cell, own, np.zeros_like(own))
        other = of_cell[self.cell]
        width = int(other.max(initial=0)) + 1
        pairs, group = distinct(self.domain * width + other, len(self) * width)
        return Groups(group, self.cell, pairs // width, pairs % width)

    def by_breakdown(self) -> Iterator[tuple[slice, Domains]]:
        """One breakdown at a time, and where it stands: for where all at once would take much memory."""
        new = [i for i in range(1, len(self)) if self.breakdowns[i] != self.breakdowns[i - 1]]
        for first, last in pairwise([0, *new, len(self)]):
            rows = slice(first, last)
            kept = slice(*np.searchsorted(self.domain, (first, last)))  # unordered within a breakdown only
            yield (
                rows,
                Domains(self.breakdowns[rows], self.codes[rows], self.domain[kept] - first, self.cell[kept]),
            )


@dataclass(frozen=True)
class Groups:
    """Cells gathered into groups, each of one domain and one other thing (a stratum, a sampling unit)."""

    group: Ints
    cell: Ints
    domain: Ints  # of each group
    other: Ints  # of each group

    def __len__(self) -> int:
        return len(self.domain)

    def matrix(self, cells: int) -> sparse.csr_array:
        """Groups x cells: adds rows of cells into groups, in the order of the cells."""
        return aggregation_matrix(self.group, len(self), self.cell, cells)


@dataclass(frozen=True)
class BackgroundCells:
    """The cells of a clustered wave without their sampling units: by stratum and background alone.

    Cells of one background cell are in the same domains, and there are far fewer of them.
    """

    of_cell: Ints
    example: Ints  # a cell of each

    @classmethod
    def of(cls, frame: pd.DataFrame, cell: tuple[str, ...]) -> BackgroundCells:
        """Those of the cells in a frame, by stratum and the variables ``cell``."""
        names, of_cell = cross_classify(frame, ["stratum", *cell])
        example = np.empty(len(names), dtype=np.int64)
        example[of_cell] = np.arange(len(of_cell))
        return cls(of_cell, example)

    def matrix(self) -> sparse.csr_array:
        """Background cells x cells: adds cells into the background cells they are part of."""
        return aggregation_matrix(self.of_cell, len(self.example))


def aggregation_matrix(
    group: Ints, groups: int, row: Ints | None = None, rows: int | None = None, factor: Floats | None = None
) -> sparse.csr_array:
    """A matrix (groups x rows) that adds rows, each times its factor if there are any, into their groups."""
    size = len(group) if rows is None else rows
    entries = np.ones(len(group)) if factor is None else factor
    if row is None and (group[1:] >= group[:-1]).all():
        starts = np.searchsorted(group, np.arange(groups + 1))
        return sparse.csr_array((entries, np.arange(len(group)), starts), shape=(groups, size))
    row = np.arange(len(group)) if row is None else row
    return sparse.csr_array((entries, (group, row)), shape=(groups, size))


def domains_of(frame: pd.DataFrame, cell: tuple[str, ...], breakdowns: Iterable[Domain]) -> Domains:
    """Every domain that has units, of every breakdown whose variables ``cell`` the frame has.

    A unit without a code is in none of a breakdown's domains.
    """
    columns = {name: indexed(frame[name]) for name in cell}
    coded = {
        name: np.array([code not in ABSENT for code in codes])[place]
        for name, (codes, place) in columns.items()
    }
    names: list[str] = []
    codes: list[str] = []
    domain, row = [np.zeros(0, dtype=np.int64)], [np.zeros(0, dtype=np.int64)]
    for breakdown in sorted(breakdowns, key=lambda each: each.key):
        if not set(breakdown.by) <= set(cell):
            continue
        known = np.ones(len(frame), dtype=bool)
        for name in breakdown.by:
            known &= coded[name]
        rows = np.flatnonzero(known)
        texts, place = cross_classify_codes(
            [(columns[name][0], columns[name][1][rows]) for name in breakdown.by], len(rows)
        )
        domain.append(len(codes) + place)
        row.append(rows)
        names += [breakdown.key] * len(texts)
        codes += texts
    return Domains(tuple(names), tuple(codes), np.concatenate(domain), np.concatenate(row))
