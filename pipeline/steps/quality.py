"""Checks of what the steps made: does it conform to its contract, and is it plausible?

Pure functions on frames, reports and declarations; each returns a ``Finding``. What stops a wave is a
problem and belongs to the packages that read the input; what is merely surprising is a finding, for somebody
to look at.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import pandas as pd

from pipeline.catalogue import Catalogue, Wave
from pipeline.contracts import compiled, microdata_schema, pandera_schema, validate
from pipeline.harmonise import is_doubtful
from pipeline.problems import Problem, ProblemError, counted, wave_problem
from pipeline.staleness.findings import edition_before
from pipeline.weighting import MARGIN_TOLERANCE, off_population

MAX_WEIGHT_RATIO = (
    100.0  # largest over smallest weight: above it, one answer counts more than a hundred others
)
MAX_DEFF = 4.0  # of the weights alone: above it, weighting costs three quarters of the effective sample
MIN_RESPONDENTS_RATIO = 0.5  # respondents, against the edition before
SUM_TOLERANCE = 1e-6  # percentage points: float noise of a sum of shares
MAX_JUMP_POINTS = 15.0  # percentage points between two editions ...
MAX_JUMP_ERRORS = 4.0  # ... and standard errors of the difference, where they are known
ROUNDING = 0.5  # percentage points: published figures are whole percents
MAX_OUTSIDE_SHARE = 0.1  # share of published figures outside the interval: 0.05 is expected
MAX_SHOWN = 10
MAX_NAMED = 3  # cases that a message names
CELL_KEY = ["indicator", "category", "domain", "domain_code"]


@dataclass(frozen=True)
class Finding:
    """The result of a check: whether it passed, a sentence, its numbers; ``rows`` are the worst cases."""

    passed: bool
    message: str
    numbers: Mapping[str, int | float | str] = field(default_factory=dict)
    rows: tuple[Mapping[str, Any], ...] = ()
    severity: Literal["error", "warn"] = "warn"


def contract(
    stored: pd.DataFrame, quarantine: pd.DataFrame | None, wave: Wave, catalogue: Catalogue
) -> Finding:
    """A harmonised wave holds only declared columns and codes, and few rows had to be left out.

    ``quarantine`` is None for published figures.
    """
    try:
        _, bad = validate(stored, _schema(stored, wave, catalogue))
    except ProblemError as error:
        return Finding(False, str(error), severity="error")
    quarantined = 0 if quarantine is None else int(quarantine["row"].nunique())
    share = quarantined / max(len(stored) + quarantined, 1)
    most = catalogue.barometer.validation.max_quarantined
    numbers = {
        "rows": len(stored),
        "broken rules": len(bad),
        "quarantined": quarantined,
        "share quarantined": share,
    }
    passed = not len(bad) and share <= most
    message = (
        f"{counted(len(stored), 'row')}, {counted(len(bad), 'broken rule')}, {share:.1%} quarantined "
        f"(at most {most:.1%})"
    )
    cases = bad.groupby(["column", "rule"], sort=False).size().rename("count").reset_index()
    return Finding(passed, message, numbers, _rows(cases), severity="error")


def quarantine(report: Mapping[str, Any], rows: pd.DataFrame) -> Finding:
    """No row was set aside; else how many, and of which columns and rules: never which answers."""
    broken = rows.groupby(["column", "rule"], sort=True)["row"].nunique().rename("rows").reset_index()
    numbers = {"rows": int(report["rows"]), "set aside": int(report["quarantined"])}
    message = f"{numbers['set aside']} of {counted(numbers['rows'], 'row')} set aside"
    if len(broken):
        cases = [f"{row['column']} {row['rule']} ({row['rows']})" for row in _rows(broken)]
        message += f": {', '.join(cases)}; microdata.quarantine in the warehouse lists them"
    return Finding(not report["quarantined"], message, numbers, _rows(broken))


def contract_problem(wave: str, message: str) -> Problem:
    """The problem of a wave whose harmonised answers break their contract, by what the check has found."""
    return wave_problem(
        wave,
        "",
        f"harmonised_wave breaks its contract: {message}",
        "Compare the wave's crosswalk and raw file with the codebook.",
    )


def _schema(stored: pd.DataFrame, wave: Wave, catalogue: Catalogue) -> Any:
    if not wave.is_microdata:
        return pandera_schema("figures")
    replicates = sum(str(name).startswith("replicate_") for name in stored)
    return compiled(microdata_schema(catalogue, wave, replicates))


def weights(report: Mapping[str, Any]) -> Finding:
    """Weights are positive and not extreme, meet every margin and add up to the declared population."""
    margins = report["margins"]
    missed = [margin for margin in margins if _gap(margin) > MARGIN_TOLERANCE]
    measured = {key: report[key] for key in ("min", "max", "ratio", "deff", "effective_n")}
    weight, population = float(report["sum"]), report["population"]
    off = off_population(weight, population)
    numbered = [] if not report["numbered"] else ["design.weight"]
    numbered += [f"design.weights.{name}" for name, own in report["weights"].items() if own["numbered"]]
    strata, scaled = int(report["off_strata"]), bool(report.get("scaled_to_sample"))
    extreme = report["min"] <= 0 or report["ratio"] > MAX_WEIGHT_RATIO or report["deff"] > MAX_DEFF
    message = (
        f"weights from {report['min']:.3g} to {report['max']:.3g} (ratio {report['ratio']:.3g}), "
        f"deff {report['deff']:.3g}"
        + (f", {len(missed)} of {counted(len(margins), 'margin')} not met" if margins else "")
        + (f"; they add up to {weight:.10g}, response.population says {population}" if off else "")
        + ("; totals count no more units than answered: declare response.population" if scaled else "")
        + (f"; {', '.join(numbered)} are consecutive whole numbers, as identifiers are" if numbered else "")
        + (f"; in {counted(strata, 'stratum', 'strata')} they are not of its population" if strata else "")
    )
    severity: Literal["error", "warn"] = "error" if missed or report["min"] <= 0 else "warn"
    return Finding(
        not (missed or extreme or off or strata or scaled or numbered),
        message,
        measured,
        tuple(missed[:MAX_SHOWN]),
        severity,
    )


def _gap(margin: Mapping[str, Any]) -> float:
    return abs(float(margin["reached"]) / float(margin["total"]) - 1)


def coverage(
    questions_asked: Collection[str], n: int, questions_before: Collection[str] | None, n_before: int | None
) -> Finding:
    """A wave asks what the edition before asked, of a comparable number; None: there is no edition before."""
    if questions_before is None:
        return Finding(
            True,
            f"{counted(len(questions_asked), 'question')} asked; there is no earlier edition to compare with",
            {"asked": len(questions_asked)},
        )
    dropped = sorted(set(questions_before) - set(questions_asked))
    added = sorted(set(questions_asked) - set(questions_before))
    few = n_before is not None and n < MIN_RESPONDENTS_RATIO * n_before
    message = (
        f"{counted(len(dropped), 'question')} no longer asked: {', '.join(dropped)}"
        if dropped
        else "every question is asked again"
    )
    if few:
        message += f"; only {counted(n, 'respondent')}, against {n_before} before"
    numbers: dict[str, int | float | str] = {
        "asked": len(questions_asked),
        "no longer asked": ", ".join(dropped) or "none",
    }
    return Finding(not dropped and not few, message, numbers | {"new": ", ".join(added) or "none"})


def labels(report: Mapping[str, Any]) -> Finding:
    """The labels of a labelled file say what its codes and columns are mapped to, each of them once."""
    compared, doubts = report["labels"]["compared"], report["labels"]["doubts"]
    numbers = {"compared": compared, "doubtful": len(doubts)}
    if not doubts:
        return Finding(True, f"{counted(compared, 'label')} of the file agree with the codebook", numbers)
    message = f"{counted(len(doubts), 'label')} of the file unlike the codebook's words, or there twice: "
    message += "; ".join(doubts[:MAX_NAMED]) + ("; ..." if len(doubts) > MAX_NAMED else "")
    message += ". Confirm the lines in their note, or give the questionnaire's [wording]"
    return Finding(False, message, numbers)


def nothing_ticked(report: Mapping[str, Any], catalogue: Catalogue) -> Finding:
    """Where nothing of a multiple question is ticked, somebody has said what that means, or an item tells."""
    counts: Mapping[str, int] = report["nothing_ticked"]
    doubtful = [key for key in counts if is_doubtful(catalogue.questions[key])]
    numbers = {f"nothing ticked of {key}": rows for key, rows in counts.items()}
    if not doubtful:
        return Finding(True, "no row with nothing ticked is in doubt", numbers)
    cases = "; ".join(f"{key} in {counted(counts[key], 'row')}" for key in doubtful[:MAX_NAMED])
    message = f"nothing is ticked of {cases}{'; ...' if len(doubtful) > MAX_NAMED else ''}, and no item says "
    message += "that nothing applies: taken as no answer. Declare nothing_ticked in the codebook"
    return Finding(False, message, numbers)


def questions(wave: Wave, catalogue: Catalogue) -> set[str]:
    """The questions that a microdata wave's crosswalk fills, in whole or in part."""
    return {
        catalogue.question_of(name).key
        for name in catalogue.mapped_variables(wave)
        if name not in catalogue.variables
    }


def shares(estimates: pd.DataFrame, catalogue: Catalogue) -> Finding:
    """The shares of a single-choice question sum to 100 in every cell estimated from microdata."""
    whole = [key for key, made in catalogue.indicators.items() if made.question and not made.codes]
    single = [
        key for key in whole if catalogue.questions[catalogue.indicators[key].question or ""].type == "single"
    ]
    valued = estimates[estimates["value"].notna() & (estimates["source_kind"] == "microdata")]
    rows = valued[valued["indicator"].isin(single)]
    sums = (
        rows.groupby(["wave", "indicator", "domain", "domain_code"], sort=False)["value"].sum().reset_index()
    )
    wrong = sums[(sums["value"] - 100).abs() > SUM_TOLERANCE]
    message = f"the shares of {len(wrong)} of {counted(len(sums), 'cell')} do not sum to 100"
    return Finding(
        wrong.empty, message, {"cells": len(sums), "off": len(wrong)}, _rows(wrong), severity="error"
    )


def jumps(estimates: pd.DataFrame, catalogue: Catalogue) -> Finding:
    """No share of a whole survey moves between two editions by more than sampling error makes plausible."""
    before = {
        key: earlier.key
        for key, wave in catalogue.waves.items()
        if (earlier := edition_before(wave, catalogue))
    }
    total = estimates[(estimates["domain"] == catalogue.total.key) & (estimates["unit_measure"] == "percent")]
    now = total.assign(before=total["wave"].map(before)).dropna(subset=["before", "value"])
    pairs = now.merge(
        total, left_on=["before", *CELL_KEY], right_on=["wave", *CELL_KEY], suffixes=("", "_before")
    )
    pairs = pairs.dropna(subset=["value_before"])
    difference = (pairs["value"] - pairs["value_before"]).astype(float)
    error = (pairs["se"].astype(float) ** 2 + pairs["se_before"].astype(float) ** 2).fillna(0.0) ** 0.5
    jumped = pairs.assign(difference=difference)[
        (difference.abs() > MAX_JUMP_POINTS) & (difference.abs() > MAX_JUMP_ERRORS * error)
    ]
    worst = jumped.sort_values("difference", key=lambda column: -column.abs(), kind="stable")
    shown = worst[["wave", "before", "indicator", "category", "value_before", "value", "difference"]]
    compared = counted(len(pairs), "share")
    message = f"{len(jumped)} of {compared} moved by more than {MAX_JUMP_POINTS:g} points between editions"
    message += _worst_case(shown, "value_before")
    return Finding(jumped.empty, message, {"compared": len(pairs), "jumps": len(jumped)}, _rows(shown))


def agreement(estimates: pd.DataFrame, catalogue: Catalogue) -> Finding:
    """Estimates from microdata agree with the figures published of the same survey and edition."""
    survey = {key: f"{wave.country} {wave.survey} {wave.edition}" for key, wave in catalogue.waves.items()}
    valued = estimates[estimates["value"].notna() & (estimates["unit_measure"] == "percent")]
    valued = valued.assign(described=valued["wave"].map(survey))
    valued = valued[~(valued["n"] < catalogue.barometer.disclosure.min_n).fillna(False)]
    measured, printed = (valued[valued["source_kind"] == kind] for kind in ("microdata", "figures"))
    pairs = measured.merge(printed, on=["described", *CELL_KEY], suffixes=("", "_figure"))
    low = pairs["ci_low"].astype(float).fillna(pairs["value"]) - ROUNDING
    high = pairs["ci_high"].astype(float).fillna(pairs["value"]) + ROUNDING
    outside = pairs[(pairs["value_figure"] < low) | (pairs["value_figure"] > high)]
    outside = outside.assign(difference=outside["value"] - outside["value_figure"])
    worst = outside.sort_values("difference", key=lambda column: -column.abs(), kind="stable")
    shown = worst[["wave", "wave_figure", *CELL_KEY, "value", "value_figure", "difference"]]
    message = (
        f"{len(outside)} of {counted(len(pairs), 'published figure')} outside the interval of the estimate"
    )
    message += _worst_case(shown, "value_figure")
    numbers = {"compared": len(pairs), "outside": len(outside)}
    return Finding(len(outside) <= MAX_OUTSIDE_SHARE * len(pairs), message, numbers, _rows(shown))


def disclosure(audits: Mapping[str, Mapping[str, Any]], sums: Mapping[str, str]) -> Finding:
    """Every candidate is unchanged since its disclosure audit, by package.

    ``sums`` are the current hashes of their SHA256SUMS. A candidate that fails the audit is never written.
    """
    others = [package for package, audited in audits.items() if sums[package] != audited["sha256sums"]]
    numbers = {
        f"{word} in {package}": value
        for package, audited in audits.items()
        for word, value in audited["audit"].items()
        if isinstance(value, (int, float, str))
    }
    packages = counted(len(audits), "package")
    message = f"{len(audits) - len(others)} of {packages} unchanged since the disclosure audit"
    message += f"; changed: {', '.join(others)}" if others else ""
    return Finding(not others, message, numbers, severity="error")


def package(problems: Mapping[str, Sequence[Problem]]) -> Finding:
    """Every candidate is as it passed its validation; the problems by package."""
    found = [str(problem) for each in problems.values() for problem in each]
    message = (f"{counted(len(problems), 'package')}, {counted(len(found), 'problem')}") + (
        f": {'; '.join(found[:MAX_SHOWN])}" if found else ""
    )
    return Finding(not found, message, {"packages": len(problems), "problems": len(found)}, severity="error")


def _worst_case(worst: pd.DataFrame, other: str) -> str:
    """The worst case in words."""
    if worst.empty:
        return ""
    row = worst.iloc[0]
    case = " ".join(row[["wave", "indicator", "category"]])
    return f"; the largest difference: {case}, {row['value']:.0f} against {row[other]:.0f}"


def _rows(frame: pd.DataFrame) -> tuple[Mapping[str, Any], ...]:
    """The first rows of a frame as records; frames given here hold counts and estimates, never microdata."""
    return tuple(
        {str(key): value for key, value in row.items()} for row in frame.head(MAX_SHOWN).to_dict("records")
    )
