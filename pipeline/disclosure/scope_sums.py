"""How cells that were estimated again on a narrower scope hang together with the other cells of their wave.

A cell is limited to some codes of some variables: its *box*. A scope limits it further. Here belongs what
follows from boxes alone: which cells a wave has on its scopes, what is left of a cell outside of them (a
*remainder*, which is never published, but subtraction gives it), and which of all these add up to which.
What that tells of a hidden cell belongs to ``attack``.

A scope may also name answers of questions: a composite over just these is another estimate of the same
units. It adds up with others over the same answers only, and is hidden with its *twin* over all of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations

from pipeline.catalogue.model import Catalogue
from pipeline.catalogue.scopes import parsed_scope
from pipeline.disclosure.sums import Cell, Sum

MOST_APART = 3  # scopes that share nothing, taken from a cell at once
Box = Mapping[str, frozenset[str]]
Key = frozenset[tuple[str, frozenset[str]]]


def answers_of(cell: Cell, catalogue: Catalogue) -> str:
    """The part of a cell's scope that names answers of questions."""
    return " ".join(each for each in cell.scope.split() if each.partition("=")[0] not in catalogue.variables)


def twins(cells: Sequence[Cell], catalogue: Catalogue) -> list[int]:
    """The place of each cell over all answers; its own where it is that, or where that is not there."""
    place = {cell: number for number, cell in enumerate(cells)}
    found = []
    for number, cell in enumerate(cells):
        answers = answers_of(cell, catalogue).split()
        scope = " ".join(each for each in cell.scope.split() if each not in answers)
        found.append(place.get(cell._replace(scope=scope), number))
    return found


def box_of(cell: Cell, catalogue: Catalogue) -> Box | None:
    """The codes that a cell is limited to, by variable; None where none are left."""
    by = catalogue.domains[cell.domain].by
    box = {name: frozenset({code}) for name, code in zip(by, cell.code.split("*"), strict=False)}
    population = {
        name: codes for name, codes in parsed_scope(cell.scope).items() if name in catalogue.variables
    }
    for name, codes in population.items():
        box[name] = box.get(name, frozenset(codes)) & frozenset(codes)
    return box if all(box.values()) else None


def on_scopes(plain: Sequence[Cell], shown: Iterable[Cell], catalogue: Catalogue) -> list[Cell]:
    """Every cell on the scopes of a wave, shown or not: of breakdowns that show some there, and of everyone.

    ``plain``: the wave's cells as they are; ``shown``: those on a scope of which something is known.
    """
    shown = sorted(set(shown))
    totals = [cell.domain for cell in plain if not catalogue.domains[cell.domain].by]
    wanted = {(domain, cell.scope) for cell in shown for domain in (cell.domain, *totals)}
    every = [
        Cell(cell.domain, cell.code, scope)
        for domain, scope in sorted(wanted)
        for cell in plain
        if cell.domain == domain
    ]
    return [cell for cell in dict.fromkeys([*every, *shown]) if box_of(cell, catalogue) is not None]


def links(cells: Sequence[Cell], sums: Sequence[Sum], catalogue: Catalogue) -> list[Sum]:
    """The sums among the cells on scopes, and between these and the others.

    ``cells``: those of the wave, then those on its scopes; ``sums``: among the former. Each holds on
    every scope too; a cell on a scope is the sum of the finer cells inside its box; and boxes that
    are the same in another name are equal.
    """
    place = {cell: number for number, cell in enumerate(cells)}
    boxes = [box_of(cell, catalogue) for cell in cells]
    answers = [answers_of(cell, catalogue) for cell in cells]
    finer, equal = _finer(cells, boxes, answers, catalogue), _equal(cells, boxes, answers)
    found = dict.fromkeys([*_again(cells, sums, place), *finer, *equal])
    return [Sum(whole, parts) for whole, parts in found]


Places = Iterator[tuple[int, tuple[int, ...]]]


def _again(cells: Sequence[Cell], sums: Sequence[Sum], place: Mapping[Cell, int]) -> Places:
    for scope in sorted({cell.scope for cell in cells} - {""}):
        for each in sums:
            whole, *parts = [place.get(cells[member]._replace(scope=scope)) for member in each.members]
            inside = tuple(part for part in parts if part is not None)
            if whole is not None and inside:
                yield whole, inside


def _finer(
    cells: Sequence[Cell], boxes: Sequence[Box | None], answers: Sequence[str], catalogue: Catalogue
) -> Places:
    domains = dict.fromkeys(cell.domain for cell in cells)
    for whole, (cell, box) in enumerate(zip(cells, boxes, strict=True)):
        for domain in domains if cell.scope != answers[whole] and box is not None else ():
            if set(box or {}) <= set(catalogue.domains[domain].by):
                parts = tuple(
                    part
                    for part, (other, own) in enumerate(zip(cells, boxes, strict=True))
                    if other.domain == domain and other.scope == answers[whole] and _within(own, box)
                )
                if parts:
                    yield whole, parts


def _equal(cells: Sequence[Cell], boxes: Sequence[Box | None], answers: Sequence[str]) -> Places:
    first: dict[tuple[str, Key], int] = {}
    for number, (cell, box) in enumerate(zip(cells, boxes, strict=True)):
        if cell.scope and box is not None:
            other = first.setdefault((answers[number], _key(box)), number)
            if other != number:
                yield number, (other,)


def remainders(cells: Sequence[Cell], catalogue: Catalogue) -> list[Sum]:
    """What is left of a cell outside of scopes: the cell, and what is taken from it; the rest is left.

    Each cell less the same cell on a scope inside its own; also less several of these that share nothing.
    """
    same: dict[tuple[str, ...], dict[Key, int]] = {}
    for number, cell in enumerate(cells):
        if (box := box_of(cell, catalogue)) is not None:
            name = (cell.domain, cell.code, answers_of(cell, catalogue))
            same.setdefault(name, {}).setdefault(_key(box), number)
    found = []
    for own in same.values():
        boxed = [(number, dict(key)) for key, number in own.items()]
        for whole, box in boxed:
            inside = [(number, other) for number, other in boxed if number != whole and _within(other, box)]
            for many in range(1, MOST_APART + 1):
                for taken in combinations(inside, many):
                    if all(_disjoint(a, b) for (_, a), (_, b) in combinations(taken, 2)):
                        found.append(Sum(whole, tuple(number for number, _ in taken)))
    return found


def _key(box: Box) -> Key:
    return frozenset(box.items())


def _within(inner: Box | None, outer: Box | None) -> bool:
    if inner is None or outer is None:
        return False
    return all(name in inner and inner[name] <= codes for name, codes in outer.items())


def _disjoint(a: Box, b: Box) -> bool:
    return any(name in b and not codes & b[name] for name, codes in a.items())
