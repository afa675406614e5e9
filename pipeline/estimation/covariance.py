"""The covariance of linearised estimates, from the cells of a wave split by what their units answered.

z is that of ``linearisation``, z = w u. Within a cell all units with the same answer share one u, so cells
split by answer into classes hold all that a covariance needs (R's ``svycontrast``, ``svyby(covmat = TRUE)``).

Here belong a few estimates together, domains that may overlap; every estimate's own error is in ``variance``,
covariances from replicate weights are in ``replicates``, and what is asked for stands in ``contrasts``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.arrays import Floats, Ints
from pipeline.estimation import columns
from pipeline.estimation.answer_classes import AnswerClasses, answer_classes, fitted
from pipeline.estimation.design import Design
from pipeline.estimation.domains import aggregation_matrix
from pipeline.estimation.linearisation import Linearisation, lonely_average, without_rounding
from pipeline.estimation.plan import Plan
from pipeline.estimation.statistics import Cells


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
        linear = Linearisation.of(
            sums, base, np.full_like(some, first.unit == "percent"), np.full_like(some, count)
        )
        u, u2 = (linear.of_units(y[:, category] * over, counted) for y in (classes.y, classes.y2))
        covariance = self._covariance(classes, u, u2, top * linear.scale, n)
        return np.where(n.sum(axis=0) > 0, sums if count else linear.ratio, np.nan), covariance

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
        made = products - _product(total, design.centring)
        return without_rounding(made, np.sqrt(np.outer(size, size))) * self._average(n)

    def _average(self, n: Floats) -> Floats | float:
        """Where lonely strata take the average: a domain's strata over those of them with a variance.

        After calibration all strata are a domain's, as units outside have residuals too.
        """
        if not self.design.average:
            return 1.0
        present = (aggregation_matrix(self.design.stratum, len(self.design.size)) @ n) > 0
        present |= self.design.calibration is not None
        good = (present & ~self.design.lonely[:, None]).sum(axis=0)
        scale = np.sqrt(lonely_average(present.sum(axis=0), good))
        return np.outer(scale, scale)


def _product(u: Floats, weight: Floats) -> Floats:
    return np.asarray(u.T @ (u * weight[:, None]), dtype=np.float64)
