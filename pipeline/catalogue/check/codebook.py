"""codebook.toml: background variables and questions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from pipeline.catalogue.hints import did_you_mean
from pipeline.catalogue.model import Catalogue
from pipeline.catalogue.questionnaire import IGNORE, NO_ANSWER, NOT_ASKED, NOT_SELECTED, SELECTED, Question
from pipeline.problems import Problem

FILE = "schemas/codebook.toml"
RESERVED = {NO_ANSWER, NOT_ASKED, IGNORE, SELECTED, NOT_SELECTED}
# The microdata table holds these columns beside those of the codebook.
MICRODATA_COLUMNS = re.compile(
    r"wave|unit|stratum|psu|population|weight|design_weight|base_weight|replicate_\d+"
)
ITEMS_AND_CODES = {
    "single": (False, True),
    "multiple": (True, False),
    "grid": (True, True),
    "numeric": (False, False),
}


def check_codebook(catalogue: Catalogue) -> Iterator[Problem]:
    """Names, codes and bases of the codebook's entries, and whether each question has what its type needs."""
    for variable in catalogue.variables.values():
        key = f"variables.{variable.key}"
        if variable.key in catalogue.questions:
            yield Problem(
                FILE, key, "is the name of a question as well", "Give one of them another name.", variable.key
            )
        if not variable.codes:
            yield Problem(FILE, key, "has no codes", f'Add codes.CODE = "label" below [{key}].')
        yield from _names(f"{key}.codes", variable.codes)
    yield from _names("variables", catalogue.variables)
    yield from _names("questions", catalogue.questions)
    for question in catalogue.questions.values():
        yield from _question(question, catalogue)


def _names(key: str, names: Iterable[str]) -> Iterator[Problem]:
    for name in names:
        if key in {"variables", "questions"} and MICRODATA_COLUMNS.fullmatch(name):
            yield Problem(
                FILE,
                key,
                "is the name of a column of the microdata table",
                f"Choose another name, such as {name}_code.",
                name,
            )
        if name in RESERVED:
            yield Problem(FILE, key, "is a reserved word", "Choose another name.", name)


def _question(question: Question, catalogue: Catalogue) -> Iterator[Problem]:
    key = f"questions.{question.key}"
    has_items, has_codes = ITEMS_AND_CODES[question.type]
    for name, wanted, declared in (
        ("items", has_items, question.items),
        ("codes", has_codes, question.codes),
    ):
        if wanted and not declared:
            yield Problem(
                FILE, key, f"a {question.type} question needs {name}", f'Add {name}.NAME = "label".'
            )
        if declared and not wanted:
            message = f"a {question.type} question has no {name}"
            yield Problem(
                FILE, f"{key}.{name}", message, "Remove them, or change the type.", ", ".join(declared)
            )
    yield from _names(f"{key}.items", question.items)
    yield from _names(f"{key}.codes", question.codes)
    if question.base not in catalogue.bases:
        hint = (
            f"Declare [bases.{question.base}] in indicators.toml."
            f"{did_you_mean(question.base, list(catalogue.bases))}"
        )
        yield Problem(FILE, f"{key}.base", "is not a base", hint, question.base)
    known = question.items if question.type == "multiple" else question.codes
    for code in question.nonresponse:
        if known and code not in known:
            hint = f"Use one of {', '.join(known)}.{did_you_mean(code, list(known))}"
            yield Problem(FILE, f"{key}.nonresponse", "is not one of the question's answers", hint, code)
    if question.minimum is not None and question.maximum is not None and question.minimum > question.maximum:
        hint = "Correct the one that is wrong."
        yield Problem(FILE, f"{key}.maximum", "is below the minimum", hint, f"{question.maximum:g}")
