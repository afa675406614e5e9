"""What a wave can estimate: its indicators as denominators and numerators over its own columns.

Here belongs the meaning of an indicator; how conditions are written is in ``conditions``, running them in
``statistics``. The SQL keeps to the subset that DuckDB, Spark and Sail share.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from math import prod

from pipeline.catalogue.fieldwork import Wave
from pipeline.catalogue.model import Catalogue
from pipeline.catalogue.questionnaire import NOT_ASKED, SELECTED, Domain, Indicator, Question, Unit, item_key
from pipeline.estimation.conditions import Conditions, all_of, any_of
from pipeline.estimation.encoding import variables_of

YES, MEAN = "yes", "mean"
HAS_WEIGHT = "w > 0"  # of a further weight, which not every unit has


@dataclass(frozen=True)
class Measure:
    """One estimand: who is asked (``base``) and counts (``mask``), and what is counted of them.

    ``base`` and ``mask`` are conditions. ``value`` is one that implies the mask (a share, or a count
    when ``unit`` is count), or a number (a mean), of which ``scores`` holds the lowest and highest where
    they are declared.
    """

    indicator: str
    category: str
    unit: Unit
    base: str
    mask: str
    value: str
    scores: tuple[float, ...] = ()
    exclusive: bool = False  # of a single-choice question: a unit is counted by one of its measures at most
    weight: str = ""  # by its name, the main one has none; ``base`` and ``mask`` imply that a unit has it


@dataclass(frozen=True)
class Plan:
    """All measures of a wave, and the columns that identify a cell.

    ``columns`` maps every variable that the SQL reads to its SQL name: plain identifiers, so that the
    text needs no quoting of any engine's own.
    """

    columns: Mapping[str, str]
    cell: tuple[str, ...]  # background variables of the breakdowns; variables and numbers of the calibration
    margins: tuple[tuple[str, ...], ...]
    clustered: bool
    measures: tuple[Measure, ...]
    weight: str = ""  # of all measures, once they are parted by it

    @cached_property
    def masks(self) -> tuple[str, ...]:
        """The distinct conditions of who counts, in order of first use."""
        return tuple(dict.fromkeys(measure.mask for measure in self.measures))

    @cached_property
    def bases(self) -> tuple[str, ...]:
        """The distinct conditions of who is asked, in order of first use; last, who has a further weight."""
        has = [HAS_WEIGHT] if self.weight else []
        return tuple(dict.fromkeys([*(measure.base for measure in self.measures), *has]))

    def by_weight(self) -> list[Plan]:
        """The same of each weight, the main one first: only that is calibrated to margins."""
        names = sorted({measure.weight for measure in self.measures})
        if names == [""]:
            return [self]
        return [
            replace(
                self,
                weight=name,
                margins=() if name else self.margins,
                measures=tuple(measure for measure in self.measures if measure.weight == name),
            )
            for name in names
        ]


def plan_wave(wave: Wave, catalogue: Catalogue) -> Plan:
    """The measures that a microdata wave's questionnaire allows, in the catalogue's order.

    An indicator is left out where the wave did not ask one of the questions it is made from: what was
    not asked is no estimate, and never 0. An item or a code that was not offered, because no row of the
    crosswalk gives it, has no category.
    """
    assert wave.weighting is not None and wave.design is not None
    margins = wave.weighting.margins if wave.weighting.calibrates else ()
    rows = catalogue.instruments[wave.instrument].crosswalk
    unasked = frozenset(row.variable for row in rows if row.code == NOT_ASKED)
    variables = tuple(variables_of(wave, catalogue))
    given = {(row.variable, row.code) for row in rows}
    answers = ((name, code) for name in variables for code in catalogue.codes_of(name))
    unoffered = frozenset(answer for answer in answers if answer not in given)
    return _plan(variables, margins, bool(wave.design.psu), unasked, unoffered, catalogue)


def totals_of(wave: Wave, catalogue: Catalogue) -> dict[str, list[str]]:
    """The indicators of a microdata wave that are totals, by their weight, in the catalogue's order."""
    found: dict[str, dict[str, None]] = {}
    for measure in plan_wave(wave, catalogue).measures:
        if measure.unit == "count":
            found.setdefault(measure.weight, {})[measure.indicator] = None
    return {weight: list(indicators) for weight, indicators in found.items()}


@lru_cache(maxsize=64)
def _plan(
    variables: tuple[str, ...],
    margins: tuple[tuple[str, ...], ...],
    clustered: bool,
    unasked: frozenset[str],
    unoffered: frozenset[tuple[str, str]],
    catalogue: Catalogue,
) -> Plan:
    """Waves that ask the same are planned once."""
    columns = {name: f"v{number}" for number, name in enumerate(variables)}
    by = [name for domain in catalogue.domains.values() for name in domain.by if name in columns]
    cell = tuple(dict.fromkeys([*by, *(name for margin in margins for name in margin)]))
    writer = _Writer(Conditions(catalogue, columns, unoffered), {}, unasked)
    for key, base in catalogue.bases.items():
        writer.bases[key] = "TRUE" if base.logic is None else writer.where.holds(base.logic)
    measures = [
        measure for indicator in catalogue.indicators.values() for measure in writer.measures(indicator)
    ]
    return Plan(columns, cell, margins, clustered, tuple(measures))


def split(
    plan: Plan, levels: Mapping[str, Sequence[str]], breakdowns: Sequence[Domain], scopes: set[str], most: int
) -> list[Plan]:
    """The plan itself, if the background of all breakdowns makes ``most`` cells at most.

    Else the same for parts of the background: the largest that breakdowns need, joined as long as they make
    no more cells than that, each with the variables of the calibration and those that any wave's scope names:
    ``scopes``. ``levels`` are the strata and the codes of every variable of the background.
    """

    def cells(names: frozenset[str]) -> int:
        return len(levels["stratum"]) * prod(len(levels[name]) for name in names if name in levels)

    if cells(frozenset(plan.cell)) <= most:
        return [plan]
    always = {name for margin in plan.margins for name in margin} | scopes.intersection(plan.cell)
    needed = [always.union(domain.by) for domain in breakdowns if set(domain.by) <= set(plan.cell)]
    cubes: list[frozenset[str]] = []
    for names in dict.fromkeys(
        frozenset(each) for each in needed if not any(each < other for other in needed)
    ):
        joined = next((number for number, cube in enumerate(cubes) if cells(cube | names) <= most), None)
        if joined is None:
            cubes.append(names)
        else:
            cubes[joined] |= names
    return [replace(plan, cell=tuple(name for name in plan.cell if name in cube)) for cube in cubes]


@dataclass(frozen=True)
class _Writer:
    """Writes the measures of indicators; ``bases`` are the conditions of who is asked, ``unasked`` the
    variables of which the raw file says itself who was not.
    """

    where: Conditions
    bases: dict[str, str]
    unasked: frozenset[str]

    def measures(self, indicator: Indicator) -> list[Measure]:
        if indicator.total is not None:
            behind = self._shares(self.where.catalogue.share_behind(indicator), indicator.base)
            return [replace(share, indicator=indicator.key, unit=indicator.unit) for share in behind]
        if indicator.mean is not None:
            return self._mean(indicator)
        return self._shares(indicator, indicator.base)

    def _shares(self, indicator: Indicator, base: str) -> list[Measure]:
        who = self._who(indicator, base)
        if who is None:
            return []
        substantive = indicator.denominator == "substantive"
        if indicator.logic is None:
            found = self._question(
                self.where.catalogue.questions[indicator.question or ""], indicator, substantive
            )
        elif self.where.knows(indicator.logic) and self.where.can_hold(indicator.logic):
            names = [
                name for each in indicator.logic.conditions() for name in self.where.present(each.pattern)
            ]
            found = [(YES, self.where.any_answered(names, substantive), self.where.holds(indicator.logic))]
        else:
            found = []
        measures = []
        for category, answered, counted in found:
            mask = all_of([*who, answered])
            value = counted if self._implied(indicator, who) else all_of([mask, counted])
            measures.append(
                Measure(
                    indicator.key,
                    category,
                    indicator.unit,
                    self._asked(base, indicator, category),
                    mask,
                    value,
                    exclusive=self._single_choice(indicator),
                    weight=indicator.weight,
                )
            )
        return measures

    def _asked(self, base: str, indicator: Indicator, category: str) -> str:
        """Who was asked: the base, without those who lack the weight or were not asked by the raw file."""
        whole = all_of([HAS_WEIGHT, self.bases[base]]) if indicator.weight else self.bases[base]
        names = [name for pattern in indicator.patterns for name in self.where.present(pattern)]
        if indicator.question is not None:
            question = self.where.catalogue.questions[indicator.question]
            items = question.answers if question.type != "grid" else (f"{question.key}.{category}",)
            names = [name for name in items if name in self.where.columns]
        if not self.unasked.intersection(names):
            return whole
        coded = [name for name in dict.fromkeys(names) if self.where.catalogue.codes_of(name)]
        if not coded:  # a number that is not there does not say why
            return whole
        return all_of([whole, any_of([f"{self.where.columns[name]} >= -1" for name in coded])])

    def _single_choice(self, indicator: Indicator) -> bool:
        return (
            indicator.question is not None
            and self.where.catalogue.questions[indicator.question].type == "single"
        )

    def _who(self, indicator: Indicator, base: str) -> list[str] | None:
        """The conditions of weight and base; not the base's where routing has applied it; None where the wave
        cannot tell.
        """
        logic, has = self.where.catalogue.bases[base].logic, [HAS_WEIGHT] if indicator.weight else []
        if logic is None:
            return has
        if not self.where.knows(logic):
            return None
        keys = {name.partition(".")[0] for name in indicator.patterns}
        routed = all(
            key in self.where.catalogue.questions and self.where.catalogue.questions[key].base == base
            for key in keys
        )
        return has if routed else [*has, self.bases[base]]

    def _implied(self, indicator: Indicator, who: list[str]) -> bool:
        """Whether what is counted can only be true of those who count."""
        if who or indicator.question is None:
            return False
        question = self.where.catalogue.questions[indicator.question]
        return not (question.type == "multiple" and indicator.denominator == "substantive")

    def _question(
        self, question: Question, indicator: Indicator, substantive: bool
    ) -> list[tuple[str, str, str]]:
        """(category, who answered, what counts) by code of a single question, by item of the others."""
        present = [name for name in question.answers if name in self.where.columns]
        dropped = question.nonresponse if substantive else ()
        if not present:
            return []
        if question.type == "single":
            answered = self.where.answered(question.key, substantive)
            codes = [code for code in (indicator.codes or question.codes) if code not in dropped]
            return [
                (code, answered, self.where.takes(question.key, (code,)))
                for code in codes
                if self.where.offers(question.key, (code,))
            ]
        items = [(name.partition(".")[2], name) for name in present]
        if question.type == "multiple":
            answered = self.where.any_answered(present, substantive)
            return [
                (item, answered, self.where.takes(name, (SELECTED,)))
                for item, name in items
                if item not in dropped and self.where.offers(name, (SELECTED,))
            ]
        counted = tuple(code for code in indicator.codes if code not in dropped)
        return [
            (item, self.where.answered(name, substantive), self.where.takes(name, counted))
            for item, name in items
            if self.where.offers(name, counted)
        ]

    def _mean(self, indicator: Indicator) -> list[Measure]:
        pattern, who = indicator.mean or "", self._who(indicator, indicator.base)
        if who is None:
            return []
        several = pattern.endswith(".*")
        return [
            self._mean_of(name, item_key(name) if several else MEAN, indicator, who)
            for name in self.where.present(pattern)
        ]

    def _mean_of(self, name: str, category: str, indicator: Indicator, who: list[str]) -> Measure:
        column = self.where.columns[name]
        scores: tuple[float, ...] = ()
        if indicator.scores:
            known = self.where.catalogue.codes_of(name)
            cases = " ".join(
                f"WHEN {known.index(code)} THEN {score!r}" for code, score in indicator.scores.items()
            )
            answered, value = self.where.takes(name, tuple(indicator.scores)), f"CASE {column} {cases} END"
            scores = (float(min(indicator.scores.values())), float(max(indicator.scores.values())))
        else:
            answered, value = f"{column} IS NOT NULL", column
        base = self._asked(indicator.base, indicator, category)
        mask = all_of([*who, answered])
        unit, weight = indicator.unit, indicator.weight
        return Measure(indicator.key, category, unit, base, mask, value, scores, weight=weight)
