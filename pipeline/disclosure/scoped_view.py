"""A wave with everything that is known of it on its scopes: more cells, more sums, the same attack.

Here belongs how the published cells of a wave are laid beside those that were estimated again, and how
closely each may be disclosed, for its own sake and for what it leaves of others (``scope_sums``). Which
cells are published on a scope belongs to ``scoped_suppression``, what can be disclosed of them to ``attack``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from pipeline.arrays import Flags, Floats
from pipeline.catalogue.model import Catalogue
from pipeline.disclosure.attack import required_width, scale_of
from pipeline.disclosure.published_view import MATRICES, PublishedView
from pipeline.disclosure.rules import exposed, wave_fractions
from pipeline.disclosure.scope_sums import links, on_scopes, remainders
from pipeline.disclosure.sums import Cell, Sum, rest_of
from pipeline.disclosure.unit_numbers import NUMBER


@dataclass(frozen=True)
class Scoped:
    """The cells that a wave has on scopes, which stand after ``plain`` cells of its own.

    ``links``: the sums among the cells on scopes and with those of the wave. ``remainders``: a cell, and
    what is taken from it on scopes; the rest of it is left.
    """

    plain: int
    cells: tuple[Cell, ...]
    links: tuple[Sum, ...]
    remainders: tuple[Sum, ...]


def scoped(plain: PublishedView, sums: Sequence[Sum], shown: Iterable[Cell], catalogue: Catalogue) -> Scoped:
    """The cells and sums of a wave that was narrowed. ``shown``: cells on scopes that somebody has seen."""
    again = on_scopes(plain.cells, shown, catalogue)
    every = [*plain.cells, *again]
    return Scoped(
        plain=len(plain.cells),
        cells=tuple(again),
        links=tuple(links(every, sums, catalogue)),
        remainders=tuple(remainders(every, catalogue)),
    )


def widened(plain: PublishedView, again: PublishedView | None, cells: Sequence[Cell]) -> PublishedView:
    """A wave's view with more cells after its own, of which ``scoped_suppression`` shows some and hides
    the others.
    """
    of = {cell: place for place, cell in enumerate(plain.cells)}
    twins = np.array([of.get(Cell(cell.domain, cell.code), -1) for cell in cells], dtype=np.int64)
    there: Flags = plain.there[:, twins] & (twins >= 0)
    more: dict[str, Any] = {name: np.full(there.shape, np.nan) for name in ("n", "low", "high")}
    more |= {name: np.zeros(there.shape, dtype=bool) for name in ("primary", "secondary")} | {"there": there}
    row = {measure: place for place, measure in enumerate(plain.measures)}
    column = {cell: place for place, cell in enumerate(cells)}
    if again is not None:
        mine = [place for place, measure in enumerate(again.measures) if measure in row]
        theirs = [place for place, cell in enumerate(again.cells) if cell in column]
        to = np.ix_([row[again.measures[p]] for p in mine], [column[again.cells[p]] for p in theirs])
        for name in ("n", "low", "high", "primary"):
            more[name][to] = getattr(again, name)[np.ix_(mine, theirs)]
    more["secondary"] = more["there"] & np.isnan(more["low"]) & ~more["primary"]
    both: dict[str, Any] = {name: np.hstack([getattr(plain, name), more[name]]) for name in MATRICES}
    return replace(plain, cells=(*plain.cells, *cells), **both)


def with_counts(view: PublishedView, own: Scoped, catalogue: Catalogue) -> tuple[PublishedView, list[Sum]]:
    """The view with every n on scopes that subtraction gives, and the links that hold.

    A cell on a scope that may have fewer than ``min_n`` answers, as far as the n tell, is primary.
    """
    n, doubt = _subtracted(view, own, catalogue)
    few: Flags = np.where(np.isfinite(view.n), n + doubt, n - doubt) < catalogue.barometer.disclosure.min_n
    few[:, : own.plain] = False
    few[[unit == NUMBER for unit in view.unit]] = False
    primary = view.primary | (few & view.there)
    filled = np.where(np.isfinite(view.n), view.n, np.maximum(n, doubt / 2))
    step = catalogue.barometer.rounding.n
    numbers = np.unique(view.n, axis=0)
    sums = [replace(each, rest=rest_of(*each.key, numbers, step)) for each in own.links]
    return replace(view, n=filled, primary=primary, secondary=view.secondary & ~primary), sums


def needs(
    view: PublishedView,
    sizes: Floats,
    own: Scoped,
    small: Flags | None,
    catalogue: Catalogue,
    times: float = 1.0,
) -> Floats:
    """The width that clears each cell (measures x cells), ``times`` what is declared; 0 where any does.

    Hidden cells are to keep theirs (``attack.required_width``). What is left of a cell is disclosed from the
    cell and from what is taken of it on scopes: with widths u and w, n and k answers, and g left, within (n u
    + k w) / g. Where those left may be fewer than ``min_n`` as far as the published n tell, or look like a
    small group, or are known to be (``small``, measures x remainders), the last of what is taken must stay so
    wide that this reaches ``audit_width``. It is not used that a share ends at 0 and 100, since that would
    take sizes that are known to the last unit.
    """
    rules = catalogue.barometer.disclosure
    wanted, need = required_width(view, catalogue, times), times * rules.audit_width
    point = np.array([scale_of(view, row, size, catalogue).point for row, size in enumerate(sizes)])
    width = np.where(view.shown, (view.high - view.low) / point, 100.0) * np.nan_to_num(view.n, nan=np.inf)
    share = np.array([unit == "percent" for unit in view.unit], dtype=bool)[:, None]
    m = np.where(share, (view.low + view.high) / 200 * view.n, np.nan)
    doubt = _doubt(view, catalogue)
    fraction = wave_fractions(catalogue).get(view.wave, np.nan)
    answers = np.array([unit != NUMBER for unit in view.unit], dtype=bool)
    for number, each in enumerate(own.remainders):
        *others, last = each.parts
        left = view.n[:, each.whole] - view.n[:, list(each.parts)].sum(axis=1)
        vague = doubt[:, list(each.members)].sum(axis=1)
        cases = m[:, each.whole] - m[:, list(each.parts)].sum(axis=1)
        found = (left - vague < rules.min_n) | exposed(left, cases, fraction, catalogue)
        if small is not None:
            found[: len(small)] |= small[:, number]
        most = np.where(left - vague < rules.min_n, np.minimum(left + vague, rules.min_n), left)
        open_ = need * np.maximum(most, 1.0) - width[:, [each.whole, *others]].sum(axis=1)
        least = np.where(found & answers, open_ / view.n[:, last], 0.0)
        wanted[:, last] = np.fmax(wanted[:, last], np.minimum(least, 100.0))
    return np.where(view.there, wanted, 0.0)


def _doubt(view: PublishedView, catalogue: Catalogue) -> Floats:
    """By how much each n may be off: half a step, unless it is no multiple of one."""
    step = catalogue.barometer.rounding.n
    whole = np.isfinite(view.n) & (np.mod(np.nan_to_num(view.n), max(step, 1)) != 0)
    return np.where(whole, 0.0, step / 2)


def _subtracted(view: PublishedView, own: Scoped, catalogue: Catalogue) -> tuple[Floats, Floats]:
    """Every n, with those on scopes that are the only unknown one of a sum; and their doubts."""
    known, doubt = view.n.copy(), _doubt(view, catalogue)
    for each in own.links:
        members = np.array(each.members)
        signs = np.where(members == each.whole, 1.0, -1.0)
        unknown: Flags = np.isnan(known[:, members]) & view.there[:, members]
        alone = unknown.sum(axis=1) == 1
        rest = np.nan_to_num(known[:, members]) @ signs
        for place, sign in enumerate(signs.tolist()):
            rows = alone & unknown[:, place]
            if rows.any() and members[place] >= own.plain:
                others = np.delete(members, place)
                known[rows, members[place]] = -sign * rest[rows]
                doubt[rows, members[place]] = doubt[np.ix_(rows, others)].sum(axis=1)
    return known, doubt
