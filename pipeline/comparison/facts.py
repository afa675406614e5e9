"""What is declared of a wave and of what it measures, as the facts that rules of comparability look at.

Only declarations are read, so that a verdict exists before any data do; whether two waves share units is
looked up in their ids too, where these are at hand. A fact that nobody declared is None: unknown, never
equal. Which facts matter, and how much, is for the rules to say.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pipeline.catalogue import SELECTED, Catalogue, Condition, Indicator, Wave
from pipeline.comparison.shared_units import Ids, no_ids, shared_units

Facts = Mapping[str, str | float | None]
Option = tuple[str, str]  # a question, and its item, or its code where it has no items
CORRECTED, UNCORRECTED = "corrected", "uncorrected"  # for nonresponse
ANY_NUMBER = "any number"


class WaveFacts:
    """The facts of every wave of a catalogue, each worked out once; ``ids`` gives those of a wave's units."""

    def __init__(self, catalogue: Catalogue, ids: Ids = no_ids) -> None:
        self.catalogue = catalogue
        self._ids = ids
        self._facts: dict[tuple[str, str], Facts] = {}
        self._options: dict[tuple[str, str], frozenset[Option] | None] = {}
        self._mapped: dict[str, dict[str, frozenset[str]]] = {}

    def facts(self, wave: Wave, indicator: str) -> Facts:
        """Every fact of a wave about an indicator, except its category and what only a pair of waves has.

        Dates are ordinal days, the response rate is percent.
        """
        key = (wave.key, indicator)
        if key not in self._facts:
            self._facts[key] = _facts(wave, indicator, self.catalogue)
        return self._facts[key]

    def options(self, wave: Wave, indicator: str) -> frozenset[Option] | None:
        """The answers a wave offered of those an indicator is made from; None for published figures.

        Of a single or multiple question its codes or items, of a composite those that it names. Items of
        a grid question are questions of their own, and a mean is of one number: neither has options.
        """
        key = (wave.key, indicator)
        if key not in self._options:
            self._options[key] = self._offered(wave, indicator) if wave.is_microdata else None
        return self._options[key]

    def shared_units(self, a: Wave, b: Wave) -> str:
        """Whether units answered in both of two waves, as ``shared_units`` has it."""
        return shared_units(a, b, self._ids)

    def mapped(self, wave: Wave) -> dict[str, frozenset[str]]:
        """The codes of each variable that a wave's crosswalk can give."""
        if wave.key not in self._mapped:
            found: dict[str, set[str]] = {}
            for row in self.catalogue.instruments[wave.instrument].crosswalk:
                if row.variable and row.code in self.catalogue.codes_of(row.variable):
                    found.setdefault(row.variable, set()).add(row.code)
            self._mapped[wave.key] = {name: frozenset(codes) for name, codes in found.items()}
        return self._mapped[wave.key]

    def answers(self, wave: Wave, key: str) -> frozenset[str]:
        """The items of a question that a wave offered, or its codes where it has no items."""
        mapped, question = self.mapped(wave), self.catalogue.questions[key]
        if not question.items:
            return mapped.get(key, frozenset())
        wanted = {SELECTED} if question.type == "multiple" else set(question.codes)
        return frozenset(item for item in question.items if wanted & mapped.get(f"{key}.{item}", frozenset()))

    def _offered(self, wave: Wave, indicator: str) -> frozenset[Option]:
        catalogue, mapped = self.catalogue, self.mapped(wave)
        declared = catalogue.share_behind(catalogue.indicators[indicator])
        if declared.logic:
            each = (
                found for condition in declared.logic.conditions() for found in named(condition, catalogue)
            )
            return frozenset(
                option
                for option, condition in each
                if mapped.get(condition.pattern, frozenset()) & set(condition.codes)
            )
        question = catalogue.questions.get(declared.question or "")
        if question is None or question.type == "grid":
            return frozenset()
        return frozenset((question.key, answer) for answer in self.answers(wave, question.key))


def named(condition: Condition, catalogue: Catalogue) -> Iterator[tuple[Option, Condition]]:
    """The answers that a condition names, each with the condition on it alone.

    There are none of a background variable and of a numeric question. The codes of a grid's item are one
    scale: they stay together.
    """
    for name in catalogue.expand(condition.pattern):
        key, _, item = name.partition(".")
        if item:
            yield (key, item), Condition(name, condition.codes)
        elif key in catalogue.questions and catalogue.codes_of(key):
            yield from (((key, code), Condition(name, (code,))) for code in condition.codes)


def _facts(wave: Wave, indicator: str, catalogue: Catalogue) -> Facts:
    instrument, period = catalogue.instruments[wave.instrument], wave.reference_period
    declared = catalogue.indicators[indicator]
    questions = catalogue.questions_of(declared)
    base = catalogue.bases[declared.base].logic
    routed = [each.pattern.partition(".")[0] for each in base.conditions()] if base else []
    versions = {
        key: instrument.question_versions.get(key, "") for key in dict.fromkeys([*questions, *routed])
    }
    limits = {
        key: catalogue.max_choices(catalogue.questions[key], wave)
        for key in questions
        if catalogue.questions[key].type == "multiple"
    }
    return {
        "unit": wave.unit or None,
        "verb": instrument.unit_verb or None,
        "about": instrument.about or None,
        "version": " ".join(f"{key}={version}" for key, version in versions.items()),
        "uncertain": "yes" if set(questions) & set(instrument.uncertain) else "no",
        "max_choices": " ".join(f"{key}={limit or ANY_NUMBER}" for key, limit in limits.items()),
        "weighting": _weighting(wave),
        "weighting_margins": _margins(wave),
        "mode": wave.mode or None,
        "role": wave.role or None,
        "source_kind": wave.source.kind,
        "unit_measure": declared.unit,
        "response_rate": wave.response.known_rate,
        "reference_days": float((period.end - period.start).days + 1),
        "reference_end": float(period.end.toordinal()),
        "fieldwork_end": float(wave.fieldwork.end.toordinal()) if wave.fieldwork else None,
    }


def form_of(indicator: Indicator) -> str:
    """question, composite, mean or total: how an indicator is made."""
    forms = {"total": indicator.total, "mean": indicator.mean, "question": indicator.question}
    return next((form for form, made in forms.items() if made is not None), "composite")


def _weighting(wave: Wave) -> str | None:
    if wave.weighting is None:
        return None
    return UNCORRECTED if wave.weighting.method in ("none", "design") else CORRECTED


def _margins(wave: Wave) -> str | None:
    """What the weights correct for: the variables, however they are cross-classified and calibrated.

    None where nobody knows.
    """
    if wave.weighting is None:
        return None
    variables = sorted({name for margin in wave.weighting.margins for name in margin})
    if wave.weighting.method == "unspecified" and not variables:
        return None
    calibrated = wave.weighting.calibrates or variables
    return " ".join(variables) if calibrated else wave.weighting.method
