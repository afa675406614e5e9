"""The estimates of a survey as one cube: its dimensions, its codes and the index of each row in it.

Every survey has a cube of its own, as trends are within surveys, and a key of several columns is one
dimension, its parts joined by ``:``. Otherwise most cells would be empty, and many readers unfold them all.
How a cube is written belongs to the formats.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.contracts import table
from pipeline.release.contents import Contents
from pipeline.release.files import number_text
from pipeline.release.labels import Labels

MEASURES = ("value", "se", "ci_low", "ci_high", "n", "deff")
DIMENSIONS: Mapping[str, tuple[str, ...]] = {
    "country": ("country",),
    "wave": ("wave",),
    "indicator": ("indicator", "category"),
    "domain": ("domain", "domain_code"),
}
LISTS = {"country": "waves", "wave": "waves", "indicator": "categories", "domain": "domains"}
TITLES = {
    "country": "Country",
    "wave": "Wave",
    "indicator": "Indicator and category",
    "domain": "Breakdown",
    "measure": "Measure",
}


@dataclass(frozen=True)
class Cube:
    """The estimates of one survey. ``index``: of the first measure of each row (row-major)."""

    survey: str
    codes: Mapping[str, Sequence[str]]  # by dimension, in published order
    rows: pa.Table
    index: npt.NDArray[np.int64]

    @property
    def size(self) -> list[int]:
        """The number of codes of each dimension."""
        return [len(codes) for codes in self.codes.values()]

    def figures(self) -> Iterator[tuple[int, str]]:
        """Every number that is there, as text, with its index; measure by measure."""
        for offset, measure in enumerate(MEASURES):
            cells = self.rows[measure].to_pylist()
            texts = {cell: number_text(cell) for cell in set(cells)}
            indexes = (self.index + offset).tolist()
            for index, cell in zip(indexes, cells, strict=True):
                if cell is not None:
                    yield index, texts[cell]


def cubes(contents: Contents) -> Iterator[Cube]:
    """A cube for each survey that has estimates."""
    estimates = contents.rows["estimates"]
    for survey in dict.fromkeys(estimates["survey"].to_pylist()):
        rows = estimates.filter(pc.equal(estimates["survey"], survey))
        codes: dict[str, Sequence[str]] = {}
        index = np.zeros(len(rows), dtype=np.int64)
        for name, columns in DIMENSIONS.items():
            found = joined(rows, columns)
            known, used = dict.fromkeys(joined(contents.rows[LISTS[name]], columns)), set(found)
            codes[name] = [code for code in known if code in used]
            position = {code: number for number, code in enumerate(codes[name])}
            index = index * len(position) + np.array([position[code] for code in found], dtype=np.int64)
        yield Cube(survey, codes | {"measure": MEASURES}, rows, index * len(MEASURES))


def joined(rows: pa.Table, columns: Sequence[str]) -> list[str]:
    """The codes of several columns as one."""
    return [":".join(parts) for parts in zip(*(rows[name].to_pylist() for name in columns), strict=True)]


def title(cube: Cube, contents: Contents, labels: Labels) -> str:
    """The title of a cube in a language."""
    countries = ", ".join(labels.countries[code] for code in cube.codes["country"])
    return contents.marked(f"{labels.title} ({countries}, {cube.survey})")


def dimension_label(name: str, labels: Labels) -> str:
    """The label of a dimension in a language."""
    return labels.foreign(TITLES[name])


def code_labels(name: str, cube: Cube, contents: Contents, labels: Labels) -> dict[str, str]:
    """The labels of the codes of a dimension in a language."""
    label_of: dict[str, Callable[[str], str]] = {
        "country": lambda code: labels.countries[code],
        "wave": lambda code: _wave(code, contents),
        "indicator": lambda code: _category(code, labels),
        "domain": lambda code: _cell(code, labels),
        "measure": lambda code: labels.foreign(_measure(code)),
    }
    return {code: label_of[name](code) for code in cube.codes[name]}


def _wave(code: str, contents: Contents) -> str:
    wave = contents.catalogue.waves[code]
    return f"{wave.time_period} ({wave.edition})"


def _category(code: str, labels: Labels) -> str:
    indicator, _, category = code.partition(":")
    name = labels.indicators.get(indicator, indicator)
    label = labels.categories.get((indicator, category), category)
    return label if label == name else f"{name}: {label}"


def _cell(code: str, labels: Labels) -> str:
    domain, _, part = code.partition(":")
    name, label = labels.domains.get(domain, domain), labels.cells.get((domain, part), part)
    return f"{name}: {label}" if part else label


def _measure(measure: str) -> str:
    fields = table("estimates")["fields"]
    return str(next(field["title"] for field in fields if field["name"] == measure))
