"""The kind of a file by its name: its media type, its format in the European list, its standard."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import NamedTuple


class Media(NamedTuple):
    """A kind of file. ``code``: of the European file types; ``standard``: that it follows."""

    type: str
    code: str
    standard: str = ""


CSV = Media("text/csv", "CSV")
KINDS = {
    "data/*.csv": CSV,
    "data/*.parquet": Media("application/vnd.apache.parquet", "PARQUET"),
    "*.xlsx": Media("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "XLSX"),
    "jsonstat/*.json": Media("application/json", "JSON", "https://json-stat.org/full/"),
    "px/*.px": Media(
        "text/plain",
        "TXT",
        "https://www.scb.se/en/services/statistical-programs-for-px-files/px-file-format/",
    ),
    "sdmx/data.csv": Media("text/csv", "CSV", "https://github.com/sdmx-twg/sdmx-csv"),
    "sdmx/structure.xml": Media("application/xml", "XML", "https://sdmx.org/?page_id=5008"),
}


def media(path: str) -> Media | None:
    """The kind of a file with data in it; None for the documents about them."""
    return next((kind for pattern, kind in KINDS.items() if PurePosixPath(path).match(pattern)), None)
