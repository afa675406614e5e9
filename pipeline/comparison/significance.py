"""Tests of differences, distributions and trends. Arrays in, arrays out: nothing here knows what is compared.

The variance of a difference of independent estimates is the sum of theirs, and so are its degrees of freedom,
as in a design that stacks the two samples. Inside one sample the covariance counts, and comes with the
estimates.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import pandas as pd
from scipy import linalg, special

from pipeline.arrays import Flags, Floats, Ints

LEAST_CASES = 5


@dataclass(frozen=True)
class Tested:
    """A difference with its standard error, its degrees of freedom, t interval and two-sided p-value."""

    value: Floats
    se: Floats
    df: Floats
    low: Floats
    high: Floats
    p: Floats


def t_test(value: Floats, se: Floats, df: Floats, confidence: float) -> Tested:
    """The t test of a difference. NaN where its error is 0 or not known: then there is no test."""
    known = np.isfinite(value) & (se > 0) & (df > 0)
    safe, freedom = np.where(known, se, 1.0), np.where(known, df, 1.0)
    half = special.stdtrit(freedom, 0.5 + confidence / 2) * safe
    p = 2 * special.stdtr(freedom, -np.abs(value / safe))
    low, high, p = (np.where(known, part, np.nan) for part in (value - half, value + half, p))
    return Tested(value, np.where(known, se, np.nan), df, low, high, p)


def too_few_cases(share: Floats, n: Floats) -> Flags:
    """Where a share (percent) of n answers rests on fewer than ``LEAST_CASES`` of them, or leaves fewer out.

    The distribution of a difference is then far from a t, and its interval misses too often
    (``benchmarks/differences.py``): such a share is compared without a test.
    """
    return np.asarray(np.minimum(share, 100 - share) / 100 * n < LEAST_CASES - 0.5, dtype=np.bool_)


def independent(
    a: tuple[Floats, Floats, Floats], b: tuple[Floats, Floats, Floats], confidence: float
) -> Tested:
    """``a`` minus ``b``, each the value, standard error and degrees of freedom of a sample of its own."""
    difference, se = a[0] - b[0], np.sqrt(a[1] ** 2 + b[1] ** 2)
    return t_test(difference, se, a[2] + b[2], confidence)


def adjusted(p: Floats, families: Ints | None = None) -> Floats:
    """P-values adjusted for the tests of their family (Benjamini & Hochberg 1995; R's ``p.adjust``).

    A p-value that is NaN is no test: it counts for nothing and stays NaN.
    """
    made = np.full(len(p), np.nan)
    families = np.zeros(len(p), dtype=np.int64) if families is None else families
    for family in np.unique(families):
        rows = np.flatnonzero((families == family) & np.isfinite(p))
        order = rows[np.argsort(-p[rows], kind="stable")]
        ranks = np.arange(len(rows), 0, -1)
        made[order] = np.minimum(1.0, np.minimum.accumulate(p[order] * len(rows) / ranks))
    return made


def adjusted_within(p_values: pd.Series[float], *family: pd.Series[str]) -> Floats:
    """P-values ``adjusted`` for the tests whose texts in ``family`` are the same."""
    numbers: Ints = (
        pd.MultiIndex.from_arrays([each.astype(str) for each in family]).factorize()[0].astype(np.int64)
    )
    return adjusted(np.asarray(p_values, dtype=np.float64), numbers)


@dataclass(frozen=True)
class DistributionTest:
    """Rao and Scott's F test of whole distributions."""

    f: float
    ndf: float
    ddf: float

    @property
    def p(self) -> float:
        """The p-value; NaN where there is nothing to test."""
        return float(special.fdtrc(self.ndf, self.ddf, self.f))


def independence(
    p: Floats, covariance: Floats, rows: int, columns: int, n: float, df: float
) -> DistributionTest:
    """Whether the rows of a table have one distribution: R's ``svychisq(statistic = "F")``.

    ``p``: the joint shares (sum 1), row by row; ``covariance``: of them. Rao & Scott (1984), second-order
    correction by Satterthwaite's approximation.
    """
    row, column = np.divmod(np.arange(rows * columns), columns)
    main = np.column_stack(
        [np.ones_like(p), *(row == i for i in range(1, rows)), *(column == j for j in range(1, columns))]
    )
    cross = np.column_stack(
        [(row == i) & (column == j) for i, j in product(range(1, rows), range(1, columns))]
    ).astype(float)
    cross = cross - main @ np.linalg.lstsq(main, cross, rcond=None)[0]
    inverse = np.diag(np.divide(1.0, p, out=np.zeros_like(p), where=p > 0))
    delta = np.linalg.lstsq(
        cross.T @ inverse @ cross / n, cross.T @ inverse @ covariance @ inverse @ cross, rcond=None
    )[0]
    table = p.reshape(rows, columns)
    expected = np.outer(table.sum(1), table.sum(0)).reshape(-1)
    some = expected > 0
    pearson = n * ((p - expected)[some] ** 2 / expected[some]).sum()
    trace, square = float(np.trace(delta)), float(np.trace(delta @ delta))
    if not (trace > 0 and square > 0):
        return DistributionTest(float("nan"), float("nan"), float("nan"))
    ndf = trace**2 / square
    return DistributionTest(float(pearson / trace), ndf, ndf * df)


def homogeneity(
    shares: Sequence[Floats], covariances: Sequence[Floats], n: Sequence[float], df: float
) -> DistributionTest:
    """Whether independent samples have one distribution (Scott & Rao 1981): the test of the stacked table.

    ``shares`` (sum 1) with their ``covariances``, one each a sample; ``n`` its answers, by which samples are
    pooled. Answers that nobody gave are left out.
    """
    given = np.sum(shares, axis=0) > 0
    part = np.asarray(n, dtype=np.float64) / sum(n)
    p = np.concatenate([weight * share[given] for weight, share in zip(part, shares, strict=True)])
    blocks = [weight**2 * v[np.ix_(given, given)] for weight, v in zip(part, covariances, strict=True)]
    if given.sum() < 2:
        return DistributionTest(float("nan"), float("nan"), float("nan"))
    covariance = np.asarray(linalg.block_diag(*blocks), dtype=np.float64)
    return independence(p, covariance, len(n), int(given.sum()), float(sum(n)), df)


def slope(values: Floats, se: Floats, times: Floats, segment: Ints) -> tuple[float, float]:
    """The common slope of a series, with a level of its own in every segment, and its standard error.

    Weighted least squares with the known errors of independent estimates (weights 1 / se^2), the standard
    error following from these alone. NaN where no segment holds two estimates.
    """
    weight = 1.0 / se**2
    groups = np.eye(int(segment.max(initial=0)) + 1)[segment]
    mean = (groups.T @ (weight * times)) / np.maximum(groups.T @ weight, np.finfo(float).tiny)
    centred = times - mean[segment]
    information = float((weight * centred**2).sum())
    if not information > 1e-12 * float((weight * times**2).sum()):
        return float("nan"), float("nan")
    return float((weight * centred * values).sum()) / information, information**-0.5
