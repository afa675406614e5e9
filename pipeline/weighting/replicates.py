"""Delivered replicate weights, held against the weight that they replicate.

A producer delivers full weights, or factors that the base weight is yet to be multiplied by (R's
``svrepdesign(combined.weights = FALSE)``). One read as the other gives standard errors that look like any.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from pipeline.arrays import Floats
from pipeline.catalogue.fieldwork import Wave
from pipeline.problems import ProblemError, wave_problem

KEY = "design.replicate_weights"
FAR = 2.0  # times the sum of the weights, or a part of it: more is another scale, not another sample
NEARER = 0.5  # of the squared distance to the weight: as near 1 as that, a unit's mean replicate is a factor
PREFIX = "replicate_"


def full_replicates(answers: pd.DataFrame, start: Floats, wave: Wave) -> pd.DataFrame:
    """The replicate weights of a wave as full weights, a column each; no column where it has none.

    Raises ProblemError where they are factors and declared as full weights, or the other way round.
    """
    columns = [name for name in answers if str(name).startswith(PREFIX)]
    declared = wave.design.replicate_weights if wave.design else None
    if declared is None or not columns:
        return answers[columns]
    delivered = answers[columns].to_numpy(dtype=float)
    # Full replicates of a unit scatter around its weight, factors around 1. Where every weight is about 1
    # they are the same, and neither is nearer.
    to_one, to_weight = (
        float(((delivered.mean(axis=1) - centre) ** 2).sum()) for centre in (np.ones_like(start), start)
    )
    found = f"{delivered.mean():.4g}, and {start.mean():.4g}"
    if declared.combined:
        if to_one < NEARER * to_weight:
            hint = (
                "Add combined = false to [design.replicate_weights], or name the columns of the full weights."
            )
            message = "holds factors, not full weights: mean replicate and mean weight are"
            raise ProblemError(wave_problem(wave.key, KEY, message, hint, found))
        full = delivered
    else:
        if to_weight < NEARER * to_one:
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
    return pd.DataFrame(full, index=answers.index, columns=columns)


def replicate_report(replicates: pd.DataFrame, start: Floats) -> Mapping[str, int]:
    """How many replicate weights there are, how many repeat another, how many are the weight."""
    columns = replicates.to_numpy(dtype=float)
    return {
        "columns": columns.shape[1],
        "repeated": columns.shape[1] - len(np.unique(columns, axis=1).T),
        "equal_to_weight": int((columns == start[:, None]).all(axis=0).sum()),
    }
