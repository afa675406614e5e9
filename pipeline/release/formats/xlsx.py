"""The workbook: a cover, the notes, the flags, and a sheet a table, for people with a spreadsheet.

Every text is written as text, so nothing in it can run; numbers are numbers and dates are dates.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, time
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.utility import xl_col_to_name
from xlsxwriter.worksheet import Worksheet

from pipeline.contracts import table
from pipeline.faults import Fault, FaultError
from pipeline.release.contents import Contents
from pipeline.release.notes import flags, rules

ROWS = 1_048_575  # of a sheet, below its head
TEXT = 32_767  # characters of a cell
WIDTHS = {"string": 18, "integer": 9, "number": 10, "boolean": 9, "date": 12}
WIDE = {"label": 48, "description": 60, "text": 60, "note": 40, "question_text": 48, "title": 48}
SPANNED = 16  # rows that share what they say of the columns filled in them
FONT = {"font_name": "Calibri", "font_size": 11}


def files(contents: Contents) -> dict[str, bytes]:
    """The workbook of a package."""
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True, "default_date_format": "yyyy-mm-dd"})
    barometer = contents.catalogue.barometer
    book.set_properties(
        {
            "title": contents.title,
            "comments": contents.description,
            "author": ", ".join(contents.publishers),
            "created": datetime.combine(barometer.released, time()),
        }
    )
    head = book.add_format({**FONT, "bold": True, "bottom": 1, "text_wrap": True, "valign": "top"})
    head._get_xf_index()  # the first style of the file; that of dates is the next
    parts = dict(_parts(contents))
    _texts(book.add_worksheet("Cover"), _cover(contents, parts), head)
    _texts(book.add_worksheet("Notes"), _notes(contents), head)
    _texts(book.add_worksheet("Flags"), _flags(), head)
    for name, (of, rows) in parts.items():
        _table(book.add_worksheet(name, Sheet), of, rows, head)
    book.close()
    return {f"{contents.name}.xlsx": buffer.getvalue()}


def _parts(contents: Contents) -> Iterator[tuple[str, tuple[str, pa.Table]]]:
    """Every sheet by its name: a table, or as much of it as a sheet holds."""
    for name, rows in contents.rows.items():
        for part in range(max(1, -(-len(rows) // ROWS))):
            sheet = name if part == 0 else f"{name} {part + 1}"
            yield sheet, (name, rows.slice(part * ROWS, ROWS))


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
            (field["name"], name, field["title"], field["description"]) for field in table(name)["fields"]
        ]
    return lines


def _flags() -> list[Sequence[str]]:
    lines: list[Sequence[str]] = [("Column", "Flag", "Meaning")]
    return lines + [
        (column, code, label) for column in ("obs_status", "conf_status") for code, label in flags(column)
    ]


def _texts(sheet: Worksheet, lines: list[Sequence[str]], head: Format) -> None:
    """Lines of text; the first is a head, and so is every line after a blank one."""
    sheet.set_column(0, 0, 20)
    sheet.set_column(1, 3, 40)
    for number, line in enumerate(lines):
        style = head if number == 0 or not lines[number - 1] else None
        for column, text in enumerate(line):
            sheet.write_string(number, column, text, style)


def _table(sheet: Sheet, name: str, rows: pa.Table, head: Format) -> None:
    """A table: its head frozen and filtered, what is missing left blank."""
    fields = table(name)["fields"]
    columns = []
    for column, field in enumerate(fields):
        sheet.write_string(0, column, field["name"], head)
        sheet.set_column(column, column, WIDE.get(field["name"], WIDTHS[field["type"]]))
        cells = rows[field["name"]]
        if field["type"] == "string" and (pc.max(pc.utf8_length(cells)).as_py() or 0) > TEXT:
            mend = "Shorten it in the declarations."
            raise FaultError(
                Fault(f"pipeline/contracts/tables/{name}.json", "", "a text is too long for a cell", mend)
            )
        columns.append(sheet.cells(column, cells.to_pylist(), field["type"]))
    sheet.fill(columns)
    sheet.freeze_panes(1, 0)
    sheet.autofilter(0, 0, len(rows), len(fields) - 1)


class Sheet(Worksheet):  # type: ignore[misc]  # it has no types
    """A sheet whose rows below the head are written a column at a time, to the same bytes: cell by cell, as
    xlsxwriter does it, two million cells take four times as long."""

    below = ""

    def cells(self, column: int, cells: Sequence[Any], kind: str) -> list[str]:
        """The cells of a column below its head, as they stand in the file; blank where one is missing."""
        written: dict[str, Callable[[Any], str]] = {
            "string": lambda text: f' t="s"><v>{self.str_table._get_shared_string_index(text)}</v></c>',
            "integer": lambda number: f"><v>{number:.16G}</v></c>",
            "number": lambda number: f"><v>{number:.16G}</v></c>",
            "boolean": lambda said: f' t="b"><v>{said:d}</v></c>',
            "date": lambda day: f' s="{style()}"><v>{self._convert_date_time(day):.16G}</v></c>',
        }
        style, letters, cell = self.default_date_format._get_xf_index, xl_col_to_name(column), written[kind]
        return [
            "" if value is None or value == "" else f'<c r="{letters}{row}"{cell(value)}'
            for row, value in enumerate(cells, start=2)
        ]

    def fill(self, columns: Sequence[Sequence[str]]) -> None:
        """The rows below the head, from the cells of every column."""
        filled = np.array([["head", *cells] for cells in columns], dtype=np.object_).astype(np.bool_)
        blocks = np.logical_or.reduceat(filled, np.arange(0, filled.shape[1], SPANNED), axis=1)
        first, last = blocks.argmax(axis=0) + 1, len(columns) - blocks[::-1].argmax(axis=0)
        self.below = "".join(
            f'<row r="{row + 1}" spans="{first[row // SPANNED]}:{last[row // SPANNED]}">{text}</row>'
            for row, text in enumerate(map("".join, zip(*columns, strict=True)), start=1)
        )
        self._check_dimensions(filled.shape[1] - 1, 0)

    def _write_rows(self) -> None:
        super()._write_rows()
        self.fh.write(self.below)
