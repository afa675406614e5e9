"""The sample design of a wave on its cells: strata, sampling units, corrections and calibration.

Here belongs what is the same for every indicator and domain; sums of linearised values are elsewhere
(``variance``, ``covariance``). Replicate weights carry their own design and use none of this.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from scipy import sparse

from pipeline.arrays import Flags, Floats, Ints
from pipeline.estimation.domains import aggregation_matrix
from pipeline.estimation.specification import Specification
from pipeline.estimation.statistics import Cells
from pipeline.grouping import cross_classify, distinct, indexed
from pipeline.problems import Problem, ProblemError
from pipeline.sources import named


@dataclass(frozen=True)
class Design:
    """The sample design of a wave on its cells.

    ``stratum`` and ``psu`` are each cell's; the arrays by stratum are the factor k_h on centred
    products, and ``centred`` (0 where a lonely PSU is taken around 0). ``calibration`` holds the
    residuals' ingredients, or None.

    k_h = (1 - n_h/N_h) n_h / (n_h - 1), n_h in sampling units (Cochran 1977, chapter 5). Of a lonely
    stratum, where that is not defined, it is 1 - n_h/N_h under ``adjust``, else 0.
    """

    stratum: Ints
    n_psu: Floats  # n_h, of elements their number
    variance_factor: Floats  # k_h
    centred: Floats
    lonely: Flags  # of one sampling unit that is not all there is
    lonely_take_average: bool
    psu: Ints | None
    psu_stratum: Ints | None
    calibration: Calibration | None

    @property
    def centring(self) -> Floats:
        """By stratum, what (sum of z)^2 is taken away by: k_h / n_h, or 0 of a lonely one."""
        return self.variance_factor * self.centred / self.n_psu


@dataclass(frozen=True)
class Calibration:
    """The regression on the margins that residuals are taken from (Deville & Särndal 1992).

    Units of a calibration cell are alike in all margins, so have one g-weight and one fitted value. Start
    weights are those of the regression, calibrated weights those of the residual.
    """

    of_cell: Ints
    indicators: Floats  # x: calibration cells x totals; of a number its part of the largest one
    start_weight: Floats  # sum of start weights by calibration cell
    g_weight: Floats  # calibrated over start weight by calibration cell
    sum_w: sparse.csr_array  # of everyone: strata or PSUs x calibration cells, sum of w
    sum_w2: sparse.csr_array  # of everyone: strata x calibration cells, sum of w^2

    @cached_property
    def inverse(self) -> Floats:
        """(x' D x)^-, with D the start weights: totals x totals. Moore-Penrose's, as margins share totals."""
        x = self.indicators
        inverse = np.linalg.pinv(x.T @ (x * self.start_weight[:, None]), rcond=1e-12, hermitian=True)
        return np.asarray(inverse, dtype=np.float64)

    def fitted(self, z: Floats) -> Floats:
        """The regression of z / w on the margins, of sums of z: both calibration cells x estimates."""
        x = self.indicators
        return np.asarray(x @ (self.inverse @ (x.T @ (z / self.g_weight[:, None]))), dtype=np.float64)

    def moments(self, values: Floats, domain: Ints, cell: Ints, domains: int) -> Floats:
        """Sums of values times x: domains x totals x estimates.

        ``values`` (rows x estimates) are of ``domain`` and calibration ``cell``.
        """
        x = self.indicators[cell]
        row, total = np.nonzero(x)
        group = domain[row] * x.shape[1] + total
        added = aggregation_matrix(group, domains * x.shape[1], row, len(cell), x[row, total]) @ values
        return np.asarray(added, dtype=np.float64).reshape(domains, x.shape[1], values.shape[1])

    def coefficients(self, z: Floats, domain: Ints, cell: Ints, domains: int) -> Floats:
        """Of the regression of z / w on the margins, of sums of z: domains x totals x estimates."""
        moments = self.moments(z / self.g_weight[cell][:, None], domain, cell, domains)
        return np.asarray(np.einsum("ef,dfk->dek", self.inverse, moments, optimize=True), dtype=np.float64)


def design_of(cells: Cells, specification: Specification) -> Design:
    """The design factors of a wave; ProblemError where ``lonely_psu = "fail"`` meets a stratum of one PSU."""
    frame, plan, lonely = cells.frame, cells.plan, specification.conventions.lonely_psu
    names, stratum = cross_classify(frame, ["stratum"])
    psu = psu_stratum = None
    if plan.clustered:
        units, unit = indexed(frame["psu"])
        found, psu = distinct(stratum * len(units) + unit, len(names) * len(units))
        psu_stratum = found // len(units)
        size = np.bincount(psu_stratum, minlength=len(names)).astype(float)
    else:
        size = aggregation_matrix(stratum, len(names)) @ cells.everyone()
    known = np.array([specification.population.get(name, np.inf) for name in names])
    if specification.census:
        known = size
    fraction = 1.0 - _having_weight(cells, size, stratum, psu, psu_stratum) / known
    alone = size == 1
    lonesome = alone & (size < known)
    if lonely == "fail" and lonesome.any():
        people = aggregation_matrix(stratum, len(names)) @ cells.everyone()
        alone_in = {name: int(n) for name, n, one in zip(names, people, lonesome, strict=True) if one}
        said = named(alone_in) or "the sample"
        hint = "Join it with another stratum, or set estimation.lonely_psu to certainty, adjust or average."
        wave = specification.wave.key
        raise ProblemError(
            Problem(
                f"schemas/waves/{wave}.toml",
                "design.strata",
                "a stratum has a single sampling unit",
                hint,
                said,
                wave,
            )
        )
    factor = np.where(
        alone, fraction if lonely == "adjust" else 0.0, fraction * size / np.maximum(size - 1, 1)
    )
    centred = np.where(alone, 0.0, 1.0)
    return Design(
        stratum,
        size,
        factor,
        centred,
        lonesome,
        lonely == "average",
        psu,
        psu_stratum,
        _calibration(cells, stratum, psu, len(names)),
    )


def _having_weight(
    cells: Cells, size: Floats, stratum: Ints, psu: Ints | None, psu_stratum: Ints | None
) -> Floats:
    """The sampling units of each stratum that are a part of those counted: all, or who has a further weight.

    A module asked of a part of the sample is a smaller part of the population, even where all were drawn.
    """
    if not cells.plan.weight:
        return size
    if psu is None or psu_stratum is None:
        return np.asarray(aggregation_matrix(stratum, len(size)) @ cells.having_weight, dtype=np.float64)
    has = aggregation_matrix(psu, len(psu_stratum)) @ cells.having_weight > 0
    return np.bincount(psu_stratum[has], minlength=len(size)).astype(float)


def _calibration(cells: Cells, stratum: Ints, psu: Ints | None, strata: int) -> Calibration | None:
    frame, plan = cells.frame, cells.plan
    if not plan.margins:
        return None
    used = list(dict.fromkeys(name for margin in plan.margins for name in margin))
    keys, of_cell = cross_classify(frame, used)
    firsts = np.unique(of_cell, return_index=True)[1]
    columns = []
    for margin in plan.margins:
        if not isinstance(frame[margin[0]].dtype, pd.CategoricalDtype):
            numbers = frame[margin[0]].to_numpy(dtype=np.float64)[firsts]
            columns.append(numbers / np.abs(numbers).max())
            continue
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
