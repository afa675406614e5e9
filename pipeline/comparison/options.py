"""A composite over the answers that two waves both offered.

A share of those for whom any, all or none of several answers holds has another meaning where one of them
was not offered: both waves are then estimated again on the shared ones. An answer that the rules
never let be compared, such as "other", is never shared. Only declarations are read.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from typing import Literal

from pipeline.catalogue import Catalogue, Condition, Indicator, Logic, Wave
from pipeline.catalogue.scopes import Scope, scope_text
from pipeline.comparison.facts import Option, WaveFacts, named


@dataclass(frozen=True)
class Options:
    """How the answers that two waves offered for an indicator relate.

    ``shared``: each answer is a share of its own, or ``composite`` is the one over the answers that both
    offered. ``mixed``: they are joined in one share that cannot be estimated again. ``kept`` are the shared
    answers of every question that lost some, ``narrowed`` says which wave is estimated again on them.
    """

    state: Literal["same", "shared", "mixed"] = "same"
    composite: Indicator | None = None
    kept: Scope = field(default_factory=dict)
    narrowed: tuple[bool, bool] = (False, False)

    def narrowing(self, side: int) -> Scope:
        """What one of the waves is narrowed to; nothing where its own estimate will do."""
        return self.kept if self.narrowed[side] else {}


def name_of(indicator: str, kept: Scope) -> str:
    """What an indicator is called over the answers kept: itself where nothing was left out."""
    return f"{indicator} {scope_text(kept)}".rstrip()


def shared_options(
    wave_a: Wave, wave_b: Wave, indicator: str, facts: WaveFacts, never_compared: Collection[str]
) -> Options:
    """How two waves' answers relate; ``never_compared``: answers that no rule lets be compared."""
    a, b = (facts.options(wave, indicator) for wave in (wave_a, wave_b))
    if a is None or b is None:
        return Options()
    catalogue = facts.catalogue
    declared = catalogue.indicators[indicator]
    logic = catalogue.share_behind(declared).logic
    if logic is None:
        question = catalogue.questions.get(declared.question or "")
        multiple = question is not None and question.type == "multiple"
        return Options() if a == b else Options("shared" if multiple else "mixed")
    vague = {key for key, answer in a & b if answer in never_compared}
    if a == b and all(facts.answers(wave_a, key) == facts.answers(wave_b, key) for key in vague):
        return Options()
    shared = frozenset(option for option in a & b if option[1] not in never_compared)
    made = _over(logic, shared, catalogue, whole=False)
    used = _options(made, catalogue) if made else frozenset()
    cut = {key for key, _ in (a | b) - used}
    # With a limit on the number of choices, every answer offered bears on the choice of the others.
    limited = any(
        catalogue.max_choices(catalogue.questions[key], wave) for key in cut for wave in (wave_a, wave_b)
    )
    if made is None or limited or {key for key, _ in used} != {key for key, _ in _options(logic, catalogue)}:
        return Options("mixed")
    kept = {key: _ordered(key, used, catalogue) for key in sorted(cut)}
    composite = (
        replace(declared, total=name_of(declared.total, kept))
        if declared.total
        else replace(declared, logic=made)
    )
    narrowed = [each != used or _over(logic, each, catalogue, whole=True) != made for each in (a, b)]
    return Options("shared", composite, kept, (narrowed[0], narrowed[1]))


def _over(logic: Logic, offered: Collection[Option], catalogue: Catalogue, *, whole: bool) -> Logic | None:
    """The logic over these answers; None where nothing of it is left.

    An ``all`` that is itself one of several answers (``whole``) goes where a part of it goes; at the top
    it is about its parts, as any and none are.
    """
    parts = []
    for part in logic.parts:
        made: Logic | Condition | None
        if isinstance(part, Logic):
            made = _over(part, offered, catalogue, whole=whole or logic.operator != "all")
        elif not any(named(part, catalogue)):
            made = part
        else:
            left = [each for option, each in named(part, catalogue) if option in offered]
            made = Logic("any", tuple(left)) if left else None
        if made is not None:
            parts.append(made)
        elif whole and logic.operator == "all":
            return None
    return replace(logic, parts=tuple(parts)) if parts else None


def _options(logic: Logic, catalogue: Catalogue) -> frozenset[Option]:
    """Every answer that a logic names."""
    return frozenset(option for each in logic.conditions() for option, _ in named(each, catalogue))


def _ordered(key: str, options: Collection[Option], catalogue: Catalogue) -> tuple[str, ...]:
    """The answers of one question, in the codebook's order."""
    question = catalogue.questions[key]
    return tuple(answer for answer in question.items or question.codes if (key, answer) in options)
