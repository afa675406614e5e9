"""A wave's further weights against its design, and against the indicators that name one."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.catalogue.fieldwork import Design, Wave
from pipeline.catalogue.hints import did_you_mean
from pipeline.catalogue.model import Catalogue
from pipeline.catalogue.questionnaire import Indicator, question_key
from pipeline.problems import Problem, wave_problem

KEY = "design.weights"


def check_further_weights(wave: Wave, catalogue: Catalogue) -> Iterator[Problem]:
    """Problems of a microdata wave that has a design."""
    assert wave.design is not None
    yield from _columns(wave, wave.design)
    yield from _lacking(wave, wave.design, catalogue)
    if wave.design.weights and wave.design.replicate_weights:
        # They carry the variance of one weight only.
        hint = "Remove replicate_weights and let strata and psu give the variance; or remove weights."
        named = ", ".join(wave.design.weights)
        yield wave_problem(wave.key, KEY, "stand beside replicates of the main weight", hint, named)


def _columns(wave: Wave, design: Design) -> Iterator[Problem]:
    """Columns that are something else, and columns of two names."""
    others = {
        "id": design.id,
        "strata": design.strata,
        "psu": (design.psu,),
        "probability": (design.probability,),
    }
    first: dict[str, str] = {}
    for name, column in design.weights.items():
        for key, columns in others.items():
            if column in columns:
                hint = "Name the column that holds the weight."
                yield wave_problem(wave.key, f"{KEY}.{name}", f"is the column of design.{key}", hint, column)
        if (other := first.setdefault(column, name)) != name:
            hint = f"Keep one name, or correct the column; indicators may share {other}."
            yield wave_problem(wave.key, f"{KEY}.{name}", f"is the column of {other} as well", hint, column)


def _lacking(wave: Wave, design: Design, catalogue: Catalogue) -> Iterator[Problem]:
    """Weights that an indicator names, the wave asks for and does not have."""
    needed: dict[str, list[str]] = {}
    for indicator in catalogue.indicators.values():
        if indicator.weight and indicator.weight not in design.weights and _asks(wave, indicator, catalogue):
            needed.setdefault(indicator.weight, []).append(indicator.key)
    for name, indicators in needed.items():
        hint = f'Add {name} = "COLUMN" below [design.weights], or correct weight in schemas/indicators.toml.'
        hint += did_you_mean(name, list(design.weights))
        message = f"has no weight of the name that {', '.join(indicators)} must have"
        yield wave_problem(wave.key, KEY, message, hint, name)


def _asks(wave: Wave, indicator: Indicator, catalogue: Catalogue) -> bool:
    """Whether a wave asked something of all that an indicator is made from: else it has no estimate."""
    if wave.instrument not in catalogue.instruments:
        return False
    base, mapped = catalogue.bases.get(indicator.base), catalogue.mapped_variables(wave)
    logic = base.logic.conditions() if base and base.logic else ()
    asked: dict[str, bool] = {}
    for pattern in (*indicator.patterns, *(condition.pattern for condition in logic)):
        key = question_key(pattern)
        whole = key in catalogue.questions and pattern in (key, f"{key}.*")
        names = catalogue.questions[key].answers if whole else (pattern,)
        asked[key] = asked.get(key, False) or bool(mapped.intersection(names))
    return all(asked.values())
