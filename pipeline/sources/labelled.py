"""Reads SPSS, Stata and SAS files with what they say of their columns.

User-missing codes stay codes (SPSS "9", Stata ".a", SAS ".A"): what they mean is the crosswalk's to say, and
that the file declares them missing is handed on. Only a system missing is blank. Dates are turned into
ISO 8601 here, since the files store counts.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pipeline.catalogue.fieldwork import Source
from pipeline.extras import optional
from pipeline.problems import Problem, ProblemError
from pipeline.sources.cells import cell_text, clock_text, padded, text_column
from pipeline.sources.layout import Column, is_single_byte, mojibake, raw_file_name, unreadable
from pipeline.sources.metadata import FileMetadata, Missing, MultipleSet

PROGRAMS = {"sav": "SPSS", "dta": "Stata", "sas7bdat": "SAS", "xpt": "a SAS transport file"}
SAS = ("sas7bdat", "xpt")
SPSS_DAYS = ("DATE", "ADATE", "EDATE", "SDATE", "JDATE", "QYR", "MOYR", "WKYR")
SPSS_MOMENTS = ("DATETIME", "YMDHMS")
SPSS_TIMES = ("TIME", "DTIME", "MTIME")
SAS_DAYS = re.compile(
    "DATE|(YYMMDD|DDMMYY|MMDDYY)[A-Z]?|(E|B|IS)8601DA|MONYY|YYMM[A-Z]?|WEEKDAT[EX]|WORDDAT[EX]|JULIAN"
)
SAS_MOMENTS = re.compile("DATETIME|DATEAMPM|(E|B|IS)8601DT|MDYAMPM")
SAS_TIMES = re.compile("TIME|TIMEAMPM|HHMM|MMSS|TOD|(E|B|IS)8601TM")
STATA_TIME = re.compile(r"%tc(?=.*h)[hms:.,_ ap]+", re.IGNORECASE)  # of a moment, the time of day alone
FILLED = {"sav": re.compile(r"N(\d+)"), "dta": re.compile(r"%0(\d+)\.0[fg]"), "sas": re.compile(r"Z(\d+)")}
SPSS_EPOCH, EPOCH_1960 = np.datetime64("1582-10-14", "s"), np.datetime64("1960-01-01", "s")
DAY = 86_400  # seconds


def read_labelled(path: Path, source: Source, kind: str) -> tuple[list[Column], FileMetadata]:
    """The columns and the metadata of an SPSS, Stata or SAS file: ``sav``, ``dta``, ``sas7bdat`` or ``xpt``.

    Raises ProblemError when it cannot be read, or its texts are in another encoding.
    """
    frame, meta = _read(path, source, kind)
    if is_single_byte(source.encoding) and _speaks(meta, frame) and _reads_as_utf8(path, source, kind):
        raise ProblemError(mojibake(source))
    formats = {column: str(written or "") for column, written in meta.original_variable_types.items()}
    columns: list[Column] = []
    for column in frame.columns:
        stored = str(meta.readstat_variable_types[column])
        columns.append((column, _stored(frame[column], formats[column], stored, kind)))
    labels = {column: label.strip() for column, label in meta.column_names_to_labels.items() if label}
    value_labels = {
        column: {_code(code, formats[column], kind): str(label).strip() for code, label in codes.items()}
        for column, codes in meta.variable_value_labels.items()
    }
    sets = {
        name: MultipleSet(
            (each["label"] or "").strip(),
            tuple(each["variable_list"]),
            cell_text(each["counted_value"]) if each["is_dichotomy"] else "",
        )
        for name, each in meta.mr_sets.items()
    }
    return columns, FileMetadata(labels, value_labels, _missing(meta, formats, kind), sets)


def _read(path: Path, source: Source, kind: str) -> tuple[pd.DataFrame, Any]:
    pyreadstat = optional(
        "pyreadstat", "spss", file=raw_file_name(source), key="source.file", value=source.file
    )
    read = {
        "sav": pyreadstat.read_sav,
        "dta": pyreadstat.read_dta,
        "sas7bdat": pyreadstat.read_sas7bdat,
        "xpt": pyreadstat.read_xport,
    }[kind]
    options: dict[str, Any] = {} if kind == "xpt" else {"user_missing": True}
    # UTF-8 hardly ever reads by chance: it is tried first, since old files often hold it and say otherwise
    guesses = ["UTF-8", None, "WINDOWS-1252"] if kind in ("sav", "dta") else [None]
    for encoding in [source.encoding] if source.encoding else guesses:
        try:
            frame, meta = read(str(path), disable_datetime_conversion=True, encoding=encoding, **options)
            return frame, meta
        except (
            pyreadstat.ReadstatError,
            pyreadstat.PyreadstatError,
            UnicodeDecodeError,
            SystemError,
        ) as error:
            if "allocate memory" in str(error):
                raise MemoryError from None
            if not ("encoding" in str(error).lower() or isinstance(error, (UnicodeDecodeError, SystemError))):
                raise ProblemError(unreadable(source, PROGRAMS[kind])) from None
    hint = "Set source.encoding in the wave file to what the producer used, often cp1252."
    raise ProblemError(
        Problem(
            raw_file_name(source), "source.encoding", "holds text in another encoding", hint, source.encoding
        )
    )


def _speaks(meta: Any, frame: pd.DataFrame) -> bool:
    """Whether the file has texts beyond ASCII: in its names, labels or cells."""
    said = [*meta.column_names, *map(str, meta.column_labels), str(meta.variable_value_labels)]
    texts = (frame[name] for name in frame if frame[name].dtype.kind not in "fiu")
    return not all(map(str.isascii, said)) or any(
        not all(str(text).isascii() for text in cells.unique()) for cells in texts
    )


def _reads_as_utf8(path: Path, source: Source, kind: str) -> bool:
    try:
        _read(path, replace(source, encoding="UTF-8"), kind)
    except ProblemError:
        return False
    return True


def _missing(meta: Any, formats: Mapping[str, str], kind: str) -> dict[str, Missing]:
    """SPSS declares single codes and ranges; the letters of Stata and SAS are missing by what they are."""
    if kind != "sav":
        lettered = {
            column: tuple(sorted(f".{letter}" for letter in letters))
            for column, letters in meta.missing_user_values.items()
        }
        return {column: Missing(codes) for column, codes in lettered.items() if codes}
    found = {}
    for column, declared in meta.missing_ranges.items():
        ends = [(each["lo"], each["hi"]) for each in declared]
        single = tuple(_code(low, formats[column], kind) for low, high in ends if low == high)
        found[column] = Missing(single, tuple((float(low), float(high)) for low, high in ends if low < high))
    return found


def _stored(column: pd.Series[Any], written: str, stored: str, kind: str) -> pd.Series[str]:
    if column.dtype.kind in "fiu":
        moments = _moments(column.to_numpy(dtype="float64"), written, kind)
        if moments is not None:
            return moments
        cells = text_column(column.to_numpy(dtype="float32" if stored == "float" else None))
        return _as_shown(cells, written, kind)
    if kind != "sav" and stored != "string":  # numbers next to the letters of tagged missing values
        return pd.Series([_code(value, written, kind) for value in column], dtype="str")
    return text_column(list(column))


def _as_shown(cells: pd.Series[str], written: str, kind: str) -> pd.Series[str]:
    """Numbers whose format means something: leading zeros, times of day, and per cents of SAS."""
    percent = kind in SAS and written.startswith("PERCENT")
    if not (percent or _width(written, kind) or _is_time(written, kind)):
        return cells
    places, distinct = pd.factorize(cells)
    return pd.Series(
        np.array([_shown(text, written, kind) for text in distinct], dtype=object)[places], dtype="str"
    )


def _shown(text: str, written: str, kind: str) -> str:
    if text and kind in SAS and written.startswith("PERCENT"):
        return cell_text(Decimal(text).scaleb(2))
    if text and _is_time(written, kind):
        return _time(float(text), written, kind)
    return padded(text, _width(written, kind))


def _is_time(written: str, kind: str) -> bool:
    """Whether a format is that of a time of day or a duration."""
    if kind == "dta":
        return bool(STATA_TIME.fullmatch(written.replace("-", "")))
    word = written.rstrip("0123456789.")
    return bool(SAS_TIMES.fullmatch(word)) if kind in SAS else word in SPSS_TIMES


def _time(number: float, written: str, kind: str) -> str:
    """A stored time as it is shown: of a moment, the time of day."""
    if not math.isfinite(number):
        return cell_text(number)
    seconds = number / 1000 if kind == "dta" else number
    return clock_text(seconds % DAY if kind == "dta" or written.startswith("TOD") else seconds)


def _width(written: str, kind: str) -> int:
    """The width that a format fills with leading zeros; 0 when it does not."""
    filled = FILLED["sas" if kind in SAS else kind].fullmatch(written.removesuffix(".0"))
    return int(filled[1]) if filled else 0


def _code(value: object, written: str, kind: str) -> str:
    """A code as text; the tagged missing values of Stata and SAS, letters among numbers, with their dot."""
    character = written.startswith("$") if kind in SAS else written.endswith("s")
    tagged = kind != "sav" and isinstance(value, str) and not character
    return f".{value}" if tagged else _shown(cell_text(value), written, kind)


def _moments(values: np.ndarray[Any, Any], written: str, kind: str) -> pd.Series[str] | None:
    """Days and moments as ISO 8601, None when the column's format is not that of one."""
    if _is_time(written, kind):
        return None
    if kind == "dta":
        word = written.replace("-", "")
        days, moments = word.startswith(("%td", "%d")), word.startswith(("%tc", "%tC"))
        epoch, seconds = EPOCH_1960, values * DAY if days else values / 1000
    elif kind in SAS:
        word = written.rstrip("0123456789.")
        days, moments = bool(SAS_DAYS.fullmatch(word)), bool(SAS_MOMENTS.fullmatch(word))
        epoch, seconds = EPOCH_1960, values * DAY if days else values
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
