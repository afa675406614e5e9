"""A wave's weighting against its design, its margins and its files of counts."""

from __future__ import annotations

import math
from collections.abc import Iterator

from pipeline.catalogue.counts import read_population, read_totals
from pipeline.catalogue.fieldwork import Design, Wave, Weighting
from pipeline.catalogue.hints import did_you_mean
from pipeline.catalogue.model import Catalogue
from pipeline.catalogue.questionnaire import IGNORE
from pipeline.problems import Problem, ProblemError, wave_problem

FIGURES_ONLY = "unspecified"  # a fact about published figures, not a method of weighting


def check_weighting(wave: Wave, catalogue: Catalogue) -> Iterator[Problem]:
    """Problems of a microdata wave that has both a design and a weighting."""
    design, weighting = wave.design, wave.weighting
    assert design is not None and weighting is not None
    if weighting.method == FIGURES_ONLY:
        hint = "Use given, design (from the sample design), poststratify, rake, linear, logit or none."
        yield wave_problem(
            wave.key, "weighting.method", "is for published figures only", hint, weighting.method
        )
    if weighting.method == "given" and not design.delivered:
        hint = 'Add weight = "COLUMN" or probability = "COLUMN" to [design].'
        yield wave_problem(wave.key, "weighting.method", "needs a delivered weight", hint, "given")
    if weighting.method == "design" and not (design.delivered or design.population):
        hint = "Add population (a file of counts) or weight (a column) to [design]; "
        hint += (
            'method = "none" counts every unit 1. Where all of them answered add census = true to [design].'
        )
        yield wave_problem(
            wave.key, "weighting.method", "needs population counts or a delivered weight", hint, "design"
        )
    if design.weight and design.probability:
        hint = "Keep one of the two: a weight is 1/p, or made from it."
        yield wave_problem(wave.key, "design.probability", "stands beside a weight", hint, design.probability)
    yield from _unweighted(wave, design, weighting)
    if weighting.scale:
        yield from _scale(wave, design, weighting)
    if design.population:
        try:
            read_population(wave, catalogue.root)
        except ProblemError as error:
            yield from error.problems
    if weighting.calibrates:
        yield from _margins(wave, catalogue)
    elif weighting.margins or weighting.totals or weighting.bounds or weighting.trim:
        hint = "Remove margins, totals, bounds and trim, or choose poststratify, rake, linear or logit."
        yield wave_problem(wave.key, "weighting", f"the method {weighting.method} has no margins", hint)


def _unweighted(wave: Wave, design: Design, weighting: Weighting) -> Iterator[Problem]:
    """Weights, counts or probabilities beside the statement that every unit counts 1."""
    unweighted = weighting.method == "none"
    if design.census and not unweighted:
        hint = 'Write method = "none": every unit of a census counts 1; or remove census.'
        yield wave_problem(
            wave.key, "design.census", "goes with the method none only", hint, weighting.method
        )
    replicates = design.replicate_weights
    for name, there in (
        ("weight", design.weight),
        ("probability", design.probability),
        ("population", design.population),
        ("replicate_weights", replicates.columns if replicates else ""),
    ):
        if there and (unweighted or design.census):
            hint = (
                "Remove it: everybody in a census was asked, and counts 1."
                if design.census
                else 'Remove it to count every unit 1, or write method = "given" or "design".'
            )
            yield wave_problem(wave.key, f"design.{name}", "would be left aside", hint, there)
    if design.weights and design.census:
        # Who has none may not have been asked: then nothing says how that part was drawn.
        hint = "Remove them, or remove census and give population per stratum."
        named = ", ".join(design.weights)
        yield wave_problem(wave.key, "design.weights", "do not go with a census", hint, named)


def _scale(wave: Wave, design: Design, weighting: Weighting) -> Iterator[Problem]:
    """What keeps delivered weights from being brought to the population."""
    key = "weighting.scale"
    if not design.delivered or weighting.calibrates:
        hint = "Remove it: counts and margins make weights of the population."
        yield wave_problem(wave.key, key, "is for delivered weights only", hint, weighting.scale)
    elif not wave.response.population:
        hint = "Add population = N to [response]."
        yield wave_problem(wave.key, key, "needs response.population", hint, weighting.scale)


def check_weighting_fact(wave: Wave, catalogue: Catalogue) -> Iterator[Problem]:
    """Problems of the weighting that a wave of published figures states as a fact."""
    weighting = wave.weighting
    if weighting is None:
        return
    if weighting.totals or weighting.bounds or weighting.trim or weighting.scale:
        hint = "Keep method and margins only: published figures are not weighted again."
        yield wave_problem(
            wave.key,
            "weighting",
            "has totals, bounds, trim or scale, which published figures cannot have",
            hint,
        )
    for name in dict.fromkeys(name for margin in weighting.margins for name in margin):
        if name not in catalogue.variables:
            hint = (
                f"Name a background variable of codebook.toml.{did_you_mean(name, list(catalogue.variables))}"
            )
            yield wave_problem(wave.key, "weighting.margins", "is not known", hint, name)


def _margins(wave: Wave, catalogue: Catalogue) -> Iterator[Problem]:
    weighting = wave.weighting
    assert weighting is not None
    if not weighting.margins or not weighting.totals:
        hint = 'Add margins = [["variable"]] and totals = "FILE.csv".'
        yield wave_problem(wave.key, "weighting", f"{weighting.method} needs margins and their totals", hint)
        return
    if weighting.method == "poststratify" and len(weighting.margins) != 1:
        hint = 'Cross the variables in one margin, as [["a", "b"]], or choose rake.'
        yield wave_problem(
            wave.key,
            "weighting.margins",
            "must be one margin for post-stratification",
            hint,
            str(len(weighting.margins)),
        )
    yield from _limits(wave, weighting)
    unknown = False
    crosswalk = (
        catalogue.instruments[wave.instrument].crosswalk if wave.instrument in catalogue.instruments else ()
    )
    mapped = {row.variable for row in crosswalk if row.code != IGNORE}
    numbers = numeric_margins(wave, catalogue)
    if numbers and weighting.method == "poststratify":
        hint = "Choose linear, rake or logit: post-strata are of codes."
        yield wave_problem(
            wave.key, "weighting.margins", "is a number, for post-stratification", hint, ", ".join(numbers)
        )
    elif len(numbers) == len(weighting.margins):
        hint = 'Add a margin of codes, as ["sector"]: it says how many there are.'
        yield wave_problem(wave.key, "weighting.margins", "are numbers only", hint, ", ".join(numbers))
    for name in dict.fromkeys(name for margin in weighting.margins for name in margin):
        if name not in catalogue.variables and name not in numbers:
            question = catalogue.questions.get(name)
            hint = (
                f"Name a background variable of codebook.toml.{did_you_mean(name, list(catalogue.variables))}"
            )
            message = "is not known"
            if question is not None and question.type == "numeric":
                message, hint = "is a number beside other variables", f'Write it alone, as ["{name}"].'
            yield wave_problem(wave.key, "weighting.margins", message, hint, name)
            unknown = True
        elif crosswalk and name not in mapped:
            hint = f"Map it in schemas/instruments/{wave.instrument}.csv."
            yield wave_problem(
                wave.key, "weighting.margins", "is not mapped by the wave's questionnaire", hint, name
            )
    if not unknown:
        yield from _totals(wave, catalogue)


def numeric_margins(wave: Wave, catalogue: Catalogue) -> list[str]:
    """The margins that are a numeric question, alone."""
    margins = wave.weighting.margins if wave.weighting else ()
    return [
        margin[0]
        for margin in margins
        if len(margin) == 1
        and margin[0] in catalogue.questions
        and catalogue.questions[margin[0]].type == "numeric"
    ]


def _limits(wave: Wave, weighting: Weighting) -> Iterator[Problem]:
    """Bounds and trim that no weights can keep."""
    if weighting.method == "logit" and not weighting.bounds:
        hint = "Add bounds = [0.3, 3.0]: the smallest and the largest factor of a start weight."
        yield wave_problem(wave.key, "weighting.bounds", "is missing for the method logit", hint)
    for name, limits, what in (
        ("bounds", weighting.bounds, "Bounds limit calibrated weight divided by start weight"),
        ("trim", weighting.trim, "Trim limits weight divided by mean weight"),
    ):
        if limits and not 0 <= limits[0] < 1 < limits[1]:
            hint = f"{what}: write a number from 0 to below 1, then one above 1."
            yield wave_problem(wave.key, f"weighting.{name}", "does not include 1", hint, str(list(limits)))


def _totals(wave: Wave, catalogue: Catalogue) -> Iterator[Problem]:
    weighting = wave.weighting
    assert weighting is not None
    file = f"warehouse/raw/{weighting.totals}"
    try:
        totals = read_totals(wave, catalogue.root)
    except ProblemError as error:
        yield from error.problems
        return
    declared = {"*".join(margin): margin for margin in weighting.margins}
    numbers = numeric_margins(wave, catalogue)
    for name in totals:
        if name not in declared:
            hint = f"Add it to weighting.margins, or remove its rows.{did_you_mean(name, list(declared))}"
            yield Problem(file, "margin", "is not a margin of the wave", hint, name, wave.key)
    sums = {}
    for name, margin in declared.items():
        if name not in totals:
            yield wave_problem(
                wave.key, "weighting.margins", "has no totals", f"Add its rows to {file}.", name
            )
            continue
        if name in numbers:
            if list(totals[name]) != [""]:
                hint = "Write one row: its sum over the population, the code left blank."
                yield Problem(
                    file, name, "is a number, and has codes", hint, ", ".join(totals[name]), wave.key
                )
            continue
        sums[name] = math.fsum(totals[name].values())
        for code in totals[name]:
            codes = code.split("*")
            if len(codes) != len(margin) or any(
                part not in catalogue.variables[variable].codes
                for part, variable in zip(codes, margin, strict=False)
            ):
                hint = f"Use codes of {name}, joined by * where a margin has several variables."
                yield Problem(file, name, "is not a code of the margin", hint, code, wave.key)
            elif any(
                part not in wave.scope.get(variable, (part,))
                for part, variable in zip(codes, margin, strict=True)
            ):
                hint = "Remove the row, or widen [scope]: margins count the wave's scope only."
                yield Problem(file, name, "is outside the wave's scope", hint, code, wave.key)
    if sums and max(sums.values()) - min(sums.values()) > 1e-6 * max(sums.values()):
        populations = ", ".join(f"{name} {total:g}" for name, total in sums.items())
        yield Problem(
            file,
            "total",
            "has margins that add up to different populations",
            "Correct the totals.",
            populations,
            wave.key,
        )
