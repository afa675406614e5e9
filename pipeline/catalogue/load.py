"""From a barometer's folder to a checked catalogue."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from pipeline.catalogue.check import check
from pipeline.catalogue.comparability import VERDICTS, Comparability, ComparabilityFile
from pipeline.catalogue.fieldwork import Wave
from pipeline.catalogue.model import Barometer, Catalogue, Package
from pipeline.catalogue.questionnaire import (
    Base,
    CodebookFile,
    CrosswalkRow,
    Domain,
    DomainsFile,
    Indicator,
    IndicatorsFile,
    Instrument,
)
from pipeline.catalogue.reader import CROSSWALK_HEADER, read_record, read_rows, read_toml
from pipeline.catalogue.unconfirmed import unconfirmed
from pipeline.problems import Problem, ProblemError

Record = TypeVar("Record")
PRODUCT = Path(__file__).resolve().parent  # with the rules of a barometer that declares none
RULES = "comparability.toml"
TOTAL = "total"  # what the total is called where no breakdown declares it


def load_catalogue(root: Path) -> Catalogue:
    """Reads and checks every declaration below ``root/schemas``.

    Problems of declarations do not raise: every problem found is in ``problems``, those of one wave under its
    key. Raises ProblemError only when the folder holds no readable ``schemas/barometer.toml``.
    """
    problems: list[Problem] = []
    schemas = root / "schemas"
    if not (schemas / "barometer.toml").is_file():
        raise ProblemError(
            Problem(
                "schemas/barometer.toml",
                "",
                f"is missing: {root} holds no barometer",
                "Run in a barometer's folder, or name it with --project or BAROMETER_PROJECT.",
            )
        )
    declared = read_toml(schemas / "barometer.toml", root, problems)
    if not declared:
        raise ProblemError(
            problems
            or [
                Problem(
                    "schemas/barometer.toml",
                    "",
                    "is empty",
                    "Declare the barometer in it; `barometer init` writes an example.",
                )
            ]
        )
    barometer = read_record(Barometer, declared, "schemas/barometer.toml", problems)
    if not barometer.packages:
        barometer = replace(barometer, packages={barometer.id: Package(barometer.id, None)})

    unread: list[Problem] = []

    def shared(kind: type[Record], name: str) -> Record:
        table = read_toml(schemas / name, root, unread)
        return read_record(kind, table, f"schemas/{name}", problems)

    codebook = shared(CodebookFile, "codebook.toml")
    measured = shared(IndicatorsFile, "indicators.toml")
    domains = _domains(shared(DomainsFile, "domains.toml"), problems)
    catalogue = Catalogue(
        root=root,
        barometer=barometer,
        variables=codebook.variables,
        questions=codebook.questions,
        bases={"all": Base("all"), **measured.bases},
        indicators=measured.indicators,
        domains=domains,
        instruments=_instruments(schemas / "instruments", root, problems),
        waves=_waves(schemas / "waves", root, problems),
        translations=_translations(barometer.languages[1:], root, problems),
        comparability=_comparability(root, problems, unread),
    )
    catalogue = replace(catalogue, unconfirmed=unconfirmed(root, catalogue.instruments))
    problems += unread
    if unread:  # what hangs on these files cannot be judged
        return replace(catalogue, problems=tuple(problems))
    catalogue = replace(catalogue, indicators=_indicators(catalogue, problems), waves=_errata(catalogue))
    return replace(catalogue, problems=(*problems, *_new(check(catalogue), problems)))


def load_barometer(root: Path) -> Barometer:
    """The valid part of barometer.toml, with stand-ins for the rest; ``load_catalogue`` reports problems."""
    return read_record(
        Barometer, read_toml(root / "schemas/barometer.toml", root, []), "schemas/barometer.toml", []
    )


def unread_files(catalogue: Catalogue) -> list[str]:
    """Files below ``schemas/`` that nothing reads, as ``waves/x.tml``; not hidden files and backups."""
    schemas = catalogue.root / "schemas"
    read = {schemas / f"{name}.toml" for name in ("barometer", "codebook", "indicators", "domains")}
    read |= {schemas / RULES, *(schemas / "waves").glob("*.toml")}
    for path in (schemas / "instruments").glob("*.toml"):
        read |= {path, path.with_suffix(".csv")}
    read |= {schemas / "translations" / f"{language}.csv" for language in catalogue.translations}
    folders = (schemas, *(schemas / name for name in ("instruments", "waves", "translations")))
    there = (path for folder in folders for path in folder.glob("[!.]*") if path.is_file())
    unread = (path for path in there if path not in read and not path.name.endswith(("~", ".bak", ".md")))
    return sorted(path.relative_to(catalogue.root).as_posix() for path in unread)


def _new(found: Iterable[Problem], known: Iterable[Problem]) -> list[Problem]:
    """Without the problems at, above or below the key of a reading problem: they follow from it."""
    # What a question has and lacks follows from its type.
    locations = [(problem.file, problem.key.removesuffix(".type")) for problem in known]

    def follows(problem: Problem) -> bool:
        return any(
            problem.file == file
            and (
                not (key and problem.key)  # one of them is about the whole file
                or f"{problem.key}.".startswith(f"{key}.")
                or key.startswith(f"{problem.key}.")
            )
            for file, key in locations
        )

    return [problem for problem in found if not follows(problem)]


def _domains(declared: DomainsFile, problems: list[Problem]) -> Mapping[str, Domain]:
    """The breakdowns, with the total, which need not be declared; a problem where its name is another's."""
    if not all(domain.by for domain in declared.domains.values()):
        return declared.domains
    if taken := declared.domains.get(TOTAL):
        hint = "Rename this breakdown, or declare the total as [domains.everyone] with by = []."
        problems.append(
            Problem(
                "schemas/domains.toml",
                f"domains.{TOTAL}",
                "is the name of the total, which crosses nothing",
                hint,
                ", ".join(taken.by),
            )
        )
    return {TOTAL: Domain(TOTAL, ()), **{key: each for key, each in declared.domains.items() if key != TOTAL}}


def _errata(catalogue: Catalogue) -> dict[str, Wave]:
    """The waves, with the total as the breakdown of errata that name none."""
    total = catalogue.total.key
    return {
        key: replace(wave, errata=tuple(replace(each, domain=each.domain or total) for each in wave.errata))
        for key, wave in catalogue.waves.items()
    }


def _indicators(catalogue: Catalogue, problems: list[Problem]) -> dict[str, Indicator]:
    """The indicators, each with a base; a problem for one that does not have exactly one form."""
    made = {}
    for key, indicator in catalogue.indicators.items():
        forms = [name for name in ("question", "mean", "total") if getattr(indicator, name) is not None]
        forms += ["any/all/none"] if indicator.logic else []
        path = f"indicators.{key}"
        if not forms:
            message, hint = (
                "does not say what it estimates",
                "Add question, mean, total, or any, all and none.",
            )
            problems.append(Problem("schemas/indicators.toml", path, message, hint))
        elif len(forms) > 1:
            message = "must be exactly one of question, any/all/none, mean and total"
            found = " and ".join(forms)
            problems.append(Problem("schemas/indicators.toml", path, message, "Keep one of them.", found))
        base = indicator.base or _base_of(indicator, catalogue, problems)
        made[key] = replace(indicator, base=base)
    return made


def _base_of(indicator: Indicator, catalogue: Catalogue, problems: list[Problem]) -> str:
    """The base of an indicator that names none: that of its share or its questions, if they have one base."""
    if indicator.total is not None and indicator.total not in catalogue.indicators:
        return "all"  # ``check`` says that there is no such share
    if base := catalogue.share_behind(indicator).base:
        return base
    bases = sorted({catalogue.questions[key].base for key in catalogue.questions_of(indicator)})
    if len(bases) > 1:
        key = f"indicators.{indicator.key}.base"
        message = "is missing, and its questions have different bases"
        problems.append(
            Problem(
                "schemas/indicators.toml", key, message, "Add base = ... with one of them.", ", ".join(bases)
            )
        )
    return bases[0] if len(bases) == 1 else "all"


def _instruments(folder: Path, root: Path, problems: list[Problem]) -> dict[str, Instrument]:
    instruments = {}
    for path in sorted(folder.glob("*.toml")):
        unread: list[Problem] = []
        table = {**read_toml(path, root, unread), "<key>": path.stem}
        file = path.relative_to(root).as_posix()
        read = read_record(Instrument, table, file, [] if unread else problems)
        problems += unread
        rows = read_rows(path.with_suffix(".csv"), root, problems, CROSSWALK_HEADER)
        crosswalk = tuple(CrosswalkRow(line, **row) for line, row in rows)
        instruments[path.stem] = replace(read, key=path.stem, crosswalk=crosswalk)
    return instruments


def _waves(folder: Path, root: Path, problems: list[Problem]) -> dict[str, Wave]:
    waves = {}
    for path in sorted(folder.glob("*.toml")):
        file = path.relative_to(root).as_posix()
        unread: list[Problem] = []
        table = read_toml(path, root, unread, wave=path.stem)
        if not (table or unread):
            hint = "Declare the wave in it, or remove it; `barometer new-wave` drafts one from a raw file."
            unread.append(Problem(file, "", "is empty", hint, wave=path.stem))
        problems += unread
        if table:
            read = read_record(Wave, {**table, "<key>": path.stem}, file, problems, wave=path.stem)
            waves[path.stem] = replace(read, key=path.stem)
    return waves


def _translations(
    languages: tuple[str, ...], root: Path, problems: list[Problem]
) -> dict[str, dict[str, str]]:
    translations: dict[str, dict[str, str]] = {}
    for language in languages:
        file = f"schemas/translations/{language}.csv"
        texts = translations[language] = {}
        lines: dict[str, int] = {}
        for line, row in read_rows(root / file, root, problems, ["key", "text"]):
            key, text = row["key"], row["text"]
            if key in texts:
                hint = f"Keep this line or line {lines[key]}."
                problems.append(Problem(file, f"line {line}", "is a duplicate key", hint, key))
            texts[key], lines[key] = text, line
    return translations


def _comparability(root: Path, problems: list[Problem], unread: list[Problem]) -> Comparability:
    """The rules of a barometer, or the product's where it declares none."""
    own = os.path.lexists(root / "schemas" / RULES)
    folder = root if own else PRODUCT
    path = root / "schemas" / RULES if own else PRODUCT / RULES
    table, found = read_toml(path, folder, unread), list[Problem]()
    read = read_record(ComparabilityFile, table, f"schemas/{RULES}", found)
    problems += found if table else []
    return Comparability(
        rules=read.rules,
        verdicts={verdict: getattr(read.verdicts, verdict) for verdict in VERDICTS},
        compositions=read.compositions,
        breakdowns=read.breakdowns,
        own=own,
    )
