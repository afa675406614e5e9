"""Reads the files of counts that stand beside the raw files: populations of strata, totals of margins."""

from __future__ import annotations

import csv
import io
import math
from pathlib import Path

from pipeline.catalogue.fieldwork import Wave
from pipeline.faults import Fault, FaultError


def read_population(wave: Wave, root: Path) -> dict[str, float]:
    """Units in the population by stratum, keyed by the strata columns' codes joined by ``*``.

    The key is "" where the design has no strata. Raises FaultError with every faulty row.
    """
    assert wave.design is not None
    strata = list(wave.design.strata)
    counts: dict[str, float] = {}
    faults: list[Fault] = []
    file = f"warehouse/raw/{wave.design.population}"
    for line, row in _rows(root, file, [*strata, "population"], wave.key):
        key = "*".join(row[name] for name in strata)
        _add(counts, key, row["population"], Fault(file, f"line {line}", "", "", wave=wave.key), faults)
    if faults:
        raise FaultError(faults)
    return counts


def read_totals(wave: Wave, root: Path) -> dict[str, dict[str, float]]:
    """Population totals by margin (variables joined by ``*``) and code; FaultError lists every faulty row."""
    assert wave.weighting is not None
    totals: dict[str, dict[str, float]] = {}
    faults: list[Fault] = []
    file = f"warehouse/raw/{wave.weighting.totals}"
    for line, row in _rows(root, file, ["margin", "code", "total"], wave.key):
        place = Fault(file, f"line {line}", "", "", wave=wave.key)
        _add(totals.setdefault(row["margin"], {}), row["code"], row["total"], place, faults)
    if faults:
        raise FaultError(faults)
    return totals


def _rows(root: Path, file: str, columns: list[str], wave: str) -> list[tuple[int, dict[str, str]]]:
    path = root / file
    if not path.is_file():
        mend = f"Put it there, with the columns {','.join(columns)}."
        raise FaultError(Fault(file, "", "is missing", mend, wave=wave))
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise FaultError(Fault(file, "", "is not UTF-8", "Save it as UTF-8 CSV.", wave=wave)) from None
    reader = csv.DictReader(io.StringIO(text, newline=""), restval="")
    missing = [name for name in columns if name not in (reader.fieldnames or [])]
    if missing:
        mend = f"Write the columns {','.join(columns)}, with commas."
        found = ",".join(reader.fieldnames or [])
        raise FaultError(Fault(file, "line 1", f"has no column {', '.join(missing)}", mend, found, wave))
    return [(reader.line_num, {name: (row[name] or "").strip() for name in columns}) for row in reader]


def _add(counts: dict[str, float], key: str, text: str, place: Fault, faults: list[Fault]) -> None:
    def fault(message: str, mend: str, value: str) -> None:
        faults.append(Fault(place.file, place.key, message, mend, value, place.wave))

    try:
        count = float(text)
    except ValueError:
        count = math.nan
    if not (math.isfinite(count) and count > 0):
        fault("is no count", "Write a number above 0, with a decimal point.", text)
    elif key in counts:
        fault("stands twice", "Keep one row.", key)
    else:
        counts[key] = count
