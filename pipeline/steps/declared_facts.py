"""Checks of what is declared of a wave against what its data hold.

Pure functions on reports and declarations, as in ``quality``; each returns a ``Finding``. A contradiction
that makes a published number wrong is a problem and stops the wave where it is read; here belongs what may be
right all the same, and somebody has to look at or to declare.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import combinations
from typing import Any

import pandas as pd

from pipeline.catalogue import Catalogue, Wave
from pipeline.problems import counted
from pipeline.staleness.findings import WAVE_CHECKS
from pipeline.staleness.outputs import wave_report
from pipeline.steps import quality
from pipeline.steps.quality import MAX_SHOWN, Finding

Report = Mapping[str, Any]
Held = Mapping[str, Mapping[str, int]]  # background variable -> code -> units
BALANCED = 4  # the order of a Hadamard matrix, by which half samples are balanced, is a multiple of it
MOST_CONTRADICTIONS = 0.05  # of those not asked: as many answer all the same by mistake
FEW_LONELY = 3  # strata of one sampling unit that may count as certain without a word ...
LONELY_SHARE = 0.05  # ... and their share of the weights
COPIED = 0.9  # of the units: as many do not answer everything alike in two waves
FEWEST_ROWS = 20  # different rows among those: fewer are alike by chance
EXPECTED = 10.0  # units of a code that a sample would hold if it were drawn like the other


def response(report: Report, wave: Wave) -> Finding:
    """As many units answered as the wave file says."""
    declared, rows = wave.response.respondents, int(report["kept"]) + int(report["quarantined"])
    if declared is None:
        return Finding(True, f"{counted(rows, 'row')}; response.respondents is not declared", {"rows": rows})
    message = f"{counted(rows, 'row')}, and response.respondents is {declared}"
    if left_out := int(report["rows"]) - rows:
        message = (
            f"{counted(rows, 'row')} besides {left_out} left out, and response.respondents is {declared}"
        )
    if declared != rows:
        message += ": correct it, or see whether rows are missing from the file or belong to another wave"
    return Finding(declared == rows, message, {"rows": rows, "respondents": declared})


def item_nonresponse(report: Report, wave: Wave, catalogue: Catalogue) -> Finding:
    """No published base lost more of those asked than ``validation.max_item_nonresponse``."""
    most = catalogue.barometer.validation.max_item_nonresponse
    used = {key for each in catalogue.indicators.values() for key in catalogue.questions_of(each)}
    rows = []
    for name, counts in report["item_nonresponse"].items():
        lost = counts["nonresponse"] + counts["no_answer"]
        if name.partition(".")[0] in used and lost > most * counts["asked"]:
            rows.append({"question": name, **counts, "share": lost / counts["asked"]})
    rows.sort(key=lambda row: -row["share"])
    message = f"{counted(len(rows), 'base')} lost more than {most:.0%} of those asked"
    if rows:
        named = [
            f"{row['question']} ({row['answered']} of {row['asked']} answered)" for row in rows[:MAX_SHOWN]
        ]
        message += f": {', '.join(named)}{' ...' if len(rows) > MAX_SHOWN else ''}"
        message += "; see the crosswalk's blanks and the question's base, or say so in the indicator's note"
    return Finding(not rows, message, {"bases": len(rows)}, tuple(rows[:MAX_SHOWN]))


def routing(report: Report, catalogue: Catalogue) -> Finding:
    """Few of those to whom a question was not put, by its base, have answered it."""
    asked: Mapping[str, Mapping[str, int]] = report["item_nonresponse"]
    rows = []
    for question, answered in report["contradictions"].items():
        outside = max(
            counts["not_asked"] for name, counts in asked.items() if name.partition(".")[0] == question
        )
        if answered > MOST_CONTRADICTIONS * outside:
            rows.append({"question": question, "answered": answered, "not asked": outside})
    rows.sort(key=lambda row: -int(row["answered"]))
    message = "hardly anybody answered a question that was not put to them"
    if rows:
        named = [
            f"{row['question']} ({row['answered']} of {row['not asked']}; base "
            f"{catalogue.questions[str(row['question'])].base})"
            for row in rows[:MAX_SHOWN]
        ]
        message = (
            f"answers of those whom the base does not hold for are left out: {', '.join(named)}"
            f"{' ...' if len(rows) > MAX_SHOWN else ''}; correct the base, or the crosswalk of its questions"
        )
    return Finding(not rows, message, {"questions": len(rows)}, tuple(rows[:MAX_SHOWN]))


def outliers(report: Report) -> Finding:
    """No number is so far from the others that its unit may be another one, as thousands for ones, or that it
    may be a code such as 999.
    """
    found: Mapping[str, int] = report["outliers"]
    named = [f"{question} in {counted(rows, 'row')}" for question, rows in found.items()]
    message = "no number is a thousand times the median of its question, or a thousandth of it"
    if named:
        message = (
            f"numbers of more than a thousand times the median, or less than a thousandth of it: "
            f"{', '.join(named)}; see whether they are in another unit, and declare minimum and maximum"
        )
    codes = [
        f"{column} {text} in {counted(rows, 'row')}"
        for column, texts in report["suspected_codes"].items()
        for text, rows in texts.items()
    ]
    if codes:
        said = f"taken as numbers, and maybe codes of no answer: {', '.join(codes[:MAX_SHOWN])}"
        said += "; give each a line of the crosswalk with no_answer, or confirm the line that takes them"
        message = f"{message}; {said}" if named else said
    return Finding(not (named or codes), message, dict(found))


def thousands(report: Report, wave: Wave) -> Finding:
    """No column of numbers may be read as a thousandth of what it holds: 1.500 as 1.5."""
    found: Sequence[str] = report["thousands"]
    message = "no decimal mark may be one between thousands"
    if found:
        mark = wave.source.decimal
        other = "." if mark == "," else ","
        message = (
            f"every number of {', '.join(found)} with a {mark!r} has exactly three digits after it, and is "
            f"read with decimals: if it parts thousands, declare source.thousands = {mark!r} and "
            f"decimal = {other!r}; if not, thousands = '', or begin the note of the column's line in the "
            "crosswalk with confirmed"
        )
    return Finding(not found, message, {"columns": len(found)})


def replicates(report: Report, wave: Wave) -> Finding:
    """Delivered replicate weights are as many as their method makes, no two alike, none the weight itself."""
    declared = wave.design.replicate_weights if wave.design else None
    found = report["replicates"]
    if declared is None:
        return Finding(True, "no replicate weights")
    odd = []
    if declared.method in ("brr", "fay") and found["columns"] % BALANCED:
        odd.append(
            f"a {declared.method} set has a multiple of four: columns may be missing, or too many matched"
        )
    if found["repeated"]:
        odd.append(f"{counted(found['repeated'], 'column')} repeat an earlier one")
    if found["equal_to_weight"]:
        odd.append(f"{counted(found['equal_to_weight'], 'column')} hold the weight itself")
    message = f"{found['columns']} replicate weights by {declared.columns}"
    return Finding(not odd, "; ".join([message, *odd]), dict(found))


def lonely_psus(report: Report, wave: Wave, catalogue: Catalogue) -> Finding:
    """How many strata have a single sampling unit, and what was done: few may be taken for certain."""
    if wave.design and wave.design.replicate_weights:
        return Finding(True, "the variance is that of replicate weights")
    lonely, share = int(report["lonely_psus"]), float(report["lonely_share"])
    rule = catalogue.barometer.estimation.lonely_psu
    message = f"{lonely} of {counted(report['strata'], 'stratum', 'strata')} have one sampling unit"
    hidden = rule == "certainty" and (lonely > FEW_LONELY or (lonely > 0 and share > LONELY_SHARE))
    if lonely:
        message += f", {share:.1%} of the weights; estimation.lonely_psu is {rule}"
    if hidden:
        message += ": they add nothing to any standard error. Join strata, or declare adjust or average"
    return Finding(not hidden, message, {"strata": report["strata"], "lonely": lonely, "rule": rule})


def scopes(held: Mapping[str, Held], catalogue: Catalogue) -> Finding:
    """A wave that holds only a part of what comparable waves hold says so in its scope.

    ``held`` are the units by code of every background variable, by wave. A code is missing where a sample as
    large as the wave, drawn like the other wave, would hold ten units of it or more. Where each of two waves
    has a code that the other lacks, they are classified in other ways, and tell nothing of each other; so may
    they be in two countries, unless the wave's own crosswalk has the code. A census lacks only
    what was not there.
    """
    rows: list[dict[str, Any]] = []
    for key, own in held.items():
        if catalogue.waves[key].scope or catalogue.waves[key].is_census:
            continue
        for variable, codes in own.items():
            missing: dict[str, str] = {}
            for other, others in held.items():
                theirs = others.get(variable, {})
                if not set(codes) < set(theirs) or catalogue.waves[other].unit != catalogue.waves[key].unit:
                    continue
                size, units = sum(theirs.values()), sum(codes.values())
                classified = (
                    set(theirs)
                    if catalogue.waves[other].country == catalogue.waves[key].country
                    else _listed(catalogue.waves[key], variable, catalogue)
                )
                for code, count in theirs.items():
                    if code in classified - set(codes) and units * count >= EXPECTED * size:
                        missing.setdefault(code, other)
            if missing:
                codes_held, other = ", ".join(codes), next(iter(missing.values()))
                rows.append({"wave": key, "variable": variable, "holds": codes_held, "other": other})
    message = "every wave holds what comparable waves hold, or declares its scope"
    if rows:
        named = [
            f"{row['wave']} holds {row['variable']} {row['holds']} only, {row['other']} more"
            for row in rows[:MAX_SHOWN]
        ]
        message = f"{'; '.join(named)}: declare scope.{rows[0]['variable']}, or correct the crosswalk"
    return Finding(not rows, message, {"waves": len({row["wave"] for row in rows})}, tuple(rows[:MAX_SHOWN]))


def _listed(wave: Wave, variable: str, catalogue: Catalogue) -> set[str]:
    """The codes of a background variable that a wave's crosswalk gives."""
    crosswalk = catalogue.instruments[wave.instrument].crosswalk
    return {row.code for row in crosswalk if row.variable == variable}


def shared_units(unsettled: Sequence[tuple[str, str]]) -> Finding:
    """Of every two waves of a survey it is known whether units answered in both.

    ``unsettled`` are the pairs whose ids do not tell: they overlap and are a run of numbers, or number rows.
    """
    named = [f"{a} and {b}" for a, b in unsettled[:MAX_SHOWN]]
    message = "of every two waves of a survey it is known whether the same units answered"
    if named:
        message = (
            f"{', '.join(named)} have numbers as ids, which may be the same units or not: declare "
            "panel = true (the error of a difference is not that of independent samples) or panel = false"
        )
    return Finding(not named, message, {"pairs": len(unsettled)})


def is_copy(a: pd.DataFrame, b: pd.DataFrame) -> bool:
    """Whether the answers of two waves, a row a unit, are the same but for a few: of units with the same id
    where most have it, else row by row. Few different rows are alike by chance, and tell nothing.
    """
    columns = [name for name in a if name in b and name not in ("wave", "stratum", "psu")]
    if "unit" in columns and len({*a["unit"]} & {*b["unit"]}) > min(len(a), len(b)) / 2:
        a, b = (frame.set_index("unit") for frame in (a, b))
        both = a.index.intersection(b.index)
        a, b = a.loc[both], b.loc[both]
    elif len(a) != len(b):
        return False
    columns = [name for name in columns if name in a and name != "unit"]
    texts_a, texts_b = (frame[columns].astype("str").to_numpy() for frame in (a, b))
    same = (texts_a == texts_b).all(axis=1)
    different = {tuple(row) for row in texts_a[same]}
    return bool(same.mean() >= COPIED and len(different) >= FEWEST_ROWS)


def copies(found: Sequence[tuple[str, str]]) -> Finding:
    """No two waves of a survey have the same answers."""
    message = "no two waves of a survey have the same answers"
    if found:
        named = "; ".join(f"{a} and {b}" for a, b in found[:MAX_SHOWN])
        message = f"nine in ten units or more gave the same answers to everything in two waves: {named}"
        message += "; one of the files is a copy of the other"
    return Finding(not found, message, {"pairs": len(found)})


def survey_pairs(waves: Sequence[Wave]) -> list[tuple[Wave, Wave]]:
    """Every two microdata waves of one survey and status."""
    return [
        (a, b)
        for a, b in combinations([wave for wave in waves if wave.is_microdata], 2)
        if (a.survey, a.status) == (b.survey, b.status)
    ]


FROM_REPORTS: Mapping[str, Callable[[Report, Wave, Catalogue], Finding]] = {
    "response": lambda report, wave, _: response(report, wave),
    "item_nonresponse": item_nonresponse,
    "routing": lambda report, _, catalogue: routing(report, catalogue),
    "outliers": lambda report, *_: outliers(report),
    "thousands": lambda report, wave, _: thousands(report, wave),
    "labels": lambda report, *_: quality.labels(report),
    "nothing_ticked": lambda report, _, catalogue: quality.nothing_ticked(report, catalogue),
    "weights": lambda report, *_: quality.weights(report),
    "replicates": lambda report, wave, _: replicates(report, wave),
    "lonely_psus": lonely_psus,
}  # the checks of a microdata wave that its step's report is enough for


def judged(check: str, wave: Wave, catalogue: Catalogue) -> Finding:
    """What one of ``FROM_REPORTS`` finds of a microdata wave, by the report of the step that it judges."""
    return FROM_REPORTS[check](wave_report(catalogue.root, WAVE_CHECKS[check], wave.key), wave, catalogue)


def worth_a_look(wave: Wave, catalogue: Catalogue) -> list[str]:
    """The names of the checks of a microdata wave that did not pass, of those its reports tell of."""
    return [check for check in FROM_REPORTS if not judged(check, wave, catalogue).passed]
