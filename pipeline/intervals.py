"""Confidence intervals of shares, means and totals, from their standard errors and degrees of freedom.

``estimation`` makes them; ``disclosure`` reckons back from them. What both must know of a method of shares
stands in one table, ``METHODS``, with a row for every value of ``proportion_ci``. Conventions are those of
R's ``survey::svyciprop`` and ``confint`` (Lumley 2010, Complex Surveys).

Everywhere: arrays of one shape, an estimate each; ``se`` is in the unit of its estimate, shares are
proportions from 0 to 1 and not percent; ``confidence`` is two-sided, above 0 and below 1. The result is the
lower and the upper limit. Nothing is raised: where no interval is defined, both are NaN.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import special

from pipeline.arrays import Floats
from pipeline.grouping import distinct


def t_quantile(df: Floats, confidence: float) -> Floats:
    """The two-sided quantile of Student's t, at (1 + ``confidence``) / 2, of the shape of ``df``.

    ``df`` is cut to whole numbers, of which there are few, so that each is looked up once. NaN where it is
    below 1 or not known.
    """
    whole = np.where(df > 0, df, 0).astype(np.int64).reshape(-1)
    known, place = distinct(whole, int(whole.max(initial=0)) + 1)
    quantiles = np.where(known > 0, special.stdtrit(np.maximum(known, 1), 0.5 + confidence / 2), np.nan)
    return quantiles[place].reshape(df.shape)


def wald(value: Floats, se: Floats, df: Floats, confidence: float) -> tuple[Floats, Floats]:
    """value -+ t se, t with ``df`` degrees of freedom: the interval of a mean or a total (Cochran 1977,
    Sampling Techniques, chapter 2). Not kept within any range.
    """
    half = t_quantile(df, confidence) * se
    return value - half, value + half


def logit(p: Floats, se: Floats, df: Floats, confidence: float) -> tuple[Floats, Floats]:
    """A t interval of the log odds, brought back to a proportion; NaN where p is 0 or 1.

    By the delta method the standard error of logit p = log(p / (1 - p)) is se / (p (1 - p)), so the limits
    are expit(logit p -+ t se / (p (1 - p))): ``svyciprop(method = "xlogit")``. They lie within 0 and 1.
    """
    inside = (p > 0) & (p < 1)
    safe = np.where(inside, p, 0.5)
    with np.errstate(over="ignore"):
        odds = np.exp(t_quantile(df, confidence) * se / (safe * (1 - safe)))
        low, high = safe / (safe + (1 - safe) * odds), safe / (safe + (1 - safe) / odds)
    return np.where(inside, low, np.nan), np.where(inside, high, np.nan)


def korn_graubard(p: Floats, se: Floats, n: Floats, df: Floats, confidence: float) -> tuple[Floats, Floats]:
    """Clopper-Pearson's interval for p of an effective n, with the design's degrees of freedom.

    The effective n is p (1 - p) / se^2 times (t_{n-1} / t_df)^2, ``n`` the units that p is of (Korn &
    Graubard 1998, Survey Methodology 24, 193-201; ``svyciprop(method = "beta")``, which takes the rows of the
    file for n). It may exceed n.

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
    """The exact binomial interval of a share p of n trials (Clopper & Pearson 1934, Biometrika 26, 404-413).

    Its limits are quantiles of Beta(np, n - np + 1) and Beta(np + 1, n - np), so n need not be whole; 0 below
    for p = 0, 1 above for p = 1. NaN where n is not above 0 or not finite.
    """
    tail = (1 - confidence) / 2
    successes = p * n
    with np.errstate(invalid="ignore"):
        low = np.where(p <= 0, 0.0, special.betaincinv(successes, n - successes + 1, tail))
        high = np.where(p >= 1, 1.0, special.betaincinv(successes + 1, n - successes, 1 - tail))
    known = np.isfinite(n) & (n > 0)
    return np.where(known, low, np.nan), np.where(known, high, np.nan)


Limits = tuple[Floats, Floats]


@dataclass(frozen=True)
class Method:
    """An interval of shares: its name for readers, its ``limits`` from p, se, n, df and confidence.

    ``scale``: that of g where the limits are g(p) -+ t se g'(p). The disclosure audit reckons back from
    limits of that form; of a method without it, it draws no conclusion from them.
    """

    label: str
    limits: Callable[[Floats, Floats, Floats, Floats, float], Limits]
    scale: Literal["identity", "log odds"] | None


def _cut_wald(p: Floats, se: Floats, n: Floats, df: Floats, confidence: float) -> Limits:
    low, high = wald(p, se, df, confidence)
    return np.maximum(low, 0.0), np.minimum(high, 1.0)


def _logit(p: Floats, se: Floats, n: Floats, df: Floats, confidence: float) -> Limits:
    return logit(p, se, df, confidence)


METHODS: Mapping[str, Method] = {
    "logit": Method("Student's t of the log odds", _logit, "log odds"),
    "wald": Method("Student's t, cut at 0 and 100 %", _cut_wald, "identity"),
    "beta": Method("Korn-Graubard", korn_graubard, None),
}


def share(
    p: Floats, se: Floats, n: Floats, n_eff: Floats, df: Floats, confidence: float, method: str
) -> tuple[Floats, Floats]:
    """The interval of a share by the declared ``method`` of ``METHODS``; Wald's is cut at 0 and 1.

    ``n`` are the units that p is of, ``n_eff`` is (sum w)^2 / sum w^2 of them (Kish 1965, Survey Sampling).
    Where p is exactly 0 or 1 no method has an error to go by: Clopper-Pearson's for p of ``n_eff`` takes
    their place.
    """
    low, high = METHODS[method].limits(p, se, n, df, confidence)
    extreme = (p <= 0) | (p >= 1)  # after the method: these replace what it left there
    low[extreme], high[extreme] = clopper_pearson(p[extreme], n_eff[extreme], confidence)
    return low, high
