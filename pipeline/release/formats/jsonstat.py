"""JSON-stat 2.0: the cube of each survey, sparse, one file for each language.

What the format has no place for (why a cell is hidden, notes, units) is in ``extension``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from itertools import product
from math import prod
from pathlib import Path
from typing import Any

import pyarrow as pa

from pipeline.problems import Problem
from pipeline.release.contents import Contents
from pipeline.release.files import read_parquet
from pipeline.release.formats.cubes import (
    DIMENSIONS,
    MEASURES,
    Cube,
    code_labels,
    cubes,
    dimension_label,
    joined,
    title,
)
from pipeline.release.formats.format import REBUILD, Described
from pipeline.release.labels import Labels
from pipeline.release.notes import rules

ROLES = {"time": ["wave"], "geo": ["country"], "metric": ["measure"]}
WAVE_COLUMNS = (
    "country",
    "survey",
    "edition",
    "time_period",
    "reference_start",
    "reference_end",
    "source_kind",
)


def files(contents: Contents) -> dict[str, bytes]:
    """The estimates, one file for each survey and language: the same cells with other labels."""
    made = {}
    for cube in cubes(contents):
        cells, extension = _cells(cube), _extension(cube, contents)
        for language, labels in contents.labels.items():
            head = json.dumps(
                _head(cube, contents, labels, extension), ensure_ascii=False, separators=(",", ":")
            )
            path = f"jsonstat/estimates-{cube.survey}.{language}.json"
            made[path] = f"{head[:-1]},{cells}}}\n".encode()
    return made


def _head(cube: Cube, contents: Contents, labels: Labels, extension: Mapping[str, Any]) -> dict[str, Any]:
    """All of a data set except its cells."""
    return {
        "version": "2.0",
        "class": "dataset",
        "label": title(cube, contents, labels),
        "source": contents.citation,
        "updated": f"{contents.catalogue.barometer.released.isoformat()}T00:00:00Z",
        "note": [contents.warned(labels.description), *map(labels.foreign, rules(contents.catalogue))],
        "role": ROLES,
        "id": list(cube.codes),
        "size": cube.size,
        "dimension": {
            name: {
                "label": dimension_label(name, labels),
                "category": {
                    "index": list(cube.codes[name]),
                    "label": code_labels(name, cube, contents, labels),
                },
            }
            for name in cube.codes
        },
        "extension": {"lang": labels.language, **extension},
    }


def _cells(cube: Cube) -> str:
    """Numbers by their index, and the status of each value, as JSON text: written once for all languages."""
    value = ",".join(f'"{index}":{text}' for index, text in sorted(cube.figures()))
    flags = sorted(zip(cube.index.tolist(), cube.rows["obs_status"].to_pylist(), strict=True))
    status = ",".join(f'"{index}":"{flag}"' for index, flag in flags)
    return f'"value":{{{value}}},"status":{{{status}}}'


def _extension(cube: Cube, contents: Contents) -> dict[str, Any]:
    units = cube.rows.select(["indicator", "unit_measure"]).to_pylist()
    waves = contents.rows["waves"].select(["wave", *WAVE_COLUMNS]).to_pylist()
    return {
        "licence": contents.licence_address,
        "version": contents.catalogue.barometer.version,
        "waves": {
            row["wave"]: {name: _json_value(row[name]) for name in WAVE_COLUMNS}
            for row in waves
            if row["wave"] in cube.codes["wave"]
        },
        "unit_measure": {row["indicator"]: row["unit_measure"] for row in units},
        "conf_status": _exceptions(cube, cube.rows["conf_status"], "F"),
        "note": _exceptions(cube, cube.rows["note"], ""),
    }


def _json_value(value: Any) -> Any:
    return value if value is None or isinstance(value, (str, int)) else value.isoformat()


def _exceptions(cube: Cube, cells: pa.ChunkedArray, usual: str) -> dict[str, str]:
    pairs = zip(cube.index.tolist(), cells.to_pylist(), strict=True)
    return {str(index): cell for index, cell in sorted(pairs) if cell != usual}


def check(folder: Path, described: Described) -> Iterator[Problem]:
    """Every cube has its size and the same cells in every language; together they hold the estimates."""
    estimates = read_parquet(folder / "data" / "estimates.parquet")
    first, *others = described["languages"]
    cells: dict[tuple[str, ...], Any] = {}
    for path in sorted((folder / "jsonstat").glob(f"estimates-*.{first}.json")):
        cube, file = read_cube(path), path.relative_to(folder).as_posix()
        last = max(map(int, (*cube["value"], *cube["status"], "-1")))
        if [len(codes) for codes in cube["codes"]] != cube["size"] or last >= prod(cube["size"]):
            yield Problem(file, "size", "does not fit the dimensions and values of the cube", REBUILD)
            return
        cells |= _unfolded(cube)
        for language in others:
            other = path.with_name(path.name.replace(f".{first}.json", f".{language}.json"))
            if read_cube(other) != cube:
                yield Problem(file, language, "does not hold the same cells in this language", REBUILD)
    if cells != _figures(estimates):
        yield Problem("jsonstat", first, "does not hold the same cells as the estimates", REBUILD)


def read_cube(path: Path) -> dict[str, Any]:
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
    parts = DIMENSIONS.values()
    keys = list(zip(*(joined(estimates, columns) for columns in parts), strict=True))
    found: dict[tuple[str, ...], Any] = {}
    for measure in (*MEASURES, "obs_status"):
        cells = zip(keys, estimates[measure].to_pylist(), strict=True)
        found |= {(*key, measure): cell for key, cell in cells if cell is not None}
    return found
