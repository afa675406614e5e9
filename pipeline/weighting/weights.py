"""A wave's weights, from its declarations and its harmonised answers.

Start weight: the delivered weight, or 1/p of a selection probability, or N_h / n_h from the population
counts, or 1. Population counts are of what was drawn: primary sampling units where the design names a psu,
otherwise units. Final weight: the start weight, calibrated by ``margins`` where the method calibrates.

Delivered weights may add up to the sample, to 1 or to the population: ``weighting.scale`` brings them to the
population, and totals are refused where they are not of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from pipeline.arrays import Floats, Ints
from pipeline.catalogue.counts import read_population
from pipeline.catalogue.fieldwork import Wave, weight_column
from pipeline.catalogue.model import Catalogue
from pipeline.grouping import cross_classify, exact_sum
from pipeline.problems import Problem, ProblemError, counted, wave_problem
from pipeline.sources import named
from pipeline.weighting.margins import calibrated
from pipeline.weighting.replicates import full_replicates, replicate_report

FEWEST_IDS = 10  # weights that are consecutive by no accident
UNIT_ERROR = 2.0  # times the declared population, or a part of it: no sampling error, but another unit
MAX_OFF_STRATUM = 1.5  # the same of a stratum, whose delivered weights are held against its population
MAX_OFF_POPULATION = 0.05  # relative: how far the sum of weights may be from the declared population


@dataclass(frozen=True)
class Weighted:
    """``answers`` with ``base_weight``, ``weight`` and ``population`` (N_h; NaN where unknown).

    ``report`` holds counts and ratios only: rows, sum, population (as declared, or None), min, max, ratio (of
    extremes), deff (Kish), effective_n, factor_min and factor_max (of weight over base weight), uncovered
    (strata of the population with no respondent), the margins with total and reached, counts of delivered
    replicate weights, numbered (whether the weights are consecutive numbers), off_strata (strata whose
    weights are not of their population), and strata, lonely_psus and lonely_share (strata of one sampling
    unit, and their share of the weights); ``weights``: of each further weight units (that have it), without
    (blank or 0), sum, min, max, deff and effective_n.
    """

    answers: pd.DataFrame
    report: dict[str, Any]


def weigh(answers: pd.DataFrame, wave: Wave, catalogue: Catalogue) -> Weighted:
    """The weights of a wave's units.

    Raises ProblemError where a stratum has no population count or fewer units than respondents, where a
    delivered or calibrated weight is missing or not above 0, where a margin cannot be met to 1e-9, where
    replicate weights are not what they are declared to be, or where no unit has a further weight.
    """
    design, declared = wave.design, wave.weighting
    if design is None or declared is None:
        raise ValueError(f"{wave.key} has no design")
    if answers.empty:
        raise ProblemError(wave_problem(wave.key, "", "has no respondents left", "See its quarantine table."))
    strata, stratum = cross_classify(answers, ["stratum"])
    sizes = _sample_sizes(answers, stratum, len(strata), bool(design.psu))
    counts = read_population(wave, catalogue.root) if design.population else {}
    if design.census:
        _check_census(len(answers), wave)
        counts = dict(zip(strata, map(float, sizes.tolist()), strict=True))
    _check_counts(dict(zip(strata, sizes.tolist(), strict=True)), counts, wave)
    population = np.array([counts.get(each, np.nan) for each in strata])[stratum]
    start = _start_weights(answers, wave, population, sizes[stratum])
    replicates = full_replicates(answers, start, wave)
    if declared.scale:
        assert wave.response.population is not None  # catalogue.check sees to it
        factor = wave.response.population / exact_sum(start)
        start, replicates = start * factor, replicates * factor
    final, base = start, start
    margins: list[dict[str, Any]] = []
    if declared.calibrates:
        final, base, margins = calibrated(answers, start, wave, catalogue)
        if invalid := _invalid_weights(final):
            hint = "Add bounds, such as [0.3, 3.0], or use rake or logit: every weight must be above 0."
            raise ProblemError(
                wave_problem(
                    wave.key,
                    "weighting.bounds",
                    "does not keep every calibrated weight above 0",
                    hint,
                    invalid,
                )
            )
    further = answers[list(design.further_weights)].fillna(0.0)
    weighted = answers.assign(base_weight=base, weight=final, population=population, **replicates, **further)
    uncovered = sorted(set(counts) - set(strata))
    report = _report(final, final / base, uncovered, margins, wave)
    report |= {
        "replicates": replicate_report(replicates, start),
        "weights": {
            name: _further_report(further[weight_column(name)].to_numpy(), name, wave)
            for name in design.weights
        },
        **_lonely(stratum, sizes, population, final),
        "numbered": _is_run(start),
        "off_strata": _off_strata(stratum, population, final) if design.delivered and not design.psu else 0,
    }
    return Weighted(weighted, report)


def _is_run(weights: Floats) -> bool:
    """Whether delivered weights are consecutive whole numbers, as identifiers are."""
    if len(weights) < FEWEST_IDS or np.ptp(weights) != len(weights) - 1:
        return False
    return bool((np.diff(np.sort(weights)) == 1).all())


def _off_strata(stratum: Ints, population: Floats, weights: Floats) -> int:
    """How many strata have weights that add up to quite another number than their units in the population."""
    sums = np.bincount(stratum, weights)
    counts = np.zeros(len(sums))
    counts[stratum] = population
    ratios = sums[counts > 0] / counts[counts > 0]
    return int(((ratios > MAX_OFF_STRATUM) | (ratios < 1 / MAX_OFF_STRATUM)).sum())


def _lonely(stratum: Ints, sizes: Ints, population: Floats, weights: Floats) -> dict[str, Any]:
    """Strata of one sampling unit that is not all there is: how many, and their share of the weights."""
    alone = (sizes[stratum] == 1) & ~(population == 1)
    return {
        "strata": len(sizes),
        "lonely_psus": len(np.unique(stratum[alone])),
        "lonely_share": exact_sum(weights[alone]) / exact_sum(weights),
    }


def off_population(weight: float, population: float | None) -> bool:
    """Whether weights that add up to ``weight`` are of something else than the population; not if unknown."""
    return population is not None and abs(weight - population) > MAX_OFF_POPULATION * population


def _further_report(weights: Floats, name: str, wave: Wave) -> dict[str, Any]:
    """Who has a further weight. Raises ProblemError where nobody has."""
    has = weights[weights > 0]
    if not len(has):
        hint = "Name another column, or remove the weight and the indicators that name it."
        raise ProblemError(
            wave_problem(wave.key, f"design.weights.{name}", "is above 0 in no row that is kept", hint, name)
        )
    total, squares = exact_sum(has), exact_sum(has**2)
    return {
        "units": len(has),
        "without": len(weights) - len(has),
        "sum": total,
        "min": float(has.min()),
        "max": float(has.max()),
        "deff": len(has) * squares / total**2,
        "effective_n": total**2 / squares,
        "numbered": _is_run(has),
    }


def scaled_to_sample(wave: Wave, report: Mapping[str, Any], totals: Sequence[str]) -> bool:
    """Whether totals count no more units than have answered, of a population that nobody has declared."""
    assert wave.design is not None
    known = report["population"] is not None or wave.design.census
    return bool(totals) and not known and report["sum"] <= (1 + MAX_OFF_POPULATION) * report["rows"]


def require_expansion(wave: Wave, report: Mapping[str, Any], totals: Mapping[str, Sequence[str]]) -> None:
    """Raises ProblemError where totals would be counted with weights that are not of the population.

    ``report`` is that of ``weigh``, ``totals`` are the wave's indicators that are totals, by their weight.
    Weights made from counts or margins are of the population as declared, but for sampling error: those are a
    finding. Of a population that is not known it is known that no fewer than answered are in it. What a
    further weight is of is not declared, so only one is refused that counts no more units than have it.
    """
    _require_expansion(wave, report, totals.get("", ()))
    for name, own in report["weights"].items():
        if name in totals and own["sum"] <= (1 + MAX_OFF_POPULATION) * own["units"]:
            message = f"adds up to {own['sum']:.10g}, and {own['units']} units have it: it is scaled to the "
            message += "sample; totals need expansion weights"
            hint = f"Name the column of expansion weights: {', '.join(totals[name])} would be wrong."
            raise ProblemError(wave_problem(wave.key, f"design.weights.{name}", message, hint))


def _require_expansion(wave: Wave, report: Mapping[str, Any], totals: Sequence[str]) -> None:
    design, declared = wave.design, wave.weighting
    assert design is not None and declared is not None
    weight, population = float(report["sum"]), report["population"]
    unweighted = declared.method == "none" and not design.census
    if not totals:
        return
    if declared.calibrates or not (design.delivered or unweighted):
        _require_one_population(wave, weight, population, totals)
        return
    to_sample = not off_population(weight, report["rows"])
    if not (off_population(weight, population) or scaled_to_sample(wave, report, totals)):
        return
    key, message = "weighting.scale", "totals need weights that add up to the population"
    if to_sample:
        message = "they are scaled to the sample; totals need expansion weights"
    known = "is not known" if population is None else f"says {population}"
    hint = 'Add scale = "population" to [weighting], or correct response.population'
    if population is None:
        hint = 'Declare response.population, with scale = "population" in [weighting] if they are to reach it'
    if unweighted:
        key, message = "weighting.method", "every unit counts 1; totals need expansion weights"
        hint = "Declare a weight, population counts or, where everybody was asked, census = true in [design]"
    message = f"the weights add up to {weight:.10g}, response.population {known}: {message}"
    hint += f": {', '.join(totals)} would be wrong."
    raise ProblemError(wave_problem(wave.key, key, message, hint))


def _require_one_population(
    wave: Wave, weight: float, population: float | None, totals: Sequence[str]
) -> None:
    """Raises ProblemError where counts or margins are of another population than the declared one."""
    if population is None or population / UNIT_ERROR <= weight <= population * UNIT_ERROR:
        return
    assert wave.design is not None and wave.weighting is not None
    key = "weighting.totals" if wave.weighting.calibrates else "design.population"
    message = f"counts {weight:.10g} units, and response.population says {population}"
    hint = f"Correct one of the two, as counts in thousands: {', '.join(totals)} would be wrong."
    if wave.design.psu and not wave.weighting.calibrates:
        hint = f"Count primary sampling units, which were drawn, or correct response.population. {hint}"
    raise ProblemError(wave_problem(wave.key, key, message, hint))


def _check_census(rows: int, wave: Wave) -> None:
    population = wave.response.population
    if population is None or population == rows:
        return
    message = f"says {population}, and {rows} units answered: not a census"
    hint = (
        'Remove census, write method = "design" and give population per stratum: '
        "who did not answer makes it a sample."
    )
    raise ProblemError(wave_problem(wave.key, "response.population", message, hint))


def _check_counts(sizes: dict[str, int], counts: dict[str, float], wave: Wave) -> None:
    assert wave.design is not None
    if not counts or wave.design.census:
        return
    file = f"warehouse/raw/{wave.design.population}"
    problems = []
    if absent := {stratum: size for stratum, size in sizes.items() if stratum not in counts}:
        strata = "a stratum" if len(absent) == 1 else f"{len(absent)} strata"
        message = f"has no row for {strata} with {counted(sum(absent.values()), 'respondent')}"
        hint = "Add a row with its population count."
        problems.append(Problem(file, "population", message, hint, named(absent), wave.key))
    for stratum, size in sizes.items():
        if counts.get(stratum, size) < size:
            message = f"is {counts[stratum]:g}, fewer than the {size} that answered in the stratum"
            problems.append(
                Problem(file, "population", message, "Correct the count or the strata.", stratum, wave.key)
            )
    if problems:
        raise ProblemError(problems)


def _sample_sizes(answers: pd.DataFrame, stratum: Ints, strata: int, clustered: bool) -> Ints:
    """n_h: the units of each stratum, or its primary sampling units."""
    if not clustered:
        return np.bincount(stratum, minlength=strata)
    _, psu = cross_classify(answers, ["stratum", "psu"])
    firsts = np.unique(psu, return_index=True)[1]
    return np.bincount(stratum[firsts], minlength=strata)


def _start_weights(answers: pd.DataFrame, wave: Wave, population: Floats, sizes: Ints) -> Floats:
    assert wave.design is not None and wave.weighting is not None
    if wave.design.delivered:
        delivered = answers["design_weight"].to_numpy(dtype=float)
        if invalid := _invalid_weights(delivered):
            hint = "Every respondent needs a weight above 0: correct the file, or add a [[correction]]."
            raise ProblemError(
                wave_problem(
                    wave.key,
                    "design.weight",
                    f"{wave.design.delivered} is not above 0 in every row",
                    hint,
                    invalid,
                )
            )
        return delivered
    if wave.design.population:
        return population / sizes
    return np.ones(len(answers))


def _invalid_weights(weights: Floats) -> str:
    """How many rows have no weight above 0, in words; nothing if all have."""
    invalid = {
        "missing": int(np.isnan(weights).sum()),
        "zero": int((weights == 0).sum()),
        "negative": int((weights < 0).sum()),
    }
    return ", ".join(f"{kind} in {counted(count, 'row')}" for kind, count in invalid.items() if count)


def _report(
    weights: Floats, factors: Floats, uncovered: list[str], margins: list[dict[str, Any]], wave: Wave
) -> dict[str, Any]:
    total, squares = exact_sum(weights), exact_sum(weights**2)
    return {
        "rows": len(weights),
        "sum": total,
        "population": wave.response.population,
        "min": float(weights.min()),
        "max": float(weights.max()),
        "ratio": float(weights.max() / weights.min()),
        "deff": len(weights) * squares / total**2,
        "effective_n": total**2 / squares,
        "factor_min": float(factors.min()),
        "factor_max": float(factors.max()),
        "uncovered": uncovered,
        "margins": margins,
    }
