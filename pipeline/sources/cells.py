"""The normal form of a cell as text, and how it becomes a number again.

Every format gives the same texts, so that one crosswalk fits a CSV and an SPSS file: a whole
number is "1", another number its shortest form with a point, a date ISO 8601, a blank cell "".
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd

from pipeline.catalogue.fieldwork import Wave
from pipeline.problems import Problem, ProblemError
from pipeline.sources.layout import raw_file_name
from pipeline.sources.shown import counted, listed

LEAST, MOST = 1e-15, 1e15  # the size of a number that is not 0: beyond, sums and files lose their digits


def cell_text(value: object) -> str:
    """One cell of any Python or numpy type as text."""
    if value is None or value is pd.NaT or value is pd.NA:
        return ""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, (bool, np.bool_)):
        return "true" if value else "false"
    if isinstance(value, (int, np.integer)):
        return str(value)
    if isinstance(value, (float, np.floating)):
        return _number_text(value)
    if isinstance(value, Decimal):
        return _number_text(float(value)) if value.is_finite() else ""
    if isinstance(value, (datetime, date, time)):
        return value.isoformat()
    if isinstance(value, timedelta):
        return str(value)
    raise TypeError(type(value).__name__)


def _number_text(value: float | np.floating[Any]) -> str:
    if np.isnan(value):
        return ""
    if np.isfinite(value) and float(value).is_integer():
        return str(int(value))
    return str(value)  # numpy and Python both write the shortest text that reads back as the same number


def padded(text: str, width: int) -> str:
    """A number with leading zeros, as a postcode or a municipality's number is shown."""
    return text.zfill(width) if text.isdigit() else text


def text_column(values: Sequence[object] | np.ndarray[Any, Any]) -> pd.Series[str]:
    """A column of cells as text; each distinct number is written once."""
    if isinstance(values, np.ndarray) and values.dtype.kind in "fiu":
        index, distinct = pd.factorize(values, use_na_sentinel=False)
        texts = np.array([cell_text(value) for value in distinct], dtype=object)
        return pd.Series(texts[index], dtype="str")
    return pd.Series([cell_text(value) for value in values], dtype="str")


def numbers(column: pd.Series[str], name: str, wave: Wave) -> pd.Series[float]:
    """A text column of a wave's raw file as numbers, by its decimal mark; blank is NaN.

    Raises ProblemError naming the column, and counting the rows, where a text is not a finite number or its
    size is no real one's.
    """
    mark, other_mark = (",", ".") if wave.source.decimal == "," else (".", ",")
    parsed: pd.Series[float] = pd.to_numeric(
        column.str.replace(mark, ".", regex=False), errors="coerce"
    ).astype("float64")
    misread = (column != "") & (~np.isfinite(parsed) | column.str.contains(other_mark, regex=False))
    problems = []
    if misread.any():
        message = f"{counted(column[misread])} not a number with the decimal mark '{mark}'"
        hint = f'Set source.decimal = "{other_mark}" if that is the mark; list texts that mean a blank in '
        hint += "source.missing, or map them in the crosswalk."
        problems.append(
            Problem(
                raw_file_name(wave.source), f"column {name}", message, hint, listed(column[misread]), wave.key
            )
        )
    size = parsed.abs()
    extreme = ~misread & (size != 0) & ((size < LEAST) | (size > MOST))
    if extreme.any():
        message = f"{counted(column[extreme])} beyond the size of real numbers (0, or {LEAST:g} to {MOST:g})"
        hint = "Correct the file, or list what means a blank in source.missing."
        problems.append(
            Problem(
                raw_file_name(wave.source), f"column {name}", message, hint, listed(column[extreme]), wave.key
            )
        )
    if problems:
        raise ProblemError(problems)
    return parsed
