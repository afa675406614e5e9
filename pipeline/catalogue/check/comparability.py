"""comparability.toml: every rule names a known fact, state, question and indicator, and can hold."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pipeline.catalogue.comparability import NUMBERS, OWN_FACTS, PAIR_FACTS, Composition, Rule
from pipeline.catalogue.fieldwork import Wave
from pipeline.catalogue.hints import hint
from pipeline.catalogue.model import Catalogue
from pipeline.faults import Fault

FILE = "schemas/comparability.toml"


def check_comparability(catalogue: Catalogue) -> Iterator[Fault]:
    """Rules and compositions of the barometer's own, and the errata of every wave."""
    declared = catalogue.comparability
    if declared.own:
        for rule in declared.rules.values():
            yield from _rule(rule, catalogue)
        for made in declared.compositions.values():
            yield from _composition(made, catalogue)
        yield from _named("breakdowns", declared.breakdowns, list(catalogue.domains), "a breakdown")
    for wave in catalogue.waves.values():
        yield from _errata(wave, catalogue)


def _rule(rule: Rule, catalogue: Catalogue) -> Iterator[Fault]:
    place = f"rules.{rule.key}"
    known = {"apart": NUMBERS, "pair": tuple(PAIR_FACTS)}.get(rule.kind, OWN_FACTS)
    if rule.fact not in known:
        mend = f"With kind {rule.kind}, use one of {', '.join(known)}.{hint(rule.fact, known)}"
        yield Fault(FILE, f"{place}.fact", "is no fact of this kind of rule", mend, rule.fact)
        return
    if rule.kind == "pair":
        yield from _named(f"{place}.values", rule.values, PAIR_FACTS[rule.fact], "a state of the pair")
    if rule.kind in ("either", "pair") and not rule.values:
        yield Fault(FILE, f"{place}.values", "is missing", 'Add values = ["..."]: what the rule looks for.')
    if rule.kind == "apart" and rule.at_least <= 0:
        yield Fault(FILE, f"{place}.at_least", "is missing", "Add at_least = NUMBER, above 0.")
    yield from _named(f"{place}.questions", rule.questions, list(catalogue.questions), "a question")
    for key in ("indicators", "except_indicators"):
        yield from _named(f"{place}.{key}", getattr(rule, key), list(catalogue.indicators), "an indicator")
    yield from _named(f"{place}.bases", rule.bases, list(catalogue.bases), "a base")


def _named(place: str, names: Sequence[str], known: Sequence[str], what: str) -> Iterator[Fault]:
    for name in names:
        if name not in known:
            mend = (
                f"Use one of {', '.join(known[:12])}{' ...' if len(known) > 12 else ''}.{hint(name, known)}"
            )
            yield Fault(FILE, place, f"is not {what}", mend, name)


def _composition(made: Composition, catalogue: Catalogue) -> Iterator[Fault]:
    place = f"compositions.{made.key}"
    if made.variable not in catalogue.variables:
        mend = f"Name a background variable of codebook.toml.{hint(made.variable, list(catalogue.variables))}"
        yield Fault(FILE, f"{place}.variable", "is not known", mend, made.variable)
        return
    yield from _named(f"{place}.indicators", made.indicators, list(catalogue.indicators), "an indicator")
    codes = list(catalogue.variables[made.variable].codes)
    yield from _named(f"{place}.shares", list(made.shares), codes, f"a code of {made.variable}")
    if not any(domain.by == (made.variable,) for domain in catalogue.domains.values()):
        mend = f'Add [domains.{made.variable}] by = ["{made.variable}"] to domains.toml.'
        yield Fault(FILE, f"{place}.variable", "has no breakdown of its own", mend, made.variable)


def _errata(wave: Wave, catalogue: Catalogue) -> Iterator[Fault]:
    for number, erratum in enumerate(wave.errata, start=1):
        place = f"erratum[{number}]"

        def fault(key: str, message: str, mend: str, value: str, place: str = place) -> Fault:
            file = f"schemas/waves/{wave.key}.toml"
            return Fault(file, f"{place}.{key}", message, mend, value, wave.key)

        if wave.is_microdata:
            mend = "Errata are of published figures; a known error in microdata is a [[correction]]."
            yield fault("indicator", "stands in a wave of microdata", mend, erratum.indicator)
        if erratum.indicator not in catalogue.indicators:
            mend = f"Name an indicator.{hint(erratum.indicator, list(catalogue.indicators))}"
            yield fault("indicator", "is not known", mend, erratum.indicator)
        if erratum.domain not in catalogue.domains:
            mend = f"Name a breakdown of domains.toml.{hint(erratum.domain, list(catalogue.domains))}"
            yield fault("domain", "is not known", mend, erratum.domain)
        if erratum.was == erratum.now:
            yield fault("now", "is the value it replaced", "Write both values.", f"{erratum.now:g}")
        if erratum.corrected > catalogue.barometer.released:
            mend = f"Mend the date, or released = {catalogue.barometer.released} in barometer.toml."
            yield fault("corrected", "is after the release", mend, str(erratum.corrected))
