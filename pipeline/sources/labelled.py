"""Reads SPSS and Stata files with their variable and value labels.

User-missing codes stay codes (SPSS "9", Stata ".a"): the crosswalk defines what they mean. Only a system
missing value is blank. Dates become ISO 8601 here, since the files store counts of days or seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pipeline.catalogue.fieldwork import Source
from pipeline.extras import optional
from pipeline.problems import Problem, ProblemError
from pipeline.sources.cells import cell_text, text_column
from pipeline.sources.layout import Column, raw_file_name, unreadable

Labels = Mapping[str, str]
SPSS_DAYS = ("DATE", "ADATE", "EDATE", "SDATE", "JDATE", "QYR", "MOYR", "WKYR")
SPSS_MOMENTS = ("DATETIME", "YMDHMS")
SPSS_EPOCH, STATA_EPOCH = np.datetime64("1582-10-14", "s"), np.datetime64("1960-01-01", "s")
DAY = 86_400  # seconds


def read_labelled(path: Path, source: Source, kind: str) -> tuple[list[Column], Labels, Mapping[str, Labels]]:
    """The columns, variable labels and value labels of an SPSS (``sav``) or Stata (``dta``) file."""
    pyreadstat = optional(
        "pyreadstat", "spss", file=raw_file_name(source), key="source.file", value=source.file
    )
    read = pyreadstat.read_dta if kind == "dta" else pyreadstat.read_sav
    name = "Stata" if kind == "dta" else "SPSS"
    try:
        frame, meta = read(
            str(path), user_missing=True, disable_datetime_conversion=True, encoding=source.encoding or None
        )
    except (pyreadstat.ReadstatError, pyreadstat.PyreadstatError, UnicodeDecodeError) as error:
        if "encoding" in str(error).lower() or isinstance(error, UnicodeDecodeError):
            hint = (
                "Set source.encoding in the wave file to the encoding that the producer used, often cp1252."
            )
            raise ProblemError(
                Problem(
                    raw_file_name(source),
                    "source.encoding",
                    "is not the encoding of the file's texts",
                    hint,
                    source.encoding,
                )
            ) from None
        raise ProblemError(unreadable(source, name)) from None
    formats = {column: str(format_code) for column, format_code in meta.original_variable_types.items()}
    columns: list[Column] = []
    for column in frame.columns:
        stored = str(meta.readstat_variable_types[column])
        columns.append((column, _text_cells(frame[column], formats[column], stored, kind)))
    labels = {column: label.strip() for column, label in meta.column_names_to_labels.items() if label}
    value_labels = {
        column: {_code(code, formats[column], kind): str(label).strip() for code, label in codes.items()}
        for column, codes in meta.variable_value_labels.items()
    }
    return columns, labels, value_labels


def _text_cells(column: pd.Series[Any], format_code: str, stored: str, kind: str) -> pd.Series[str]:
    if column.dtype.kind in "fiu":
        instants = _dates_and_times(column.to_numpy(dtype="float64"), format_code, kind)
        if instants is not None:
            return instants
        return text_column(column.to_numpy(dtype="float32" if stored == "float" else None))
    if kind == "dta" and stored != "string":  # numbers next to the letters of tagged missing values
        return pd.Series([_code(value, format_code, kind) for value in column], dtype="str")
    return text_column(list(column))


def _code(value: object, format_code: str, kind: str) -> str:
    """A code as text; Stata's tagged missing values, letters among numbers, with their dot."""
    tagged = kind == "dta" and isinstance(value, str) and not format_code.endswith("s")
    return f".{value}" if tagged else cell_text(value)


def _dates_and_times(values: np.ndarray[Any, Any], format_code: str, kind: str) -> pd.Series[str] | None:
    """Dates and times as ISO 8601, None when the column's format is not that of a date."""
    if kind == "dta":
        format_name = format_code.replace("-", "")
        has_days, has_times = format_name.startswith(("%td", "%d")), format_name.startswith(("%tc", "%tC"))
        epoch, seconds = STATA_EPOCH, values * DAY if has_days else values / 1000
    else:
        format_name = format_code.rstrip("0123456789.")
        has_days, has_times = format_name in SPSS_DAYS, format_name in SPSS_MOMENTS
        epoch, seconds = SPSS_EPOCH, values
    if not (has_days or has_times):
        return None
    present = np.isfinite(seconds)
    instants = epoch + np.where(present, np.round(seconds), 0).astype("timedelta64[s]")
    texts = np.datetime_as_string(instants, unit="D" if has_days else "s")
    return pd.Series(np.where(present, texts, ""), dtype="str")
