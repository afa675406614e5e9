"""What a wave's estimates rest on beside its sums: its design, population counts, breakdowns and conventions.

Made once from the declarations; ``estimates`` and ``contrasts`` read nothing else of them. What the sums
themselves mean stands in the ``plan`` that travels with them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pipeline.catalogue.counts import read_population
from pipeline.catalogue.fieldwork import Wave
from pipeline.catalogue.model import Catalogue, Estimation
from pipeline.catalogue.questionnaire import Domain


@dataclass(frozen=True)
class Specification:
    """A microdata wave, the breakdowns to estimate and by what conventions."""

    wave: Wave
    population: Mapping[str, float]  # N_h by stratum, of what was drawn; empty where it is not declared
    breakdowns: tuple[Domain, ...]
    conventions: Estimation

    @classmethod
    def of(cls, wave: Wave, catalogue: Catalogue) -> Specification:
        """From the declarations. Raises ProblemError where the file of population counts cannot be read."""
        assert wave.design is not None
        population = read_population(wave, catalogue.root) if wave.design.population else {}
        return cls(wave, population, tuple(catalogue.domains.values()), catalogue.barometer.estimation)

    @property
    def census(self) -> bool:
        """Whether every unit of the population answered: n_h = N_h in every stratum."""
        return self.wave.design is not None and self.wave.design.census

    @property
    def total(self) -> str:
        """The breakdown of everyone."""
        return next(breakdown.key for breakdown in self.breakdowns if not breakdown.by)
