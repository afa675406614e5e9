"""What may be shown side by side: breaks within a survey, and surveys that may share a chart.

Verdicts are read from the published comparisons, never made here. Where a package has none, only the
editions of one survey are shown side by side, and those are not joined by lines.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise

from pipeline.site.package_reader import PackageData, Row

WORST = ("comparable", "like_for_like", "caution", "not_comparable")
BESIDE = ("comparable", "caution")  # plain values may be read against each other


@dataclass(frozen=True)
class PairVerdict:
    """The published verdict on a pair of waves."""

    verdict: str
    reasons: tuple[str, ...] = ()
    breaks: bool = False

    @property
    def beside(self) -> bool:
        """Whether the plain values may be shown side by side."""
        return self.verdict in BESIDE


UNKNOWN = PairVerdict("unknown")
PairKey = tuple[str, str, str]  # indicator and two waves, the later one first


@dataclass(frozen=True)
class Group:
    """Surveys that may share a chart; ``reasons`` say why they are not in the first group."""

    surveys: list[str]
    verdict: str = ""
    reasons: list[str] = field(default_factory=list)


class PublishedVerdicts:
    """The published verdicts of a package."""

    def __init__(self, package: PackageData) -> None:
        self.package = package

    @property
    def known(self) -> bool:
        """Whether the package holds comparisons."""
        return "comparisons" in self.package.tables and self.package.tables["comparisons"].num_rows > 0

    @cached_property
    def rows(self) -> dict[str, list[Row]]:
        """The published comparisons of plain estimates, by indicator."""
        found: dict[str, list[Row]] = {}
        for row in self.package.rows("comparisons"):
            if not row.get("standard"):
                found.setdefault(row["indicator"], []).append(row)
        return found

    @cached_property
    def _by_category(self) -> dict[PairKey, dict[str, PairVerdict]]:
        """The verdict on each category of an indicator and two waves, in the total."""
        found: dict[PairKey, dict[str, PairVerdict]] = {}
        for indicator, rows in self.rows.items():
            for row in rows:
                if row["domain"] == self.package.total_domain:
                    reasons = tuple(filter(None, row["reasons"].split("|")))
                    made = PairVerdict(row["verdict"], reasons, bool(row.get("breaks")))
                    found.setdefault((indicator, row["wave_a"], row["wave_b"]), {})[row["category"]] = made
        return found

    @cached_property
    def _by_pair(self) -> dict[PairKey, PairVerdict]:
        """The verdict on most categories; of two that are as frequent, the worse one."""
        found = {}
        for pair, categories in self._by_category.items():
            counted = Counter(categories.values())
            found[pair] = max(counted, key=lambda each: (counted[each], WORST.index(each.verdict)))
        return found

    def verdict(self, indicator: str, wave_a: str, wave_b: str, category: str = "") -> PairVerdict:
        """The verdict on two waves, whichever of them is the later: on one category, or on most."""
        for pair in ((indicator, wave_a, wave_b), (indicator, wave_b, wave_a)):
            if pair in self._by_pair:
                return self._by_category[pair].get(category, self._by_pair[pair])
        return UNKNOWN

    def decisive(self, verdict: PairVerdict) -> list[str]:
        """The reasons that lead to a verdict, or break a series, without those that only call for care."""
        rules = self.package.catalogue.comparability.rules
        known = [rules[key] for key in verdict.reasons if key in rules]
        chosen = [rule.key for rule in known if rule.verdict == verdict.verdict or rule.breaks]
        return chosen or list(verdict.reasons)

    def breaks(self, indicator: str, waves: list[str]) -> list[PairVerdict | None]:
        """Between neighbours of a series: the verdict where the line must break, None where it may go on."""
        between = [self.verdict(indicator, later, earlier) for earlier, later in pairwise(waves)]
        return [None if pair.beside and not pair.breaks else pair for pair in between]

    def groups(self, indicator: str) -> list[Group]:
        """The surveys of an indicator, gathered so that those in one group may be read against each other.

        A survey is represented by its newest wave. The group of the survey with most editions comes first.
        Without verdicts there is one group, in which nothing is joined.
        """
        newest = {
            key: waves[-1] for key in self.package.surveys if (waves := self.package.waves_of(indicator, key))
        }
        order = sorted(newest, key=lambda key: -len(self.package.waves_of(indicator, key)))
        if not self.known:
            return [Group(list(newest))]
        groups: list[Group] = []
        for survey in order:
            for group in groups:
                pairs = [self.verdict(indicator, newest[survey], newest[other]) for other in group.surveys]
                if all(pair.beside for pair in pairs):
                    group.surveys.append(survey)
                    break
            else:
                first = (
                    self.verdict(indicator, newest[survey], newest[groups[0].surveys[0]])
                    if groups
                    else UNKNOWN
                )
                groups.append(Group([survey], first.verdict if groups else "", self.decisive(first)))
        return groups
