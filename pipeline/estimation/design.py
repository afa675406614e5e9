"""The sample design of a wave on its cells: strata, sampling units, corrections and calibration.

Here belongs what is the same for every indicator and domain; sums of linearised values are elsewhere
(``variance``, ``covariance``). Replicate weights carry their own design and use none of this.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import sparse

from pipeline.arrays import Flags, Floats, Ints
from pipeline.catalogue.fieldwork import Wave
from pipeline.estimation.domains import aggregation_matrix
from pipeline.estimation.statistics import Cells
from pipeline.grouping import cross_classify, distinct, indexed
from pipeline.problems import Problem, ProblemError


@dataclass(frozen=True)
class Design:
    """The sample design of a wave on its cells.

    ``stratum`` and ``psu`` are each cell's; the arrays by stratum are the factor ``k`` on centred
    products, and ``centred`` (0 where a lonely PSU is taken around 0). ``calibration`` holds the
    residuals' ingredients, or None.
    """

    stratum: Ints
    size: Floats  # n_h
    k: Floats
    centred: Floats
    lonely: Flags  # of one sampling unit that is not all there is
    average: bool
    psu: Ints | None
    psu_stratum: Ints | None
    calibration: Calibration | None

    @property
    def centring(self) -> Floats:
        """By stratum, what the square of the sum of z takes away: k_h / n_h, or nothing of a lonely one."""
        return self.k * self.centred / self.size


@dataclass(frozen=True)
class Calibration:
    """Calibration cells: each cell's, their margins' indicators, and what everyone weighs in them."""

    of_cell: Ints
    indicators: Floats  # calibration cells x totals
    start: Floats  # sum of start weights by calibration cell
    factor: Floats  # calibrated over start weight by calibration cell
    weight: sparse.csr_array  # of everyone: strata or PSUs x calibration cells, sum of w
    weight2: sparse.csr_array  # of everyone: strata x calibration cells, sum of w^2

    @cached_property
    def projection(self) -> Floats:
        """Calibration cells x calibration cells: x (x' D x)^- x', from start weights D.

        The inverse is Moore-Penrose's, as margins share totals.
        """
        x = self.indicators
        inverse = np.linalg.pinv(x.T @ (x * self.start[:, None]), rcond=1e-12, hermitian=True)
        return np.asarray(x @ inverse @ x.T, dtype=np.float64)

    def fitted(self, z: Floats) -> Floats:
        """The regression of z / w on the margins by calibration cell, of sums of z by calibration cell.

        ``z``: (...) x calibration cells x estimates. Start weights are those of the regression, calibrated
        weights those of the residual (Deville & Särndal 1992).
        """
        started = z / self.factor[:, None]
        return np.asarray(
            np.einsum("ce,...ek->...ck", self.projection, started, optimize=True), dtype=np.float64
        )


def design_of(cells: Cells, wave: Wave, population: dict[str, float], lonely: str) -> Design:
    """The design factors of a wave; ProblemError where ``lonely_psu = "fail"`` meets a stratum of one PSU."""
    frame, plan = cells.frame, cells.plan
    names, stratum = cross_classify(frame, ["stratum"])
    psu = psu_stratum = None
    if plan.clustered:
        units, unit = indexed(frame["psu"])
        found, psu = distinct(stratum * len(units) + unit, len(names) * len(units))
        psu_stratum = found // len(units)
        size = np.bincount(psu_stratum, minlength=len(names)).astype(float)
    else:
        size = aggregation_matrix(stratum, len(names)) @ cells.everyone()
    known = np.array([population.get(name, np.inf) for name in names])
    fraction = 1.0 - size / known
    alone = size == 1
    lonesome = alone & (fraction > 0)
    if lonely == "fail" and lonesome.any():
        said = ", ".join(name or "the sample" for name, one in zip(names, lonesome, strict=True) if one)
        hint = "Join it with another stratum, or set estimation.lonely_psu to certainty, adjust or average."
        file = f"schemas/waves/{wave.key}.toml"
        raise ProblemError(
            Problem(file, "design.strata", "a stratum has a single sampling unit", hint, said, wave.key)
        )
    k = np.where(alone, fraction if lonely == "adjust" else 0.0, fraction * size / np.maximum(size - 1, 1))
    centred = np.where(alone, 0.0, 1.0)
    return Design(
        stratum,
        size,
        k,
        centred,
        lonesome,
        lonely == "average",
        psu,
        psu_stratum,
        _calibration(cells, stratum, psu, len(names)),
    )


def _calibration(cells: Cells, stratum: Ints, psu: Ints | None, strata: int) -> Calibration | None:
    frame, plan = cells.frame, cells.plan
    if not plan.margins:
        return None
    used = list(dict.fromkeys(name for margin in plan.margins for name in margin))
    keys, of_cell = cross_classify(frame, used)
    firsts = np.unique(of_cell, return_index=True)[1]
    columns = []
    for margin in plan.margins:
        codes, place = cross_classify(frame, margin)
        columns += [(place[firsts] == number).astype(float) for number in range(len(codes))]
    gather = aggregation_matrix(of_cell, len(keys))
    start, final = gather @ cells.start, gather @ cells.everyone(1)
    rows, size = (stratum, strata) if psu is None else (psu, int(psu.max()) + 1)

    def by_cell(rows: Ints, size: int, power: int) -> sparse.csr_array:
        return sparse.csr_array((cells.everyone(power), (rows, of_cell)), shape=(size, len(keys)))

    return Calibration(
        of_cell,
        np.column_stack(columns),
        start,
        final / start,
        by_cell(rows, size, 1),
        by_cell(stratum, strata, 2),
    )
