"""Many small linear programmes solved together, one call of HiGHS for all: they do not touch each other.

Here belong the block, which is one system, and the two ways to solve it: for a point, and for a point with
the multipliers of its rows. Presolving costs more than it saves on programmes this small. Nothing here knows
what a system stands for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, linprog, milp

from pipeline.arrays import Floats, Ints


@dataclass(frozen=True)
class Block:
    """``low <= x <= high`` and ``row_low <= matrix @ x <= row_high``; ``targets`` are places in x.

    ``need``: how far each target should be able to move.
    """

    matrix: sparse.coo_array
    row_low: Floats
    row_high: Floats
    low: Floats
    high: Floats
    targets: Ints
    need: Floats


@dataclass(frozen=True)
class Relaxed:
    """A block at a cost, its rows split: first their upper limits, then their lower ones.

    ``cost``: of each unknown. ``give_way``: 1 for each row that a common slack may relax, which then
    is the last unknown and costs 1; None where no row may.
    """

    block: Block
    cost: Floats
    give_way: Floats | None = None


def solved(blocks: Sequence[Block], costs: Sequence[Floats]) -> list[Floats]:
    """One solution of each block at least cost. Raises ArithmeticError where a system contradicts itself."""
    if not blocks:
        return []
    solution = milp(
        np.concatenate(costs),
        constraints=LinearConstraint(
            _beside([_whole(block.matrix) for block in blocks]),
            np.concatenate([block.row_low for block in blocks]),
            np.concatenate([block.row_high for block in blocks]),
        ),
        bounds=Bounds(
            np.concatenate([block.low for block in blocks]), np.concatenate([block.high for block in blocks])
        ),
        options={"presolve": False},
    )
    return _parted(solution.x, [len(block.low) for block in blocks], solution.message)


def priced(programs: Sequence[Relaxed]) -> list[tuple[Floats, Floats]]:
    """One solution of each at least cost, and the multipliers of its rows (from above, then from below).

    Raises ArithmeticError where a system contradicts itself.
    """
    if not programs:
        return []
    pieces = [_piece(each) for each in programs]
    slack = [[0.0] if each.give_way is not None else [] for each in programs]
    costs = [np.append(each.cost, np.add(one, 1.0)) for each, one in zip(programs, slack, strict=True)]
    low = [np.append(each.block.low, one) for each, one in zip(programs, slack, strict=True)]
    high = [
        np.append(each.block.high, np.add(one, np.inf)) for each, one in zip(programs, slack, strict=True)
    ]
    limits = [np.concatenate([each.block.row_high, -each.block.row_low]) for each in programs]
    bounds = list(zip(np.concatenate(low).tolist(), np.concatenate(high).tolist(), strict=True))
    limited: dict[str, Any] = {"A_ub": _beside(pieces), "b_ub": np.concatenate(limits), "bounds": bounds}
    solution: Any = linprog(np.concatenate(costs), method="highs", options={"presolve": False}, **limited)
    points = _parted(solution.x, [len(each) for each in low], solution.message)
    duals = _parted(solution.ineqlin.marginals, [len(each) for each in limits], solution.message)
    return list(zip(points, duals, strict=True))


Piece = tuple[Floats, npt.NDArray[Any], npt.NDArray[Any], tuple[int, int]]  # numbers, rows, columns, shape


def _whole(matrix: sparse.coo_array) -> Piece:
    return matrix.data, matrix.row, matrix.col, (matrix.shape[0], matrix.shape[1])


def _piece(program: Relaxed) -> Piece:
    matrix = program.block.matrix
    rows, columns = matrix.shape
    data = [matrix.data, -matrix.data]
    row, column = [matrix.row, matrix.row + rows], [matrix.col, matrix.col]
    if program.give_way is not None:
        data, row = [*data, -program.give_way], [*row, np.arange(2 * rows)]
        column = [*column, np.full(2 * rows, columns)]
    shape = (2 * rows, columns + (program.give_way is not None))
    return np.concatenate(data), np.concatenate(row), np.concatenate(column), shape


def _beside(pieces: Sequence[Piece]) -> sparse.csr_array:
    """One matrix with all pieces along its diagonal."""
    rows = np.cumsum([0, *(shape[0] for *_, shape in pieces)])
    columns = np.cumsum([0, *(shape[1] for *_, shape in pieces)])
    row = np.concatenate([own + start for (_, own, _, _), start in zip(pieces, rows, strict=False)])
    column = np.concatenate([own + start for (_, _, own, _), start in zip(pieces, columns, strict=False)])
    data = np.concatenate([own for own, *_ in pieces])
    return sparse.csr_array((data, (row, column)), shape=(rows[-1], columns[-1]))


def _parted(numbers: Floats | None, lengths: Sequence[int], message: str) -> list[Floats]:
    if numbers is None:
        raise ArithmeticError(f"a linear programme of the disclosure audit was not solved: {message}")
    return [numbers[start:end] for start, end in pairwise(np.cumsum([0, *lengths]).tolist())]
