"""The estimates that comparisons are made of: each wave's own, and those narrowed to what two waves share.

Sums of a wave are additive, so narrowing to part of the population is no new pass over microdata: units
outside the scope count as zero, as outside any domain, and the design stays whole. Two things cannot be had
from these sums and are summed again from microdata: composites over fewer answers, and a part of the
population under replicate weights, whose sums are kept by domain.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from pipeline.arrays import Floats
from pipeline.catalogue import Catalogue, Indicator
from pipeline.catalogue.scopes import Scope, parsed_scope
from pipeline.comparison.facts import WaveFacts
from pipeline.comparison.options import name_of
from pipeline.comparison.shared_scope import inside_of, restricted
from pipeline.comparison.shared_units import Ids, no_ids
from pipeline.comparison.verdicts import pairs
from pipeline.estimation import Cells, Specification, estimate_wave, plan_wave
from pipeline.estimation.contrasts import Contrasts, EstimateCovariance
from pipeline.estimation.domains import domains_of

CELL = ["indicator", "category", "domain", "domain_code"]
NUMBERS = ["unit_measure", "source_kind", "n", "value", "se", "df"]
ScopedWave = tuple[str, tuple[tuple[str, tuple[str, ...]], ...]]  # a wave, and a scope as sorted pairs
SumMicrodata = Callable[[str, Catalogue, Scope], Cells]


@dataclass(frozen=True)
class ScopedSums:
    """The sums of a wave on a scope, and the catalogue whose indicators and breakdowns they are of."""

    cells: Cells
    catalogue: Catalogue


class ComparisonInputs:
    """Every wave's estimates, its sums where it has any, and the narrowed estimates made from them.

    ``estimates``: unrounded, of every wave. ``cells``: gives the sums of a microdata wave.
    ``sum_microdata``: sums its microdata again, for the indicators of a catalogue and the units in a scope.
    ``ids``: gives the ids of its units.
    """

    def __init__(
        self,
        estimates: pd.DataFrame,
        cells: Callable[[str], Cells],
        sum_microdata: SumMicrodata,
        catalogue: Catalogue,
        ids: Ids = no_ids,
    ) -> None:
        self.catalogue = catalogue
        estimated = set(estimates["wave"].unique())
        self.waves = [wave for key, wave in catalogue.waves.items() if key in estimated]
        self.pairs = list(pairs(self.waves, WaveFacts(catalogue, ids)))
        valued = estimates[estimates["value"].notna()]
        self._own = {wave.key: valued[valued["wave"] == wave.key] for wave in self.waves}
        self._cells, self._sum_microdata = cells, sum_microdata
        self._composites = self._composites_over_shared_answers()
        domains = {key: domain for key, domain in catalogue.domains.items() if key in breakdowns(catalogue)}
        self._compared_breakdowns = replace(catalogue, domains=domains)
        self._sums_on: dict[tuple[ScopedWave, bool], ScopedSums] = {}
        self._narrowed: dict[ScopedWave, pd.DataFrame] = {}
        self._contrasts: dict[ScopedWave, Contrasts] = {}
        self._cached: dict[tuple[str, ...], tuple[float, float]] = {}
        self._shares: dict[tuple[ScopedWave, str], EstimateCovariance] = {}

    def estimates(self, wave: str, scope: Scope | None = None) -> pd.DataFrame:
        """A wave's estimates with a value, on a scope; the columns of the table ``estimates`` and more.

        A scope that names answers has the composites that are made of just these.
        """
        key = _key(wave, scope)
        if not key[1]:
            return self._own[wave]
        if self.answers(scope or {}) and wave not in self._composites:
            return self._own[wave].iloc[:0]
        if key not in self._narrowed:
            sums = self._sums_for(key)
            with np.errstate(divide="ignore", invalid="ignore"):  # of the cells outside the scope
                specification = Specification.of(self.catalogue.waves[wave], self._compared_breakdowns)
                made = estimate_wave(sums.cells, specification)
                made["fraction"] = self._fractions(key, made)
            kept = self.answers(scope or {})
            names = {name_of(indicator, kept): indicator for indicator in self.catalogue.indicators}
            made = made[made["value"].notna() & made["indicator"].isin(names)]
            named = made["indicator"].map(names).astype(made["indicator"].dtype)
            self._narrowed[key] = made.assign(indicator=named)
        return self._narrowed[key]

    def contrasts(self, wave: str, scope: Scope | None = None) -> Contrasts | None:
        """The covariances of a wave's estimates on a scope; None for published figures."""
        declared = self.catalogue.waves[wave]
        if declared.design is None:
            return None
        key = _key(wave, scope)
        if key not in self._contrasts:
            sums = self._sums_for(key)
            self._contrasts[key] = Contrasts.of(sums.cells, Specification.of(declared, sums.catalogue))
        return self._contrasts[key]

    def shares(self, wave: str, indicator: str, scope: Scope | None = None) -> EstimateCovariance | None:
        """The distribution of a single-choice indicator in the whole scope, with its covariance."""
        key = (_key(wave, scope), indicator)
        if key not in self._shares:
            contrasts = self.contrasts(wave, scope)
            if contrasts is None:
                return None
            self._shares[key] = contrasts.shares(indicator, self.catalogue.total.key)
        return self._shares[key]

    def cached(self, key: tuple[str, ...], make: Callable[[], tuple[float, float]]) -> tuple[float, float]:
        """A standardised value and its error, computed once for each key."""
        if key not in self._cached:
            self._cached[key] = make()
        return self._cached[key]

    def answers(self, scope: Scope) -> Scope:
        """The part of a scope that names answers of questions; the rest is a part of the population."""
        return {name: codes for name, codes in scope.items() if name in self.catalogue.questions}

    def narrowed_to(self, comparisons: pd.DataFrame) -> pd.DataFrame:
        """The narrowed estimates that these comparisons are made of, with the column ``scope``."""
        columns = [comparisons[[f"wave_{side}", f"narrowed_{side}"]].to_numpy() for side in "ab"]
        named = dict.fromkeys((wave, scope) for rows in columns for wave, scope in rows if scope)
        made = [
            self.estimates(wave, parsed_scope(scope)).assign(scope=scope) for wave, scope in sorted(named)
        ]  # fmt: skip
        own = next(iter(self._own.values()))
        return pd.concat(made) if made else own.iloc[:0].assign(scope="")

    def _composites_over_shared_answers(self) -> dict[str, dict[str, Indicator]]:
        """By wave, the composites that its pairs need, by name: all of a wave's are summed in one pass."""
        found: dict[str, dict[str, Indicator]] = {}
        for pair in self.pairs:
            for indicator in self.catalogue.indicators:
                options = pair.needed_options(indicator)
                name = name_of(indicator, options.kept)
                for wave, narrowed in zip((pair.a, pair.b), options.narrowed, strict=True):
                    if narrowed and options.composite is not None:
                        found.setdefault(wave.key, {})[name] = replace(options.composite, key=name)
        ordered = {wave: dict(sorted(several.items())) for wave, several in found.items()}
        return {wave: several for wave, several in ordered.items() if self._can_estimate(wave, several)}

    def _can_estimate(self, wave: str, indicators: Mapping[str, Indicator]) -> bool:
        """Whether a wave can estimate any of these: one that does not know their base cannot."""
        catalogue = replace(self.catalogue, indicators=indicators)
        return bool(plan_wave(self.catalogue.waves[wave], catalogue).measures)

    def _fractions(self, key: ScopedWave, made: pd.DataFrame) -> Floats:
        """The part of each domain's population inside the scope that answered; NaN where it is not known."""
        population = self._population(key)
        found: dict[tuple[str, str], float] = {}
        for cells in self._sums_for(key).cells.cubes:
            inside = inside_of(cells, population)
            frame = cells.frame[inside]
            domains = domains_of(frame, cells.plan.cell, self._compared_breakdowns.domains.values())
            aggregation = domains.groups().matrix(len(frame))
            shares = (aggregation @ cells.everyone()[inside]) / (aggregation @ cells.represented[inside])
            found |= dict(zip(zip(domains.breakdowns, domains.codes, strict=True), shares, strict=True))
        domain_cells = zip(made["domain"], made["domain_code"], strict=True)
        known = made["fraction"].notna().to_numpy()
        return np.where(known, [found.get(cell, np.nan) for cell in domain_cells], np.nan)

    def _sums_for(self, key: ScopedWave) -> ScopedSums:
        """The sums on a scope: of the composites over its answers where it names any, else of everything."""
        return self._sums(_key(key[0], self._population(key)), composites=bool(self.answers(dict(key[1]))))

    def _population(self, key: ScopedWave) -> Scope:
        return {name: codes for name, codes in key[1] if name in self.catalogue.variables}

    def _sums(self, key: ScopedWave, *, composites: bool) -> ScopedSums:
        """The sums of a part of the population."""
        if (key, composites) not in self._sums_on:
            self._sums_on[key, composites] = self._summed(key[0], dict(key[1]), composites)
        return self._sums_on[key, composites]

    def _summed(self, wave: str, scope: Scope, composites: bool) -> ScopedSums:
        design = self.catalogue.waves[wave].design
        replicated = design is not None and design.replicate_weights is not None
        if scope and not replicated:
            whole = self._sums(_key(wave, None), composites=composites)
            return replace(whole, cells=restricted(whole.cells, scope))
        if not scope and not composites:
            return ScopedSums(self._cells(wave), self.catalogue)
        indicators: Mapping[str, Indicator] = (
            self._composites[wave] if composites else self.catalogue.indicators
        )
        catalogue = replace(
            self._compared_breakdowns if replicated else self.catalogue, indicators=indicators
        )
        return ScopedSums(self._sum_microdata(wave, catalogue, scope), catalogue)


def breakdowns(catalogue: Catalogue) -> tuple[str, ...]:
    """The breakdowns compared between waves: those declared, else all by one variable at most."""
    chosen = catalogue.comparability.breakdowns
    return chosen or tuple(key for key, domain in catalogue.domains.items() if len(domain.by) <= 1)


def _key(wave: str, scope: Scope | None) -> ScopedWave:
    return wave, tuple(sorted((scope or {}).items()))
