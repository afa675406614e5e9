"""A wave's weights, from its declarations and its harmonised answers.

Start weight: the delivered one, else N_h / n_h from the population counts, else 1. Population counts are
of what was drawn: of primary sampling units where the design names a psu, else of units. Final weight: the
start weight times the calibration factor of the unit's cell.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from pipeline.catalogue.counts import read_population, read_totals
from pipeline.catalogue.model import Catalogue, Wave
from pipeline.catalogue.model import Weighting as Declared
from pipeline.faults import Fault, FaultError
from pipeline.weighting.calibration import MARGIN_TOLERANCE, Floats, calibrate, exponential, linear


@dataclass(frozen=True)
class Weighted:
    """``answers`` with ``base_weight``, ``weight`` and ``population`` (N_h; NaN where unknown).

    ``report`` holds counts and ratios only: rows, min, max, ratio (of extremes), deff (Kish), effective_n,
    uncovered (strata of the population with no respondent) and the margins with total and reached.
    """

    answers: pd.DataFrame
    report: dict[str, Any]


def weigh(answers: pd.DataFrame, wave: Wave, catalogue: Catalogue) -> Weighted:
    """The weights of a wave's units.

    Raises FaultError where a stratum has no population count or fewer units than respondents, where a
    delivered weight is missing or not above 0, or where a margin cannot be met to 1e-9.
    """
    design, declared = wave.design, wave.weighting
    if design is None or declared is None:
        raise ValueError(f"{wave.key} has no design")
    if answers.empty:
        raise FaultError(_fault(wave, "", "no respondent is left", "See its quarantine table."))
    strata = answers["stratum"].astype(str)
    sizes = answers.groupby(strata)["psu"].nunique() if design.psu else strata.value_counts()
    counts = read_population(wave, catalogue.root) if design.population else {}
    _check_counts(sizes, counts, wave)
    population = strata.map(counts).astype(float) if counts else pd.Series(np.nan, index=answers.index)
    start = _start(answers, wave, population, strata.map(sizes).astype(float))
    final, base = start, start
    margins: list[dict[str, Any]] = []
    if declared.method in ("poststratify", "rake", "linear"):
        final, base, margins = _calibrated(answers, start, wave, catalogue)
    made = answers.assign(base_weight=base, weight=final, population=population.to_numpy())
    uncovered = sorted(set(counts) - set(sizes.index))
    return Weighted(made, _report(final, uncovered, margins))


def _fault(wave: Wave, key: str, message: str, mend: str, value: str | None = None) -> Fault:
    return Fault(f"schemas/waves/{wave.key}.toml", key, message, mend, value, wave.key)


def _check_counts(sizes: pd.Series[int], counts: dict[str, float], wave: Wave) -> None:
    assert wave.design is not None
    if not counts:
        return
    file = f"warehouse/raw/{wave.design.population}"
    faults = []
    for stratum, size in sorted(sizes.items(), key=str):
        if stratum not in counts:
            message = f"has no row for a stratum of which {size} answered"
            faults.append(
                Fault(file, "population", message, "Add its population count.", str(stratum), wave.key)
            )
        elif counts[str(stratum)] < size:
            message = f"counts {counts[str(stratum)]:g} units where {size} answered"
            faults.append(
                Fault(file, "population", message, "Mend the count, or the strata.", str(stratum), wave.key)
            )
    if faults:
        raise FaultError(faults)


def _start(
    answers: pd.DataFrame, wave: Wave, population: pd.Series[float], sizes: pd.Series[float]
) -> Floats:
    assert wave.design is not None and wave.weighting is not None
    if wave.design.weight:
        delivered = answers["design_weight"].to_numpy(dtype=float)
        bad = {
            "missing": int(np.isnan(delivered).sum()),
            "zero": int((delivered == 0).sum()),
            "negative": int((delivered < 0).sum()),
        }
        if any(bad.values()):
            said = ", ".join(f"{count} rows {kind}" for kind, count in bad.items() if count)
            mend = "Every respondent needs a weight above 0: mend the file, or add a [[correction]]."
            raise FaultError(
                _fault(wave, "design.weight", f"{wave.design.weight} is not a weight everywhere", mend, said)
            )
        return delivered
    if wave.design.population:
        return np.asarray(population / sizes, dtype=np.float64)
    return np.ones(len(answers))


def _calibrated(
    answers: pd.DataFrame, start: Floats, wave: Wave, catalogue: Catalogue
) -> tuple[Floats, Floats, list[dict[str, Any]]]:
    """Final weights, the start weights they were calibrated from, and the margins reached."""
    declared = wave.weighting
    assert declared is not None
    totals = read_totals(wave, catalogue.root)
    cells, codes, names, wanted = _cells(answers, wave, totals)
    if not wave.design or not (wave.design.weight or wave.design.population):
        start = start * (math.fsum(next(iter(totals.values())).values()) / len(start))
    distance = (linear if declared.method == "linear" else exponential)(declared.bounds)
    limits = None
    if declared.trim:
        mean = math.fsum(wanted[: len(totals[names[0][0]])]) / len(start)
        limits = (declared.trim[0] * mean, declared.trim[1] * mean)
    for _ in range(declared.max_iterations):
        sums = _sums(start, codes, len(cells))
        made = calibrate(sums, cells, wanted, distance, declared.tolerance, declared.max_iterations)
        _check_margins(made.gaps(wanted), made.reached, names, wanted, wave)
        final = start * made.factors[codes]
        if limits is None or (
            final.min() >= limits[0] * (1 - 1e-9) and final.max() <= limits[1] * (1 + 1e-9)
        ):
            break
        start = np.clip(final, *limits)
    else:
        mend = "Widen trim, or merge codes of the margins."
        raise FaultError(
            _fault(
                wave, "weighting.trim", "cannot be kept together with the margins", mend, str(declared.trim)
            )
        )
    margins = [
        {"margin": margin, "code": code, "total": total, "reached": reached}
        for (margin, code), total, reached in zip(names, wanted.tolist(), made.reached.tolist(), strict=True)
    ]
    return final, start, margins


def _sums(weights: Floats, codes: Any, cells: int) -> Floats:
    """Exact sums of weights by cell (math.fsum): the same whatever the order of the rows."""
    order = np.argsort(codes, kind="stable")
    edges = np.searchsorted(codes[order], np.arange(cells + 1))
    sorted_weights = weights[order]
    return np.array([math.fsum(sorted_weights[a:b]) for a, b in pairwise(edges)])


def _cells(
    answers: pd.DataFrame, wave: Wave, totals: dict[str, dict[str, float]]
) -> tuple[Floats, Any, list[tuple[str, str]], Floats]:
    """Calibration cells: indicators (cells x totals), each unit's cell, the totals' names and values."""
    declared = wave.weighting
    assert declared is not None
    used = list(dict.fromkeys(name for margin in declared.margins for name in margin))
    margin_codes = {"*".join(margin): _joined(answers, margin) for margin in declared.margins}
    _check_codes(margin_codes, totals, declared, wave)
    keys = _joined(answers, used)
    firsts = ~keys.duplicated()
    order = sorted(keys[firsts])
    position = {key: number for number, key in enumerate(order)}
    rows = keys[firsts].map(position).to_numpy()
    names = [(margin, code) for margin in margin_codes for code in totals[margin]]
    cells = np.zeros((len(order), len(names)))
    for column, (margin, code) in enumerate(names):
        cells[rows, column] = (margin_codes[margin][firsts] == code).to_numpy()
    wanted = np.array([totals[margin][code] for margin, code in names])
    return cells, keys.map(position).to_numpy(), names, wanted


def _joined(answers: pd.DataFrame, names: tuple[str, ...] | list[str]) -> pd.Series[str]:
    joined = answers[names[0]].astype(str)
    for name in names[1:]:
        joined = joined + "*" + answers[name].astype(str)
    return joined


def _check_codes(
    found: dict[str, pd.Series[str]], totals: dict[str, dict[str, float]], declared: Declared, wave: Wave
) -> None:
    """Every unit must count towards a total of every margin, and every total must have units."""
    file = f"warehouse/raw/{declared.totals}"
    faults = []
    for margin, codes in found.items():
        sizes = codes.value_counts()
        for code in sorted(set(sizes.index) - set(totals.get(margin, {}))):
            message = f"margin {margin} has no total for {sizes[code]} respondents"
            mend = "Add the total, or map these respondents to another code."
            faults.append(Fault(file, margin, message, mend, code, wave.key))
        for code in sorted(set(totals.get(margin, {})) - set(sizes.index)):
            message = f"margin {margin} cannot be met: nobody answered there"
            mend = "Merge the code with another in the codebook's crosswalk and in the totals."
            faults.append(Fault(file, margin, message, mend, code, wave.key))
    if faults:
        raise FaultError(faults)


def _check_margins(
    gaps: Floats, reached: Floats, names: list[tuple[str, str]], wanted: Floats, wave: Wave
) -> None:
    worst = int(np.argmax(gaps))
    if gaps[worst] <= MARGIN_TOLERANCE:
        return
    margin, code = names[worst]
    message = f"margin {margin} cannot be met: {code} reaches {reached[worst]:.10g} of {wanted[worst]:.10g}"
    mend = "Check its totals; widen bounds, merge codes, or drop a margin."
    raise FaultError(_fault(wave, "weighting.margins", message, mend, f"gap {gaps[worst]:.2g}"))


def _report(weights: Floats, uncovered: list[str], margins: list[dict[str, Any]]) -> dict[str, Any]:
    total, squares = math.fsum(weights), math.fsum(weights**2)
    return {
        "rows": len(weights),
        "sum": total,
        "min": float(weights.min()),
        "max": float(weights.max()),
        "ratio": float(weights.max() / weights.min()),
        "deff": len(weights) * squares / total**2,
        "effective_n": total**2 / squares,
        "uncovered": uncovered,
        "margins": margins,
    }
