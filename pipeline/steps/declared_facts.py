"""Checks of what is declared of a wave against what its data hold.

Pure functions on reports and declarations, as in ``quality``; each returns a ``Finding``. A contradiction
that makes a published number wrong is a problem and stops the wave where it is read; here belongs what may be
right all the same, and somebody has to look at or to declare.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

from pipeline.catalogue import Catalogue, Wave
from pipeline.problems import counted
from pipeline.steps.quality import MAX_SHOWN, Finding

Report = Mapping[str, Any]
Held = Mapping[str, Mapping[str, int]]  # background variable -> code -> units
BALANCED = 4  # the order of a Hadamard matrix, by which half samples are balanced, is a multiple of it
FEW_LONELY = 3  # strata of one sampling unit that may count as certain without a word ...
LONELY_SHARE = 0.05  # ... and their share of the weights
EXPECTED = 10.0  # units of a code that a sample would hold if it were drawn like the other


def response(report: Report, wave: Wave) -> Finding:
    """As many units answered as the wave file says."""
    declared, rows = wave.response.respondents, int(report["kept"]) + int(report["quarantined"])
    if declared is None:
        return Finding(True, f"{counted(rows, 'row')}; response.respondents is not declared", {"rows": rows})
    message = f"{counted(rows, 'row')}, and response.respondents is {declared}"
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


def outliers(report: Report) -> Finding:
    """No number is so far from the others that its unit may be another one, as thousands for ones."""
    found: Mapping[str, int] = report["outliers"]
    named = [f"{question} in {counted(rows, 'row')}" for question, rows in found.items()]
    message = "no number is a thousand times the median of its question, or a thousandth of it"
    if named:
        message = (
            f"numbers of more than a thousand times the median, or less than a thousandth of it: "
            f"{', '.join(named)}; see whether they are in another unit, and declare minimum and maximum"
        )
    return Finding(not named, message, dict(found))


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
    message = f"{lonely} of {counted(report['strata'], 'stratum')} have one sampling unit".replace(
        "stratums", "strata"
    )
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

    ``unsettled`` are the pairs whose ids overlap and are a run of numbers: they may be the same units or not.
    """
    named = [f"{a} and {b}" for a, b in unsettled[:MAX_SHOWN]]
    message = "of every two waves of a survey it is known whether the same units answered"
    if named:
        message = (
            f"{', '.join(named)} have the same numbers as ids, which may be the same units or not: declare "
            "panel = true (the error of a difference is not that of independent samples) or panel = false"
        )
    return Finding(not named, message, {"pairs": len(unsettled)})


def survey_pairs(waves: Sequence[Wave]) -> list[tuple[Wave, Wave]]:
    """Every two microdata waves of one survey and status."""
    return [
        (a, b)
        for a, b in combinations([wave for wave in waves if wave.is_microdata], 2)
        if (a.survey, a.status) == (b.survey, b.status)
    ]
