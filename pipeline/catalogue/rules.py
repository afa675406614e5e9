"""Reads comparability.toml. A barometer without rules of its own is judged by the product's."""

from __future__ import annotations

from pathlib import Path

from pipeline.catalogue.comparability import BETWEEN, KINDS, VERDICTS, Comparability, Composition, Rule
from pipeline.catalogue.reader import read_toml
from pipeline.catalogue.section import Section
from pipeline.faults import Fault

PRODUCT = Path(__file__).parent
FILE = "comparability.toml"


def load_comparability(root: Path, faults: list[Fault]) -> Comparability:
    """The rules of a barometer, or the product's where it declares none."""
    path = root / "schemas" / FILE
    if path.is_file():
        return read_comparability(read_toml(path, root, faults), own=True)
    return read_comparability(read_toml(PRODUCT / FILE, PRODUCT, faults), own=False)


def read_comparability(section: Section, *, own: bool) -> Comparability:
    """comparability.toml."""
    verdicts = section.section("verdicts")
    rules, compositions = {}, {}
    for key, part in section.section("rules").each():
        rules[key] = _rule(key, part)
    for key, part in section.section("compositions").each():
        shares = part.section("shares", required=True)
        numbers = {code: shares.number(code) for code in shares.data}
        compositions[key] = Composition(
            key, part.text("variable"), part.text("label"), numbers, part.texts("indicators", [])
        )
        part.done()
    made = Comparability(
        rules=rules,
        verdicts={name: verdicts.text(name) for name in VERDICTS},
        compositions=compositions,
        breakdowns=section.texts("breakdowns", []),
        own=own,
    )
    verdicts.done()
    section.done()
    return made


def _rule(key: str, part: Section) -> Rule:
    rule = Rule(
        key=key,
        kind=part.choice("kind", KINDS),
        fact=part.text("fact"),
        verdict=part.choice("verdict", VERDICTS[1:]),
        text=part.text("text"),
        rationale=part.text("rationale"),
        values=part.texts("values", []),
        at_least=part.number("at_least", 0.0),
        between=part.choice("between", BETWEEN, "any"),
        questions=part.texts("questions", []),
        indicators=part.texts("indicators", []),
        except_indicators=part.texts("except_indicators", []),
        bases=part.texts("bases", []),
        forms=part.texts("forms", []),
        breaks=part.flag("breaks", False),
        ranks=part.flag("ranks", False),
    )
    part.done()
    return rule
