"""What the published n leave of a hidden n: the number of units becomes a measure that is attacked as well.

The n of a base adds up as counts do; it stands whole or, beside a hidden cell and on a scope, rounded. Who is
asked a routed question is a numerator of the question above, so the n of a base is also attacked where a
base above it is hidden for its own sake: it would give that numerator. Shares and their sizes belong to
``attack``.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from pipeline.arrays import Flags
from pipeline.disclosure.linkage import Linkage
from pipeline.disclosure.published_view import MATRICES, PublishedView
from pipeline.disclosure.sums import Sum

NUMBER = "n"  # the unit of these measures
MARK = " (n)"  # after the category of the measure that the n belongs to


def with_numbers(
    view: PublishedView, sums: list[Sum], linked: Linkage, step: int, least: int
) -> PublishedView:
    """The view with the n of every share and mean as a measure of its own, after those of the view.

    ``step``: what n is rounded to beside a hidden cell; ``least``: no n below it is published.
    """
    rows = [row for row, unit in enumerate(view.unit) if unit not in ("count", NUMBER)]
    beside = near_hidden(view, sums)[rows]
    n = view.n[rows]
    beside &= np.mod(np.nan_to_num(n), max(step, 1)) == 0  # any other number stands whole
    there = view.there[rows]
    low = np.where(beside, np.maximum(n - step / 2, np.minimum(n, least)), n)
    high = np.where(beside, n + step / 2, n)
    primary = (disclosed_cells(view, linked) & view.hidden)[rows]
    own: dict[str, Any] = {
        "n": n,
        "low": np.where(there, low, np.nan),
        "high": np.where(there, high, np.nan),
        "there": there,
        "primary": primary,
        "secondary": view.hidden[rows] & ~primary,
    }
    measures = tuple((view.measures[row][0], view.measures[row][1] + MARK) for row in rows)
    both: dict[str, Any] = {name: np.vstack([getattr(view, name), own[name]]) for name in MATRICES}
    return replace(view, measures=view.measures + measures, unit=view.unit + (NUMBER,) * len(rows), **both)


def near_hidden(view: PublishedView, sums: list[Sum]) -> Flags:
    """Where n is rounded: in every sum with a hidden cell, that of the parts; and always on a scope."""
    near: Flags = np.zeros(view.n.shape, dtype=bool)
    for each in sums:
        some: Flags = np.asarray(view.hidden[:, list(each.members)].any(axis=1))
        near[:, list(each.parts)] |= some[:, None]
    near[:, [bool(cell.scope) for cell in view.cells]] = True
    return near


def disclosed_cells(view: PublishedView, linked: Linkage) -> Flags:
    """Cells (measures x cells) where the measure's own base, or one above it, is hidden for its own sake."""
    family = np.array([linked.family[indicator] for indicator, _ in view.measures])
    own = {name: view.primary[family == name].any(axis=0) for name in set(family.tolist())}
    above = [
        np.any([own[other] for other in {name, *linked.above[name]} if other in own], axis=0)
        for name in family.tolist()
    ]
    return np.array(above, dtype=bool)
