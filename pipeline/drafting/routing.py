"""Guesses who was asked a question: those who gave certain answers to one question before it.

Where a question is blank, or has a code for nobody asked, on exactly the rows on which an earlier question or
a background variable has one answer, or answered on exactly those, that is taken for its filter.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pandas as pd

from pipeline.catalogue.logic import Condition, Logic
from pipeline.catalogue.questionnaire import ABSENT, NOT_ASKED, Base, question_key
from pipeline.drafting.questions import Guesses

MIN_ROWS = 5  # blank, and answered: fewer may be so by chance


def guess_bases(found: Guesses, frame: pd.DataFrame) -> dict[str, Base]:
    """The bases of a draft by their key; ``found`` has them at the questions afterwards."""
    columns: dict[str, list[str]] = {}
    boxes: set[str] = set()  # blank means not ticked there, and not that nobody asked
    leads: dict[str, dict[str, str]] = {}
    filters: dict[str, str] = {}  # background variable or single question so far -> column
    for column, code, variable, target, _ in found.rows:
        owner = question_key(variable)
        if owner in found.variables:
            filters[owner] = column
            leads.setdefault(column, {})[code] = target
        elif owner in found.questions:
            columns.setdefault(owner, []).append(column)
            leads.setdefault(column, {})[code] = target
            if code == "":
                boxes.add(owner)
    bases: dict[str, Base] = {}
    for key, question in found.questions.items():
        if key in columns and key not in boxes:
            answered = pd.Series(data=False, index=frame.index)
            for column in dict.fromkeys(columns[key]):
                unasked = ["", *(code for code, target in leads[column].items() if target == NOT_ASKED)]
                answered |= ~frame[column].isin(unasked)
            if min(answered.sum(), (~answered).sum()) >= MIN_ROWS:
                for earlier, column in reversed([*filters.items()]):
                    if codes := _asked(answered, frame[column], leads[column]):
                        name = f"{earlier}_{'_'.join(codes)}"[:60]
                        name = f"{name}_asked" if name in found.questions else name
                        bases[name] = Base(name, logic=Logic("any", (Condition(earlier, codes),)))
                        found.questions[key] = replace(question, base=name)
                        break
        if question.type == "single" and key in columns and key not in boxes:
            filters[key] = columns[key][0]
    return bases


def _asked(answered: pd.Series[bool], cells: pd.Series[str], leads: Mapping[str, str]) -> tuple[str, ...]:
    """The answers to a filter that a question was put to, where the file shows them beyond doubt."""
    asked, skipped = set(cells[answered]), set(cells[~answered])
    told = asked.isdisjoint(skipped) and "" not in asked and asked | skipped <= {*leads, ""}
    skipped -= {""}
    if not (told and asked and skipped and 1 in (len(asked), len(skipped))):
        return ()
    codes = tuple(dict.fromkeys(leads[code] for code in leads if code in asked))
    return () if {*codes} & {*ABSENT} else codes
