"""Detects how to read a raw file: format, encoding, delimiter, marks of numbers, sheet, header."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import islice, zip_longest
from pathlib import Path
from typing import Any

from pipeline.catalogue.fieldwork import Source
from pipeline.hashing import file_sha256
from pipeline.sources import apart, format_of, require_contents, sheets_of

MAX_LINES = 200  # looked at
DELIMITERS = (",", ";", "\t", "|")
DECIMAL = {",": re.compile(r"-?\d+,\d+"), ".": re.compile(r"-?\d+\.\d+")}
GROUPED = {
    ",": re.compile(r"-?[1-9]\d{0,2}(,\d{3})+(\.\d+)?"),
    ".": re.compile(r"-?[1-9]\d{0,2}(\.\d{3})+(,\d+)?"),
    " ": re.compile(r"-?[1-9]\d{0,2}([ \u00a0\u202f\u2009]\d{3})+([.,]\d+)?"),
    "'": re.compile(r"-?[1-9]\d{0,2}(['\u2019]\d{3})+([.,]\d+)?"),
}
SEVERAL = re.compile(r"\d{1,2}(,\d{1,2}){2,}")  # codes of several choices, and no number
NUMBER = re.compile(r"-?\d+([.,]\d+)?")
IMPORT_ID = re.compile(r'\{"ImportId":.*\}')  # of Qualtrics: the third row of its header
Row = Sequence[str]


def sniff(path: Path, given: Mapping[str, Any] | None = None) -> Source:
    """The pinned source of a raw file with the options that read it: those ``given``, the others guessed.

    Raises ProblemError for an unknown format.
    """
    source = Source("microdata", path.name, file_sha256(path), path.stat().st_size)
    source = replace(source, **given or {})
    return apart(source, _sniff, path, source, frozenset(given or ()))


def _sniff(path: Path, source: Source, given: frozenset[str]) -> Source:
    """In the reader's process."""
    kind = format_of(source)
    require_contents(path, source, kind)
    if kind == "csv":
        return _sniff_text(path, source, given)
    return _sniff_workbook(path, source, given) if kind == "xlsx" else source


def _sniff_text(path: Path, source: Source, given: frozenset[str]) -> Source:
    content = path.read_bytes()
    encoding = source.encoding or _encoding(content)
    text = content.decode(encoding, errors="replace")
    rows = {
        candidate: _rows(text, candidate)
        for candidate in (source.delimiter or None, *DELIMITERS)
        if candidate
    }
    best = max(rows, key=lambda candidate: _delimiter_score(rows[candidate]))
    delimiter = source.delimiter or best
    found = _with_header(
        replace(source, encoding=encoding.removesuffix("-sig"), delimiter=delimiter), rows[delimiter], given
    )
    body = rows[delimiter][found.skip_rows + found.header_rows :]
    decimal, thousands = _marks([[cell.strip() for cell in row] for row in body], delimiter)
    guessed: dict[str, Any] = {"decimal": decimal, "thousands": thousands}
    return replace(found, **{key: value for key, value in guessed.items() if key not in given})


def _encoding(content: bytes) -> str:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    for encoding in ("utf-8-sig", "cp1252"):
        try:
            content.decode(encoding)
        except UnicodeDecodeError:
            continue
        return encoding
    return "latin-1"  # reads every byte


def _rows(text: str, delimiter: str) -> list[list[str]]:
    reader = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), delimiter=delimiter)
    try:
        return list(islice(reader, MAX_LINES))
    except csv.Error:
        return []


def _delimiter_score(rows: Sequence[Row]) -> tuple[float, int]:
    """How well a delimiter explains a file: the share of rows that are as wide as most, then the width."""
    widths = Counter(len(row) for row in rows if row)
    width, times = max(widths.items(), key=lambda entry: (entry[1], entry[0]), default=(0, 0))
    return (times / widths.total() if width > 1 else 0.0, width)


def _marks(rows: Sequence[Row], delimiter: str) -> tuple[str, str]:
    """The decimal mark and the thousands separator. Digits in several groups (``1,234,567``) are thousands;
    so is ``1,500`` where the column has whole numbers beside it and nothing, as a semicolon between columns,
    says that the comma is the decimal mark.
    """
    columns = [[cell for cell in column if cell] for column in zip_longest(*rows, fillvalue="")]
    columns = [column for column in columns if not any(map(SEVERAL.fullmatch, column))]
    decimals = {
        mark: sum(
            bool(pattern.fullmatch(cell)) and not GROUPED[mark].fullmatch(cell)
            for column in columns
            for cell in column
        )
        for mark, pattern in DECIMAL.items()
    }
    several, grouped = {}, {}
    for mark, pattern in GROUPED.items():
        found = [[cell for cell in column if pattern.fullmatch(cell)] for column in columns]
        several[mark] = any(cell.count(mark) > 1 for cells in found for cell in cells)
        grouped[mark] = [
            any(cell.isdigit() for cell in column)
            for column, cells in zip(columns, found, strict=True)
            if cells
        ]
    if not decimals[","] and (several[","] or (any(grouped[","]) and delimiter != ";")):
        return ".", ","
    if (several["."] and not decimals["."]) or (any(grouped["."]) and decimals[","]):
        return ",", "."
    commas, points = (decimals[mark] + len(grouped[mark]) for mark in (",", "."))
    return "," if commas > points else ".", next((mark for mark in (" ", "'") if grouped[mark]), "")


def _with_header(source: Source, rows: Sequence[Row], given: frozenset[str]) -> Source:
    """The source with the rows above the header, and those of the header, as far as they are not given."""
    skipped = source.skip_rows if "skip_rows" in given else _titles(rows)
    below = rows[skipped:]
    names: dict[str, Any] = {}
    if len(below) > 3 and _are_import_ids(below[2]):
        names = {"header_rows": 3, "name_row": 1, "label_row": 2}
    elif not given.intersection(("header_rows", "name_row", "label_row")):
        names = {"header_rows": _header_rows(below)}
    guessed: dict[str, Any] = {"skip_rows": skipped, **names}
    return replace(source, **{key: value for key, value in guessed.items() if key not in given})


def _titles(rows: Sequence[Row]) -> int:
    """The rows above the header: blank, or with one cell where the table has three columns or more."""
    filled = [sum(bool(cell.strip()) for cell in row) for row in rows]
    if max(filled, default=0) < 3:
        return 0
    return next(number for number, cells in enumerate(filled) if cells > 1)


def _are_import_ids(row: Row) -> bool:
    cells = [cell.strip() for cell in row if cell.strip()]
    return bool(cells) and all(IMPORT_ID.fullmatch(cell) for cell in cells)


def _header_rows(rows: Sequence[Row]) -> int:
    """2 where the first row has gaps, as merged cells leave, and the second one is names; else 1."""
    if len(rows) < 3 or "" not in [cell.strip() for cell in rows[0][1:]]:
        return 1
    second = [cell.strip() for cell in rows[1] if cell.strip()]
    names = bool(second) and not any(NUMBER.fullmatch(cell) for cell in second)
    return 2 if names and any(NUMBER.fullmatch(cell.strip()) for cell in rows[2]) else 1


def _sniff_workbook(path: Path, source: Source, given: frozenset[str]) -> Source:
    """The sheet with most cells; a sheet of notes is smaller than the data."""
    sheets = sheets_of(path, source)
    largest = max(sheets, key=lambda name: len(sheets[name]) * max(map(len, sheets[name]), default=0))
    if source.sheet and source.sheet not in sheets:
        return source  # the reader says which there are
    named = source.sheet or (largest if len(sheets) > 1 else "")
    width = max(map(len, sheets[named or largest]), default=0)
    rows = [[*row, *[""] * (width - len(row))] for row in sheets[named or largest][:MAX_LINES]]
    return _with_header(replace(source, sheet=named), rows, given)
