"""Start weights calibrated to a wave's margins, and trimmed where the wave declares it.

A margin is of codes, or of one number, whose total is its sum over the population. Totals count the wave's
population: every code of a margin that has respondents has a total, every total
has respondents, and a code outside the wave's scope has none (``catalogue.check`` refuses it), because
the other margins could not be cut to the scope with it.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd

from pipeline.arrays import Floats, Ints
from pipeline.catalogue.counts import read_totals
from pipeline.catalogue.fieldwork import Wave, Weighting
from pipeline.catalogue.model import Catalogue
from pipeline.grouping import cross_classify, exact_sums
from pipeline.problems import Problem, ProblemError, counted, wave_problem
from pipeline.weighting.calibration import (
    MARGIN_TOLERANCE,
    Calibrated,
    Distance,
    calibrate,
    exponential,
    linear,
    logit,
)

TRIM_TOLERANCE = 1e-9  # relative: how far a trimmed weight may lie outside its limits


def calibrated(
    answers: pd.DataFrame, start: Floats, wave: Wave, catalogue: Catalogue
) -> tuple[Floats, Floats, list[dict[str, Any]]]:
    """Final weights, the start weights they were calibrated from, and the margins reached.

    Trimming cuts the calibrated weights at the limits and calibrates again from there, until margins and
    limits both hold; the cut weights are then the start weights. ProblemError names a margin not met.
    """
    declared = wave.weighting
    assert declared is not None
    totals = read_totals(wave, catalogue.root)
    numbers = [name for (name, *_) in declared.margins if name in catalogue.questions]
    _check_numbers(answers, numbers, wave)
    cells, codes, names, targets = _calibration_cells(answers, wave, totals, numbers)
    population = math.fsum(next(counts for name, counts in totals.items() if name not in numbers).values())
    if not wave.design or not (wave.design.delivered or wave.design.population):
        start = start * (population / len(start))
    distance = _distance(declared)
    low, high = (limit * population / len(start) for limit in declared.trim or (-math.inf, math.inf))
    for _ in range(declared.max_iterations):
        sums = exact_sums(start, codes, len(cells))
        result = calibrate(sums, cells, targets, distance, declared.tolerance, declared.max_iterations)
        _check_margins(result, names, targets, wave, "weighting.margins")
        final = start * result.factors[codes]
        if final.min() >= low * (1 - TRIM_TOLERANCE) and final.max() <= high * (1 + TRIM_TOLERANCE):
            return final, start, _reached(names, targets, result)
        start = np.clip(final, low, high)
    unchanged = Calibrated(np.ones(len(cells)), cells.T @ exact_sums(start, codes, len(cells)), 0)
    _check_margins(unchanged, names, targets, wave, "weighting.trim")
    return start, start, _reached(names, targets, unchanged)


def _distance(declared: Weighting) -> Distance:
    if declared.method == "logit":
        assert declared.bounds is not None  # catalogue.check sees to it
        return logit(declared.bounds)
    return (linear if declared.method == "linear" else exponential)(declared.bounds)


def _reached(names: list[tuple[str, str]], targets: Floats, result: Calibrated) -> list[dict[str, Any]]:
    return [
        {"margin": margin, "code": code, "total": total, "reached": reached}
        for (margin, code), total, reached in zip(
            names, targets.tolist(), result.reached.tolist(), strict=True
        )
    ]


def _calibration_cells(
    answers: pd.DataFrame, wave: Wave, totals: dict[str, dict[str, float]], numbers: list[str]
) -> tuple[Floats, Ints, list[tuple[str, str]], Floats]:
    """Calibration cells: indicators and numbers (cells x totals), each unit's cell, the totals' names and
    values. Units of a cell have the same codes and the same numbers.
    """
    declared = wave.weighting
    assert declared is not None
    used = list(dict.fromkeys(name for margin in declared.margins for name in margin))
    texts, cell = cross_classify(answers, used)
    cell_codes = pd.DataFrame([text.split("*") for text in texts], columns=used)
    coded = ["*".join(margin) for margin in declared.margins if margin[0] not in numbers]
    margins = {margin: cross_classify(cell_codes, margin.split("*")) for margin in coded}
    _check_codes(margins, np.bincount(cell, minlength=len(texts)), totals, declared, wave)
    names = [(margin, code) for margin in margins for code in totals[margin]]
    columns = [
        (margins[margin][1] == margins[margin][0].index(code)).astype(np.float64) for margin, code in names
    ]
    names += [(number, "") for number in numbers]
    columns += [cell_codes[number].astype("float64").to_numpy() for number in numbers]
    return np.column_stack(columns), cell, names, np.array([totals[margin][code] for margin, code in names])


def _check_numbers(answers: pd.DataFrame, numbers: list[str], wave: Wave) -> None:
    """A number whose sum is to be met must be known of every unit."""
    missing = {name: int(answers[name].isna().sum()) for name in numbers}
    hint = "Every unit needs the number: map another column, add a [[correction]], or remove the margin."
    problems = [
        wave_problem(wave.key, "weighting.margins", f"has no number in {counted(rows, 'row')}", hint, name)
        for name, rows in missing.items()
        if rows
    ]
    if problems:
        raise ProblemError(problems)


def _check_codes(
    found: dict[str, tuple[list[str], Ints]],
    units: Ints,
    totals: dict[str, dict[str, float]],
    declared: Weighting,
    wave: Wave,
) -> None:
    """Every unit must count towards a total of every margin, and every total must have units.

    ``found`` are the codes of each margin and their places by calibration cell, ``units`` its respondents.
    """
    file = f"warehouse/raw/{declared.totals}"
    problems = []
    for margin, (codes, code_of_cell) in found.items():
        respondents = np.bincount(code_of_cell, units, minlength=len(codes)).astype(np.int64)
        sizes = dict(zip(codes, respondents.tolist(), strict=True))
        for code in sorted(set(sizes) - set(totals.get(margin, {}))):
            message = f"margin {margin} has no total for a code with {counted(sizes[code], 'respondent')}"
            hint = "Add the total, or map these respondents to another code."
            problems.append(Problem(file, margin, message, hint, code, wave.key))
        for code in sorted(set(totals.get(margin, {})) - set(sizes)):
            message = f"margin {margin} cannot be met: no respondent has the code"
            hint = "Merge the code with another, in the crosswalk and in the totals."
            problems.append(Problem(file, margin, message, hint, code, wave.key))
    if problems:
        raise ProblemError(problems)


def _check_margins(
    result: Calibrated, names: list[tuple[str, str]], targets: Floats, wave: Wave, key: str
) -> None:
    gaps = result.gaps(targets)
    worst = int(np.argmax(gaps))
    if gaps[worst] <= MARGIN_TOLERANCE:
        return
    margin, code = names[worst]
    reached = f"reaches {result.reached[worst]:.10g} of {targets[worst]:.10g}"
    message = f"margin {margin} cannot be met: {code or 'its sum'} {reached}"
    hint = "Check its totals; widen bounds or trim, merge codes, or remove a margin."
    raise ProblemError(wave_problem(wave.key, key, message, hint, f"gap {gaps[worst]:.2g}"))
