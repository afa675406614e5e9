"""Design covariances between estimates of one wave: of a distribution's shares, of domains, of a table.

Every such estimate is a ratio A / B of weighted sums; what their errors have in common is linearised
(``covariance``), or with replicate weights spreads among the replicates (``replicates``). Domains may be
apart, overlap, or be part of one another.

Here belongs what pairs of estimates need. The error of one estimate alone stands in ``variance``; what a
difference says is for comparisons to judge. Two items of a multiple or grid question are refused: the
sums do not hold the products of their answers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from pipeline.arrays import Floats, Ints
from pipeline.estimation.covariance import Linearised
from pipeline.estimation.design import design_of
from pipeline.estimation.domains import Domains, domains_of
from pipeline.estimation.linearisation import ROUNDING
from pipeline.estimation.replicates import Replicates
from pipeline.estimation.specification import Specification
from pipeline.estimation.statistics import Cells

Names = tuple[tuple[str, str, str], ...]  # category, domain, domain_code


@dataclass(frozen=True)
class EstimateCovariance:
    """Estimates of one indicator with their design covariance, in the unit of the estimates.

    ``names`` are (category, domain, domain_code); shares are percent, so their covariance is in percent
    squared. NaN where nobody answered.
    """

    names: Names
    values: Floats
    covariance: Floats

    def difference(self, a: int, b: int) -> tuple[float, float]:
        """Estimate ``a`` less estimate ``b``, and its standard error: sqrt(V_a + V_b - 2 C_ab)."""
        v = self.covariance
        variance = v[a, a] + v[b, b] - 2 * v[a, b]
        floor = ROUNDING * (v[a, a] + v[b, b])  # two equal estimates differ by nothing
        error = np.sqrt(variance) if variance > floor or np.isnan(variance) else 0.0
        return float(self.values[a] - self.values[b]), float(error)


@dataclass(frozen=True)
class CovarianceSource:
    """What covariances are added up from, and the domains its rows belong to.

    Rows are cells, or with replicate weights the domains their sums are of.
    """

    estimator: Linearised | Replicates
    domains: Domains

    @cached_property
    def domain_numbers(self) -> dict[tuple[str, str], int]:
        """Each domain's number, by breakdown and code."""
        names = zip(self.domains.breakdowns, self.domains.codes, strict=True)
        return {name: number for number, name in enumerate(names)}

    def inside(self, place: tuple[str, str]) -> Floats:
        """1 for the rows of a domain."""
        inside = np.zeros(self.estimator.rows)
        inside[self.domains.cell[self.domains.domain == self.domain_numbers[place]]] = 1.0
        return inside


@dataclass(frozen=True)
class Contrasts:
    """A wave's sums and domains, ready for covariances of its estimates; ``others``: by other weights."""

    cells: Cells
    total: str  # the breakdown of everyone
    sources: tuple[CovarianceSource, ...]
    others: tuple[Contrasts, ...] = ()

    @classmethod
    def of(cls, cells: Cells, specification: Specification) -> Contrasts:
        """Prepares a microdata wave's sums. Raises what ``design_of`` raises."""
        design = specification.wave.design
        assert design is not None
        if cells.replicates is not None and design.replicate_weights is not None:
            replicates = Replicates.of(cells.replicates, cells.plan, design.replicate_weights)
            return cls(cells, specification.total, (CovarianceSource(replicates, replicates.domains),))
        sources = tuple(
            CovarianceSource(
                Linearised(cube, design_of(cube, specification)),
                domains_of(cube.frame, cube.plan.cell, specification.breakdowns),
            )
            for cube in cells.cubes
        )
        others = tuple(cls.of(each, specification) for each in cells.others)
        return cls(cells, specification.total, sources, others)

    def of_indicator(self, indicator: str) -> Contrasts:
        """Those with the weight of an indicator; these where the wave has no estimate of it."""
        for each in (self, *self.others):
            if any(measure.indicator == indicator for measure in each.cells.plan.measures):
                return each
        return self

    def shares(self, indicator: str, domain: str | None = None, code: str = "") -> EstimateCovariance:
        """The shares of a single-choice indicator in one domain; of the total when none is named."""
        own, domain = self.of_indicator(indicator), domain or self.total
        measures, source = own._measures(indicator), own.source_of([(domain, code)])
        inside = np.repeat(source.inside((domain, code))[:, None], len(measures), axis=1)
        return own._estimated(source, measures, np.arange(len(measures)), inside, inside, [(domain, code)])

    def between(
        self, indicator: str, category: str, domains: Sequence[tuple[str, str]]
    ) -> EstimateCovariance:
        """One category's estimate in several domains, each a (domain, domain_code)."""
        own = self.of_indicator(indicator)
        measures, source = own._measures(indicator, category), own.source_of(domains)
        inside = np.column_stack([source.inside(each) for each in domains])
        return own._estimated(
            source, measures, np.zeros(len(domains), dtype=np.int64), inside, inside, domains
        )

    def table(self, indicator: str, domain: str) -> EstimateCovariance:
        """The joint shares of a single-choice indicator and a breakdown, of all who have both.

        What a Rao-Scott test of independence needs. Ordered by domain code, then category.
        """
        own = self.of_indicator(indicator)
        measures = own._measures(indicator)
        source = own.sources[own.held[domain]]
        places = [place for place in source.domain_numbers if place[0] == domain]
        inside = np.column_stack([source.inside(each) for each in places])
        numerator = np.repeat(inside, len(measures), axis=1)
        whole = np.repeat(inside.max(axis=1)[:, None], numerator.shape[1], axis=1)
        category = np.tile(np.arange(len(measures)), len(places))
        return own._estimated(source, measures, category, numerator, whole, places)

    @cached_property
    def held(self) -> dict[str, int]:
        """Of each breakdown, the first of the sources that holds it."""
        last_first = reversed(list(enumerate(self.sources)))  # so that the first is what stays in the dict
        return {name: number for number, source in last_first for name in source.domains.breakdowns}

    def source_of(self, places: Sequence[tuple[str, str]]) -> CovarianceSource:
        """The first source that holds all of these domains; ValueError where there is none."""
        for domain, code in places:
            if not any((domain, code) in source.domain_numbers for source in self.sources):
                raise ValueError(f"the wave has no domain {domain} {code}".rstrip())
        for source in self.sources:
            if all(place in source.domain_numbers for place in places):
                return source
        names = ", ".join(dict.fromkeys(domain for domain, _ in places))
        raise ValueError(f"no cells of the wave are told apart by all of {names}")

    def _measures(self, indicator: str, category: str | None = None) -> list[int]:
        """The numbers of an indicator's measures in the plan, of which each unit answers one at most.

        ValueError where there are none, or where a unit may answer several of them.
        """
        found = [
            number
            for number, measure in enumerate(self.cells.plan.measures)
            if measure.indicator == indicator and category in (None, measure.category)
        ]
        if not found:
            raise ValueError(f"the wave has no estimate of {indicator} {category or ''}".rstrip())
        if len(found) > 1 and not self.cells.plan.measures[found[0]].exclusive:
            raise ValueError(
                f"{indicator} is not a single-choice question: its answers' products are not summed"
            )
        return found

    def _estimated(
        self,
        source: CovarianceSource,
        measures: list[int],
        category: Ints,
        numerators: Floats,
        denominators: Floats,
        places: Sequence[tuple[str, str]],
    ) -> EstimateCovariance:
        """Estimates t of ``measures[category[t]]``, and their names.

        Counted are the rows ``numerators[:, t]``, of ``denominators[:, t]``: both rows x estimates, 0 or 1.
        """
        plan = self.cells.plan
        first = plan.measures[measures[0]]
        values, covariance = source.estimator.joint(plan, measures, category, numerators, denominators)
        unit = 100.0 if first.unit == "percent" else 1.0
        blank = np.isnan(values)
        covariance = np.where(blank[:, None] | blank[None, :], np.nan, covariance * unit**2)
        centre = self.cells.centres.get(measures[0], 0.0)
        categories = [plan.measures[measures[number]].category for number in category]
        where = places if len(places) == len(categories) else [
            place for place in places for _ in range(len(categories) // len(places))
        ]  # fmt: skip
        names = tuple((name, *at) for name, at in zip(categories, where, strict=True))
        return EstimateCovariance(names, (values + centre) * unit, covariance)
