"""Reads a sheet of an Excel workbook as text: what a cell says to a reader, not only what is stored.

Number formats are read where they carry meaning: a percentage is the number of per cents that is shown, a
date without time a day, `0000` keeps leading zeros. An error cell is its error (`#N/A`), never a blank.
"""

from __future__ import annotations

import math
import re
import warnings
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, time
from decimal import Decimal
from functools import cache, lru_cache
from itertools import islice
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
from openpyxl.utils import get_column_letter, range_boundaries

from pipeline.catalogue.fieldwork import Source
from pipeline.problems import Problem, ProblemError
from pipeline.sources import bounds
from pipeline.sources.cells import cell_text, padded
from pipeline.sources.layout import Column, header, raw_file_name, unreadable

# of a number format: what is shown as it is, or a colour
LITERAL = re.compile(r'"[^"]*"|\\.|_.|\[(?!h+\]|m+\]|s+\])[^\]]*\]')
ZEROS = re.compile(r"0{2,}")
FORMULA, FORMULA_LENGTH = re.compile(rb"<(?:\w{1,8}:)?f[ >/]"), 16  # of a sheet's XML
MERGED, MERGED_LENGTH = re.compile(rb'<(?:\w{1,8}:)?mergeCell [^<>]*?ref="([A-Z]{1,3}\d+:[A-Z]{1,3}\d+)"'), 64
PERCENT, DAY = "percent", "day"
Rows = list[list[str]]


def read_workbook(path: Path, source: Source) -> tuple[list[Column], list[str]]:
    """The columns of the declared sheet of an Excel workbook, else of the first, and the labels of its
    header; blank rows at the end are dropped.

    Raises ProblemError for what is no workbook, unpacks to much more than it is, has no such sheet, or has
    cells far from its table or formulas without a value.
    """
    with _opened(path, source) as sheets:
        if source.sheet and source.sheet not in sheets:
            hint = f"Set source.sheet in the wave file to one of: {', '.join(sheets)}."
            raise ProblemError(
                Problem(
                    raw_file_name(source),
                    "source.sheet",
                    "is not a sheet of the workbook",
                    hint,
                    source.sheet,
                )
            )
        name = source.sheet or next(iter(sheets))
        if not source.sheet and sheets[name].sheet_state != "visible":
            hint = f"Set source.sheet to the one with the data: {', '.join(sheets)}."
            message = "is hidden, and the first of the workbook: the others are what a reader sees"
            raise ProblemError(Problem(raw_file_name(source), "source.sheet", message, hint, name))
        rows = _rows(sheets[name], source)
        _require_unmerged(sheets[name], source.skip_rows + source.header_rows, len(rows), source)
        if _has_formulas(path):
            with _opened(path, source, formulas=True) as written:
                _require_computed(sheets[name], written[name], len(rows), source)
    rows = rows[source.skip_rows :]
    head, body = rows[: source.header_rows], rows[source.header_rows :]
    width = max(map(len, rows), default=0)
    names, labels = header([[*row, *[""] * (width - len(row))] for row in head], source, width)
    return [(name, _column(body, place)) for place, name in enumerate(names)], labels


def _column(rows: Rows, place: int) -> pd.Series[str]:
    return pd.Series([row[place] if place < len(row) else "" for row in rows], dtype="str")


def sheets_of(path: Path, source: Source) -> dict[str, Rows]:
    """Every sheet's rows as text, for those who look for the one with the data. Raises ProblemError."""
    with _opened(path, source) as sheets:
        return {name: _rows(sheet, source) for name, sheet in sheets.items()}


@contextmanager
def _opened(path: Path, source: Source, formulas: bool = False) -> Iterator[Mapping[str, Any]]:
    """The sheets of a workbook by name, with values or ``formulas``; whatever its libraries stumble over is
    told as what it is.
    """
    try:
        _require_packed(path, source)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about styles and extensions, which hold no data
            book = openpyxl.load_workbook(path, read_only=True, data_only=not formulas)
            try:
                yield {sheet.title: sheet for sheet in book.worksheets}
            finally:
                book.close()
    except (ProblemError, MemoryError):
        raise
    except Exception as error:  # XML, zip and openpyxl have each their own family of errors
        raise ProblemError(unreadable(source, "an Excel workbook")) from error


def _require_packed(path: Path, source: Source) -> None:
    """Refuses a workbook with a password, and a small one that would fill the memory."""
    with zipfile.ZipFile(path) as archive:
        parts = archive.infolist()
    if any(part.flag_bits & 1 for part in parts):
        hint = "Save it without a password."
        raise ProblemError(Problem(raw_file_name(source), "source.file", "is encrypted", hint))
    unpacked = sum(part.file_size for part in parts)
    if unpacked > max(bounds.SMALL, bounds.MOST_UNPACKED * path.stat().st_size):
        message = f"unpacks to {unpacked / 1e6:,.0f} MB, more than {bounds.MOST_UNPACKED} times its size"
        hint = "Check who made it; save it anew in Excel, or as CSV."
        raise ProblemError(Problem(raw_file_name(source), "source.file", message, hint))


def _rows(sheet: Any, source: Source) -> Rows:
    """The rows of a sheet, each up to its last cell that says something."""
    sheet.reset_dimensions()  # what a sheet says of its own size may be wrong
    rows: Rows = []
    filled = width = 0
    for number, cells in enumerate(sheet.iter_rows(), 1):
        texts = [_text(cell) for cell in cells]
        while texts and not texts[-1]:
            texts.pop()
        if number > bounds.MOST_ROWS or (texts and number - filled - 1 > bounds.MOST_BLANK_ROWS):
            raise ProblemError(_far(source, number, len(texts) or 1))
        rows.append(texts)
        if texts:
            filled, width = number, max(width, len(texts))
            if number * width > bounds.MOST_CELLS:
                raise ProblemError(_far(source, number, len(texts)))
    return rows[:filled]


def _require_unmerged(sheet: Any, header: int, last: int, source: Source) -> None:
    """Refuses merged cells in the table: what they show in every row is stored in the first alone."""
    found, end = list[bytes](), b""
    with sheet._get_source() as file:  # a sheet read row by row tells no other way
        while block := file.read(1 << 20):
            text = end + block
            found += [match[1] for match in MERGED.finditer(text)]
            end = text[text.rfind(b"<") :][-MERGED_LENGTH:]
    inside = []
    for ref in dict.fromkeys(each.decode() for each in found):
        _, first, _, end_row = range_boundaries(ref)
        if first < end_row and end_row > header and first <= last:
            inside.append(ref)
    if inside:
        more = f", as are {len(inside) - 1} more" if inside[1:] else ""
        hint = "Split them in Excel and write into every row what it says; in the header they may stay."
        message = f"is merged, below the header{more}: only its first row would have the value"
        raise ProblemError(Problem(raw_file_name(source), f"cells {inside[0]}", message, hint))


def _has_formulas(path: Path) -> bool:
    with zipfile.ZipFile(path) as archive:
        for part in archive.namelist():
            if not part.startswith("xl/worksheets/"):
                continue
            with archive.open(part) as file:
                end = b""
                while block := file.read(1 << 20):
                    if FORMULA.search(end + block):
                        return True
                    end = block[-FORMULA_LENGTH:]
    return False


def _require_computed(values: Any, written: Any, rows: int, source: Source) -> None:
    """Refuses formulas that nobody has computed: a program wrote them, and no value beside them."""
    written.reset_dimensions()
    pairs = zip(values.iter_rows(), written.iter_rows(), strict=True)
    found = [
        formula.coordinate
        for cells, formulas in islice(pairs, rows)
        for cell, formula in zip(cells, formulas, strict=True)
        if formula.data_type == "f" and cell.value is None and cell.data_type == "n"
    ]
    if found:
        hint = "Open the workbook in Excel or LibreOffice and save it there, or deliver values."
        message = (
            f"holds a formula without a value, as do {len(found) - 1} more"
            if found[1:]
            else ("holds a formula without a value")
        )
        raise ProblemError(Problem(raw_file_name(source), f"cell {found[0]}", message, hint))


def _far(source: Source, row: int, column: int) -> Problem:
    message = "stands far below or beside the table"
    hint = "Delete the rows and columns beyond the table, or move it to a sheet of its own (source.sheet)."
    return Problem(raw_file_name(source), f"cell {get_column_letter(column)}{row}", message, hint)


def _text(cell: Any) -> str:
    value = cell.value
    if value is None:
        return ""
    return value.strip() if isinstance(value, str) else _shown(value, cell.number_format)


@lru_cache(maxsize=1 << 16, typed=True)
def _shown(value: Any, number_format: str) -> str:
    """A number, moment or truth value as its format shows it, where that says what it is."""
    meaning = _meaning(number_format)
    if isinstance(value, datetime):
        return cell_text(value.date() if meaning == DAY and value.time() == time() else value)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        return cell_text(value)
    if meaning == PERCENT:
        return cell_text(Decimal(repr(value)).scaleb(2))
    return padded(cell_text(value), meaning) if isinstance(meaning, int) else cell_text(value)


@cache
def _meaning(number_format: str) -> str | int:
    """What a number format says of a value: percent, day, the width that zeros fill it to, or 0."""
    shown = LITERAL.sub("", number_format.partition(";")[0])
    if "%" in shown:
        return PERCENT
    if ZEROS.fullmatch(shown):
        return len(shown)
    return DAY if not re.search("[hs]", shown, re.IGNORECASE) else 0
