"""What nobody has confirmed: the guesses and open ends that a draft leaves in the declarations.

A draft marks each by the word ``guess`` or ``TODO``, at the beginning of a crosswalk row's note or of the
comment on a line of TOML. To confirm one is to take that word away.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from pipeline.catalogue.questionnaire import Instrument
from pipeline.catalogue.reader import file_bytes
from pipeline.problems import Problem, counted

MARK = re.compile(r"(?:guess|todo)\b", re.IGNORECASE)
# a string of TOML, in which # has no meaning, or a comment
TOKEN = re.compile(
    r'"""(?:\\.|[^\\])*?"""|\'\'\'.*?\'\'\'|"(?:\\.|[^"\\\n])*"|\'[^\'\n]*\'|#[ \t]*(?P<comment>[^\n]*)',
    re.DOTALL,
)
FOLDERS = ("", "instruments", "waves")
SHOWN = 6  # runs of lines of one file in a message
HINT = "Look at each and correct it, then take the word `guess` or `TODO` out of its note or comment."


@dataclass(frozen=True)
class Unconfirmed:
    """A line of a declaration that begins its note or comment with ``guess`` or ``TODO``."""

    file: str  # relative to the barometer's folder
    line: int
    text: str  # the note or comment


def unconfirmed(root: Path, instruments: Mapping[str, Instrument]) -> tuple[Unconfirmed, ...]:
    """Every unconfirmed line of the declarations, by file and line. What cannot be read is left out."""
    found = [
        Unconfirmed(f"schemas/instruments/{key}.csv", row.line, row.note)
        for key, instrument in instruments.items()
        for row in instrument.crosswalk
        if MARK.match(row.note)
    ]
    for folder in FOLDERS:
        for path in sorted((root / "schemas" / folder).glob("*.toml")):
            found += _of_toml(path, path.relative_to(root).as_posix())
    return tuple(sorted(found, key=lambda each: (each.file, each.line)))


def _of_toml(path: Path, file: str) -> Iterator[Unconfirmed]:
    try:
        text = file_bytes(path).decode()
    except (OSError, UnicodeDecodeError):  # a problem of its own
        return
    for token in TOKEN.finditer(text):
        comment = (token["comment"] or "").strip()
        if MARK.match(comment):
            yield Unconfirmed(file, text.count("\n", 0, token.start()) + 1, comment)


def unconfirmed_problems(lines: tuple[Unconfirmed, ...]) -> Iterator[Problem]:
    """A problem for each file: which of its lines a release waits for."""
    for file, group in groupby(lines, key=lambda each: each.file):
        own = list(group)
        message = f"has {counted(len(own), 'guess', 'guesses')} that nobody has confirmed"
        yield Problem(file, places(own), message, HINT)


def places(lines: list[Unconfirmed]) -> str:
    """The lines of one file, neighbours as a range: ``lines 2-9, 12``."""
    runs: list[list[int]] = []
    for number in sorted({each.line for each in lines}):
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    parts = [str(first) if first == last else f"{first}-{last}" for first, last in runs]
    more = f" and {len(parts) - SHOWN} more" if len(parts) > SHOWN else ""
    noun = "line" if len(parts) == 1 and "-" not in parts[0] else "lines"
    return f"{noun} {', '.join(parts[:SHOWN])}{more}"
