"""Counts of a harmonised wave that its declarations are held against: never an answer, only how many."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from pipeline.arrays import Flags
from pipeline.catalogue.fieldwork import Wave
from pipeline.catalogue.model import Catalogue
from pipeline.catalogue.questionnaire import NO_ANSWER, NOT_ASKED, SELECTED, Instrument, Question, item_key
from pipeline.catalogue.ranges import range_of
from pipeline.harmonise.crosswalk import COPY_NUMBER
from pipeline.harmonise.design import replicate_columns
from pipeline.harmonise.routing import holds
from pipeline.problems import Problem, ProblemError, counted, wave_problem
from pipeline.sources import maybe_grouped, number_of

UNIT_ERROR = 1000.0  # times the median, or a part of it: thousands written for ones, or ones for thousands
CODE_LIKE = re.compile(r"-[1-9]|-?9+[6-9]|-(\d)\1+")  # numbers that often say why there is none
FAR = 1.5  # times the largest of the other numbers
FEWEST = 5  # numbers that have a median worth the name


def require_no_more(kept: int, wave: Wave) -> None:
    """Raises ProblemError where more units answered than were drawn, or than there are."""
    problems: list[Problem] = []
    for key, declared in (("sample", wave.response.sample), ("population", wave.response.population)):
        if declared is not None and kept > declared:
            message = f"is fewer than the {counted(kept, 'unit')} that answered"
            hint = "Correct it, or see whether the file holds rows of other waves or a unit more than once."
            problems.append(wave_problem(wave.key, f"response.{key}", message, hint, str(declared)))
    if problems:
        raise ProblemError(problems)


def item_nonresponse(answers: pd.DataFrame, catalogue: Catalogue) -> dict[str, dict[str, int]]:
    """By question, and by item of a grid: asked, answered, nonresponse, no_answer and not_asked units.

    Asked is whom the base holds for; of them, nonresponse gave only codes that are no substantive answer,
    and no_answer nothing at all.
    """
    columns = {str(name): answers[name] for name in answers}
    found = {}
    for question in catalogue.questions.values():
        names = [name for name in question.answers if name in columns]
        if not names:
            continue
        base = holds(catalogue.bases[question.base].logic, columns, catalogue, len(answers))
        for key, own in _published_as(question, names):
            found[key] = _states(own, columns, question, base)
    return found


def _published_as(question: Question, names: list[str]) -> Iterator[tuple[str, list[str]]]:
    """What has a base of its own: every item of a grid, and else the question."""
    if question.type == "grid":
        yield from ((name, [name]) for name in names)
    else:
        yield question.key, names


def _states(
    names: Sequence[str], columns: Mapping[str, pd.Series[Any]], question: Question, base: Flags
) -> dict[str, int]:
    skipped, blank, empty = (np.ones(len(base), dtype=bool) for _ in range(3))
    for name in names:
        column = columns[name]
        if question.type == "numeric":
            blank &= column.isna().to_numpy()
            empty &= column.isna().to_numpy()
            skipped &= ~base
            continue
        skipped &= (column == NOT_ASKED).to_numpy()
        blank &= column.isin([NO_ANSWER, NOT_ASKED]).to_numpy()
        # Of a multiple question `nonresponse` are items; a box left empty beside them is no answer either.
        if question.type != "multiple":
            empty &= column.isin([NO_ANSWER, NOT_ASKED, *question.nonresponse]).to_numpy()
        elif item_key(name) not in question.nonresponse:
            empty &= (column != SELECTED).to_numpy()
    if question.type == "multiple":
        refused = np.zeros(len(base), dtype=bool)
        for name in names:
            refused |= (columns[name] == SELECTED).to_numpy() & (item_key(name) in question.nonresponse)
        empty &= refused
    asked = base & ~skipped
    return {
        "asked": int(asked.sum()),
        "answered": int((asked & ~empty & ~blank).sum()),
        "nonresponse": int((asked & empty & ~blank).sum()),
        "no_answer": int((asked & blank).sum()),
        "not_asked": int((~asked).sum()),
    }


def outliers(answers: pd.DataFrame, catalogue: Catalogue) -> dict[str, int]:
    """By numeric question, the numbers more than a thousand times the median of the positive ones, or less
    than a thousandth of it; questions without any are left out.
    """
    found = {}
    for question in catalogue.questions.values():
        if question.type != "numeric" or question.key not in answers:
            continue
        numbers = answers[question.key].to_numpy(dtype=float)
        positive = numbers[numbers > 0]
        if len(positive) < FEWEST:
            continue
        median = float(np.median(positive))
        far = (positive > UNIT_ERROR * median) | (positive < median / UNIT_ERROR)
        if far.any():
            found[question.key] = int(far.sum())
    return found


def maybe_grouped_columns(raw: pd.DataFrame, wave: Wave, instrument: Instrument) -> list[str]:
    """The columns read as numbers whose decimal mark may part thousands, of weights and of answers.

    Not those of a line of the crosswalk that is confirmed.
    """
    lines = [row for row in instrument.crosswalk if row.code == COPY_NUMBER or range_of(row.source_code)]
    judged = {row.source_variable for row in lines if row.confirmed}
    design = wave.design
    weights = [*replicate_columns(raw, design), design.delivered, *design.weights.values()] if design else []
    read = dict.fromkeys([*filter(None, weights), *(row.source_variable for row in lines)])
    return [name for name in read if name not in judged and maybe_grouped(raw[name], wave.source)]


def suspected_codes(raw: pd.DataFrame, wave: Wave, instrument: Instrument) -> dict[str, dict[str, int]]:
    """By source column of numbers, copied or put into ranges: those that look like codes of no answer, such
    as 999 or -9, and their rows. They occur more than once, far from the others, and have no line of their
    own; what a confirmed line takes is no code.
    """
    lines: dict[str, list[str]] = {}
    numeric = set()
    for row in instrument.crosswalk:
        lines.setdefault(row.source_variable, []).append(row.source_code)
        if (row.code == COPY_NUMBER or range_of(row.source_code)) and not row.confirmed:
            numeric.add(row.source_variable)
    found = {}
    for column in sorted(numeric & {*raw.columns}):
        times = {str(text): int(rows) for text, rows in raw[column].value_counts().sort_index().items()}
        numbers = {
            text: number
            for text in times
            if text not in lines[column] and (number := number_of(text, wave.source)) is not None
        }
        plain = [number for text, number in numbers.items() if not CODE_LIKE.fullmatch(text)]
        low, high = min(plain, default=0.0), max(plain, default=math.inf)
        suspects = {
            text: times[text]
            for text, number in numbers.items()
            if CODE_LIKE.fullmatch(text)
            and times[text] > 1
            and (number > FAR * high if number > 0 else number < 0 <= low)
        }
        if suspects:
            found[column] = suspects
    return found


def background(answers: pd.DataFrame, catalogue: Catalogue) -> dict[str, dict[str, int]]:
    """By background variable, the number of units of every code that occurs."""
    return {
        name: {
            code: int(count)
            for code in catalogue.variables[name].codes
            if (count := (answers[name] == code).sum())
        }
        for name in catalogue.variables
        if name in answers
    }
