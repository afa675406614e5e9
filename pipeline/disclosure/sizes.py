"""How large each base is in each cell, as well as an outsider can tell.

Here belong the sums that the published n disclose, the register counts of the declared margins, and what
follows from both for the sizes by which shares count in a sum. What is made of them belongs to ``attack``.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from pipeline.arrays import Floats, Ints
from pipeline.catalogue.counts import read_totals
from pipeline.catalogue.model import Catalogue
from pipeline.disclosure.published_view import PublishedView
from pipeline.disclosure.scope_sums import box_of
from pipeline.disclosure.sums import Cell, Sum, balanced, matrix, sums_of

FIRM = 0.01  # units by which an n that is published whole may be off, on account of weights


def known_sums(view: PublishedView, catalogue: Catalogue) -> list[Sum]:
    """The sums an outsider finds: the declared ones, and those that the published n disclose."""
    rows = np.unique(view.n, axis=0)
    return sums_of(view.cells, rows, catalogue, float(catalogue.barometer.rounding.n))


def sizes_of(view: PublishedView, sums: list[Sum], catalogue: Catalogue, rows: Ints | None = None) -> Floats:
    """The size of every base in every cell (measures x cells), as well as an outsider can tell.

    ``rows``: the measures that are asked for, all by default.
    """
    weight, share = _weights(view, sums, catalogue)
    step, few = catalogue.barometer.rounding.n, catalogue.barometer.disclosure.min_n
    signs, rests = matrix(sums, len(view.cells)), np.array([each.rest for each in sums])
    view = view if rows is None else view.of(rows)
    sizes = np.zeros_like(view.n)
    done: dict[bytes, Floats] = {}
    for row in range(len(view.measures)):
        n, there, hidden = view.n[row], view.there[row], view.hidden[row]
        key = b"".join(x.tobytes() for x in (n, there, view.primary[row]))
        if key not in done:
            largest = np.nanmax(np.where(np.isfinite(n), n / share, np.nan), initial=1.0)
            guess = np.where(view.primary[row], np.minimum(share * largest, few / 2), share * largest)
            doubt = np.where(np.mod(n, step) == 0, step / np.sqrt(12.0), FIRM)
            first = np.where(there, np.where(np.isfinite(n), n, guess), 0.0)
            doubt = np.where(np.isfinite(n), doubt, guess) * there
            if hidden.any():
                first = balanced(first * weight, (doubt * weight) ** 2, signs, rests)
            else:
                first = first * weight
            done[key] = np.maximum(first, 1e-9)
        sizes[row] = done[key]
    return sizes


def _weights(view: PublishedView, sums: list[Sum], catalogue: Catalogue) -> tuple[Floats, Floats]:
    """Of every cell: the mean weight of its units, and its share of the population."""
    few = catalogue.barometer.disclosure.min_n
    seen = np.nanmax(view.n, axis=0, initial=0.0)
    n = np.where(seen > 0, seen, few / 2)
    counts = register_counts(view.wave, view.cells, catalogue)
    population = float(max(counts.values(), default=n.max()))
    mean = population / n.max()
    first = n * mean
    for place, count in counts.items():
        first[place] = count
    doubt = np.array([FIRM if place in counts else first[place] for place in range(len(n))])
    rests = np.array([each.rest for each in sums])
    size = balanced(first, doubt**2, matrix(sums, len(n)), rests) if sums else first
    return np.where(seen > 0, size / n, mean), size / size.max()


def register_counts(wave: str, cells: tuple[Cell, ...], catalogue: Catalogue) -> Mapping[int, float]:
    """The population of the cells whose breakdown is a declared margin, or part of one; by place.

    A breakdown of which a cell has no count is left out.
    """
    declared = catalogue.waves[wave].weighting if wave in catalogue.waves else None
    totals = read_totals(catalogue.waves[wave], catalogue.root) if declared and declared.totals else {}
    counts: dict[int, float] = {}
    for place, cell in enumerate(cells):
        box = box_of(cell, catalogue)
        for margin, numbers in totals.items() if box is not None else ():
            names = margin.split("*")
            if set(box or {}) <= set(names) <= set(catalogue.variables):  # not the sum of a number
                counts[place] = sum(
                    number
                    for key, number in numbers.items()
                    if all(
                        code in box[name]
                        for name, code in zip(names, key.split("*"), strict=True)
                        if box and name in box
                    )
                )
    partial = {(cell.domain, cell.scope) for place, cell in enumerate(cells) if not counts.get(place)}
    return {
        place: count
        for place, count in counts.items()
        if (cells[place].domain, cells[place].scope) not in partial
    }
