"""The sums of a wave's cells as arrays with named fields, and their roll-up into any groups of cells.

Here belongs how sums are held and added up. What their columns are called stands in ``columns``, how they
are made in ``passes``, which cells make a domain in ``domains``, and what they say in ``variance``.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import sparse

from pipeline.arrays import Floats, Ints, Numbers
from pipeline.estimation import columns
from pipeline.estimation.columns import POWERS
from pipeline.estimation.passes import holding
from pipeline.estimation.plan import Plan
from pipeline.estimation.statistics import Cells


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
    """Sums of cells, or of groups of them, one row each, in named fields.

    By base: ``n_asked`` (units). By mask: ``n``, ``sum_w``, ``sum_w2``. By measure: ``sum_y``, ``sum_wy``,
    ``sum_w2y``, ``sum_wy2``, and with c = 1 - y of a share or count and 1 of a mean also ``sum_wc``,
    ``sum_w2c``. By mean: ``sum_w2y2``.

    ``counts`` are the sums without a weight: units, and a mean's numbers. Units are whole numbers of the
    smallest type that holds all units of the wave, and so any sum of them. Where the units of every row
    share a weight, ``weight`` is all that the sums of w and w^2 take; else ``weighed`` holds these, None
    where they were not asked for.
    """

    layout: Layout
    counts: Numbers | None
    weight: Floats | None = None
    weighed: tuple[Numbers | None, ...] = (None, None)

    @classmethod
    def of(cls, cells: Cells) -> Sums:
        """The cells' sums as arrays."""
        frame, layout = cells.frame, Layout.of(cells.plan)
        first = frame.columns.get_loc(columns.in_frame(columns.answered(0)))
        if cells.weight is not None:
            counts = np.ascontiguousarray(frame.iloc[:, first:].to_numpy())
            if counts.dtype.kind == "u":
                counts = counts.astype(holding(int(counts[:, layout.everyone].sum())), copy=False)
            return cls(layout, counts, cells.weight)
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
    def n_asked(self) -> Floats:
        """Units of each base."""
        return self._of(0)[:, self.layout.everyone + 1 :][:, : self.layout.bases].astype(np.float64)

    def everyone(self, power: int) -> Floats:
        """The sum of w to a power over all units."""
        return self._of(power)[:, self.layout.everyone].astype(np.float64)

    @property
    def n(self) -> Floats:
        """Units of each mask: those who belong to its denominator."""
        return self._masked(0).astype(np.float64)

    @property
    def sum_w(self) -> Floats:
        """w of each mask: of those who belong to its denominator."""
        return self._masked(1)

    @property
    def sum_w2(self) -> Floats:
        """w^2 of each mask."""
        return self._masked(2)

    @property
    def sum_y(self) -> Floats:
        """y of each measure: the units in the numerator of a share or count."""
        return self._measured(0).astype(np.float64)

    @property
    def sum_wy(self) -> Floats:
        """w y of each measure."""
        return self._measured(1)

    @property
    def sum_w2y(self) -> Floats:
        """w^2 y of each measure."""
        return self._measured(2)

    @property
    def sum_w2y2(self) -> Floats:
        """w^2 y^2 of the means; of a share y^2 is y."""
        return self._squared(2)

    @property
    def share(self) -> Floats:
        """1 for measures with c = 1 - y (shares and counts), 0 for those with c = 1 (means)."""
        share = np.ones(len(self.layout.mask))
        share[self.layout.mean] = 0.0
        return share

    @property
    def sum_wc(self) -> Floats:
        """w c of each measure: the complement 1 - y of a share or count, 1 of a mean."""
        return self.sum_w[:, self.layout.mask] - self.share * self.sum_wy

    @property
    def sum_w2c(self) -> Floats:
        """w^2 c of each measure, which is w^2 c^2."""
        return self.sum_w2[:, self.layout.mask] - self.share * self.sum_w2y

    @property
    def sum_wy2(self) -> Floats:
        """w y^2 of each measure."""
        sums = self.sum_wy.copy()
        sums[:, self.layout.mean] = self._squared(1)
        return sums


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
