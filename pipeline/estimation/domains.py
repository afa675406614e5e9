"""The cells of a wave rolled up into the domains of every breakdown."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd
from scipy import sparse

from pipeline.arrays import Floats, Ints
from pipeline.catalogue.model import Catalogue
from pipeline.catalogue.questionnaire import ABSENT
from pipeline.crossing import combined, crossed, distinct, indexed


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

    def adder(self, of_cell: Ints | None = None) -> Groups:
        """Groups of cells: by domain, or by domain and what ``of_cell`` says of a cell."""
        if of_cell is None:
            own = np.arange(len(self))
            return Groups(self.domain, self.cell, own, np.zeros_like(own))
        other = of_cell[self.cell]
        width = int(other.max(initial=0)) + 1
        pairs, group = distinct(self.domain * width + other, len(self) * width)
        return Groups(group, self.cell, pairs // width, pairs % width)

    def parts(self) -> Iterator[tuple[slice, Domains]]:
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
        return adder(self.group, len(self), self.cell, cells)


@dataclass(frozen=True)
class Kinds:
    """The cells of a clustered wave by stratum and background: those of a kind are in the same domains.

    Sampling units split such cells into many.
    """

    of_cell: Ints
    cell: Ints  # one of each kind

    @classmethod
    def of(cls, frame: pd.DataFrame, cell: tuple[str, ...]) -> Kinds:
        """Kinds of the cells in a frame."""
        kinds, of_cell = crossed(frame, ["stratum", *cell])
        one = np.empty(len(kinds), dtype=np.int64)
        one[of_cell] = np.arange(len(of_cell))
        return cls(of_cell, one)

    def adder(self) -> sparse.csr_array:
        """Kinds x cells: adds cells into kinds."""
        return adder(self.of_cell, len(self.cell))


def adder(
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


def domains_of(
    frame: pd.DataFrame, cell: tuple[str, ...], catalogue: Catalogue, besides: Collection[str] = ()
) -> Domains:
    """Every domain that has units, of every breakdown whose variables the cells have, but some.

    A unit without a code is in none of a breakdown's domains.
    """
    columns = {name: indexed(frame[name]) for name in cell}
    coded = {
        name: np.array([code not in ABSENT for code in codes])[place]
        for name, (codes, place) in columns.items()
    }
    breakdowns: list[str] = []
    codes: list[str] = []
    domain, row = [np.zeros(0, dtype=np.int64)], [np.zeros(0, dtype=np.int64)]
    for breakdown in sorted(catalogue.domains.values(), key=lambda each: each.key):
        if breakdown.key in besides or not set(breakdown.by) <= set(cell):
            continue
        known = np.ones(len(frame), dtype=bool)
        for name in breakdown.by:
            known &= coded[name]
        rows = np.flatnonzero(known)
        texts, place = combined(
            [(columns[name][0], columns[name][1][rows]) for name in breakdown.by], len(rows)
        )
        domain.append(len(codes) + place)
        row.append(rows)
        breakdowns += [breakdown.key] * len(texts)
        codes += texts
    return Domains(tuple(breakdowns), tuple(codes), np.concatenate(domain), np.concatenate(row))
