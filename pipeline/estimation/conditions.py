"""Conditions of the declarations as SQL over the columns of a wave, whose answers ``encoding`` numbers."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from pipeline.catalogue.logic import Condition, Logic
from pipeline.catalogue.model import Catalogue
from pipeline.catalogue.questionnaire import SELECTED


@dataclass(frozen=True)
class Conditions:
    """Writes conditions on the variables that a wave has: ``columns`` maps each to its SQL name,
    ``unoffered`` are the codes of a variable that nobody could choose.
    """

    catalogue: Catalogue
    columns: Mapping[str, str]
    unoffered: Collection[tuple[str, str]] = ()

    def present(self, pattern: str) -> list[str]:
        """The variables of a pattern that the wave has."""
        return [name for name in self.catalogue.expand(pattern) if name in self.columns]

    def offers(self, name: str, codes: Sequence[str]) -> bool:
        """Whether one of the codes could be answered; a number always could."""
        return not self.catalogue.codes_of(name) or any((name, code) not in self.unoffered for code in codes)

    def knows(self, logic: Logic) -> bool:
        """Whether the wave asked every question of the logic, in at least one of the variables it names."""
        questions: dict[str, bool] = {}
        for condition in logic.conditions():
            key = condition.pattern.partition(".")[0]
            questions[key] = questions.get(key, False) or bool(self.present(condition.pattern))
        return all(questions.values())

    def can_hold(self, part: Logic | Condition) -> bool:
        """Whether it could hold for any answers to what was offered: else its share is no estimate, not 0."""
        if isinstance(part, Condition):
            return any(self.offers(name, part.codes) for name in self.present(part.pattern))
        can = [self.can_hold(each) for each in part.parts]
        return part.operator == "none" or (all(can) if part.operator == "all" else any(can))

    def holds(self, logic: Logic) -> str:
        """Where the logic holds; an answer that is not there does not."""
        parts = [
            self.holds(part) if isinstance(part, Logic) else self._condition(part) for part in logic.parts
        ]
        if logic.operator == "all":
            return all_of(parts)
        either = any_of(parts)
        return f"NOT {either}" if logic.operator == "none" else either

    def _condition(self, condition: Condition) -> str:
        present = self.present(condition.pattern)
        if present and not self.catalogue.codes_of(present[0]):
            return self._compares(present[0], condition)
        return any_of([self.takes(name, condition.codes) for name in present])

    def _compares(self, name: str, condition: Condition) -> str:
        """Where a number is there and compares; never NULL, which no AND, OR or NOT would take for false."""
        column = self.columns[name]
        compared = [f"{column} {condition.comparison} {number!r}" for number in condition.numbers or ()]
        return all_of([f"{column} IS NOT NULL", any_of(compared)])

    def takes(self, name: str, codes: tuple[str, ...]) -> str:
        """Where a variable takes one of the codes."""
        known = self.catalogue.codes_of(name)
        return _among(self.columns[name], sorted(known.index(code) for code in codes))

    def answered(self, name: str, substantive: bool) -> str:
        """Where an answer is there; ``substantive`` leaves out the codes that are none."""
        if name in self.catalogue.questions or "." in name:
            question = self.catalogue.question_of(name)
            if substantive and question.type != "multiple" and question.nonresponse:
                return self.takes(
                    name, tuple(code for code in question.codes if code not in question.nonresponse)
                )
            if question.type == "numeric":
                return f"{self.columns[name]} IS NOT NULL"
        return f"{self.columns[name]} >= 0"

    def any_answered(self, names: list[str], substantive: bool) -> str:
        """At least one answer is there; of a multiple question, no non-substantive item is ticked."""
        answered = any_of(list(dict.fromkeys(self.answered(name, substantive) for name in names)))
        if not substantive:
            return answered
        questions = {name.partition(".")[0] for name in names} & set(self.catalogue.questions)
        ticked = [
            self.takes(f"{key}.{item}", (SELECTED,))
            for key in sorted(questions)
            if self.catalogue.questions[key].type == "multiple"
            for item in self.catalogue.questions[key].nonresponse
            if f"{key}.{item}" in self.columns
        ]
        return all_of([answered, f"NOT {any_of(ticked)}"]) if ticked else answered


def all_of(parts: list[str]) -> str:
    """Where every one of the conditions holds; everywhere without any."""
    return _joined(parts, "AND", "TRUE")


def any_of(parts: list[str]) -> str:
    """Where one of the conditions holds; nowhere without any."""
    return _joined(parts, "OR", "FALSE")


def _joined(parts: list[str], operator: Literal["AND", "OR"], nothing: str) -> str:
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
