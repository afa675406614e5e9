"""What a wave can estimate: its indicators as denominators and numerators over its own columns.

Here belongs the meaning of an indicator in SQL conditions on answers as ``encoding`` numbers them.
Running them belongs to ``statistics``. The SQL keeps to the subset that DuckDB, Spark and Sail share.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from math import prod
from typing import Literal

from pipeline.catalogue.fieldwork import Wave
from pipeline.catalogue.model import Catalogue
from pipeline.catalogue.questionnaire import (
    NOT_ASKED,
    SELECTED,
    Condition,
    Domain,
    Indicator,
    Logic,
    Question,
    Unit,
    item_key,
)
from pipeline.estimation.encoding import variables_of

YES, MEAN = "yes", "mean"


@dataclass(frozen=True)
class Measure:
    """One estimand: who is asked (``base``) and counts (``mask``), and what is counted of them.

    ``base`` and ``mask`` are conditions. ``value`` is one that implies the mask (a share, or a count
    when ``unit`` is count), or a number (a mean), of which ``scores`` holds the lowest and highest where
    they are declared.
    """

    indicator: str
    category: str
    unit: Unit
    base: str
    mask: str
    value: str
    scores: tuple[float, ...] = ()
    exclusive: bool = False  # of a single-choice question: a unit is counted by one of its measures at most


@dataclass(frozen=True)
class Plan:
    """All measures of a wave, and the columns that identify a cell.

    ``columns`` maps every variable that the SQL reads to its SQL name: plain identifiers, so that the
    text needs no quoting of any engine's own.
    """

    columns: Mapping[str, str]
    cell: tuple[str, ...]  # background variables of the breakdowns; variables and numbers of the calibration
    margins: tuple[tuple[str, ...], ...]
    clustered: bool
    measures: tuple[Measure, ...]

    @cached_property
    def masks(self) -> tuple[str, ...]:
        """The distinct conditions of who counts, in order of first use."""
        return tuple(dict.fromkeys(measure.mask for measure in self.measures))

    @cached_property
    def bases(self) -> tuple[str, ...]:
        """The distinct conditions of who is asked, in order of first use."""
        return tuple(dict.fromkeys(measure.base for measure in self.measures))


def plan_wave(wave: Wave, catalogue: Catalogue) -> Plan:
    """The measures that a microdata wave's questionnaire allows, in the catalogue's order.

    An indicator is left out where the wave did not ask one of the questions it is made from: what was
    not asked is no estimate, and never 0. An item or a code that was not offered, because no row of the
    crosswalk gives it, has no category.
    """
    assert wave.weighting is not None and wave.design is not None
    margins = wave.weighting.margins if wave.weighting.calibrates else ()
    rows = catalogue.instruments[wave.instrument].crosswalk
    unasked = frozenset(row.variable for row in rows if row.code == NOT_ASKED)
    variables = tuple(variables_of(wave, catalogue))
    given = {(row.variable, row.code) for row in rows}
    answers = ((name, code) for name in variables for code in catalogue.codes_of(name))
    unoffered = frozenset(answer for answer in answers if answer not in given)
    return _plan(variables, margins, bool(wave.design.psu), unasked, unoffered, catalogue)


def totals_of(wave: Wave, catalogue: Catalogue) -> list[str]:
    """The indicators of a microdata wave that are totals, in the catalogue's order."""
    measures = plan_wave(wave, catalogue).measures
    return list(dict.fromkeys(measure.indicator for measure in measures if measure.unit == "count"))


@lru_cache(maxsize=64)
def _plan(
    variables: tuple[str, ...],
    margins: tuple[tuple[str, ...], ...],
    clustered: bool,
    unasked: frozenset[str],
    unoffered: frozenset[tuple[str, str]],
    catalogue: Catalogue,
) -> Plan:
    """Waves that ask the same are planned once."""
    columns = {name: f"v{number}" for number, name in enumerate(variables)}
    by = [name for domain in catalogue.domains.values() for name in domain.by if name in columns]
    cell = tuple(dict.fromkeys([*by, *(name for margin in margins for name in margin)]))
    writer = _Writer(catalogue, columns, {}, unasked, unoffered)
    for key, base in catalogue.bases.items():
        writer.bases[key] = "TRUE" if base.logic is None else writer.holds(base.logic)
    measures = [
        measure for indicator in catalogue.indicators.values() for measure in writer.measures(indicator)
    ]
    return Plan(columns, cell, margins, clustered, tuple(measures))


def split(
    plan: Plan, levels: Mapping[str, Sequence[str]], breakdowns: Sequence[Domain], scopes: set[str], most: int
) -> list[Plan]:
    """The plan itself, if the background of all breakdowns makes ``most`` cells at most.

    Else the same for parts of the background: the largest that breakdowns need, joined as long as they make
    no more cells than that, each with the variables of the calibration and those that any wave's scope names:
    ``scopes``. ``levels`` are the strata and the codes of every variable of the background.
    """

    def cells(names: frozenset[str]) -> int:
        return len(levels["stratum"]) * prod(len(levels[name]) for name in names if name in levels)

    if cells(frozenset(plan.cell)) <= most:
        return [plan]
    always = {name for margin in plan.margins for name in margin} | scopes.intersection(plan.cell)
    needed = [always.union(domain.by) for domain in breakdowns if set(domain.by) <= set(plan.cell)]
    cubes: list[frozenset[str]] = []
    for names in dict.fromkeys(
        frozenset(each) for each in needed if not any(each < other for other in needed)
    ):
        joined = next((number for number, cube in enumerate(cubes) if cells(cube | names) <= most), None)
        if joined is None:
            cubes.append(names)
        else:
            cubes[joined] |= names
    return [replace(plan, cell=tuple(name for name in plan.cell if name in cube)) for cube in cubes]


@dataclass(frozen=True)
class _Writer:
    """Writes conditions over the columns that a wave has; ``bases`` are those of who is asked, ``unasked``
    the variables of which the raw file says itself who was not, ``unoffered`` the codes of a variable that
    nobody could choose.
    """

    catalogue: Catalogue
    columns: Mapping[str, str]
    bases: dict[str, str]
    unasked: frozenset[str]
    unoffered: frozenset[tuple[str, str]]

    def measures(self, indicator: Indicator) -> list[Measure]:
        if indicator.total is not None:
            behind = self._shares(self.catalogue.share_behind(indicator), indicator.base)
            return [replace(share, indicator=indicator.key, unit=indicator.unit) for share in behind]
        if indicator.mean is not None:
            return self._mean(indicator)
        return self._shares(indicator, indicator.base)

    def _shares(self, indicator: Indicator, base: str) -> list[Measure]:
        who = self._who(indicator, base)
        if who is None:
            return []
        substantive = indicator.denominator == "substantive"
        if indicator.logic is None:
            found = self._question(self.catalogue.questions[indicator.question or ""], indicator, substantive)
        elif self._knows(indicator.logic) and self._can(indicator.logic):
            names = [name for each in indicator.logic.conditions() for name in self._present(each.pattern)]
            found = [(YES, self._any_answered(names, substantive), self.holds(indicator.logic))]
        else:
            found = []
        measures = []
        for category, answered, counted in found:
            mask = _and([*who, answered])
            value = counted if self._implied(indicator, who) else _and([mask, counted])
            measures.append(
                Measure(
                    indicator.key,
                    category,
                    indicator.unit,
                    self._asked(base, indicator, category),
                    mask,
                    value,
                    exclusive=self._single_choice(indicator),
                )
            )
        return measures

    def _asked(self, base: str, indicator: Indicator, category: str) -> str:
        """Who was asked: the base, without those of whom the raw file says that they were not."""
        names = [name for pattern in indicator.patterns for name in self._present(pattern)]
        if indicator.question is not None:
            question = self.catalogue.questions[indicator.question]
            items = question.answers if question.type != "grid" else (f"{question.key}.{category}",)
            names = [name for name in items if name in self.columns]
        if not self.unasked.intersection(names):
            return self.bases[base]
        coded = [name for name in dict.fromkeys(names) if self.catalogue.codes_of(name)]
        if not coded:  # a number that is not there does not say why
            return self.bases[base]
        return _and([self.bases[base], _or([f"{self.columns[name]} >= -1" for name in coded])])

    def _single_choice(self, indicator: Indicator) -> bool:
        return (
            indicator.question is not None and self.catalogue.questions[indicator.question].type == "single"
        )

    def _who(self, indicator: Indicator, base: str) -> list[str] | None:
        """The condition of the base; none where routing has applied it; None where the wave cannot tell."""
        logic = self.catalogue.bases[base].logic
        if logic is None:
            return []
        if not self._knows(logic):
            return None
        keys = {name.partition(".")[0] for name in indicator.patterns}
        routed = all(
            key in self.catalogue.questions and self.catalogue.questions[key].base == base for key in keys
        )
        return [] if routed else [self.bases[base]]

    def _implied(self, indicator: Indicator, who: list[str]) -> bool:
        """Whether what is counted can only be true of those who count."""
        if who or indicator.question is None:
            return False
        question = self.catalogue.questions[indicator.question]
        return not (question.type == "multiple" and indicator.denominator == "substantive")

    def _question(
        self, question: Question, indicator: Indicator, substantive: bool
    ) -> list[tuple[str, str, str]]:
        """(category, who answered, what counts) by code of a single question, by item of the others."""
        present = [name for name in question.answers if name in self.columns]
        dropped = question.nonresponse if substantive else ()
        if not present:
            return []
        if question.type == "single":
            answered = self._answered(question.key, substantive)
            codes = [code for code in (indicator.codes or question.codes) if code not in dropped]
            return [
                (code, answered, self._in(question.key, (code,)))
                for code in codes
                if self._offers(question.key, (code,))
            ]
        items = [(name.partition(".")[2], name) for name in present]
        if question.type == "multiple":
            answered = self._any_answered(present, substantive)
            return [
                (item, answered, self._in(name, (SELECTED,)))
                for item, name in items
                if item not in dropped and self._offers(name, (SELECTED,))
            ]
        counted = tuple(code for code in indicator.codes if code not in dropped)
        return [
            (item, self._answered(name, substantive), self._in(name, counted))
            for item, name in items
            if self._offers(name, counted)
        ]

    def _mean(self, indicator: Indicator) -> list[Measure]:
        pattern, who = indicator.mean or "", self._who(indicator, indicator.base)
        if who is None:
            return []
        several = pattern.endswith(".*")
        return [
            self._mean_of(name, item_key(name) if several else MEAN, indicator, who)
            for name in self._present(pattern)
        ]

    def _mean_of(self, name: str, category: str, indicator: Indicator, who: list[str]) -> Measure:
        column = self.columns[name]
        scores: tuple[float, ...] = ()
        if indicator.scores:
            known = self.catalogue.codes_of(name)
            cases = " ".join(
                f"WHEN {known.index(code)} THEN {score!r}" for code, score in indicator.scores.items()
            )
            answered, value = self._in(name, tuple(indicator.scores)), f"CASE {column} {cases} END"
            scores = (float(min(indicator.scores.values())), float(max(indicator.scores.values())))
        else:
            answered, value = f"{column} IS NOT NULL", column
        base = self._asked(indicator.base, indicator, category)
        return Measure(indicator.key, category, indicator.unit, base, _and([*who, answered]), value, scores)

    def _present(self, pattern: str) -> list[str]:
        return [name for name in self.catalogue.expand(pattern) if name in self.columns]

    def _offers(self, name: str, codes: Sequence[str]) -> bool:
        """Whether one of the codes could be answered; a number always could."""
        return not self.catalogue.codes_of(name) or any((name, code) not in self.unoffered for code in codes)

    def _knows(self, logic: Logic) -> bool:
        """Whether the wave asked every question of the logic, in at least one of the variables it names."""
        questions: dict[str, bool] = {}
        for condition in logic.conditions():
            key = condition.pattern.partition(".")[0]
            questions[key] = questions.get(key, False) or bool(self._present(condition.pattern))
        return all(questions.values())

    def _can(self, part: Logic | Condition) -> bool:
        """Whether it could hold for any answers to what was offered: else its share is no estimate, not 0."""
        if isinstance(part, Condition):
            return any(self._offers(name, part.codes) for name in self._present(part.pattern))
        can = [self._can(each) for each in part.parts]
        return part.operator == "none" or (all(can) if part.operator == "all" else any(can))

    def holds(self, logic: Logic) -> str:
        """Where the logic holds; an answer that is not there does not."""
        parts = [
            self.holds(part) if isinstance(part, Logic) else self._condition(part) for part in logic.parts
        ]
        if logic.operator == "all":
            return _and(parts)
        either = _or(parts)
        return f"NOT {either}" if logic.operator == "none" else either

    def _condition(self, condition: Condition) -> str:
        present = self._present(condition.pattern)
        if present and not self.catalogue.codes_of(present[0]):
            return self._compares(present[0], condition)
        return _or([self._in(name, condition.codes) for name in present])

    def _compares(self, name: str, condition: Condition) -> str:
        """Where a number is there and compares; never NULL, which no AND, OR or NOT would take for false."""
        column = self.columns[name]
        compared = [f"{column} {condition.comparison} {number!r}" for number in condition.numbers or ()]
        return _and([f"{column} IS NOT NULL", _or(compared)])

    def _in(self, name: str, codes: tuple[str, ...]) -> str:
        known = self.catalogue.codes_of(name)
        return _among(self.columns[name], sorted(known.index(code) for code in codes))

    def _answered(self, name: str, substantive: bool) -> str:
        if name in self.catalogue.questions or "." in name:
            question = self.catalogue.question_of(name)
            if substantive and question.type != "multiple" and question.nonresponse:
                return self._in(
                    name, tuple(code for code in question.codes if code not in question.nonresponse)
                )
            if question.type == "numeric":
                return f"{self.columns[name]} IS NOT NULL"
        return f"{self.columns[name]} >= 0"

    def _any_answered(self, names: list[str], substantive: bool) -> str:
        """At least one answer is there; of a multiple question, no non-substantive item is ticked."""
        answered = _or(list(dict.fromkeys(self._answered(name, substantive) for name in names)))
        if not substantive:
            return answered
        questions = {name.partition(".")[0] for name in names} & set(self.catalogue.questions)
        ticked = [
            self._in(f"{key}.{item}", (SELECTED,))
            for key in sorted(questions)
            if self.catalogue.questions[key].type == "multiple"
            for item in self.catalogue.questions[key].nonresponse
            if f"{key}.{item}" in self.columns
        ]
        return _and([answered, f"NOT {_or(ticked)}"]) if ticked else answered


Operator = Literal["AND", "OR"]


def _and(parts: list[str]) -> str:
    return _joined(parts, "AND", "TRUE")


def _or(parts: list[str]) -> str:
    return _joined(parts, "OR", "FALSE")


def _joined(parts: list[str], operator: Operator, nothing: str) -> str:
    return "(" + f" {operator} ".join(parts) + ")" if parts else nothing


def _among(column: str, places: list[int]) -> str:
    """Where a column takes one of the sorted places: as one comparison where it can be."""
    if not places:
        return "FALSE"
    if len(places) == 1:
        return f"{column} = {places[0]}"
    if places[-1] - places[0] == len(places) - 1:
        return f"{column} BETWEEN {places[0]} AND {places[-1]}"
    return f"{column} IN ({', '.join(map(str, places))})"
