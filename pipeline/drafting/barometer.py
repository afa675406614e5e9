"""Drafts a barometer from a delivered file: barometer.toml, codebook, indicators, breakdowns and a wave.

What only its owner can know (licences, dates, country, producer) stays empty, and ``barometer check``
lists it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pipeline.catalogue.fieldwork import SYNTHETIC_SUFFIX
from pipeline.catalogue.kinds import slug_fault
from pipeline.catalogue.questionnaire import Base, Question
from pipeline.catalogue.schema import schema_files, schema_line
from pipeline.catalogue.wordings import YES, says_none
from pipeline.drafting.columns import describe, footer_of
from pipeline.drafting.design import guess_design
from pipeline.drafting.draft import (
    crosswalk_text,
    instrument_text,
    key_facts,
    rows_of_wave,
    toml_value,
    wave_text,
    with_choices,
)
from pipeline.drafting.folder import gitignore, name_of, require_raw_file, slug, write_new
from pipeline.drafting.questions import Guesses, guess
from pipeline.drafting.routing import guess_bases
from pipeline.drafting.sniff import sniff
from pipeline.problems import Problem, ProblemError

DRAFT = "# Draft from {file}: confirm every line; what is a guess says so."


def draft_barometer(
    folder: Path,
    file: Path,
    given: Mapping[str, Any] | None = None,
    wave: str = "",
    identifier: Sequence[str] = (),
) -> list[Path]:
    """Draft every declaration of a barometer from its first raw file, and copy that; returns the paths.

    ``given`` are options of ``source`` that need no guess, ``wave`` is the key of the first wave, by default
    the file's name, and ``identifier`` what tells units apart. Raises ProblemError, and writes nothing, when
    the file cannot be read, a name is not valid, the folder holds declarations, or anything would be
    overwritten.
    """
    require_raw_file(file)
    if wave and (reason := slug_fault(wave)):
        raise ProblemError(Problem("init", "--wave", *reason, wave))
    instrument = slug(file.stem, "-") or "first"
    facts = (
        {**key_facts(wave), "unit": "respondent", "title": file.stem}
        if wave
        else _name_facts(instrument, file.stem, name_of(folder))
    )
    wave = wave or instrument
    source = sniff(file, given)
    table = rows_of_wave(file, source, wave, identifier)
    if footer := footer_of(table.frame):
        table = replace(table, frame=table.frame.iloc[: -footer.rows])
    columns = describe(table, source.decimal)
    source = with_choices(source, columns)
    found = guess(columns, guess_design(columns, table.frame, source, identifier=identifier))
    bases = guess_bases(found, table.frame)
    texts = {
        "schemas/barometer.toml": _identity(name_of(folder), wave, file.name),
        "schemas/codebook.toml": _codebook(found, file.name),
        "schemas/indicators.toml": _indicators(found, bases, file.name),
        "schemas/domains.toml": _domains(found, file.name),
        f"schemas/instruments/{instrument}.toml": instrument_text(
            instrument, file.name, [column for column in columns if column.name not in found.design.ignored]
        ),
        f"schemas/instruments/{instrument}.csv": crosswalk_text(found.rows),
        f"schemas/waves/{wave}.toml": wave_text(
            facts, instrument, source, len(table.frame), found.design, given=given or (), footer=footer
        ),
    }
    content: dict[str, bytes | Path] = {".gitignore": gitignore(keep_raw=False)}
    for name, text in texts.items():
        first = f"{schema_line(name.removeprefix('schemas/'))}\n" if name.endswith(".toml") else ""
        content[name] = f"{first}{text}".encode()
    content |= schema_files()
    return write_new(folder, {**content, f"warehouse/raw/{file.name}": file})


def _name_facts(wave: str, stem: str, name: str) -> Mapping[str, str]:
    """What the file's name says: the last year in it is the edition, the rest the survey."""
    plain = wave.removesuffix(SYNTHETIC_SUFFIX)
    years = re.findall(r"(?<!\d)(?:19|20)\d{2}(?!\d)", plain)
    edition = years[-1] if years else ""
    return {
        "country": "",
        "survey": re.sub("-+", "-", plain.replace(edition, "")).strip("-") or name if edition else plain,
        "edition": edition,
        "unit": "respondent",
        "title": stem,
        "status": "synthetic" if wave.endswith(SYNTHETIC_SUFFIX) else "official",
        "from": "from the file's name",
    }


def _identity(name: str, wave: str, file: str) -> str:
    title = name.replace("-", " ").capitalize()
    return _lines(
        DRAFT.format(file=file),
        "# What is empty is yours to decide; `barometer check` names it.",
        "",
        f"id = {toml_value(name)}  # names the data package",
        f"title = {toml_value(title)}  # guess: the folder's name",
        f'description = ""  # of {wave} and the waves to come',
        'languages = ["en"]  # guess: of these files; others: schemas/translations/<language>.csv',
        'licence = ""  # of what you publish, as CC-BY-4.0',
        'version = "0.1.0"  # of the next release',
        'released = ""  # its date without quotes, as 2026-11-30: nothing reads the clock',
        "",
        "# Thresholds of what is hidden or flagged have defaults; `barometer schema --markdown` lists them.",
    )


def _codebook(found: Guesses, file: str) -> str:
    lines = [DRAFT.format(file=file), ""]
    if not found.variables:
        lines += [
            "# No column is named like a background variable (region, sex, sector ...). Breakdowns need one:",
            "# turn a question below into [variables.NAME] with label and codes.",
            "",
        ]
    for variable in found.variables.values():
        lines += [f"[variables.{variable.key}]  # guess: known of every unit, to break figures down by"]
        lines += [f"label = {toml_value(variable.label)}", *_unlabelled(variable.codes)]
        lines += [*_entries("codes", variable.codes), ""]
    for question in found.questions.values():
        unworded = "  # TODO: the file has no label for it" if question.key in found.unworded else ""
        lines += [f"[questions.{question.key}]", f'type = "{question.type}"  # guess']
        if question.base != "all":
            lines += [f"base = {toml_value(question.base)}  # guess: blank for all others"]
        lines += [f"text = {toml_value(question.text)}{unworded}"]
        lines += [*_unlabelled(question.items), *_entries("items", question.items)]
        if question.key in found.unordered:
            lines += ["# guess: order (the file's codes are texts, and have none)"]
        lines += [*_unlabelled(question.codes), *_entries("codes", question.codes)]
        if question.type == "multiple" and not says_none(question):
            told = question.key in found.told
            lines += [
                'nothing_ticked = "not_selected"  # guess: the file has a code for no answer'
                if told
                else 'nothing_ticked = "no_answer"  # guess; "not_selected" where that means none of these'
            ]
        if question.nonresponse:
            lines += [f"nonresponse = {toml_value(question.nonresponse)}  # guess: no substantive answer"]
        lines += [""]
    return _lines(*lines[:-1])


def _unlabelled(entries: Mapping[str, str]) -> list[str]:
    """That somebody has to say what codes mean, where the file has numbers alone."""
    bare = bool(entries) and all(re.fullmatch(r"-?\d+", text) for text in entries.values())
    return ["# TODO: what these numbers mean (the file has no label for them)"] if bare else []


def _entries(table: str, entries: Mapping[str, str]) -> Iterator[str]:
    return (f"{table}.{key} = {toml_value(text)}" for key, text in entries.items())


def _indicators(found: Guesses, bases: Mapping[str, Base], file: str) -> str:
    lines = [
        DRAFT.format(file=file),
        "# One for each question. Where only some were asked, declare a base and name it at the question:",
        '# [bases.NAME] with any = ["QUESTION=CODE|CODE"].',
        "",
    ]
    for key, base in bases.items():
        conditions = [str(each) for each in base.logic.conditions()] if base.logic else []
        lines += [f"[bases.{key}]", f"label = {toml_value(_asked_of(base, found))}"]
        lines += [f"any = {toml_value(conditions)}  # guess: the others were blank", ""]
    for question in found.questions.values():
        lines += [f"[indicators.{question.key}]", f"label = {toml_value(question.text)}"]
        lines += [*_estimand(question), ""]
    return _lines(*lines[:-1])


def _asked_of(base: Base, found: Guesses) -> str:
    """A base in words: the question, or background variable, that its members answered, and how."""
    said = []
    for condition in base.logic.conditions() if base.logic else ():
        question, variable = found.questions.get(condition.pattern), found.variables.get(condition.pattern)
        text, codes = ("", {})
        if question:
            text, codes = question.text, dict(question.codes)
        elif variable:
            text, codes = variable.label, dict(variable.codes)
        said.append(f"{text}: {', '.join(codes.get(code, code) for code in condition.codes)}")
    return "; ".join(said)


def _estimand(question: Question) -> Iterable[str]:
    if question.type == "numeric":
        return [f"mean = {toml_value(question.key)}"]
    named = [f"question = {toml_value(question.key)}"]
    if question.type != "grid":
        return named
    counted = [code for code in question.codes if code not in question.nonresponse] or list(question.codes)
    yes = [code for code in counted if YES.fullmatch(question.codes[code])]
    return [
        *named,
        f"codes = {toml_value((yes or counted)[:1])}  # guess: the answers that count, for each item",
    ]


def _domains(found: Guesses, file: str) -> str:
    lines = [DRAFT.format(file=file), "", "[domains.total]", "by = []", ""]
    for key in found.variables:
        lines += [f"[domains.{key}]", f"by = [{toml_value(key)}]", ""]
    return _lines(*lines[:-1])


def _lines(*lines: str) -> str:
    return "\n".join(lines) + "\n"
