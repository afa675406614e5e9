"""The part of the population two waves share, and a wave's sums brought to it.

Scopes are declared by background variable. A variable that neither wave restricts is no part of this: both
cover all of it. A code that one wave's questionnaire does not know is not shared, even if its scope is open.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from pipeline.arrays import Flags
from pipeline.catalogue import Catalogue, Wave
from pipeline.catalogue.scopes import Scope
from pipeline.comparison.facts import WaveFacts
from pipeline.estimation import Cells, plan_wave

State = Literal["same", "shared", "unmatched", "apart"]


@dataclass(frozen=True)
class SharedScope:
    """What two waves share: the scope, and by which variables each of them has to be narrowed to it."""

    scope: Scope
    needs: tuple[frozenset[str], frozenset[str]]
    can: tuple[frozenset[str], frozenset[str]]  # by which variables each of them can be narrowed

    def state(self, by: tuple[str, ...] = ()) -> State:
        """How a breakdown's cells relate: a cell that fixes a variable needs no narrowing by it."""
        if any(not codes for codes in self.scope.values()):
            return "apart"
        left = [needs - set(by) for needs in self.needs]
        if not any(left):
            return "same"
        return "shared" if all(need <= can for need, can in zip(left, self.can, strict=True)) else "unmatched"

    def narrowing(self, side: int, by: tuple[str, ...] = ()) -> Scope:
        """What one of the waves is narrowed to for a breakdown: one narrowing for all, if it can."""
        needs = self.needs[side]
        needs = needs if needs <= self.can[side] else needs - set(by)
        return {name: codes for name, codes in self.scope.items() if name in needs}

    def used(self, by: tuple[str, ...] = ()) -> Scope:
        """The shared scope where one of the waves is narrowed to it; else nothing."""
        if self.state(by) != "shared":
            return {}
        names = (self.needs[0] | self.needs[1]) - set(by)
        return {name: codes for name, codes in self.scope.items() if name in names}


def shared_scope(a: Wave, b: Wave, facts: WaveFacts) -> SharedScope:
    """The scope that two waves share, from what they declare and their questionnaires know."""
    waves, catalogue = (a, b), facts.catalogue
    scope: dict[str, tuple[str, ...]] = {}
    needs: tuple[set[str], set[str]] = (set(), set())
    for name in dict.fromkeys([*a.scope, *b.scope]):
        covered = [_covered_codes(wave, name, facts) for wave in waves]
        both = [
            code
            for code in catalogue.variables[name].codes
            if all(codes is None or code in codes for codes in covered)
        ]
        scope[name] = tuple(both)
        for side, codes in enumerate(covered):
            if codes is None or codes != set(both):
                needs[side].add(name)
    can = tuple(narrowable(wave, catalogue) for wave in waves)
    return SharedScope(scope, (frozenset(needs[0]), frozenset(needs[1])), (can[0], can[1]))


def _covered_codes(wave: Wave, name: str, facts: WaveFacts) -> set[str] | None:
    """The codes of a variable that a wave covers; None for all of them."""
    mapped = set(facts.mapped(wave).get(name, ())) if wave.is_microdata else set()
    if name not in wave.scope:
        return mapped or None
    declared = set(wave.scope[name])
    return declared & mapped or declared


def narrowable(wave: Wave, catalogue: Catalogue) -> frozenset[str]:
    """The variables by which a wave can be narrowed: those of its sums; none of published figures."""
    return frozenset(plan_wave(wave, catalogue).cell) if wave.is_microdata else frozenset()


def restricted(cells: Cells, scope: Scope) -> Cells:
    """The same sums, counting only units inside the scope; the design stays whole, as for any domain."""
    cubes = [cube.restricted(inside_of(cube, scope)) for cube in cells.cubes]
    others = tuple(restricted(each, scope) for each in cells.others)
    return replace(cubes[0], further=tuple(cubes[1:]), others=others)


def inside_of(cells: Cells, scope: Scope) -> Flags:
    """The cells that lie inside a scope."""
    inside = np.ones(len(cells.frame), dtype=bool)
    for name, codes in scope.items():
        inside &= cells.frame[name].astype("str").isin(codes).to_numpy(dtype=bool)
    return inside
