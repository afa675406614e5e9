"""comparability.toml: every rule names known facts, states, questions and indicators, and can apply."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pipeline.catalogue.comparability import NUMBERS, OWN_FACTS, PAIR_FACTS, Composition, Rule
from pipeline.catalogue.fieldwork import Wave
from pipeline.catalogue.hints import did_you_mean
from pipeline.catalogue.model import Catalogue
from pipeline.problems import Problem, wave_problem

FILE = "schemas/comparability.toml"


def check_comparability(catalogue: Catalogue) -> Iterator[Problem]:
    """The barometer's own rules and compositions, and the errata of every wave."""
    declared = catalogue.comparability
    if declared.own:
        for rule in declared.rules.values():
            yield from _rule(rule, catalogue)
        for composition in declared.compositions.values():
            yield from _composition(composition, catalogue)
        yield from _known("breakdowns", declared.breakdowns, list(catalogue.domains), "a breakdown")
    for wave in catalogue.waves.values():
        yield from _errata(wave, catalogue)


def _rule(rule: Rule, catalogue: Catalogue) -> Iterator[Problem]:
    path = f"rules.{rule.key}"
    known = {"apart": NUMBERS, "pair": tuple(PAIR_FACTS)}.get(rule.kind, OWN_FACTS)
    if rule.fact not in known:
        hint = f"With kind {rule.kind}, use one of {', '.join(known)}.{did_you_mean(rule.fact, known)}"
        yield Problem(FILE, f"{path}.fact", "is not a fact of this kind of rule", hint, rule.fact)
        return
    if rule.kind == "pair":
        yield from _known(f"{path}.values", rule.values, PAIR_FACTS[rule.fact], "a state of the pair")
    if rule.kind in ("either", "pair") and not rule.values:
        yield Problem(FILE, f"{path}.values", "is missing", 'Add values = ["..."]: what the rule looks for.')
    if rule.kind == "apart" and rule.at_least <= 0:
        yield Problem(FILE, f"{path}.at_least", "is missing", "Add at_least = NUMBER, above 0.")
    yield from _known(f"{path}.questions", rule.questions, list(catalogue.questions), "a question")
    for key in ("indicators", "except_indicators"):
        yield from _known(f"{path}.{key}", getattr(rule, key), list(catalogue.indicators), "an indicator")
    yield from _known(f"{path}.bases", rule.bases, list(catalogue.bases), "a base")


def _known(path: str, names: Sequence[str], known: Sequence[str], what: str) -> Iterator[Problem]:
    for name in names:
        if name not in known:
            hint = (
                f"Use one of {', '.join(known[:12])}{' ...' if len(known) > 12 else ''}."
                f"{did_you_mean(name, known)}"
            )
            yield Problem(FILE, path, f"is not {what}", hint, name)


def _composition(composition: Composition, catalogue: Catalogue) -> Iterator[Problem]:
    path = f"compositions.{composition.key}"
    if composition.variable not in catalogue.variables:
        hint = (
            f"Name a background variable of codebook.toml."
            f"{did_you_mean(composition.variable, list(catalogue.variables))}"
        )
        yield Problem(FILE, f"{path}.variable", "is not known", hint, composition.variable)
        return
    yield from _known(
        f"{path}.indicators", composition.indicators, list(catalogue.indicators), "an indicator"
    )
    codes = list(catalogue.variables[composition.variable].codes)
    yield from _known(f"{path}.shares", list(composition.shares), codes, f"a code of {composition.variable}")
    if not any(domain.by == (composition.variable,) for domain in catalogue.domains.values()):
        hint = f'Add [domains.{composition.variable}] by = ["{composition.variable}"] to domains.toml.'
        yield Problem(FILE, f"{path}.variable", "has no breakdown of its own", hint, composition.variable)


def _errata(wave: Wave, catalogue: Catalogue) -> Iterator[Problem]:
    for number, erratum in enumerate(wave.errata, start=1):
        path = f"erratum[{number}]"

        def problem(key: str, message: str, hint: str, value: str, path: str = path) -> Problem:
            return wave_problem(wave.key, f"{path}.{key}", message, hint, value)

        if wave.is_microdata:
            hint = "Declare a known error in microdata as a [[correction]]; errata are for published figures."
            yield problem("indicator", "is an erratum in a wave of microdata", hint, erratum.indicator)
        if erratum.indicator not in catalogue.indicators:
            hint = f"Name an indicator.{did_you_mean(erratum.indicator, list(catalogue.indicators))}"
            yield problem("indicator", "is not known", hint, erratum.indicator)
        if erratum.domain not in catalogue.domains:
            hint = f"Name a breakdown of domains.toml.{did_you_mean(erratum.domain, list(catalogue.domains))}"
            yield problem("domain", "is not known", hint, erratum.domain)
        if erratum.was == erratum.now:
            yield problem(
                "now",
                "is equal to the value that it replaced",
                "Write the former value as was, the new one as now.",
                f"{erratum.now:g}",
            )
        if erratum.corrected > catalogue.barometer.released:
            hint = f"Correct the date, or released = {catalogue.barometer.released} in barometer.toml."
            yield problem("corrected", "is after the release", hint, str(erratum.corrected))
