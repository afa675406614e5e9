"""The normal form of a cell as text, and how it becomes a number again.

Every format gives the same texts, so that one crosswalk fits a CSV and an SPSS file: a whole
number is "1", another number its shortest form with a point, a date ISO 8601, a time of day or a duration
"07:30:00", a blank cell "".
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd

from pipeline.catalogue.counts import LEAST, MOST
from pipeline.catalogue.fieldwork import Source, Wave
from pipeline.problems import Problem, ProblemError
from pipeline.sources.layout import raw_file_name
from pipeline.sources.shown import counted, listed

SEPARATORS = {  # of thousands, and the characters that each stands for
    ",": ",",
    ".": ".",
    " ": " \u00a0\u202f\u2009",
    "'": "'\u2019",
}
CLOCK = re.compile(r"(-?)(\d+):([0-5]\d):([0-5]\d)(\.\d+)?")
MANY_GROUPED = 5  # texts such as 1.234, and none of another form: hardly all of them have three decimals


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
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    if isinstance(value, time):
        return clock_text(value.hour * 3600 + value.minute * 60 + value.second + value.microsecond / 1e6)
    if isinstance(value, timedelta):
        return clock_text(value.total_seconds())
    raise TypeError(type(value).__name__)


def _number_text(value: float | np.floating[Any]) -> str:
    if np.isnan(value):
        return ""
    if np.isfinite(value) and float(value).is_integer():
        return str(int(value))
    return str(value)  # numpy and Python both write the shortest text that reads back as the same number


def clock_text(seconds: float) -> str:
    """A time of day or a duration as hours, minutes and seconds, to the millisecond."""
    whole, rest = divmod(round(abs(seconds) * 1000), 1000)
    sign = "-" if seconds < 0 and (whole or rest) else ""
    fraction = f".{rest:03}".rstrip("0") if rest else ""
    return f"{sign}{whole // 3600:02}:{whole // 60 % 60:02}:{whole % 60:02}{fraction}"


def in_seconds(text: str) -> str:
    """The seconds of a text as ``clock_text`` writes it, as text; any other text as it is."""
    found = CLOCK.fullmatch(text)
    if not found:
        return text
    sign, hours, minutes, seconds, fraction = found.groups()
    return f"{sign}{int(hours) * 3600 + int(minutes) * 60 + int(seconds)}{fraction or ''}"


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
    """A text column of a raw file as numbers, by its decimal mark and thousands separator; blank is NaN.
    A time of day or a duration is its seconds.

    Raises ProblemError naming the column, and counting the rows, where a text is not a finite number or its
    size is no real one's.
    """
    mark, other_mark = _marks(wave.source)
    plain = ungrouped(column, wave.source)
    if (clock := plain.str.contains(":", regex=False)).any():
        clock &= plain.str.fullmatch(CLOCK)
        plain = plain.mask(clock, plain.map(in_seconds).str.replace(".", mark, regex=False))
    parsed: pd.Series[float] = pd.to_numeric(
        plain.str.replace(mark, ".", regex=False), errors="coerce"
    ).astype("float64")
    misread = (plain != "") & (~np.isfinite(parsed) | plain.str.contains(other_mark, regex=False))
    problems = []
    if misread.any():
        question, hint = _advice(column[misread], wave.source)
        message = f"{counted(column[misread])} not a number with the decimal mark '{mark}'{question}"
        problems.append(
            Problem(
                raw_file_name(wave.source), f"column {name}", message, hint, listed(column[misread]), wave.key
            )
        )
    if not misread.any() and _seems_grouped(plain, wave.source):
        message = f"may hold thousands: '{mark}' stands before three digits, next to whole numbers below 1000"
        hint = (
            f'Set source.decimal = "{other_mark}" and source.thousands = "{mark}" if it separates thousands; '
            'source.thousands = "" if it is the decimal mark.'
        )
        grouped = plain[plain.str.contains(mark, regex=False)]
        problems.append(
            Problem(raw_file_name(wave.source), f"column {name}", message, hint, listed(grouped), wave.key)
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


def _seems_grouped(column: pd.Series[str], source: Source) -> bool:
    """Whether what is read as decimals is rather thousands: 1.200 for 1200, next to 45.

    Decimals have neither three digits throughout, unless whole numbers have them too (45.000), nor an end in
    0, unless all have as many. Whoever declares a separator of thousands has said what the mark is.
    """
    mark, _ = _marks(source)
    texts = [str(text) for text in column.unique() if text]
    marked = [text for text in texts if mark in text]
    whole = [text for text in texts if mark not in text]
    if source.thousands is not None or not (marked and whole):
        return False
    return (
        all(re.fullmatch(_one_group(mark), text) for text in marked)
        and all(re.fullmatch(r"[-+]?\d{1,3}", text) for text in whole)
        and (len(marked) >= MANY_GROUPED or any(text.endswith("0") for text in marked))
    )


def ungrouped(column: pd.Series[str], source: Source) -> pd.Series[str]:
    """A text column, its numbers without the declared separator where it parts groups of three."""
    if not source.thousands:
        return column
    grouped = column.str.fullmatch(_groups(source.thousands, _marks(source)[0]))
    return column.mask(grouped, column.str.replace(f"[{SEPARATORS[source.thousands]}]", "", regex=True))


def maybe_grouped(column: pd.Series[str], source: Source) -> bool:
    """Whether the decimal mark of a column may part thousands: every number that has it has one to three
    digits before it, the first no 0, and three after it; and nobody declared whether thousands are parted.

    What a program stored as a number is written in its shortest form, so that only texts end in 0.
    """
    mark, _ = _marks(source)
    if source.thousands is not None:
        return False
    marked = column[column.str.contains(mark, regex=False)].drop_duplicates()
    grouped = marked.str.fullmatch(_one_group(mark))
    texts = source.file_format == "csv" or marked.str.endswith("0").any()
    return bool(len(marked) and texts and grouped.all())


def number_of(text: str, source: Source) -> float | None:
    """A text as ``numbers`` reads it; None for one that is no number."""
    mark, _ = _marks(source)
    if source.thousands and re.fullmatch(_groups(source.thousands, mark), text):
        text = re.sub(f"[{SEPARATORS[source.thousands]}]", "", text)
    text = in_seconds(text).replace(".", mark) if CLOCK.fullmatch(text) else text
    found = re.fullmatch(rf"[-+]?\d*(?:{re.escape(mark)}\d+)?(?:[eE][-+]?\d+)?", text)
    return float(text.replace(mark, ".")) if found and any(map(str.isdigit, text)) else None


def _one_group(mark: str) -> str:
    """What may be decimals or thousands: 1.500."""
    return rf"[-+]?[1-9]\d{{0,2}}{re.escape(mark)}\d{{3}}"


def _marks(source: Source) -> tuple[str, str]:
    """The decimal mark, and the one that it is not."""
    return (",", ".") if source.decimal == "," else (".", ",")


def _groups(thousands: str, mark: str) -> str:
    """The pattern of a number whose digits are separated in groups of three."""
    return rf"[-+]?\d{{1,3}}(?:[{SEPARATORS[thousands]}]\d{{3}})+(?:{re.escape(mark)}\d+)?"


def _advice(misread: pd.Series[str], source: Source) -> tuple[str, str]:
    """What texts that are not read as numbers seem to be, and what to do. A mark between groups of three
    digits is never taken for the decimal one: 1,500 would be 1.5.
    """
    mark, other_mark = _marks(source)
    texts = [str(text) for text in misread.unique()]
    blank = "List texts that mean a blank in source.missing, or map them in the crosswalk."
    grouped = re.compile(_groups(mark, other_mark))
    if any(grouped.fullmatch(text) and (other_mark in text or text.count(mark) > 1) for text in texts):
        hint = f'Set source.decimal = "{other_mark}" and source.thousands = "{mark}" if those are the marks.'
        return "", f"{hint} {blank}"
    separated = {
        separator: {text for text in texts if re.fullmatch(_groups(separator, mark), text)}
        for separator in (other_mark, *(each for each in SEPARATORS if each not in (mark, other_mark)))
        if separator != source.thousands
    }
    decimal = rf"[-+]?\d*{re.escape(other_mark)}\d+"
    if any(re.fullmatch(decimal, text) and text not in separated.get(other_mark, ()) for text in texts):
        return "", f'Set source.decimal = "{other_mark}" if that is the mark. {blank}'
    found = next((separator for separator, fitting in separated.items() if fitting), None)
    if found is not None:
        hint = f'Set source.thousands = "{found}" if it separates thousands. {blank}'
        return ": thousands separator?", hint
    return "", blank
