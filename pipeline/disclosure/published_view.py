"""The published estimates of a wave as an outsider lays them out: measures by cells.

Here belongs what can be read off the published columns: what is shown and between which numbers its
rounding leaves it, what is hidden and why, and the n that is there. Nothing here has seen an unrounded or
unsuppressed estimate. What follows from it belongs to ``attack``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from pipeline.arrays import Flags, Floats, Ints
from pipeline.catalogue.model import Catalogue
from pipeline.disclosure.published import coarse
from pipeline.disclosure.sums import Cell
from pipeline.disclosure.value_bounds import value_bounds

Measure = tuple[str, str]  # indicator, category
PLACE = ("domain", "domain_code", "scope")


@dataclass(frozen=True)
class PublishedView:
    """What is published of a wave; matrices are measures x cells, NaN where nothing stands.

    ``low`` and ``high`` hold the unrounded value; both are NaN where no value is shown. ``there``: some
    unit answered, or may have. ``primary`` and ``secondary``: hidden, with the reason. ``unit``: of each
    measure.
    """

    wave: str
    measures: tuple[Measure, ...]
    unit: tuple[str, ...]
    cells: tuple[Cell, ...]
    n: Floats
    low: Floats
    high: Floats
    there: Flags
    primary: Flags
    secondary: Flags

    @property
    def hidden(self) -> Flags:
        """Hidden for confidentiality, of either kind."""
        return self.primary | self.secondary

    @property
    def shown(self) -> Flags:
        """A value is there to be read."""
        return np.isfinite(self.low)

    def of(self, rows: Ints | Flags) -> PublishedView:
        """Some of the measures."""
        numbers = np.arange(len(self.measures))[rows]
        kept = {name: getattr(self, name)[numbers] for name in MATRICES}
        measures = tuple(self.measures[number] for number in numbers)
        return replace(self, measures=measures, unit=tuple(self.unit[number] for number in numbers), **kept)

    def closed(self, secondary: Flags, beside: Flags, bare: PublishedView, step: int) -> PublishedView:
        """The view when more cells are hidden, and beside them n is rounded, as it would be published.

        ``bare``: the view without design effects, which are blank there too.
        """
        gone = self.primary | (secondary & np.isfinite(self.n))
        low, high = np.where(beside, bare.low, self.low), np.where(beside, bare.high, self.high)
        return replace(
            self,
            n=np.where(gone, np.nan, np.where(beside, coarse(self.n, step), self.n)),
            low=np.where(gone, np.nan, low),
            high=np.where(gone, np.nan, high),
            there=self.there | gone,
            secondary=(self.secondary | gone) & ~self.primary,
        )


MATRICES = ("n", "low", "high", "there", "primary", "secondary")


def views(published: pd.DataFrame, catalogue: Catalogue) -> dict[str, PublishedView]:
    """Every microdata wave of a published table of estimates."""
    own = published[published["source_kind"] == "microdata"]
    return {str(wave): view(frame, catalogue) for wave, frame in own.groupby("wave", sort=True)}


def view(published: pd.DataFrame, catalogue: Catalogue) -> PublishedView:
    """The published rows of one wave, in any order; with a column ``scope``, those estimated again."""
    rows, pairs = factorized(published["indicator"].tolist(), published["category"].tolist())
    measures = [(indicator, category) for indicator, category in pairs]
    names = [name for name in PLACE if name in published]
    columns, triples = factorized(*(published[name].tolist() for name in names))
    cells = tuple(Cell(*each) for each in triples)
    low, high = value_bounds(published, catalogue)
    conf, status = published["conf_status"].to_numpy(), published["obs_status"].to_numpy()

    def spread(numbers: Floats | Flags, nothing: float | bool) -> Floats:
        filled = np.full((len(measures), len(cells)), nothing)
        filled[rows, columns] = numbers
        return filled

    unit = dict(zip(rows.tolist(), published["unit_measure"], strict=True))
    return PublishedView(
        wave=str(published["wave"].iloc[0]),
        measures=tuple(measures),
        unit=tuple(unit[number] for number in range(len(measures))),
        cells=cells,
        n=spread(published["n"].to_numpy(dtype=float, na_value=np.nan), np.nan),
        low=spread(low, np.nan),
        high=spread(high, np.nan),
        there=spread(status != "M", False).astype(bool),
        primary=spread(conf == "C", False).astype(bool),
        secondary=spread(conf == "D", False).astype(bool),
    )


def factorized(*texts: list[str]) -> tuple[Ints, list[tuple[str, ...]]]:
    """Each row's place among the distinct tuples of texts, which are sorted."""
    keys = list(zip(*texts, strict=True))
    distinct = sorted(set(keys))
    place = {key: number for number, key in enumerate(distinct)}
    return np.array([place[key] for key in keys], dtype=np.int64), distinct


def with_earlier(now: PublishedView, before: PublishedView, step: int) -> PublishedView:
    """What an outsider knows who kept an earlier release as well.

    A value that is hidden now is as it was shown before. Where both are shown and agree, the finer
    rounding holds; where they do not, the wave was revised and the newer one holds. ``step``: of n.
    """
    place = {measure: row for row, measure in enumerate(before.measures)}
    column = {cell: number for number, cell in enumerate(before.cells)}
    pairs = [(row, place[key]) for row, key in enumerate(now.measures) if key in place]
    cells = [(number, column[key]) for number, key in enumerate(now.cells) if key in column]
    if not pairs or not cells:
        return now
    mine = np.ix_([row for row, _ in pairs], [number for number, _ in cells])
    theirs = np.ix_([row for _, row in pairs], [number for _, number in cells])
    low, high = now.low.copy(), now.high.copy()
    both_low, both_high = np.fmax(low[mine], before.low[theirs]), np.fmin(high[mine], before.high[theirs])
    agree = both_low <= both_high
    low[mine], high[mine] = np.where(agree, both_low, low[mine]), np.where(agree, both_high, high[mine])
    n = now.n.copy()
    finer = np.abs(n[mine] - before.n[theirs]) <= step / 2  # the same number, which may have stood whole
    rounder = np.mod(n[mine], step) == 0
    n[mine] = np.where(np.isnan(n[mine]) | (finer & rounder), before.n[theirs], n[mine])
    return replace(now, low=low, high=high, n=n)
