"""What is wrong with the input, in words that let its owner fix it.

Here belong the record of a problem and the exception that carries problems to a user. Finding problems
belongs to the packages that read the input.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass

DEFECT = "This is a defect of the product, not of your declarations or data: report it with this message."
LONGEST_WORD, SHOWN = 100, 80  # a longer word (no name may be) is cut to so many characters
LONGEST, LONGEST_VALUE = 1000, 200  # characters of a whole message or hint; of a key or value


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

    def __str__(self) -> str:
        location = self.file + (f", {_short(self.key, LONGEST_VALUE)}" if self.key else "")
        given = "" if self.value is None else f" ({_short(self.value, LONGEST_VALUE)!r})"
        return _printable(f"{location}: {_short(self.message)}{given}. {_short(self.hint)}")

    def as_dict(self) -> dict[str, str | None]:
        """The problem as plain values, for machines."""
        return asdict(self)


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


def counted(number: int, noun: str) -> str:
    """A number with its noun: ``1 problem``, ``2 problems``."""
    return f"{number} {noun}" + ("" if number == 1 else "s")


def wave_problem(wave: str, key: str, message: str, hint: str, value: str | None = None) -> Problem:
    """A problem at a TOML path of a wave's file. It stops this wave only."""
    return Problem(f"schemas/waves/{wave}.toml", key, message, hint, value, wave)


class ProblemError(Exception):
    """Raised when the input is faulty. It carries every problem found, not only the first."""

    def __init__(self, problems: Problem | Iterable[Problem]) -> None:
        self.problems: tuple[Problem, ...] = (problems,) if isinstance(problems, Problem) else tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))
