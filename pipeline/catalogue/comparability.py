"""When two estimates may be compared: the rules of ``comparability.toml`` as frozen records.

Here belongs what a rule is. How the file is read stands in ``rules``, what must hold between a rule and the
other declarations in ``check``; carrying the rules out belongs to ``pipeline.comparison``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Verdict = Literal["comparable", "like_for_like", "caution", "not_comparable"]
VERDICTS: tuple[Verdict, ...] = ("comparable", "like_for_like", "caution", "not_comparable")  # best first
KINDS = ("differs", "unknown", "either", "apart", "pair")
BETWEEN = ("any", "same_survey", "other_surveys")
FORMS = ("question", "composite", "mean", "total")
OWN_FACTS = (  # of one wave and what it measures
    "unit", "verb", "about", "version", "uncertain", "max_choices", "weighting", "weighting_margins",
    "mode", "role", "source_kind", "category", "unit_measure",
)  # fmt: skip
NUMBERS = ("response_rate", "reference_days", "reference_end", "fieldwork_end")
PAIR_FACTS: Mapping[str, tuple[str, ...]] = {  # of two waves together, with the states they can be in
    "scope": ("same", "shared", "unmatched", "apart"),
    "options": ("same", "shared", "mixed"),
}


@dataclass(frozen=True)
class Rule:
    """One reason to compare with care, or not at all.

    It holds where ``fact`` of the two waves ``differs``, is ``unknown`` of at least one, is one of
    ``values`` in ``either``, lies ``at_least`` ``apart``; or where the ``pair`` is in one of the states
    ``values``. The filters (empty: everything) say which waves and indicators it looks at.
    """

    key: str
    kind: Literal["differs", "unknown", "either", "apart", "pair"]
    fact: str
    verdict: Verdict
    text: str
    rationale: str
    values: tuple[str, ...] = ()
    at_least: float = 0.0
    between: Literal["any", "same_survey", "other_surveys"] = "any"
    questions: tuple[str, ...] = ()
    indicators: tuple[str, ...] = ()
    except_indicators: tuple[str, ...] = ()
    bases: tuple[str, ...] = ()
    forms: tuple[str, ...] = ()
    breaks: bool = False  # it breaks a series inside one survey
    ranks: bool = False  # the order of the categories may be compared all the same


@dataclass(frozen=True)
class Composition:
    """A population's make-up that estimates are standardised on: shares of a background variable's codes."""

    key: str
    variable: str
    label: str
    shares: Mapping[str, float]  # they need not sum to 1
    indicators: tuple[str, ...] = ()  # empty: every indicator


@dataclass(frozen=True)
class Comparability:
    """Every rule in the file's order, the sentence of each verdict, and the common compositions."""

    rules: Mapping[str, Rule] = field(default_factory=dict)
    verdicts: Mapping[str, str] = field(default_factory=dict)
    compositions: Mapping[str, Composition] = field(default_factory=dict)
    breakdowns: tuple[str, ...] = ()  # compared between waves; empty: all by one variable at most
    own: bool = True  # False: the product's rules, in a barometer without any

    def texts(self) -> dict[str, str]:
        """What can be translated, by TOML path; nothing where the rules are not the barometer's own."""
        if not self.own:
            return {}
        found = {f"verdicts.{key}": text for key, text in self.verdicts.items()}
        found |= {f"rules.{rule.key}.text": rule.text for rule in self.rules.values()}
        return found | {f"compositions.{made.key}.label": made.label for made in self.compositions.values()}
