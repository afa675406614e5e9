"""Every format of a package: its files, what makes them, what reads them back.

A new format is a module with ``files`` and ``check``, and an entry here.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

import pyarrow as pa

from pipeline.problems import Problem
from pipeline.release.contents import Contents
from pipeline.release.formats import (
    citation,
    csvw,
    dcat,
    jsonstat,
    px,
    schema_org,
    sdmx,
    sdmx_structure,
    tables,
    xlsx,
)
from pipeline.release.formats.format import REBUILD, Described, Format, Kind, Media

CSV = Media("text/csv", "CSV")
PARQUET = Media("application/vnd.apache.parquet", "PARQUET")
WORKBOOK = Media("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "XLSX")
JSON_STAT = Media("application/json", "JSON", "https://json-stat.org/full/")
PX = Media(
    "text/plain", "TXT", "https://www.scb.se/en/services/statistical-programs-for-px-files/px-file-format/"
)
SDMX_CSV = Media("text/csv", "CSV", "https://github.com/sdmx-twg/sdmx-csv")
SDMX_ML = Media("application/xml", "XML", "https://sdmx.org/?page_id=5008")
DOCUMENT = Kind("metadata", None, marked=True)


def _sdmx_files(contents: Contents) -> dict[str, bytes]:
    return sdmx_structure.files(contents) | sdmx.files(contents)


BOOK = Format({"*.xlsx": Kind("workbook", WORKBOOK, marked=False)}, xlsx.files, xlsx.check)
FORMATS = (  # made from the contents of a package, in the order in which readers look for them
    BOOK,
    Format(
        {
            "data/*.csv": Kind("csv", CSV, marked=False),
            "data/*.parquet": Kind("parquet", PARQUET, marked=False),
        },
        tables.files,
        None,
    ),
    Format({"jsonstat/*.json": Kind("jsonstat", JSON_STAT, marked=True)}, jsonstat.files, jsonstat.check),
    Format(
        {
            "sdmx/structure.xml": Kind("sdmx", SDMX_ML, marked=True),
            "sdmx/data.csv": Kind("sdmx", SDMX_CSV, marked=False),
        },
        _sdmx_files,
        sdmx.check,
    ),
    Format({"px/*.px": Kind("pxfile", PX, marked=True)}, px.files, px.check),
    Format({csvw.PATH: DOCUMENT}, csvw.files, None),
    Format({citation.PATH: DOCUMENT}, citation.files, None),
)
DESCRIPTIONS = (  # they name every file made before them, so their ``files`` takes those and their media too
    Format({dcat.TURTLE: DOCUMENT, dcat.JSON_LD: DOCUMENT}, dcat.files, dcat.check),
    Format({schema_org.PATH: DOCUMENT}, schema_org.files, None),
)
KINDS = {  # every kind of file, in that order: the archive after the workbook
    **BOOK.kinds,
    "*.zip": Kind("archive", None, marked=False),
    **{pattern: kind for each in (*FORMATS, *DESCRIPTIONS) for pattern, kind in each.kinds.items()},
    "README.md": DOCUMENT,
    "*": Kind(DOCUMENT.label, None, marked=False),
}


def kind_of(path: str) -> Kind:
    """The kind of a file by its path in the package; one of no format is a document about the data."""
    return next(kind for pattern, kind in KINDS.items() if PurePosixPath(path).match(pattern))


def media_of(paths: Iterable[str]) -> dict[str, Media]:
    """The media of the files with data in them."""
    return {path: media for path in paths if (media := kind_of(path).media)}


def check_formats(folder: Path, described: Described) -> Iterator[Problem]:
    """Every way in which a format disagrees with the tables, or a description with the files.

    The syntax and types of a format are checked by other projects' validators, in the tests; here is what
    none of them looks at: the cells, the lengths, the languages, the dates.
    """
    for each in (*FORMATS, *DESCRIPTIONS):
        if each.check is None:
            continue
        try:
            yield from each.check(folder, described)
        except (
            OSError,
            ValueError,
            KeyError,
            TypeError,
            IndexError,
            SyntaxError,  # of XML
            zipfile.BadZipFile,
            pa.ArrowInvalid,
        ) as error:
            paths = ", ".join(each.kinds)
            yield Problem(paths, "", f"this format cannot be read back: {type(error).__name__}", REBUILD)
