"""The estimates that comparisons are made of: as they stand, and again on a narrower scope.

Sums of a wave are additive, so narrowing is no new pass over microdata: units outside the scope count as
zero, as outside any domain, and the design stays whole.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd

from pipeline.arrays import Floats
from pipeline.catalogue import Catalogue
from pipeline.comparison.scope import Scope, inside_of, restricted
from pipeline.estimation import Cells, estimate_wave
from pipeline.estimation.contrasts import Contrasts, Joint
from pipeline.estimation.domains import domains_of

CELL = ["indicator", "category", "domain", "domain_code"]
NUMBERS = ["unit_measure", "source_kind", "n", "value", "se", "df"]
Key = tuple[str, tuple[tuple[str, tuple[str, ...]], ...]]


class Material:
    """Every wave's estimates, its sums where there are any, and what was estimated again from them.

    ``estimates``: unrounded, of every wave. ``cells``: gives the sums of a microdata wave.
    """

    def __init__(self, estimates: pd.DataFrame, cells: Callable[[str], Cells], catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self.waves = [wave for key, wave in catalogue.waves.items() if key in set(estimates["wave"])]
        self._plain = dict(tuple(estimates.groupby("wave", sort=False)))
        self._cells = cells
        domains = {key: domain for key, domain in catalogue.domains.items() if key in breakdowns(catalogue)}
        self._few = replace(catalogue, domains=domains)
        self._read: dict[str, Cells] = {}
        self._restricted: dict[Key, Cells] = {}
        self._narrowed: dict[Key, pd.DataFrame] = {}
        self._contrasts: dict[Key, Contrasts] = {}
        self._remembered: dict[tuple[str, ...], tuple[float, float]] = {}
        self._shares: dict[tuple[Key, str], Joint] = {}

    def estimates(self, wave: str, scope: Scope | None = None) -> pd.DataFrame:
        """A wave's estimates with a value, on a scope; the columns of the table ``estimates`` and more."""
        key = _key(wave, scope)
        if not key[1]:
            frame = self._plain[wave]
            return frame[frame["value"].notna()]
        if key not in self._narrowed:
            with np.errstate(divide="ignore", invalid="ignore"):  # of the cells outside the scope
                made = estimate_wave(self._on(key), self.catalogue.waves[wave], self._few)
            made["fraction"] = self._fractions(key, made)
            self._narrowed[key] = made[made["value"].notna()]
        return self._narrowed[key]

    def contrasts(self, wave: str, scope: Scope | None = None) -> Contrasts | None:
        """The covariances of a wave's estimates on a scope; None of figures and of replicate weights."""
        declared = self.catalogue.waves[wave]
        if declared.design is None or declared.design.replicate_weights:
            return None
        key = _key(wave, scope)
        if key not in self._contrasts:
            self._contrasts[key] = Contrasts.of(self._on(key), declared, self.catalogue)
        return self._contrasts[key]

    def shares(self, wave: str, indicator: str, scope: Scope | None = None) -> Joint | None:
        """The distribution of a single-choice indicator over everyone in the scope, with its covariance."""
        key = (_key(wave, scope), indicator)
        if key not in self._shares:
            contrasts = self.contrasts(wave, scope)
            if contrasts is None:
                return None
            self._shares[key] = contrasts.shares(indicator, total_domain(self.catalogue))
        return self._shares[key]

    def remembered(
        self, key: tuple[str, ...], make: Callable[[], tuple[float, float]]
    ) -> tuple[float, float]:
        """A value and its error, worked out once."""
        if key not in self._remembered:
            self._remembered[key] = make()
        return self._remembered[key]

    def narrowed(self) -> pd.DataFrame:
        """Everything that was estimated again so far, with the column ``scope``; the keys of estimates."""
        made = [
            frame.assign(scope=scope_text(dict(scope))) for (_, scope), frame in self._narrowed.items()
        ]  # fmt: skip
        plain = next(iter(self._plain.values()))
        return pd.concat(made) if made else plain.iloc[:0].assign(scope="")

    def cells(self, wave: str) -> Cells:
        """The sums of a microdata wave."""
        if wave not in self._read:
            self._read[wave] = self._cells(wave)
        return self._read[wave]

    def _fractions(self, key: Key, made: pd.DataFrame) -> Floats:
        """The part of each domain's population inside the scope that answered; NaN where it is not known."""
        cells, inside = self.cells(key[0]), inside_of(self.cells(key[0]), dict(key[1]))
        frame = cells.frame[inside]
        domains = domains_of(frame, cells.plan.cell, self._few)
        answered = domains.adder().matrix(len(frame)) @ frame[["n", "w"]].to_numpy(dtype=np.float64)
        shares = answered[:, 0] / answered[:, 1]
        found = dict(zip(zip(domains.breakdowns, domains.codes, strict=True), shares, strict=True))
        places = zip(made["domain"], made["domain_code"], strict=True)
        known = made["fraction"].notna().to_numpy()
        return np.where(known, [found.get(place, np.nan) for place in places], np.nan)

    def _on(self, key: Key) -> Cells:
        if not key[1]:
            return self.cells(key[0])
        if key not in self._restricted:
            self._restricted[key] = restricted(self.cells(key[0]), dict(key[1]))
        return self._restricted[key]


def total_domain(catalogue: Catalogue) -> str:
    """The breakdown of everyone."""
    return next(key for key, domain in catalogue.domains.items() if not domain.by)


def breakdowns(catalogue: Catalogue) -> tuple[str, ...]:
    """The breakdowns compared between waves: those declared, else all by one variable at most."""
    chosen = catalogue.comparability.breakdowns
    return chosen or tuple(key for key, domain in catalogue.domains.items() if len(domain.by) <= 1)


def scope_text(scope: Scope) -> str:
    """A scope as published: ``variable=code|code``, variables in order."""
    return " ".join(f"{name}={'|'.join(codes)}" for name, codes in sorted(scope.items()))


def _key(wave: str, scope: Scope | None) -> Key:
    return wave, tuple(sorted((scope or {}).items()))
