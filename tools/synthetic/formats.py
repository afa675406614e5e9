"""Writes a table of text cells in the formats in which survey files are delivered; the same bytes every time.

Here belongs what a format needs: types, labels, and the removal of the clock from headers.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pyreadstat
import xlsxwriter

from pipeline.catalogue.fieldwork import Source
from tools.synthetic.recipe import FileLayout

Cell = str | int | float | None
NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?")
TAGGED = re.compile(r"\.[a-z]")  # Stata's user-missing codes
MADE = datetime.combine(date(2000, 1, 1), time())  # a workbook must have been made some day
WIDTH = 120  # of a label


def write_raw(frame: pd.DataFrame, path: Path, source: Source, file: FileLayout) -> None:
    """Writes text cells ("" blank) in the format that the name of ``source`` says, as it is read."""
    kind = Path(source.file).suffix.removeprefix(".")
    writers = {"csv": _csv, "xlsx": _xlsx, "sav": _spss, "zsav": _spss, "dta": _stata, "parquet": _parquet}
    writers[kind](frame, path, source, file)


def _numeric(column: pd.Series[str], tagged: bool = False) -> bool:
    cells = [cell for cell in column if cell and not (tagged and TAGGED.fullmatch(cell))]
    return bool(cells) and all(NUMBER.fullmatch(cell) for cell in cells)


def _value(cell: str) -> Cell:
    """A number where the cell is one, None where it is blank, else the text."""
    if not cell:
        return None
    return (float(cell) if "." in cell else int(cell)) if NUMBER.fullmatch(cell) else cell


def _csv(frame: pd.DataFrame, path: Path, source: Source, file: FileLayout) -> None:
    blank = source.missing[0] if source.missing else ""
    written = frame.replace("", blank) if blank else frame
    if source.decimal == ",":
        written = written.replace(r"^(-?\d+)\.(\d+)$", r"\1,\2", regex=True)
    text = written.to_csv(index=False, sep=source.delimiter or ",", lineterminator="\r\n")
    path.write_bytes(text.encode(source.encoding or "utf-8"))


def _xlsx(frame: pd.DataFrame, path: Path, source: Source, file: FileLayout) -> None:
    """The data, with a second header row for what stands after a dot in the names, and a sheet of notes."""
    names = [str(name).partition(".") for name in frame]
    if source.header_rows == 2:
        before = ["", *(group for group, _, _ in names)]
        upper = [group if group != last else None for (group, _, _), last in zip(names, before, strict=False)]
        head: list[list[Cell]] = [list(upper), [name or None for _, _, name in names]]
    else:
        head = [[str(name) for name in frame]]
    numeric = [_numeric(frame[name]) for name in frame]
    body = [
        [_value(cell) if number else cell or None for cell, number in zip(row, numeric, strict=True)]
        for row in frame.itertuples(index=False, name=None)
    ]
    notes = [[line] for line in (file.label, *file.notes)]
    _workbook(path, {source.sheet or "Data": [*head, *body], "Notes": notes})


def _workbook(path: Path, sheets: Mapping[str, Iterable[Sequence[Cell]]]) -> None:
    """Writes rows of texts, numbers and blanks (None), by sheet name; with a fixed date of creation."""
    with xlsxwriter.Workbook(str(path), {"in_memory": True}) as book:
        book.set_properties({"created": MADE})
        for name, rows in sheets.items():
            sheet = book.add_worksheet(name)
            for row, cells in enumerate(rows):
                for column, cell in enumerate(cells):
                    if isinstance(cell, str):
                        sheet.write_string(row, column, cell)
                    elif cell is not None:
                        sheet.write_number(row, column, cell)


def _matching(name: str, table: Mapping[str, Any]) -> Any:
    return next((value for pattern, value in table.items() if fnmatchcase(name, pattern)), None)


def _labelled(
    frame: pd.DataFrame, file: FileLayout, tagged: bool
) -> tuple[pd.DataFrame, dict[str, Any], dict[str, list[Any]]]:
    """Typed columns, value labels and user-missing codes; tagged missing codes lose their dot."""

    def code(cell: str) -> Any:
        if not cell:
            return None
        return cell[1:] if tagged and TAGGED.fullmatch(cell) else float(cell)

    columns: dict[str, Any] = {}
    labels: dict[str, Any] = {}
    missing: dict[str, list[Any]] = {}
    for name in map(str, frame):
        if not _numeric(frame[name], tagged):
            columns[name] = pd.Series(list(frame[name]), dtype=object)
            continue
        codes = _matching(name, file.missing)
        mixed = bool(tagged and codes)
        columns[name] = pd.Series([code(cell) for cell in frame[name]], dtype=object if mixed else float)
        found = _matching(name, file.labels)
        if found:
            labels[name] = {code(key): text[:WIDTH] for key, text in found.items()}
        if codes:
            missing[name] = [code(each) for each in codes]
    return pd.DataFrame(columns), labels, missing


def _column_labels(frame: pd.DataFrame, file: FileLayout, width: int) -> dict[str, str | None]:
    return {name: label[:width] for name in map(str, frame) if (label := _matching(name, file.columns))}


def _spss(frame: pd.DataFrame, path: Path, source: Source, file: FileLayout) -> None:
    typed, labels, missing = _labelled(frame, file, tagged=False)
    pyreadstat.write_sav(
        typed,
        str(path),
        file_label=file.label[:64],
        column_labels=_column_labels(frame, file, WIDTH),
        variable_value_labels=labels,
        missing_ranges=missing,
        compress=Path(source.file).suffix == ".zsav",
        row_compress=Path(source.file).suffix == ".sav",
    )
    content = bytearray(path.read_bytes())
    content[92:109] = b"01 Jan 0000:00:00"  # when it was written: date, time
    path.write_bytes(content)


def _stata(frame: pd.DataFrame, path: Path, source: Source, file: FileLayout) -> None:
    typed, labels, missing = _labelled(frame, file, tagged=True)
    pyreadstat.write_dta(
        typed,
        str(path),
        file_label=file.label[:80],
        column_labels=_column_labels(frame, file, 80),
        variable_value_labels=labels,
        missing_user_values=missing,
    )
    stamp = rb"(<timestamp>\x11)[^<]{17}(</timestamp>)"
    path.write_bytes(re.sub(stamp, rb"\g<1>01 Jan 2000 00:00\2", path.read_bytes(), count=1))


def _parquet(frame: pd.DataFrame, path: Path, source: Source, file: FileLayout) -> None:
    columns = {}
    for name in frame:
        if _numeric(frame[name]):
            whole = not any("." in cell for cell in frame[name])
            columns[name] = pa.array(
                [_value(cell) for cell in frame[name]], pa.int32() if whole else pa.float64()
            )
        else:
            columns[name] = pa.array([cell or None for cell in frame[name]], pa.string())
    table = pa.table(columns).replace_schema_metadata({"title": file.label})
    pq.write_table(table, path, compression="zstd")
