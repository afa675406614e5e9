"""Systems that contradict themselves, relaxed where they do: rows in conflict, by as little as it takes.

The largest slack that some row must have is made as small as can be; the rows that must have it (their
multiplier is not 0) keep it, and so on with the others until no row needs any. That choice is
unique, whatever solution the solver takes, and rows that are in no conflict stay as they were.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from pipeline.arrays import Floats
from pipeline.disclosure.programmes import Block, Relaxed, priced

TOLERANCE = 1e-6  # of feasibility, in the unit of a row
BINDING = 1e-6  # a multiplier above this is not 0: together they are 1


def relaxed(blocks: Sequence[Block]) -> tuple[list[Block], list[Floats]]:
    """The blocks that hold together, and a solution of each. All rows get the solver's tolerance besides."""
    made, points = list(blocks), [block.low for block in blocks]
    bound = {number: np.zeros(2 * len(block.row_low), dtype=bool) for number, block in enumerate(blocks)}
    while bound:
        found = priced(
            [
                Relaxed(made[number], np.zeros(len(made[number].low)), np.where(fixed, 0.0, 1.0))
                for number, fixed in bound.items()
            ]
        )
        for (number, fixed), (x, duals) in zip(list(bound.items()), found, strict=True):
            points[number], slack = x[:-1], float(x[-1])
            if slack <= TOLERANCE:
                del bound[number]
                continue
            binding = ~fixed & (np.abs(duals) > BINDING)
            made[number] = _wider(made[number], np.where(binding, slack + TOLERANCE, 0.0))  # or none may hold
            bound[number] = fixed | binding
    every = [np.full(2 * len(block.row_low), 2 * TOLERANCE) for block in made]
    return [_wider(block, own) for block, own in zip(made, every, strict=True)], points


def _wider(block: Block, slack: Floats) -> Block:
    """``slack``: of every row from above, then from below."""
    above, below = np.split(slack, 2)
    return replace(block, row_low=block.row_low - below, row_high=block.row_high + above)
