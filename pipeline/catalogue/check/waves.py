"""waves/: a wave's facts against the codebook, its questionnaire, its files and its survey's other waves."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from pipeline.catalogue.check.further_weights import check_further_weights
from pipeline.catalogue.check.replicates import check_replicates
from pipeline.catalogue.check.weighting import check_weighting, check_weighting_fact
from pipeline.catalogue.fieldwork import SYNTHETIC_SUFFIX, Wave
from pipeline.catalogue.hints import did_you_mean
from pipeline.catalogue.model import Catalogue
from pipeline.catalogue.questionnaire import Instrument, is_confirmed
from pipeline.catalogue.raw_files import raw_fault
from pipeline.hashing import file_sha256
from pipeline.problems import Problem, wave_problem


def check_waves(catalogue: Catalogue) -> Iterator[Problem]:
    """Every wave's own facts, and what waves of one survey share."""
    if not any(catalogue.path("schemas", "waves").glob("*.toml")):
        hint = "`barometer new-wave` drafts one from its raw file; a wave is a file waves/NAME.toml."
        yield Problem("schemas/waves", "", "declares no wave", hint)
    taken: dict[tuple[str, ...], str] = {}
    countries: dict[str, Wave] = {}
    files: dict[str, list[Wave]] = {}
    for wave in catalogue.waves.values():
        if wave.is_microdata:
            files.setdefault(wave.source.sha256, []).append(wave)
    for wave in catalogue.waves.values():
        yield from _wave(wave, catalogue)
        identity = (wave.survey, wave.edition, wave.status, wave.source.kind)
        if identity in taken:
            hint = "Give the wave its own survey or edition."
            yield wave_problem(
                wave.key, "edition", f"is the edition of {taken[identity]} as well", hint, wave.edition
            )
        taken.setdefault(identity, wave.key)
        if wave.is_microdata:
            yield from _same_rows(wave, files[wave.source.sha256])
        first = countries.setdefault(wave.survey, wave)
        if first.country != wave.country:
            hint = f"Every wave of a survey has one country; {first.key} has {first.country}."
            yield wave_problem(wave.key, "country", "is not the country of the survey", hint, wave.country)


def _same_rows(wave: Wave, sharing: list[Wave]) -> Iterator[Problem]:
    """Rows of a file that are another wave's too: never in one survey, in two if that is confirmed."""
    own = [each for each in sharing if each is not wave and not _apart(wave, each)]
    for same, hint in (
        (
            [each for each in own if each.survey == wave.survey],
            "A unit belongs to one wave of a survey: name the file of each, or its rows in source.rows.",
        ),
        (
            [
                each
                for each in own
                if each.survey != wave.survey and not (is_confirmed(wave.note) or is_confirmed(each.note))
            ],
            "Name the file of each survey, or its rows in source.rows; where the same units are meant to be "
            "in both, begin the note of one of the waves with confirmed.",
        ),
    ):
        if same:
            message = f"is the file of {', '.join(each.key for each in same)} as well"
            yield wave_problem(wave.key, "source.file", message, hint, wave.source.file)


def _apart(a: Wave, b: Wave) -> bool:
    """Whether no row of a file can be of both waves: they take other values of a column, or one leaves out
    what the other takes."""
    rows_a, rows_b = a.source.rows, b.source.rows
    return any(
        not set(rows_a[column]) & set(rows_b[column]) for column in rows_a.keys() & rows_b.keys()
    ) or any(
        each.column in taken and set(taken[each.column]) <= set(each.values)
        for taken, other in ((rows_a, b), (rows_b, a))
        for each in other.exclusions
    )


def _wave(wave: Wave, catalogue: Catalogue) -> Iterator[Problem]:
    if (wave.status == "synthetic") != wave.key.endswith(SYNTHETIC_SUFFIX):
        hint = f"A synthetic wave's key ends in {SYNTHETIC_SUFFIX}, and no other's does."
        yield wave_problem(wave.key, "status", "does not fit the wave's key", hint, wave.status)
    if wave.instrument not in catalogue.instruments:
        hint = f"Add schemas/instruments/{wave.instrument}.toml and .csv."
        hint += did_you_mean(wave.instrument, list(catalogue.instruments))
        yield wave_problem(wave.key, "instrument", "is not known", hint, wave.instrument)
    yield from _dates(wave, catalogue)
    yield from _response(wave)
    yield from _scope(wave, catalogue)
    yield from _raw_file(wave, catalogue)
    yield from _header(wave)
    if wave.source.thousands == wave.source.decimal:
        hint = "Correct one of them, or remove thousands if none are separated."
        yield wave_problem(
            wave.key, "source.thousands", "is the decimal mark as well", hint, wave.source.thousands
        )
    yield from _kind(wave, catalogue)


def _dates(wave: Wave, catalogue: Catalogue) -> Iterator[Problem]:
    fieldwork, reference = wave.fieldwork, wave.reference_period
    released = catalogue.barometer.released
    for key, period in (("reference_period", reference), ("fieldwork", fieldwork)):
        if period and period.start > period.end:
            hint = "Correct the date that is wrong."
            yield wave_problem(wave.key, f"{key}.end", "is before the start", hint, str(period.end))
    if fieldwork and fieldwork.end < reference.start:
        hint = "Fieldwork cannot end before the period it asks about begins: correct the date that is wrong."
        yield wave_problem(
            wave.key, "fieldwork.end", "is before the reference period", hint, str(fieldwork.end)
        )
    last = max(fieldwork.end, reference.end) if fieldwork else reference.end
    if last > released:
        hint = f"Correct the date, or released = {released} in barometer.toml."
        yield wave_problem(
            wave.key,
            "fieldwork.end" if fieldwork else "reference_period.end",
            "is after the release",
            hint,
            str(last),
        )
    if wave.origin.accessed and wave.origin.accessed > released:
        hint = f"Correct the date, or released = {released} in barometer.toml."
        yield wave_problem(
            wave.key, "origin.accessed", "is after the release", hint, str(wave.origin.accessed)
        )


def _response(wave: Wave) -> Iterator[Problem]:
    """Counts of which a later one is larger: units are drawn from the population and answer out of these."""
    known = {key: getattr(wave.response, key) for key in ("population", "sample", "respondents")}
    counts = [(key, count) for key, count in known.items() if count is not None]
    for (above, most), (key, count) in itertools.pairwise(counts):
        if count > most:
            hint = f"Correct the one that is wrong: {above} is {most}."
            yield wave_problem(wave.key, f"response.{key}", f"is more than the {above}", hint, str(count))


def _scope(wave: Wave, catalogue: Catalogue) -> Iterator[Problem]:
    for name, codes in wave.scope.items():
        if name not in catalogue.variables:
            hint = (
                f"Name a background variable of codebook.toml.{did_you_mean(name, list(catalogue.variables))}"
            )
            yield wave_problem(wave.key, f"scope.{name}", "is not known", hint, name)
            continue
        known = list(catalogue.variables[name].codes)
        for code in codes:
            if code not in known:
                hint = f"Use one of {', '.join(known)}.{did_you_mean(code, known)}"
                yield wave_problem(wave.key, f"scope.{name}", "is not a code of the variable", hint, code)


def _raw_file(wave: Wave, catalogue: Catalogue) -> Iterator[Problem]:
    source = wave.source
    if source.remote or not source.file:
        return
    path = catalogue.raw_path(source.file)
    if reason := raw_fault(catalogue.root, source.file):
        yield wave_problem(wave.key, "source.file", *reason, source.file)
    else:
        found, size = file_sha256(path), path.stat().st_size
        if found != source.sha256:
            hint = f"Restore the file, or declare the new one: sha256 = {found!r}, bytes = {size}."
            yield wave_problem(
                wave.key, "source.sha256", "is not the sha256 of the file", hint, source.sha256
            )
        elif source.bytes is not None and source.bytes != size:
            yield wave_problem(
                wave.key,
                "source.bytes",
                "is not the file's size",
                f"Write bytes = {size}.",
                str(source.bytes),
            )


def _header(wave: Wave) -> Iterator[Problem]:
    source = wave.source
    for key, number in (("name_row", source.name_row), ("label_row", source.label_row)):
        if number > source.header_rows:
            hint = f"The header has header_rows = {source.header_rows}: count within it, from 1."
            yield wave_problem(wave.key, f"source.{key}", "is below the header", hint, str(number))
    if source.label_row and source.label_row == source.name_row:
        hint = "Labels stand in a row of their own: remove label_row if there is none."
        yield wave_problem(
            wave.key, "source.label_row", "is the row of the names", hint, str(source.label_row)
        )
    elif source.label_row and source.header_rows == 1:
        hint = "Set header_rows to the number of rows above the data, names and labels among them."
        yield wave_problem(wave.key, "source.label_row", "leaves no row for the names", hint, "1")


def _choices(wave: Wave, instrument: Instrument, catalogue: Catalogue) -> Iterator[Problem]:
    """Cells of several choices answer multiple questions, and no others."""
    for column in wave.source.choices:
        rows = [row for row in instrument.crosswalk if row.source_variable == column]
        file, key = f"schemas/instruments/{instrument.key}.csv", f"source.choices.{column}"
        if not rows:
            hint = f"Add a row for each choice: {column},CHOICE,QUESTION.ITEM,selected."
            yield wave_problem(wave.key, key, f"has no row in {file}", hint, column)
        for row in rows:
            named = row.variable in catalogue.answers and catalogue.question_of(row.variable).type
            if row.variable in catalogue.variables or named not in (False, "multiple"):
                hint = f"Map each choice to an item of a multiple question, or remove {key} of {wave.key}."
                message = "maps one of several choices to what is no multiple question"
                yield Problem(file, f"line {row.line}", message, hint, row.variable, wave.key)


def _kind(wave: Wave, catalogue: Catalogue) -> Iterator[Problem]:
    if not wave.is_microdata:
        yield from check_weighting_fact(wave, catalogue)
        return
    instrument = catalogue.instruments.get(wave.instrument)
    if instrument and not instrument.crosswalk:
        hint = "Map its columns and codes; `barometer new-wave` drafts the rows."
        file = f"schemas/instruments/{instrument.key}.csv"
        yield Problem(file, "", f"is empty, and {wave.key} has microdata", hint, wave=wave.key)
    if instrument:
        yield from _choices(wave, instrument, catalogue)
    if wave.design is None:
        yield wave_problem(wave.key, "design", "is missing for microdata", 'Add [design] with id = "COLUMN".')
    if wave.weighting is None:
        method = "given" if wave.design and wave.design.weight else "design"
        hint = f'Add [weighting] with method = "{method}".'
        yield wave_problem(wave.key, "weighting", "is missing for microdata", hint)
    if wave.design and len(set(wave.design.strata)) < len(wave.design.strata):
        hint, named = "Name each column once.", ", ".join(wave.design.strata)
        yield wave_problem(wave.key, "design.strata", "has a duplicate entry", hint, named)
    if wave.design and wave.weighting:
        yield from check_weighting(wave, catalogue)
        yield from check_replicates(wave)
        yield from check_further_weights(wave, catalogue)
