"""What is asked and estimated: codebook, bases, indicators, breakdowns and questionnaires, as frozen records.

The types of the fields are the declaration (see ``kinds``); what must hold between them is in ``check``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema

from pipeline.catalogue.kinds import (
    KEYED,
    Hidden,
    Key,
    Language,
    Measure,
    Name,
    Note,
    Number,
    Text,
    Whole,
    folding,
)
from pipeline.catalogue.logic import LOGIC, OPERATORS, LogicField

SELECTED, NOT_SELECTED = "selected", "not_selected"
NO_ANSWER, NOT_ASKED = "no_answer", "not_asked"
IGNORE = "ignore"
ABSENT = (NO_ANSWER, NOT_ASKED)  # states of an answer variable that are not an answer
QuestionType = Literal["single", "multiple", "grid", "numeric"]
Unit = Literal["percent", "mean", "count"]
Bound = Annotated[Number, Field(ge=-1e15, le=1e15)]  # of answers: beyond it whole numbers are no longer exact


def is_confirmed(note: str) -> bool:
    """Somebody has looked at what a note is about, and judged it right: it begins with ``confirmed``."""
    return note.casefold().startswith("confirmed")


def question_key(answer: str) -> str:
    """The question in the name of an answer variable or pattern: ``q`` of ``q``, ``q.item`` and ``q.*``."""
    return answer.partition(".")[0]


def item_key(answer: str) -> str:
    """The item in the name of an answer variable: ``item`` of ``q.item``; "" where the question has none."""
    return answer.partition(".")[2]


@dataclass(frozen=True)
class Variable:
    """A background variable: known of every unit, used by breakdowns and margins."""

    key: Key
    label: Annotated[Text, Field(description="for readers")]
    codes: Annotated[Mapping[Name, Text], Field(description="a code and its label")] = field(
        default_factory=dict
    )
    note: Annotated[Note, Field(description="what a reader should know")] = ""


@dataclass(frozen=True)
class Question:
    """A harmonised question: ``items`` of multiple and grid, ``codes`` of single and grid."""

    key: Key
    type: Annotated[QuestionType, Field(description="the shape of its answers")]
    base: Annotated[Name, Field(description="who it is put to")] = field(default="all", kw_only=True)
    text: Annotated[Text, Field(description="the question, harmonised")]
    items: Annotated[Mapping[Name, Text], Field(description="an item and its label: multiple, grid")] = field(
        default_factory=dict
    )
    codes: Annotated[Mapping[Name, Text], Field(description="a code and its label: single, grid")] = field(
        default_factory=dict
    )
    nonresponse: Annotated[
        tuple[Name, ...],
        Field(description="codes (single, grid) or items (multiple) that are no substantive answer"),
    ] = ()
    max_choices: Annotated[
        Whole | None, Field(description="how many items may be selected: multiple only", ge=1, le=1000)
    ] = None
    minimum: Annotated[Bound | None, Field(description="the least a number may be: numeric only")] = None
    maximum: Annotated[Bound | None, Field(description="the most a number may be: numeric only")] = None
    nothing_ticked: Annotated[
        Literal["no_answer", "not_selected"] | None,
        Field(description="what a row with nothing ticked says (see below): multiple only"),
    ] = None
    label: Annotated[Note, Field(description="a short name for readers")] = ""
    note: Annotated[Note, Field(description="what a reader should know")] = ""

    @property
    def answers(self) -> tuple[str, ...]:
        """The answer variables: the question itself, or one a item."""
        return tuple(f"{self.key}.{item}" for item in self.items) if self.items else (self.key,)

    @property
    def answer_codes(self) -> tuple[str, ...]:
        """The codes an answer variable may take when answered; empty for a number."""
        return (SELECTED, NOT_SELECTED) if self.type == "multiple" else tuple(self.codes)


@dataclass(frozen=True)
class Base:
    """Who a question is put to: the denominator. ``logic`` is None for everyone."""

    key: Key
    logic: LogicField = None
    label: Annotated[Note, Field(description="for readers")] = ""


@dataclass(frozen=True)
class Indicator:
    """An estimand. Exactly one of ``question``, ``logic``, ``mean`` and ``total`` is set.

    ``question``: a share a code (single) or a item (multiple, grid; ``codes`` says which codes count).
    ``logic``: a share of the base for which the logic holds (category ``yes``).
    ``mean``: the mean of a numeric answer variable, or of a coded one through ``scores``; of ``question.*`` a
    mean an item of a grid.
    ``total``: the weighted count behind another indicator, named by its key.
    """

    key: Key
    label: Annotated[Note, Field(description="for readers")] = ""
    base: Annotated[Note, Field(description="the denominator; that of its questions when left out")] = ""
    question: Annotated[Name | None, Field(description="a share a code (single) or an item")] = None
    codes: Annotated[tuple[Name, ...], Field(description="with `question`: the codes that count")] = ()
    logic: LogicField = None
    mean: Annotated[
        Text | None, Field(description="the mean of an answer variable; of `question.*`, of every item")
    ] = None
    scores: Annotated[
        Mapping[Name, Measure], Field(description="with `mean` of a coded question: a number a code")
    ] = field(default_factory=dict)
    total: Annotated[Name | None, Field(description="the weighted count behind another indicator")] = None
    weight: Annotated[
        Note, Field(description="one of the waves' further weights, by its name; the main one when left out")
    ] = ""
    denominator: Annotated[
        Literal["base", "substantive"],
        Field(description="`substantive`: answers that are none leave the share altogether"),
    ] = "base"
    version: Annotated[Whole, Field(description="of its definition", ge=1, le=1_000_000)] = 1
    description: Annotated[Note, Field(description="for readers")] = ""
    note: Annotated[Note, Field(description="what a reader should know")] = ""

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

    key: Key
    by: Annotated[tuple[Name, ...], Field(description="background variables it crosses; none for the total")]
    label: Annotated[Note, Field(description="for readers")] = ""


@dataclass(frozen=True)
class CrosswalkRow:
    """One line of a crosswalk: source variable + source code -> harmonised variable + code."""

    line: int
    source_variable: str
    source_code: str  # "" is a blank cell, "*" any value
    variable: str
    code: str  # "=" copies a number, "ignore" drops the value
    note: str = ""

    @property
    def confirmed(self) -> bool:
        """Somebody has looked at the line, and judged it right."""
        return is_confirmed(self.note)


def _flat(value: Any, prefix: str = "") -> Any:
    """Tables below tables as one table with keys joined by dots."""
    if not isinstance(value, dict):
        return value
    flat: dict[str, Any] = {}
    for key, entry in value.items():
        flat |= _flat(entry, f"{prefix}{key}.") if isinstance(entry, dict) else {f"{prefix}{key}": entry}
    return flat


@dataclass(frozen=True)
class Instrument:
    """One version of a questionnaire: what was asked, in its own language, and how answers map."""

    key: Key
    language: Annotated[Language, Field(description="of the wording, as `nb`")]
    unit_verb: Annotated[Note, Field(description="what units were asked: `introduced`, `works_with`")] = ""
    wording: Annotated[
        Mapping[str, Text],
        BeforeValidator(_flat),
        Field(description="as asked, keyed like the codebook"),
        WithJsonSchema({"type": "object"}),
    ] = field(default_factory=dict)  # flat: "introduced.text", "introduced.items.product"
    question_versions: Annotated[
        Mapping[Name, Text],
        Field(description="of questions whose wording, options or scale differ from the codebook's"),
    ] = field(default_factory=dict)
    max_choices: Annotated[
        Mapping[Name, Annotated[Whole, Field(ge=1, le=1000)]],
        Field(description="where it differs from the codebook's"),
    ] = field(default_factory=dict)
    crosswalk: Annotated[tuple[CrosswalkRow, ...], Field(alias="<crosswalk>"), Hidden()] = ()
    note: Annotated[Note, Field(description="what a reader should know")] = ""
    about: Annotated[
        Note,
        Field(description="which innovation, case or event the questions on one of them mean: `newest` ..."),
    ] = ""
    uncertain: Annotated[
        tuple[Name, ...], Field(description="questions whose wording, options or scale are not published")
    ] = ()


@dataclass(frozen=True)
class CodebookFile:
    """Background variables and questions, shared by all waves."""

    variables: Annotated[Mapping[Name, Variable], KEYED, Field(description="background variables")] = field(
        default_factory=dict
    )
    questions: Annotated[Mapping[Name, Question], KEYED, Field(description="harmonised questions")] = field(
        default_factory=dict
    )


@dataclass(frozen=True)
class IndicatorsFile:
    """Bases and indicators. The base ``all`` needs no declaration."""

    bases: Annotated[Mapping[Name, Base], folding(OPERATORS, LOGIC), Field(description="denominators")] = (
        field(default_factory=dict)
    )
    indicators: Annotated[
        Mapping[Name, Indicator], folding(OPERATORS, LOGIC), Field(description="estimands")
    ] = field(default_factory=dict)


@dataclass(frozen=True)
class DomainsFile:
    """Breakdowns. The total is there without being declared."""

    domains: Annotated[Mapping[Name, Domain], KEYED, Field(description="breakdowns")] = field(
        default_factory=dict
    )
