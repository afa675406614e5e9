"""Linearisation: how far one unit moves an estimate, and what a design makes of sums of such moves.

A share, mean or total is a function of two weighted sums over its domain, with c the complement of y:

    share  c = 1 - y, p = sum w y / (sum w y + sum w c)      z = w ((1 - p) y - p c) / (sum w y + sum w c)
    mean   c = 1,     m = sum w y / sum w c                  z = w (y - m c) / sum w c
    total             t = sum w y                            z = w y

so each is z = w scale (complement y - ratio c) with three numbers an estimate, and of a unit in the
denominator also z = w scale (y - ratio) (Woodruff 1971; Binder 1983; the influence function of Deville 1999,
and the derivative by the weight of Demnati & Rao 2004). Its variance, and its covariance with others, are,
over strata h,

    k_h [ sum of z_i z_j over PSUs - (sum of z_i) (sum of z_j) / n_h ],   k_h = (1 - n_h/N_h) n_h / (n_h - 1),

n_h the full sample of the stratum, in PSUs: those outside the domain count as zero (Särndal, Swensson &
Wretman 1992, 5.6 and 5.7; Cochran 1977, chapter 5; the same answers as R's ``survey::svyrecvar``). Shares
are proportions, not percent, and means counted from their centre.

Here belongs what ``variance`` (every estimate of a wave by itself) and ``covariance`` (a few estimates
together) share; calibration's residuals stand in ``design``.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from pipeline.arrays import Flags, Floats, Ints
from pipeline.estimation.sums import Sums

IN_CACHE = 512  # groups of cells
ROUNDING = 1e-13  # of the sums of squares a variance is the difference of


def without_rounding(found: Floats, size: Floats) -> Floats:
    """Variances or covariances, 0 where only the rounding of equal sums' difference is left: as of a margin.

    ``size`` is that of the sums they are the difference of, of the same shape.
    """
    return np.where(np.abs(found) <= ROUNDING * size, 0.0, found)


def lonely_average(present: Floats, good: Floats) -> Floats:
    """What a variance is multiplied by where lonely strata take the average (R's ``lonely.psu = "average"``).

    They add what the others add on average; 0 where there are no others. Of arrays of one shape,
    ``present``: how many strata have members of the domain; ``good``: how many of them have a variance.
    """
    return np.where(good > 0, present / np.maximum(good, 1), 0.0)


@dataclass(frozen=True)
class Linearisation:
    """What z is made of, by estimate: z = w scale (complement y - ratio c), of arrays of one shape.

    Of a share 1 / sum w, p and 1 - p; of a mean 1 / sum w, m and 1; of a total 1, 0 and 1.
    """

    scale: Floats
    ratio: Floats
    complement: Floats

    @classmethod
    def of(cls, numerator: Floats, denominator: Floats, is_share: Flags, is_count: Flags) -> Linearisation:
        """From sums of w y and of w over the denominator; an estimate without units has no z."""
        some = denominator > 0

        def over(sums: Floats | float) -> Floats:
            return np.divide(sums, denominator, out=np.zeros_like(denominator), where=some)

        scale, ratio, complement = over(1.0), over(numerator), over(denominator - numerator)
        return cls(
            np.where(is_count, 1.0, scale),
            np.where(is_count, 0.0, ratio),
            np.where(is_share & ~is_count, complement, 1.0),
        )

    @classmethod
    def of_domains(cls, total: Sums, is_count: Flags) -> Linearisation:
        """Of every measure in every domain; ``total`` are the sums of domains."""
        is_share = total.share == 1
        return cls.of(total.sum_wy, total.sum_w[:, total.layout.mask], is_share, is_count)

    @property
    def factor_y(self) -> Floats:
        """What y is multiplied by: z = w (factor_y y + factor_c c)."""
        return self.scale * self.complement

    @property
    def factor_c(self) -> Floats:
        """What c is multiplied by."""
        return -self.scale * self.ratio

    def at(self, rows: Ints | slice) -> Linearisation:
        """Those of some domains."""
        return Linearisation(self.scale[rows], self.ratio[rows], self.complement[rows])

    def of_units(self, y: Floats, counted: Floats) -> Floats:
        """z / w of units, or of classes of alike ones, rows x estimates.

        ``y`` is what is counted of them, and ``counted`` 1 where they belong to the denominator.
        """
        return np.asarray((y - self.ratio * counted) * self.scale, dtype=np.float64)

    def of_sums(self, sums: Sums, domain: Ints) -> Floats:
        """The sum of z of groups of cells, groups x measures; a few at a time, so that they stay in cache.

        ``sums`` are those of the groups, ordered by ``domain``, which is that of each.
        """
        made = np.empty((len(domain), len(sums.layout.mask)))
        for first in range(0, len(domain), IN_CACHE):
            rows = slice(first, first + IN_CACHE)
            of = domain[rows]
            of = of[:1] if of[0] == of[-1] else of  # a row for all is quicker than one for each
            np.multiply(_residual(sums, rows, self.ratio[of]), self.scale[of], out=made[rows])
        if sums.weight is not None:
            made *= sums.weight[:, None]
        return made

    def squares(self, sums: Sums, domain: Ints, factor: Floats) -> Floats:
        """The sum of ``factor`` z^2 over groups of cells by domain (domains x measures).

        Groups are those of ``of_sums``; ``factor`` is each group's.
        """
        found = np.zeros_like(self.scale)
        if sums.weight is not None:
            factor = factor * sums.weight**2
        ends = np.searchsorted(domain, np.arange(len(found) + 1))
        for of, (first, last) in enumerate(pairwise(ends)):
            for start in range(first, last, IN_CACHE):
                rows = slice(start, min(start + IN_CACHE, last))
                z = _residual(sums, rows, self.ratio[of])
                # Not a product of BLAS, whose threads add in an order of their own.
                found[of] += np.einsum("i,ij->j", factor[rows], np.multiply(z, z, out=z))
        squares: Floats = found * self.scale**2
        return squares


def _residual(sums: Sums, rows: slice, ratio: Floats) -> Floats:
    """The sum of y - ratio over those in the denominator: what z is before it is scaled and weighed."""
    masks, mask = sums.layout.masks, sums.layout.mask
    some = sums.unweighed[rows].astype(np.float64, copy=False)
    expected = np.take(some[:, :masks], mask, axis=1)
    expected *= ratio
    return np.subtract(some[:, masks : masks + len(mask)], expected, out=expected)
