"""Which estimates on a narrower scope may be published, beside what is published already.

The wave's own cells stay as they were decided. On scopes, the primary rules hold as everywhere; what is left
of a cell outside of scopes must keep them too, though nobody publishes it. Families hide together, no sum
has exactly one cell that is hidden for confidentiality, and the whole is attacked as it would be published:
for every under-protected cell more is withheld, until the attack fails. What was withheld once
stays so: it is cheap, and saves the rounds that the least choice would take.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
import pandas as pd

from pipeline.arrays import Flags, Floats, Ints
from pipeline.catalogue.model import Catalogue
from pipeline.disclosure.attack import attack
from pipeline.disclosure.cuts import UnderProtected
from pipeline.disclosure.linkage import base_indicator, linkage
from pipeline.disclosure.published import MEASURES, carried_out, decided
from pipeline.disclosure.published_view import PublishedView, view, views
from pipeline.disclosure.rules import (
    SECONDARY,
    exposed,
    live_rows,
    verdicts,
    wave_fractions,
    with_base_indicators,
)
from pipeline.disclosure.scope_sums import twins
from pipeline.disclosure.scoped_view import needs, scoped, widened, with_counts
from pipeline.disclosure.secondary import FOR_QUALITY, MARGIN
from pipeline.disclosure.sizes import known_sums, sizes_of
from pipeline.disclosure.sums import Cell, Sum, matrix
from pipeline.disclosure.suppression_milp import Cut, cheapest_suppression
from pipeline.disclosure.unit_numbers import with_numbers
from pipeline.workers import in_parallel

PLACE = ["wave", "domain", "scope"]
SCOPED_KEY = ["wave", "indicator", "category", "domain", "domain_code", "scope"]


def protect_scoped(
    narrowed: pd.DataFrame,
    wanted: Flags,
    estimates: pd.DataFrame,
    protected: pd.DataFrame,
    catalogue: Catalogue,
) -> pd.DataFrame:
    """The wanted estimates on scopes as they may be published: hidden, flagged and rounded, every n too.

    ``narrowed``: the columns of ``estimates`` and ``scope``, unrounded; the rows that are not ``wanted``
    are never shown, and help to count what is left of the others. ``protected``: of the ``estimates``.
    """
    placed = pd.MultiIndex.from_frame(narrowed[PLACE])
    near = placed.isin(placed[wanted])
    frame = with_base_indicators(narrowed[near].assign(wanted=wanted[near]), catalogue)
    made = verdicts(frame[live_rows(frame)], catalogue).assign(beside=True)
    shown = carried_out(decided(frame, made), catalogue)
    blank = ~shown["wanted"] | shown["value"].isna()
    shown = shown.assign(**{name: shown[name].mask(blank) for name in [*MEASURES, "n"]})
    if catalogue.barometer.disclosure.secondary:
        plain = views(protected, catalogue)
        waves = [
            (plain[str(wave)], part, *(table[table["wave"] == wave] for table in (frame, estimates)))
            for wave, part in shown.groupby("wave", sort=True)
        ]
        with in_parallel(partial(_settled, catalogue), waves) as settled:
            shown = pd.concat([*settled]) if waves else shown
    return shown[shown["wanted"]].drop(columns=["wanted", "base_indicator", "verdict", "beside"])


def _settled(
    catalogue: Catalogue, wave: tuple[PublishedView, pd.DataFrame, pd.DataFrame, pd.DataFrame]
) -> pd.DataFrame:
    return _ScopedWave(*wave, catalogue).settled(wave[1])


class _ScopedWave:
    """One wave: which cells on its scopes are withheld, by family."""

    def __init__(
        self,
        plain: PublishedView,
        again: pd.DataFrame,
        narrowed: pd.DataFrame,
        estimates: pd.DataFrame,
        catalogue: Catalogue,
    ) -> None:
        self.catalogue, self.linked = catalogue, linkage(catalogue)
        self.sums = known_sums(plain, catalogue)
        shown = view(again.drop(columns=MEASURES[1:]), catalogue)  # the only numbers on scopes are values
        self.own = scoped(plain, self.sums, shown.cells, catalogue)
        self.open = widened(plain, shown, self.own.cells)
        self.names = np.array([self.linked.family[indicator] for indicator, _ in self.open.measures])
        self.free = np.zeros(len(self.open.cells), dtype=bool)
        self.free[self.own.plain :] = True
        self.twin = np.array(twins(self.open.cells, catalogue))
        self.small = self._small(narrowed, estimates)
        n, totals = (
            np.nan_to_num(self.open.n),
            [not catalogue.domains[cell.domain].by for cell in self.open.cells],
        )
        order = [name for name in self.linked.order if name in set(self.names)]
        self.cost = {name: n[self.names == name].sum(axis=0) + FOR_QUALITY for name in order}
        self.cost = {name: np.where(totals, cost + cost.sum(), cost) for name, cost in self.cost.items()}
        self.hidden: dict[str, Flags] = {}
        for name in order:
            self.hidden[name] = self._hidden(name)
        self.cuts: dict[str, dict[Cut, None]] = {name: {} for name in order}
        self.met: dict[bytes, Floats] = {}

    def settled(self, again: pd.DataFrame) -> pd.DataFrame:
        """The rows of ``again`` once the attack fails; what is withheld is blank, and hidden for others."""
        every = rows = np.arange(2 * len(self.names))
        while len(pressed := self._attacked(rows)) or len(rows) < len(every):
            for name, hidden in self.hidden.items():
                found = cheapest_suppression(hidden, self.cost[name], [], list(self.cuts[name]))
                self.hidden[name] = found | found[self.twin]
            rows = pressed if len(pressed) else every  # the under-protected ones alone, until they are safe
        column = {cell: place for place, cell in enumerate(self.open.cells)}
        gone = [
            bool(self.hidden[self.linked.family[indicator]][column[Cell(*cell)]])
            for indicator, *cell in again[["indicator", "domain", "domain_code", "scope"]].itertuples(
                index=False
            )
        ]
        taken = np.array(gone, dtype=bool) & (again["conf_status"] == "F").to_numpy()
        measures = {name: again[name].mask(taken) for name in [*MEASURES, "n"]}
        return again.assign(
            **measures,
            obs_status=again["obs_status"].mask(taken, "Q"),
            conf_status=again["conf_status"].mask(taken, SECONDARY),
        )

    def _small(self, narrowed: pd.DataFrame, estimates: pd.DataFrame) -> Flags:
        """What is left of a cell and breaks a primary rule, with its distribution (measures x remainders)."""
        frame = pd.concat([estimates.assign(scope=""), narrowed])
        frame = frame.assign(size=frame["n"] / frame["fraction"])
        n, m, size = (self._spread(frame, name) for name in ("n", "m", "size"))
        left = []
        for numbers in (n, m, size):
            numbers[:, self.free] = np.nan_to_num(numbers[:, self.free])
            parts = [numbers[:, list(each.parts)].sum(axis=1) for each in self.own.remainders]
            left.append(numbers[:, [each.whole for each in self.own.remainders]] - np.array(parts).T)
        n, m, size = left
        with np.errstate(divide="ignore", invalid="ignore"):
            fraction = np.where(
                size > 0, n / size, wave_fractions(self.catalogue).get(self.open.wave, np.nan)
            )
        few = n < self.catalogue.barometer.disclosure.min_n
        found: Flags = (n > 0) & (few | exposed(n, m, fraction, self.catalogue))
        base_indicators = np.array(
            [base_indicator(indicator, self.catalogue) for indicator, _ in self.open.measures]
        )
        for name in set(base_indicators.tolist()):
            found[base_indicators == name] = found[base_indicators == name].any(axis=0)
        return found

    def _spread(self, frame: pd.DataFrame, name: str) -> Floats:
        wide = frame.pivot(index=SCOPED_KEY[1:3], columns=SCOPED_KEY[3:], values=name).astype(float)
        wide = wide.reindex(index=pd.MultiIndex.from_tuples(self.open.measures))
        return wide.reindex(columns=pd.MultiIndex.from_tuples(self.open.cells)).to_numpy(copy=True)

    def _hidden(self, name: str) -> Flags:
        """What a family hides on scopes, and has hidden: so that no sum has exactly one hidden cell."""
        rows = self.open.hidden & ~(self.free & ~self.open.primary)
        forced: Flags = rows[self.names == name].any(axis=0)
        for above in self.linked.above[name] & set(self.hidden):
            forced |= self.hidden[above] & self.free
        movable = forced | self.free
        members = [tuple(place for place in each.members if movable[place]) for each in self.own.links]
        found = cheapest_suppression(forced | forced[self.twin], self.cost[name], members)
        together: Flags = found | found[self.twin]
        return together

    def _attacked(self, rows: Ints) -> Ints:
        """Attack these measures as they would be published; those for which cuts were added."""
        step, least = self.catalogue.barometer.rounding.n, self.catalogue.barometer.disclosure.min_n
        gone = np.array([self.hidden[name] for name in self.names]) & self.free
        seen = self.open.closed(gone, np.zeros_like(self.free), self.open, step)
        seen = with_numbers(seen, self.sums, self.linked, step, least)
        seen, held = with_counts(seen, self.own, self.catalogue)
        sums = [*self.sums, *held]
        sizes = sizes_of(seen, sums, self.catalogue)
        need = needs(seen, sizes, self.own, self.small, self.catalogue, MARGIN)
        need[np.setdiff1d(np.arange(len(need)), rows)] = 0.0
        need[~(_reached(seen, sums, held) | self.free)] = 0.0
        width = attack(seen, sums, sizes, self.catalogue, need, self.met).width
        families = [self.linked.family[indicator] for indicator, _ in seen.measures]
        signs = matrix(sums, len(seen.cells)).toarray()
        disclosed = UnderProtected(seen, sizes, width, signs, families, self.free)
        return disclosed.add_cuts(self.cuts, need, self.catalogue)


def _reached(seen: PublishedView, sums: Sequence[Sum], held: Sequence[Sum]) -> Flags:
    """The unknown cells that the links bear on; the others stay as safe as they were without any scope."""
    unknown = (seen.there & ~seen.shown).astype(np.float64)
    members, linked = (abs(matrix(own, len(seen.cells)).toarray()) for own in (sums, held))
    reached: Floats = unknown * (linked.sum(axis=0) > 0)
    while True:
        wider = unknown * (((reached @ members.T > 0).astype(np.float64) @ members) > 0)
        if (wider <= reached).all():
            return reached > 0
        reached = np.maximum(reached, wider)
