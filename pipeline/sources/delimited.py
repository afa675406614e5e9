"""Reads delimited text: any encoding and delimiter, quoted newlines, CRLF, a byte order mark.

Rows whose length differs from the header's are refused, with their line; nothing is guessed or padded.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from pipeline.catalogue.fieldwork import Source
from pipeline.problems import Problem, ProblemError, counted
from pipeline.sources import bounds
from pipeline.sources.layout import Column, header, is_single_byte, mojibake, raw_file_name, unreadable

DELIMITERS = (";", "\t", ",", "|")
TITLES = 30  # rows in which a title may stand above the header
MAX_RAGGED_ROWS = 5  # ragged rows that a message names


def read_delimited(path: Path, source: Source) -> tuple[list[Column], list[str]]:
    """The columns of a delimited text file, stripped, and the labels of its header. ProblemError on a wrong
    encoding or a ragged row.
    """
    content = path.read_bytes()
    _require_rows(content, source)
    text = decoded(content, source)
    del content
    delimiter = source.delimiter or ("\t" if path.suffix == ".tsv" else ",")
    if not (len(delimiter) == 1 and delimiter.isascii()):
        hint = "Write one character, such as ; or \\t."
        raise ProblemError(
            Problem(raw_file_name(source), "source.delimiter", "is not a single character", hint, delimiter)
        )
    text, above = _below(text, delimiter, source)
    table = _parsed(text, delimiter, _width(text, delimiter, source), source, above)
    cells = [pc.utf8_trim_whitespace(column) for column in table.columns]
    head = [[column[row].as_py() for column in cells] for row in range(min(source.header_rows, len(table)))]
    body = _without_blank_end(
        [column.slice(source.header_rows).to_pandas().astype("str") for column in cells]
    )
    names, labels = header(head, source, len(cells))
    return list(zip(names, body, strict=True)), labels


def _without_blank_end(body: list[pd.Series[str]]) -> list[pd.Series[str]]:
    """The columns without the blank rows at the end, which spreadsheets write; as of a workbook."""
    if not body or any(column.iloc[-1:].ne("").any() for column in body):
        return body
    filled = np.any([column.ne("").to_numpy() for column in body], axis=0).nonzero()[0]
    return [column.iloc[: filled[-1] + 1 if len(filled) else 0] for column in body]


def _require_rows(content: bytes, source: Source) -> None:
    """Refuses a line that is longer than any row, before it is read as one."""
    start, line = 0, 1
    while len(content) - start > bounds.MOST_IN_ROW:
        end = content.rfind(b"\n", start, start + bounds.MOST_IN_ROW)
        if end < 0:
            line += content.count(b"\n", 0, start)
            message = f"is longer than {bounds.MOST_IN_ROW >> 20} MB, which no row is"
            hint = "Check that this is a text file with a line for each row."
            raise ProblemError(Problem(raw_file_name(source), f"line {line}", message, hint))
        start = end + 1


def decoded(content: bytes, source: Source) -> str:
    """The text of a file in its declared encoding (UTF-8 when none is), without byte order mark."""
    encoding = source.encoding or "utf-8"
    try:
        text = content.decode(encoding)
    except LookupError:
        hint = "Name an encoding such as utf-8, cp1252 or utf-16."
        raise ProblemError(
            Problem(raw_file_name(source), "source.encoding", "is not a known encoding", hint, encoding)
        ) from None
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        message = f"byte 0x{content[error.start]:02X} on line {line} is not {encoding}"
        raise ProblemError(
            Problem(raw_file_name(source), "source.encoding", message, _encoding_hint(encoding), encoding)
        ) from None
    if is_single_byte(encoding) and _is_utf8(content):
        raise ProblemError(mojibake(source))
    if "\0" in text:
        raise ProblemError(
            Problem(
                raw_file_name(source),
                "source.encoding",
                "the text contains NUL characters",
                _encoding_hint("utf-16"),
                encoding,
            )
        )
    return text.removeprefix("\ufeff")


def _is_utf8(content: bytes) -> bool:
    """Whether there are texts beyond ASCII, and all of them are UTF-8, which hardly happens by chance."""
    try:
        return not content.isascii() and bool(content.decode("utf-8"))
    except UnicodeDecodeError:
        return False


def _encoding_hint(encoding: str) -> str:
    likely = "cp1252" if encoding.lower().replace("_", "-").startswith("utf-8") else "utf-16 or utf-8"
    return f"Set source.encoding in the wave file to the encoding that the producer used, often {likely}."


def _below(text: str, delimiter: str, source: Source) -> tuple[str, int]:
    """The text from the header on, and the number of lines above it."""
    if not source.skip_rows:
        return text, 0
    stream = io.StringIO(text, newline="")
    reader = csv.reader(stream, delimiter=delimiter)
    try:
        for _ in range(source.skip_rows):
            next(reader, None)
    except csv.Error:
        raise ProblemError(unreadable(source, "CSV: a quote is not closed above its header")) from None
    rest = stream.read()
    if not rest.strip():
        message, hint = "leaves no row of the file", "Count the rows above the header."
        problem = Problem(raw_file_name(source), "source.skip_rows", message, hint, str(source.skip_rows))
        raise ProblemError(problem)
    return rest, reader.line_num


def _width(text: str, delimiter: str, source: Source) -> int:
    """The number of columns, by the header; a header that another delimiter splits is refused."""
    try:
        first = [row for _, row in islice(_rows(text, delimiter), TITLES)]
    except csv.Error:  # a cell of more than 128 kB
        raise ProblemError(unreadable(source, "CSV: its header is no row of names")) from None
    header = first[0] if first else []
    if not header:
        raise ProblemError(
            Problem(raw_file_name(source), "", "is empty", "Put the delivered file there again.")
        )
    other = _other_delimiter(text) if len(header) == 1 else None
    if other:
        hint = f"Set source.delimiter = {json.dumps(other)} in the wave file if that separates the columns."
        message = "only one column was found"
        raise ProblemError(Problem(raw_file_name(source), "source.delimiter", message, hint, delimiter))
    if len(header) > bounds.MOST_COLUMNS:
        message = f"has {len(header):,} columns, more than the {bounds.MOST_COLUMNS:,} that a file may have"
        hint = "Check source.delimiter, and that the first line is the header."
        raise ProblemError(Problem(raw_file_name(source), "", message, hint))
    return len(header)


def _other_delimiter(text: str) -> str | None:
    """The delimiter that splits the header and every row below it alike, if there is one."""
    for each in DELIMITERS:
        widths = {len(row) for _, row in islice(_rows(text, each), TITLES)}
        if len(widths) == 1 and widths != {1}:
            return each
    return None


def _parsed(text: str, delimiter: str, width: int, source: Source, above: int) -> pa.Table:
    if text.count('"') % 2 and _has_open_quote(text, delimiter):
        raise ProblemError(unreadable(source, "CSV: a quote is not closed"))
    names = [str(position) for position in range(width)]
    try:
        return pyarrow.csv.read_csv(
            io.BytesIO(text.encode()),
            read_options=pyarrow.csv.ReadOptions(column_names=names, block_size=bounds.MOST_IN_ROW),
            parse_options=pyarrow.csv.ParseOptions(delimiter=delimiter, newlines_in_values=True),
            convert_options=pyarrow.csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False
            ),
        )
    except pa.ArrowInvalid:
        raise ProblemError(_ragged(text, delimiter, width, source, above)) from None


def _title(text: str, delimiter: str, width: int, source: Source) -> Problem | None:
    """The problem of a file whose rows are all as wide as each other below what seems to be a title."""
    try:
        rows = [len(row) for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)]
    except csv.Error:
        return None
    wide = next((place for place, cells in enumerate(rows[:TITLES]) if cells >= 2 * width), len(rows))
    below = [cells for cells in rows[wide:] if cells]
    if len(below) < 2 or len(set(below)) > 1:
        return None
    message = f"row {source.skip_rows + 1} has {counted(width, 'cell')}, and every row from row "
    message += f"{source.skip_rows + wide + 1} on has {below[0]}"
    hint = f"If what stands above them is a title, set source.skip_rows = {source.skip_rows + wide}."
    return Problem(raw_file_name(source), "source.skip_rows", message, hint)


def _rows(text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """The line on which each row ends, and its cells; blank lines are no rows."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    for row in reader:
        if row:
            yield reader.line_num, row


def _has_open_quote(text: str, delimiter: str) -> bool:
    """Whether a quoted cell runs to the end of the file, having swallowed every row on its way."""
    try:
        for _ in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True):
            pass
    except csv.Error:
        return True
    return False


def _ragged(text: str, delimiter: str, width: int, source: Source, above: int) -> list[Problem]:
    """The rows that are longer or shorter than the header, by line; their cells are not shown."""
    problems: list[Problem] = []
    if title := _title(text, delimiter, width, source):
        return [title]
    hint = "Correct the line, or check source.delimiter and the quotes around texts."
    try:
        for line, row in _rows(text, delimiter):
            if len(row) != width and len(problems) < MAX_RAGGED_ROWS:
                message = f"the row has {counted(len(row), 'cell')}, the header {width}"
                problems.append(Problem(raw_file_name(source), f"line {above + line}", message, hint))
    except csv.Error:
        pass  # a cell too long for the reader: a quote is not closed
    return problems or [unreadable(source, "CSV")]
