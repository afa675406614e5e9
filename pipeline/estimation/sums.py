"""The sums of a wave's cells as arrays, and their roll-up into any groups of cells."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from pipeline.arrays import Floats, Ints
from pipeline.estimation.plan import Plan
from pipeline.estimation.statistics import Cells

POWERS = (0, 1, 2)

# What malloc frees it gives back to the system at once, and gets anew for the next wave, page by page: a
# quarter of a small one's time. glibc keeps more once a large block was freed (mallopt(3), M_MMAP_THRESHOLD).
np.empty(3 << 20)


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

    ``powers`` holds those three matrices; None where it was not asked for. Of cells that were counted only
    the first is there, and ``weight`` of the units of each. By base: ``asked`` (units). By mask: ``n, one,
    one2`` (units, w, w^2). By measure: ``m, a, qa`` (units, w a, w^2 a). By mean: ``ayy, qaa`` (w a^2,
    w^2 a^2), which for a share are ``a`` and ``qa`` again.
    """

    layout: Layout
    powers: tuple[Floats | None, ...]
    weight: Floats | None = None

    @classmethod
    def of(cls, cells: Cells) -> Sums:
        """The cells' sums as arrays."""
        frame, layout = cells.frame, Layout.of(cells.plan)
        first = frame.columns.get_loc("b0")
        values = np.ascontiguousarray(frame.iloc[:, first:].to_numpy(dtype=np.float64))
        if "weight" in frame:
            return cls(layout, (values, None, None), frame["weight"].to_numpy(dtype=np.float64))
        width = layout.everyone + 1
        cuts = np.cumsum([width + layout.bases, width, width])
        return cls(layout, tuple(np.ascontiguousarray(part) for part in np.split(values, cuts, axis=1)[:3]))

    def gathered(self, matrix: sparse.csr_array, powers: tuple[int, ...] = POWERS) -> Sums:
        """The sums of groups of rows; ``matrix`` is groups x rows."""
        made = [self._gathered(matrix, power) if power in powers else None for power in POWERS]
        return Sums(self.layout, tuple(made))

    def _gathered(self, matrix: sparse.csr_array, power: int) -> Floats:
        if self.weight is not None and power:
            weighed = matrix.data * self.weight[matrix.indices] ** power
            matrix, power = sparse.csr_array((weighed, matrix.indices, matrix.indptr), matrix.shape), 0
        sums: Floats = matrix @ self._of(power)
        return sums

    def _of(self, power: int) -> Floats:
        part = self.powers[power]
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
        return self._of(0)[:, self.layout.everyone + 1 :][:, : self.layout.bases]

    def everyone(self, power: int) -> Floats:
        """The sum of w to a power over all units."""
        return self._of(power)[:, self.layout.everyone]

    @property
    def n(self) -> Floats:
        """Units of each mask."""
        return self._masked(0)

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
        return self._measured(0)

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
