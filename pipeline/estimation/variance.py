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

from pipeline.estimation.design import Calibration, Design
from pipeline.estimation.domains import Breakdown, Floats, Ints, adder
from pipeline.estimation.statistics import Cells

ROUNDING = 1e-13  # of the sums of squares a variance is the difference of


@dataclass(frozen=True)
class Sums:
    """What measures need of the cells. Every array is cells x measures.

    ``n, one, one2``: units, w and w^2 of those who count; ``m, a, a2``: units, w a and w^2 a^2;
    ``a1``: w^2 a; ``ayy``: w a^2 (which ``a`` is for a share).
    """

    n: Floats
    one: Floats
    one2: Floats
    m: Floats
    a: Floats
    a1: Floats
    a2: Floats
    ayy: Floats


def sums_of(cells: Cells) -> Sums:
    """The cells' sums as arrays with one column a measure."""
    plan, frame = cells.plan, cells.frame
    masks = {mask: number for number, mask in enumerate(plan.masks)}
    of = [masks[measure.mask] for measure in plan.measures]
    numbers = range(len(plan.measures))
    mean = [measure.unit == "mean" for measure in plan.measures]

    def column(names: list[str]) -> Floats:
        return frame[names].to_numpy(dtype=np.float64)

    return Sums(
        n=column([f"b{mask}_n" for mask in of]),
        one=column([f"b{mask}_w" for mask in of]),
        one2=column([f"b{mask}_q" for mask in of]),
        m=column([f"y{number}_m" for number in numbers]),
        a=column([f"y{number}_w" for number in numbers]),
        a1=column([f"y{number}_q" for number in numbers]),
        a2=column([f"y{number}_{'qyy' if mean[number] else 'q'}" for number in numbers]),
        ayy=column([f"y{number}_{'wyy' if mean[number] else 'w'}" for number in numbers]),
    )


@dataclass(frozen=True)
class Covariance:
    """Design (co)variances of the sums A and B: domains x measures."""

    aa: Floats
    ab: Floats
    bb: Floats


def covariance(sums: Sums, share: Floats, breakdown: Breakdown, design: Design) -> Covariance:
    """The design (co)variance of every measure's two sums in every domain of a breakdown.

    ``share`` is 1 for measures with b = 1 - y (shares and counts), 0 for those with b = 1 (means).
    """
    b = sums.one - share * sums.a
    squares = _Squares(
        aa=sums.a2,
        ab=(1 - share) * sums.a1,
        bb=sums.one2 - share * sums.a1,
        a=sums.a1,
        b=sums.one2 - share * sums.a1,
    )
    parts = [
        _of_domain(number, sums.a, b, sums.one, squares, breakdown, design)
        for number in range(len(breakdown.codes))
    ]
    shape = (0, sums.a.shape[1])
    return Covariance(
        *(np.array([part[i] for part in parts]) if parts else np.zeros(shape) for i in range(3))
    )


@dataclass(frozen=True)
class _Squares:
    """w^2 times a^2, ab, b^2, a and b: cells x measures."""

    aa: Floats
    ab: Floats
    bb: Floats
    a: Floats
    b: Floats


def _of_domain(
    number: int, a: Floats, b: Floats, one: Floats, squares: _Squares, breakdown: Breakdown, design: Design
) -> tuple[Floats, Floats, Floats]:
    rows = np.flatnonzero(breakdown.of_cell == number)
    if design.psu is None or design.psu_stratum is None:
        totals, products, raw = _of_elements(rows, a, b, squares, design)
    else:
        totals, products, raw = _of_clusters(rows, a, b, design.psu, design.psu_stratum, design)
    k, centre = design.k[:, None], (design.centred / design.size)[:, None]
    pairs = ((totals[0], totals[0]), (totals[0], totals[1]), (totals[1], totals[1]))
    parts = [
        (k * (product - centre * left * right)).sum(axis=0)
        for product, (left, right) in zip(products, pairs, strict=True)
    ]
    # What is left of a difference of equal sums is rounding, not variance: a margin's own error is 0.
    parts = [
        np.where(np.abs(part) > ROUNDING * (k * size).sum(axis=0), part, 0.0)
        for part, size in zip(parts, raw, strict=True)
    ]
    if design.average:
        scale = _average(adder(design.stratum[rows], len(design.size)) @ one[rows] > 0, design)
        parts = [part * scale for part in parts]
    return parts[0], parts[1], parts[2]


Triple = tuple[Floats, Floats, Floats]  # of aa, ab and bb: strata x measures


def _of_elements(
    rows: Ints, a: Floats, b: Floats, squares: _Squares, design: Design
) -> tuple[tuple[Floats, Floats], Triple, Triple]:
    """Sums of a and b by stratum, of their products over units, and the products' size before residuals."""
    gather = adder(design.stratum[rows], len(design.size))
    total_a, total_b = gather @ a[rows], gather @ b[rows]
    aa, ab, bb = gather @ squares.aa[rows], gather @ squares.ab[rows], gather @ squares.bb[rows]
    raw = (aa, np.sqrt(aa * bb), bb)
    calibration = design.calibration
    if calibration is not None:
        fit_a, fit_b = _fits(rows, a, b, calibration)
        xa, xb = fit_a[calibration.of_cell[rows]], fit_b[calibration.of_cell[rows]]
        qa, qb, everyone = squares.a[rows], squares.b[rows], calibration.weight2
        aa = aa - 2 * (gather @ (qa * xa)) + everyone @ (fit_a * fit_a)
        ab = ab - gather @ (qa * xb + qb * xa) + everyone @ (fit_a * fit_b)
        bb = bb - 2 * (gather @ (qb * xb)) + everyone @ (fit_b * fit_b)
        total_a, total_b = total_a - calibration.weight @ fit_a, total_b - calibration.weight @ fit_b
    return (total_a, total_b), (aa, ab, bb), raw


def _of_clusters(
    rows: Ints, a: Floats, b: Floats, psu: Ints, psu_stratum: Ints, design: Design
) -> tuple[tuple[Floats, Floats], Triple, Triple]:
    """The same over primary sampling units: sums are rolled up to the domain before they are multiplied."""
    gather, by_stratum = adder(psu[rows], len(psu_stratum)), adder(psu_stratum, len(design.size))
    sum_a, sum_b = gather @ a[rows], gather @ b[rows]
    aa, bb = by_stratum @ (sum_a * sum_a), by_stratum @ (sum_b * sum_b)
    raw = (aa, np.sqrt(aa * bb), bb)
    calibration = design.calibration
    if calibration is not None:
        fit_a, fit_b = _fits(rows, a, b, calibration)
        sum_a, sum_b = sum_a - calibration.weight @ fit_a, sum_b - calibration.weight @ fit_b
    products = (by_stratum @ (sum_a * sum_a), by_stratum @ (sum_a * sum_b), by_stratum @ (sum_b * sum_b))
    return (by_stratum @ sum_a, by_stratum @ sum_b), products, raw


def _fits(rows: Ints, a: Floats, b: Floats, calibration: Calibration) -> tuple[Floats, Floats]:
    """Fitted values x'beta of a and b by calibration cell (cells x measures), from start weights."""
    x = calibration.indicators
    gather = adder(calibration.of_cell[rows], len(calibration.start))
    inverse = np.linalg.pinv(x.T @ (x * calibration.start[:, None]), rcond=1e-12, hermitian=True)
    hat = x @ inverse @ x.T
    start_a = (gather @ a[rows]) / calibration.factor[:, None]
    start_b = (gather @ b[rows]) / calibration.factor[:, None]
    return hat @ start_a, hat @ start_b


def _average(present: np.ndarray[tuple[int, int], np.dtype[np.bool_]], design: Design) -> Floats:
    """Strata with members of the domain over those of them with a variance: lonely ones take the average."""
    alone = (design.size == 1)[:, None]
    good = (present & ~alone).sum(axis=0)
    return np.where(good > 0, present.sum(axis=0) / np.maximum(good, 1), 0.0)
