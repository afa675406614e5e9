"""What may stand side by side: breaks within a survey, and surveys that may share a picture.

Verdicts are read from the published comparisons, never made here. Where a package has none, nothing is set
beside anything but the editions of one survey, and those are not joined.
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
class Verdict:
    """What is published of a pair of waves."""

    verdict: str
    reasons: tuple[str, ...] = ()
    breaks: bool = False

    @property
    def beside(self) -> bool:
        """Whether the plain values may stand beside each other."""
        return self.verdict in BESIDE


UNKNOWN = Verdict("unknown")
Pair = tuple[str, str, str]  # indicator and two waves, the later one first


@dataclass(frozen=True)
class Group:
    """Surveys that may share a picture; ``reasons`` say why they do not share the first group's."""

    surveys: list[str]
    verdict: str = ""
    reasons: list[str] = field(default_factory=list)


class Comparability:
    """The published verdicts of a package."""

    def __init__(self, book: PackageData) -> None:
        self.book = book

    @property
    def known(self) -> bool:
        """Whether the package holds comparisons."""
        return "comparisons" in self.book.tables and self.book.tables["comparisons"].num_rows > 0

    @cached_property
    def rows(self) -> dict[str, list[Row]]:
        """The published comparisons of plain estimates, by indicator."""
        found: dict[str, list[Row]] = {}
        for row in self.book.rows("comparisons"):
            if not row.get("standard"):
                found.setdefault(row["indicator"], []).append(row)
        return found

    @cached_property
    def _by_category(self) -> dict[Pair, dict[str, Verdict]]:
        """The verdict on each category of an indicator and two waves, for everyone."""
        found: dict[Pair, dict[str, Verdict]] = {}
        for indicator, rows in self.rows.items():
            for row in rows:
                if row["domain"] == self.book.everyone:
                    reasons = tuple(filter(None, row["reasons"].split("|")))
                    made = Verdict(row["verdict"], reasons, bool(row.get("breaks")))
                    found.setdefault((indicator, row["wave_a"], row["wave_b"]), {})[row["category"]] = made
        return found

    @cached_property
    def _by_pair(self) -> dict[Pair, Verdict]:
        """The verdict on most categories; of two that are as frequent, the worse one."""
        found = {}
        for pair, categories in self._by_category.items():
            counted = Counter(categories.values())
            found[pair] = max(counted, key=lambda each: (counted[each], WORST.index(each.verdict)))
        return found

    def verdict(self, indicator: str, one: str, other: str, category: str = "") -> Verdict:
        """The verdict on two waves, whichever of them is the later: on one category, or on most."""
        for pair in ((indicator, one, other), (indicator, other, one)):
            if pair in self._by_pair:
                return self._by_category[pair].get(category, self._by_pair[pair])
        return UNKNOWN

    def decisive(self, verdict: Verdict) -> list[str]:
        """The reasons that lead to a verdict, or break a series, without those that only call for care."""
        rules = self.book.catalogue.comparability.rules
        known = [rules[key] for key in verdict.reasons if key in rules]
        chosen = [rule.key for rule in known if rule.verdict == verdict.verdict or rule.breaks]
        return chosen or list(verdict.reasons)

    def breaks(self, indicator: str, waves: list[str]) -> list[Verdict | None]:
        """Between neighbours of a series: the verdict where the line must break, None where it may go on."""
        between = [self.verdict(indicator, later, earlier) for earlier, later in pairwise(waves)]
        return [None if pair.beside and not pair.breaks else pair for pair in between]

    def groups(self, indicator: str) -> list[Group]:
        """The surveys of an indicator, gathered so that those in one group may be read against each other.

        A survey is represented by its newest wave. The group of the survey with most editions comes first.
        Without verdicts there is one group, in which nothing is joined.
        """
        newest = {
            key: waves[-1] for key in self.book.surveys if (waves := self.book.waves_of(indicator, key))
        }
        order = sorted(newest, key=lambda key: -len(self.book.waves_of(indicator, key)))
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
