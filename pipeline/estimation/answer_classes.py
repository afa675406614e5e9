"""The cells of a wave split by what their units answered, for covariances between estimates.

Here belong the classes and their sums; what is made of them stands in ``covariance``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.arrays import Floats, Ints
from pipeline.estimation import columns
from pipeline.estimation.design import Calibration
from pipeline.estimation.domains import aggregation_matrix
from pipeline.estimation.statistics import Cells


@dataclass(frozen=True)
class AnswerClasses:
    """The cells split by answer: one row a class and cell, the cells repeated for each class in turn.

    ``mean_y`` is what a category counts of a class (rows x categories): 0 or 1, or a mean's average number,
    weighed with w. ``mean_y_by_w2`` weighs that average with w^2, and ``within_w2`` is the sum of w^2 times
    the square of the distance from it.
    """

    cell: Ints
    in_denominator: Floats  # 1 where the class belongs to the denominator
    sum_w: Floats
    sum_w2: Floats
    mean_y: Floats
    mean_y_by_w2: Floats
    within_w2: Floats


def answer_classes(cells: Cells, measures: list[int]) -> AnswerClasses:
    """The cells by what their units answered: each measure, another answer, out of the denominator."""
    plan, size = cells.plan, len(cells.frame)
    mask = columns.answered(plan.masks.index(plan.measures[measures[0]].mask))
    mean = plan.measures[measures[0]].unit == "mean"
    parts: list[list[Floats]] = []  # of w, and of w^2, by class
    for power in (1, 2):
        counted = cells.total(mask, power)
        named = [] if mean else [cells.total(columns.value(number), power) for number in measures]
        rest = counted - np.add.reduce(named) if named else counted
        parts.append([*named, rest, cells.everyone(power) - counted])
    w, q = parts
    rows = len(w) * size
    within = np.zeros(size)
    if mean:
        y, y2 = np.zeros((rows, 1)), np.zeros((rows, 1))
        sums, squares = (cells.total(columns.value(measures[0]), power) for power in (1, 2))
        y[:size, 0] = np.divide(sums, w[0], out=np.zeros(size), where=w[0] > 0)
        y2[:size, 0] = np.divide(squares, q[0], out=np.zeros(size), where=q[0] > 0)
        within = cells.total(columns.squared(measures[0]), 2) - squares * y2[:size, 0]
    else:
        y = y2 = np.repeat(np.eye(len(w), len(measures)), size, axis=0)
    counts = np.repeat(np.arange(len(w)) < len(w) - 1, size).astype(float)
    return AnswerClasses(
        np.tile(np.arange(size), len(w)), counts, np.concatenate(w), np.concatenate(q), y, y2, within
    )


def fitted(classes: AnswerClasses, u: Floats, calibration: Calibration) -> Floats:
    """Fitted values of u on the margins: cells x estimates."""
    gather = aggregation_matrix(calibration.of_cell[classes.cell], len(calibration.start_weight))
    return calibration.fitted(gather @ (classes.sum_w[:, None] * u))[calibration.of_cell]
