"""Confidence intervals, with the conventions of R's ``survey::svyciprop`` and ``confint``."""

from __future__ import annotations

import numpy as np
from scipy import special

from pipeline.arrays import Floats
from pipeline.grouping import distinct


def t_quantile(df: Floats, confidence: float) -> Floats:
    """The two-sided quantile of Student's t for whole ``df``; NaN where there are none."""
    whole = np.where(df > 0, df, 0).astype(np.int64).reshape(-1)
    known, place = distinct(whole, int(whole.max(initial=0)) + 1)
    quantiles = np.where(known > 0, special.stdtrit(np.maximum(known, 1), 0.5 + confidence / 2), np.nan)
    return quantiles[place].reshape(df.shape)


def wald(value: Floats, se: Floats, df: Floats, confidence: float) -> tuple[Floats, Floats]:
    """value -+ t se."""
    half = t_quantile(df, confidence) * se
    return value - half, value + half


def logit(p: Floats, se: Floats, df: Floats, confidence: float) -> tuple[Floats, Floats]:
    """A t interval on the log odds, brought back (R's ``xlogit``). NaN where p is 0 or 1."""
    inside = (p > 0) & (p < 1)
    safe = np.where(inside, p, 0.5)
    with np.errstate(over="ignore"):
        odds = np.exp(t_quantile(df, confidence) * se / (safe * (1 - safe)))
        low, high = safe / (safe + (1 - safe) * odds), safe / (safe + (1 - safe) / odds)
    return np.where(inside, low, np.nan), np.where(inside, high, np.nan)


def korn_graubard(p: Floats, se: Floats, n: Floats, df: Floats, confidence: float) -> tuple[Floats, Floats]:
    """Clopper-Pearson on the effective n, p(1-p)/V, adjusted for the degrees of freedom (R's ``beta``).

    Without any error, as in a census, it is p alone; NaN where there are no degrees of freedom, as in a
    domain within one sampling unit, whose error is not known.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        adjustment = (t_quantile(n - 1, confidence) / t_quantile(df, confidence)) ** 2
        effective = p * (1 - p) / se**2 * adjustment
    low, high = clopper_pearson(p, effective, confidence)
    exact = (se == 0) & (df > 0)
    return np.where(exact, p, low), np.where(exact, p, high)


def clopper_pearson(p: Floats, n: Floats, confidence: float) -> tuple[Floats, Floats]:
    """The exact binomial interval for a share p of n, n not necessarily whole (Clopper & Pearson 1934)."""
    tail = (1 - confidence) / 2
    successes = p * n
    with np.errstate(invalid="ignore"):
        low = np.where(p <= 0, 0.0, special.betaincinv(successes, n - successes + 1, tail))
        high = np.where(p >= 1, 1.0, special.betaincinv(successes + 1, n - successes, 1 - tail))
    known = np.isfinite(n) & (n > 0)
    return np.where(known, low, np.nan), np.where(known, high, np.nan)


def share(
    p: Floats, se: Floats, n: Floats, n_eff: Floats, df: Floats, confidence: float, method: str
) -> tuple[Floats, Floats]:
    """The interval of a share as declared; Clopper-Pearson on Kish's n_eff where p is exactly 0 or 1."""
    if method == "wald":
        low, high = wald(p, se, df, confidence)
        low, high = np.maximum(low, 0.0), np.minimum(high, 1.0)
    elif method == "beta":
        low, high = korn_graubard(p, se, n, df, confidence)
    else:
        low, high = logit(p, se, df, confidence)
    extreme = (p <= 0) | (p >= 1)
    low[extreme], high[extreme] = clopper_pearson(p[extreme], n_eff[extreme], confidence)
    return low, high
