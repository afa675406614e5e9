"""What is asked and estimated: codebook, bases, indicators, breakdowns and questionnaires, as frozen records.

How they are read stands in ``reader``; what must hold between them stands in ``check``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

SELECTED, NOT_SELECTED = "selected", "not_selected"
NO_ANSWER, NOT_ASKED = "no_answer", "not_asked"
IGNORE = "ignore"
ABSENT = (NO_ANSWER, NOT_ASKED)  # states of an answer variable that are not an answer
QuestionType = Literal["single", "multiple", "grid", "numeric"]
Unit = Literal["percent", "mean", "count"]


@dataclass(frozen=True)
class Variable:
    """A background variable: known of every unit, used by breakdowns and margins."""

    key: str
    label: str
    codes: Mapping[str, str]
    note: str = ""


@dataclass(frozen=True)
class Question:
    """A harmonised question: ``items`` of multiple and grid, ``codes`` of single and grid."""

    key: str
    type: QuestionType
    base: str
    text: str
    items: Mapping[str, str] = field(default_factory=dict)
    codes: Mapping[str, str] = field(default_factory=dict)
    nonresponse: tuple[
        str, ...
    ] = ()  # codes (single, grid) or items (multiple) that are not a substantive answer
    max_choices: int | None = None
    label: str = ""
    note: str = ""

    @property
    def answers(self) -> tuple[str, ...]:
        """The answer variables: the question itself, or one a item."""
        return tuple(f"{self.key}.{item}" for item in self.items) if self.items else (self.key,)

    @property
    def answer_codes(self) -> tuple[str, ...]:
        """The codes an answer variable may take when answered; empty for a number."""
        return (SELECTED, NOT_SELECTED) if self.type == "multiple" else tuple(self.codes)


@dataclass(frozen=True)
class Condition:
    """``pattern=code|code``: a variable takes one of the codes; ``question.*`` means any of its items."""

    pattern: str
    codes: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.pattern}={'|'.join(self.codes)}"


@dataclass(frozen=True)
class Logic:
    """Conditions joined by any, all or none. An answer that is not there does not hold."""

    operator: Literal["any", "all", "none"]
    parts: tuple[Condition | Logic, ...]

    def conditions(self) -> Iterator[Condition]:
        """Every condition below it, however deep."""
        for part in self.parts:
            if isinstance(part, Condition):
                yield part
            else:
                yield from part.conditions()


@dataclass(frozen=True)
class Base:
    """Who a question is put to: the denominator. ``logic`` is None for everyone."""

    key: str
    logic: Logic | None = None
    label: str = ""


@dataclass(frozen=True)
class Indicator:
    """An estimand. Exactly one of ``question``, ``logic``, ``mean`` and ``total`` is set.

    ``question``: a share a code (single) or a item (multiple, grid; ``codes`` says which codes count).
    ``logic``: a share of the base for which the logic holds (category ``yes``).
    ``mean``: the mean of a numeric answer variable, or of a coded one through ``scores``.
    ``total``: the weighted count behind another indicator, named by its key.
    """

    key: str
    label: str
    base: str
    question: str | None = None
    codes: tuple[str, ...] = ()
    logic: Logic | None = None
    mean: str | None = None
    scores: Mapping[str, float] = field(default_factory=dict)
    total: str | None = None
    denominator: Literal["base", "substantive"] = "base"
    version: int = 1
    description: str = ""
    note: str = ""

    @property
    def unit(self) -> Unit:
        """What its values are measured in."""
        return "count" if self.total is not None else "mean" if self.mean is not None else "percent"

    @property
    def patterns(self) -> tuple[str, ...]:
        """The questions, answer variables and patterns that its own declaration names; none of a total."""
        names = [name for name in (self.question, self.mean) if name]
        names += [condition.pattern for condition in self.logic.conditions()] if self.logic else []
        return tuple(names)


@dataclass(frozen=True)
class Domain:
    """A breakdown: the background variables it crosses; none for the total."""

    key: str
    by: tuple[str, ...]
    label: str = ""


@dataclass(frozen=True)
class CrosswalkRow:
    """One line of a crosswalk: source variable + source code -> harmonised variable + code."""

    line: int
    source_variable: str
    source_code: str  # "" is a blank cell, "*" any value
    variable: str
    code: str  # "=" copies a number, "ignore" drops the value
    note: str = ""


@dataclass(frozen=True)
class Instrument:
    """One version of a questionnaire: what was asked, in its own language, and how answers map."""

    key: str
    language: str
    unit_verb: str
    wording: Mapping[str, str]  # flat: "introduced.text", "introduced.items.product", "introduced.codes.yes"
    question_versions: Mapping[str, str]
    max_choices: Mapping[str, int]
    crosswalk: tuple[CrosswalkRow, ...]
    note: str = ""
    about: str = ""  # which innovation, case or event the questions on one of them mean, as newest
    uncertain: tuple[str, ...] = ()  # questions whose wording, options or scale are not published
