"""Reads a raw file of any declared format as a table of texts, with the labels it carries.

Here belong the choice of reader, the header and what every format shares; CSV is read in
``delimited``, SPSS and Stata in ``labelled``. No library's message is passed on: it may quote a respondent.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import python_calamine

from pipeline.catalogue.fieldwork import Source
from pipeline.problems import Problem, ProblemError
from pipeline.sources.cells import cell_text, text_column
from pipeline.sources.delimited import read_delimited
from pipeline.sources.labelled import read_labelled
from pipeline.sources.layout import Column, header_names, raw_file_name, unreadable

SUFFIXES = {
    "csv": "csv",
    "tsv": "csv",
    "txt": "csv",
    "xlsx": "xlsx",
    "xlsm": "xlsx",
    "sav": "sav",
    "zsav": "sav",
    "dta": "dta",
    "parquet": "parquet",
}


@dataclass(frozen=True)
class RawTable:
    """A raw file: ``frame`` holds text, "" where blank; the labels are those in the file itself."""

    frame: pd.DataFrame
    labels: Mapping[str, str] = field(default_factory=dict)
    value_labels: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


def read_raw(path: Path, source: Source, columns: Collection[str] | None = None) -> RawTable:
    """A raw file as text, in the file's row and column order; ``columns`` keeps only those.

    Raises ProblemError when the file cannot be read as declared, names a column twice, or lacks a column.
    """
    kind = format_of(source)
    labels: Mapping[str, str] = {}
    value_labels: Mapping[str, Mapping[str, str]] = {}
    if kind in ("sav", "dta"):
        table, labels, value_labels = read_labelled(path, source, kind)
    else:
        read = {"csv": read_delimited, "xlsx": _read_workbook, "parquet": _read_parquet}[kind]
        table = read(path, source)
    return RawTable(_frame(table, source, columns), labels, value_labels)


def format_of(source: Source) -> str:
    """csv, xlsx, sav, dta or parquet: as declared, else by the file's name. Raises ProblemError for
    another.
    """
    given = (source.format or source.file.split("?")[0].rpartition(".")[2]).lower()
    if given in SUFFIXES:
        return SUFFIXES[given]
    hint = "Set source.format in the wave file to csv, xlsx, sav, dta or parquet."
    raise ProblemError(Problem(raw_file_name(source), "source.format", "is not a known format", hint, given))


def _frame(table: Sequence[Column], source: Source, columns: Collection[str] | None) -> pd.DataFrame:
    """The columns as frame, the declared missing texts blank; a nameless column without values is dropped."""
    named = []
    for position, (name, cells) in enumerate(table, 1):
        if name or (cells != "").any():
            named.append((name or f"column_{position}", cells))
    names = [name for name, _ in named]
    _require_unique_and_present(names, source, columns)
    frame = pd.DataFrame(dict(named), columns=names)
    if columns is not None:
        frame = frame[[name for name in names if name in columns]]
    return frame.replace(dict.fromkeys(source.missing, "")) if source.missing else frame


def _require_unique_and_present(
    names: Sequence[str], source: Source, columns: Collection[str] | None
) -> None:
    repeated = sorted(name for name, times in Counter(names).items() if times > 1)
    missing = [name for name in columns or () if name not in names]
    problems = [
        Problem(
            raw_file_name(source),
            f"column {name}",
            "occurs more than once in the header",
            "Give every column a name of its own.",
        )
        for name in repeated
    ]
    found = ", ".join(names[:20]) + (" ..." if len(names) > 20 else "")
    hint = f"Name a column that the file has ({found}), or check source.sheet, delimiter and header_rows."
    problems += [
        Problem(raw_file_name(source), f"column {name}", "is not in the file", hint) for name in missing
    ]
    if problems:
        raise ProblemError(problems)


def _read_workbook(path: Path, source: Source) -> list[Column]:
    """The declared sheet of an Excel workbook, else the first; blank rows at the end are dropped."""
    try:
        workbook = python_calamine.CalamineWorkbook.from_path(str(path))
    except (python_calamine.CalamineError, OSError) as error:
        raise ProblemError(unreadable(source, "an Excel workbook")) from error
    if source.sheet and source.sheet not in workbook.sheet_names:
        sheets = ", ".join(workbook.sheet_names)
        hint = f"Set source.sheet in the wave file to one of: {sheets}."
        raise ProblemError(
            Problem(
                raw_file_name(source), "source.sheet", "is not a sheet of the workbook", hint, source.sheet
            )
        )
    rows = workbook.get_sheet_by_name(source.sheet or workbook.sheet_names[0]).to_python()
    while rows and not any(cell_text(cell) for cell in rows[-1]):
        rows.pop()
    head, body = rows[: source.header_rows], rows[source.header_rows :]
    header = header_names([[cell_text(cell) for cell in row] for row in head])
    return [(name, text_column([row[position] for row in body])) for position, name in enumerate(header)]


def _read_parquet(path: Path, source: Source) -> list[Column]:
    try:
        table = pq.read_table(path)
    except (pa.ArrowException, OSError) as error:
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
    return columns
