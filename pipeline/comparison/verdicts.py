"""May two estimates be compared? The verdict and its reasons, derived from declared facts by declared rules.

Nothing here knows what the facts are about; the rules stand in ``comparability.toml``. The worst rule that
holds decides, and every rule that holds is a reason.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

from pipeline.catalogue import VERDICTS, Catalogue, Indicator, Rule, Verdict, Wave
from pipeline.catalogue.scopes import Scope
from pipeline.comparison.facts import Facts, WaveFacts, form_of
from pipeline.comparison.options import Options, shared_options
from pipeline.comparison.shared_scope import SharedScope, shared_scope
from pipeline.estimation.plan import YES
from pipeline.problems import Problem, ProblemError


@dataclass(frozen=True)
class Judgement:
    """A verdict, the keys of the rules that hold, and what follows from them."""

    verdict: Verdict = "comparable"
    reasons: tuple[str, ...] = ()
    breaks: bool = False  # the series of one country is broken here
    ranks: bool = True  # the order of the categories may be compared


class Pair:
    """Two waves of one status, to be judged on any indicator. ProblemError when their statuses differ."""

    def __init__(self, a: Wave, b: Wave, facts: WaveFacts) -> None:
        if a.status != b.status:
            raise ProblemError(
                Problem(
                    file=f"schemas/waves/{b.key}.toml",
                    key="status",
                    message=f"is {b.status}, and {a.key} is {a.status}",
                    hint="Compare waves of the same status: synthetic data say nothing about real surveys.",
                    value=b.status,
                )
            )
        self.a, self.b, self.facts = a, b, facts
        self.catalogue = facts.catalogue
        self.shared: SharedScope = shared_scope(a, b, facts)
        self.shared_units = facts.shared_units(a, b)
        self._rules = [
            rule
            for rule in self.catalogue.comparability.rules.values()
            if rule.between in ("any", self.relation)
        ]
        self._never_compared = {
            code
            for rule in self._rules
            if rule.fact == "category" and rule.verdict == "not_comparable"
            for code in rule.values
        }
        self._judgements: dict[tuple[str, str, tuple[str, ...]], Judgement] = {}
        self._options: dict[str, Options] = {}

    @property
    def relation(self) -> str:
        """same_survey or other_surveys."""
        return "same_survey" if self.a.survey == self.b.survey else "other_surveys"

    def options(self, indicator: str) -> Options:
        """How the answers that the two offered for an indicator relate."""
        if indicator not in self._options:
            self._options[indicator] = shared_options(
                self.a, self.b, indicator, self.facts, self._never_compared
            )
        return self._options[indicator]

    def needed_options(self, indicator: str) -> Options:
        """The same, without a new estimate where the two are not comparable in any breakdown anyway."""
        options = self.options(indicator)
        every = {domain.by for domain in self.catalogue.domains.values()} if options.composite else set()
        if any(self.judge(indicator, YES, by).verdict != "not_comparable" for by in every):
            return options
        return Options(options.state)

    def narrowings(self) -> list[tuple[tuple[str, ...], tuple[Scope, Scope]]]:
        """The indicators, grouped by the answers that each of the two is narrowed to."""
        found: dict[str, tuple[tuple[str, ...], tuple[Scope, Scope]]] = {}
        for indicator in self.catalogue.indicators:
            options = self.needed_options(indicator)
            answers = (options.narrowing(0), options.narrowing(1))
            former = found.get(repr(answers), ((), answers))[0]
            found[repr(answers)] = ((*former, indicator), answers)
        return list(found.values())

    def used(self, indicator: str, by: tuple[str, ...] = ()) -> Scope:
        """What both values are about, where one of the waves had to be narrowed to it; else nothing."""
        return {**self.shared.used(by), **self.needed_options(indicator).kept}

    def judge(self, indicator: str, category: str = "", by: tuple[str, ...] = ()) -> Judgement:
        """The verdict on one category of an indicator, in the cells of a breakdown by ``by``."""
        key = (indicator, category, by)
        if key not in self._judgements:
            self._judgements[key] = self._judged(indicator, category, by)
        return self._judgements[key]

    def _judged(self, indicator: str, category: str, by: tuple[str, ...]) -> Judgement:
        catalogue, declared = self.catalogue, self.catalogue.indicators[indicator]
        a, b = ({**self.facts.facts(wave, indicator), "category": category} for wave in (self.a, self.b))
        pair: dict[str, str] = {
            "scope": self.shared.state(by),
            "options": self.options(indicator).state,
            "shared_units": self.shared_units,
        }
        held = [
            rule
            for rule in self._rules
            if _concerns(rule, declared, catalogue) and _holds(rule, a, b, pair)
        ]  # fmt: skip
        worst = max([VERDICTS.index(rule.verdict) for rule in held], default=0)
        return Judgement(
            verdict=VERDICTS[worst],
            reasons=tuple(rule.key for rule in held),
            breaks=any(rule.breaks for rule in held) and self.a.country == self.b.country,
            ranks=all(rule.ranks or rule.verdict != "not_comparable" for rule in held),
        )


def pairs(waves: list[Wave], facts: WaveFacts) -> Iterator[Pair]:
    """Every two waves of one status, the later one first; not two sources of one edition."""
    ordered = sorted(waves, key=lambda wave: (wave.reference_period.end, wave.key), reverse=True)
    for a, b in combinations(ordered, 2):
        if a.status == b.status and (a.survey, a.edition) != (b.survey, b.edition):
            yield Pair(a, b, facts)


def _concerns(rule: Rule, indicator: Indicator, catalogue: Catalogue) -> bool:
    """Whether an indicator passes the filters of a rule."""
    return (
        (not rule.indicators or indicator.key in rule.indicators)
        and indicator.key not in rule.except_indicators
        and (not rule.bases or indicator.base in rule.bases)
        and (not rule.forms or form_of(indicator) in rule.forms)
        and (not rule.questions or bool(set(rule.questions) & set(catalogue.questions_of(indicator))))
    )


def _holds(rule: Rule, a: Facts, b: Facts, pair: dict[str, str]) -> bool:
    if rule.kind == "pair":
        return pair[rule.fact] in rule.values
    fact_a, fact_b = a[rule.fact], b[rule.fact]
    if rule.kind == "either":
        return fact_a in rule.values or fact_b in rule.values
    if rule.kind == "unknown":
        return fact_a is None or fact_b is None
    if fact_a is None or fact_b is None:
        return False
    if rule.kind == "apart":
        return abs(float(fact_a) - float(fact_b)) >= rule.at_least
    return fact_a != fact_b
