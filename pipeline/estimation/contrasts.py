"""Design covariances between estimates of one wave: of a distribution's shares, of domains, of a table.

Every such estimate is a ratio A / B of weighted sums, linearised as z = w u with u = (y I - A/B J) / B: y
what is counted, I the units it is counted of, J those of the denominator. Within a cell all units with
the same answer share one u. So the cells split by answer into classes, which hold all that a covariance
needs (Särndal, Swensson & Wretman 1992, 5.6 and 5.7; R's ``svycontrast``, ``svyby(covmat = TRUE)``):

    V = sum over strata of k_h [ sum over units of z_i z_j - sum of z_i times sum of z_j / n_h ]

with primary sampling units for units where there are any, and after calibration with the residuals of u
on the margins for u. Domains may be apart, overlap, or be part of one another.

Here belongs what pairs of estimates need. The error of one estimate alone stands in ``variance``; what a
difference says is for comparisons to judge. Two items of a multiple or grid question are refused: the
sums do not hold the products of their answers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.arrays import Floats, Ints
from pipeline.catalogue.counts import read_population
from pipeline.catalogue.fieldwork import Wave
from pipeline.catalogue.model import Catalogue
from pipeline.estimation.classes import Classes, classes_of, fitted
from pipeline.estimation.design import Design, design_of
from pipeline.estimation.domains import Domains, adder, domains_of
from pipeline.estimation.statistics import Cells

ROUNDING = 1e-13  # of the sum of squares that a variance is the difference of
Names = tuple[tuple[str, str, str], ...]  # category, domain, domain_code


@dataclass(frozen=True)
class Joint:
    """Estimates of one indicator with their design covariance, in the unit of the estimates.

    ``names`` are (category, domain, domain_code); shares are percent, so their covariance is in percent
    squared. NaN where nobody answered.
    """

    names: Names
    values: Floats
    covariance: Floats

    def difference(self, one: int, other: int) -> tuple[float, float]:
        """Estimate ``one`` less estimate ``other``, and its standard error."""
        v = self.covariance
        variance = v[one, one] + v[other, other] - 2 * v[one, other]
        floor = ROUNDING * (v[one, one] + v[other, other])  # two equal estimates differ by nothing
        error = np.sqrt(variance) if variance > floor or np.isnan(variance) else 0.0
        return float(self.values[one] - self.values[other]), float(error)


@dataclass(frozen=True)
class Contrasts:
    """A wave's sums, design and domains, ready for covariances between its estimates."""

    cells: Cells
    catalogue: Catalogue
    design: Design
    domains: Domains

    @classmethod
    def of(cls, cells: Cells, wave: Wave, catalogue: Catalogue) -> Contrasts:
        """Prepares a microdata wave's sums.

        Raises what ``design_of`` raises, and ValueError for a wave with replicate weights: its
        covariances are those of its replicates, which are not linearised.
        """
        assert wave.design is not None
        if wave.design.replicate_weights:
            raise ValueError(f"{wave.key} has replicate weights")
        population = read_population(wave, catalogue.root) if wave.design.population else {}
        design = design_of(cells, wave, population, catalogue.barometer.estimation.lonely_psu)
        return cls(cells, catalogue, design, domains_of(cells.frame, cells.plan.cell, catalogue))

    def shares(self, indicator: str, domain: str = "total", code: str = "") -> Joint:
        """The shares of a single-choice indicator in one domain."""
        measures = self._measures(indicator)
        inside = np.repeat(self._inside(domain, code)[:, None], len(measures), axis=1)
        return self._joint(measures, np.arange(len(measures)), inside, inside, [(domain, code)])

    def between(self, indicator: str, category: str, domains: Sequence[tuple[str, str]]) -> Joint:
        """One category's estimate in several domains, each a (domain, domain_code)."""
        measures = self._measures(indicator, category)
        inside = np.column_stack([self._inside(*each) for each in domains])
        return self._joint(measures, np.zeros(len(domains), dtype=np.int64), inside, inside, domains)

    def table(self, indicator: str, domain: str) -> Joint:
        """The joint shares of a single-choice indicator and a breakdown, of all who have both.

        What a Rao-Scott test of independence needs. Ordered by domain code, then category.
        """
        measures = self._measures(indicator)
        places = [(domain, code) for code, of in zip(self.domains.codes, self.domains.breakdowns, strict=True)
                  if of == domain]  # fmt: skip
        inside = np.column_stack([self._inside(*each) for each in places])
        numerator = np.repeat(inside, len(measures), axis=1)
        whole = np.repeat(inside.max(axis=1)[:, None], numerator.shape[1], axis=1)
        category = np.tile(np.arange(len(measures)), len(places))
        return self._joint(measures, category, numerator, whole, places)

    def _measures(self, indicator: str, category: str | None = None) -> list[int]:
        """The places of an indicator's measures, of which each unit answers one at most."""
        found = [
            number
            for number, measure in enumerate(self.cells.plan.measures)
            if measure.indicator == indicator and category in (None, measure.category)
        ]
        if not found:
            raise ValueError(f"the wave has no estimate of {indicator} {category or ''}".rstrip())
        question = self.catalogue.questions.get(self.catalogue.indicators[indicator].question or "")
        if len(found) > 1 and (question is None or question.type != "single"):
            raise ValueError(
                f"{indicator} is no single-choice question: its answers' products are not summed"
            )
        return found

    def _inside(self, domain: str, code: str) -> Floats:
        """1 for the cells of a domain."""
        inside = np.zeros(len(self.cells.frame))
        for number, name in enumerate(zip(self.domains.breakdowns, self.domains.codes, strict=True)):
            if name == (domain, code):
                inside[self.domains.cell[self.domains.domain == number]] = 1.0
                return inside
        raise ValueError(f"the wave has no domain {domain} {code}".rstrip())

    def _joint(
        self,
        measures: list[int],
        category: Ints,
        top: Floats,
        bottom: Floats,
        places: Sequence[tuple[str, str]],
    ) -> Joint:
        """Estimates t: of ``category[t]``, counted in the cells ``top[:, t]`` of ``bottom[:, t]``."""
        plan = self.cells.plan
        first = plan.measures[measures[0]]
        classes = classes_of(self.cells, measures)
        counted = bottom[classes.cell] * classes.counts[:, None]
        over = top[classes.cell]
        sums, base = classes.w @ (classes.y[:, category] * over), classes.w @ counted
        answered = self.cells.column(f"b{plan.masks.index(first.mask)}")
        n = answered[:, None] * bottom
        count, some = first.unit == "count", base > 0
        ratio = np.divide(sums, base, out=np.zeros_like(sums), where=some) * (not count)
        scale = np.ones_like(base) if count else np.divide(1.0, base, out=np.zeros_like(base), where=some)
        u, u2 = ((y[:, category] * over - ratio * counted) * scale for y in (classes.y, classes.y2))
        covariance = self._covariance(classes, u, u2, top * scale, n)
        unit = 100.0 if first.unit == "percent" else 1.0
        centre = self.cells.centres.get(measures[0], 0.0)
        values = np.where(n.sum(axis=0) > 0, (sums if count else ratio + centre) * unit, np.nan)
        blank = np.isnan(values)
        covariance = np.where(blank[:, None] | blank[None, :], np.nan, covariance * unit**2)
        categories = [plan.measures[measures[number]].category for number in category]
        where = places if len(places) == len(categories) else [
            place for place in places for _ in range(len(categories) // len(places))
        ]  # fmt: skip
        return Joint(tuple((one, *at) for one, at in zip(categories, where, strict=True)), values, covariance)

    def _covariance(self, classes: Classes, u: Floats, u2: Floats, inside: Floats, n: Floats) -> Floats:
        """Covariances of the sums of w u; ``u2`` is u where squares are summed (see ``Classes``)."""
        design = self.design
        stratum, k = design.stratum[classes.cell], design.k
        squares = k[stratum] * classes.q
        size = _product(u2, squares) + _product(inside, k[design.stratum] * classes.within)
        if design.calibration is not None:
            fit = fitted(classes, u, design.calibration)[classes.cell]
            u, u2 = u - fit, u2 - fit
        z = classes.w[:, None] * u
        total = adder(stratum, len(k)) @ z
        if design.psu is None or design.psu_stratum is None:
            products = _product(u2, squares) + _product(inside, k[design.stratum] * classes.within)
        else:
            units = adder(design.psu[classes.cell], len(design.psu_stratum)) @ z
            products = _product(units, k[design.psu_stratum])
            raw = adder(design.psu[classes.cell], len(design.psu_stratum)) @ np.abs(z)
            size = np.maximum(size, _product(raw, k[design.psu_stratum]))
        made = products - _product(total, k * design.centred / design.size)
        limit = ROUNDING * np.sqrt(np.outer(np.diag(size), np.diag(size)))
        return np.where(np.abs(made) > limit, made, 0.0) * self._average(n)

    def _average(self, n: Floats) -> Floats | float:
        """Where lonely strata take the average: a domain's strata over those of them with a variance."""
        if not self.design.average:
            return 1.0
        present = (adder(self.design.stratum, len(self.design.size)) @ n) > 0
        good = (present & (self.design.size > 1)[:, None]).sum(axis=0)
        scale = np.sqrt(np.where(good > 0, present.sum(axis=0) / np.maximum(good, 1), 0.0))
        return np.outer(scale, scale)


def _product(u: Floats, weight: Floats) -> Floats:
    return np.asarray(u.T @ (u * weight[:, None]), dtype=np.float64)
