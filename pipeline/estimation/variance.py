"""The design variance of every measure in every domain of a wave, from additive sums.

z is that of ``linearisation``. Its squares are added over units by algebra on the sums of w^2 y and w^2 c:
for a share every term is non-negative, so nothing cancels, and shares of 0 and 1 give exactly 0. Over
clusters z is rolled up to the sampling unit first (``psu_sums``), and then squared. After calibration z gives
way to the residual of its regression on the margins: w (z / w - x' b), w calibrated and b from start weights
(Deville & Särndal 1992; the start weights are those of R's ``calibrate``).

Here belongs one estimate at a time, of all there are; what estimates have in common stands in ``covariance``,
variances from replicate weights in ``replicates``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.arrays import Floats, Ints
from pipeline.estimation.design import Calibration, Design
from pipeline.estimation.domains import BackgroundCells, Domains, aggregation_matrix
from pipeline.estimation.linearisation import Linearisation, lonely_average, without_rounding
from pipeline.estimation.psu_sums import PsuSums, psu_sums
from pipeline.estimation.sums import Sums


@dataclass(frozen=True)
class StratumSums:
    """The sums of a wave by domain and stratum, and of each of them which they are."""

    domain: Ints
    stratum: Ints
    sums: Sums

    @classmethod
    def of(cls, sums: Sums, domains: Domains, stratum: Ints) -> StratumSums:
        """``sums`` and ``stratum`` are of cells."""
        groups = domains.groups(stratum)
        return cls(groups.domain, groups.other, sums.gathered(groups.matrix(len(stratum))))

    def total(self, domains: int) -> Sums:
        """The sums by domain."""
        return self.sums.gathered(aggregation_matrix(self.domain, domains))


def variance(
    sums: Sums,
    strata: StratumSums,
    domains: Domains,
    design: Design,
    linear: Linearisation,
    background: BackgroundCells | None,
) -> tuple[Floats, Floats]:
    """Every measure's design variance and degrees of freedom: both domains x measures.

    Variances are in the squared unit of ``linear``: of proportions, of a mean's numbers, of counts; 0 where a
    domain lies within one sampling unit (its degrees of freedom are 0 as well).

    ``sums`` are of cells, ``strata`` the same by domain and stratum, and ``domains`` of cells or, where there
    are any, of their ``background`` cells. Degrees of freedom are sampling units less strata, of those with
    members of the domain: all whom the base asked, whether they answered or not, as R's ``degf`` of the
    subset has it.
    """
    asked, gather = strata.sums.n_asked, aggregation_matrix(strata.domain, len(domains))
    if design.psu is None or background is None:
        found = _over_strata(_of_elements(sums, strata, domains, design, linear), len(domains), design)
        members = gather @ asked
    else:
        found, members = np.empty_like(linear.factor_y), np.empty((len(domains), asked.shape[1]))
        for units in psu_sums(sums, domains, background, design.psu):
            made = _of_clusters(sums, strata, units, design, linear.at(units.rows))
            found[units.rows] = _over_strata(made, len(units.domains), design)
            members[units.rows] = aggregation_matrix(units.domain, len(units.domains)) @ (
                units.n_asked > 0
            ).astype(float)
    if design.lonely_take_average:
        found *= _average(strata, len(domains), design)
    return found, (members - gather @ (asked > 0).astype(float))[:, sums.layout.base]


def _over_strata(made: _LinearisedSums, domains: int, design: Design) -> Floats:
    """sum k z^2 over sampling units less k_h / n_h (sum z)^2 over strata, by domain: domains x measures."""
    less = design.centring[made.stratum]
    found = made.squares - aggregation_matrix(made.domain, domains, factor=less) @ made.z**2
    return without_rounding(found, made.uncancelled)


@dataclass(frozen=True)
class _LinearisedSums:
    """What a variance is made of; rows x measures each.

    ``uncancelled`` is the size of ``squares`` before residuals were taken and before terms could cancel: what
    rounding is measured by.
    """

    domain: Ints  # of each row of z
    stratum: Ints  # of each row of z
    z: Floats  # its sum, by domain and stratum
    squares: Floats  # by domain, the sum of k_h z^2 over sampling units
    uncancelled: Floats  # by domain


def _of_elements(
    sums: Sums, strata: StratumSums, domains: Domains, design: Design, linear: Linearisation
) -> _LinearisedSums:
    of = strata.sums.gathered(
        aggregation_matrix(strata.domain, len(domains)), (2,), design.variance_factor[strata.stratum]
    )
    """Units are their own PSUs: sum k z^2 = factor_y^2 sum k w^2 y + factor_c^2 sum k w^2 c, as y c = 0."""
    squares = uncancelled = linear.factor_y**2 * of.sum_w2y + linear.factor_c**2 * of.sum_w2c
    if len(mean := of.layout.mean):  # of a share y c is 0, and y^2 is y
        alpha, beta = linear.factor_y[:, mean], linear.factor_c[:, mean]
        # A copy first: up to here the two are one array, and both are written to below.
        squares, both = uncancelled.copy(), 2 * alpha * beta * of.sum_w2y[:, mean]
        uncancelled[:, mean] = alpha**2 * of.sum_w2y2 + beta**2 * of.sum_w2c[:, mean]
        squares[:, mean] = uncancelled[:, mean] + both
        uncancelled[:, mean] += np.abs(both)
    made = _LinearisedSums(
        strata.domain, strata.stratum, linear.of_sums(strata.sums, strata.domain), squares, uncancelled
    )
    if design.calibration is None:
        return made
    return _residuals(sums, made, domains, design, design.calibration, linear)


def _residuals(
    sums: Sums,
    plain: _LinearisedSums,
    domains: Domains,
    design: Design,
    calibration: Calibration,
    linear: Linearisation,
) -> _LinearisedSums:
    """The same for residuals e = z - w x' b of the regression on the margins.

    Outside its domain a unit has one too, - w x' b. By calibration cell, whose units have one x,
    sum e^2 = sum z^2 - 2 (sum w z x)' b + b' (sum w^2 x x') b, the last over everyone.
    """
    count, strata, width = len(domains), len(design.n_psu), len(calibration.start_weight)
    x, fit = calibration.indicators, _coefficients(sums, domains, calibration, linear)
    triples = domains.groups(design.stratum * width + calibration.of_cell)
    stratum, cell = triples.other // width, triples.other % width
    of, own = sums.gathered(triples.matrix(len(design.stratum)), (2,)), linear.at(triples.domain)
    wz = own.factor_y * of.sum_w2y + own.factor_c * of.sum_w2c
    wz *= design.variance_factor[stratum][:, None]
    crossed = np.einsum("dek,dek->dk", calibration.moments(wz, triples.domain, cell, count), fit)
    products = x.T @ (x * (design.variance_factor @ calibration.sum_w2)[:, None])
    everyone = np.einsum("dek,ef,dfk->dk", fit, products, fit, optimize=True)
    z = -np.einsum("he,dek->dhk", calibration.sum_w @ x, fit, optimize=True).reshape(count * strata, -1)
    z[plain.domain * strata + plain.stratum] += plain.z
    return _LinearisedSums(
        *_crossed(count, strata), z, plain.squares - 2 * crossed + everyone, plain.uncancelled
    )


def _crossed(domains: int, strata: int) -> tuple[Ints, Ints]:
    """Domain and stratum of every pair of them."""
    return np.repeat(np.arange(domains), strata), np.tile(np.arange(strata), domains)


def _coefficients(sums: Sums, domains: Domains, calibration: Calibration, linear: Linearisation) -> Floats:
    """Of the regression of z / w on the margins: domains x totals x measures."""
    groups = domains.groups(calibration.of_cell)
    of = sums.gathered(groups.matrix(len(calibration.of_cell)), (1,))
    z = linear.of_sums(of, groups.domain)
    return calibration.coefficients(z, groups.domain, groups.other, len(domains))


def _of_clusters(
    sums: Sums, whole: StratumSums, units: PsuSums, design: Design, linear: Linearisation
) -> _LinearisedSums:
    """Sums are rolled up to the domain within a sampling unit before they are squared."""
    psu_stratum, of = design.psu_stratum, units.sums
    assert psu_stratum is not None
    count, strata, stratum = len(units.domains), len(design.n_psu), psu_stratum[units.psu]
    k = design.variance_factor[stratum]
    if design.calibration is None:
        squares = linear.squares(of, units.domain, k)
        uncancelled = _sizes(units, linear, k) if len(of.layout.mean) else squares
        first, last = np.searchsorted(whole.domain, (units.rows.start, units.rows.stop))
        domain, inside = whole.domain[first:last] - units.rows.start, slice(first, last)
        z = linear.of_sums(whole.sums[inside], domain)
        return _LinearisedSums(domain, whole.stratum[inside], z, squares, uncancelled)
    every = len(psu_stratum)
    fit = _coefficients(sums, units.domains, design.calibration, linear)
    x = design.calibration.sum_w @ design.calibration.indicators
    z = -np.einsum("pe,dek->dpk", x, fit, optimize=True)
    z = z.reshape(count * every, -1)
    z[units.domain * every + units.psu] += linear.of_sums(of, units.domain)
    domain, stratum = np.repeat(np.arange(count), every), np.tile(psu_stratum, count)
    squares = aggregation_matrix(domain, count, factor=design.variance_factor[stratum]) @ z**2
    total = aggregation_matrix(domain * strata + stratum, count * strata) @ z
    return _LinearisedSums(*_crossed(count, strata), total, squares, _sizes(units, linear, k))


def _sizes(units: PsuSums, linear: Linearisation, k: Floats) -> Floats:
    """Squares by domain as if nothing in a sampling unit cancelled."""
    own = linear.at(units.domain)
    size = np.abs(own.factor_y * units.sums.sum_wy) + np.abs(own.factor_c * units.sums.sum_wc)
    sizes: Floats = aggregation_matrix(units.domain, len(units.domains), factor=k) @ size**2
    return sizes


def _average(strata: StratumSums, domains: int, design: Design) -> Floats:
    """StratumSums that add to a domain over those of them with a variance: domains x measures, or one number.

    They are those with members of the domain; after calibration all, as units outside have residuals too.
    """
    if design.calibration is not None:
        return lonely_average(np.array(len(design.n_psu)), np.array((~design.lonely).sum()))
    present = (strata.sums.n > 0)[:, strata.sums.layout.mask]
    gather = aggregation_matrix(strata.domain, domains)
    alone = design.lonely[strata.stratum][:, None]
    good = gather @ (present & ~alone).astype(float)
    return lonely_average(gather @ present.astype(float), good)
