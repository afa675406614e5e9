"""Which cells to hide so that no sum has exactly one hidden member, at least cost: an integer programme.

Nothing here knows what a cell stands for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, milp

from pipeline.arrays import Flags, Floats

TIE = 1e-6  # of the smallest cost: settles which of two equal choices is taken, whatever the solver


@dataclass(frozen=True)
class Cut:
    """Cells of which so many must be hidden that their gains add up to 1 at least."""

    cells: tuple[int, ...]
    gains: tuple[float, ...]


def cheapest_suppression(
    forced: Flags, cost: Floats, sums: Sequence[tuple[int, ...]], cuts: Sequence[Cut] = ()
) -> Flags:
    """The cells to hide: all that are ``forced``, enough for every cut, and none alone in a sum.

    ``cost``: of each cell, above 0. ``sums``: the members of each sum; where there is no other member
    that could be hidden, the sum has no say. Of two choices of equal cost, that with the later cells
    stays open. Raises ArithmeticError where the programme has no solution.
    """
    size = len(forced)
    members = [each for each in {tuple(sorted(set(each))): None for each in sums} if len(each) > 1]
    if not cuts and not (forced.any() and members):
        return forced.copy()
    others = np.zeros((sum(map(len, members)), size))
    lines = [(each, alone) for each in members for alone in each]
    for row, (each, alone) in enumerate(lines):
        others[row, list(each)] = 1.0
        others[row, alone] = -1.0
    wanted = np.zeros((len(cuts), size))
    for row, cut in enumerate(cuts):
        wanted[row, list(cut.cells)] = cut.gains
    least = np.concatenate([np.zeros(len(others)), np.ones(len(wanted))])
    price = np.where(forced, 0.0, cost / cost.min())
    solution = milp(
        price + TIE * np.arange(1, size + 1) / size * ~forced,
        integrality=np.ones(size, dtype=np.int64),
        bounds=Bounds(forced.astype(float), 1.0),
        constraints=LinearConstraint(sparse.csr_array(np.vstack([others, wanted])), least, np.inf),
        options={"mip_rel_gap": 0.0},
    )
    if solution.x is None:
        raise ArithmeticError(f"no set of cells to hide satisfies all constraints: {solution.message}")
    chosen: Flags = solution.x > 0.5
    return chosen
