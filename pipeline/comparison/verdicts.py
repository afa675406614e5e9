"""May two estimates be compared? The verdict and its reasons, derived from declared facts by declared rules.

Nothing here knows what the facts are about; the rules stand in ``comparability.toml``. The worst rule that
holds decides, and every rule that holds is a reason.
"""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.catalogue import VERDICTS, Catalogue, Indicator, Rule, Verdict, Wave
from pipeline.comparison.facts import Facts, Known, form_of, questions_of
from pipeline.comparison.scope import Shared, shared_scope
from pipeline.faults import Fault, FaultError


@dataclass(frozen=True)
class Judgement:
    """A verdict, the keys of the rules that hold, and what follows from them."""

    verdict: Verdict = "comparable"
    reasons: tuple[str, ...] = ()
    breaks: bool = False  # the series of one country is broken here
    ranks: bool = True  # the order of the categories may be compared


class Pair:
    """Two waves of one status, ready to be judged on any indicator. FaultError for two of other status."""

    def __init__(self, one: Wave, other: Wave, known: Known) -> None:
        if one.status != other.status:
            raise FaultError(
                Fault(
                    file=f"schemas/waves/{other.key}.toml",
                    key="status",
                    message=f"is {other.status}, and {one.key} is {one.status}",
                    mend="Compare waves of one status: generated data say nothing about real surveys.",
                    value=other.status,
                )
            )
        self.one, self.other, self.known = one, other, known
        self.catalogue = known.catalogue
        self.shared: Shared = shared_scope(one, other, known)
        self._rules = [
            rule
            for rule in self.catalogue.comparability.rules.values()
            if rule.between in ("any", self.relation)
        ]
        self._made: dict[tuple[str, str, tuple[str, ...]], Judgement] = {}

    @property
    def relation(self) -> str:
        """same_survey or other_surveys."""
        return "same_survey" if self.one.survey == self.other.survey else "other_surveys"

    def judge(self, indicator: str, category: str = "", by: tuple[str, ...] = ()) -> Judgement:
        """The verdict on one category of an indicator, in the cells of a breakdown by ``by``."""
        key = (indicator, category, by)
        if key not in self._made:
            self._made[key] = self._judged(indicator, category, by)
        return self._made[key]

    def _judged(self, indicator: str, category: str, by: tuple[str, ...]) -> Judgement:
        catalogue, declared = self.catalogue, self.catalogue.indicators[indicator]
        a, b = (
            {**self.known.facts(wave, indicator), "category": category} for wave in (self.one, self.other)
        )
        pair = {"scope": self.shared.state(by), "options": self._options(indicator)}
        held = [
            rule
            for rule in self._rules
            if _concerns(rule, declared, catalogue) and _holds(rule, a, b, pair)
        ]  # fmt: skip
        worst = max([VERDICTS.index(rule.verdict) for rule in held], default=0)
        return Judgement(
            verdict=VERDICTS[worst],
            reasons=tuple(rule.key for rule in held),
            breaks=any(rule.breaks for rule in held) and self.one.country == self.other.country,
            ranks=all(rule.ranks or rule.verdict != "not_comparable" for rule in held),
        )

    def _options(self, indicator: str) -> str:
        """same, shared (each option is a share of its own) or mixed (they are joined in one share)."""
        one, other = (self.known.options(wave, indicator) for wave in (self.one, self.other))
        if one is None or other is None or one == other:
            return "same"
        question = self.catalogue.questions.get(self.catalogue.indicators[indicator].question or "")
        return "shared" if question is not None and question.type == "multiple" else "mixed"


def _concerns(rule: Rule, indicator: Indicator, catalogue: Catalogue) -> bool:
    """Whether an indicator passes the filters of a rule."""
    return (
        (not rule.indicators or indicator.key in rule.indicators)
        and indicator.key not in rule.except_indicators
        and (not rule.bases or indicator.base in rule.bases)
        and (not rule.forms or form_of(indicator) in rule.forms)
        and (not rule.questions or bool(set(rule.questions) & set(questions_of(indicator, catalogue))))
    )


def _holds(rule: Rule, a: Facts, b: Facts, pair: dict[str, str]) -> bool:
    if rule.kind == "pair":
        return pair[rule.fact] in rule.values
    one, other = a[rule.fact], b[rule.fact]
    if rule.kind == "either":
        return one in rule.values or other in rule.values
    if rule.kind == "unknown":
        return one is None or other is None
    if one is None or other is None:
        return False
    if rule.kind == "apart":
        return abs(float(one) - float(other)) >= rule.at_least
    return one != other
