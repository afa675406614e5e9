"""Secondary suppression: the cells hidden to protect others, few, but enough to withstand the attack.

A wave is solved family by family (``linkage``), those above first: what they hide, the families below
hide too. In a family the cheapest cells are chosen by which no sum has exactly one hidden cell
(``suppression_milp``); the result is attacked as it would be published (``attack``); every hidden cell
that is disclosed too closely asks for a cut (``cuts``), and the choice is made again, until the attack
fails. A total, and a cell that nobody answered, costs more than everything else together.

What holds of the outcome: it withstands the attack, and each family's choice is an optimum of its integer
programme, given what the families above hide and the cuts made so far. It need not be the cheapest
that withstands: sizes are estimated anew after each choice, so a cut of an earlier round may have become
stricter than needed, one more cell asked for where a bound would not do is a rule of thumb, and the families
above are not chosen with those below in mind. After ``PATIENCE`` cuts a family's choice is only added to:
among many similar cells every other choice would need another cut.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial

import numpy as np
import pandas as pd

from pipeline.arrays import Flags, Floats, Ints
from pipeline.catalogue.model import Catalogue
from pipeline.disclosure.attack import attack, required_width
from pipeline.disclosure.cuts import UnderProtected
from pipeline.disclosure.linkage import linkage
from pipeline.disclosure.published import carried_out, decided
from pipeline.disclosure.published_view import PublishedView, view
from pipeline.disclosure.rules import CELL, NONE, PRIMARY, SECONDARY, UNPUBLISHED
from pipeline.disclosure.sizes import known_sums, sizes_of
from pipeline.disclosure.sums import Cell, Sum, matrix, sums_of
from pipeline.disclosure.suppression_milp import Cut, cheapest_suppression
from pipeline.disclosure.unit_numbers import with_numbers
from pipeline.workers import in_parallel

FOR_QUALITY = 0.01  # the cost of a cell that is not published anyway, against one that is
MARGIN = 1.1  # the width asked for, against the one that the audit asks
PATIENCE = 30  # cuts of a family, after which what is hidden stays hidden


@dataclass
class _Family:
    """A family in a wave, by cell. ``primary``: hidden for its own sake. ``cost``: of hiding the cell."""

    primary: Flags
    there: Flags
    cost: Floats
    hidden: Flags
    cuts: dict[Cut, None] = field(default_factory=dict)
    posed: tuple[bytes, int, int] = (b"", 0, 0)  # the choice that ``hidden`` answers


def with_secondary(frame: pd.DataFrame, verdicts: pd.DataFrame, catalogue: Catalogue) -> pd.DataFrame:
    """The verdicts with SECONDARY where a cell must be hidden for the sake of others, and ``beside``.

    ``frame``: unrounded microdata estimates with their base indicator. ``verdicts``: as the primary rules
    give them. ``beside`` is true where a cell is shown in a sum that has a hidden one.
    """
    waves = [(frame[frame["wave"] == wave], part) for wave, part in verdicts.groupby(level="wave", sort=True)]
    with in_parallel(partial(_settled, catalogue), waves) as made:
        return pd.concat([*made]) if waves else verdicts.assign(beside=False)


def _settled(catalogue: Catalogue, wave: tuple[pd.DataFrame, pd.DataFrame]) -> pd.DataFrame:
    return _WaveSuppression(*wave, catalogue).settled()


class _WaveSuppression:
    """The families of one wave and what is decided of them so far."""

    def __init__(self, frame: pd.DataFrame, verdicts: pd.DataFrame, catalogue: Catalogue) -> None:
        linked = linkage(catalogue)
        self.catalogue, self.linked, self.verdicts = catalogue, linked, verdicts
        shown = carried_out(decided(frame, verdicts.assign(beside=False)), catalogue)
        self.open: PublishedView = view(shown, catalogue)
        self.bare: PublishedView = view(shown.assign(deff=np.nan), catalogue)
        self.cells = list(self.open.cells)
        place = {cell: number for number, cell in enumerate(self.cells)}
        places = map(Cell, *(verdicts.index.get_level_values(name) for name in CELL))
        self.place = np.array([place[cell] for cell in places], dtype=np.int64)
        base_indicators = verdicts.index.get_level_values("base_indicator").map(linked.family)
        self.rows = {name: np.flatnonzero(base_indicators == name) for name in set(base_indicators)}
        self.sums = sums_of(self.cells, _counts(frame, self.cells), catalogue)
        self.heard: list[Sum] = []
        self.families = {name: self._family(name) for name in linked.order if name in self.rows}
        self.names = np.array([linked.family[indicator] for indicator, _ in self.open.measures])
        numbered = with_numbers(self.open, [], linked, 0, 0)
        self.measure_families = np.array([linked.family[indicator] for indicator, _ in numbered.measures])
        self.met: dict[bytes, Floats] = {}

    def settled(self) -> pd.DataFrame:
        """The verdicts once the attack fails, or nothing more could be hidden.

        Families above come first, so that those below are not solved in vain; in the end all are attacked
        together, because what is hidden in one can disclose the sizes of another.
        """
        waiting = list(self.families)
        while waiting:
            ready = [name for name in waiting if not self.linked.above[name] & set(waiting)]
            waiting = [name for name in waiting if name not in ready]
            self._withstood(ready)
        if any(family.primary.any() for family in self.families.values()):
            while self._withstood(list(self.families)):
                pass
        return self._decided()

    def _withstood(self, names: list[str]) -> bool:
        """Choose and attack these families until the attack fails; whether it ever succeeded.

        An under-protected measure is attacked alone until it is safe; then all families that have changed.
        """
        succeeded = False
        self._choose(names)
        due = names
        while due:
            whole = [name for name in due if self.families[name].hidden.any()]
            pressed = self._attacked(np.flatnonzero(np.isin(self.measure_families, whole)), heard=False)
            due = []
            while len(pressed):
                succeeded = True
                due = list(dict.fromkeys([*due, *self._choose(names)]))
                pressed = self._attacked(pressed, heard=True)
        return succeeded

    def _family(self, name: str) -> _Family:
        rows = self.rows[name]
        place, verdict = self.place[rows], self.verdicts["verdict"].to_numpy()[rows]
        n, size = self.verdicts["n"].to_numpy()[rows], len(self.cells)
        worth = np.where(verdict == UNPUBLISHED, FOR_QUALITY * n, n)
        cost = np.asarray(np.bincount(place, worth, size) + FOR_QUALITY, dtype=np.float64)
        empty = np.bincount(place, verdict == NONE, size) > 0
        totals = np.array([not self.catalogue.domains[cell.domain].by for cell in self.cells])
        cost = np.where(totals | empty, cost + cost.sum(), cost)
        primary = np.bincount(place, verdict == PRIMARY, size) > 0
        return _Family(primary, np.bincount(place, minlength=size) > 0, cost, primary.copy())

    def _choose(self, names: list[str]) -> list[str]:
        """The cheapest cells to hide of each family, with all that is hidden above; those that changed."""
        changed = []
        for name in names:
            family = self.families[name]
            forced, before = family.primary.copy(), family.hidden
            for above in self.linked.above[name] & set(self.families):
                forced |= self.families[above].hidden & family.there
            if len(family.cuts) > PATIENCE:  # among many similar cells every choice would need another cut
                forced |= before
            posed = (forced.tobytes(), len(family.cuts), len(self.sums))
            if posed != family.posed:
                members = [
                    tuple(place for place in each.members if family.there[place]) for each in self.sums
                ]
                family.hidden = cheapest_suppression(forced, family.cost, members, list(family.cuts))
                family.posed = posed
            if (family.hidden != before).any():
                changed.append(name)
        return changed

    def _beside(self, hidden: Flags) -> Flags:
        """The cells that are shown in a sum with a hidden one."""
        near = np.zeros(len(self.cells), dtype=bool)
        for each in self.sums:
            near[list(each.parts)] |= hidden[list(each.members)].any()
        return near & ~hidden

    def _decided(self) -> pd.DataFrame:
        """The verdicts as they stand, and ``beside``."""
        verdict = self.verdicts["verdict"].to_numpy(dtype=object, copy=True)
        beside = np.zeros(len(verdict), dtype=bool)
        for name, family in self.families.items():
            rows = self.rows[name]
            taken = family.hidden[self.place[rows]] & (verdict[rows] != PRIMARY)
            verdict[rows[taken]] = SECONDARY
            beside[rows] = self._beside(family.hidden)[self.place[rows]]
        return self.verdicts[["n"]].assign(verdict=verdict, beside=beside)

    def _seen(self) -> PublishedView:
        """The wave as it would be published."""
        nothing = np.zeros(len(self.cells), dtype=bool)
        hidden = {name: family.hidden for name, family in self.families.items()}
        beside = {name: self._beside(own) for name, own in hidden.items()}
        return self.open.closed(
            np.array([hidden.get(name, nothing) for name in self.names]),
            np.array([beside.get(name, nothing) for name in self.names]),
            self.bare,
            self.catalogue.barometer.rounding.n,
        )

    def _attacked(self, rows: Ints, heard: bool) -> Ints:
        """Attack these measures; those that are under-protected and for which cuts were added.

        ``heard``: whether the sums that the published n disclose are still those of the last attack.
        """
        if not len(rows):
            return rows
        seen = self._seen()
        if not heard:
            self.heard = known_sums(seen, self.catalogue)
            known = {own.key for own in self.sums}
            if unheard := [each for each in self.heard if each.key not in known]:
                self.sums += unheard
                return rows
        step, least = self.catalogue.barometer.rounding.n, self.catalogue.barometer.disclosure.min_n
        seen = with_numbers(seen, self.heard, self.linked, step, least)
        sizes = sizes_of(seen, self.heard, self.catalogue, rows)
        seen = seen.of(rows)
        need = required_width(seen, self.catalogue, MARGIN)
        width = attack(seen, self.heard, sizes, self.catalogue, need, self.met).width
        signs, families = matrix(self.heard, len(self.cells)).toarray(), self.measure_families[rows].tolist()
        disclosed = UnderProtected(seen, sizes, width, signs, families)
        own = {name: family.cuts for name, family in self.families.items()}
        return rows[disclosed.add_cuts(own, need, self.catalogue)]


def _counts(frame: pd.DataFrame, cells: list[Cell]) -> Floats:
    """Every n and every numerator of a wave (measures x cells), NaN where there is none."""
    long = frame.assign(n=frame["n"].astype(float), m=frame["m"].astype(float))
    keys = ["indicator", "category"]
    wide = [long.pivot(index=keys, columns=CELL, values=name) for name in ("n", "m")]
    return np.vstack(
        [
            each.reindex(columns=pd.MultiIndex.from_tuples([cell[:2] for cell in cells])).to_numpy()
            for each in wide
        ]
    )
