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

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from pipeline.arrays import Flags, Floats, Ints
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
    def spread(self) -> Floats:
        """w a^2."""
        spread = self.a.copy()
        spread[:, self.mean] = self.ayy
        return spread


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
class Score:
    """What a and b weigh in the linearised value of every measure: domains x measures."""

    alpha: Floats
    beta: Floats

    @classmethod
    def of(cls, total: Sums, is_count: Flags) -> Score:
        """The derivatives of share, mean or total by the sums of a and b; ``total`` are those of domains."""
        one = total.one[:, total.mask]
        with np.errstate(divide="ignore", invalid="ignore"):
            alpha = np.where(total.share == 0, 1.0, total.b / one) / one
            beta = -total.a / one / one
        return cls(np.where(is_count, 1.0, alpha), np.where(is_count, 0.0, beta))

    def at(self, rows: Ints | slice) -> Score:
        """Those of some domains."""
        return Score(self.alpha[rows], self.beta[rows])

    def weighed(self, a: Floats, b: Floats) -> Floats:
        """alpha a + beta b."""
        return self.alpha * a + self.beta * b


def variance(sums: Sums, domains: Domains, design: Design, score: Score) -> Floats:
    """The design variance of every measure's linearised value in every domain: domains x measures."""
    if design.psu is None:
        return _of_domains(sums, domains, design, score)
    return np.concatenate([_of_domains(sums, part, design, score.at(rows)) for rows, part in domains.parts()])


def _of_domains(sums: Sums, domains: Domains, design: Design, score: Score) -> Floats:
    strata = domains.adder(design.stratum)
    if design.psu is None or design.psu_stratum is None:
        made = _of_elements(sums, domains, strata, design, score)
    else:
        made = _of_clusters(sums, domains, design.psu, design.psu_stratum, design, score)
    gather = adder(made.domain, len(domains))
    k = design.k[made.stratum][:, None]
    centre = (design.centred / design.size)[made.stratum][:, None]
    found = gather @ (k * (made.squares - centre * made.z**2))
    # What is left of a difference of equal sums is rounding, not variance: a margin's own error is 0.
    found = np.where(np.abs(found) > ROUNDING * (gather @ (k * made.raw)), found, 0.0)
    return found * _average(sums, domains, strata, design) if design.average else found


@dataclass(frozen=True)
class _Linear:
    """Sums of z by domain and stratum, of its squares over sampling units, and ``raw``: the squares' size
    before residuals were taken and before they could cancel."""

    domain: Ints
    stratum: Ints
    z: Floats
    squares: Floats
    raw: Floats


def _of_elements(sums: Sums, domains: Domains, strata: Groups, design: Design, score: Score) -> _Linear:
    matrix, own = strata.matrix(len(design.stratum)), score.at(strata.domain)
    a, qa = matrix @ sums.a, matrix @ sums.qa
    b = (matrix @ sums.one)[:, sums.mask] - sums.share * a
    qb = (matrix @ sums.one2)[:, sums.mask] - sums.share * qa
    raw = own.alpha**2 * qa + own.beta**2 * qb
    squares = raw
    if len(mean := sums.mean):  # of a share a b is 0, and a^2 is a
        alpha, beta = own.alpha[:, mean], own.beta[:, mean]
        squares, both = raw.copy(), 2 * alpha * beta * qa[:, mean]
        raw[:, mean] = alpha**2 * (matrix @ sums.qaa) + beta**2 * qb[:, mean]
        squares[:, mean] = raw[:, mean] + both
        raw[:, mean] += np.abs(both)
    made = _Linear(strata.domain, strata.other, own.weighed(a, b), squares, raw)
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
    matrix = triples.matrix(len(design.stratum))
    crossed = score.at(triples.domain).weighed(matrix @ sums.qa, matrix @ sums.qb) * fit[triples.domain, cell]
    gather = adder(triples.domain * strata + stratum, count * strata)
    place = plain.domain * strata + plain.stratum

    def spread(part: Floats) -> Floats:
        whole = np.zeros((count * strata, part.shape[1]))
        whole[place] = part
        return whole

    def everyone(of: sparse.csr_array, part: Floats) -> Floats:
        summed: Floats = np.einsum("hc,dck->dhk", of.toarray(), part, optimize=True)
        return summed.reshape(count * strata, -1)

    squares = spread(plain.squares) - 2 * (gather @ crossed) + everyone(calibration.weight2, fit * fit)
    z = spread(plain.z) - everyone(calibration.weight, fit)
    return _Linear(*_crossed(count, strata), z, squares, spread(plain.raw))


def _crossed(domains: int, strata: int) -> tuple[Ints, Ints]:
    """Domain and stratum of every pair of them."""
    return np.repeat(np.arange(domains), strata), np.tile(np.arange(strata), domains)


def _fits(sums: Sums, domains: Domains, calibration: Calibration, score: Score) -> Floats:
    """Fitted values x'beta of z / w, from start weights: domains x calibration cells x measures."""
    x, width = calibration.indicators, len(calibration.start)
    inverse = np.linalg.pinv(x.T @ (x * calibration.start[:, None]), rcond=1e-12, hermitian=True)
    hat = x @ inverse @ x.T
    groups = domains.adder(calibration.of_cell)
    matrix = groups.matrix(len(calibration.of_cell))
    z = score.at(groups.domain).weighed(matrix @ sums.a, matrix @ sums.b)
    started = np.zeros((len(domains), width, z.shape[1]))
    started[groups.domain, groups.other] = z / calibration.factor[groups.other][:, None]
    fits: Floats = np.einsum("ce,dek->dck", hat, started, optimize=True)
    return fits


def _of_clusters(
    sums: Sums, domains: Domains, psu: Ints, psu_stratum: Ints, design: Design, score: Score
) -> _Linear:
    """Sums are rolled up to the domain within a sampling unit before they are squared."""
    units = domains.adder(psu)
    matrix, own = units.matrix(len(psu)), score.at(units.domain)
    a = matrix @ sums.a
    b = (matrix @ sums.one)[:, sums.mask] - sums.share * a
    domain, stratum, z = units.domain, psu_stratum[units.other], own.weighed(a, b)
    count, strata = len(domains), len(design.size)
    size = z if not len(sums.mean) else np.abs(own.alpha * a) + np.abs(own.beta * b)
    raw = adder(domain * strata + stratum, count * strata) @ size**2
    if design.calibration is not None:
        every = len(psu_stratum)
        fit = _fits(sums, domains, design.calibration, score)
        residual = -np.einsum("pc,dck->dpk", design.calibration.weight.toarray(), fit, optimize=True)
        residual = residual.reshape(count * every, -1)
        residual[domain * every + units.other] += z
        domain, stratum, z = np.repeat(np.arange(count), every), np.tile(psu_stratum, count), residual
    gather = adder(domain * strata + stratum, count * strata)
    return _Linear(*_crossed(count, strata), gather @ z, gather @ z**2, raw)


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
