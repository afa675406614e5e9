"""The part of the declarations that a step's output depends on: its structure, and texts only where they
are held against what a raw file says of itself.

Which of it a step depends on is said here once; hashing it belongs to ``fingerprint``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pipeline.catalogue import Base, Catalogue, Indicator, Origin, Question, Wave
from pipeline.catalogue.wordings import says_none, targets
from pipeline.staleness.files import hash_of_file


def facts(wave: Wave) -> Wave:
    """A wave without the words about it: what estimates may depend on."""
    return replace(
        wave, origin=Origin("", "", ""), note="", mode="", respondent="", role="", errata=(), panel=None
    )


def estimands(catalogue: Catalogue) -> tuple[Any, ...]:
    """The structure of everything estimated, without a single label."""
    return (
        [(variable.key, tuple(variable.codes)) for variable in catalogue.variables.values()],
        [_question(question) for question in catalogue.questions.values()],
        [_base(base) for base in catalogue.bases.values()],
        [_indicator(indicator) for indicator in catalogue.indicators.values()],
        [(domain.key, domain.by) for domain in catalogue.domains.values()],
    )


def harmonising(wave: Wave, catalogue: Catalogue) -> tuple[Any, ...]:
    """What harmonising reads: only the variables and questions that this wave's crosswalk fills.

    Of a raw file with labels, all that is known to be said of any variable: they are held against each other.
    """
    mapped = catalogue.mapped_variables(wave)
    questions = [
        question for question in catalogue.questions.values() if mapped.intersection(question.answers)
    ]
    instrument = catalogue.instruments[wave.instrument]
    return (
        [
            (variable.key, tuple(variable.codes))
            for variable in catalogue.variables.values()
            if variable.key in mapped
        ],
        [
            (_question(question), catalogue.max_choices(question, wave), says_none(question))
            for question in questions
        ],
        [_base(catalogue.bases[question.base]) for question in questions],
        [
            (row.source_variable, row.source_code, row.variable, row.code, row.confirmed)
            for row in instrument.crosswalk
        ],
        (wave.scope, wave.source, wave.design, wave.response),
        targets(catalogue, instrument) if wave.source.labelled else (),
        [replace(fix, reason="") for fix in wave.corrections],
        [replace(exclusion, reason="") for exclusion in wave.exclusions],
        catalogue.barometer.validation,
    )


def figures(wave: Wave, catalogue: Catalogue) -> tuple[Any, ...]:
    """What published figures are held against: what is estimated, how many answered of whom, other waves."""
    same = [other.key for other in catalogue.waves.values() if other.source.sha256 == wave.source.sha256]
    return (estimands(catalogue), wave.scope, wave.response, same)


def estimating(wave: Wave, catalogue: Catalogue) -> tuple[Any, ...]:
    """What the sums and estimates of a wave rest on; any wave's scope may be looked at inside of it."""
    scoped = sorted({name for each in catalogue.waves.values() for name in each.scope})
    return (estimands(catalogue), catalogue.barometer.estimation, facts(wave), scoped)


def comparing(waves: list[Wave], catalogue: Catalogue) -> tuple[Any, ...]:
    """What comparing reads besides estimates: the rules without their sentences, and every declared fact."""
    declared = catalogue.comparability
    return (
        [replace(rule, text="", rationale="") for rule in declared.rules.values()],
        [replace(made, label="") for made in declared.compositions.values()],
        declared.breakdowns,
        [
            replace(facts(wave), mode=wave.mode, role=wave.role, errata=wave.errata, panel=wave.panel)
            for wave in waves
        ],
        [
            (
                found.unit_verb,
                found.about,
                found.uncertain,
                found.question_versions,
                found.max_choices,
                found.crosswalk,
            )
            for found in (catalogue.instruments[wave.instrument] for wave in waves)
        ],
    )


def weighting(wave: Wave, catalogue: Catalogue) -> tuple[Any, ...]:
    """What weighting reads: design, margins, the files with their counts, and what totals are made of."""
    named = (wave.design.population if wave.design else "", wave.weighting.totals if wave.weighting else "")
    files = [hash_of_file(catalogue.raw_path(name)) if name else "" for name in named]
    totals = [indicator for indicator in catalogue.indicators.values() if indicator.total]
    counted = [
        (_indicator(total), _indicator(share), _base(catalogue.bases[total.base or share.base]))
        for total in totals
        for share in [catalogue.share_behind(total)]
    ]
    return (wave.scope, wave.design, wave.weighting, wave.response, files, counted)


def _question(question: Question) -> Question:
    return replace(
        question, text="", label="", note="", items=_keys(question.items), codes=_keys(question.codes)
    )


def _base(base: Base) -> Base:
    return replace(base, label="")


def _indicator(indicator: Indicator) -> Indicator:
    return replace(indicator, label="", description="", note="")


def _keys(labels: Mapping[str, str]) -> dict[str, str]:
    return dict.fromkeys(labels, "")
