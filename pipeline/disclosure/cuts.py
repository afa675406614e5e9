"""Which further cells must be hidden, where the attack finds a cell under-protected.

The multipliers of the two linear programmes that bound a cell (least and largest) weigh the sums that pin
it into one bound each, which holds whatever else is hidden (weak duality). So the cells to be hidden
must widen these two bounds by the width that is missing: a Benders cut. It rules out no choice that
withstands, as long as the sizes of the bases are those of this round; they are estimated again once more is
hidden, and then it may ask too much or too little. Where it is met and the cell is still under-protected, one
more cell of those sums is hidden: a rule of thumb that may not be the cheapest way.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse

from pipeline.arrays import Flags, Floats, Ints
from pipeline.catalogue.model import Catalogue
from pipeline.disclosure.attack import MeasureScale, bearing, scale_of
from pipeline.disclosure.programmes import Block, Relaxed, priced
from pipeline.disclosure.published_view import PublishedView
from pipeline.disclosure.ranges import ENOUGH
from pipeline.disclosure.relaxation import relaxed
from pipeline.disclosure.suppression_milp import Cut

NOTHING = 1e-9  # a gain this small is rounding


@dataclass(frozen=True)
class UnderProtected:
    """The result of an attack on ``view``. ``signs``: the sums (``sums.matrix``); ``families``: of its
    measures.

    ``movable``: the cells that could be hidden; all by default.
    """

    view: PublishedView
    sizes: Floats
    width: Floats
    signs: Floats
    families: Sequence[str]
    movable: Flags | None = None

    def add_cuts(self, known: Mapping[str, dict[Cut, None]], need: Floats, catalogue: Catalogue) -> Ints:
        """Add a cut for every under-protected cell to its family; the measures for which there was one.

        ``known``: the cuts of each family, which are added to; ``need``: as it was attacked for.
        """
        narrow = [
            NarrowRange(
                row, cell, float(need[row, cell]), scale_of(self.view, row, self.sizes[row], catalogue)
            )
            for row, cell in self._worst(need)
        ]
        open_ = self.view.shown & self.view.there
        open_ = open_ if self.movable is None else open_ & self.movable
        wanting = []
        for each, bound in zip(narrow, cuts(self.view, narrow, self.signs, open_), strict=True):
            own = known[self.families[each.row]]
            new = bound is not None and bound not in own
            made = bound if new else one_more_cut(self.view, each.row, each.cell, self.signs, open_)
            if made:
                own[made] = None
                wanting.append(each.row)
        return np.unique(np.array(wanting, dtype=np.int64))

    def _worst(self, need: Floats) -> list[tuple[int, int]]:
        """For every family and under-protected cell, the measure that discloses it most closely."""
        rows, columns = np.nonzero(self.width < need - ENOUGH)
        worst: dict[tuple[str, int], tuple[int, int]] = {}
        short = self.width[rows, columns] / need[rows, columns]
        for place in np.argsort(short, kind="stable"):
            row, column = int(rows[place]), int(columns[place])
            worst.setdefault((self.families[row], column), (row, column))
        return list(worst.values())


@dataclass(frozen=True)
class NarrowRange:
    """An under-protected cell. ``row`` and ``cell``: of the view; ``scale``: of the measure.

    ``need``: the width wanted, in points of 100.
    """

    row: int
    cell: int
    need: float
    scale: MeasureScale


@dataclass(frozen=True)
class _System:
    """The sums that bear on a cell. ``cells``: their unknowns; ``open``: those that could be hidden."""

    block: Block
    cells: Ints
    open: Flags
    lowest: Floats
    highest: Floats


def cuts(view: PublishedView, narrow: Sequence[NarrowRange], signs: Floats, open_: Flags) -> list[Cut | None]:
    """The cut for each under-protected cell; None where nothing that could be hidden would help.

    ``signs``: the sums (``sums.matrix``); ``open_``: the cells that could be hidden (measures x cells).
    """
    systems = [_system(view, each, signs, open_[each.row]) for each in narrow]
    blocks, _ = relaxed([each.block for each in systems])
    systems = [replace(each, block=block) for each, block in zip(systems, blocks, strict=True)]
    sides = [_bounds(systems, sign) for sign in (1.0, -1.0)]
    return [_cut(each, most, least) for each, most, least in zip(systems, *sides, strict=True)]


def _system(view: PublishedView, narrow: NarrowRange, signs: Floats, open_: Flags) -> _System:
    row, scale = narrow.row, narrow.scale
    there, shown = view.there[row], view.shown[row]
    lines = signs * np.where(there, scale.coefficient, 0.0)
    aim = np.arange(len(there)) == narrow.cell
    lines = lines[bearing(lines, there & ~shown, aim)]
    cells = np.flatnonzero((lines != 0).any(axis=0) | aim)
    lines = lines[:, cells] / np.maximum(np.abs(lines).max(axis=1, keepdims=True, initial=0.0), NOTHING)
    block = Block(
        matrix=sparse.coo_array(lines),
        row_low=np.zeros(len(lines)),
        row_high=np.zeros(len(lines)),
        low=np.where(shown, np.clip(view.low[row], scale.low, scale.high), scale.low)[cells],
        high=np.where(shown, np.clip(view.high[row], scale.low, scale.high), scale.high)[cells],
        targets=np.flatnonzero(cells == narrow.cell),
        need=np.array([narrow.need * scale.point[narrow.cell]]),
    )
    return _System(block, cells, open_[cells], scale.low[cells], scale.high[cells])


def _cut(system: _System, most: tuple[float, Floats], least: tuple[float, Floats]) -> Cut | None:
    missing = float(system.block.need[0]) - (most[0] + least[0])
    gains = np.minimum((most[1] + least[1]) / max(missing, NOTHING), 1.0)
    useful = system.open & (gains > NOTHING)
    gains = gains[useful] / min(1.0, float(gains[useful].sum()) or 1.0) * (1 + NOTHING)
    return Cut(tuple(system.cells[useful].tolist()), tuple(gains.tolist())) if useful.any() else None


def one_more_cut(view: PublishedView, row: int, target: int, signs: Floats, open_: Flags) -> Cut | None:
    """One more of the cells in the sums that bear on a cell; None where all are hidden."""
    there, shown = view.there[row], view.shown[row]
    lines = signs[bearing(signs * there, there & ~shown, np.arange(len(there)) == target)] * there
    cells = np.flatnonzero((lines != 0).any(axis=0) & open_[row])
    return Cut(tuple(cells.tolist()), (1.0,) * len(cells)) if len(cells) else None


def _bounds(systems: Sequence[_System], sign: float) -> list[tuple[float, Floats]]:
    """The largest that ``sign`` times each target can be, and what that would gain by hiding each cell."""
    goals = [np.where(np.arange(len(e.cells)) == e.block.targets[0], sign, 0.0) for e in systems]
    solutions = priced([Relaxed(each.block, -goal) for each, goal in zip(systems, goals, strict=True)])
    made = []
    for each, goal, (x, duals) in zip(systems, goals, solutions, strict=True):
        block, (above, below) = each.block, np.split(duals, 2)
        slope = goal + block.matrix.T @ (above - below)
        gains = np.where(slope > 0, slope * (each.highest - block.high), slope * (each.lowest - block.low))
        made.append((float(x @ goal), gains))
    return made
