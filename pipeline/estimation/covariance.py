"""The covariance of linearised estimates, from the cells of a wave split by what their units answered.

A ratio A / B of weighted sums is linearised as z = w u with u = (y I - A/B J) / B: y what is counted, I the
units it is counted of, J those of the denominator. Within a cell all units with the same answer share one
u. So the cells split by answer into classes, which hold all that a covariance needs (Särndal, Swensson &
Wretman 1992, 5.6 and 5.7; R's ``svycontrast``, ``svyby(covmat = TRUE)``):

    V = sum over strata of k_h [ sum over units of z_i z_j - sum of z_i times sum of z_j / n_h ]

with primary sampling units for units where there are any, and after calibration with the residuals of u
on the margins for u.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.arrays import Floats, Ints
from pipeline.estimation import columns
from pipeline.estimation.answer_classes import AnswerClasses, answer_classes, fitted
from pipeline.estimation.design import Design
from pipeline.estimation.domains import aggregation_matrix
from pipeline.estimation.plan import Plan
from pipeline.estimation.statistics import Cells

ROUNDING = 1e-13  # of the sum of squares that a variance is the difference of


@dataclass(frozen=True)
class Linearised:
    """A wave's sums and design: what linearised estimates have in common."""

    cells: Cells
    design: Design

    @property
    def rows(self) -> int:
        """How many cells there are."""
        return len(self.cells.frame)

    def joint(
        self, plan: Plan, measures: list[int], category: Ints, top: Floats, bottom: Floats
    ) -> tuple[Floats, Floats]:
        """Estimates t of ``measures[category[t]]``, counted in the cells ``top[:, t]`` of ``bottom[:, t]``.

        Means are from their centre, shares are proportions; NaN where nobody answered. And their covariance.
        """
        first = plan.measures[measures[0]]
        classes = answer_classes(self.cells, measures)
        counted = bottom[classes.cell] * classes.counts[:, None]
        over = top[classes.cell]
        sums, base = classes.w @ (classes.y[:, category] * over), classes.w @ counted
        answered = self.cells.total(columns.answered(plan.masks.index(first.mask)))
        n = answered[:, None] * bottom
        count, some = first.unit == "count", base > 0
        ratio = np.divide(sums, base, out=np.zeros_like(sums), where=some) * (not count)
        scale = np.ones_like(base) if count else np.divide(1.0, base, out=np.zeros_like(base), where=some)
        u, u2 = ((y[:, category] * over - ratio * counted) * scale for y in (classes.y, classes.y2))
        covariance = self._covariance(classes, u, u2, top * scale, n)
        return np.where(n.sum(axis=0) > 0, sums if count else ratio, np.nan), covariance

    def _covariance(self, classes: AnswerClasses, u: Floats, u2: Floats, inside: Floats, n: Floats) -> Floats:
        """Covariances of the sums of w u; ``u2`` is u where squares are summed (see ``AnswerClasses``)."""
        design = self.design
        stratum, k = design.stratum[classes.cell], design.k
        squares = k[stratum] * classes.q
        within = k[design.stratum] * classes.within
        size = squares @ u2**2 + within @ inside**2
        if design.calibration is not None:
            fit = fitted(classes, u, design.calibration)[classes.cell]
            u, u2 = u - fit, u2 - fit
        z = classes.w[:, None] * u
        total = aggregation_matrix(stratum, len(k)) @ z
        if design.psu is None or design.psu_stratum is None:
            products = _product(u2, squares) + _product(inside, within)
        else:
            units = aggregation_matrix(design.psu[classes.cell], len(design.psu_stratum)) @ z
            products = _product(units, k[design.psu_stratum])
            raw = aggregation_matrix(design.psu[classes.cell], len(design.psu_stratum)) @ np.abs(z)
            size = np.maximum(size, k[design.psu_stratum] @ raw**2)
        made = products - _product(total, k * design.centred / design.size)
        limit = ROUNDING * np.sqrt(np.outer(size, size))
        return np.where(np.abs(made) <= limit, 0.0, made) * self._average(n)

    def _average(self, n: Floats) -> Floats | float:
        """Where lonely strata take the average: a domain's strata over those of them with a variance."""
        if not self.design.average:
            return 1.0
        present = (aggregation_matrix(self.design.stratum, len(self.design.size)) @ n) > 0
        good = (present & ~self.design.lonely[:, None]).sum(axis=0)
        scale = np.sqrt(np.where(good > 0, present.sum(axis=0) / np.maximum(good, 1), 0.0))
        return np.outer(scale, scale)


def _product(u: Floats, weight: Floats) -> Floats:
    return np.asarray(u.T @ (u * weight[:, None]), dtype=np.float64)
