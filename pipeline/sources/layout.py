"""What the readers share: columns of text, header names, and the file's name in problems."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import pandas as pd

from pipeline.catalogue.fieldwork import Source
from pipeline.problems import Problem
from pipeline.sources.shown import shown

MOST_NAMES = 30  # columns that a message names

Column = tuple[str, "pd.Series[str]"]  # name and cells


def raw_file_name(source: Source) -> str:
    """The raw file's name in a problem: its address, or its path in the barometer's folder."""
    return source.file if source.remote else f"warehouse/raw/{source.file}"


def named(columns: Iterable[Any]) -> str:
    """The column names that were found, as a hint shows them.

    What stands in the header's place may be a row of answers: longer names are counted.
    """
    names = list(map(str, columns))
    texts = [text for name in names if (text := shown(name, 1)) is not None]
    more = [f"{len(texts) - MOST_NAMES} more"] if len(texts) > MOST_NAMES else []
    hidden = len(names) - len(texts)
    more += [f"{hidden} longer {'one' if hidden == 1 else 'ones'}"] if hidden else []
    return f"Names found: {', '.join([*texts[:MOST_NAMES], *more]) or 'none'}"


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
