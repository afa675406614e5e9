"""Design variance of linear sums from additive statistics.

A share, mean or total is a function of two weighted sums over its domain, A = sum w a and B = sum w b:

    share  a = y, b = 1 - y, p = A / (A + B)      z = w ((1 - p) a - p b) / (A + B)
    mean   a = y, b = 1,     m = A / B            z = w (a - m b) / B
    total  a = y,            t = A                z = w a

so its linearised variance is alpha^2 Vaa + beta^2 Vbb + 2 alpha beta Vab, with V the design
(co)variance of the two sums: over strata, k_h [ sum of products over PSUs - product of sums / n_h ],
k_h = (1 - n_h/N_h) n_h / (n_h - 1), n_h the full sample of the stratum (Särndal, Swensson & Wretman
1992, 5.6; the same answers as R's ``survey::svyrecvar``). For a share every term is non-negative: no
cancellation, and shares of 0 and 1 give exactly 0.

After calibration a and b give way to the residuals of their regression on the margins, with start
weights in the regression and calibrated weights on the residuals (Deville & Särndal 1992).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from pipeline.arrays import Floats, Ints
from pipeline.estimation.design import Calibration, Design
from pipeline.estimation.domains import Domains, Groups, adder
from pipeline.estimation.statistics import Cells

ROUNDING = 1e-13  # of the sums of squares a variance is the difference of


@dataclass(frozen=True)
class Sums:
    """The sums of cells, or of groups of them, as arrays with one row each.

    By base: ``asked`` (units). By mask: ``n, one, one2`` (units, w, w^2). By measure: ``m, a, qa`` (units,
    w a, w^2 a). By mean: ``ayy, qaa`` (w a^2, w^2 a^2), which for a share are ``a`` and ``qa`` again.
    """

    mask: Ints  # of each measure
    mean: Ints  # the measures that are means
    base: Ints  # of each measure
    asked: Floats
    n: Floats
    one: Floats
    one2: Floats
    m: Floats
    a: Floats
    qa: Floats
    ayy: Floats
    qaa: Floats

    def gathered(self, matrix: sparse.csr_array) -> Sums:
        """The sums of groups of rows; ``matrix`` is groups x rows."""
        sums = (self.asked, self.n, self.one, self.one2, self.m, self.a, self.qa, self.ayy, self.qaa)
        return Sums(self.mask, self.mean, self.base, *(matrix @ part for part in sums))

    @property
    def share(self) -> Floats:
        """1 for measures with b = 1 - a (shares and counts), 0 for those with b = 1 (means)."""
        share = np.ones(len(self.mask))
        share[self.mean] = 0.0
        return share

    @property
    def b(self) -> Floats:
        """w b."""
        return self.one[:, self.mask] - self.share * self.a

    @property
    def qb(self) -> Floats:
        """w^2 b, which is w^2 b^2."""
        return self.one2[:, self.mask] - self.share * self.qa

    @property
    def squares(self) -> Triple:
        """w^2 times a^2, a b and b^2."""
        aa, ab = self.qa.copy(), np.zeros_like(self.qa)
        aa[:, self.mean], ab[:, self.mean] = self.qaa, self.qa[:, self.mean]
        return aa, ab, self.qb

    @property
    def spread(self) -> Floats:
        """w a^2."""
        spread = self.a.copy()
        spread[:, self.mean] = self.ayy
        return spread


Triple = tuple[Floats, Floats, Floats]  # of aa, ab and bb


def sums_of(cells: Cells) -> Sums:
    """The cells' sums as arrays."""
    masks = {mask: number for number, mask in enumerate(cells.plan.masks)}
    bases = {base: number for number, base in enumerate(cells.plan.bases)}
    means = [number for number, measure in enumerate(cells.plan.measures) if measure.unit == "mean"]

    numeric = cells.frame.select_dtypes("number")
    values, place = numeric.to_numpy(dtype=np.float64), {name: at for at, name in enumerate(numeric.columns)}

    def columns(stem: str, numbers: list[int] | range, name: str) -> Floats:
        chosen = values[:, [place[f"{stem}{number}_{name}"] for number in numbers]]
        return np.ascontiguousarray(chosen)  # else every sum over its rows would copy it first

    every, measured = range(len(masks)), range(len(cells.plan.measures))
    return Sums(
        np.array([masks[measure.mask] for measure in cells.plan.measures], dtype=np.int64),
        np.array(means, dtype=np.int64),
        np.array([bases[measure.base] for measure in cells.plan.measures], dtype=np.int64),
        columns("a", range(len(bases)), "n"),
        *(columns("b", every, name) for name in ("n", "w", "q")),
        *(columns("y", measured, name) for name in ("m", "w", "q")),
        *(columns("y", means, name) for name in ("wyy", "qyy")),
    )


@dataclass(frozen=True)
class Covariance:
    """Design (co)variances of the sums A and B: domains x measures."""

    aa: Floats
    ab: Floats
    bb: Floats


def covariance(sums: Sums, domains: Domains, design: Design) -> Covariance:
    """The design (co)variance of every measure's two sums in every domain."""
    if design.psu is None:
        return _of_domains(sums, domains, design)
    parts = [_of_domains(sums, part, design) for part in domains.parts()]
    return Covariance(
        *(np.concatenate(arrays) for arrays in zip(*((p.aa, p.ab, p.bb) for p in parts), strict=True))
    )


def _of_domains(sums: Sums, domains: Domains, design: Design) -> Covariance:
    strata = domains.adder(design.stratum)
    if design.psu is None or design.psu_stratum is None:
        made = _of_elements(sums, domains, strata, design)
    else:
        made = _of_clusters(sums, domains, design.psu, design.psu_stratum, design)
    gather = adder(made.domain, len(domains))
    k = design.k[made.stratum][:, None]
    centre = (design.centred / design.size)[made.stratum][:, None]
    pairs = ((made.a, made.a), (made.a, made.b), (made.b, made.b))
    parts = []
    for product, raw, (left, right) in zip(made.products, made.raw, pairs, strict=True):
        part = gather @ (k * (product - centre * left * right))
        # What is left of a difference of equal sums is rounding, not variance: a margin's own error is 0.
        parts.append(np.where(np.abs(part) > ROUNDING * (gather @ (k * raw)), part, 0.0))
    if design.average:
        scale = _average(sums, domains, strata, design)
        parts = [part * scale for part in parts]
    return Covariance(*parts)


@dataclass(frozen=True)
class _Linear:
    """Sums of a and b by domain and stratum, of their products over sampling units, and ``raw``: the
    products' size before residuals were taken."""

    domain: Ints
    stratum: Ints
    a: Floats
    b: Floats
    products: Triple
    raw: Triple


def _of_elements(sums: Sums, domains: Domains, strata: Groups, design: Design) -> _Linear:
    matrix = strata.matrix(len(design.stratum))
    gathered = sums.gathered(matrix)
    products = gathered.squares
    raw = _sizes(products)
    made = _Linear(strata.domain, strata.other, gathered.a, gathered.b, products, raw)
    return made if design.calibration is None else _residuals(sums, made, domains, design, design.calibration)


def _sizes(products: Triple) -> Triple:
    return products[0], np.sqrt(products[0] * products[2]), products[2]


def _residuals(
    sums: Sums, plain: _Linear, domains: Domains, design: Design, calibration: Calibration
) -> _Linear:
    """The same for residuals of the regression on the margins: outside its domain a unit has one too."""
    count, strata, width = len(domains), len(design.size), len(calibration.start)
    fit_a, fit_b = _fits(sums, domains, calibration)  # domains x calibration cells x measures
    triples = domains.adder(design.stratum * width + calibration.of_cell)
    stratum, cell = triples.other // width, triples.other % width
    matrix = triples.matrix(len(design.stratum))
    qa, qb = matrix @ sums.qa, matrix @ sums.qb
    xa, xb = fit_a[triples.domain, cell], fit_b[triples.domain, cell]
    gather = adder(triples.domain * strata + stratum, count * strata)
    place = plain.domain * strata + plain.stratum

    def spread(part: Floats) -> Floats:
        whole = np.zeros((count * strata, part.shape[1]))
        whole[place] = part
        return whole

    def everyone(of: sparse.csr_array, part: Floats) -> Floats:
        crossed: Floats = np.einsum("hc,dck->dhk", of.toarray(), part, optimize=True)
        return crossed.reshape(count * strata, -1)

    aa, ab, bb = (spread(product) for product in plain.products)
    aa = aa - 2 * (gather @ (qa * xa)) + everyone(calibration.weight2, fit_a * fit_a)
    ab = ab - gather @ (qa * xb + qb * xa) + everyone(calibration.weight2, fit_a * fit_b)
    bb = bb - 2 * (gather @ (qb * xb)) + everyone(calibration.weight2, fit_b * fit_b)
    a = spread(plain.a) - everyone(calibration.weight, fit_a)
    b = spread(plain.b) - everyone(calibration.weight, fit_b)
    raw = tuple(spread(part) for part in plain.raw)
    domain, stratum = _crossed(count, strata)
    return _Linear(domain, stratum, a, b, (aa, ab, bb), (raw[0], raw[1], raw[2]))


def _crossed(domains: int, strata: int) -> tuple[Ints, Ints]:
    """Domain and stratum of every pair of them."""
    return np.repeat(np.arange(domains), strata), np.tile(np.arange(strata), domains)


def _fits(sums: Sums, domains: Domains, calibration: Calibration) -> tuple[Floats, Floats]:
    """Fitted values x'beta of a and b, from start weights: domains x calibration cells x measures."""
    x, width = calibration.indicators, len(calibration.start)
    inverse = np.linalg.pinv(x.T @ (x * calibration.start[:, None]), rcond=1e-12, hermitian=True)
    hat = x @ inverse @ x.T
    groups = domains.adder(calibration.of_cell)
    matrix = groups.matrix(len(calibration.of_cell))
    fits = []
    for part in (sums.a, sums.b):
        started = np.zeros((len(domains), width, part.shape[1]))
        started[groups.domain, groups.other] = (matrix @ part) / calibration.factor[groups.other][:, None]
        fits.append(np.einsum("ce,dek->dck", hat, started, optimize=True))
    return fits[0], fits[1]


def _of_clusters(sums: Sums, domains: Domains, psu: Ints, psu_stratum: Ints, design: Design) -> _Linear:
    """Sums are rolled up to the domain within a sampling unit before they are multiplied."""
    units = domains.adder(psu)
    matrix = units.matrix(len(psu))
    a = matrix @ sums.a
    b = (matrix @ sums.one)[:, sums.mask] - sums.share * a
    raw = _squared(a, b, units.domain, psu_stratum[units.other], design, len(domains))
    domain, stratum = units.domain, psu_stratum[units.other]
    if design.calibration is not None:
        count, every = len(domains), len(psu_stratum)
        fit_a, fit_b = _fits(sums, domains, design.calibration)
        weight, place = design.calibration.weight.toarray(), units.domain * every + units.other
        whole = []
        for part, fit in ((a, fit_a), (b, fit_b)):
            residual = -np.einsum("pc,dck->dpk", weight, fit, optimize=True).reshape(count * every, -1)
            residual[place] += part
            whole.append(residual)
        a, b = whole
        domain, stratum = np.repeat(np.arange(count), every), np.tile(psu_stratum, count)
    products = _squared(a, b, domain, stratum, design, len(domains))
    strata = len(design.size)
    gather = adder(domain * strata + stratum, len(domains) * strata)
    domain, stratum = _crossed(len(domains), strata)
    return _Linear(domain, stratum, gather @ a, gather @ b, products, _sizes(raw))


def _squared(a: Floats, b: Floats, domain: Ints, stratum: Ints, design: Design, domains: int) -> Triple:
    strata = len(design.size)
    gather = adder(domain * strata + stratum, domains * strata)
    return gather @ (a * a), gather @ (a * b), gather @ (b * b)


def _average(sums: Sums, domains: Domains, strata: Groups, design: Design) -> Floats:
    """Strata with members of the domain over those of them with a variance: lonely ones take the average."""
    present = ((strata.matrix(len(design.stratum)) @ sums.n) > 0)[:, sums.mask]
    gather = adder(strata.domain, len(domains))
    alone = (design.size == 1)[strata.other][:, None]
    good = gather @ (present & ~alone).astype(float)
    return np.where(good > 0, (gather @ present.astype(float)) / np.maximum(good, 1), 0.0)


def degrees(sums: Sums, domains: Domains, design: Design) -> Floats:
    """Sampling units less strata, counting only those with members of the domain: domains x measures.

    Members are all whom the base asked, whether they answered or not: R's ``degf`` of the subset.
    """
    strata = domains.adder(design.stratum)
    occupied = ((strata.matrix(len(design.stratum)) @ sums.asked) > 0).astype(float)
    if design.psu is None:
        units = domains.adder().matrix(len(design.stratum)) @ sums.asked
    else:
        psus = domains.adder(design.psu)
        units = adder(psus.domain, len(domains)) @ ((psus.matrix(len(design.psu)) @ sums.asked) > 0).astype(
            float
        )
    result: Floats = (units - adder(strata.domain, len(domains)) @ occupied)[:, sums.base]
    return result
