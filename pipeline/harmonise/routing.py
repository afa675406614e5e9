"""Routing: conditions on harmonised answers, and ``not_asked`` where the base of a question does not hold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from pipeline.arrays import Flags
from pipeline.catalogue.logic import Condition, Logic
from pipeline.catalogue.model import Catalogue
from pipeline.catalogue.questionnaire import NOT_ASKED, NOT_SELECTED, Question, item_key
from pipeline.harmonise.crosswalk import Mapped

COMPARED = {"=": np.equal, "<": np.less, "<=": np.less_equal, ">": np.greater, ">=": np.greater_equal}


def holds(
    logic: Logic | None, columns: Mapping[str, pd.Series[Any]], catalogue: Catalogue, rows: int
) -> Flags:
    """The rows for which a logic holds; all of them without one.

    A condition on a variable that ``columns`` lacks, because the wave did not ask it, is false.
    """
    if logic is None:
        return np.ones(rows, dtype=bool)
    parts = [
        _condition_holds(part, columns, catalogue, rows)
        if isinstance(part, Condition)
        else holds(part, columns, catalogue, rows)
        for part in logic.parts
    ]
    any_holds: Flags = np.any(parts, axis=0)
    all_hold: Flags = np.all(parts, axis=0)
    return {"any": any_holds, "all": all_hold, "none": ~any_holds}[logic.operator]


def _condition_holds(
    condition: Condition, columns: Mapping[str, pd.Series[Any]], catalogue: Catalogue, rows: int
) -> Flags:
    met = np.zeros(rows, dtype=bool)
    for variable in catalogue.expand(condition.pattern):
        if variable not in columns:
            continue
        if catalogue.codes_of(variable):
            met |= columns[variable].isin(condition.codes).to_numpy()
            continue
        for number in condition.numbers or ():  # NaN, no number, compares with none
            met |= COMPARED[condition.comparison](columns[variable].to_numpy(dtype=float), number)
    return met


def route(mapped: Mapped, catalogue: Catalogue) -> dict[str, int]:
    """Set ``not_asked`` (NaN for a number) wherever a question's base is false, in question order.

    Returns the routing contradictions: question -> rows that give an answer all the same. A
    ``not_selected`` box and a code that is no substantive answer contradict nothing.
    """
    contradictions: dict[str, int] = {}
    for question in catalogue.questions.values():
        answers = [answer for answer in question.answers if answer in mapped.columns]
        logic = catalogue.bases[question.base].logic
        if not answers or logic is None:
            continue
        rows = len(mapped.columns[answers[0]])
        outside = ~holds(logic, mapped.columns, catalogue, rows)
        contradicting = np.zeros(rows, dtype=bool)
        for answer in answers:
            contradicting |= outside & _substantive(mapped, answer, question)
            mapped.columns[answer] = _not_asked(mapped.columns[answer], outside)
        if contradicting.any():
            contradictions[question.key] = int(contradicting.sum())
    return contradictions


def _substantive(mapped: Mapped, answer: str, question: Question) -> Flags:
    if question.type == "numeric":
        return mapped.answered[answer]
    if question.type == "multiple" and item_key(answer) in question.nonresponse:
        return np.zeros(len(mapped.answered[answer]), dtype=bool)
    empty = mapped.columns[answer].isin([NOT_SELECTED, *question.nonresponse]).to_numpy()
    return mapped.answered[answer] & ~empty


def _not_asked(column: pd.Series[Any], outside: Flags) -> pd.Series[Any]:
    return column.mask(outside, NOT_ASKED if isinstance(column.dtype, pd.CategoricalDtype) else np.nan)
