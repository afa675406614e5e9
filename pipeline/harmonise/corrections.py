"""Applies the declared corrections of a raw file. One that matches no row has expired and stops the wave."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from pipeline.arrays import Flags
from pipeline.catalogue.fieldwork import Correction, Wave
from pipeline.problems import Problem, ProblemError, wave_problem
from pipeline.sources import absent


def correct(raw: pd.DataFrame, wave: Wave) -> tuple[pd.DataFrame, list[dict[str, Any]]]:
    """The raw frame with the wave's corrections, and for each its column, reason and number of rows.

    Every correction is matched against the file as delivered, so their order does not matter. Raises
    ProblemError naming every correction that matches no row or names a column that the file lacks.
    """
    corrected, done, problems = raw.copy(), [], []
    for number, correction in enumerate(wave.corrections, 1):
        missing = [name for name in (correction.column, *correction.match) if name not in raw]
        if missing:
            said = absent(missing[0], raw.columns, wave.source)
            problems.append(wave_problem(wave.key, f"correction[{number}]", *said, missing[0]))
            continue
        rows = _matches(raw, correction)
        if not rows.any():
            problems.append(
                _problem(wave, number, "has expired: no row matches it any more", correction.column)
            )
            continue
        corrected[correction.column] = corrected[correction.column].mask(rows, correction.value)
        done.append({"column": correction.column, "reason": correction.reason, "rows": int(rows.sum())})
    if problems:
        raise ProblemError(problems)
    return corrected, done


def _matches(raw: pd.DataFrame, correction: Correction) -> Flags:
    rows = np.ones(len(raw), dtype=bool)
    for column, value in correction.match.items():
        rows &= (raw[column] == value).to_numpy()
    return rows


def _problem(wave: Wave, number: int, message: str, column: str) -> Problem:
    hint = "Remove the correction if the producer has corrected the file; otherwise correct its match."
    return wave_problem(wave.key, f"correction[{number}]", message, hint, column)
