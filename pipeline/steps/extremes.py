"""Numbers that no survey gives, refused in the wave that they come from: no table or format can hold them."""

from __future__ import annotations

import pandas as pd

from pipeline.catalogue import Wave
from pipeline.problems import ProblemError, wave_problem

LARGEST = 1e15  # beyond it a number of 64 bits holds no decimals
LARGEST_SQUARES = LARGEST**4  # of w^2 y^2: sums are kept exact whatever their size


def refuse_extremes(made: pd.DataFrame, wave: Wave, key: str, what: str, largest: float = LARGEST) -> None:
    """Raises ProblemError, at a key of the wave file, when a number of a table is beyond all bounds."""
    numbers = made.select_dtypes("number").astype("float64")
    extreme = numbers.columns[(numbers.abs() >= largest).any()]
    if len(extreme):
        message = f"gives {what} of {largest:g} or more, or infinite ones: {', '.join(map(str, extreme))}"
        hint = "Correct the raw file or the crosswalk: one of its numbers is beyond all bounds."
        raise ProblemError(wave_problem(wave.key, key, message, hint))
