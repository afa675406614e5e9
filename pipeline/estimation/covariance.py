"""The covariance of linearised estimates, from the cells of a wave split by what their units answered.

z is that of ``linearisation``, z = w u, and the covariance of two estimates is the form given there
(Särndal, Swensson & Wretman 1992, 5.6; that of a table's shares is what Rao & Scott 1981 test with). Within
a cell all units with the same answer share one u, so cells split by answer into classes hold all that a
covariance needs (R's ``svycontrast``, ``svyby(covmat = TRUE)``).

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
        self, plan: Plan, measures: list[int], category: Ints, numerator: Floats, denominator: Floats
    ) -> tuple[Floats, Floats]:
        """Estimates t of ``measures[category[t]]``, and their covariance: estimates, estimates x estimates.

        Counted are the cells ``numerator[:, t]``, of ``denominator[:, t]``: both cells x estimates, 0 or 1.

        Means are from their centre, shares are proportions; NaN where nobody answered.
        """
        first = plan.measures[measures[0]]
        classes = answer_classes(self.cells, measures)
        counted = denominator[classes.cell] * classes.in_denominator[:, None]
        over = numerator[classes.cell]
        sums, base = classes.sum_w @ (classes.mean_y[:, category] * over), classes.sum_w @ counted
        answered = self.cells.total(columns.answered(plan.masks.index(first.mask)))
        n = answered[:, None] * denominator
        count, some = first.unit == "count", base > 0
        linear = Linearisation.of(
            sums, base, np.full_like(some, first.unit == "percent"), np.full_like(some, count)
        )
        u, u2 = (
            linear.of_units(y[:, category] * over, counted) for y in (classes.mean_y, classes.mean_y_by_w2)
        )
        covariance = self._covariance(classes, u, u2, numerator * linear.scale, n)
        return np.where(n.sum(axis=0) > 0, sums if count else linear.ratio, np.nan), covariance

    def _covariance(self, classes: AnswerClasses, u: Floats, u2: Floats, inside: Floats, n: Floats) -> Floats:
        """Covariances of the sums of w u: estimates x estimates, symmetric.

        ``u`` and ``u2`` are classes x estimates, ``u2`` u where squares are summed (see ``AnswerClasses``);
        ``inside``, cells x estimates, what a mean's number is multiplied by in u; ``n`` the units that an
        estimate is of, cells x estimates.
        """
        design = self.design
        stratum, k = design.stratum[classes.cell], design.variance_factor
        squares = k[stratum] * classes.sum_w2
        within = k[design.stratum] * classes.within_w2
        size = squares @ u2**2 + within @ inside**2
        if design.calibration is not None:
            fit = fitted(classes, u, design.calibration)[classes.cell]
            u, u2 = u - fit, u2 - fit
        z = classes.sum_w[:, None] * u
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
        if not self.design.lonely_take_average:
            return 1.0
        present = (aggregation_matrix(self.design.stratum, len(self.design.n_psu)) @ n) > 0
        present |= self.design.calibration is not None
        good = (present & ~self.design.lonely[:, None]).sum(axis=0)
        scale = np.sqrt(lonely_average(present.sum(axis=0), good))
        return np.outer(scale, scale)


def _product(u: Floats, weight: Floats) -> Floats:
    """u' diag(weight) u: estimates x estimates."""
    return np.asarray(u.T @ (u * weight[:, None]), dtype=np.float64)
