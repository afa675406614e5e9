"""What the readers share: columns of text, header names, and the file's name in problems."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from itertools import groupby
from typing import Any

import pandas as pd

from pipeline.catalogue.fieldwork import Source
from pipeline.problems import Problem, ProblemError, shown

REPEATED = re.compile(r"(.*) \((\d+)\)", re.DOTALL)  # a name that occurs more than once, numbered
MOST_NAMES = 30  # columns that a message names

Column = tuple[str, "pd.Series[str]"]  # name and cells


def raw_file_name(source: Source) -> str:
    """The raw file's name in a problem: its address, or its path in the barometer's folder."""
    return source.file if source.remote else f"warehouse/raw/{source.file}"


def is_single_byte(encoding: str) -> bool:
    """Whether an encoding has a character for each byte, so that any text reads, if not rightly."""
    return (
        re.match(r"cp125|cp8|latin|iso8859|iso-?8859|windows|mac|koi8", encoding.lower().replace("_", "-"))
        is not None
    )


def mojibake(source: Source) -> Problem:
    """The problem of texts that are UTF-8 and would be read as something else, é as two signs."""
    hint = 'Set source.encoding = "utf-8", or remove it.'
    message = "is not the encoding of the texts: they are UTF-8"
    return Problem(raw_file_name(source), "source.encoding", message, hint, source.encoding)


def absent(column: str, columns: Collection[Any], source: Source) -> tuple[str, str]:
    """Message and hint for a column that is named and not there, with those that are."""
    texts = [str(name) for name in columns]
    copies = [name for name in texts if (found := REPEATED.fullmatch(name)) and found[1] == column]
    if copies:
        return "occurs more than once in the header", f"Name the one that is meant: {', '.join(copies)}."
    return "is not a column of the raw file", named(texts, source)


def named(columns: Iterable[str], source: Source) -> str:
    """The column names that were found, and in which row, as a hint shows them.

    What stands in the header's place may be a row of answers: longer names are counted.
    """
    names = list(columns)
    texts = [text for name in names if (text := _shown(name, source)) is not None]
    more = [f"{len(texts) - MOST_NAMES} more"] if len(texts) > MOST_NAMES else []
    hidden = len(names) - len(texts)
    more += [f"{hidden} longer {'one' if hidden == 1 else 'ones'}"] if hidden else []
    found = ", ".join([*texts[:MOST_NAMES], *more]) or "none"
    if source.file.lower().endswith((".csv", ".tsv", ".txt", ".xlsx", ".xlsm")) and source.header_rows:
        first, last = source.skip_rows + (source.name_row or 1), source.skip_rows + source.header_rows
        rows = f"row {first}" if source.name_row or first == last else f"rows {first} to {last}"
        rows += f" of sheet {source.sheet}" if source.sheet else ""
        return f"Names found in {rows}: {found}. If the header is another, set source.skip_rows or name_row."
    return f"Names found: {found}."


def _shown(name: str, source: Source) -> str | None:
    if found := REPEATED.fullmatch(name):
        text = shown(found[1], 1)
        return text and f"{text} ({found[2]})"
    if (text := shown(name, 1)) is not None:
        return text
    parts = [shown(part, 1) or "…" for part in name.split(".")]
    joined = not source.name_row and len(parts) == source.header_rows > 1  # a dot within is no joint
    return ".".join(part for part, _ in groupby(parts)) if joined and {*parts} > {"…"} else None


def column_names(header: Sequence[str], filled: Sequence[bool]) -> list[str | None]:
    """The name of each column in the table; None for one that has neither a name nor a value.

    A column without a name is called by its place; a name that occurs more than once is numbered, so that
    each of its columns can be named, and none is taken for another.
    """
    names = [
        name or (f"column_{place}" if value else None)
        for place, (name, value) in enumerate(zip(header, filled, strict=True), 1)
    ]
    times = Counter(names)
    taken, numbers = set(names), Counter[str]()

    def numbered(name: str) -> str:
        while (made := f"{name} ({numbers[name] + 1})") in taken:
            numbers[name] += 1
        taken.add(made)
        return made

    return [name if name is None or times[name] == 1 else numbered(name) for name in names]


def header(rows: Sequence[Sequence[str]], source: Source, width: int) -> tuple[list[str], list[str]]:
    """The names and the labels of ``width`` columns, by the rows of the header. Raises ProblemError where it
    has fewer rows than are named.
    """
    problems = [
        Problem(raw_file_name(source), f"source.{key}", message, "Correct it, or the file.", str(number))
        for key, number in (("name_row", source.name_row), ("label_row", source.label_row))
        if number > len(rows) and (message := f"the file has a header of {len(rows)} rows")
    ]
    if problems:
        raise ProblemError(problems)
    labels = [cell.strip() for cell in rows[source.label_row - 1]] if source.label_row else []
    if source.name_row:
        return [cell.strip() for cell in rows[source.name_row - 1]], labels
    named_by = [row for number, row in enumerate(rows, 1) if number != source.label_row]
    return header_names(named_by) or [""] * width, labels


def unreadable(source: Source, kind: str) -> Problem:
    """The problem of a file that is not of the format that its name or declaration says."""
    hint = "Check that the file opens in its own program, or set source.format in the wave file."
    return Problem(raw_file_name(source), "source.format", f"cannot be read as {kind}", hint)


def header_names(rows: Sequence[Sequence[str]]) -> list[str]:
    """The column names of one or more header rows, joined by a dot from the top.

    A blank cell right of a cell that has names beneath it belongs to it, as a merged cell is stored.
    """
    upper, *lower = [[cell.strip() for cell in row] for row in rows] or [[]]
    if not lower:
        return upper
    beneath = header_names(lower)
    width = max(len(upper), len(beneath))
    upper, beneath = ([*row, *[""] * (width - len(row))] for row in (upper, beneath))
    names, group = [], ""
    for top, name in zip(upper, beneath, strict=True):
        group = top or (group if name else "")
        names.append(f"{group}.{name}" if group and name else group or name)
        if not name:
            group = ""
    return names
