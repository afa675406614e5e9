"""Leaves out the rows that a wave excludes, before anything else is done with them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from pipeline.arrays import Flags
from pipeline.catalogue.fieldwork import Design, Wave
from pipeline.problems import ProblemError, wave_problem
from pipeline.sources import absent, numbers, values_found


def exclude(raw: pd.DataFrame, wave: Wave) -> tuple[pd.DataFrame, list[dict[str, Any]]]:
    """The raw frame without the wave's exclusions, and for each its column, reason and number of rows.

    A row that several exclude counts in each. Raises ProblemError naming every exclusion that matches no row
    or names a column that the file lacks, and where no row is left.
    """
    left_out, done, problems = np.zeros(len(raw), dtype=bool), [], []
    for number, exclusion in enumerate(wave.exclusions, 1):
        key = f"exclusion[{number}]"
        if exclusion.column not in raw:
            said = absent(exclusion.column, raw.columns, wave.source)
            problems.append(wave_problem(wave.key, f"{key}.column", *said, exclusion.column))
            continue
        rows = raw[exclusion.column].isin(exclusion.values).to_numpy()
        if not rows.any():
            hint = "Remove it if the producer has corrected the file; otherwise correct its values. "
            hint += f"Values found: {values_found(raw[exclusion.column])}."
            message = "has expired: no row matches it any more"
            problems.append(wave_problem(wave.key, key, message, hint, exclusion.column))
        left_out |= rows
        done.append({"column": exclusion.column, "reason": exclusion.reason, "rows": int(rows.sum())})
    if not problems and len(raw) and left_out.all():
        hint = "Correct their values: a wave needs a row."
        problems.append(wave_problem(wave.key, "exclusion", "leaves out every row", hint))
    if problems:
        raise ProblemError(problems)
    return raw[~left_out], done


def zero_weights(raw: pd.DataFrame, wave: Wave, design: Design) -> Flags:
    """The rows that are left out for a delivered weight of exactly 0; none where that is refused."""
    if not (design.weight and design.zero_weights == "exclude"):
        return np.zeros(len(raw), dtype=bool)
    zero: Flags = (numbers(raw[design.weight], design.weight, wave) == 0).to_numpy()
    return zero
