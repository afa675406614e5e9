"""Whether every format of a finished package agrees with its tables, read back file by file.

The syntax and types of a format are checked by other projects' validators, in the tests; here is what none of
them looks at: the cells, the lengths, the languages, the dates, the archive.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from datetime import date, datetime
from itertools import product
from math import prod
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.csv as pacsv
from rdflib import Graph, Literal, Namespace
from rdflib.compare import isomorphic
from rdflib.namespace import DCAT, DCTERMS

from pipeline.hashing import file_sha256
from pipeline.problems import Problem
from pipeline.release.files import number_text, read_parquet
from pipeline.release.formats import cubes, sdmx
from pipeline.release.formats.xlsx import ROWS

SPDX = Namespace("http://spdx.org/rdf/terms#")
BASE = "file:///package/"  # what relative addresses are read against
HINT = "Build the package again with `barometer run`; its files are never edited."
Described = Mapping[str, Any]


def check_formats(folder: Path, described: Described) -> Iterator[Problem]:
    """Every way in which a format disagrees with the tables, or a description with the files."""
    for check in (_workbook, _jsonstat, _px, _sdmx, _dcat):
        try:
            yield from check(folder, described)
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
            name = check.__name__.strip("_")
            yield Problem(name, "", f"this format cannot be read back: {type(error).__name__}", HINT)


def _tables(folder: Path) -> Iterator[tuple[str, pa.Table]]:
    for path in sorted((folder / "data").glob("*.parquet")):
        yield path.stem, read_parquet(path)


def _workbook(folder: Path, described: Described) -> Iterator[Problem]:
    """Each sheet has the cells of its table: text as text, numbers as numbers, dates as dates."""
    name = f"{described['name']}-{described['version']}.xlsx"
    with closing(openpyxl.load_workbook(folder / name, read_only=True)) as book:
        yield from _sheets(book, folder, name)


def _sheets(book: openpyxl.Workbook, folder: Path, name: str) -> Iterator[Problem]:
    for table, rows in _tables(folder):
        for part in range(max(1, -(-len(rows) // ROWS))):
            sheet = table if part == 0 else f"{table} {part + 1}"
            if sheet not in book.sheetnames:
                yield Problem(name, sheet, "this sheet is missing", HINT)
                continue
            head, *found = ([_plain(cell) for cell in row] for row in book[sheet].iter_rows(values_only=True))
            expected = rows.slice(part * ROWS, ROWS)
            columns = list(zip(*found, strict=True)) if found else [()] * len(head)
            same = head == rows.column_names and all(
                _same(cells, there) for cells, there in zip(columns, expected.columns, strict=True)
            )
            if not same:
                yield Problem(name, sheet, "does not hold the same cells as its table", HINT)


def _same(found: Sequence[Any], expected: pa.ChunkedArray) -> bool:
    return list(found) == ["" if cell is None else cell for cell in expected.to_pylist()]


def _plain(cell: Any) -> Any:
    """A cell as its table has it: blank text, and a day for a day, which Excel stores as a moment."""
    return cell.date() if isinstance(cell, datetime) else "" if cell is None else cell


def _jsonstat(folder: Path, described: Described) -> Iterator[Problem]:
    """Every cube has its size and the same cells in every language; together they hold the estimates."""
    estimates = read_parquet(folder / "data" / "estimates.parquet")
    first, *others = described["languages"]
    cells: dict[tuple[str, ...], Any] = {}
    for path in sorted((folder / "jsonstat").glob(f"estimates-*.{first}.json")):
        cube, file = _cube(path), path.relative_to(folder).as_posix()
        last = max(map(int, (*cube["value"], *cube["status"], "-1")))
        if [len(codes) for codes in cube["codes"]] != cube["size"] or last >= prod(cube["size"]):
            yield Problem(file, "size", "does not fit the dimensions and values of the cube", HINT)
            return
        cells |= _unfolded(cube)
        for language in others:
            other = path.with_name(path.name.replace(f".{first}.json", f".{language}.json"))
            if _cube(other) != cube:
                yield Problem(file, language, "does not hold the same cells in this language", HINT)
    if cells != _figures(estimates):
        yield Problem("jsonstat", first, "does not hold the same cells as the estimates", HINT)


def _px(folder: Path, described: Described) -> Iterator[Problem]:
    """Every PC-Axis file has the numbers of its survey's JSON-stat cube, and dots everywhere else."""
    first = described["languages"][0]
    cubes = {path.name.split(".")[0]: path for path in (folder / "jsonstat").glob(f"*.{first}.json")}
    files = {path.stem: path for path in (folder / "px").glob("*.px")}
    for name in sorted(cubes | files):
        cube = _cube(cubes[name])
        cells = files[name].read_text(encoding="utf-8").rpartition("DATA=\n")[2].split()[:-1]
        found = {str(index): float(cell) for index, cell in enumerate(cells) if cell[0] != '"'}
        if found != cube["value"] or len(cells) != prod(cube["size"]):
            yield Problem(f"px/{name}.px", "", "does not hold the same cells as the estimates", HINT)


def _cube(path: Path) -> dict[str, Any]:
    """The language-independent part of a cube: its dimensions with their codes, and its cells."""
    cube = json.loads(path.read_text(encoding="utf-8"))
    codes = [list(cube["dimension"][name]["category"]["index"]) for name in cube["id"]]
    return {"codes": codes} | {name: cube[name] for name in ("id", "size", "value", "status")}


def _unfolded(cube: Mapping[str, Any]) -> dict[tuple[str, ...], Any]:
    """The values of a cube by their codes; a status by those of its value and ``obs_status``."""
    *outer, measures = cube["codes"]
    keys = list(product(*outer))
    found: dict[tuple[str, ...], Any] = {}
    for index, cell in cube["value"].items():
        position, measure = divmod(int(index), len(measures))
        found[*keys[position], measures[measure]] = cell
    for index, flag in cube["status"].items():
        found[*keys[int(index) // len(measures)], "obs_status"] = flag
    return found


def _figures(estimates: pa.Table) -> dict[tuple[str, ...], Any]:
    """The figures and flags of the estimates, by the codes that a cube gives them."""
    parts = cubes.DIMENSIONS.values()
    keys = list(zip(*(cubes.joined(estimates, columns) for columns in parts), strict=True))
    found: dict[tuple[str, ...], Any] = {}
    for measure in (*cubes.MEASURES, "obs_status"):
        cells = zip(keys, estimates[measure].to_pylist(), strict=True)
        found |= {(*key, measure): cell for key, cell in cells if cell is not None}
    return found


def _sdmx(folder: Path, described: Described) -> Iterator[Problem]:
    """Every observation is an estimate, in the same order and with the same cells."""
    estimates = read_parquet(folder / "data" / "estimates.parquet")
    names = sdmx.DIMENSIONS | {sdmx.TIME: "time_period", sdmx.VALUE: "value"} | sdmx.ATTRIBUTES
    texts = pacsv.ConvertOptions(
        column_types=dict.fromkeys(names, pa.string()), include_columns=list(names), strings_can_be_null=False
    )
    options = pacsv.ParseOptions(newlines_in_values=True)
    found = pacsv.read_csv(folder / "sdmx" / "data.csv", convert_options=texts, parse_options=options)
    for name, column in names.items():
        known = {cell: _text(cell, name) for cell in estimates[column].unique().to_pylist()}
        if found[name].to_pylist() != [known[cell] for cell in estimates[column].to_pylist()]:
            yield Problem("sdmx/data.csv", name, "does not hold the same cells as the estimates", HINT)


def _text(cell: Any, name: str) -> str:
    if name in sdmx.DIMENSIONS:
        return sdmx.identifier(cell)
    return number_text(cell) if isinstance(cell, float) else "" if cell is None else str(cell)


def _dcat(folder: Path, described: Described) -> Iterator[Problem]:
    """The same graph in both notations, one text a language, dates in order, every file as described."""
    graph = Graph().parse(folder / "dcat.ttl", publicID=BASE)
    linked = Graph().parse(folder / "dcat.jsonld", format="json-ld", publicID=BASE)
    if not isomorphic(graph, linked):
        yield Problem("dcat.jsonld", "", "is not the same graph as dcat.ttl", HINT)
    for subject in set(graph.subjects()):
        for predicate in (DCTERMS.title, DCTERMS.description):
            texts = [text for text in graph.objects(subject, predicate) if isinstance(text, Literal)]
            if len({text.language for text in texts}) < len(texts):
                yield Problem("dcat.ttl", str(predicate), "has two texts in one language", HINT)
    for period in graph.subjects(DCAT.startDate):
        start, end = (str(graph.value(period, each)) for each in (DCAT.startDate, DCAT.endDate))
        if date.fromisoformat(start) > date.fromisoformat(end):
            yield Problem("dcat.ttl", "dcat:startDate", "is later than the end", HINT, start)
    for file in graph.subjects(SPDX.checksum):
        path = folder / str(graph.value(file, DCTERMS.identifier))
        stated = str(graph.value(graph.value(file, SPDX.checksum), SPDX.checksumValue))
        size = str(graph.value(file, DCAT.byteSize))
        if not path.is_file() or file_sha256(path) != stated or size != str(path.stat().st_size):
            yield Problem(
                "dcat.ttl", path.name, "does not describe the file in the package (size or sha256)", HINT
            )


def check_archive(folder: Path, described: Described, listed: Mapping[str, str]) -> Iterator[Problem]:
    """The archive holds every listed file and the list itself, unchanged."""
    top = f"{described['name']}-{described['version']}"
    if [path.name for path in folder.glob("*.zip")] != [f"{top}.zip"]:
        yield Problem(f"{top}.zip", "", "must be the only archive of the package", HINT)
        return
    try:
        with zipfile.ZipFile(io.BytesIO((folder / f"{top}.zip").read_bytes())) as archive:
            names = archive.namelist()
            same = all(
                archive.read(f"{top}/{name}") == (folder / name).read_bytes()
                for name in listed
                if f"{top}/{name}" in names
            )
    except (OSError, zipfile.BadZipFile):
        yield Problem(f"{top}.zip", "", "is not a zip file", HINT)
        return
    if not same or sorted(names) != sorted(f"{top}/{name}" for name in listed):
        yield Problem(f"{top}.zip", "", "does not hold the same files as the package", HINT)
