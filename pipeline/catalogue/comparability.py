"""When two estimates may be compared: the rules of ``comparability.toml`` as frozen records.

Here belongs what a rule is. The types of the fields are the declaration (see ``kinds``); checks of
a rule against the other declarations belong to ``check``; applying the rules belongs to
``pipeline.comparison``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal

from pydantic import Field

from pipeline.catalogue.kinds import KEYED, MOST, Flag, Key, Name, Number, Text

Verdict = Literal["comparable", "like_for_like", "caution", "not_comparable"]
VERDICTS: tuple[Verdict, ...] = ("comparable", "like_for_like", "caution", "not_comparable")  # best first

OWN_FACTS = (  # of one wave and what it measures
    "unit", "verb", "about", "version", "uncertain", "max_choices", "weighting", "weighting_margins",
    "mode", "role", "source_kind", "category", "unit_measure",
)  # fmt: skip
NUMBERS = ("response_rate", "reference_days", "reference_end", "fieldwork_end")
PAIR_FACTS: Mapping[str, tuple[str, ...]] = {  # of two waves together, with the states they can be in
    "scope": ("same", "shared", "unmatched", "apart"),
    "options": ("same", "shared", "mixed"),
    "shared_units": ("no", "yes", "unknown"),
}


@dataclass(frozen=True)
class Rule:
    """One reason to compare with care, or not at all.

    It holds where ``fact`` of the two waves ``differs``, is ``unknown`` of at least one, is one of
    ``values`` in ``either``, lies ``at_least`` ``apart``; or where the ``pair`` is in one of the states
    ``values``. The filters (empty: everything) say which waves and indicators it looks at.
    """

    key: Key
    kind: Annotated[
        Literal["differs", "unknown", "either", "apart", "pair"], Field(description="when the rule holds")
    ]
    fact: Annotated[Name, Field(description="what it looks at")]
    verdict: Annotated[
        Literal["like_for_like", "caution", "not_comparable"], Field(description="what follows")
    ]
    text: Annotated[Text, Field(description="one sentence for readers")]
    rationale: Annotated[Text, Field(description="where the rule comes from")]
    values: Annotated[
        tuple[Text, ...], Field(description="the values (`either`) or states (`pair`) it looks for")
    ] = ()
    at_least: Annotated[
        Number, Field(description="how far `apart` the two numbers are", ge=0, le=1_000_000)
    ] = 0.0
    between: Annotated[
        Literal["any", "same_survey", "other_surveys"], Field(description="which pairs it looks at")
    ] = "any"
    questions: Annotated[tuple[Name, ...], Field(description="which questions; all when left out")] = ()
    indicators: Annotated[tuple[Name, ...], Field(description="which indicators; all when left out")] = ()
    except_indicators: Annotated[tuple[Name, ...], Field(description="and which not")] = ()
    bases: Annotated[tuple[Name, ...], Field(description="which bases; all when left out")] = ()
    forms: Annotated[
        tuple[Literal["question", "composite", "mean", "total"], ...],
        Field(description="which forms of indicator; all when left out"),
    ] = ()
    breaks: Annotated[Flag, Field(description="the rule breaks a series inside one survey")] = False
    ranks: Annotated[Flag, Field(description="the order of the categories may be compared all the same")] = (
        False
    )


@dataclass(frozen=True)
class Composition:
    """A composition of the population to standardise on: shares of a background variable's codes."""

    key: Key
    variable: Annotated[Name, Field(description="the background variable")]
    label: Annotated[Text, Field(description="for readers")]
    shares: Annotated[
        Mapping[Name, Annotated[Number, Field(gt=0, le=MOST)]],
        Field(description="by code; they need not sum to 1"),
    ]
    indicators: Annotated[tuple[Name, ...], Field(description="those standardised; all when left out")] = ()


@dataclass(frozen=True)
class VerdictTexts:
    """The sentence that readers see for each verdict."""

    comparable: Annotated[Text, Field(description="no rule holds")]
    like_for_like: Annotated[Text, Field(description="both were estimated again on what they share")]
    caution: Annotated[Text, Field(description="something besides what is measured differs")]
    not_comparable: Annotated[Text, Field(description="the two must not be set against each other")]


@dataclass(frozen=True)
class ComparabilityFile:
    """When two estimates may be compared. Without the file the product's rules hold."""

    verdicts: Annotated[VerdictTexts, Field(description="a sentence for each verdict")]
    rules: Annotated[Mapping[Name, Rule], KEYED, Field(description="reasons to compare with care or not")] = (
        field(default_factory=dict)
    )
    compositions: Annotated[
        Mapping[Name, Composition], KEYED, Field(description="a common make-up to standardise on")
    ] = field(default_factory=dict)
    breakdowns: Annotated[
        tuple[Name, ...], Field(description="those compared between waves; all by one variable when left out")
    ] = ()


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
