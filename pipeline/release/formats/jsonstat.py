"""JSON-stat 2.0: the cube of each survey, sparse, one file for each language.

What the format has no place for (why a cell is hidden, notes, units) is in ``extension``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from pipeline.release.contents import Contents
from pipeline.release.formats.cubes import Cube, code_labels, cubes, dimension_label, title
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
            row["wave"]: {name: _plain(row[name]) for name in WAVE_COLUMNS}
            for row in waves
            if row["wave"] in cube.codes["wave"]
        },
        "unit_measure": {row["indicator"]: row["unit_measure"] for row in units},
        "conf_status": _exceptions(cube, cube.rows["conf_status"], "F"),
        "note": _exceptions(cube, cube.rows["note"], ""),
    }


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, (str, int)) else value.isoformat()


def _exceptions(cube: Cube, cells: pa.ChunkedArray, usual: str) -> dict[str, str]:
    pairs = zip(cube.index.tolist(), cells.to_pylist(), strict=True)
    return {str(index): cell for index, cell in sorted(pairs) if cell != usual}
