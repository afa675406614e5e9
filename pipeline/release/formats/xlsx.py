"""The workbook: a cover, the notes, the flags, and a sheet for each table, for users of spreadsheets.

Every text is written as text, so nothing in it can run; numbers are numbers and dates are dates.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import datetime, time
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.compute as pc
import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from pipeline.contracts import table
from pipeline.problems import Problem, ProblemError
from pipeline.release.contents import Contents
from pipeline.release.files import read_parquet
from pipeline.release.formats.format import REBUILD, Described
from pipeline.release.notes import flags, rules

ROWS = 1_048_575  # of a sheet, below its head
TEXT = 32_767  # characters of a cell
WIDTHS = {"string": 18, "integer": 9, "number": 10, "boolean": 9, "date": 12}
WIDE = {"label": 48, "description": 60, "text": 60, "note": 40, "question_text": 48, "title": 48}
FONT = {"font_name": "Calibri", "font_size": 11}


def files(contents: Contents) -> dict[str, bytes]:
    """The workbook of a package."""
    buffer = io.BytesIO()
    workbook = xlsxwriter.Workbook(buffer, {"in_memory": True, "default_date_format": "yyyy-mm-dd"})
    barometer = contents.catalogue.barometer
    workbook.set_properties(
        {
            "title": contents.title,
            "comments": contents.description,
            "author": ", ".join(contents.publishers),
            "created": datetime.combine(barometer.released, time()),
        }
    )
    head = workbook.add_format({**FONT, "bold": True, "bottom": 1, "text_wrap": True, "valign": "top"})
    parts = dict(_parts(contents))
    _texts(workbook.add_worksheet("Cover"), _cover(contents, parts), head)
    _texts(workbook.add_worksheet("Notes"), _notes(contents), head)
    _texts(workbook.add_worksheet("Flags"), _flags(), head)
    for sheet, (name, rows) in parts.items():
        _table(workbook.add_worksheet(sheet), name, rows, head)
    workbook.close()
    return {f"{contents.name}.xlsx": buffer.getvalue()}


def _parts(contents: Contents) -> Iterator[tuple[str, tuple[str, pa.Table]]]:
    """Every sheet by its name: a table, or the part of it that fits on a sheet."""
    for name, rows in contents.rows.items():
        for part in range(_parts_of(rows)):
            yield _sheet(name, part), (name, rows.slice(part * ROWS, ROWS))


def _parts_of(rows: pa.Table) -> int:
    return max(1, -(-len(rows) // ROWS))


def _sheet(name: str, part: int) -> str:
    return name if part == 0 else f"{name} {part + 1}"


def _cover(contents: Contents, parts: dict[str, tuple[str, pa.Table]]) -> list[Sequence[str]]:
    barometer = contents.catalogue.barometer
    start, end = contents.period
    facts = [
        (contents.title,),
        ("Description", contents.description),
        ("Version", f"{barometer.version}, {barometer.released.isoformat()}"),
        ("Period", f"{start.isoformat()} to {end.isoformat()}"),
        ("Licence", f"{barometer.licence}, {contents.licence_address}"),
        ("How to cite", contents.citation),
        (),
        ("Sheet", "What is in it"),
        ("Notes", "What each column means, and when a value is hidden or flagged."),
        ("Flags", "What the flags of a value mean."),
    ]
    sheets = [
        (sheet, f"{table(name)['description']} ({len(rows)} rows)") for sheet, (name, rows) in parts.items()
    ]
    return [*facts, *sheets]


def _notes(contents: Contents) -> list[Sequence[str]]:
    lines: list[Sequence[str]] = [("Rules",), *((rule,) for rule in rules(contents.catalogue)), ()]
    lines.append(("Column", "Table", "Title", "Description"))
    for name in contents.rows:
        lines += [
            (field["name"], name, field["title"], field["description"])
            for field in contents.schema(name)["fields"]
        ]
    return lines


def _flags() -> list[Sequence[str]]:
    lines: list[Sequence[str]] = [("Column", "Flag", "Meaning")]
    return lines + [
        (column, code, label) for column in ("obs_status", "conf_status") for code, label in flags(column)
    ]


def _texts(sheet: Worksheet, lines: list[Sequence[str]], head: Format) -> None:
    """Lines of text; the first line, and every line after a blank one, is a heading."""
    sheet.set_column(0, 0, 20)
    sheet.set_column(1, 3, 40)
    for number, line in enumerate(lines):
        style = head if number == 0 or not lines[number - 1] else None
        for column, text in enumerate(line):
            sheet.write_string(number, column, text, style)


def _table(sheet: Worksheet, name: str, rows: pa.Table, head: Format) -> None:
    """A table: its head frozen and filtered, what is missing left blank."""
    fields = table(name)["fields"]
    writers = {
        "string": sheet.write_string,
        "integer": sheet.write_number,
        "number": sheet.write_number,
        "boolean": sheet.write_boolean,
        "date": sheet.write_datetime,
    }
    for column, field in enumerate(fields):
        sheet.write_string(0, column, field["name"], head)
        sheet.set_column(column, column, WIDE.get(field["name"], WIDTHS[field["type"]]))
        cells = rows[field["name"]]
        if field["type"] == "string" and (pc.max(pc.utf8_length(cells)).as_py() or 0) > TEXT:
            raise ProblemError(
                Problem(
                    f"data/{name}.csv",
                    field["name"],
                    f"has a text that is too long for a cell of a workbook (over {TEXT} characters)",
                    "Shorten it in the declarations.",
                )
            )
        write = writers[field["type"]]
        for row, value in enumerate(cells.to_pylist(), start=1):
            if value is not None and value != "":
                write(row, column, value)
    sheet.freeze_panes(1, 0)
    sheet.autofilter(0, 0, len(rows), len(fields) - 1)


def check(folder: Path, described: Described) -> Iterator[Problem]:
    """Each sheet has the cells of its table: text as text, numbers as numbers, dates as dates."""
    file = f"{described['name']}-{described['version']}.xlsx"
    with closing(openpyxl.load_workbook(folder / file, read_only=True)) as book:
        yield from _sheets(book, folder, file)


def _sheets(book: openpyxl.Workbook, folder: Path, file: str) -> Iterator[Problem]:
    for path in sorted((folder / "data").glob("*.parquet")):
        name, rows = path.stem, read_parquet(path)
        for part in range(_parts_of(rows)):
            sheet = _sheet(name, part)
            if sheet not in book.sheetnames:
                yield Problem(file, sheet, "this sheet is missing", REBUILD)
                continue
            head, *found = (
                [_as_in_table(cell) for cell in row] for row in book[sheet].iter_rows(values_only=True)
            )
            expected = rows.slice(part * ROWS, ROWS)
            columns = list(zip(*found, strict=True)) if found else [()] * len(head)
            same = head == rows.column_names and all(
                _has_cells(cells, there) for cells, there in zip(columns, expected.columns, strict=True)
            )
            if not same:
                yield Problem(file, sheet, "does not hold the same cells as its table", REBUILD)


def _has_cells(found: Sequence[Any], expected: pa.ChunkedArray) -> bool:
    return list(found) == ["" if cell is None else cell for cell in expected.to_pylist()]


def _as_in_table(cell: Any) -> Any:
    """A cell as its table has it: blank text, and a day for a day, which Excel stores as a moment."""
    return cell.date() if isinstance(cell, datetime) else "" if cell is None else cell
