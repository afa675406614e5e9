"""Which published cells add up to which: every sum in which an outsider can subtract.

Here belong the sums themselves, whatever is hidden: the cells of a breakdown add up to every coarser
cell that they divide (``sector_region`` to the total, to each sector, to each region). A breakdown may
also divide another without a declaration saying so (sub-sectors lie within sectors): that shows in the
counts, where the n of one cell is, for every measure, the sum of the same other cells, and is found there.
What is added may be a share times the size of its base, or a count. What to hide belongs to ``secondary``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy import sparse
from scipy.optimize import nnls

from pipeline.arrays import Floats
from pipeline.catalogue.model import Catalogue

NEAR, FAR = 0.25, 5.0  # how near 0 or 1 a coefficient, and how far above the doubt an n must be
LEAST_MEASURES = 3  # with different counts: fewer could agree by chance


class Cell(NamedTuple):
    """A domain cell; where a wave was narrowed (``scope_sums``), of the part of it on a scope."""

    domain: str
    code: str
    scope: str = ""


@dataclass(frozen=True)
class Sum:
    """A cell and the cells that add up to it, as places in a list of cells.

    ``rest``: the part of the whole that is in none of the parts, 0-1 (units without a code).
    """

    whole: int
    parts: tuple[int, ...]
    rest: float = 0.0

    @property
    def key(self) -> tuple[int, tuple[int, ...]]:
        """What adds up to what."""
        return self.whole, self.parts

    @property
    def members(self) -> tuple[int, ...]:
        """The whole and its parts."""
        return (self.whole, *self.parts)


def sums_of(cells: Sequence[Cell], counts: Floats, catalogue: Catalogue, step: float = 0.0) -> list[Sum]:
    """Every sum among the cells of a wave.

    ``counts``: measures x cells, NaN where not known; each may be off by half a ``step``.
    """
    crossed = {key: domain.by for key, domain in catalogue.domains.items()}
    found = [*_declared(cells, crossed), *_nested(cells, counts, crossed, step)]
    return [Sum(whole, parts, rest_of(whole, parts, counts, step)) for whole, parts in dict.fromkeys(found)]


def _declared(
    cells: Sequence[Cell], crossed: Mapping[str, tuple[str, ...]]
) -> Iterator[tuple[int, tuple[int, ...]]]:
    """Every cell with the cells of each finer breakdown that add up to it."""
    for domain in dict.fromkeys(cell.domain for cell in cells):
        by = crossed[domain]
        codes = [
            (place, dict(zip(by, cell.code.split("*"), strict=True)))
            for place, cell in enumerate(cells)
            if cell.domain == domain and by
        ]
        for whole, cell in enumerate(cells):
            if set(crossed[cell.domain]) < set(by):
                fixed = dict(zip(crossed[cell.domain], cell.code.split("*"), strict=False))
                parts = tuple(place for place, parted in codes if fixed.items() <= parted.items())
                if parts:
                    yield whole, parts


def _nested(
    cells: Sequence[Cell], counts: Floats, crossed: Mapping[str, tuple[str, ...]], step: float
) -> Iterator[tuple[int, tuple[int, ...]]]:
    """Cells of one breakdown that are, measure by measure, sums of cells of another: 0/1 least squares."""
    single: dict[str, list[int]] = {}
    for place, cell in enumerate(cells):
        if len(crossed[cell.domain]) == 1:
            single.setdefault(cell.domain, []).append(place)
    for coarse, wholes in single.items():
        for fine, parts in single.items():
            if crossed[coarse] == crossed[fine] or len(parts) < len(wholes):
                continue
            known = np.isfinite(counts[:, [*wholes, *parts]]).all(axis=1)
            rows = np.unique(counts[known], axis=0)
            if len(rows) >= max(LEAST_MEASURES, len(parts)):
                for whole in wholes:
                    exact = nnls(rows[:, parts], rows[:, whole])[0]
                    taken = np.rint(exact)
                    gap = np.abs(rows[:, parts] @ taken - rows[:, whole])
                    doubt = step / 2 * (1 + taken.sum())
                    plain = np.abs(exact - taken).max() < NEAR and rows[:, whole].max() > FAR * doubt
                    if plain and set(taken) == {0.0, 1.0} and gap.max() <= doubt and gap.mean() <= step / 2:
                        yield whole, tuple(np.array(parts)[taken == 1].tolist())


def rest_of(whole: int, parts: tuple[int, ...], counts: Floats, step: float) -> float:
    """The largest share of the whole that its parts leave out in any measure where all are known."""
    rows = counts[np.isfinite(counts[:, [whole, *parts]]).all(axis=1)]
    rows = rows[rows[:, whole] > 0]
    left = rows[:, whole] - rows[:, list(parts)].sum(axis=1)
    missing = left > step / 2 * (1 + len(parts))
    return float((left[missing] / rows[missing, whole]).max(initial=0.0))


def matrix(sums: Sequence[Sum], cells: int) -> sparse.csr_array:
    """Sums x cells: 1 for a part, -1 for the whole."""
    rows = [row for row, each in enumerate(sums) for _ in each.members]
    columns = [place for each in sums for place in each.members]
    signs = [sign for each in sums for sign in (-1.0, *[1.0] * len(each.parts))]
    return sparse.csr_array((signs, (rows, columns)), shape=(len(sums), cells))


def balanced(sizes: Floats, doubt: Floats, sums: sparse.csr_array, rests: Floats) -> Floats:
    """Sizes that keep the sums, each moved in proportion to its doubt (a variance).

    Least squares with the sums as constraints: Stone, Champernowne and Meade (1942), The precision of
    national income estimates. A size stays above a tenth of what it was.
    """
    signs = sums.toarray()
    constraint = signs + (signs < 0) * rests[:, None]
    spread = constraint * doubt
    gap = constraint @ sizes
    moved = np.linalg.lstsq(spread @ constraint.T, gap, rcond=1e-10)[0] @ spread
    kept: Floats = np.maximum(sizes - moved, sizes / 10)
    return kept
