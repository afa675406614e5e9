"""The codebook: every question in every language, how each wave asked it, and where that differs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pipeline.catalogue import Instrument, Question
from pipeline.site.language import Section
from pipeline.site.package_reader import PackageData
from pipeline.site.page import Page, Site

MOST_RULES = 560  # of crosswalks on one page: keeps it below 200 kB


def pages(section: Section, site: Site) -> Iterator[Page]:
    """The list of questions and background variables, and a page a question."""
    catalogue, strings = section.package.catalogue, section.language.strings
    asked = asked_in(section.package)
    context = {"questions": catalogue.questions, "asked": asked, "variables": catalogue.variables}
    yield Page("codebook/index.html", "codebook.html.j2", strings.plain("codebook"), context)
    for key, question in catalogue.questions.items():
        text_key = f"questions.{key}"
        shown: dict[str, Any] = {
            "question": question,
            "texts": [(language, language.markup(f"{text_key}.text")) for language in site.languages],
            "items": _labels(site, f"{text_key}.items", question.items),
            "codes": _labels(site, f"{text_key}.codes", question.codes),
            "waves": _rules_once([_in_wave(section, question, wave) for wave in asked[key]]),
            "indicators": [
                name for name, row in section.package.indicators.items() if row["question"] == key
            ],
        }
        title = section.language.plain(f"{text_key}.label") or section.language.plain(f"{text_key}.text")
        yield Page(f"codebook/{key}.html", "question.html.j2", title, shown)


def _labels(site: Site, text_key: str, declared: Mapping[str, str]) -> list[tuple[str, list[Any]]]:
    return [(key, [language.markup(f"{text_key}.{key}") for language in site.languages]) for key in declared]


def asked_in(package: PackageData) -> dict[str, list[str]]:
    """The waves that asked each question: by their crosswalk, their wording or a published figure."""
    catalogue = package.catalogue
    question_of = {key: row["question"] for key, row in package.indicators.items()}
    estimated = {(wave, question_of[indicator]) for indicator, wave in package.cells}
    return {
        key: [
            wave
            for wave, row in package.waves.items()
            if (row["instrument"], key) in package.crosswalk
            or (wave, key) in estimated
            or key in _worded(catalogue.instruments[row["instrument"]])
        ]
        for key in catalogue.questions
    }


def _worded(instrument: Instrument) -> set[str]:
    return {key.partition(".")[0] for key in instrument.wording}


def _rules_once(waves: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same waves, with the rules of each questionnaire once, and no more than a page holds."""
    shown: set[str] = set()
    left = MOST_RULES
    for wave in waves:
        seen = wave["instrument"] in shown
        fits = not seen and len(wave["rules"]) <= left
        wave["elsewhere"] = bool(wave["rules"]) and not seen and not fits
        if fits:
            shown.add(wave["instrument"])
            left -= len(wave["rules"])
        else:
            wave["rules"] = []
    return waves


def _in_wave(section: Section, question: Question, wave: str) -> dict[str, Any]:
    """How one wave asked a question, and where that differs from the codebook."""
    package = section.package
    row, catalogue = package.waves[wave], package.catalogue
    instrument = catalogue.instruments[row["instrument"]]
    rules = package.crosswalk.get((row["instrument"], question.key), [])
    filled = {rule["variable"].partition(".")[2] for rule in rules}
    missing = [item for item in question.items if rules and item not in filled]
    limit = instrument.max_choices.get(question.key)
    return {
        "wave": wave,
        "instrument": row["instrument"],
        "language": instrument.language,
        "wording": instrument.wording.get(f"{question.key}.text", ""),
        "parts": {
            key: text
            for key, text in instrument.wording.items()
            if key.startswith((f"{question.key}.items.", f"{question.key}.codes."))
        },
        "columns": list(dict.fromkeys(rule["source_variable"] for rule in rules)),
        "rules": rules,
        "version": instrument.question_versions.get(question.key, ""),
        "uncertain": question.key in instrument.uncertain,
        "limit": limit if limit != question.max_choices else None,
        "missing": [section.language.plain(f"questions.{question.key}.items.{item}") for item in missing],
    }
