"""The sums of a wave's cells as arrays, and their roll-up into any groups of cells."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import sparse

from pipeline.arrays import Floats, Ints, Numbers
from pipeline.estimation.passes import holding
from pipeline.estimation.plan import Plan
from pipeline.estimation.statistics import Cells

POWERS = (0, 1, 2)


@dataclass(frozen=True)
class Layout:
    """Where a plan's sums stand: of masks, then measures, the squares of means, everyone, and bases."""

    mask: Ints  # of each measure
    mean: Ints  # the measures that are means
    base: Ints  # of each measure
    masks: int
    bases: int

    @classmethod
    def of(cls, plan: Plan) -> Layout:
        """The layout of the columns that ``statistics.Cells`` names."""
        masks = {mask: number for number, mask in enumerate(plan.masks)}
        bases = {base: number for number, base in enumerate(plan.bases)}
        means = [number for number, measure in enumerate(plan.measures) if measure.unit == "mean"]
        return cls(
            np.array([masks[measure.mask] for measure in plan.measures], dtype=np.int64),
            np.array(means, dtype=np.int64),
            np.array([bases[measure.base] for measure in plan.measures], dtype=np.int64),
            len(masks),
            len(bases),
        )

    @property
    def everyone(self) -> int:
        """The column of everyone."""
        return self.masks + len(self.mask) + len(self.mean)


@dataclass(frozen=True)
class Sums:
    """Sums of cells, or of groups of them, one row each: of 1, w and w^2 over those whom a column counts.

    ``counts`` are units (of a mean, the sums of its numbers): whole numbers, where they are, of the
    smallest type that holds all units of the wave, and so any sum of them. Where the units of every row
    share a weight, ``weight`` is all that the sums of w and w^2 take; else ``weighed`` holds these, None
    where it was not asked for. By base: ``asked`` (units). By mask: ``n, one, one2`` (units, w, w^2). By
    measure: ``m, a, qa`` (units, w a, w^2 a). By mean: ``ayy, qaa`` (w a^2, w^2 a^2), which for a share are
    ``a`` and ``qa`` again.
    """

    layout: Layout
    counts: Numbers | None
    weight: Floats | None = None
    weighed: tuple[Numbers | None, ...] = (None, None)

    @classmethod
    def of(cls, cells: Cells) -> Sums:
        """The cells' sums as arrays."""
        frame, layout = cells.frame, Layout.of(cells.plan)
        first = frame.columns.get_loc("b0")
        if "weight" in frame:
            counts = np.ascontiguousarray(frame.iloc[:, first:].to_numpy())
            if counts.dtype.kind == "u":
                counts = counts.astype(holding(int(counts[:, layout.everyone].sum())), copy=False)
            return cls(layout, counts, frame["weight"].to_numpy(dtype=np.float64))
        width = layout.everyone + 1
        cuts = np.cumsum([width + layout.bases, width, width])
        values = frame.iloc[:, first:].to_numpy(dtype=np.float64)
        counts, *weighed = (np.ascontiguousarray(part) for part in np.split(values, cuts, axis=1)[:3])
        return cls(layout, counts, None, tuple(weighed))

    def __getitem__(self, rows: slice) -> Sums:
        """Some of the rows."""
        counts, weight, *weighed = (
            part if part is None else part[rows] for part in (self.counts, self.weight, *self.weighed)
        )
        return Sums(self.layout, counts, weight, tuple(weighed))

    def gathered(
        self, matrix: sparse.csr_array, powers: tuple[int, ...] = POWERS, factor: Floats | None = None
    ) -> Sums:
        """The sums of groups of rows, each row times its factor: ``matrix`` (groups x rows) says which."""
        if self.weight is not None and factor is None:
            shared = _shared(matrix, self.weight)
            if shared is not None:
                return Sums(self.layout, _added(matrix, self._of(0)), shared)
        made = [self._gathered(matrix, power, factor) if power in powers else None for power in POWERS]
        return Sums(self.layout, made[0], None, tuple(made[1:]))

    def _gathered(self, matrix: sparse.csr_array, power: int, factor: Floats | None) -> Numbers:
        if power == 0 and factor is None:
            return _added(matrix, self._of(0))
        entries = matrix.data if factor is None else factor[matrix.indices]
        if self.weight is not None and power:
            entries, power = entries * self.weight[matrix.indices] ** power, 0
        weighing = sparse.csr_array((entries, matrix.indices, matrix.indptr), matrix.shape)
        sums: Numbers = weighing @ (self._of(power) if power else self._units)
        return sums

    @cached_property
    def _units(self) -> Floats:
        return self._of(0).astype(np.float64, copy=False)

    @cached_property
    def _first(self) -> Numbers | None:
        return self.weighed[0] if self.weight is None else self._of(0) * self.weight[:, None]

    @cached_property
    def _second(self) -> Numbers | None:
        return self.weighed[1] if self.weight is None else self._of(0) * (self.weight**2)[:, None]

    @property
    def unweighed(self) -> Numbers:
        """What times ``weight``, if there is any, are the sums of w."""
        return self._of(1 if self.weight is None else 0)

    def _of(self, power: int) -> Numbers:
        part = self.counts if power == 0 else self._first if power == 1 else self._second
        assert part is not None, "was not gathered"
        return part

    def _masked(self, power: int) -> Floats:
        return self._of(power)[:, : self.layout.masks]

    def _measured(self, power: int) -> Floats:
        return self._of(power)[:, self.layout.masks :][:, : len(self.layout.mask)]

    def _squared(self, power: int) -> Floats:
        return self._of(power)[:, self.layout.masks + len(self.layout.mask) : self.layout.everyone]

    @property
    def asked(self) -> Floats:
        """Units of each base."""
        return self._of(0)[:, self.layout.everyone + 1 :][:, : self.layout.bases].astype(np.float64)

    def everyone(self, power: int) -> Floats:
        """The sum of w to a power over all units."""
        return self._of(power)[:, self.layout.everyone].astype(np.float64)

    @property
    def n(self) -> Floats:
        """Units of each mask."""
        return self._masked(0).astype(np.float64)

    @property
    def one(self) -> Floats:
        """w of each mask."""
        return self._masked(1)

    @property
    def one2(self) -> Floats:
        """w^2 of each mask."""
        return self._masked(2)

    @property
    def m(self) -> Floats:
        """Units in the numerator."""
        return self._measured(0).astype(np.float64)

    @property
    def a(self) -> Floats:
        """w a."""
        return self._measured(1)

    @property
    def qa(self) -> Floats:
        """w^2 a."""
        return self._measured(2)

    @property
    def qaa(self) -> Floats:
        """w^2 a^2 of the means."""
        return self._squared(2)

    @property
    def share(self) -> Floats:
        """1 for measures with b = 1 - a (shares and counts), 0 for those with b = 1 (means)."""
        share = np.ones(len(self.layout.mask))
        share[self.layout.mean] = 0.0
        return share

    @property
    def b(self) -> Floats:
        """w b."""
        return self.one[:, self.layout.mask] - self.share * self.a

    @property
    def qb(self) -> Floats:
        """w^2 b, which is w^2 b^2."""
        return self.one2[:, self.layout.mask] - self.share * self.qa

    @property
    def spread(self) -> Floats:
        """w a^2."""
        spread = self.a.copy()
        spread[:, self.layout.mean] = self._squared(1)
        return spread


def _shared(matrix: sparse.csr_array, weight: Floats) -> Floats | None:
    """The weight of each group of rows, if all rows of every group share one."""
    first = matrix.indptr[:-1]
    if not len(matrix.data) or (first == matrix.indptr[1:]).any():
        return None
    of_row = weight[matrix.indices]
    of_group = of_row[first]
    return of_group if np.array_equal(np.repeat(of_group, np.diff(matrix.indptr)), of_row) else None


def _added(matrix: sparse.csr_array, counts: Numbers) -> Numbers:
    ones = np.ones(len(matrix.indices), dtype=counts.dtype)
    added: Numbers = sparse.csr_array((ones, matrix.indices, matrix.indptr), matrix.shape) @ counts
    return added
