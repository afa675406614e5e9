"""Reads the files of counts beside the raw files: population counts of strata, totals of margins."""

from __future__ import annotations

import csv
import io
import math
from pathlib import Path

from pipeline.catalogue.fieldwork import Wave
from pipeline.catalogue.raw_files import raw_fault
from pipeline.problems import Problem, ProblemError, counted

LEAST, MOST = 1e-15, 1e15  # the size of a number that is not 0: beyond, sums and files lose their digits


def read_population(wave: Wave, root: Path) -> dict[str, float]:
    """Units in the population by stratum, keyed by the strata columns' codes joined by ``*``.

    The key is "" where the design has no strata. Raises ProblemError with every faulty row.
    """
    assert wave.design is not None
    strata = list(wave.design.strata)
    counts: dict[str, float] = {}
    problems: list[Problem] = []
    file = f"warehouse/raw/{wave.design.population}"
    for line, row in _rows(root, wave.design.population, [*strata, "population"], wave.key):
        key = "*".join(row[name] for name in strata)
        _add(counts, key, row["population"], Problem(file, f"line {line}", "", "", wave=wave.key), problems)
    if problems:
        raise ProblemError(problems)
    return counts


def read_totals(wave: Wave, root: Path) -> dict[str, dict[str, float]]:
    """Population totals by margin (variables joined by ``*``) and code; ProblemError lists every faulty
    row.
    """
    assert wave.weighting is not None
    totals: dict[str, dict[str, float]] = {}
    problems: list[Problem] = []
    file = f"warehouse/raw/{wave.weighting.totals}"
    for line, row in _rows(root, wave.weighting.totals, ["margin", "code", "total"], wave.key):
        location = Problem(file, f"line {line}", "", "", wave=wave.key)
        _add(totals.setdefault(row["margin"], {}), row["code"], row["total"], location, problems)
    if problems:
        raise ProblemError(problems)
    return totals


def _rows(root: Path, name: str, columns: list[str], wave: str) -> list[tuple[int, dict[str, str]]]:
    file = f"warehouse/raw/{name}"
    if reason := raw_fault(root, name):
        hint = f"{reason[1]} Its columns are {','.join(columns)}."
        raise ProblemError(Problem(file, "", reason[0], hint, wave=wave))
    try:
        text = (root / file).read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise ProblemError(Problem(file, "", "is not UTF-8", "Save it as UTF-8 CSV.", wave=wave)) from None
    reader = csv.DictReader(io.StringIO(text, newline=""), restval="")
    try:
        header = reader.fieldnames or []
        rows = [(reader.line_num, row) for row in reader]
    except csv.Error as error:
        hint = "Save it as UTF-8 CSV, with commas between the columns."
        raise ProblemError(Problem(file, "", f"is not valid CSV: {error}", hint, wave=wave)) from None
    missing = [name for name in columns if name not in header]
    if missing:
        hint = f"Write the columns {','.join(columns)}, separated by commas."
        found = ",".join(header)
        raise ProblemError(
            Problem(
                file,
                "line 1",
                f"lacks {counted(len(missing), 'column')}: {', '.join(missing)}",
                hint,
                found,
                wave,
            )
        )
    if longer := [line for line, row in rows if any(row.get(None, ()))]:
        hint = "Write numbers without separators of thousands."
        problems = (
            Problem(file, f"line {line}", "has more cells than columns", hint, wave=wave) for line in longer
        )
        raise ProblemError(problems)
    return [(line, {name: row[name].strip() for name in columns}) for line, row in rows]


def _add(counts: dict[str, float], key: str, text: str, location: Problem, problems: list[Problem]) -> None:
    def problem(message: str, hint: str, value: str) -> None:
        problems.append(Problem(location.file, location.key, message, hint, value, location.wave))

    try:
        count = math.nan if "_" in text else float(text)  # Python's own way to write 1_000
    except ValueError:
        count = math.nan
    if not count > 0:
        problem("is not a positive number", "Write a number above 0, with a point as decimal mark.", text)
    elif not LEAST <= count <= MOST:
        problem(f"is beyond the size of real numbers ({LEAST:g} to {MOST:g})", "Correct it.", text)
    elif key in counts:
        problem("is counted in two rows", "Keep one of them.", key)
    else:
        counts[key] = count
