"""Design variance of linear sums from additive statistics.

A share, mean or total is a function of two weighted sums over its domain, A = sum w a and B = sum w b:

    share  a = y, b = 1 - y, p = A / (A + B)      z = w ((1 - p) a - p b) / (A + B)
    mean   a = y, b = 1,     m = A / B            z = w (a - m b) / B
    total  a = y,            t = A                z = w a

so each is w (alpha a + beta b) with two numbers by domain (``Score``), and its variance is, over strata,
k_h [ sum of z^2 over PSUs - (sum of z)^2 / n_h ], k_h = (1 - n_h/N_h) n_h / (n_h - 1), n_h the full sample
of the stratum (Särndal, Swensson & Wretman 1992, 5.6; the same answers as R's ``survey::svyrecvar``). For a
share every term of z^2 is non-negative: no cancellation, and shares of 0 and 1 give exactly 0.

After calibration z gives way to the residual of its regression on the margins, with start weights in the
regression and calibrated weights on the residual (Deville & Särndal 1992).
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context  # of which NumPy's error state is a part
from dataclasses import dataclass

import numpy as np

from pipeline.arrays import Flags, Floats, Ints
from pipeline.estimation.design import Calibration, Design
from pipeline.estimation.domains import Domains, adder
from pipeline.estimation.sums import Sums

THREADS = 2  # of the roll-up of clusters: each holds a breakdown's sums by sampling unit
IN_CACHE = 128  # groups of cells
ROUNDING = 1e-13  # of the sums of squares a variance is the difference of


@dataclass(frozen=True)
class Strata:
    """The sums of a wave by domain and stratum, and of each of them which they are."""

    domain: Ints
    stratum: Ints
    sums: Sums

    @classmethod
    def of(cls, sums: Sums, domains: Domains, stratum: Ints, alike: Ints | None = None) -> Strata:
        """``sums`` and ``stratum`` are of cells; ``alike`` numbers those that are one in every breakdown.

        Sampling units split such cells: gathering them first makes what every breakdown adds up shorter.
        """
        groups = domains.adder(stratum)
        matrix = groups.matrix(len(stratum))
        if alike is not None:
            first = np.unique(alike, return_index=True)[1]
            sums, matrix = sums.gathered(adder(alike, len(first))), matrix[:, first]
        return cls(groups.domain, groups.other, sums.gathered(matrix))

    def total(self, domains: int) -> Sums:
        """The sums by domain."""
        return self.sums.gathered(adder(self.domain, domains))


@dataclass(frozen=True)
class Score:
    """What a and b weigh in the linearised value of every measure: domains x measures."""

    alpha: Floats
    beta: Floats

    @classmethod
    def of(cls, total: Sums, is_count: Flags) -> Score:
        """The derivatives of share, mean or total by the sums of a and b; ``total`` are those of domains."""
        one = total.one[:, total.layout.mask]
        with np.errstate(divide="ignore", invalid="ignore"):
            alpha = np.where(total.share == 0, 1.0, total.b / one) / one
            beta = -total.a / one / one
        return cls(np.where(is_count, 1.0, alpha), np.where(is_count, 0.0, beta))

    def at(self, rows: Ints | slice) -> Score:
        """Those of some domains."""
        return Score(self.alpha[rows], self.beta[rows])

    def linear(self, sums: Sums, domain: Ints) -> Floats:
        """z of groups of cells, alpha a + beta b, ordered by domain; a few at a time stay in cache."""
        slope, mask = self.alpha - self.beta * sums.share, sums.layout.mask
        a, one, z = sums.a, sums.one, np.empty((len(domain), len(mask)))
        for first in range(0, len(domain), IN_CACHE):
            rows = slice(first, first + IN_CACHE)
            own = domain[rows]
            own = own[:1] if own[0] == own[-1] else own  # a row for all is quicker than one for each
            np.multiply(a[rows], slope[own], out=z[rows])
            z[rows] += np.take(one[rows], mask, axis=1) * self.beta[own]
        return z


def variance(sums: Sums, strata: Strata, domains: Domains, design: Design, score: Score) -> Floats:
    """The design variance of every measure's linearised value in every domain: domains x measures.

    ``sums`` are of cells, and ``strata`` of the same by domain and stratum.
    """
    if design.psu is None:
        found = _spread(_of_elements(sums, strata, domains, design, score), len(domains), design)
    else:

        def of(part: tuple[slice, Domains]) -> Floats:
            rows, own = part
            return _spread(_of_clusters(sums, own, design, score.at(rows)), len(own), design)

        with ThreadPoolExecutor(THREADS) as pool:  # each breakdown is a sum of its own: no order to keep
            parts = [pool.submit(copy_context().run, of, part) for part in domains.parts()]
            found = np.concatenate([part.result() for part in parts])
    return found * _average(strata, len(domains), design) if design.average else found


def _spread(made: _Linear, domains: int, design: Design) -> Floats:
    less = (design.k * design.centred / design.size)[made.stratum]
    found = made.squares - adder(made.domain, domains, factor=less) @ made.z**2
    # What is left of a difference of equal sums is rounding, not variance: a margin's own error is 0.
    return np.where(np.abs(found) > ROUNDING * made.raw, found, 0.0)


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
    of = strata.sums.gathered(
        adder(strata.domain, len(domains), factor=design.k[strata.stratum]), powers=(2,)
    )
    squares = raw = score.alpha**2 * of.qa + score.beta**2 * of.qb
    if len(mean := of.layout.mean):  # of a share a b is 0, and a^2 is a
        alpha, beta = score.alpha[:, mean], score.beta[:, mean]
        squares, both = raw.copy(), 2 * alpha * beta * of.qa[:, mean]
        raw[:, mean] = alpha**2 * of.qaa + beta**2 * of.qb[:, mean]
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
    triples = domains.adder(design.stratum * width + calibration.of_cell)
    stratum, cell = triples.other // width, triples.other % width
    of, own = sums.gathered(triples.matrix(len(design.stratum)), (2,)), score.at(triples.domain)
    crossed = (own.alpha * of.qa + own.beta * of.qb) * fit[triples.domain, cell]
    everyone = np.einsum("c,dck->dk", design.k @ calibration.weight2, fit * fit, optimize=True)
    squares = plain.squares - 2 * (adder(triples.domain, count, factor=design.k[stratum]) @ crossed)
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
    groups = domains.adder(calibration.of_cell)
    of = sums.gathered(groups.matrix(len(calibration.of_cell)), (1,))
    z = score.linear(of, groups.domain)
    started = np.zeros((len(domains), width, z.shape[1]))
    started[groups.domain, groups.other] = z / calibration.factor[groups.other][:, None]
    fits: Floats = np.einsum("ce,dek->dck", hat, started, optimize=True)
    return fits


def _of_clusters(sums: Sums, domains: Domains, design: Design, score: Score) -> _Linear:
    """Sums are rolled up to the domain within a sampling unit before they are squared."""
    psu, psu_stratum = design.psu, design.psu_stratum
    assert psu is not None and psu_stratum is not None
    units = domains.adder(psu)
    of = sums.gathered(units.matrix(len(psu)), (1,))
    domain, stratum, z = units.domain, psu_stratum[units.other], score.linear(of, units.domain)
    count, strata = len(domains), len(design.size)
    raw = None
    if design.calibration is not None or len(of.layout.mean):
        own = score.at(domain)
        size = np.abs(own.alpha * of.a) + np.abs(own.beta * of.b)
        raw = adder(domain, count, factor=design.k[stratum]) @ size**2
    if design.calibration is not None:
        every = len(psu_stratum)
        fit = _fits(sums, domains, design.calibration, score)
        residual = -np.einsum("pc,dck->dpk", design.calibration.weight.toarray(), fit, optimize=True)
        residual = residual.reshape(count * every, -1)
        residual[domain * every + units.other] += z
        domain, stratum, z = np.repeat(np.arange(count), every), np.tile(psu_stratum, count), residual
    squares = adder(domain, count, factor=design.k[stratum]) @ z**2
    total = adder(domain * strata + stratum, count * strata) @ z
    return _Linear(*_crossed(count, strata), total, squares, squares if raw is None else raw)


def _average(strata: Strata, domains: int, design: Design) -> Floats:
    """Strata with members of the domain over those of them with a variance: lonely ones take the average."""
    present = (strata.sums.n > 0)[:, strata.sums.layout.mask]
    gather = adder(strata.domain, domains)
    alone = (design.size == 1)[strata.stratum][:, None]
    good = gather @ (present & ~alone).astype(float)
    return np.where(good > 0, (gather @ present.astype(float)) / np.maximum(good, 1), 0.0)


def degrees(sums: Sums, strata: Strata, domains: Domains, design: Design) -> Floats:
    """Sampling units less strata, counting only those with members of the domain: domains x measures.

    Members are all whom the base asked, whether they answered or not: R's ``degf`` of the subset.
    """
    of_stratum, gather = strata.sums.asked, adder(strata.domain, len(domains))
    occupied = gather @ (of_stratum > 0).astype(float)
    if design.psu is None:
        units = gather @ of_stratum
    else:
        psus = domains.adder(design.psu)
        members = psus.matrix(len(design.psu)) @ np.ascontiguousarray(sums.asked)
        units = adder(psus.domain, len(domains)) @ (members > 0).astype(float)
    result: Floats = (units - occupied)[:, sums.layout.base]
    return result
