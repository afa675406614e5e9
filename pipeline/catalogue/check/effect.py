"""Keys that have effect only beside other declarations: where they have none, silence would confirm a belief.

The tables say of each such key where it has effect. What contradicts another declaration in a way that needs
words of its own stands with that declaration.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import MISSING, fields
from typing import Any, NamedTuple

from pipeline.catalogue.comparability import Rule
from pipeline.catalogue.fieldwork import Source, Wave
from pipeline.catalogue.model import Catalogue
from pipeline.catalogue.questionnaire import Indicator, Question
from pipeline.problems import Problem, wave_problem

TABLES, TEXTS, WORKBOOKS = ("csv", "xlsx"), ("csv",), ("xlsx",)
ENCODED = ("csv", "sav", "dta", "sas7bdat", "xpt")  # a workbook and Parquet are UTF-8 by their own rules


class Effect(NamedTuple):
    """Where a key has effect: in words that follow `has effect`, and of a record."""

    key: str
    where: str
    holds: Callable[[Any], object]


def _file(*formats: str) -> Callable[[Wave], object]:
    """Whether a wave's file has one of these formats; one of no known format is a problem of its own."""
    return lambda wave: wave.source.file_format in (*formats, "")


def _microdata(wave: Wave) -> object:
    return wave.is_microdata


def _calibrated(wave: Wave) -> object:
    return wave.is_microdata and wave.weighting and wave.weighting.calibrates


WAVE = (
    Effect("source.sheet", "in workbooks", _file(*WORKBOOKS)),
    Effect("source.delimiter", "in text files", _file(*TEXTS)),
    Effect("source.encoding", "in text, SPSS, Stata and SAS files", _file(*ENCODED)),
    Effect("source.skip_rows", "in text files and workbooks", _file(*TABLES)),
    Effect("source.header_rows", "in text files and workbooks", _file(*TABLES)),
    Effect("source.label_row", "in text files and workbooks", _file(*TABLES)),
    Effect("source.name_row", "with header_rows above 1", lambda wave: _several_rows(wave.source)),
    Effect("source.rows", "in waves of microdata", _microdata),
    Effect("source.choices", "in waves of microdata", _microdata),
    Effect("correction", "in waves of microdata", _microdata),
    Effect("exclusion", "in waves of microdata", _microdata),
    Effect("design", "in waves of microdata", _microdata),
    Effect("design.zero_weights", "with design.weight", lambda wave: wave.design.weight),
    Effect("weighting.tolerance", "with poststratify, rake, linear and logit", _calibrated),
    Effect("weighting.max_iterations", "with poststratify, rake, linear and logit", _calibrated),
)
QUESTION = (
    Effect("max_choices", "with multiple questions", lambda question: question.type == "multiple"),
    Effect("nothing_ticked", "with multiple questions", lambda question: question.type == "multiple"),
    Effect("minimum", "with numeric questions", lambda question: question.type == "numeric"),
    Effect("maximum", "with numeric questions", lambda question: question.type == "numeric"),
)
INDICATOR = (
    Effect("codes", "with question", lambda indicator: indicator.question),
    Effect("scores", "with mean", lambda indicator: indicator.mean),
    Effect("denominator", "with question, any, all and none", lambda indicator: indicator.unit == "percent"),
)
RULE = (
    Effect("values", "with kind either and pair", lambda rule: rule.kind in ("either", "pair")),
    Effect("at_least", "with kind apart", lambda rule: rule.kind == "apart"),
    Effect("ranks", "with verdict not_comparable", lambda rule: rule.verdict == "not_comparable"),
)
ATTRIBUTES = {"correction": "corrections", "exclusion": "exclusions"}  # of keys that are named otherwise


def check_effect(catalogue: Catalogue) -> Iterator[Problem]:
    """Every declared key that has no effect, with where it would have."""
    for wave in catalogue.waves.values():
        for key, value, hint in _idle(wave, WAVE):
            yield wave_problem(wave.key, key, "has no effect", hint, value)
    file = "schemas/codebook.toml"
    yield from _problems(file, "questions", catalogue.questions.values(), QUESTION)
    for instrument in catalogue.instruments.values():
        for key, most in instrument.max_choices.items():
            if key in catalogue.questions and catalogue.questions[key].type != "multiple":
                file = f"schemas/instruments/{instrument.key}.toml"
                hint = _hint(QUESTION[0])
                yield Problem(file, f"max_choices.{key}", "has no effect", hint, str(most))
    file = "schemas/indicators.toml"
    yield from _problems(file, "indicators", catalogue.indicators.values(), INDICATOR)
    if catalogue.comparability.own:
        file = "schemas/comparability.toml"
        yield from _problems(file, "rules", catalogue.comparability.rules.values(), RULE)


def _several_rows(source: Source) -> bool:
    return source.header_rows > 1 and source.file_format in (*TABLES, "")


def _problems(file: str, table: str, records: Iterable[Any], effects: Sequence[Effect]) -> Iterator[Problem]:
    for record in records:
        for key, value, hint in _idle(record, effects):
            yield Problem(file, f"{table}.{record.key}.{key}", "has no effect", hint, value)


def _idle(
    record: Wave | Question | Indicator | Rule, effects: Sequence[Effect]
) -> Iterator[tuple[str, str | None, str]]:
    """The keys that are declared and have no effect, with their value where it can be shown, and the mend."""
    for effect in effects:
        value = _declared(record, effect.key)
        if value is not None and not effect.holds(record):
            shown = f"{value:g}" if isinstance(value, float) else value
            yield effect.key, str(shown) if isinstance(shown, str | int) else None, _hint(effect)


def _hint(effect: Effect) -> str:
    return f"It has effect {effect.where} only: remove it, or correct what it should go with."


def _declared(record: Any, path: str) -> Any:
    """The value at a path; None where it is not declared, or says what holds without it."""
    *tables, last = path.split(".")
    for name in tables:
        record = getattr(record, name)
        if record is None:
            return None
    name = ATTRIBUTES.get(last, last)
    field = next(each for each in fields(record) if each.name == name)
    value = getattr(record, name)
    if field.default_factory is not MISSING:
        return value if value != field.default_factory() else None
    return value if value != field.default else None
