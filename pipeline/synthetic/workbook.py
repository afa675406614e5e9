"""Writes an Excel workbook of plain sheets, without styles and without a clock: the same bytes every time.

Here belongs the little of Office Open XML (ECMA-376) that a table needs: a part a sheet, inline texts.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

Cell = str | int | float | None

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
KIND = "application/vnd.openxmlformats-officedocument.spreadsheetml"
HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'


def write_workbook(path: Path, sheets: Mapping[str, Iterable[Sequence[Cell]]]) -> None:
    """Writes rows of texts, numbers and blanks (None), by sheet name."""
    names = list(sheets)
    parts = {
        "[Content_Types].xml": _types(len(names)),
        "_rels/.rels": _relations({"xl/workbook.xml": "officeDocument"}),
    }
    listed = "".join(
        f'<sheet name={quoteattr(name)} sheetId="{i}" r:id="rId{i}"/>' for i, name in enumerate(names, 1)
    )
    parts["xl/workbook.xml"] = (
        f'<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}"><sheets>{listed}</sheets></workbook>'
    )
    parts["xl/_rels/workbook.xml.rels"] = _relations(
        {f"worksheets/sheet{i}.xml": "worksheet" for i in range(1, len(names) + 1)}
    )
    for i, name in enumerate(names, 1):
        rows = "".join(_row(number, row) for number, row in enumerate(sheets[name], 1))
        sheet = f'<worksheet xmlns="{MAIN}"><sheetData>{rows}</sheetData></worksheet>'
        parts[f"xl/worksheets/sheet{i}.xml"] = sheet
    with zipfile.ZipFile(path, "w") as archive:
        for part, content in parts.items():
            entry = zipfile.ZipInfo(part, (1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, HEAD + content)


def _types(sheets: int) -> str:
    parts = {"/xl/workbook.xml": "sheet.main"}
    parts |= {f"/xl/worksheets/sheet{i}.xml": "worksheet" for i in range(1, sheets + 1)}
    overrides = "".join(
        f'<Override PartName="{part}" ContentType="{KIND}.{kind}+xml"/>' for part, kind in parts.items()
    )
    relations = "application/vnd.openxmlformats-package.relationships+xml"
    default = f'<Default Extension="rels" ContentType="{relations}"/>'
    default += '<Default Extension="xml" ContentType="application/xml"/>'
    return f'<Types xmlns="{PACKAGE}/content-types">{default}{overrides}</Types>'


def _relations(targets: Mapping[str, str]) -> str:
    listed = "".join(
        f'<Relationship Id="rId{i}" Type="{OFFICE}/{kind}" Target="{target}"/>'
        for i, (target, kind) in enumerate(targets.items(), 1)
    )
    return f'<Relationships xmlns="{PACKAGE}/relationships">{listed}</Relationships>'


def _row(number: int, row: Sequence[Cell]) -> str:
    cells = "".join(
        _cell(f"{_letters(i)}{number}", cell) for i, cell in enumerate(row, 1) if cell is not None
    )
    return f'<row r="{number}">{cells}</row>'


def _cell(place: str, cell: str | int | float) -> str:
    if isinstance(cell, str):
        return f'<c r="{place}" t="inlineStr"><is><t xml:space="preserve">{escape(cell)}</t></is></c>'
    return f'<c r="{place}"><v>{cell!r}</v></c>'


def _letters(column: int) -> str:
    """A, B, ... Z, AA, ...: the name of a column counted from 1."""
    name = ""
    while column:
        column, rest = divmod(column - 1, 26)
        name = chr(65 + rest) + name
    return name
