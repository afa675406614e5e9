"""Calibration of weights to categorical margins, on collapsed cells.

A calibration factor depends on a unit only through its cell, the combination of its margin codes:
the sums of start weights by cell are sufficient, and a million rows cost what their few hundred cells
cost (Deville & Särndal 1992, JASA 87:376-382; Deville, Särndal & Sautory 1993, JASA 88:1013-1020).

Here belongs the algebra on cells. Which units, margins and totals a wave has stands in ``weights``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Distance = Callable[[Floats], tuple[Floats, Floats]]

MARGIN_TOLERANCE = 1e-9  # relative: what a calibrated margin must reach


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


def _cut(factor: Floats, slope: Floats, bounds: tuple[float, float] | None) -> tuple[Floats, Floats]:
    if bounds is None:
        return factor, slope
    low, high = bounds
    return np.clip(factor, low, high), np.where((factor > low) & (factor < high), slope, 0.0)


def calibrate(
    start: Floats, design: Floats, totals: Floats, distance: Distance, tolerance: float, max_iterations: int
) -> Calibrated:
    """Factors g with sum(start * g * design) = totals, by Newton's method on the dual.

    ``start``: sums of start weights by cell (cells). ``design``: 0/1 indicators of the margins' codes
    (cells x totals); their collinearity is harmless. Returns the best factors found after at most
    ``max_iterations`` steps: the caller judges the gaps. A step that overshoots is halved.
    """
    multipliers = np.zeros(design.shape[1])
    factors, slope = distance(design @ multipliers)
    reached = design.T @ (start * factors)
    gap = _gap(reached, totals)
    for iteration in range(1, max_iterations + 1):
        if gap <= tolerance:
            return Calibrated(factors, reached, iteration - 1)
        jacobian = design.T @ (design * (start * slope)[:, None])
        step = np.linalg.lstsq(jacobian, totals - reached, rcond=1e-12)[0]
        scale = 1.0
        while True:
            trial, trial_slope = distance(design @ (multipliers + scale * step))
            trial_reached = design.T @ (start * trial)
            trial_gap = _gap(trial_reached, totals)
            if trial_gap < gap or scale < 1e-6:
                break
            scale /= 2
        if trial_gap >= gap:
            return Calibrated(factors, reached, iteration)
        multipliers = multipliers + scale * step
        factors, slope, reached, gap = trial, trial_slope, trial_reached, trial_gap
    return Calibrated(factors, reached, max_iterations)


def _gap(reached: Floats, totals: Floats) -> float:
    return float(np.max(np.abs(reached - totals) / totals))
