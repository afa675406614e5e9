"""What is wrong with the input, in words that let its owner fix it.

Here belong the record of a problem and the exception that carries problems to a user. Finding problems
belongs to the packages that read the input.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass


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
        location = self.file + (f", {self.key}" if self.key else "")
        given = "" if self.value is None else f" ({self.value!r})"
        return f"{location}: {self.message}{given}. {self.hint}"

    def as_dict(self) -> dict[str, str | None]:
        """The problem as plain values, for machines."""
        return asdict(self)


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
