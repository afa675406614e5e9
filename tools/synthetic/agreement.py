"""Moves single answers until the weighted shares agree with the figures.

One question at a time: each step makes the change of one kind (one item, one code) that brings all figures
closer, in the units whose latent value speaks most for it. Routing, exclusive items and the maximum number of
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
from tools.synthetic.measures import Codes, Mask, Sheet, Target

CLOSE = 0.3  # percentage points: rounds to the printed figure with room to spare
STEPS = 800
LAST_RESORT = -0.2  # support for an exclusive item of which no figure speaks

Changes = Mapping[str, Codes]


@dataclass(frozen=True)
class Room:
    """What may move in a question: its variables, who answers, how many choices and which items are alone."""

    question: Question
    names: tuple[str, ...]
    here: Mask
    latents: Mapping[str, Floats]
    limit: int | None
    alone: frozenset[str]


@dataclass(frozen=True)
class Move:
    """One kind of change: the columns as they would be, who may make it, and how much speaks for it."""

    columns: Changes
    allowed: Mask
    support: Floats


def agree(targets: Sequence[Target], room: Room, sheet: Sheet, catalogue: Catalogue) -> None:
    """Changes the question's answers on the sheet until every target is close or no change helps."""
    for _ in range(STEPS):
        misses = [target.share(sheet, catalogue) - target.goal.value for target in targets]
        wrong = {
            name
            for target, miss in zip(targets, misses, strict=True)
            if abs(miss) > CLOSE
            for name in target.variables
        }
        if not wrong.intersection(room.names):
            return
        best = _best(targets, room, sheet, catalogue, wrong)
        if best is None:
            return
        move, rows = best
        for name, column in move.columns.items():
            sheet.columns[name] = sheet.columns[name].copy()
            sheet.columns[name][rows] = column[rows]


def _best(
    targets: Sequence[Target], room: Room, sheet: Sheet, catalogue: Catalogue, wrong: set[str]
) -> tuple[Move, NDArray[np.intp]] | None:
    """The move that helps most, and the units that make it: none where nothing helps."""
    now = [target.masks(sheet, catalogue, {}) for target in targets]
    sums = [(float(sheet.weights[top].sum()), float(sheet.weights[bottom].sum())) for top, bottom in now]
    found: tuple[Move, Floats] | None = None
    least = -1e-9
    for move in _moves(room, sheet, wrong):
        gains = np.where(move.allowed, 0.0, np.inf)
        for target, (top, bottom), (part, whole) in zip(targets, now, sums, strict=True):
            if target.variables.isdisjoint(move.columns):
                continue
            new_top, new_bottom = target.masks(sheet, catalogue, move.columns)
            change = sheet.weights * (new_top.astype(float) - top)
            total = whole + sheet.weights * (new_bottom.astype(float) - bottom)
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
    share = 0.15 * worst / 100 * float(min(whole for _, whole in sums)) / float(sheet.weights.mean())
    order = np.argsort(gains, kind="stable")[: max(1, int(share))]
    return move, order[gains[order] < 0.5 * least]


def _moves(room: Room, sheet: Sheet, wrong: set[str]) -> Iterator[Move]:
    if room.question.type == "multiple":
        yield from _ticks(room, sheet, wrong)
        return
    for name in room.names:
        codes = [
            code for code in room.question.codes if (sheet.columns[name] == sheet.book.number[code]).any()
        ]
        order = {sheet.book.number[code]: rank for rank, code in enumerate(room.question.codes)}
        ranks = np.array([order.get(number, 0) for number in range(len(sheet.book.codes))])
        for code in codes if name in wrong else ():
            number = sheet.book.number[code]
            column = np.where(room.here, number, sheet.columns[name]).astype(np.int16)
            up = order[number] < ranks[sheet.columns[name]]
            support = _support(room.latents[name], up)
            yield Move({name: column}, room.here & (sheet.columns[name] != number), support)


def _support(latent: Floats, up: Mask | bool) -> Floats:
    """Between 0 and 1: how much the latent value speaks for a change upwards, or downwards."""
    high = 1 / (1 + np.exp(-1.7 * latent))
    return np.where(up, high, 1 - high)


def _ticks(room: Room, sheet: Sheet, wrong: set[str]) -> Iterator[Move]:
    """Tick or untick an item; an exclusive item takes the others' place, and they its."""
    yes, no = sheet.book.number[SELECTED], sheet.book.number[NOT_SELECTED]
    ticked = {name: sheet.columns[name] == yes for name in room.names}
    free = [name for name in room.names if name not in room.alone]
    count = np.sum([ticked[name] for name in free], axis=0) if free else np.zeros(len(room.here))
    for name in room.names:
        rest = [
            other for other in room.names if other != name and (name in room.alone or other in room.alone)
        ]
        on = {name: np.where(room.here, yes, sheet.columns[name]).astype(np.int16)}
        on |= {other: np.where(room.here, no, sheet.columns[other]).astype(np.int16) for other in rest}
        if not wrong.intersection(on):
            continue
        space = count < room.limit if room.limit and name not in room.alone else True
        support = _support(room.latents[name], name not in room.alone)
        if name in room.alone and name not in wrong:
            support = np.full(len(support), LAST_RESORT)
        yield Move(on, room.here & ~ticked[name] & space, support)
        if name not in room.alone:
            off = {name: np.where(room.here, no, sheet.columns[name]).astype(np.int16)}
            yield Move(off, room.here & ticked[name] & (count > 1), _support(room.latents[name], False))
