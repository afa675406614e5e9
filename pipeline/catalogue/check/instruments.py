"""instruments/: every row of a crosswalk names a variable and a code, every wording a codebook entry."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence

from pipeline.catalogue.hints import did_you_mean
from pipeline.catalogue.model import Catalogue
from pipeline.catalogue.questionnaire import ABSENT, IGNORE, NO_ANSWER, CrosswalkRow, Instrument
from pipeline.catalogue.ranges import Range, overlapping, range_of
from pipeline.catalogue.wordings import plain, targets
from pipeline.problems import Problem, counted, shown

CONFIRM = 'Correct the line, or begin its note with "confirmed" if it is meant so.'


def check_instruments(catalogue: Catalogue) -> Iterator[Problem]:
    """Wording, versions and crosswalk of every questionnaire."""
    known = {*catalogue.variables, *catalogue.answers}
    wordings = {target.variable: target.codes for target in targets(catalogue)}
    for instrument in catalogue.instruments.values():
        file = f"schemas/instruments/{instrument.key}.toml"
        for table in ("question_versions", "max_choices"):
            for key in getattr(instrument, table):
                if key not in catalogue.questions:
                    hint = f"Name a question of codebook.toml.{did_you_mean(key, list(catalogue.questions))}"
                    yield Problem(file, f"{table}.{key}", "is not a question", hint, key)
        for key in instrument.uncertain:
            if key not in catalogue.questions:
                hint = f"Name a question of codebook.toml.{did_you_mean(key, list(catalogue.questions))}"
                yield Problem(file, "uncertain", "is not a question", hint, key)
        for key in instrument.wording:
            if not _is_codebook_entry(key, catalogue):
                hint = "Write it as QUESTION.text, QUESTION.items.ITEM or QUESTION.codes.CODE."
                yield Problem(file, f"wording.{key}", "is not an entry of the codebook", hint, key)
        yield from _crosswalk(instrument, catalogue, known)
        yield from _contradicted(instrument, catalogue, wordings)


def _is_codebook_entry(key: str, catalogue: Catalogue) -> bool:
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


def _crosswalk(instrument: Instrument, catalogue: Catalogue, known: set[str]) -> Iterator[Problem]:
    file = f"schemas/instruments/{instrument.key}.csv"
    yield from _unmapped(instrument, file)
    yield from _ranges(instrument, file)
    seen: dict[tuple[str, str, str], int] = {}
    for row in instrument.crosswalk:
        line = f"line {row.line}"
        mapping = (row.source_variable, row.source_code, row.variable)
        if mapping in seen:
            hint = f"Keep this line or line {seen[mapping]}."
            yield Problem(file, line, "maps a source code that is mapped already", hint, ",".join(mapping))
        seen[mapping] = row.line
        if not row.source_variable:
            yield Problem(file, line, "has no source_variable", "Name the raw file's column.")
        if _is_unmapped(row):
            continue
        if row.variable and row.variable not in known:
            hint = f"Name a variable of codebook.toml.{did_you_mean(row.variable, sorted(known))}"
            yield Problem(file, line, "names an unknown variable", hint, row.variable)
        elif row.variable:
            yield from _code(row, catalogue, file, line)


def _contradicted(
    instrument: Instrument, catalogue: Catalogue, wordings: Mapping[str, Mapping[str, Collection[str]]]
) -> Iterator[Problem]:
    """A source code in words that is the text of one code and mapped to another: most often a slip."""
    texts: dict[str, dict[str, set[str]]] = {
        variable: {code: {plain(text) for text in words} for code, words in codes.items()}
        for variable, codes in wordings.items()
    }
    for row in instrument.crosswalk:
        source, codes = plain(row.source_code), texts.get(row.variable, {})
        in_words = re.search(r"[^\W\d_]{2,}", source)
        if (
            not in_words
            or row.confirmed
            or row.code not in (*ABSENT, *codes)
            or source in codes.get(row.code, ())
        ):
            continue
        other = next((code for code, words in codes.items() if source in words), None)
        if other is None or (row.code in ABSENT and other in _nonresponse(row.variable, catalogue)):
            continue
        message = f"maps to {row.variable} {row.code} what is the text of {other}"
        file = f"schemas/instruments/{instrument.key}.csv"
        yield Problem(file, f"line {row.line}", message, CONFIRM, row.source_code)


def _nonresponse(variable: str, catalogue: Catalogue) -> Sequence[str]:
    return () if variable in catalogue.variables else catalogue.question_of(variable).nonresponse


def _ranges(instrument: Instrument, file: str) -> Iterator[Problem]:
    ranges: dict[tuple[str, str], list[Range]] = {}
    for row in instrument.crosswalk:
        if not (found := range_of(row.source_code)):
            continue
        ranges.setdefault((row.source_variable, row.variable), []).append(found)
        if found.low > found.high:
            hint = "Write the lower end first."
            yield Problem(file, f"line {row.line}", "is a range that ends before it begins", hint, found.text)
    for (column, variable), found_here in ranges.items():
        for first, second in overlapping(found_here):
            hint = "Move the end of one of them; a number is in one range only."
            message = f"has ranges for {variable or IGNORE} that overlap"
            yield Problem(file, f"column {column}", message, hint, f"{first.text} and {second.text}")


def _is_unmapped(row: CrosswalkRow) -> bool:
    return not row.code or (not row.variable and row.code != IGNORE)


def _unmapped(instrument: Instrument, file: str) -> Iterator[Problem]:
    """One problem for each source variable with unmapped codes: a new draft has many of them."""
    rows: dict[str, list[CrosswalkRow]] = {}
    for row in instrument.crosswalk:
        if _is_unmapped(row):
            rows.setdefault(row.source_variable, []).append(row)
    for name, found in rows.items():
        line = f"line {found[0].line}" if len(found) == 1 else f"lines {found[0].line} to {found[-1].line}"
        codes = [row.source_code or "blank" for row in found if shown(row.source_code, 1) is not None]
        listed = [*codes[:6], *(["..."] if codes[6:] else [])]
        if texts := len(found) - len(codes):  # a draft may have taken what somebody wrote for a code
            listed.append(counted(texts, "text"))
        hint = f"Fill in variable and code, which codebook.toml has, or write {IGNORE} as the code."
        yield Problem(file, line, f"column {name} is not mapped to the codebook", hint, ", ".join(listed))


def _code(row: CrosswalkRow, catalogue: Catalogue, file: str, line: str) -> Iterator[Problem]:
    codes = catalogue.codes_of(row.variable)
    question = None if row.variable in catalogue.variables else catalogue.question_of(row.variable)
    numeric = question is not None and question.type == "numeric"
    nonresponse = question.nonresponse if question and question.type != "multiple" else ()
    absent = ABSENT if question else (NO_ANSWER,)  # a trait is known of everyone or is not
    allowed = {IGNORE, *absent, *codes, *nonresponse}
    if row.code == "=":
        if not numeric or row.source_code != "*":
            hint = "Use source_code * and code = for numeric questions only; map other codes one by one."
            yield Problem(
                file,
                line,
                "copies values to a question that is not numeric",
                hint,
                f"{row.variable},{row.code}",
            )
    elif row.code not in allowed:
        place = f"{'questions' if question else 'variables'}.{row.variable.partition('.')[0]}"
        hint = f"Use one of {', '.join((*codes, *absent, IGNORE))}"
        hint += (
            "."
            if question and question.type == "multiple"
            else f", or declare it in codebook.toml, [{place}]."
        )
        if numeric:
            hint = f"Use = with source_code *, {', '.join((*absent, IGNORE))}."
        yield Problem(
            file,
            line,
            f"names an unknown code of {row.variable}",
            hint + did_you_mean(row.code, codes),
            row.code,
        )
