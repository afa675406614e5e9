"""Which indicators disclose each other: families that share one decision, and what their bases disclose.

An outsider reads an indicator together with its siblings. Found here from the declarations alone:

- A count, a mean, shares and a composite made of the same question answer one another (a composite of
  two codes is the sum of their shares). They are one *family*: what is hidden of one in a domain cell is
  hidden of all. A composite of several questions belongs to the most deeply routed of them: together
  with the others it gives that one away.
- Who is asked a routed question is a numerator of the question that routes to it: their n is the other's
  m, and their base the other's share. Where a family is hidden, so is every family *below* it: all
  that are asked only of a part of it, and every composite that uses it.

Which cells add up belongs to ``sums``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from pipeline.catalogue.logic import Logic
from pipeline.catalogue.model import Catalogue

NARROWER = " of "  # between a question and the narrower base that an indicator puts it to


@dataclass(frozen=True)
class Linkage:
    """``family``: of every indicator, named by one of its questions. ``above``: of every family, the
    families whose hidden cells it must hide too. ``order``: families, those above before those below.
    """

    family: Mapping[str, str]
    above: Mapping[str, frozenset[str]]
    order: tuple[str, ...]


def linkage(catalogue: Catalogue) -> Linkage:
    """The families of a catalogue's indicators. An indicator without a question is a family of its own."""
    depth = {key: _depth(key, catalogue, ()) for key in catalogue.bases}
    used = {key: set(catalogue.questions_of(catalogue.indicators[key])) for key in catalogue.indicators}
    disclosed = {key: _disclosed_by(key, used[key], depth, catalogue) for key in catalogue.indicators}
    joined = _joined(disclosed.values())
    family = {key: joined[names[0]] for key, names in disclosed.items()}
    above: dict[str, set[str]] = {key: set() for key in family.values()}
    level = dict.fromkeys(above, 0)
    for key, own in family.items():
        bases = {_base(key, catalogue)} | {catalogue.questions[name].base for name in used[key]}
        routing = {name for base in bases for name in _questions(catalogue.bases[base].logic, catalogue)}
        above[own] |= {joined[name] for name in {*routing, *used[key]} if name in joined} - {own}
        level[own] = max(level[own], *(2 * depth[base] + (NARROWER in own) for base in bases))
    order = tuple(sorted(above, key=lambda own: (level[own], own)))
    return Linkage(family, {own: frozenset(others) for own, others in above.items()}, order)


def _disclosed_by(key: str, used: set[str], depth: Mapping[str, int], catalogue: Catalogue) -> list[str]:
    """What an indicator discloses: its most deeply routed questions, marked where its base is narrower."""
    levels = {name: depth[catalogue.questions[name].base] for name in used}
    deepest = sorted(name for name, level in levels.items() if level == max(levels.values()))
    base = _base(key, catalogue)
    if deepest and depth[base] > levels[deepest[0]]:
        return [f"{name}{NARROWER}{base}" for name in deepest]
    return deepest or [base_indicator(key, catalogue)]


def _base(key: str, catalogue: Catalogue) -> str:
    return catalogue.indicators[base_indicator(key, catalogue)].base


def base_indicator(indicator: str, catalogue: Catalogue) -> str:
    """The indicator whose answer distribution a cell belongs to: for a count, that of the share behind it."""
    return catalogue.share_behind(catalogue.indicators[indicator]).key


def _questions(logic: Logic | None, catalogue: Catalogue) -> Iterator[str]:
    """The questions of a logic's conditions; background variables are none."""
    for condition in logic.conditions() if logic else ():
        name = condition.pattern.partition(".")[0]
        if name in catalogue.questions:
            yield name


def _depth(base: str, catalogue: Catalogue, within: tuple[str, ...]) -> int:
    """How many questions route to a base; a base within itself is as deep as it was met."""
    bases = {catalogue.questions[name].base for name in _questions(catalogue.bases[base].logic, catalogue)}
    within = (*within, base)
    inner = [_depth(other, catalogue, within) for other in sorted(bases) if other not in within]
    return 1 + max(inner, default=0) if catalogue.bases[base].logic else 0


def _joined(groups: Iterable[list[str]]) -> dict[str, str]:
    """The first name of all that a chain of groups connects, for every name."""
    parent: dict[str, str] = {}

    def root(name: str) -> str:
        while parent.setdefault(name, name) != name:
            name = parent[name]
        return name

    for group in groups:
        for name in group:
            first, second = sorted((root(group[0]), root(name)))
            parent[second] = first
    return {name: root(name) for name in list(parent)}
