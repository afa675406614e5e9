"""Rows with nothing ticked of a multiple question: a page left empty, or an answer?"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from pipeline.arrays import Flags
from pipeline.catalogue.model import Catalogue
from pipeline.catalogue.questionnaire import NO_ANSWER, NOT_SELECTED, SELECTED, Question
from pipeline.catalogue.wordings import says_none
from pipeline.harmonise.crosswalk import Mapped


def empty_pages(mapped: Mapped, catalogue: Catalogue) -> dict[str, Flags]:
    """Set ``no_answer`` where nothing of a multiple question is ticked, and mark those rows by question.

    Unless the question declares it, that is where every box is blank, or where one of the boxes is there to
    be ticked by those for whom nothing applies; boxes coded as seen and not ticked are answers otherwise.
    """
    pages: dict[str, Flags] = {}
    for question in catalogue.questions.values():
        items = [name for name in question.answers if name in mapped.columns]
        if question.type != "multiple" or question.nothing_ticked == NOT_SELECTED or not items:
            continue
        empty = ~np.any([(mapped.columns[name] == SELECTED).to_numpy() for name in items], axis=0)
        if is_doubtful(question):
            empty &= ~np.any([mapped.answered[name] for name in items], axis=0)
        for name in items:
            unticked = empty & (mapped.columns[name] == NOT_SELECTED).to_numpy()
            mapped.columns[name] = mapped.columns[name].mask(unticked, NO_ANSWER)
            mapped.answered[name] = mapped.answered[name] & ~unticked
        pages[question.key] = empty
    return pages


def count_asked(pages: Mapping[str, Flags], mapped: Mapped, catalogue: Catalogue) -> dict[str, int]:
    """How many of the marked rows were asked: question -> rows, where there are any."""
    counts = {}
    for key, empty in pages.items():
        question = catalogue.questions[key]
        items = [mapped.columns[name] for name in question.answers if name in mapped.columns]
        rows = int((empty & np.any([(item == NO_ANSWER).to_numpy() for item in items], axis=0)).sum())
        if rows:
            counts[key] = rows
    return counts


def is_doubtful(question: Question) -> bool:
    """Whether nobody has said what ticking nothing means, and no item of the question tells."""
    return question.nothing_ticked is None and not says_none(question)
