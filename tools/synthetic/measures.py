"""The figures a synthetic wave agrees with, as numerators and denominators over coded answers.

Here belong the coding of answers as small integers and the meaning of an indicator in terms of them, as in
``estimation``. Adjusting answers to a figure belongs to ``agreement``.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from pipeline.arrays import Floats
from pipeline.catalogue.fieldwork import Wave
from pipeline.catalogue.logic import Condition, Logic
from pipeline.catalogue.model import Catalogue
from pipeline.catalogue.questionnaire import ABSENT, NOT_SELECTED, SELECTED, Indicator
from pipeline.problems import Problem, ProblemError
from tools.synthetic.recipe import Goal, Recipe

Codes = NDArray[np.int16]
Mask = NDArray[np.bool_]


class CodeNumbering:
    """Every code of a catalogue as a small integer."""

    def __init__(self, catalogue: Catalogue) -> None:
        codes = [*ABSENT, SELECTED, NOT_SELECTED]
        codes += [code for variable in catalogue.variables.values() for code in variable.codes]
        codes += [code for question in catalogue.questions.values() for code in question.codes]
        self.codes = tuple(dict.fromkeys(codes))
        self.number = {code: number for number, code in enumerate(self.codes)}

    def among(self, codes: Iterable[str]) -> Mask:
        """A table by number: whether the code is one of these."""
        table = np.zeros(len(self.codes), dtype=bool)
        table[[self.number[code] for code in codes]] = True
        return table


@dataclass
class CodedAnswers:
    """The coded answers of a wave: a column for each variable, a row for each unit, and the final weights."""

    numbering: CodeNumbering
    weights: Floats
    columns: dict[str, Codes] = field(default_factory=dict)

    def text(self, name: str) -> NDArray[np.object_]:
        """A column as codes."""
        return np.array(self.numbering.codes, dtype=object)[self.columns[name]]

    def holds(
        self, logic: Logic | None, catalogue: Catalogue, changed: Mapping[str, Codes] | None = None
    ) -> Mask:
        """Where a base or a composite holds; a variable that was not asked holds nowhere."""
        if logic is None:
            return np.ones(len(self.weights), dtype=bool)
        parts = [
            self._condition(part, catalogue, changed or {})
            if isinstance(part, Condition)
            else self.holds(part, catalogue, changed)
            for part in logic.parts
        ]
        every: Mask = np.logical_and.reduce(parts)
        some: Mask = np.logical_or.reduce(parts)
        return {"any": some, "all": every, "none": ~some}[logic.operator]

    def _condition(self, condition: Condition, catalogue: Catalogue, changed: Mapping[str, Codes]) -> Mask:
        table = self.numbering.among(condition.codes)
        held = np.zeros(len(self.weights), dtype=bool)
        for name in catalogue.expand(condition.pattern):
            if name in self.columns:
                held |= table[changed.get(name, self.columns[name])]
        return held


@dataclass(frozen=True)
class FigureTarget:
    """A goal in terms of coded answers: the units of its domain, its base, numerator and denominator."""

    goal: Goal
    domain: Mask
    base: Logic | None
    counted: Logic
    answered: tuple[str, ...]  # variables of which one must be answered
    left_out: tuple[str, ...]  # codes that are not answers
    variables: frozenset[str]

    def share(self, coded: CodedAnswers, catalogue: Catalogue) -> float:
        """The weighted share in percent, as the estimates define it; NaN where nobody answered."""
        top, bottom = self.masks(coded, catalogue, {})
        total = float(coded.weights[bottom].sum())
        return 100 * float(coded.weights[top].sum()) / total if total else np.nan

    def masks(
        self, coded: CodedAnswers, catalogue: Catalogue, changed: Mapping[str, Codes]
    ) -> tuple[Mask, Mask]:
        """Numerator and denominator, with some columns changed."""
        absent = coded.numbering.among(self.left_out)
        answered = np.zeros(len(coded.weights), dtype=bool)
        for name in self.answered:
            answered |= ~absent[changed.get(name, coded.columns[name])]
        bottom = self.domain & answered & coded.holds(self.base, catalogue, changed)
        return bottom & coded.holds(self.counted, catalogue, changed), bottom


def goals_of(recipe: Recipe, catalogue: Catalogue) -> list[Goal]:
    """The recipe's goals and the published figures of the wave it agrees with, without the excepted ones."""
    goals = list(recipe.goals)
    if recipe.agree_with:
        if recipe.agree_with not in catalogue.waves:
            hint = "Name a wave of published figures, or leave it out."
            raise ProblemError(
                Problem(recipe.path, "agree_with", "is not a wave of this barometer", hint, recipe.agree_with)
            )
        path = catalogue.raw_path(catalogue.waves[recipe.agree_with].source.file)
        with path.open(encoding="utf-8-sig", newline="") as opened:
            for row in csv.DictReader(opened):
                if row["value"]:
                    cell = row["indicator"], row["category"], row["domain"], row["domain_code"]
                    goals.append(Goal(*cell, float(row["value"])))
    return [goal for goal in goals if goal.key not in recipe.excepted]


def target(goal: Goal, coded: CodedAnswers, wave: Wave, catalogue: Catalogue, recipe: Recipe) -> FigureTarget:
    """A goal in terms of coded answers. Raises ProblemError where the wave lacks one of its variables."""
    indicator, asked = catalogue.indicators.get(goal.indicator), catalogue.mapped_variables(wave)
    domain = catalogue.domains.get(goal.domain)
    if indicator is None or domain is None or indicator.mean or indicator.total:
        hint = "Name an indicator that is a share, and a breakdown."
        raise ProblemError(
            Problem(
                recipe.path, str(goal), "is not a figure that answers can be drawn for", hint, wave=wave.key
            )
        )
    answers, counted = _counted(indicator, goal, catalogue)
    base = catalogue.bases[indicator.base].logic
    conditions = [*counted.conditions(), *(base.conditions() if base else ())]
    variables = {name for condition in conditions for name in catalogue.expand(condition.pattern)} | set(
        answers
    )
    missing = [name for name in domain.by if name not in coded.columns]
    missing += [
        condition.pattern for condition in conditions if not asked & set(catalogue.expand(condition.pattern))
    ]
    if missing:
        hint = "Map the variable in the crosswalk, or except the figure with a reason."
        message = "cannot be met: the wave does not have the variable"
        raise ProblemError(Problem(recipe.path, str(goal), message, hint, missing[0], wave.key))
    inside = np.ones(len(coded.weights), dtype=bool)
    for name, code in zip(domain.by, goal.domain_code.split("*"), strict=True) if domain.by else ():
        inside &= coded.columns[name] == coded.numbering.number[code]
    dropped: tuple[str, ...] = ()
    if indicator.denominator == "substantive":
        base, dropped = _substantive(base, answers, asked, catalogue)
    return FigureTarget(
        goal=goal,
        domain=inside,
        base=base,
        counted=counted,
        answered=tuple(name for name in answers if name in asked),
        left_out=(*ABSENT, *dropped),
        variables=frozenset(variables & asked),
    )


def _substantive(
    base: Logic | None, answers: list[str], asked: frozenset[str], catalogue: Catalogue
) -> tuple[Logic | None, tuple[str, ...]]:
    """The base without those who tick a non-substantive item, and the non-substantive codes."""
    questions = {name: catalogue.question_of(name) for name in answers if name in asked}
    dropped = [code for each in questions.values() if each.type != "multiple" for code in each.nonresponse]
    ticked = [
        Condition(name, (SELECTED,))
        for name, each in questions.items()
        if each.type == "multiple" and name.partition(".")[2] in each.nonresponse
    ]
    if not ticked:
        return base, tuple(dropped)
    kept = Logic("none", tuple(ticked))
    return (Logic("all", (base, kept)) if base else kept), tuple(dropped)


def _counted(indicator: Indicator, goal: Goal, catalogue: Catalogue) -> tuple[list[str], Logic]:
    """The answer variables of which one must be answered, and what is counted."""
    if indicator.logic is not None:
        names = [name for each in indicator.logic.conditions() for name in catalogue.expand(each.pattern)]
        return list(dict.fromkeys(names)), indicator.logic
    question = catalogue.questions[indicator.question or ""]
    if question.type == "single":
        return [question.key], Logic("any", (Condition(question.key, (goal.category,)),))
    name = f"{question.key}.{goal.category}"
    if question.type == "multiple":
        return list(question.answers), Logic("any", (Condition(name, (SELECTED,)),))
    return [name], Logic("any", (Condition(name, indicator.codes),))
