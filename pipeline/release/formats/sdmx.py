"""SDMX-CSV 2.0: the estimates as observations, in the columns that ``sdmx_structure`` describes.

An SDMX identifier has only letters, digits and ``_ @ $ -``: the codes of a cross-classified cell are joined
by ``@``, the total is ``_T``, and any other character is written as ``$`` and its code point in hexadecimal.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pacsv

from pipeline.problems import Problem
from pipeline.release.contents import Contents
from pipeline.release.files import csv_bytes, number_text, read_parquet
from pipeline.release.formats.format import REBUILD, Described

STRUCTURE = "ESTIMATES"
TOTAL, JOINT = "_T", "@"
DIMENSIONS = {
    "REF_AREA": "country",
    "SURVEY": "survey",
    "WAVE": "wave",
    "INDICATOR": "indicator",
    "CATEGORY": "category",
    "DOMAIN": "domain",
    "DOMAIN_CODE": "domain_code",
}
TIME, VALUE = "TIME_PERIOD", "OBS_VALUE"
CODED = {
    "UNIT_MEASURE": "unit_measure",
    "SOURCE_KIND": "source_kind",
    "OBS_STATUS": "obs_status",
    "CONF_STATUS": "conf_status",
}
NUMBERS = {"N": "n", "SE": "se", "CI_LOW": "ci_low", "CI_HIGH": "ci_high", "DEFF": "deff"}
TEXTS = {"EDITION": "edition", "COMMENT_OBS": "note"}
ATTRIBUTES = CODED | NUMBERS | TEXTS


def files(contents: Contents) -> dict[str, bytes]:
    """The data message."""
    return {"sdmx/data.csv": csv_bytes(_observations(contents))}


def identifier(code: str) -> str:
    """A code as an SDMX identifier; different codes stay different."""
    if not code:
        return TOTAL
    return re.sub(r"[^A-Za-z0-9_@-]", lambda found: f"${ord(found[0]):X}", code.replace("*", JOINT))


def agency(contents: Contents) -> str:
    """Who maintains the structure: the package, by its key."""
    return re.sub(r"^(?=\d)", "P", re.sub(r"[^A-Z0-9]+", "_", contents.package.key.upper()))


def _observations(contents: Contents) -> pa.Table:
    """The estimates in the columns of SDMX-CSV 2.0."""
    rows, version = contents.rows["estimates"], contents.catalogue.barometer.version
    columns = {
        "STRUCTURE": _same("dataflow", rows),
        "STRUCTURE_ID": _same(f"{agency(contents)}:{STRUCTURE}({version})", rows),
        "ACTION": _same("I", rows),
    }
    for name, column in DIMENSIONS.items():
        codes = rows[column].to_pylist()
        known = {code: identifier(code) for code in set(codes)}
        columns[name] = pa.array([known[code] for code in codes], pa.string())
    columns |= {TIME: rows["time_period"], VALUE: rows["value"]}
    return pa.table(columns | {name: rows[column] for name, column in ATTRIBUTES.items()})


def _same(text: str, rows: pa.Table) -> pa.Array:
    return pa.repeat(pa.scalar(text), len(rows))


def check(folder: Path, described: Described) -> Iterator[Problem]:
    """Every observation is an estimate, in the same order and with the same cells."""
    estimates = read_parquet(folder / "data" / "estimates.parquet")
    names = DIMENSIONS | {TIME: "time_period", VALUE: "value"} | ATTRIBUTES
    texts = pacsv.ConvertOptions(
        column_types=dict.fromkeys(names, pa.string()), include_columns=list(names), strings_can_be_null=False
    )
    options = pacsv.ParseOptions(newlines_in_values=True)
    found = pacsv.read_csv(folder / "sdmx" / "data.csv", convert_options=texts, parse_options=options)
    for name, column in names.items():
        known = {cell: _text(cell, name) for cell in estimates[column].unique().to_pylist()}
        if found[name].to_pylist() != [known[cell] for cell in estimates[column].to_pylist()]:
            yield Problem("sdmx/data.csv", name, "does not hold the same cells as the estimates", REBUILD)


def _text(cell: Any, name: str) -> str:
    if name in DIMENSIONS:
        return identifier(cell)
    return number_text(cell) if isinstance(cell, float) else "" if cell is None else str(cell)
