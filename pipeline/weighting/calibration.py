"""Calibration of weights to margins, on collapsed cells.

A calibration factor depends on a unit only through its cell, the combination of its margin codes and of the
numbers whose sums are met: the sums of start weights by cell are sufficient, and a million rows cost what
their few hundred cells cost (Deville & Särndal 1992, JASA 87:376-382; Deville, Särndal & Sautory 1993, JASA
88:1013-1020).

Here belongs the algebra on cells. The units, margins and totals of a wave belong to ``margins``.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from scipy import special

from pipeline.arrays import Floats

Distance = Callable[[Floats], tuple[Floats, Floats]]

MARGIN_TOLERANCE = 1e-9  # relative: what a calibrated margin must reach
MIN_STEP_SCALE = 1e-6  # a Newton step is not halved further
MAX_RESIDUAL = 1e-6  # of a Newton step, relative to the shortfall of the totals


@dataclass(frozen=True)
class Calibrated:
    """Factors by cell, the totals they reach and how many steps it took."""

    factors: Floats
    reached: Floats
    iterations: int

    def gaps(self, totals: Floats) -> Floats:
        """Relative distance of every total reached from the total wanted."""
        return np.abs(self.reached - totals) / totals


def exponential(bounds: tuple[float, float] | None) -> Distance:
    """Raking: F(u) = exp(u), cut at the bounds; the factors of iterative proportional fitting."""

    def distance(u: Floats) -> tuple[Floats, Floats]:
        factor = np.exp(np.clip(u, -700.0, 700.0))
        return _cut(factor, factor, bounds)

    return distance


def linear(bounds: tuple[float, float] | None) -> Distance:
    """The generalised regression estimator (GREG): F(u) = 1 + u, cut at the bounds."""

    def distance(u: Floats) -> tuple[Floats, Floats]:
        return _cut(1.0 + u, np.ones_like(u), bounds)

    return distance


def logit(bounds: tuple[float, float]) -> Distance:
    """The logit distance of Deville and Särndal: factors approach the bounds and never leave them.

    F(u) = low + (high - low) expit(log((1 - low) / (high - 1)) + A u), with
    A = (high - low) / ((1 - low)(high - 1)): F(0) = 1, F'(0) = 1 (their case 6; R's ``cal.logit``).
    """
    low, high = bounds
    width, middle = high - low, math.log((1 - low) / (high - 1))
    steepness = width / ((1 - low) * (high - 1))

    def distance(u: Floats) -> tuple[Floats, Floats]:
        inside = special.expit(middle + steepness * u)
        return low + width * inside, steepness * width * inside * special.expit(-middle - steepness * u)

    return distance


def _cut(factor: Floats, slope: Floats, bounds: tuple[float, float] | None) -> tuple[Floats, Floats]:
    if bounds is None:
        return factor, slope
    low, high = bounds
    return np.clip(factor, low, high), np.where((factor > low) & (factor < high), slope, 0.0)


def calibrate(
    start: Floats, design: Floats, totals: Floats, distance: Distance, tolerance: float, max_iterations: int
) -> Calibrated:
    """Factors g with sum(start * g * design) = totals, by Newton's method on the dual.

    ``start``: sums of start weights by cell (cells). ``design``: 0/1 indicators of the margins' codes, and
    numbers (cells x totals); their collinearity is harmless. Returns the best factors found after at most
    ``max_iterations`` steps: the caller judges the gaps. A step that overshoots is halved.
    """
    unit = np.abs(design).max(axis=0)  # numbers of any size are solved for as if they were at most 1
    unit[unit == 0] = 1.0
    design, totals = design / unit, totals / unit
    multipliers = np.zeros(design.shape[1])
    factors, slope = distance(design @ multipliers)
    reached = design.T @ (start * factors)
    best = Calibrated(factors, reached, 0)
    for iteration in range(1, max_iterations + 1):
        if _gap(reached, totals) <= tolerance:
            break
        step, residual = _step(start * slope, design, totals - reached)
        if residual > MAX_RESIDUAL:  # too many cells stand at their bounds: the next step may move those too
            step, _ = _step(start * np.where(slope > 0, slope, 1.0), design, totals - reached)
        descent = step @ (totals - reached)  # of the convex dual along the step: its slope there, negated
        scale = 1.0
        while True:
            factors, slope = distance(design @ (multipliers + scale * step))
            reached = design.T @ (start * factors)
            if step @ (reached - totals) <= descent / 2 or scale < MIN_STEP_SCALE:
                break
            scale /= 2
        multipliers = multipliers + scale * step
        if _gap(reached, totals) < _gap(best.reached, totals):
            best = Calibrated(factors, reached, iteration)
    return replace(best, reached=best.reached * unit)


def _step(weight: Floats, design: Floats, shortfall: Floats) -> tuple[Floats, float]:
    """The change of the multipliers that closes what totals fall short of, and the part it does not close."""
    jacobian = design.T @ (design * weight[:, None])
    step = np.linalg.lstsq(jacobian, shortfall, rcond=1e-12)[0].astype(np.float64)
    return step, float(np.max(np.abs(jacobian @ step - shortfall)) / np.max(np.abs(shortfall)))


def _gap(reached: Floats, totals: Floats) -> float:
    return float(np.max(np.abs(reached - totals) / totals))
