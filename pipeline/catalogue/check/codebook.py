"""codebook.toml: background variables and questions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from pipeline.catalogue.hints import hint
from pipeline.catalogue.model import Catalogue
from pipeline.catalogue.questionnaire import IGNORE, NO_ANSWER, NOT_ASKED, NOT_SELECTED, SELECTED, Question
from pipeline.faults import Fault

FILE = "schemas/codebook.toml"
RESERVED = {NO_ANSWER, NOT_ASKED, IGNORE, SELECTED, NOT_SELECTED}
# The microdata table holds these columns beside those of the codebook.
OWN = re.compile(r"wave|unit|stratum|psu|population|weight|design_weight|base_weight|replicate_\d+")
SHAPES = {"single": (False, True), "multiple": (True, False), "grid": (True, True), "numeric": (False, False)}


def check_codebook(catalogue: Catalogue) -> Iterator[Fault]:
    """Names, codes, bases and shapes of the codebook's entries."""
    for variable in catalogue.variables.values():
        place = f"variables.{variable.key}"
        if variable.key in catalogue.questions:
            yield Fault(FILE, place, "is a question too", "Give one of them another name.", variable.key)
        if not variable.codes:
            yield Fault(FILE, place, "has no codes", f'Add codes.CODE = "label" below [{place}].')
        yield from _names(f"{place}.codes", variable.codes)
    yield from _names("variables", catalogue.variables)
    yield from _names("questions", catalogue.questions)
    for question in catalogue.questions.values():
        yield from _question(question, catalogue)


def _names(place: str, names: Iterable[str]) -> Iterator[Fault]:
    for name in names:
        if place in {"variables", "questions"} and OWN.fullmatch(name):
            yield Fault(
                FILE, place, "is a column of its own here", f"Choose another, such as {name}_code.", name
            )
        if name in RESERVED:
            yield Fault(FILE, place, "is a reserved word", "Choose another.", name)


def _question(question: Question, catalogue: Catalogue) -> Iterator[Fault]:
    place = f"questions.{question.key}"
    wants_items, wants_codes = SHAPES[question.type]
    for name, wanted, there in (
        ("items", wants_items, question.items),
        ("codes", wants_codes, question.codes),
    ):
        if wanted and not there:
            yield Fault(
                FILE, place, f"a {question.type} question needs {name}", f'Add {name}.NAME = "label".'
            )
        if there and not wanted:
            message = f"a {question.type} question has no {name}"
            yield Fault(
                FILE, f"{place}.{name}", message, "Remove them, or change the type.", ", ".join(there)
            )
    yield from _names(f"{place}.items", question.items)
    yield from _names(f"{place}.codes", question.codes)
    if question.base not in catalogue.bases:
        mend = (
            f"Declare [bases.{question.base}] in indicators.toml.{hint(question.base, list(catalogue.bases))}"
        )
        yield Fault(FILE, f"{place}.base", "is not a base", mend, question.base)
    known = question.items if question.type == "multiple" else question.codes
    for code in question.nonresponse:
        if known and code not in known:
            mend = f"Use one of {', '.join(known)}.{hint(code, list(known))}"
            yield Fault(FILE, f"{place}.nonresponse", "is not one of the answers", mend, code)
    if question.max_choices is not None and question.type != "multiple":
        mend = "Remove it: only a multiple question has one."
        yield Fault(FILE, f"{place}.max_choices", "does not fit", mend, str(question.max_choices))
