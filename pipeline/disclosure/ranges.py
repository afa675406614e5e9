"""How far the unknowns of many small linear systems can move: linear programmes, solved together.

A block is one system: unknowns between bounds, sums of them between bounds, and targets that should be able
to move by what they need. Blocks are independent, so one call of HiGHS solves a programme of each. Every
solution is a feasible point; as the feasible set is convex, a target may take every number between those of
two points, and most targets are cleared by points that were found for others. What is not, gets its own
two programmes, and its range is then exact. Nothing here knows what a system stands for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.arrays import Flags, Floats
from pipeline.disclosure.programmes import Block, solved
from pipeline.disclosure.relaxation import relaxed

PATTERNS = 3  # of aims at all targets at once, before they are taken one at a time
TOGETHER = 4  # targets of a block that are aimed at in one call
ENOUGH = 1e-4  # a width this near to what is needed is enough


@dataclass(frozen=True)
class Ranges:
    """The range of every target of every block, cut short where it is wide enough; the programmes solved."""

    widths: list[Floats]
    programmes: int


def ranges(blocks: Sequence[Block]) -> Ranges:
    """The width of each target: exact where below its need, else at least what it needs.

    A block whose system contradicts itself is relaxed first (``relaxation``).
    """
    blocks, points = relaxed(blocks)
    search = _Search(
        list(blocks), [(x[b.targets], x[b.targets]) for b, x in zip(blocks, points, strict=True)]
    )
    for bit in range(PATTERNS):
        for sign in (1.0, -1.0):
            search.towards(
                [(number, sign * _pattern(search.open(number), bit)) for number in search.unsettled()]
            )
    while unsettled := search.unsettled():
        single = [(number, aim) for number in unsettled for aim in _singles(search.open(number))]
        for sign in (1.0, -1.0):
            search.towards([(number, sign * aim * search.open(number)) for number, aim in single])
        for number, aim in single:
            search.settled[number] |= aim > 0
    widths = [high - low for low, high in search.found]
    return Ranges(widths, search.programmes + len(blocks))


def _pattern(still: Flags, bit: int) -> Floats:
    """Aims for the targets still open: all the same way, then by the bits of their number."""
    numbers = np.arange(len(still))
    signs = np.ones(len(still)) if bit == 0 else 1.0 - 2.0 * (numbers >> (bit - 1) & 1)
    return np.where(still, signs, 0.0)


def _singles(still: Flags) -> list[Floats]:
    """Aims at each of the first targets still open, one at a time."""
    return list(np.eye(len(still))[np.flatnonzero(still)[:TOGETHER]])


class _Search:
    """The least and largest number met of every target, and which targets need no more."""

    def __init__(self, blocks: list[Block], found: list[tuple[Floats, Floats]]) -> None:
        self.blocks, self.found, self.programmes = blocks, found, 0
        self.settled = [np.zeros(len(block.targets), dtype=bool) for block in blocks]

    def open(self, number: int) -> Flags:
        low, high = self.found[number]
        return ~self.settled[number] & (high - low < self.blocks[number].need - ENOUGH)

    def unsettled(self) -> list[int]:
        return [number for number in range(len(self.blocks)) if self.open(number).any()]

    def towards(self, aims: list[tuple[int, Floats]]) -> None:
        """Solve a programme of a block for each aim, and keep what its targets came to."""
        aims = [(number, aim) for number, aim in aims if aim.any()]
        self.programmes += len(aims)
        costs = []
        for number, aim in aims:
            cost = np.zeros(len(self.blocks[number].low))
            cost[self.blocks[number].targets] = -aim / self.blocks[number].need
            costs.append(cost)
        for (number, _), x in zip(
            aims, solved([self.blocks[number] for number, _ in aims], costs), strict=True
        ):
            low, high = self.found[number]
            met = x[self.blocks[number].targets]
            self.found[number] = (np.minimum(low, met), np.maximum(high, met))
