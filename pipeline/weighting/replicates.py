"""Delivered replicate weights, held against the weight that they replicate.

A producer delivers full weights, or factors that the base weight is yet to be multiplied by (R's
``svrepdesign(combined.weights = FALSE)``). One read as the other gives standard errors that look like any.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from pipeline.arrays import Floats
from pipeline.catalogue.fieldwork import ReplicateWeights, Wave
from pipeline.problems import ProblemError, wave_problem

KEY = "design.replicate_weights"
FAR = 2.0  # times the sum of the weights, or a part of it: more is another scale, not another sample
NEARER = 0.5  # of the squared distance to the weight: as near 1 as that, a unit's mean replicate is a factor
PREFIX = "replicate_"
TOLERANCE = 0.01  # of a replicate over its weight: both are rounded


def half_samples(ratios: Floats) -> float | None:
    """Fay's rho, 0 of balanced half samples, where every one of the ``ratios`` of replicate to weight is rho
    or 2 - rho; None where any is neither, as after an adjustment of each replicate.
    """
    rho = float(ratios.min(initial=np.inf))
    apart = np.minimum(np.abs(ratios - rho), np.abs(ratios - (2 - rho)))
    halves = 0 <= rho < 1 - 5 * TOLERANCE and bool((ratios > 1).any()) and bool((apart < TOLERANCE).all())
    return round(rho, 2) if halves else None


def are_factors(replicates: Floats, weights: Floats) -> bool:
    """Whether replicates are factors: those of a unit scatter around 1, full weights around its weight.

    Where every weight is about 1 they are the same, and taken for full weights.
    """
    return _nearer(replicates, np.ones_like(weights), weights)


def _nearer(replicates: Floats, one: Floats, other: Floats) -> bool:
    """Whether the mean replicate of the units is clearly nearer the one than the other."""
    mean = replicates.mean(axis=1)
    return bool(((mean - one) ** 2).sum() < NEARER * ((mean - other) ** 2).sum())


def full_replicates(answers: pd.DataFrame, start: Floats, wave: Wave) -> pd.DataFrame:
    """The replicate weights of a wave as full weights, a column each; no column where it has none.

    Raises ProblemError where they are factors and declared as full weights, or the other way round, and where
    half samples are declared with another rho than their numbers show.
    """
    columns = [name for name in answers if str(name).startswith(PREFIX)]
    declared = wave.design.replicate_weights if wave.design else None
    if declared is None or not columns:
        return answers[columns]
    delivered = answers[columns].to_numpy(dtype=float)
    found = f"{delivered.mean():.4g}, and {start.mean():.4g}"
    if declared.combined:
        if are_factors(delivered, start):
            hint = (
                "Add combined = false to [design.replicate_weights], or name the columns of the full weights."
            )
            message = "holds factors, not full weights: mean replicate and mean weight are"
            raise ProblemError(wave_problem(wave.key, KEY, message, hint, found))
        full = delivered
    else:
        if _nearer(delivered, start, np.ones_like(start)):
            hint = "Remove combined = false: the base weight is in them already."
            message = "holds full weights, not factors: mean replicate and mean weight are"
            raise ProblemError(wave_problem(wave.key, f"{KEY}.combined", message, hint, found))
        full = delivered * start[:, None]
    ratio = float(np.median(full.sum(axis=0)) / start.sum())
    if not 1 / FAR <= ratio <= FAR:
        hint = "Name the columns that belong to design.weight, on its scale."
        message = "is on another scale than the weight: its columns add up to"
        found = f"{ratio:.3g} times the sum of the weights"
        raise ProblemError(wave_problem(wave.key, KEY, message, hint, found))
    _require_method(full / start[:, None], wave, declared)
    return pd.DataFrame(full, index=answers.index, columns=columns)


def _require_method(ratios: Floats, wave: Wave, declared: ReplicateWeights) -> None:
    """Raises ProblemError where half samples were made with another rho than declared.

    Made with rho and read as balanced ones, they give (1 - rho)^2 of the variance.
    """
    if declared.method not in ("brr", "fay") or declared.scale is not None or declared.rscales:
        return
    rho, own = half_samples(ratios), declared.rho or 0.0
    if rho is not None and abs(rho - own) > TOLERANCE:
        message = f"is not how they were made: each is {rho:g} or {2 - rho:g} times the weight"
        made = f'method = "fay", rho = {rho:g}' if rho else 'method = "brr"'
        hint = f"Write {made} if their producer agrees, else a scale of your own."
        said = f"{declared.method}, rho = {own:g}" if own else declared.method
        raise ProblemError(wave_problem(wave.key, f"{KEY}.method", message, hint, said))


def replicate_report(replicates: pd.DataFrame, start: Floats) -> Mapping[str, int]:
    """How many replicate weights there are, how many repeat another, how many are the weight."""
    columns = replicates.to_numpy(dtype=float)
    return {
        "columns": columns.shape[1],
        "repeated": columns.shape[1] - len(np.unique(columns, axis=1).T),
        "equal_to_weight": int((columns == start[:, None]).all(axis=0).sum()),
    }
