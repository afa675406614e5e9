"""Reads a raw file of any declared format as a table of texts, with what the file says of its columns.

Here belong the choice of reader, the header and what every format shares; CSV stands in ``delimited``,
SPSS, Stata and SAS in ``labelled``. No reader's own message is passed on: it may quote a respondent's row.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.catalogue.fieldwork import Source
from pipeline.problems import Problem, ProblemError
from pipeline.sources import bounds
from pipeline.sources.apart import apart
from pipeline.sources.cells import CLOCK, text_column, ungrouped
from pipeline.sources.contents import require_contents
from pipeline.sources.delimited import read_delimited
from pipeline.sources.labelled import PROGRAMS, read_labelled
from pipeline.sources.layout import Column, absent, column_names, raw_file_name, unreadable
from pipeline.sources.metadata import NO_METADATA, FileMetadata
from pipeline.sources.workbook import read_workbook

MOMENT = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d")
TRUTH = re.compile("true|false", re.IGNORECASE)


@dataclass(frozen=True)
class RawTable:
    """A raw file: ``frame`` holds text, "" where blank; ``metadata`` is what the file says of its columns."""

    frame: pd.DataFrame
    metadata: FileMetadata = NO_METADATA


def read_raw(path: Path, source: Source, columns: Collection[str] | None = None) -> RawTable:
    """A raw file as text, in the file's row and column order; ``columns`` keeps only those.

    It is read in a process of its own. Raises ProblemError when the file cannot be read as declared, asks for
    more than ``bounds`` allows, or lacks a column.
    """
    return apart(source, read_here, path, source, columns)


def read_here(path: Path, source: Source, columns: Collection[str] | None) -> RawTable:
    """As ``read_raw``, in this process."""
    kind = format_of(source)
    require_contents(path, source, kind)
    _require_header_rows(source, kind)
    metadata, labels = NO_METADATA, list[str]()
    if kind in PROGRAMS:
        table, metadata = read_labelled(path, source, kind)
    else:
        read = {"csv": read_delimited, "xlsx": read_workbook, "parquet": _read_parquet}[kind]
        table, labels = read(path, source)
    frame, named = _frame(table, labels, source, columns)
    return RawTable(frame, replace(metadata, labels=named) if named else metadata)


def plainly(table: RawTable, source: Source) -> RawTable:
    """The table with its numbers as they would be without thousands separators."""
    return replace(table, frame=table.frame.apply(ungrouped, source=source)) if source.thousands else table


def format_of(source: Source) -> str:
    """csv, xlsx, sav, dta, sas7bdat, xpt or parquet: as declared, else by the file's name. Raises
    ProblemError for another.
    """
    if source.file_format:
        return source.file_format
    hint = "Set source.format in the wave file to csv, xlsx, sav, dta, sas7bdat, xpt or parquet."
    given = source.format or source.suffix
    raise ProblemError(Problem(raw_file_name(source), "source.format", "is of no known format", hint, given))


def _require_header_rows(source: Source, kind: str) -> None:
    """Raises ProblemError where rows are declared of a format that has no rows but those of the table."""
    declared = [key for key in ("skip_rows", "name_row", "label_row") if getattr(source, key)]
    if declared and kind not in ("csv", "xlsx"):
        hint = "Remove it: the format itself says which are the names."
        raise ProblemError(
            Problem(raw_file_name(source), f"source.{key}", f"is not for {kind} files", hint)
            for key in declared
        )


def _frame(
    table: Sequence[Column], labels: Sequence[str], source: Source, columns: Collection[str] | None
) -> tuple[pd.DataFrame, dict[str, str]]:
    """The columns as frame, the declared missing texts blank, and their labels by name; a nameless column
    without values is dropped.
    """
    rows = len(table[0][1]) if table else 0
    if not rows and source.kind == "microdata":  # figures may all be unpublished
        hint = "Check that it is the delivered file, and source.sheet, skip_rows and header_rows."
        raise ProblemError(Problem(raw_file_name(source), "", "has no rows below its header", hint))
    require_few(source, rows, len(table))
    delivered = [
        cells.mask(cells.isin(source.missing), "") if source.missing else cells for _, cells in table
    ]
    names = column_names([name for name, _ in table], [bool((cells != "").any()) for cells in delivered])
    made = {name: _alike(cells) for name, cells in zip(names, delivered, strict=True) if name is not None}
    absent_ones = [name for name in columns or () if name not in made]
    if absent_ones:
        said = {name: absent(name, made.keys(), source) for name in absent_ones}
        raise ProblemError(Problem(raw_file_name(source), f"column {name}", *said[name]) for name in said)
    frame = pd.DataFrame(made, columns=list(made))
    _require_text(frame, source)
    labelled = {name: label for name, label in zip(names, labels, strict=False) if name and label}
    return (frame if columns is None else frame[[name for name in made if name in columns]]), labelled


def _alike(cells: pd.Series[str]) -> pd.Series[str]:
    """A column of truth values, moments or times, in the words that every format shares; others as they are.

    Moments that are all at midnight are days: many programs store no other.
    """
    filled = cells[cells != ""]
    if filled.empty:
        return cells
    if TRUTH.fullmatch(filled.iloc[0]) and filled.str.fullmatch(TRUTH).all():
        return cells.str.lower()
    if MOMENT.fullmatch(filled.iloc[0]) and filled.str.fullmatch(MOMENT).all():
        days = filled.str.endswith("00:00:00").all()
        return cells.str.slice(0, 10) if days else cells.str.replace(" ", "T", regex=False)
    if CLOCK.fullmatch(filled.iloc[0]) and filled.str.fullmatch(CLOCK).all():
        return cells.str.replace(r"^(-?)(\d:)", r"\g<1>0\g<2>", regex=True)
    return cells


def _require_text(frame: pd.DataFrame, source: Source) -> None:
    hint = "A damaged file, or another encoding: check how it was made."
    problems = [
        Problem(
            raw_file_name(source),
            f"column {name!r}" if "\0" in name else f"column {name}",
            "holds NUL characters",
            hint,
        )
        for name in map(str, frame)
        if "\0" in name or frame[name].str.contains("\0", regex=False).any()
    ]
    if problems:
        raise ProblemError(problems)


def require_few(source: Source, rows: int, columns: int) -> None:
    """Raises ProblemError for a table beyond the bounds, before or after it was read."""
    for what, number, most in (
        ("rows", rows, bounds.MOST_ROWS),
        ("columns", columns, bounds.MOST_COLUMNS),
        ("cells", rows * columns, bounds.MOST_CELLS),
    ):
        if number > most:
            hint = "Check the file; deliver only the rows and columns of the wave."
            message = f"has {number:,} {what}, more than the {most:,} that a file may have"
            raise ProblemError(Problem(raw_file_name(source), "", message, hint))


def _read_parquet(path: Path, source: Source) -> tuple[list[Column], list[str]]:
    try:
        file = pq.ParquetFile(path)
        require_few(source, file.metadata.num_rows, len(file.schema_arrow.names))
        table = file.read()
    except MemoryError:
        raise
    except (pa.ArrowException, OSError, ValueError, NotImplementedError) as error:
        raise ProblemError(unreadable(source, "Parquet")) from error
    columns: list[Column] = []
    for name, column in zip(table.column_names, table.columns, strict=True):
        numeric = (
            pa.types.is_integer(column.type) or pa.types.is_floating(column.type)
        ) and not column.null_count
        try:
            columns.append((name, text_column(column.to_numpy() if numeric else column.to_pylist())))
        except TypeError as error:
            hint = "Store texts, numbers, booleans or dates only."
            raise ProblemError(
                Problem(
                    raw_file_name(source), f"column {name}", "contains nested values", hint, str(column.type)
                )
            ) from error
    return columns, []
