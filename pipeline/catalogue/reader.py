"""Reads the shared declarations, TOML to records. What must hold between them stands in ``check``."""

from __future__ import annotations

import csv
import io
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from pipeline.catalogue.model import (
    Barometer,
    Contact,
    Disclosure,
    Estimation,
    Package,
    Reliability,
    Rounding,
    Validation,
)
from pipeline.catalogue.questionnaire import (
    Base,
    Condition,
    CrosswalkRow,
    Domain,
    Indicator,
    Instrument,
    Logic,
    Question,
    Variable,
)
from pipeline.catalogue.section import Section
from pipeline.faults import Fault

CROSSWALK_HEADER = ["source_variable", "source_code", "variable", "code", "note"]
OPERATORS: tuple[Literal["any", "all", "none"], ...] = ("any", "all", "none")
QUESTION_TYPES = ("single", "multiple", "grid", "numeric")
STATUSES = ("official", "synthetic")


def read_toml(path: Path, root: Path, faults: list[Fault], wave: str | None = None) -> Section:
    """One TOML file as a section; empty, with a fault, when it cannot be read."""
    file = path.relative_to(root).as_posix()
    data: dict[str, Any] = {}
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        faults.append(Fault(file, "", "is missing", "Create it; the README shows one.", wave=wave))
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: error.start].count(b"\n") + 1
        faults.append(Fault(file, f"line {line}", "is not UTF-8", "Save the file as UTF-8.", wave=wave))
    except tomllib.TOMLDecodeError as error:
        faults.append(Fault(file, "", f"is not valid TOML: {error}", "Mend the line it names.", wave=wave))
    return Section(data, file, faults, wave=wave)


def read_rows(
    path: Path, root: Path, faults: list[Fault], header: list[str], wave: str | None = None
) -> Iterator[tuple[int, dict[str, str]]]:
    """The rows of a declaration's CSV with their line numbers; none, and a fault, for a wrong header."""
    file = path.relative_to(root).as_posix()
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        faults.append(
            Fault(file, "", "is missing", f"Create it with the columns {','.join(header)}.", wave=wave)
        )
        return
    except UnicodeDecodeError:
        faults.append(Fault(file, "", "is not UTF-8", "Save the file as UTF-8 CSV.", wave=wave))
        return
    reader = csv.DictReader(io.StringIO(text, newline=""), restkey="", restval="")
    if [name for name in reader.fieldnames or [] if name] != header:
        found = ",".join(reader.fieldnames or [])
        faults.append(
            Fault(file, "line 1", "has other columns", f"The columns are {','.join(header)}.", found, wave)
        )
        return
    for row in reader:
        if any(value for value in row.values()):
            yield reader.line_num, {name: (row[name] or "").strip() for name in header}


def read_barometer(section: Section) -> Barometer:
    """barometer.toml. Thresholds left out take the values the documentation gives."""
    disclosure, reliability = (section.section("disclosure"), section.section("reliability"))
    estimation, rounding = section.section("estimation"), section.section("rounding")
    validation = section.section("validation")
    barometer = Barometer(
        id=section.text("id"),
        title=section.text("title"),
        description=section.text("description", ""),
        languages=section.texts("languages", ["en"]) or ("en",),
        licence=section.text("licence"),
        version=section.text("version"),
        released=section.day("released"),
        contributors=tuple(
            {key: row.text(key) for key in row.data} for row in section.sections("contributors")
        ),
        packages=_packages(section),
        disclosure=Disclosure(
            min_n=disclosure.integer("min_n", 10),
            min_group=disclosure.integer("min_group", 3),
            max_fraction=disclosure.number("max_fraction", 0.5),
            secondary=disclosure.flag("secondary", True),
            audit_width=disclosure.number("audit_width", 20.0),
            secondary_width=disclosure.number("secondary_width", 0.5),
        ),
        reliability=Reliability(
            flag_n=reliability.integer("flag_n", 50),
            unpublish_n=reliability.integer("unpublish_n", 20),
            flag_ci_width=reliability.number("flag_ci_width", 20.0),
            unpublish_ci_width=reliability.number("unpublish_ci_width", 40.0),
        ),
        estimation=Estimation(
            confidence=estimation.number("confidence", 0.95),
            proportion_ci=estimation.choice("proportion_ci", ("logit", "wald", "beta"), "logit"),
            lonely_psu=estimation.choice(
                "lonely_psu", ("certainty", "adjust", "average", "fail"), "certainty"
            ),
        ),
        rounding=Rounding(
            total=rounding.integer("total", 1),
            breakdown=rounding.integer("breakdown", 0),
            n=rounding.integer("n", 10),
        ),
        validation=Validation(max_quarantined=validation.number("max_quarantined", 0.05)),
        homepage=section.text("homepage", ""),
        keywords=section.texts("keywords", []),
        address=section.text("address", ""),
        themes=section.texts("themes", []),
        contact=_contact(section.section("contact")),
    )
    for part in (section, disclosure, reliability, estimation, rounding, validation):
        part.done()
    return barometer


def _contact(section: Section) -> Contact | None:
    if not section.data:
        return None
    contact = Contact(section.text("name"), section.text("email", ""), section.text("page", ""))
    section.done()
    return contact


def _packages(section: Section) -> dict[str, Package]:
    packages = {}
    for key, part in section.section("packages").each():
        packages[key] = Package(key, part.choice("status", STATUSES))
        part.done()
    name = section.data.get("id")
    return packages or {str(name): Package(str(name), None)}


def read_codebook(section: Section) -> tuple[dict[str, Variable], dict[str, Question]]:
    """codebook.toml: the background variables and the questions."""
    variables, questions = {}, {}
    for key, part in section.section("variables").each():
        variables[key] = Variable(key, part.text("label"), part.mapping("codes"), part.text("note", ""))
        part.done()
    for key, part in section.section("questions").each():
        questions[key] = Question(
            key=key,
            type=part.choice("type", QUESTION_TYPES),
            base=part.text("base", "all"),
            text=part.text("text"),
            items=part.mapping("items"),
            codes=part.mapping("codes"),
            nonresponse=part.texts("nonresponse", []),
            max_choices=part.integer("max_choices", None),
            label=part.text("label", ""),
            note=part.text("note", ""),
        )
        part.done()
    section.done()
    return variables, questions


def read_indicators(
    section: Section, questions: Mapping[str, Question]
) -> tuple[dict[str, Base], dict[str, Indicator]]:
    """indicators.toml: the bases and the indicators. The base ``all`` needs no declaration."""
    bases = {"all": Base("all")}
    for key, part in section.section("bases").each():
        bases[key] = Base(key, read_logic(part), part.text("label", ""))
        part.done()
    indicators: dict[str, Indicator] = {}
    for key, part in section.section("indicators").each():
        indicators[key] = _indicator(key, part)
        part.done()
    section.done()
    for key, indicator in indicators.items():
        if not indicator.base:
            indicators[key] = replace(indicator, base=_base_of(indicator, indicators, questions, section))
    return bases, indicators


def _indicator(key: str, part: Section) -> Indicator:
    scores = part.section("scores")
    indicator = Indicator(
        key=key,
        label=part.text("label", ""),
        base=part.text("base", ""),
        question=part.text("question", None),
        codes=part.texts("codes", []),
        logic=read_logic(part),
        mean=part.text("mean", None),
        scores={code: scores.number(code) for code in scores.data},
        total=part.text("total", None),
        denominator=part.choice("denominator", ("base", "substantive"), "base"),
        version=part.integer("version", 1),
        description=part.text("description", ""),
        note=part.text("note", ""),
    )
    forms = [name for name in ("question", "mean", "total") if getattr(indicator, name) is not None]
    forms += ["any/all/none"] if indicator.logic else []
    if len(forms) != 1:
        said = " and ".join(forms) or "nothing"
        part.fault(
            "", "must be exactly one of question, any/all/none, mean and total", "Keep one of them.", said
        )
    return indicator


def _base_of(
    indicator: Indicator,
    indicators: Mapping[str, Indicator],
    questions: Mapping[str, Question],
    section: Section,
) -> str:
    """The base that was left out: that of what the indicator is made from, where that is one base."""
    behind = indicators.get(indicator.total or "", indicator)
    if behind.base:
        return behind.base
    names = [name for name in (behind.question, behind.mean) if name]
    names += [condition.pattern for condition in behind.logic.conditions()] if behind.logic else []
    keys = [name.partition(".")[0] for name in names]
    found = sorted({questions[key].base for key in keys if key in questions})
    if len(found) > 1:
        place = f"indicators.{indicator.key}.base"
        section.fault(place, "is not clear: its questions have other bases", "Name it.", ", ".join(found))
    return found[0] if len(found) == 1 else "all"


def read_logic(part: Section) -> Logic | None:
    """The any, all and none of a table; several of them must hold together. None when there are none."""
    made = [Logic(operator, _parts(part, operator)) for operator in OPERATORS if operator in part]
    if not made:
        return None
    return made[0] if len(made) == 1 else Logic("all", tuple(made))


def _parts(part: Section, operator: str) -> tuple[Condition | Logic, ...]:
    entries = part.raw(operator)
    parts: list[Condition | Logic] = []
    if not isinstance(entries, list) or not entries:
        part.fault(operator, "must be a list of conditions", 'Write it as ["variable=code|code"].', entries)
        return ()
    for number, entry in enumerate(entries, start=1):
        place = f"{operator}[{number}]"
        if isinstance(entry, dict):
            nested = Section(entry, part.file, part.faults, part.place(place), part.wave)
            logic = read_logic(nested)
            nested.done()
            parts += [logic] if logic else []
        elif isinstance(entry, str) and entry.count("=") == 1 and all(entry.split("=")):
            pattern, codes = entry.split("=")
            parts.append(Condition(pattern.strip(), tuple(code.strip() for code in codes.split("|"))))
        else:
            part.fault(place, "is not a condition", 'Write it as "variable=code|code".', entry)
    return tuple(parts)


def read_domains(section: Section) -> dict[str, Domain]:
    """domains.toml: the breakdowns."""
    domains = {}
    for key, part in section.section("domains").each():
        domains[key] = Domain(key, part.texts("by"), part.text("label", ""))
        part.done()
    section.done()
    return domains


def read_instrument(section: Section, rows: Iterator[tuple[int, dict[str, str]]], key: str) -> Instrument:
    """One questionnaire: its TOML and its crosswalk."""
    max_choices, versions = (section.section("max_choices"), section.section("question_versions"))
    instrument = Instrument(
        key=key,
        language=section.text("language"),
        unit_verb=section.text("unit_verb", ""),
        wording=_flat(section.section("wording")),
        question_versions={name: versions.text(name) for name in versions.data},
        max_choices={name: max_choices.integer(name) for name in max_choices.data},
        crosswalk=tuple(CrosswalkRow(line, **row) for line, row in rows),
        note=section.text("note", ""),
        about=section.text("about", ""),
        uncertain=section.texts("uncertain", []),
    )
    section.done()
    return instrument


def _flat(section: Section, prefix: str = "") -> dict[str, str]:
    flat: dict[str, str] = {}
    for key, value in section.data.items():
        if isinstance(value, dict):
            flat |= _flat(section.section(key), f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = section.text(key)
    return flat
