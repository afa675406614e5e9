"""PC-Axis: the cube of each survey with all its languages in one file, for PxWeb, PxWin and their readers.

The format has no blank cells: dots say why a number is missing. It cannot hold a flag beside a number.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from math import prod
from pathlib import Path

from pipeline.problems import Problem
from pipeline.release.contents import Contents
from pipeline.release.formats.cubes import MEASURES, Cube, code_labels, cubes, dimension_label, title
from pipeline.release.formats.format import REBUILD, Described
from pipeline.release.formats.jsonstat import read_cube
from pipeline.release.labels import Labels
from pipeline.release.notes import rules

ABSENT, CONFIDENTIAL, UNRELIABLE, MISSING = ('"."', '".."', '"..."', '"...."')
SYMBOLS = {  # in the order of their dots
    ABSENT: "Not estimated",
    CONFIDENTIAL: "Not shown: confidential",
    UNRELIABLE: "Not shown: too uncertain",
    MISSING: "No valid answer",
}
WIDTH = 200  # characters of a text before it continues on the next line


def files(contents: Contents) -> dict[str, bytes]:
    """The estimates, one file for each survey."""
    return {f"px/estimates-{cube.survey}.px": _file(cube, contents) for cube in cubes(contents)}


def _file(cube: Cube, contents: Contents) -> bytes:
    barometer = contents.catalogue.barometer
    own, *others = contents.languages
    lines = [
        'CHARSET="ANSI";',
        'AXIS-VERSION="2013";',
        'CODEPAGE="utf-8";',
        f'LANGUAGE="{own}";',
        *([f"LANGUAGES={_texts([own, *others])};"] if others else []),
        f'CREATION-DATE="{barometer.released:%Y%m%d} 00:00";',
        f"DECIMALS={_decimals(cube)};",
        f"MATRIX={_text(f'{contents.package.key}-{cube.survey}')};",
        f"SUBJECT-CODE={_text(contents.package.key)};",
    ]
    for name, language in [("", own), *((f"[{language}]", language) for language in others)]:
        lines += (
            line.replace("=", f"{name}=", 1) for line in _general(cube, contents, contents.labels[language])
        )
        lines += _dimensions(cube, contents, contents.labels[language], name)
    cells = _cells(cube)
    rows = (" ".join(cells[at : at + len(MEASURES)]) for at in range(0, len(cells), len(MEASURES)))
    return "\n".join([*lines, "DATA=", *rows, ";", ""]).encode()


def _general(cube: Cube, contents: Contents, labels: Labels) -> Iterator[str]:
    """The keywords about the whole table."""
    names = [_name(name, labels) for name in cube.codes]
    notes = " ".join((contents.warned(labels.description), *map(labels.foreign, rules(contents.catalogue))))
    yield f"SUBJECT-AREA={_text(contents.marked(labels.title))};"
    yield f"TITLE={_text(title(cube, contents, labels))};"
    yield f"CONTENTS={_text(title(cube, contents, labels))};"
    yield f"UNITS={_text(labels.foreign('as the indicator says'))};"
    yield f"STUB={_texts(names[:-1])};"
    yield f"HEADING={_texts(names[-1:])};"
    yield f"SOURCE={_text(contents.citation)};"
    yield f"NOTE={_text(notes)};"
    for number, meaning in enumerate(SYMBOLS.values(), start=1):
        yield f"DATASYMBOL{number}={_text(labels.foreign(meaning))};"


def _dimensions(cube: Cube, contents: Contents, labels: Labels, language: str) -> Iterator[str]:
    """The values of each dimension and their codes."""
    for name, codes in cube.codes.items():
        labels_of = code_labels(name, cube, contents, labels)
        key = f"{language}({_text(_name(name, labels))})"
        yield f"VALUES{key}={_texts(_unique(labels_of))};"
        yield f"CODES{key}={_texts(codes)};"


def _name(name: str, labels: Labels) -> str:
    """A dimension's name; in round brackets what is not translated, as square ones name a language here."""
    return dimension_label(name, labels).replace("[", "(").replace("]", ")")


def _unique(labels: dict[str, str]) -> list[str]:
    """Labels as values, which must be unique: those that are not have their codes added."""
    count = Counter(labels.values())
    return [label if count[label] == 1 else f"{label} ({code})" for code, label in labels.items()]


def _decimals(cube: Cube) -> int:
    return max((len(text.partition(".")[2]) for _, text in cube.figures()), default=0)


def _cells(cube: Cube) -> list[str]:
    """Every cell in order: a number, or the dots that say why there is none."""
    cells = [ABSENT] * prod(cube.size)
    flags = zip(cube.rows["obs_status"].to_pylist(), cube.rows["conf_status"].to_pylist(), strict=True)
    for index, (status, confidentiality) in zip(cube.index.tolist(), flags, strict=True):
        if status in ("Q", "M"):
            hidden = UNRELIABLE if confidentiality == "F" else CONFIDENTIAL
            cells[index : index + len(MEASURES)] = [MISSING if status == "M" else hidden] * len(MEASURES)
    for index, text in cube.figures():
        cells[index] = text
    return cells


def _texts(texts: Iterable[str]) -> str:
    return ",\n".join(map(_text, texts))


def _text(text: str) -> str:
    """A text in double quotes, those inside it made single; a long one continues on the next line."""
    plain = " ".join(text.replace('"', "'").split())
    parts: Sequence[str] = [plain[at : at + WIDTH] for at in range(0, len(plain), WIDTH)] or [""]
    return "\n".join(f'"{part}"' for part in parts)


def check(folder: Path, described: Described) -> Iterator[Problem]:
    """Every PC-Axis file has the numbers of its survey's JSON-stat cube, and dots everywhere else."""
    first = described["languages"][0]
    compared = {path.name.split(".")[0]: path for path in (folder / "jsonstat").glob(f"*.{first}.json")}
    found = {path.stem: path for path in (folder / "px").glob("*.px")}
    for name in sorted(compared | found):
        cube = read_cube(compared[name])
        cells = found[name].read_text(encoding="utf-8").rpartition("DATA=\n")[2].split()[:-1]
        numbers = {str(index): float(cell) for index, cell in enumerate(cells) if cell[0] != '"'}
        if numbers != cube["value"] or len(cells) != prod(cube["size"]):
            yield Problem(f"px/{name}.px", "", "does not hold the same cells as the estimates", REBUILD)
