"""Drafts a wave file with its raw file's hash, and a questionnaire with a crosswalk row per source code."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import fields, replace
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline.atomic import replace_file, write_file
from pipeline.catalogue.fieldwork import SYNTHETIC_SUFFIX, ReplicateWeights, Source, Wave
from pipeline.catalogue.hints import did_you_mean
from pipeline.catalogue.kinds import name_fault, slug_fault
from pipeline.catalogue.model import Catalogue
from pipeline.catalogue.questionnaire import IGNORE, Instrument
from pipeline.catalogue.reader import CROSSWALK_HEADER
from pipeline.catalogue.schema import schema_files, schema_line
from pipeline.drafting.columns import Footer, SourceColumn, describe, footer_of
from pipeline.drafting.design import GUESS, ROW, DesignGuess, guess_design
from pipeline.drafting.folder import require_inside, require_raw_file
from pipeline.drafting.match import TODO, DraftRow, Former, crosswalk_rows
from pipeline.drafting.sniff import sniff
from pipeline.harmonise.figures import REQUIRED_COLUMNS
from pipeline.hashing import file_sha256
from pipeline.problems import Problem, ProblemError, counted
from pipeline.sources import NO_METADATA, RawTable, absent, plainly, read_raw, rows_of

BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
FEW_SHARED = 0.05  # of the identifiers: as many may be units that happened to be drawn twice
MISSPELT = 0.86  # how like a declared questionnaire a new one's name may not be


def draft_wave(
    root: Path,
    catalogue: Catalogue,
    wave: str,
    file: Path,
    instrument: str = "",
    given: Mapping[str, Any] | None = None,
    identifier: Sequence[str] = (),
) -> list[Path]:
    """Draft the declarations of a new wave from its raw file; returns the paths written.

    A file with the columns of published figures is drafted as such; rows below a table that hold notes are
    proposed as an exclusion. The raw file is copied into ``warehouse/raw`` when it lies elsewhere.
    ``instrument`` names the questionnaire, by default as the wave; one that is already declared is left as
    it is. ``given`` are options of ``source`` that need no guess, and ``identifier`` what tells units apart.
    Raises ProblemError when a name is not valid or looks like a misspelt questionnaire, the wave is
    declared already, anything would be overwritten or written outside the folder, or the file cannot be read.
    """
    instrument = instrument or wave
    _require_names(catalogue, wave, instrument)
    schemas, raw = root / "schemas", root / "warehouse" / "raw" / file.name
    targets = {"wave": schemas / "waves" / f"{wave}.toml"}
    if instrument not in catalogue.instruments:
        targets |= {kind: schemas / "instruments" / f"{instrument}.{kind}" for kind in ("toml", "csv")}
    _require_new(root, wave, file, raw, targets.values())
    source = sniff(file, given)
    table = rows_of_wave(file, source, wave, identifier)
    facts = key_facts(wave)
    former = _former(catalogue, facts["survey"]) or _beside(catalogue, source)
    asked = catalogue.instruments.get(former.instrument) if former else None
    same = former is not None and former.source.sha256 == source.sha256
    earlier = None if same else _table(catalogue, former)
    metadata = table.metadata if same else earlier.metadata if earlier else NO_METADATA
    before = Former(asked, metadata) if asked else None
    if {*REQUIRED_COLUMNS} <= {*table.frame}:
        texts = {"wave": figures_text(facts, instrument, source, former)}
        texts |= {"toml": instrument_text(instrument, file.name, [], before), "csv": crosswalk_text([])}
        return _written(root, targets, texts, file, raw)
    if footer := footer_of(table.frame):
        table = replace(table, frame=table.frame.iloc[: -footer.rows])
    columns = describe(table, source.decimal)
    source = with_choices(source, columns, former)
    design = guess_design(columns, table.frame, source, former, identifier)
    ignored = _ignored(design, asked)
    mapped = [column for column in columns if column.name not in design.replicate_columns]
    rows = crosswalk_rows(mapped, catalogue, before, ignored)
    panel = _shared(table.frame, design, earlier, former)
    wave_lines = wave_text(
        facts, instrument, source, len(table.frame), design, former, given or (), panel, footer
    )
    labelled = [column for column in columns if column.name not in ignored]
    texts = {"wave": wave_lines, "csv": crosswalk_text(rows)}
    texts |= {"toml": instrument_text(instrument, file.name, labelled, before)}
    return _written(root, targets, texts, file, raw)


def _written(
    root: Path, targets: Mapping[str, Path], texts: dict[str, str], file: Path, raw: Path
) -> list[Path]:
    """Write the draft, the schemas by which editors complete it, and the raw file where it is not there."""
    for kind, folder in (("wave", "waves"), ("toml", "instruments")):
        texts[kind] = f"{schema_line(f'{folder}/')}\n{texts[kind]}"
    written = [_write(path, texts[kind]) for kind, path in targets.items()]
    for name, content in schema_files().items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        write_file(root / name, content)
    if not raw.exists():
        raw.parent.mkdir(parents=True, exist_ok=True)
        with replace_file(raw) as fresh:
            shutil.copyfile(file, fresh)
        written.append(raw)
    return written


def rows_of_wave(file: Path, source: Source, wave: str, identifier: Sequence[str]) -> RawTable:
    """The rows of a delivered file that are a wave's, numbers without thousands separators.

    Raises ProblemError when it cannot be read, no row is the wave's, or it lacks a column of the identifier.
    """
    table = read_raw(file, source)
    if source.rows:
        chosen = rows_of(table.frame, source, wave, table.metadata)
        table = replace(table, frame=table.frame[chosen].reset_index(drop=True))
    lacking = [name for name in identifier if name not in table.frame and [*identifier] != [ROW]]
    if lacking:
        raise ProblemError(
            Problem(file.name, "--id", *absent(name, table.frame, source), name) for name in lacking
        )
    return plainly(table, source)


def with_choices(source: Source, columns: Sequence[SourceColumn], former: Wave | None = None) -> Source:
    """The source with the columns whose cells seem to hold several choices, or did in the wave before."""
    before = former.source.choices if former else {}
    choices = {column.name: before.get(column.name, column.mark) for column in columns}
    return replace(source, choices={name: mark for name, mark in choices.items() if mark})


def _require_names(catalogue: Catalogue, wave: str, instrument: str) -> None:
    problems = []
    if reason := slug_fault(wave):
        problems.append(Problem("new-wave", "ID", *reason, wave))
    if instrument != wave and (reason := name_fault(instrument)):
        problems.append(Problem("new-wave", "--instrument", *reason, instrument))
    elif instrument != wave and instrument not in catalogue.instruments:
        # Names apart in digits alone are those of two editions.
        unlike = [name for name in catalogue.instruments if _letters(name) != _letters(instrument)]
        if near := did_you_mean(instrument, unlike, MISSPELT):
            hint = (
                f"Declared are {', '.join(catalogue.instruments)}; choose a name less like them for another."
            )
            problems.append(Problem("new-wave", "--instrument", "is not known", hint + near, instrument))
    if problems:
        raise ProblemError(problems)


def _letters(name: str) -> str:
    return re.sub(r"\d", "", name)


def _require_new(root: Path, wave: str, file: Path, raw: Path, targets: Iterable[Path]) -> None:
    problems = []
    require_raw_file(file)
    hint = "Choose another key, or remove the file if it is not needed."
    for name in schema_files():
        require_inside(root, name)
    for path in targets:
        require_inside(root, path.relative_to(root).as_posix())
        if path.exists():
            problems.append(Problem(path.relative_to(root).as_posix(), "", "exists already", hint, wave))
    if raw.exists() and file_sha256(raw) != file_sha256(file):
        hint = "Rename the new file, or remove the old one if it is not needed."
        problems.append(Problem(f"warehouse/raw/{raw.name}", "", "exists already, with other content", hint))
    if problems:
        raise ProblemError(problems)


def _ignored(design: DesignGuess, asked: Instrument | None) -> Mapping[str, str]:
    """The columns that answer nothing, with what they are: not what the wave before answers by."""
    kept = {row.source_variable for row in asked.crosswalk if row.code != IGNORE} if asked else set()
    return {name: what for name, what in design.ignored.items() if name not in kept}


def _former(catalogue: Catalogue, survey: str) -> Wave | None:
    """The survey's latest wave with microdata."""
    waves = [wave for wave in catalogue.waves.values() if wave.survey == survey and wave.is_microdata]
    waves.sort(key=lambda wave: (wave.reference_period.end, wave.key))
    return waves[-1] if waves else None


def _beside(catalogue: Catalogue, source: Source) -> Wave | None:
    """A wave of another country in the same file."""
    waves = (wave for wave in catalogue.waves.values() if wave.source.sha256 == source.sha256)
    return next(waves, None) if source.rows else None


def _table(catalogue: Catalogue, former: Wave | None) -> RawTable | None:
    """The rows of the wave before, where its raw file lies there."""
    if former is None or former.source.remote or not catalogue.raw_path(former.source.file).is_file():
        return None
    try:
        return rows_of_wave(catalogue.raw_path(former.source.file), former.source, former.key, ())
    except ProblemError:  # a fault of the wave before, which its own run names
        return None


def _shared(frame: pd.DataFrame, design: DesignGuess, earlier: RawTable | None, former: Wave | None) -> str:
    """How many units have an identifier that stands in the wave before as well, in words; "" if few."""
    names = list(design.identifier)
    own = former.design.id if former and former.design else ()
    if former is None or earlier is None or ROW in names or not {*own} <= {*earlier.frame}:
        return ""
    ids, before = ({*frame[columns].itertuples(index=False, name=None)} for frame, columns in (
        (frame, names), (earlier.frame, list(own))))  # fmt: skip
    shared = len(ids & before)
    said = f"{shared} of {len(ids)} identifiers are in {former.key} as well; false if they name others"
    return said if shared > FEW_SHARED * len(ids) else ""


def key_facts(wave: str) -> Mapping[str, str]:
    """What a wave's key says by convention: survey, edition, status, and perhaps the country."""
    status = "synthetic" if wave.endswith(SYNTHETIC_SUFFIX) else "official"
    survey, _, edition = wave.removesuffix(SYNTHETIC_SUFFIX).rpartition("-")
    country = survey.partition("-")[0].upper()
    return {
        "country": country if len(country) == 2 else "",
        "survey": survey,
        "edition": edition,
        "status": status,
        "from": "from the key",
    }


def wave_text(
    facts: Mapping[str, str],
    instrument: str,
    source: Source,
    rows: int,
    design: DesignGuess,
    former: Wave | None = None,
    given: Collection[str] = (),
    panel: str = "",
    footer: Footer | None = None,
) -> str:
    """A wave file: what is known of it, how its raw file is read, and how its units seem to be drawn.

    ``rows`` are those of units, without the footer. ``facts`` are what the key or the file's name says,
    ``from`` which of the two. What is taken from the wave before, or from one of another country in the same
    file, is a guess, and so are the marks of numbers but those ``given``; response is new, and so are dates
    but for those of the same file. ``panel`` says why units may have answered before.
    """
    series = _series(facts, former)
    lines = [
        *_fact_lines(facts, instrument, source, former, panel),
        *_source_lines(source, "microdata", given),
        "",
        "[response]",
        _line("respondents", rows, f"{GUESS}: the rows of the file"),
        "# TODO: population = ..., sample = ... where they are known",
        "",
        "[design]  # names of source columns",
        *_design_lines(design, series),
        "",
        "[weighting]",
        *_weighting_lines(design, series),
        *_exclusion_lines(design),
    ]
    if footer:
        lines += [
            "",
            "[[exclusion]]",
            _line("column", footer.column, f"{GUESS}: blank in the last {counted(footer.rows, 'row')} only"),
            'values = [""]',
            'reason = "Below the table: no units."',
        ]
    return "\n".join(lines) + "\n"


def figures_text(facts: Mapping[str, str], instrument: str, source: Source, former: Wave | None) -> str:
    """The wave file of published figures: nobody knows their design, and how they are weighted is a fact."""
    lines = [
        *_fact_lines(facts, instrument, source, former),
        *_source_lines(source, "figures"),
        "",
        "[response]",
        "# TODO: respondents = ..., sample = ..., population = ..., rate = ... where they are published",
        "",
        "[weighting]  # of those who published them: a fact",
        _line("method", "unspecified", f"{GUESS}: weighted, how is not published; none where they are not"),
    ]
    return "\n".join(lines) + "\n"


def _series(facts: Mapping[str, str], former: Wave | None) -> Wave | None:
    """The wave before where it is of the same survey: counts are a country's own."""
    return former if former and former.survey == facts["survey"] else None


def _source_lines(source: Source, kind: str, given: Collection[str] = ()) -> Iterator[str]:
    """The table of the raw file: what it must be, and how it is read."""
    marks = {
        "decimal": f"{GUESS}: 1{source.decimal}5 is one and a half",
        "thousands": f"{GUESS}: 1{source.thousands}500 is fifteen hundred",
    }
    options: dict[str, Any] = {"encoding": source.encoding, "delimiter": source.delimiter}
    options |= {"decimal": source.decimal if source.decimal != "." else "", "sheet": source.sheet}
    options |= {"header_rows": source.header_rows if source.header_rows != 1 else ""}
    options |= {
        key: getattr(source, key) for key in ("skip_rows", "name_row", "label_row", "thousands", "rows")
    }
    yield "[source]"
    yield f"kind = {toml_value(kind)}"
    yield f"file = {toml_value(source.file)}"
    yield f"sha256 = {toml_value(source.sha256)}"
    yield f"bytes = {source.bytes}"
    for key, value in options.items():
        if value:
            yield _line(key, value, "" if key in given else marks.get(key, ""))
    if source.choices:
        yield _line("choices", source.choices, f"{GUESS}: several in one cell")


def _fact_lines(
    facts: Mapping[str, str], instrument: str, source: Source, former: Wave | None, panel: str = ""
) -> list[str]:
    """The facts of a wave and its origin: as the key or the file's name says, or as the wave before."""
    as_before = f"as in {former.key}" if former else ""
    said = {"country": facts["from"], "unit": "what a row stands for", "title": "from the file's name"}
    known = {key: (facts[key], why) for key, why in said.items() if facts.get(key)}
    if former:
        own = ("country", "scope") if _series(facts, former) else ()
        words = {key: getattr(former, key) for key in (*own, "unit", "mode", "respondent", "role")}
        words |= {key: getattr(former.origin, key) for key in ("producer", "licence")}
        words["title"] = former.origin.title.replace(former.edition, facts["edition"])
        known |= {key: (value, as_before) for key, value in words.items() if value}

    def line(key: str, comment: str = "") -> str:
        value, why = known.get(key, ("", ""))
        return _line(key, value, f"{GUESS}: {why}" if why else comment)

    return [
        "# Draft: confirm every line, and fill in what is empty. `barometer check` names what is left.",
        line("country", "ISO 3166-1 alpha-2, as DK"),
        _line("survey", facts["survey"]),
        _line("edition", facts["edition"], "" if facts["edition"] else "what its owner calls it, as 2026"),
        f"instrument = {toml_value(instrument)}",
        line("unit", "what is counted: workplace, person, household ..."),
        f"status = {toml_value(facts['status'])}",
        _line("reference_period", period, f"{GUESS}: {as_before}")
        if (period := _period(source, former))
        else 'reference_period = { start = "", end = "" }  # the days asked about, as 2026-01-01, no quotes',
        "# where the questions are about now, those of the fieldwork",
        "# fieldwork = { start = 2017-09-12, end = 2017-10-30 }",
        *(line(key) for key in ("mode", "respondent", "role") if key in known),
        *(["panel = true  # " + f"{GUESS}: {panel}"] if panel else []),
        line("scope")
        if "scope" in known
        else '# TODO: was a part of the population left out? Then scope = { VARIABLE = ["CODE"] }',
        "",
        "[origin]",
        *(line(key) for key in ("producer", "title", "licence")),
        "",
    ]


def _period(source: Source, former: Wave | None) -> dict[str, date]:
    """The reference period of a wave in the same file."""
    same = former is not None and former.source.sha256 == source.sha256
    return {key: getattr(former.reference_period, key) for key in ("start", "end")} if former and same else {}


def _design_lines(design: DesignGuess, former: Wave | None) -> Iterator[str]:
    """The table of the design: the columns that were found, and what else the wave before declares."""
    ids = design.identifier
    yield _line("id", ids[0] if len(ids) == 1 else list(ids) or "", _why(design, "id"))
    yield _line("strata", design.strata, _why(design, "strata") if design.strata else "")
    found: dict[str, Any] = {key: getattr(design, key) for key in ("psu", "weight", "probability", "weights")}
    found["replicate_weights"] = design.replicates
    for key, value in found.items():
        if value:
            yield _line(key, value, _why(design, key))
    before = former.design if former else None
    same = before is not None and before.strata == design.strata
    if former and before and same:
        for key, value in _declared(before).items():
            if key not in ("id", "strata", *found):
                yield _line(key, value, f"{GUESS}: as in {former.key}")
    left = [f'{key} = ""' for key in ("psu", "weight") if not found[key]]
    left = [each for each in left if not (design.probability and each.startswith("weight"))]
    if not (before and same and before.population):
        left.append('population = "FILE.csv"')
    if left:
        yield "# " + ", ".join(left)


def _why(design: DesignGuess, key: str) -> str:
    return f"{GUESS}: {design.why[key]}" if key in design.why else ""


def _exclusion_lines(design: DesignGuess) -> Iterator[str]:
    """Rows that may be no answers, for somebody to decide."""
    for column, values in design.no_answers.items():
        yield ""
        yield f"# {TODO}: are rows with {column} {' or '.join(values)} to be left out? Then, with a reason:"
        yield "# [[exclusion]]"
        yield from (
            f"# {_line(*each)}" for each in (("column", column), ("values", list(values)), ("reason", ""))
        )


def _weighting_lines(design: DesignGuess, former: Wave | None) -> Iterator[str]:
    """How to weight: as the wave before, where the file has what that needs; else what the file allows."""
    before = former.weighting if former else None
    if former and before and (before.method != "given" or design.delivered):
        for key, value in _declared(before).items():
            yield _line(key, value, f"{GUESS}: as in {former.key}")
    else:
        methods = "given | design | poststratify | rake | linear | logit | none"
        method = "given" if design.delivered else "design"
        yield _line("method", method, f"{GUESS}: {methods}")
        if not design.delivered:
            yield '# "none": every unit counts 1; with census = true in [design] where everybody was asked'


def instrument_text(
    instrument: str, file: str, columns: Sequence[SourceColumn], former: Former | None = None
) -> str:
    """A questionnaire's TOML, with the labels that the file has for its columns."""
    before = former.instrument if former else None
    why = f"{GUESS}: as in {before.key}" if before else ""
    lines = [
        f"# Draft of {instrument}, from {file}. The crosswalk stands beside it, in {instrument}.csv.",
        _line("language", before.language if before else "", why or "of the questionnaire, as nb"),
        _line("unit_verb", before.unit_verb, why)
        if before and before.unit_verb
        else 'unit_verb = ""  # what units were asked to have done, in a word; may stay empty',
        *([_line("about", before.about, why)] if before and before.about else []),
        "",
        "# [wording] holds the questions as asked, keyed like the codebook, where they differ from it:",
        '# QUESTION.text = "..."',
    ]
    labels = [
        f"# {toml_value(column.name)} = {toml_value(column.label)}"
        for column in columns
        if column.label not in ("", column.name)
    ]
    lines += ["# The file's own labels:", *labels] if labels else []
    return "\n".join(lines) + "\n"


def crosswalk_text(rows: Iterable[DraftRow]) -> str:
    """A crosswalk as CSV."""
    text = io.StringIO(newline="")
    on_one_line = ([*row[:4], " ".join(row[4].split())] for row in rows)
    csv.writer(text, lineterminator="\n").writerows([CROSSWALK_HEADER, *on_one_line])
    return text.getvalue()


def _line(key: str, value: Any, comment: str = "") -> str:
    return f"{key} = {toml_value(value)}" + (f"  # {comment}" if comment else "")


def _declared(record: Any) -> dict[str, Any]:
    """What a record says beyond its defaults, by key."""
    given = {each.name: getattr(record, each.name) for each in fields(record)}
    return {each.name: given[each.name] for each in fields(record) if given[each.name] != each.default}


def toml_value(value: Any) -> str:
    """A text, number, date, list or table as TOML; a JSON text is a TOML basic string."""
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, ReplicateWeights):
        value = _declared(value)
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{_key(key)} = {toml_value(each)}" for key, each in value.items()) + " }"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _key(key: str) -> str:
    return key if BARE_KEY.fullmatch(key) else toml_value(key)


def _write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return write_file(path, text.encode())
