"""What is wrong with the input, in words that let its owner fix it.

Here belong the record of a problem and the exception that carries problems to a user. Finding problems
belongs to the packages that read the input.
"""

from __future__ import annotations

import errno
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

DEFECT = "This is a defect of the product, not of your declarations or data: report it with this message."
LONGEST_WORD, SHOWN = 100, 80  # a longer word (no name may be) is cut to so many characters
LONGEST, LONGEST_VALUE = 1000, 200  # characters of a whole message or hint; of a key or value
SHORT = 12  # characters of what may be a code
LONG = 60  # characters of what may be an answer's label
FREQUENT = 5  # rows: what so many say is a label and nobody's own words


@dataclass(frozen=True)
class Problem:
    """One thing wrong with the input: where it is, what it is and how to fix it.

    ``file`` is relative to the barometer's folder; ``key`` is the TOML path, the column or the line
    that holds ``value``. Neither ``value`` nor ``message`` may ever hold a respondent's answer next
    to anything that identifies the respondent.
    """

    file: str
    key: str
    message: str
    hint: str
    value: str | None = None
    wave: str | None = None  # set when only this wave is faulty: the others go on

    def __post_init__(self) -> None:
        """Whatever was found is kept as text: a number or a date of a TOML file, too."""
        if self.value is not None:
            object.__setattr__(self, "value", str(self.value))

    def __str__(self) -> str:
        location = self.file + (f", {_short(self.key, LONGEST_VALUE)}" if self.key else "")
        given = "" if self.value is None else f" ({_short(self.value, LONGEST_VALUE)!r})"
        return _printable(f"{location}: {_short(self.message)}{given}. {_short(self.hint)}")

    def as_dict(self) -> dict[str, str | None]:
        """The problem as plain values, for machines."""
        return asdict(self)


def shown(text: str, rows: int) -> str | None:
    """A raw file's text where a message may show it, None where it may be a respondent's own.

    ``rows`` is how many rows hold it. Control characters are escaped.
    """
    short = len(text) <= SHORT and not any(mark.isspace() for mark in text)
    if short or (rows >= FREQUENT and len(text) <= LONG):
        return "".join(mark if mark.isprintable() else ascii(mark)[1:-1] for mark in text)
    return None


def _printable(text: str) -> str:
    """A text with its control characters written out: raw, a terminal or an editor would obey them."""
    return "".join(each if each.isprintable() else repr(each)[1:-1] for each in text)


def _short(text: str, longest: int = LONGEST) -> str:
    """A text with what is too long to be read cut, and its length: a single word, or all of it."""
    text = re.sub(
        rf"[^\s./]{{{LONGEST_WORD + 1},}}",
        lambda word: f"{word[0][:SHOWN]}... ({len(word[0])} characters)",
        text,
    )
    return text if len(text) <= longest else f"{text[:longest]}... ({len(text)} characters)"


OUTSIDE: Mapping[int, tuple[str, str]] = {
    errno.ENOSPC: ("cannot be written: the disk is full", "Make room, and run it again."),
    errno.EDQUOT: (
        "cannot be written: this user's share of the disk is full",
        "Make room, and run it again.",
    ),
    errno.EROFS: ("cannot be written: its disk is read-only", "Use a folder that may be written to."),
    errno.EACCES: ("may not be opened by this user", "Give this user the right to, and run it again."),
    errno.EPERM: ("may not be changed by this user", "Give this user the right to, and run it again."),
    errno.EISDIR: ("is a folder, and a file belongs there", "Move the folder away, and run it again."),
    errno.ENOTDIR: (
        "lies below a file, and a folder belongs there",
        "Move that file away, and run it again.",
    ),
    errno.EEXIST: ("stands where a folder belongs", "Move it away, and run it again."),
    errno.ELOOP: ("is a link that leads back to itself", "Put the file itself there."),
    errno.ENOENT: ("is missing", "Put it back, or run `barometer run` if it is made by that."),
    errno.ENAMETOOLONG: ("has a name too long for this disk", "Use a folder with a shorter name."),
}  # what no second try mends, with the remedy
BEING_WRITTEN = re.compile(r"(^|/)\.([^/]+)\.\d+\.new")  # as ``atomic`` names it


def outside_problem(error: OSError, root: Path) -> Problem:
    """What the machine refused to do with a file or an address, as a problem of that file."""
    lasting = OUTSIDE.get(error.errno or 0)
    lines = str(error.strerror or error).strip().splitlines()
    message, hint = lasting or (f"cannot be used: {(lines or [type(error).__name__])[0]}", "Try it again.")
    named = error.filename if isinstance(error.filename, str | Path) else ""
    path = Path(named)
    file = (
        (path.relative_to(root) if path.is_relative_to(root) else path).as_posix() if named else "warehouse"
    )
    return Problem(BEING_WRITTEN.sub(r"\1\2", file), "", message, hint)


def counted(number: int, noun: str, plural: str = "") -> str:
    """A number with its noun: ``1 problem``, ``2 problems``; ``plural`` where it takes more than an s."""
    return f"{number} {noun}" if number == 1 else f"{number} {plural or noun + 's'}"


def wave_problem(wave: str, key: str, message: str, hint: str, value: str | None = None) -> Problem:
    """A problem at a TOML path of a wave's file. It stops this wave only."""
    return Problem(f"schemas/waves/{wave}.toml", key, message, hint, value, wave)


class ProblemError(Exception):
    """Raised when the input is faulty. It carries every problem found, not only the first."""

    def __init__(self, problems: Problem | Iterable[Problem]) -> None:
        self.problems: tuple[Problem, ...] = (problems,) if isinstance(problems, Problem) else tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))
