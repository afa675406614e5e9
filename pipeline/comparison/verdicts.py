"""May two estimates be compared? The verdict and its reasons, derived from declared facts by declared rules.

Nothing here knows what the facts are about; the rules stand in ``comparability.toml``. The worst rule that
holds decides, and every rule that holds is a reason.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

from pipeline.catalogue import VERDICTS, Catalogue, Indicator, Rule, Verdict, Wave
from pipeline.comparison.facts import Facts, WaveFacts, form_of
from pipeline.comparison.options import Options, shared_options
from pipeline.comparison.shared_scope import Scope, Shared, shared_scope
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
    """Two waves of one status, ready to be judged on any indicator. ProblemError for two of other status."""

    def __init__(self, one: Wave, other: Wave, known: WaveFacts) -> None:
        if one.status != other.status:
            raise ProblemError(
                Problem(
                    file=f"schemas/waves/{other.key}.toml",
                    key="status",
                    message=f"is {other.status}, and {one.key} is {one.status}",
                    hint="Compare waves of one status: generated data say nothing about real surveys.",
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
        self._apart = {
            code
            for rule in self._rules
            if rule.fact == "category" and rule.verdict == "not_comparable"
            for code in rule.values
        }
        self._made: dict[tuple[str, str, tuple[str, ...]], Judgement] = {}
        self._options: dict[str, Options] = {}

    @property
    def relation(self) -> str:
        """same_survey or other_surveys."""
        return "same_survey" if self.one.survey == self.other.survey else "other_surveys"

    def options(self, indicator: str) -> Options:
        """How the two stand in the answers they offered for an indicator."""
        if indicator not in self._options:
            self._options[indicator] = shared_options(
                self.one, self.other, indicator, self.known, self._apart
            )
        return self._options[indicator]

    def again(self, indicator: str) -> Options:
        """The same, without a new estimate where the two may be compared in no breakdown all the same."""
        options = self.options(indicator)
        every = {domain.by for domain in self.catalogue.domains.values()} if options.again else set()
        if any(self.judge(indicator, YES, by).verdict != "not_comparable" for by in every):
            return options
        return Options(options.state)

    def narrowings(self) -> list[tuple[tuple[str, ...], tuple[Scope, Scope]]]:
        """The indicators, gathered by the answers that each of the two is narrowed to."""
        found: dict[str, tuple[tuple[str, ...], tuple[Scope, Scope]]] = {}
        for indicator in self.catalogue.indicators:
            options = self.again(indicator)
            answers = (options.narrowing(0), options.narrowing(1))
            former = found.get(repr(answers), ((), answers))[0]
            found[repr(answers)] = ((*former, indicator), answers)
        return list(found.values())

    def used(self, indicator: str, by: tuple[str, ...] = ()) -> Scope:
        """What both values are about, where one of the waves had to be narrowed to it; else nothing."""
        return {**self.shared.used(by), **self.again(indicator).kept}

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
        pair: dict[str, str] = {"scope": self.shared.state(by), "options": self.options(indicator).state}
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


def pairs(waves: list[Wave], catalogue: Catalogue) -> Iterator[Pair]:
    """Every two waves of one status, the later one first; not two sources of one edition."""
    known = WaveFacts(catalogue)
    ordered = sorted(waves, key=lambda wave: (wave.reference_period.end, wave.key), reverse=True)
    for one, other in combinations(ordered, 2):
        if one.status == other.status and (one.survey, one.edition) != (other.survey, other.edition):
            yield Pair(one, other, known)


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
