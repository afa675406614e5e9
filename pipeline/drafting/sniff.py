"""Detects how to read a raw file: format, encoding, delimiter, decimal mark, sheet, header rows."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path

from pipeline.catalogue.fieldwork import Source
from pipeline.hashing import file_sha256
from pipeline.sources import apart, format_of, require_contents, sheets_of

MAX_LINES = 200  # looked at
DELIMITERS = (",", ";", "\t", "|")
COMMA_NUMBER, POINT_NUMBER = re.compile(r"-?\d+,\d+"), re.compile(r"-?\d+\.\d+")
NUMBER = re.compile(r"-?\d+([.,]\d+)?")


def sniff(path: Path) -> Source:
    """The pinned source of a raw file with the options that read it. ProblemError for an unknown format."""
    source = Source("microdata", path.name, file_sha256(path), path.stat().st_size)
    return apart(source, _sniff, path, source)


def _sniff(path: Path, source: Source) -> Source:
    """In the reader's process."""
    kind = format_of(source)
    require_contents(path, source, kind)
    if kind == "csv":
        return _sniff_text(path, source)
    return _sniff_workbook(path, source) if kind == "xlsx" else source


def _sniff_text(path: Path, source: Source) -> Source:
    content = path.read_bytes()
    encoding = _encoding(content)
    text = content.decode(encoding)
    rows = {candidate: _rows(text, candidate) for candidate in DELIMITERS}
    delimiter = max(DELIMITERS, key=lambda candidate: _delimiter_score(rows[candidate]))
    cells = [cell.strip() for row in rows[delimiter][1:] for cell in row]
    commas = sum(bool(COMMA_NUMBER.fullmatch(cell)) for cell in cells)
    points = sum(bool(POINT_NUMBER.fullmatch(cell)) for cell in cells)
    return replace(
        source,
        encoding=encoding.removesuffix("-sig"),
        delimiter=delimiter,
        decimal="," if commas > points else ".",
        header_rows=_header_rows(rows[delimiter]),
    )


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
        return [row for row in islice(reader, MAX_LINES) if row]
    except csv.Error:
        return []


def _delimiter_score(rows: Sequence[Sequence[str]]) -> tuple[float, int]:
    """How well a delimiter explains a file: the share of rows as wide as the header, then the width."""
    width = len(rows[0]) if rows else 0
    return (sum(len(row) == width for row in rows) / len(rows) if width > 1 else 0.0, width)


def _header_rows(rows: Sequence[Sequence[str]]) -> int:
    """2 where the first row has gaps, as merged cells leave, and the second one is names; else 1."""
    if len(rows) < 3 or "" not in [cell.strip() for cell in rows[0][1:]]:
        return 1
    second = [cell.strip() for cell in rows[1] if cell.strip()]
    names = bool(second) and not any(NUMBER.fullmatch(cell) for cell in second)
    return 2 if names and any(NUMBER.fullmatch(cell.strip()) for cell in rows[2]) else 1


def _sniff_workbook(path: Path, source: Source) -> Source:
    """The sheet with most cells; a sheet of notes is smaller than the data."""
    sheets = sheets_of(path, source)
    largest = max(sheets, key=lambda name: len(sheets[name]) * max(map(len, sheets[name]), default=0))
    width = max(map(len, sheets[largest]), default=0)
    rows = [[*row, *[""] * (width - len(row))] for row in sheets[largest][:MAX_LINES]]
    return replace(source, sheet=largest if len(sheets) > 1 else "", header_rows=_header_rows(rows))
