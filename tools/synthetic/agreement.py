"""Changes single answers until the weighted shares agree with the figures.

One question at a time: each step makes one kind of change (to one item or code) that brings all figures
closer, in the units whose latent values are nearest to it. Routing, exclusive items and the maximum number of
choices hold at every step.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.arrays import Floats
from pipeline.catalogue.model import Catalogue
from pipeline.catalogue.questionnaire import NOT_SELECTED, SELECTED, Question
from tools.synthetic.measures import CodedAnswers, Codes, FigureTarget, Mask

CLOSE = 0.3  # percentage points: rounds to the printed figure with room to spare
STEPS = 800
LAST_RESORT = -0.2  # support for an exclusive item that no figure is about

Changes = Mapping[str, Codes]


@dataclass(frozen=True)
class AdjustableQuestion:
    """What may change in a question: its variables, who answers, the most choices, the exclusive items."""

    question: Question
    names: tuple[str, ...]
    here: Mask
    latents: Mapping[str, Floats]
    limit: int | None
    exclusive: frozenset[str]


@dataclass(frozen=True)
class Move:
    """One kind of change: the columns as they would be, who may make it, and how plausible it is."""

    columns: Changes
    allowed: Mask
    support: Floats


def agree(
    targets: Sequence[FigureTarget], adjustable: AdjustableQuestion, coded: CodedAnswers, catalogue: Catalogue
) -> None:
    """Changes the question's answers until every target is close or no change helps."""
    for _ in range(STEPS):
        misses = [target.share(coded, catalogue) - target.goal.value for target in targets]
        wrong = {
            name
            for target, miss in zip(targets, misses, strict=True)
            if abs(miss) > CLOSE
            for name in target.variables
        }
        if not wrong.intersection(adjustable.names):
            return
        best = _best(targets, adjustable, coded, catalogue, wrong)
        if best is None:
            return
        move, rows = best
        for name, column in move.columns.items():
            coded.columns[name] = coded.columns[name].copy()
            coded.columns[name][rows] = column[rows]


def _best(
    targets: Sequence[FigureTarget],
    adjustable: AdjustableQuestion,
    coded: CodedAnswers,
    catalogue: Catalogue,
    wrong: set[str],
) -> tuple[Move, NDArray[np.intp]] | None:
    """The move that helps most, and the units that make it; None where nothing helps."""
    now = [target.masks(coded, catalogue, {}) for target in targets]
    sums = [(float(coded.weights[top].sum()), float(coded.weights[bottom].sum())) for top, bottom in now]
    found: tuple[Move, Floats] | None = None
    least = -1e-9
    for move in _moves(adjustable, coded, wrong):
        gains = np.where(move.allowed, 0.0, np.inf)
        for target, (top, bottom), (part, whole) in zip(targets, now, sums, strict=True):
            if target.variables.isdisjoint(move.columns):
                continue
            new_top, new_bottom = target.masks(coded, catalogue, move.columns)
            change = coded.weights * (new_top.astype(float) - top)
            total = whole + coded.weights * (new_bottom.astype(float) - bottom)
            miss = 100 * (part + change) / np.maximum(total, 1e-300) - target.goal.value
            gains += miss**2 - (100 * part / whole - target.goal.value) ** 2
        gains = np.where(gains < 0, gains * (0.25 + move.support), gains)
        if gains.min(initial=np.inf) < least:
            least, found = float(gains.min()), (move, gains)
    if found is None:
        return None
    move, gains = found
    worst = max(
        abs(100 * part / whole - target.goal.value)
        for target, (part, whole) in zip(targets, sums, strict=True)
    )
    share = 0.15 * worst / 100 * float(min(whole for _, whole in sums)) / float(coded.weights.mean())
    order = np.argsort(gains, kind="stable")[: max(1, int(share))]
    return move, order[gains[order] < 0.5 * least]


def _moves(adjustable: AdjustableQuestion, coded: CodedAnswers, wrong: set[str]) -> Iterator[Move]:
    if adjustable.question.type == "multiple":
        yield from _ticks(adjustable, coded, wrong)
        return
    for name in adjustable.names:
        codes = [
            code
            for code in adjustable.question.codes
            if (coded.columns[name] == coded.numbering.number[code]).any()
        ]
        order = {coded.numbering.number[code]: rank for rank, code in enumerate(adjustable.question.codes)}
        ranks = np.array([order.get(number, 0) for number in range(len(coded.numbering.codes))])
        for code in codes if name in wrong else ():
            number = coded.numbering.number[code]
            column = np.where(adjustable.here, number, coded.columns[name]).astype(np.int16)
            up = order[number] < ranks[coded.columns[name]]
            support = _support(adjustable.latents[name], up)
            yield Move({name: column}, adjustable.here & (coded.columns[name] != number), support)


def _support(latent: Floats, up: Mask | bool) -> Floats:
    """Between 0 and 1: how plausible the latent value makes a change upwards, or downwards."""
    high = 1 / (1 + np.exp(-1.7 * latent))
    return np.where(up, high, 1 - high)


def _ticks(adjustable: AdjustableQuestion, coded: CodedAnswers, wrong: set[str]) -> Iterator[Move]:
    """Tick or untick an item; an exclusive item replaces the others, and they replace it."""
    yes, no = coded.numbering.number[SELECTED], coded.numbering.number[NOT_SELECTED]
    ticked = {name: coded.columns[name] == yes for name in adjustable.names}
    free = [name for name in adjustable.names if name not in adjustable.exclusive]
    count = np.sum([ticked[name] for name in free], axis=0) if free else np.zeros(len(adjustable.here))
    for name in adjustable.names:
        rest = [
            other
            for other in adjustable.names
            if other != name and (name in adjustable.exclusive or other in adjustable.exclusive)
        ]
        on = {name: np.where(adjustable.here, yes, coded.columns[name]).astype(np.int16)}
        on |= {other: np.where(adjustable.here, no, coded.columns[other]).astype(np.int16) for other in rest}
        if not wrong.intersection(on):
            continue
        space = count < adjustable.limit if adjustable.limit and name not in adjustable.exclusive else True
        support = _support(adjustable.latents[name], name not in adjustable.exclusive)
        if name in adjustable.exclusive and name not in wrong:
            support = np.full(len(support), LAST_RESORT)
        yield Move(on, adjustable.here & ~ticked[name] & space, support)
        if name not in adjustable.exclusive:
            off = {name: np.where(adjustable.here, no, coded.columns[name]).astype(np.int16)}
            yield Move(
                off, adjustable.here & ticked[name] & (count > 1), _support(adjustable.latents[name], False)
            )
