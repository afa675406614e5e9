"""The cells of a wave split by what their units answered, for covariances between estimates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.arrays import Floats, Ints
from pipeline.estimation.design import Calibration
from pipeline.estimation.domains import adder
from pipeline.estimation.statistics import Cells


@dataclass(frozen=True)
class Classes:
    """The cells split by answer: one row a class and cell, the cells repeated for each class in turn.

    ``y`` is what a category counts of a class (rows x categories): 0 or 1, or a mean's average number;
    ``y2`` weighs that average with w^2, and ``within`` is w^2 times the square of the distance from it.
    """

    cell: Ints
    counts: Floats  # 1 where the class belongs to the denominator
    w: Floats
    q: Floats
    y: Floats
    y2: Floats
    within: Floats


def classes_of(cells: Cells, measures: list[int]) -> Classes:
    """The cells by what their units answered: each measure, another answer, out of the denominator."""
    frame, plan = cells.frame, cells.plan
    mask = plan.masks.index(plan.measures[measures[0]].mask)

    def column(name: str) -> Floats:
        return frame[name].to_numpy(dtype=np.float64)

    mean = plan.measures[measures[0]].unit == "mean"
    if mean:
        w, q = [column(f"b{mask}_w")], [column(f"b{mask}_q")]
    else:
        w = [column(f"y{number}_w") for number in measures]
        q = [column(f"y{number}_q") for number in measures]
        w.append(column(f"b{mask}_w") - np.add.reduce(w))
        q.append(column(f"b{mask}_q") - np.add.reduce(q))
    counted = len(w)
    w.append(column("w") - column(f"b{mask}_w"))
    q.append(column("q") - column(f"b{mask}_q"))
    rows, size = len(w) * len(frame), len(frame)
    within = np.zeros(size)
    if mean:
        y, y2 = np.zeros((rows, 1)), np.zeros((rows, 1))
        sums, squares = column(f"y{measures[0]}_w"), column(f"y{measures[0]}_q")
        y[:size, 0] = np.divide(sums, w[0], out=np.zeros(size), where=w[0] > 0)
        y2[:size, 0] = np.divide(squares, q[0], out=np.zeros(size), where=q[0] > 0)
        within = column(f"y{measures[0]}_qyy") - squares * y2[:size, 0]
    else:
        y = y2 = np.repeat(np.eye(len(w), len(measures)), size, axis=0)
    counts = np.repeat(np.arange(len(w)) < counted, size).astype(float)
    return Classes(
        np.tile(np.arange(size), len(w)), counts, np.concatenate(w), np.concatenate(q), y, y2, within
    )


def fitted(classes: Classes, u: Floats, calibration: Calibration) -> Floats:
    """Fitted values of u on the margins, from start weights: cells x estimates."""
    x, width = calibration.indicators, len(calibration.start)
    inverse = np.linalg.pinv(x.T @ (x * calibration.start[:, None]), rcond=1e-12, hermitian=True)
    of_row = calibration.of_cell[classes.cell]
    started = adder(of_row, width) @ ((classes.w / calibration.factor[of_row])[:, None] * u)
    return np.asarray((x @ (inverse @ (x.T @ started)))[calibration.of_cell], dtype=np.float64)
