"""instruments/: every row of a crosswalk must lead somewhere, and every wording belong to a question."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pipeline.catalogue.model import ABSENT, IGNORE, Catalogue, CrosswalkRow, Instrument
from pipeline.catalogue.section import hint
from pipeline.faults import Fault


def check_instruments(catalogue: Catalogue) -> Iterator[Fault]:
    """Wording, versions and crosswalk of every questionnaire."""
    answers = {answer for question in catalogue.questions.values() for answer in question.answers}
    known = set(catalogue.variables) | answers
    for instrument in catalogue.instruments.values():
        file = f"schemas/instruments/{instrument.key}.toml"
        if not re.fullmatch(r"[a-z]{2,3}", instrument.language):
            yield Fault(file, "language", "is no language code", "Write it as nb.", instrument.language)
        for table in ("question_versions", "max_choices"):
            for key in getattr(instrument, table):
                if key not in catalogue.questions:
                    mend = f"Name a question of codebook.toml.{hint(key, list(catalogue.questions))}"
                    yield Fault(file, f"{table}.{key}", "is not a question", mend, key)
        for key in instrument.wording:
            if not _worded(key, catalogue):
                mend = "Key it like the codebook: QUESTION.text, QUESTION.items.ITEM or QUESTION.codes.CODE."
                yield Fault(file, f"wording.{key}", "belongs to no question", mend, key)
        yield from _crosswalk(instrument, catalogue, known)


def _worded(key: str, catalogue: Catalogue) -> bool:
    name, _, rest = key.partition(".")
    if name in catalogue.variables:
        return rest in ("text", "label") or rest.removeprefix("codes.") in catalogue.variables[name].codes
    question = catalogue.questions.get(name)
    if question is None:
        return False
    kind, _, entry = rest.partition(".")
    return rest in ("text", "label") or entry in {"items": question.items, "codes": question.codes}.get(
        kind, {}
    )


def _crosswalk(instrument: Instrument, catalogue: Catalogue, known: set[str]) -> Iterator[Fault]:
    file = f"schemas/instruments/{instrument.key}.csv"
    seen: dict[tuple[str, str, str], int] = {}
    for row in instrument.crosswalk:
        place = f"line {row.line}"
        address = (row.source_variable, row.source_code, row.variable)
        if address in seen:
            mend = f"Keep this line or line {seen[address]}."
            yield Fault(file, place, "maps the same source code again", mend, ",".join(address))
        seen[address] = row.line
        if not row.source_variable:
            yield Fault(file, place, "has no source_variable", "Name the raw file's column.")
        if not row.code or (not row.variable and row.code != IGNORE):
            mend = f"Fill in variable and code, or write {IGNORE} as the code."
            yield Fault(file, place, "maps nowhere", mend, f"{row.source_variable}={row.source_code}")
        elif row.variable and row.variable not in known:
            mend = f"Name a variable of codebook.toml.{hint(row.variable, sorted(known))}"
            yield Fault(file, place, "names an unknown variable", mend, row.variable)
        elif row.variable:
            yield from _code(row, catalogue, file, place)


def _code(row: CrosswalkRow, catalogue: Catalogue, file: str, place: str) -> Iterator[Fault]:
    codes = catalogue.codes_of(row.variable)
    question = None if row.variable in catalogue.variables else catalogue.question_of(row.variable)
    numeric = question is not None and question.type == "numeric"
    nonresponse = question.nonresponse if question and question.type != "multiple" else ()
    allowed = {IGNORE, *ABSENT, *codes, *nonresponse}
    if row.code == "=":
        if not numeric or row.source_code != "*":
            mend = "Copy with * and = for a numeric question only; map other codes one by one."
            yield Fault(file, place, "copies what is not a number", mend, f"{row.variable},{row.code}")
    elif row.code not in allowed:
        mend = (
            f"Use = with source_code *, or {IGNORE}."
            if numeric
            else f"Use one of {', '.join(codes)}, or {IGNORE}."
        )
        yield Fault(
            file, place, f"names an unknown code of {row.variable}", mend + hint(row.code, codes), row.code
        )
