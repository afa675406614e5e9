"""Reads SPSS and Stata files with their variable and value labels.

User-missing codes stay codes (SPSS "9", Stata ".a"): what they mean is the crosswalk's to say. Only a
system missing is blank. Dates are turned into ISO 8601 here, since the files store counts.
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
from pipeline.sources.layout import Column, place, unreadable

Labels = Mapping[str, str]
SPSS_DAYS = ("DATE", "ADATE", "EDATE", "SDATE", "JDATE", "QYR", "MOYR", "WKYR")
SPSS_MOMENTS = ("DATETIME", "YMDHMS")
SPSS_EPOCH, STATA_EPOCH = np.datetime64("1582-10-14", "s"), np.datetime64("1960-01-01", "s")
DAY = 86_400  # seconds


def read_labelled(path: Path, source: Source, kind: str) -> tuple[list[Column], Labels, Mapping[str, Labels]]:
    """The columns, variable labels and value labels of an SPSS (``sav``) or Stata (``dta``) file."""
    pyreadstat = optional("pyreadstat", "spss", file=place(source), key="source.file", value=source.file)
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
                    place(source),
                    "source.encoding",
                    "is not the encoding of the file's texts",
                    hint,
                    source.encoding,
                )
            ) from None
        raise ProblemError(unreadable(source, name)) from None
    formats = {column: str(written) for column, written in meta.original_variable_types.items()}
    columns: list[Column] = []
    for column in frame.columns:
        stored = str(meta.readstat_variable_types[column])
        columns.append((column, _stored(frame[column], formats[column], stored, kind)))
    labels = {column: label.strip() for column, label in meta.column_names_to_labels.items() if label}
    value_labels = {
        column: {_code(code, formats[column], kind): str(label).strip() for code, label in codes.items()}
        for column, codes in meta.variable_value_labels.items()
    }
    return columns, labels, value_labels


def _stored(column: pd.Series[Any], written: str, stored: str, kind: str) -> pd.Series[str]:
    if column.dtype.kind in "fiu":
        moments = _moments(column.to_numpy(dtype="float64"), written, kind)
        if moments is not None:
            return moments
        return text_column(column.to_numpy(dtype="float32" if stored == "float" else None))
    if kind == "dta" and stored != "string":  # numbers next to the letters of tagged missing values
        return pd.Series([_code(value, written, kind) for value in column], dtype="str")
    return text_column(list(column))


def _code(value: object, written: str, kind: str) -> str:
    """A code as text; Stata's tagged missing values, letters among numbers, with their dot."""
    tagged = kind == "dta" and isinstance(value, str) and not written.endswith("s")
    return f".{value}" if tagged else cell_text(value)


def _moments(values: np.ndarray[Any, Any], written: str, kind: str) -> pd.Series[str] | None:
    """Dates and times as ISO 8601, None when the column's format is not that of a date."""
    if kind == "dta":
        word = written.replace("-", "")
        days, moments = word.startswith(("%td", "%d")), word.startswith(("%tc", "%tC"))
        epoch, seconds = STATA_EPOCH, values * DAY if days else values / 1000
    else:
        word = written.rstrip("0123456789.")
        days, moments = word in SPSS_DAYS, word in SPSS_MOMENTS
        epoch, seconds = SPSS_EPOCH, values
    if not (days or moments):
        return None
    known = np.isfinite(seconds)
    instants = epoch + np.where(known, np.round(seconds), 0).astype("timedelta64[s]")
    texts = np.datetime_as_string(instants, unit="D" if days else "s")
    return pd.Series(np.where(known, texts, ""), dtype="str")
