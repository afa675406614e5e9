"""Drafts a wave file with its raw file's hash, and a questionnaire with a crosswalk row per source code."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pipeline.atomic import replace_file, write_file
from pipeline.catalogue.fieldwork import SYNTHETIC_SUFFIX, Source, Wave
from pipeline.catalogue.hints import did_you_mean
from pipeline.catalogue.kinds import name_fault, slug_fault
from pipeline.catalogue.model import Catalogue
from pipeline.catalogue.questionnaire import IGNORE
from pipeline.catalogue.reader import CROSSWALK_HEADER
from pipeline.drafting.columns import SourceColumn, describe
from pipeline.drafting.folder import require_inside
from pipeline.drafting.match import DraftRow, crosswalk_rows
from pipeline.drafting.questions import Guesses
from pipeline.drafting.sniff import sniff
from pipeline.hashing import file_sha256
from pipeline.problems import Problem, ProblemError
from pipeline.sources import plainly, read_raw, rows_of

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

    The raw file is copied into ``warehouse/raw`` when it lies elsewhere. ``instrument`` names the
    questionnaire, by default as the wave; one that is already declared is left as it is. ``given`` are
    options of ``source`` that need no guess, and ``identifier`` what tells units apart. Raises ProblemError
    when a name is not valid or looks like a misspelt questionnaire, the wave is declared already, anything
    would be overwritten or written outside the barometer's folder, or the file cannot be read.
    """
    instrument = instrument or wave
    _require_names(catalogue, wave, instrument)
    schemas, raw = root / "schemas", root / "warehouse" / "raw" / file.name
    targets = {"wave": schemas / "waves" / f"{wave}.toml"}
    if instrument not in catalogue.instruments:
        targets |= {kind: schemas / "instruments" / f"{instrument}.{kind}" for kind in ("toml", "csv")}
    _require_new(root, wave, file, raw, targets.values())
    source = sniff(file, given)
    table = read_raw(file, source)
    if source.rows:
        table = replace(table, frame=table.frame[rows_of(table.frame, source, wave)].reset_index(drop=True))
    columns = describe(plainly(table, source), source.decimal)
    former = _former(catalogue, _key_facts(wave)["survey"])
    chosen = tuple(identifier) or _identifier(columns, former)
    questionnaire = catalogue.instruments.get(former.instrument) if former else None
    rows = crosswalk_rows(columns, catalogue, questionnaire, chosen[0] if len(chosen) == 1 else "")
    rows = (
        (row[0], "*", "", IGNORE, "guess: identifies the unit")
        if len(chosen) > 1 and row[0] in chosen and row[1:4] == ("*", "", "")
        else row
        for row in rows
    )
    design = Guesses(identifier=chosen[0] if len(chosen) == 1 else "")
    texts = {"wave": wave_text(_key_facts(wave), instrument, source, len(table.frame), design, chosen)}
    texts |= {"toml": instrument_text(instrument, file.name, columns), "csv": crosswalk_text(rows)}
    written = [_write(path, texts[kind]) for kind, path in targets.items()]
    if not raw.exists():
        raw.parent.mkdir(parents=True, exist_ok=True)
        with replace_file(raw) as fresh:
            shutil.copyfile(file, fresh)
        written.append(raw)
    return written


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
    if not file.is_file():
        raise ProblemError(Problem(str(file), "", "does not exist", "Name the raw file."))
    hint = "Choose another key, or remove the file if it is not needed."
    for path in targets:
        require_inside(root, path.relative_to(root).as_posix())
        if path.exists():
            problems.append(Problem(path.relative_to(root).as_posix(), "", "exists already", hint, wave))
    if raw.exists() and file_sha256(raw) != file_sha256(file):
        hint = "Rename the new file, or remove the old one if it is not needed."
        problems.append(Problem(f"warehouse/raw/{raw.name}", "", "exists already, with other content", hint))
    if problems:
        raise ProblemError(problems)


def _identifier(columns: Sequence[SourceColumn], former: Wave | None) -> tuple[str, ...]:
    """What names the units: as in the wave before, else the first column that has no value twice."""
    unique = [column.name for column in columns if column.unique]
    before = former.design.id if former and former.design else ()
    names = {column.name for column in columns}
    if len(before) > 1 and names.issuperset(before):
        return before
    return tuple(name for name in (*before, *unique) if name in unique)[:1]


def _former(catalogue: Catalogue, survey: str) -> Wave | None:
    """The survey's latest wave with microdata."""
    waves = [wave for wave in catalogue.waves.values() if wave.survey == survey and wave.is_microdata]
    waves.sort(key=lambda wave: (wave.reference_period.end, wave.key))
    return waves[-1] if waves else None


def _key_facts(wave: str) -> Mapping[str, str]:
    """What a wave's key says by convention: country, survey, edition, status."""
    status = "synthetic" if wave.endswith(SYNTHETIC_SUFFIX) else "official"
    survey, _, edition = wave.removesuffix(SYNTHETIC_SUFFIX).rpartition("-")
    country = survey.partition("-")[0].upper()
    return {
        "country": country if len(country) == 2 else "",
        "survey": survey,
        "edition": edition,
        "status": status,
    }


def wave_text(
    facts: Mapping[str, str],
    instrument: str,
    source: Source,
    rows: int,
    design: Guesses,
    identifier: Sequence[str] = (),
) -> str:
    """A wave file: its ``facts``, how its raw file is read, and how its units seem to be drawn."""
    identifier = identifier or ([design.identifier] if design.identifier else [])
    options: dict[str, str | int] = {"encoding": source.encoding, "delimiter": source.delimiter}
    options |= {"decimal": source.decimal if source.decimal != "." else "", "sheet": source.sheet}
    options |= {"header_rows": source.header_rows if source.header_rows != 1 else ""}
    options |= {key: getattr(source, key) for key in ("skip_rows", "name_row", "label_row", "thousands")}
    open_keys = [key for key in ("psu", "weight") if not getattr(design, key)]
    lines = [
        "# Draft: confirm every line, and fill in what is empty. `barometer check` names what is left.",
        *(f"{key} = {toml_value(facts[key])}" for key in ("country", "survey", "edition")),
        f"instrument = {toml_value(instrument)}",
        f"unit = {toml_value(facts.get('unit', ''))}  # what is counted: workplace, person, household ...",
        f"status = {toml_value(facts['status'])}",
        'reference_period = { start = "", end = "" }  # dates without quotes, as 2016-01-01',
        "# fieldwork = { start = 2017-09-12, end = 2017-10-30 }",
        "",
        "[origin]",
        *(f"{key} = {toml_value(facts.get(key, ''))}" for key in ("producer", "title", "licence")),
        "",
        "[source]",
        'kind = "microdata"',
        f"file = {toml_value(source.file)}",
        f"sha256 = {toml_value(source.sha256)}",
        f"bytes = {source.bytes}",
        *(f"{key} = {toml_value(value)}" for key, value in options.items() if value),
        *([f"rows = {_inline(source.rows)}"] if source.rows else []),
        "",
        "[response]",
        f"respondents = {rows}",
        "",
        "[design]  # names of source columns",
        _identifier_line(identifier),
        f"strata = {toml_value(design.strata)}" + ("  # guess" if design.strata else ""),
        *(
            f"{key} = {toml_value(name)}  # guess"
            for key, name in (("psu", design.psu), ("weight", design.weight))
            if name
        ),
        "# " + ", ".join([*(f'{key} = ""' for key in open_keys), 'population = "FILE.csv"']),
        "",
        "[weighting]",
        f'method = "{"given" if design.weight else "design"}"'
        "  # given | design | poststratify | rake | linear | logit",
    ]
    return "\n".join(lines) + "\n"


def _identifier_line(identifier: Sequence[str]) -> str:
    if not identifier:
        return 'id = "row"  # guess: no column has a value of its own on every row'
    if len(identifier) > 1:
        return f"id = {toml_value(identifier)}"
    return f"id = {toml_value(identifier[0])}  # guess: a value of its own on every row"


def _inline(table: Mapping[str, Sequence[str]]) -> str:
    return "{ " + ", ".join(f"{toml_value(key)} = {toml_value(value)}" for key, value in table.items()) + " }"


def instrument_text(instrument: str, file: str, columns: Sequence[SourceColumn]) -> str:
    """A questionnaire's TOML, with the labels that the file has for its columns."""
    lines = [
        f"# Draft of {instrument}, from {file}. The crosswalk stands beside it, in {instrument}.csv.",
        'language = ""   # of the questionnaire, as nb',
        'unit_verb = ""  # introduced | works_with',
        "",
        "# [wording] holds the questions as asked, keyed like the codebook. The file's own labels:",
        *(f"# {toml_value(column.name)} = {toml_value(column.label)}" for column in columns if column.label),
    ]
    return "\n".join(lines) + "\n"


def crosswalk_text(rows: Iterable[DraftRow]) -> str:
    """A crosswalk as CSV."""
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows([CROSSWALK_HEADER, *rows])
    return text.getvalue()


def toml_value(value: str | int | Sequence[str]) -> str:
    """A text, number or list of texts as TOML; a JSON text is a TOML basic string."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return write_file(path, text.encode())
