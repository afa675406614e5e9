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
from pipeline.catalogue.counts import read_population
from pipeline.catalogue.fieldwork import Wave
from pipeline.catalogue.model import Catalogue
from pipeline.estimation.covariance import Linearised
from pipeline.estimation.design import design_of
from pipeline.estimation.domains import Domains, domains_of
from pipeline.estimation.linearisation import ROUNDING
from pipeline.estimation.replicates import Replicates
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

    def difference(self, one: int, other: int) -> tuple[float, float]:
        """Estimate ``one`` less estimate ``other``, and its standard error."""
        v = self.covariance
        variance = v[one, one] + v[other, other] - 2 * v[one, other]
        floor = ROUNDING * (v[one, one] + v[other, other])  # two equal estimates differ by nothing
        error = np.sqrt(variance) if variance > floor or np.isnan(variance) else 0.0
        return float(self.values[one] - self.values[other]), float(error)


@dataclass(frozen=True)
class Rows:
    """What covariances are added up from, and the domains its rows belong to.

    Rows are cells, or with replicate weights the domains their sums are of.
    """

    spread: Linearised | Replicates
    domains: Domains

    @cached_property
    def places(self) -> dict[tuple[str, str], int]:
        """Each domain's number, by breakdown and code."""
        names = zip(self.domains.breakdowns, self.domains.codes, strict=True)
        return {name: number for number, name in enumerate(names)}

    def inside(self, place: tuple[str, str]) -> Floats:
        """1 for the rows of a domain."""
        inside = np.zeros(self.spread.rows)
        inside[self.domains.cell[self.domains.domain == self.places[place]]] = 1.0
        return inside


@dataclass(frozen=True)
class Contrasts:
    """A wave's sums and domains, ready for covariances between its estimates."""

    cells: Cells
    catalogue: Catalogue
    rows: tuple[Rows, ...]

    @classmethod
    def of(cls, cells: Cells, wave: Wave, catalogue: Catalogue) -> Contrasts:
        """Prepares a microdata wave's sums. Raises what ``design_of`` raises."""
        assert wave.design is not None
        if cells.replicates is not None and wave.design.replicate_weights is not None:
            replicates = Replicates.of(cells.replicates, cells.plan, wave.design.replicate_weights)
            return cls(cells, catalogue, (Rows(replicates, replicates.domains),))
        population = read_population(wave, catalogue.root) if wave.design.population else {}
        lonely = catalogue.barometer.estimation.lonely_psu
        rows = tuple(
            Rows(
                Linearised(cube, design_of(cube, wave, population, lonely)),
                domains_of(cube.frame, cube.plan.cell, catalogue.domains.values()),
            )
            for cube in cells.cubes
        )
        return cls(cells, catalogue, rows)

    def shares(self, indicator: str, domain: str | None = None, code: str = "") -> EstimateCovariance:
        """The shares of a single-choice indicator in one domain; of the total when none is named."""
        domain = domain or self.catalogue.total.key
        measures, rows = self._measures(indicator), self.source_of([(domain, code)])
        inside = np.repeat(rows.inside((domain, code))[:, None], len(measures), axis=1)
        return self._estimated(rows, measures, np.arange(len(measures)), inside, inside, [(domain, code)])

    def between(
        self, indicator: str, category: str, domains: Sequence[tuple[str, str]]
    ) -> EstimateCovariance:
        """One category's estimate in several domains, each a (domain, domain_code)."""
        measures, rows = self._measures(indicator, category), self.source_of(domains)
        inside = np.column_stack([rows.inside(each) for each in domains])
        return self._estimated(
            rows, measures, np.zeros(len(domains), dtype=np.int64), inside, inside, domains
        )

    def table(self, indicator: str, domain: str) -> EstimateCovariance:
        """The joint shares of a single-choice indicator and a breakdown, of all who have both.

        What a Rao-Scott test of independence needs. Ordered by domain code, then category.
        """
        measures = self._measures(indicator)
        rows = self.rows[self.held[domain]]
        places = [place for place in rows.places if place[0] == domain]
        inside = np.column_stack([rows.inside(each) for each in places])
        numerator = np.repeat(inside, len(measures), axis=1)
        whole = np.repeat(inside.max(axis=1)[:, None], numerator.shape[1], axis=1)
        category = np.tile(np.arange(len(measures)), len(places))
        return self._estimated(rows, measures, category, numerator, whole, places)

    @cached_property
    def held(self) -> dict[str, int]:
        """Of each breakdown, which of the rows hold it first."""
        numbered = list(enumerate(self.rows))
        return {name: number for number, rows in reversed(numbered) for name in rows.domains.breakdowns}

    def source_of(self, places: Sequence[tuple[str, str]]) -> Rows:
        """Rows that these domains are all made of."""
        for domain, code in places:
            if not any((domain, code) in rows.places for rows in self.rows):
                raise ValueError(f"the wave has no domain {domain} {code}".rstrip())
        for rows in self.rows:
            if all(place in rows.places for place in places):
                return rows
        names = ", ".join(dict.fromkeys(domain for domain, _ in places))
        raise ValueError(f"no cells of the wave are told apart by all of {names}")

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
                f"{indicator} is not a single-choice question: its answers' products are not summed"
            )
        return found

    def _estimated(
        self,
        rows: Rows,
        measures: list[int],
        category: Ints,
        top: Floats,
        bottom: Floats,
        places: Sequence[tuple[str, str]],
    ) -> EstimateCovariance:
        """Estimates t: of ``category[t]``, counted in the rows ``top[:, t]`` of ``bottom[:, t]``."""
        plan = self.cells.plan
        first = plan.measures[measures[0]]
        values, covariance = rows.spread.joint(plan, measures, category, top, bottom)
        unit = 100.0 if first.unit == "percent" else 1.0
        blank = np.isnan(values)
        covariance = np.where(blank[:, None] | blank[None, :], np.nan, covariance * unit**2)
        centre = self.cells.centres.get(measures[0], 0.0)
        categories = [plan.measures[measures[number]].category for number in category]
        where = places if len(places) == len(categories) else [
            place for place in places for _ in range(len(categories) // len(places))
        ]  # fmt: skip
        names = tuple((one, *at) for one, at in zip(categories, where, strict=True))
        return EstimateCovariance(names, (values + centre) * unit, covariance)
