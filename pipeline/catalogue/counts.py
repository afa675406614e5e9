"""Reads the files of counts beside the raw files: population counts of strata, totals of margins."""

from __future__ import annotations

import csv
import io
import math
from pathlib import Path

from pipeline.catalogue.fieldwork import Wave
from pipeline.catalogue.raw_files import raw_fault
from pipeline.problems import Problem, ProblemError, counted


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
    missing = [name for name in columns if name not in (reader.fieldnames or [])]
    if missing:
        hint = f"Write the columns {','.join(columns)}, separated by commas."
        found = ",".join(reader.fieldnames or [])
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
    try:
        return [(reader.line_num, {name: (row[name] or "").strip() for name in columns}) for row in reader]
    except csv.Error as error:
        hint = "Save it as UTF-8 CSV, with commas between the columns."
        raise ProblemError(Problem(file, "", f"is not valid CSV: {error}", hint, wave=wave)) from None


def _add(counts: dict[str, float], key: str, text: str, location: Problem, problems: list[Problem]) -> None:
    def problem(message: str, hint: str, value: str) -> None:
        problems.append(Problem(location.file, location.key, message, hint, value, location.wave))

    try:
        count = float(text)
    except ValueError:
        count = math.nan
    if not (math.isfinite(count) and count > 0):
        problem("is not a positive number", "Write a number above 0, with a point as decimal mark.", text)
    elif key in counts:
        problem("is counted in two rows", "Keep one of them.", key)
    else:
        counts[key] = count
