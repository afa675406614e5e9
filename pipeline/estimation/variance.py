"""Design variance of linear sums from additive statistics.

A share, mean or total is a function of two weighted sums over its domain, A = sum w a and B = sum w b:

    share  a = y, b = 1 - y, p = A / (A + B)      z = w ((1 - p) a - p b) / (A + B)
    mean   a = y, b = 1,     m = A / B            z = w (a - m b) / B
    total  a = y,            t = A                z = w a

so each is w (alpha a + beta b) with numbers by domain (``Score``), and its variance is, over strata,
k_h [ sum of z^2 over PSUs - (sum of z)^2 / n_h ], k_h = (1 - n_h/N_h) n_h / (n_h - 1), n_h the full sample
of the stratum (Särndal, Swensson & Wretman 1992, 5.6; the same answers as R's ``survey::svyrecvar``). For a
share every term of z^2 is non-negative: no cancellation, and shares of 0 and 1 give exactly 0.

After calibration z gives way to the residual of its regression on the margins, with start weights in the
regression and calibrated weights on the residual (Deville & Särndal 1992).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from pipeline.arrays import Flags, Floats, Ints
from pipeline.estimation.design import Calibration, Design
from pipeline.estimation.domains import BackgroundCells, Domains, aggregation_matrix
from pipeline.estimation.psu_sums import PsuSums, psu_sums
from pipeline.estimation.sums import Sums

IN_CACHE = 512  # groups of cells
ROUNDING = 1e-13  # of the sums of squares a variance is the difference of


@dataclass(frozen=True)
class Strata:
    """The sums of a wave by domain and stratum, and of each of them which they are."""

    domain: Ints
    stratum: Ints
    sums: Sums

    @classmethod
    def of(cls, sums: Sums, domains: Domains, stratum: Ints) -> Strata:
        """``sums`` and ``stratum`` are of cells."""
        groups = domains.groups(stratum)
        return cls(groups.domain, groups.other, sums.gathered(groups.matrix(len(stratum))))

    def total(self, domains: int) -> Sums:
        """The sums by domain."""
        return self.sums.gathered(aggregation_matrix(self.domain, domains))


@dataclass(frozen=True)
class Score:
    """What z is made of, by domain and measure: z = w scale (rest a - ratio b).

    Where b is 1 - a, rest is 1 - ratio, else 1; so that of a unit that counts is also w scale (a - ratio).
    """

    scale: Floats
    ratio: Floats
    rest: Floats

    @classmethod
    def of(cls, total: Sums, is_count: Flags) -> Score:
        """The derivatives of share, mean or total by the sums of a and b; ``total`` are those of domains."""
        one = total.sum_w[:, total.layout.mask]
        with np.errstate(divide="ignore", invalid="ignore"):
            scale, ratio = 1.0 / one, total.sum_wy / one
            rest = np.where(total.share == 0, 1.0, total.sum_wc / one)
        parts = ((1.0, scale), (0.0, ratio), (1.0, rest))
        return cls(*(np.where(is_count, of_count, part) for of_count, part in parts))

    @property
    def alpha(self) -> Floats:
        """What a weighs."""
        return self.scale * self.rest

    @property
    def beta(self) -> Floats:
        """What b weighs."""
        return -self.scale * self.ratio

    def at(self, rows: Ints | slice) -> Score:
        """Those of some domains."""
        return Score(self.scale[rows], self.ratio[rows], self.rest[rows])

    def linear(self, sums: Sums, domain: Ints) -> Floats:
        """z of groups of cells, ordered by domain; a few at a time stay in cache."""
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
        """Sums of z^2 by domain, each times its factor; of groups of cells ordered by domain."""
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
    """a - ratio of those who count: what z is before it is scaled and weighed."""
    masks, mask = sums.layout.masks, sums.layout.mask
    some = sums.unweighed[rows].astype(np.float64, copy=False)
    expected = np.take(some[:, :masks], mask, axis=1)
    expected *= ratio
    return np.subtract(some[:, masks : masks + len(mask)], expected, out=expected)


def variance(
    sums: Sums,
    strata: Strata,
    domains: Domains,
    design: Design,
    score: Score,
    background: BackgroundCells | None,
) -> tuple[Floats, Floats]:
    """Every measure's design variance (of its linearised value) and degrees of freedom: domains x measures.

    ``sums`` are of cells, ``strata`` the same by domain and stratum, and ``domains`` of cells or, where there
    are any, of their ``background`` cells. Degrees of freedom are sampling units less strata, of those with
    members of the domain: all whom the base asked, whether they answered or not, as R's ``degf`` of the
    subset has it.
    """
    asked, gather = strata.sums.n_asked, aggregation_matrix(strata.domain, len(domains))
    if design.psu is None or background is None:
        found = _spread(_of_elements(sums, strata, domains, design, score), len(domains), design)
        members = gather @ asked
    else:
        found, members = np.empty_like(score.alpha), np.empty((len(domains), asked.shape[1]))
        for units in psu_sums(sums, domains, background, design.psu):
            made = _of_clusters(sums, strata, units, design, score.at(units.rows))
            found[units.rows] = _spread(made, len(units.domains), design)
            members[units.rows] = aggregation_matrix(units.domain, len(units.domains)) @ (
                units.n_asked > 0
            ).astype(float)
    if design.average:
        found *= _average(strata, len(domains), design)
    return found, (members - gather @ (asked > 0).astype(float))[:, sums.layout.base]


def _spread(made: _Linear, domains: int, design: Design) -> Floats:
    less = (design.k * design.centred / design.size)[made.stratum]
    found = made.squares - aggregation_matrix(made.domain, domains, factor=less) @ made.z**2
    # What is left of a difference of equal sums is rounding, not variance: a margin's own error is 0.
    return np.where(np.abs(found) <= ROUNDING * made.raw, 0.0, found)


@dataclass(frozen=True)
class _Linear:
    """Sums of z by domain and stratum, and by domain those of k z^2 over sampling units; ``raw``: the size
    of these squares before residuals were taken and before they could cancel."""

    domain: Ints
    stratum: Ints
    z: Floats
    squares: Floats
    raw: Floats


def _of_elements(sums: Sums, strata: Strata, domains: Domains, design: Design, score: Score) -> _Linear:
    of = strata.sums.gathered(aggregation_matrix(strata.domain, len(domains)), (2,), design.k[strata.stratum])
    squares = raw = score.alpha**2 * of.sum_w2y + score.beta**2 * of.sum_w2c
    if len(mean := of.layout.mean):  # of a share a b is 0, and a^2 is a
        alpha, beta = score.alpha[:, mean], score.beta[:, mean]
        squares, both = raw.copy(), 2 * alpha * beta * of.sum_w2y[:, mean]
        raw[:, mean] = alpha**2 * of.sum_w2y2 + beta**2 * of.sum_w2c[:, mean]
        squares[:, mean] = raw[:, mean] + both
        raw[:, mean] += np.abs(both)
    made = _Linear(strata.domain, strata.stratum, score.linear(strata.sums, strata.domain), squares, raw)
    if design.calibration is None:
        return made
    return _residuals(sums, made, domains, design, design.calibration, score)


def _residuals(
    sums: Sums, plain: _Linear, domains: Domains, design: Design, calibration: Calibration, score: Score
) -> _Linear:
    """The same for residuals of the regression on the margins: outside its domain a unit has one too."""
    count, strata, width = len(domains), len(design.size), len(calibration.start)
    fit = _fits(sums, domains, calibration, score)  # domains x calibration cells x measures
    triples = domains.groups(design.stratum * width + calibration.of_cell)
    stratum, cell = triples.other // width, triples.other % width
    of, own = sums.gathered(triples.matrix(len(design.stratum)), (2,)), score.at(triples.domain)
    crossed = (own.alpha * of.sum_w2y + own.beta * of.sum_w2c) * fit[triples.domain, cell]
    everyone = np.einsum("c,dck->dk", design.k @ calibration.weight2, fit * fit, optimize=True)
    squares = plain.squares - 2 * (
        aggregation_matrix(triples.domain, count, factor=design.k[stratum]) @ crossed
    )
    z = -np.einsum("hc,dck->dhk", calibration.weight.toarray(), fit, optimize=True).reshape(
        count * strata, -1
    )
    z[plain.domain * strata + plain.stratum] += plain.z
    return _Linear(*_crossed(count, strata), z, squares + everyone, plain.raw)


def _crossed(domains: int, strata: int) -> tuple[Ints, Ints]:
    """Domain and stratum of every pair of them."""
    return np.repeat(np.arange(domains), strata), np.tile(np.arange(strata), domains)


def _fits(sums: Sums, domains: Domains, calibration: Calibration, score: Score) -> Floats:
    """Fitted values x'beta of z / w, from start weights: domains x calibration cells x measures."""
    x, width = calibration.indicators, len(calibration.start)
    hat = x @ calibration.inverse @ x.T
    groups = domains.groups(calibration.of_cell)
    of = sums.gathered(groups.matrix(len(calibration.of_cell)), (1,))
    z = score.linear(of, groups.domain)
    started = np.zeros((len(domains), width, z.shape[1]))
    started[groups.domain, groups.other] = z / calibration.factor[groups.other][:, None]
    fits: Floats = np.einsum("ce,dek->dck", hat, started, optimize=True)
    return fits


def _of_clusters(sums: Sums, whole: Strata, units: PsuSums, design: Design, score: Score) -> _Linear:
    """Sums are rolled up to the domain within a sampling unit before they are squared."""
    psu_stratum, of = design.psu_stratum, units.sums
    assert psu_stratum is not None
    count, strata, stratum = len(units.domains), len(design.size), psu_stratum[units.psu]
    k = design.k[stratum]
    if design.calibration is None:
        squares = score.squares(of, units.domain, k)
        raw = _sizes(units, score, k) if len(of.layout.mean) else squares
        first, last = np.searchsorted(whole.domain, (units.rows.start, units.rows.stop))
        domain, inside = whole.domain[first:last] - units.rows.start, slice(first, last)
        z = score.linear(whole.sums[inside], domain)
        return _Linear(domain, whole.stratum[inside], z, squares, raw)
    every = len(psu_stratum)
    fit = _fits(sums, units.domains, design.calibration, score)
    z = -np.einsum("pc,dck->dpk", design.calibration.weight.toarray(), fit, optimize=True)
    z = z.reshape(count * every, -1)
    z[units.domain * every + units.psu] += score.linear(of, units.domain)
    domain, stratum = np.repeat(np.arange(count), every), np.tile(psu_stratum, count)
    squares = aggregation_matrix(domain, count, factor=design.k[stratum]) @ z**2
    total = aggregation_matrix(domain * strata + stratum, count * strata) @ z
    return _Linear(*_crossed(count, strata), total, squares, _sizes(units, score, k))


def _sizes(units: PsuSums, score: Score, k: Floats) -> Floats:
    """Squares by domain as if nothing in a sampling unit cancelled."""
    own = score.at(units.domain)
    size = np.abs(own.alpha * units.sums.sum_wy) + np.abs(own.beta * units.sums.sum_wc)
    sizes: Floats = aggregation_matrix(units.domain, len(units.domains), factor=k) @ size**2
    return sizes


def _average(strata: Strata, domains: int, design: Design) -> Floats:
    """Strata with members of the domain over those of them with a variance: lonely ones take the average."""
    present = (strata.sums.n > 0)[:, strata.sums.layout.mask]
    gather = aggregation_matrix(strata.domain, domains)
    alone = design.lonely[strata.stratum][:, None]
    good = gather @ (present & ~alone).astype(float)
    return np.where(good > 0, (gather @ present.astype(float)) / np.maximum(good, 1), 0.0)
