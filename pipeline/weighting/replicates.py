"""Delivered replicate weights, held against the weight that they replicate.

A producer delivers full weights, or factors that the base weight is yet to be multiplied by (R's
``svrepdesign(combined.weights = FALSE)``). One read as the other gives standard errors that look like any.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256

import numpy as np
import pandas as pd

from pipeline.arrays import Floats
from pipeline.catalogue.fieldwork import ReplicateWeights, Wave
from pipeline.problems import ProblemError, wave_problem

KEY = "design.replicate_weights"
FAR = 2.0  # times the sum of the weights, or a part of it: more is another scale, not another sample
NEARER = 0.5  # of the squared distance to the weight: as near 1 as that, a unit's mean replicate is a factor
UNCHANGED = 1e-6  # relative: a replicate weight that is the weight
MOSTLY = 0.75  # of the replicate weights: more than a bootstrap, or half samples beside certain strata, leave
STRATIFIED = 0.25  # of a jackknife's weights are unchanged: without strata all are, or grow alike
OFF_RHO = 0.1  # how far half samples may be from their rho, as weights adjusted by replicate are
FEW_GROUPS = 8  # of a jackknife: with fewer, dropping one changes all weights much
ROUNDED = 0.01  # how far they may be as they were drawn: replicate and weight are rounded
PREFIX = "replicate_"


def half_samples(ratios: Floats) -> float | None:
    """Fay's rho, 0 of balanced half samples, where every one of the ``ratios`` of replicate to weight is rho
    or 2 - rho; None where any is neither, as after an adjustment of each replicate.
    """
    rho = float(ratios.min(initial=np.inf))
    apart = np.minimum(np.abs(ratios - rho), np.abs(ratios - (2 - rho)))
    halves = 0 <= rho < 1 - 5 * ROUNDED and bool((ratios > 1).any()) and bool((apart < ROUNDED).all())
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

    Raises ProblemError where they are factors and declared as full weights, or the other way round, or where
    another method has made them than is declared.
    """
    columns = [name for name in answers if str(name).startswith(PREFIX)]
    declared = wave.design.replicate_weights if wave.design else None
    if declared is None or not columns:
        return answers[columns]
    delivered = answers[columns].to_numpy(dtype=float)
    if empty := int((delivered == 0).all(axis=0).sum()):
        message, hint = (
            "holds weights of 0 only",
            "Name the columns of the replicates, or ask their producer.",
        )
        found = "1 column" if empty == 1 else f"{empty} columns"
        raise ProblemError(wave_problem(wave.key, KEY, message, hint, found))
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
    _require_method(full / start[:, None], declared, wave)
    return pd.DataFrame(full, index=answers.index, columns=columns)


def _require_method(ratios: Floats, declared: ReplicateWeights, wave: Wave) -> None:
    """Raises ProblemError where replicate weights, as ratios to the weight, are not what their method makes.

    Half samples make 1 - rho more or less of every weight (brr: rho is 0), a jackknife leaves most weights
    as they are, or nearly, and the scale of one is not that of the other. A declared scale is taken as said.
    """
    changes, replicates = np.abs(ratios - 1), ratios.shape[1]
    same, typical = float((changes < UNCHANGED).mean()), float(np.median(changes))
    key, hint = f"{KEY}.method", "Write the method by which its producer has made them, or their scale."
    message, found = "", declared.method
    if same == 1:
        key, message = KEY, "holds the weight itself in every column: no variance follows from it"
        hint = "Name the columns of the replicates."
    elif declared.scale is not None or declared.rscales:
        return
    elif declared.method in ("brr", "fay"):
        expected = 1 - (declared.rho or 0.0)
        most = OFF_RHO if half_samples(ratios) is None else ROUNDED
        if same > MOSTLY:
            message = "is not how they were made: most are the weight itself, as a jackknife leaves it"
        elif abs(typical - expected) > most:
            message = (
                f"is not how they were made: they are 1 ± {typical:.2g} times the weight, not {expected:g}"
            )
            rho = max(round(1 - typical, 2), 0)
            made = f'method = "fay", rho = {rho:g}' if rho else 'method = "brr"'
            hint = f"Write {made} if their producer agrees, else their scale."
    elif (
        declared.method == "jkn" and replicates >= FEW_GROUPS and changes.mean() > FEW_GROUPS / 2 / replicates
    ):
        message = "is not how they were made: every weight changes in most of them, as in half samples"
    elif declared.method == "jkn" and same > STRATIFIED and (ratios > 1 + UNCHANGED).any():
        key, message = (
            f"{KEY}.rscales",
            "is needed: the jackknife is stratified, it leaves other strata as they are",
        )
        hint = (
            "Add rscales, one number per column: (n_h - 1)/n_h of the stratum it drops a unit of; or scale."
        )
    elif declared.method == "bootstrap" and same > MOSTLY:
        message = "is not how they were made: most are the weight itself, as a jackknife leaves it"
    if message:
        raise ProblemError(wave_problem(wave.key, key, message, hint, found))


def replicate_report(replicates: pd.DataFrame, start: Floats) -> Mapping[str, int]:
    """How many replicate weights there are, how many repeat another, how many are the weight."""
    columns = [replicates[name].to_numpy(dtype=float) for name in replicates]
    distinct = {sha256(column.tobytes()).digest() for column in columns}
    return {
        "columns": len(columns),
        "repeated": len(columns) - len(distinct),
        "equal_to_weight": sum(bool((column == start).all()) for column in columns),
    }
