"""The first difference between two folders that should hold the same package: file, and cell of a table."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection
from itertools import zip_longest
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa

from pipeline.contracts import table
from pipeline.release.files import csv_bytes, read_parquet
from pipeline.release.tables import PUBLISHED


class Difference(NamedTuple):
    """A file, a place in it, and how it differs, in words."""

    file: str
    place: str
    message: str


def first_difference(folder: Path, rebuilt: Path, ignored: Collection[str]) -> Difference | None:
    """The first difference between a package and its rebuild; None when every byte is the same.

    Tables come first: what differs in another format differs because of them.
    """
    files = {
        path.relative_to(side).as_posix()
        for side in (folder, rebuilt)
        for path in side.rglob("*")
        if path.is_file()
    }
    for name in sorted(files - {*ignored}, key=_rank):
        if not (folder / name).is_file():
            return Difference(name, "", "is missing, but is in the rebuild")
        if not (rebuilt / name).is_file():
            return Difference(name, "", "is not in the rebuild")
        if (folder / name).read_bytes() != (rebuilt / name).read_bytes():
            return Difference(name, *_within(folder / name, rebuilt / name))
    return None


def _rank(name: str) -> tuple[int, str]:
    tables = [f"data/{table}.{kind}" for kind in ("csv", "parquet") for table in PUBLISHED]
    return (tables.index(name) if name in tables else len(tables), name)


def _within(path: Path, rebuilt: Path) -> tuple[str, str]:
    """The first cell of a table that differs; of another file its first line or byte."""
    if path.suffix not in (".csv", ".parquet"):
        return _text(path.read_bytes(), rebuilt.read_bytes())
    try:
        sides = _csv_rows(path), _csv_rows(rebuilt)
    except (OSError, pa.ArrowInvalid):
        return "", "cannot be read, but the rebuild can"
    for row, (here, there) in enumerate(zip_longest(*sides), start=1):
        if here != there:
            return _cell(row, here, there, sides[1][0], path.stem)
    return "", "holds the same cells in other bytes"


def _csv_rows(path: Path) -> list[list[str]]:
    content = csv_bytes(read_parquet(path)) if path.suffix == ".parquet" else path.read_bytes()
    return list(csv.reader(io.StringIO(content.decode("utf-8", errors="replace"), newline="")))


def _cell(
    row: int, here: list[str] | None, there: list[str] | None, header: list[str], name: str
) -> tuple[str, str]:
    if here is None or there is None:
        return (
            f"row {row}",
            f"is {'missing' if here is None else 'not in the rebuild'}: {','.join(here or there or [])}",
        )
    pairs = zip_longest(header, here, there, fillvalue="")
    column, was, would = next(pair for pair in pairs if pair[1] != pair[2])
    key = table(name).get("primaryKey", []) if name in PUBLISHED else []
    named = " ".join(text for column, text in zip(header, there, strict=False) if column in key and text)
    return f"row {row} ({named}), column {column}", f"is {was!r}, but {would!r} in the rebuild"


def _text(here: bytes, there: bytes) -> tuple[str, str]:
    lines = enumerate(zip_longest(here.splitlines(), there.splitlines()), start=1)
    line = next((number for number, (a, b) in lines if a != b), 0)
    return f"line {line}" if _is_text(here) and line else "", "differs from the rebuild"


def _is_text(content: bytes) -> bool:
    return b"\0" not in content
