"""The attack on a release of one's own: the bounds that published cells and their sums leave for a hidden
one.

The attacker knows every published number with its rounding, the register counts of the margins, that shares
lie between 0 and 100 and means between their scores, and which cells add up (``sums``). The size of a
base in a cell, by which its share counts in a sum, is taken as known: n times the weight that the register
counts imply; where n is hidden or rounded, what is left of the sums is shared out (``sums.balanced``). So
vagueness about sizes protects nothing. A system that contradicts itself on account of those sizes is
relaxed where it does (``relaxation``). What a release does with the findings belongs to ``audit``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from pipeline.arrays import Flags, Floats, Ints
from pipeline.catalogue.model import Catalogue
from pipeline.disclosure.linkage import base_indicator
from pipeline.disclosure.programmes import Block
from pipeline.disclosure.published_view import PublishedView
from pipeline.disclosure.ranges import ranges
from pipeline.disclosure.sums import Sum, matrix
from pipeline.disclosure.unit_numbers import NUMBER


@dataclass(frozen=True)
class Attack:
    """``width`` (measures x cells): what a cell that was asked for can be told apart within, in points of
    100; NaN elsewhere, and cut short where it is wide enough. ``programmes``: linear programmes solved.
    """

    width: Floats
    programmes: int


def required_width(view: PublishedView, catalogue: Catalogue, times: float = 1.0) -> Floats:
    """The protection width required of each hidden cell (measures x cells): ``times`` what is declared.

    A cell that is hidden for others needs ``secondary_width``; its n, and what is withheld on a scope, none.
    """
    rules = catalogue.barometer.disclosure
    answers = np.array([unit != NUMBER for unit in view.unit], dtype=bool)[:, None]
    own = np.array([not cell.scope for cell in view.cells], dtype=bool)
    lesser = np.where(view.secondary & answers & own, rules.secondary_width, 0.0)
    return times * np.where(view.primary, rules.audit_width, lesser)


def attack(
    view: PublishedView,
    sums: list[Sum],
    sizes: Floats,
    catalogue: Catalogue,
    need: Floats,
    met: dict[bytes, Floats] | None = None,
) -> Attack:
    """Bounds of cells of a wave; ``need`` (measures x cells): the width that clears each, 0 of no interest.

    ``met``: systems solved before, with their widths; what is solved now is added.
    """
    met = {} if met is None else met
    linked, signs = repr(sums).encode(), matrix(sums, len(view.cells)).toarray()
    width = np.full(view.low.shape, np.nan)
    structures: dict[bytes, _Structure | None] = {}
    blocks: dict[bytes, Block] = {}
    points: dict[bytes, Floats] = {}
    places: list[tuple[int, Ints, bytes]] = []
    for row in np.flatnonzero((need > 0).any(axis=1)).tolist():
        scale = scale_of(view, row, sizes[row], catalogue)
        aims, there, known = need[row] > 0, view.there[row], view.shown[row]
        width[row] = np.where(aims & known, (view.high[row] - view.low[row]) / scale.point, np.nan)
        free = there & ~known
        key = _name(free, there, aims, scale.coefficient)
        if key not in structures:
            structures[key] = _structure(free, there, aims, scale.coefficient, sums, signs)
        structure = structures[key]
        width[row][aims & free & ~(structure.reached if structure else np.zeros_like(free))] = 100.0
        if structure is not None:
            columns = structure.unknowns[structure.targets]
            name = _name(view.low[row], view.high[row], need[row], *vars(scale).values()) + key + linked
            places.append((row, columns, name))
            if name not in met and name not in blocks:
                blocks[name] = _block(structure, view, row, scale, need[row])
                points[name] = scale.point[columns]
    found = ranges(list(blocks.values()))
    for name, widths in zip(blocks, found.widths, strict=True):
        met[name] = widths / points[name]
    for row, columns, name in places:
        width[row][columns] = met[name]
    return Attack(width, found.programmes)


def _name(*parts: Floats | Flags) -> bytes:
    """The same for systems that are the same."""
    return b"".join(part.tobytes() for part in parts)


@dataclass(frozen=True)
class MeasureScale:
    """How a measure's cells add up: ``coefficient`` of each, its bounds, and what a point of 100 is."""

    coefficient: Floats
    low: Floats
    high: Floats
    point: Floats


def scale_of(view: PublishedView, row: int, size: Floats, catalogue: Catalogue) -> MeasureScale:
    """How the cells of one measure add up; ``size``: of its base in every cell."""
    indicator, category = view.measures[row]
    whole = np.ones_like(size)
    if view.unit[row] == "count":
        behind = (base_indicator(indicator, catalogue), category)
        size = (
            size * _per_unit(view, row, view.measures.index(behind), size)
            if behind in view.measures
            else size
        )
        return MeasureScale(whole, whole * 0.0, size, np.maximum(size, 1e-9) / 100)
    if view.unit[row] == NUMBER:
        most = float(np.nanmax(view.n, initial=1.0))  # of any base: the whole of this one may be hidden
        step = catalogue.barometer.rounding.n
        return MeasureScale(
            whole, whole * 0.0, whole * most, whole * step / catalogue.barometer.disclosure.audit_width
        )
    if view.unit[row] == "mean":
        scores = catalogue.indicators[indicator].scores.values()
        middle = float(np.nanmax(view.high[row], initial=1.0))
        low, high = (min(scores), max(scores)) if scores else (0.0, 100 * middle)
        return MeasureScale(
            size, whole * low, whole * high, whole * ((high - low) if scores else middle) / 100
        )
    return MeasureScale(size, whole * 0.0, whole * 100.0, whole)


def _per_unit(view: PublishedView, row: int, behind: int, size: Floats) -> float:
    """What the sizes must be multiplied by to count the population: counts against shares."""
    both = view.shown[row] & view.shown[behind] & (view.low[behind] > 0)
    if not both.any():
        return 1.0
    counts = (view.low[row] + view.high[row])[both].sum()
    shares = ((view.low[behind] + view.high[behind]) / 100 * size)[both].sum()
    return float(counts / shares)


@dataclass(frozen=True)
class _Structure:
    """What is the same for all measures with the same unknowns: the sums that bear on a hidden cell.

    ``rows``: of the sums; ``unknowns``: cells that are variables; ``folded``: shown cells of one sum
    only, which widen its bounds; ``targets``: places among the unknowns.
    """

    matrix: sparse.coo_array
    folded: Ints
    outside: Floats  # rows x folded
    rest: Floats  # of each row: what the parts may miss, in its unit and per point of the whole
    unknowns: Ints
    targets: Ints
    reached: Flags


def _structure(
    free: Flags, there: Flags, aims: Flags, coefficient: Floats, sums: list[Sum], signs: Floats
) -> _Structure | None:
    signs = signs * np.where(there, coefficient, 0.0)
    kept = bearing(signs, free, aims)
    if not kept.any():
        return None
    wholes = [each.whole for each, own in zip(sums, kept, strict=True) if own]
    size = np.maximum(np.abs(signs[kept]).max(axis=1), 1e-9)
    signs = signs[kept] / size[:, None]
    rest = np.array([each.rest for each, own in zip(sums, kept, strict=True) if own])
    rest = rest * np.abs(signs[np.arange(len(wholes)), wholes])
    uses = (signs != 0).sum(axis=0)
    unknowns = np.flatnonzero((uses > 0) & (free | (uses > 1)))
    folded = np.flatnonzero((uses == 1) & ~free)
    return _Structure(
        matrix=sparse.coo_array(signs[:, unknowns]),
        folded=folded,
        outside=signs[:, folded],
        rest=rest,
        unknowns=unknowns,
        targets=np.flatnonzero((aims & free)[unknowns]),
        reached=uses > 0,
    )


def bearing(signs: Floats, free: Flags, aims: Flags) -> Flags:
    """The sums that are connected with one of these cells through unknown cells."""
    links = (signs != 0) & free
    reached = aims & free
    while True:
        rows: Flags = links[:, reached].any(axis=1)
        wider = reached | links[rows].any(axis=0)
        if (wider == reached).all():
            return rows
        reached = wider


def _block(structure: _Structure, view: PublishedView, row: int, scale: MeasureScale, need: Floats) -> Block:
    shown = view.shown[row]
    low = np.where(shown, np.clip(view.low[row], scale.low, scale.high), scale.low)
    high = np.where(shown, np.clip(view.high[row], scale.low, scale.high), scale.high)
    plus, minus = np.maximum(structure.outside, 0), np.minimum(structure.outside, 0)
    least = plus @ low[structure.folded] + minus @ high[structure.folded]
    most = plus @ high[structure.folded] + minus @ low[structure.folded]
    columns = structure.unknowns
    return Block(
        matrix=structure.matrix,
        row_low=-most - structure.rest * float(scale.high.max()),
        row_high=-least,
        low=low[columns],
        high=high[columns],
        targets=structure.targets,
        need=(need * scale.point)[columns[structure.targets]],
    )
