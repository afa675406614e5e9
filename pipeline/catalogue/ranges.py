"""Ranges of numbers in a crosswalk: ``18..34``, ``65..``, ``..17``, and ``18-34``, maybe a code too."""

from __future__ import annotations

import math
import re
from itertools import pairwise
from typing import NamedTuple

NUMBER = r"\d+(?:\.\d+)?"
DOTS = re.compile(rf"(-?{NUMBER})?\s*\.\.\s*(-?{NUMBER})?")
HYPHEN = re.compile(rf"({NUMBER})\s*[-\u2013]\s*({NUMBER})")


class Range(NamedTuple):
    """From ``low`` to ``high``, both included; an open end is infinite. A ``plain`` one can be no code."""

    low: float
    high: float
    plain: bool
    text: str


def range_of(code: str) -> Range | None:
    """The range that a source code is, if it is one; its ends may stand in the wrong order."""
    if (found := DOTS.fullmatch(code)) and any(found.groups()):
        low, high = found.groups()
        return Range(float(low or -math.inf), float(high or math.inf), True, code)
    if (found := HYPHEN.fullmatch(code)) and float(found[1]) <= float(found[2]):
        return Range(float(found[1]), float(found[2]), False, code)
    return None


def overlapping(ranges: list[Range]) -> list[tuple[Range, Range]]:
    """Neighbours of which one begins before the other has ended. Two with hyphens may share an end: texts
    such as ``0-10`` and ``10-20`` are mostly codes of the file, and no number of it is in both.
    """
    ordered = sorted(ranges)
    return [
        (first, second)
        for first, second in pairwise(ordered)
        if second.low < first.high or (second.low == first.high and (first.plain or second.plain))
    ]
