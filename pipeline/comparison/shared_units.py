"""Whether units answered in both of two waves of a survey: declared, or seen in their ids.

Samples that share units are not independent, and the error of a difference, which adds variances, is another
one than is given. Ids that are equal show it only where that is no accident: two files whose rows are
numbered 1 to n share every number and need not share a unit, and numbers of rows tell nothing at all.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

import pandas as pd

from pipeline.catalogue import Wave
from pipeline.catalogue.fieldwork import ROW

Ids = Callable[[str], Collection[str]]  # the ids of a wave's units; none where they are not at hand
FEW = 0.05  # of the smaller wave: as many ids in common may be units that happened to be drawn twice
BY_NATURE = 2.0  # times as many as numbers in common by chance: less is no evidence
RUN = 10  # ids with the same beginning and a number make a run
YES, NO, UNKNOWN = "yes", "no", "unknown"


def no_ids(wave: str) -> Collection[str]:
    """No wave's ids are at hand: what is declared must do."""
    return ()


def shared_units(a: Wave, b: Wave, ids: Ids = no_ids) -> str:
    """``yes``, ``no`` or ``unknown``: what ``panel`` of the two waves declares, else what their ids show.

    Of published figures only what is declared counts. Two censuses have no error that shared units could
    make another one: ``no``, whatever is declared. Without ids, or with rows' numbers in their place, it is
    unknown. Ids in common are evidence where they are more than one in twenty of the smaller wave, and more
    than twice those that two draws from the same numbers would have in common.
    """
    if (a.survey, a.status) != (b.survey, b.status):
        return NO
    if a.is_census and b.is_census:
        return NO
    if a.panel is not None or b.panel is not None:
        return NO if False in (a.panel, b.panel) else YES
    if not (a.is_microdata and b.is_microdata):
        return NO
    if any(wave.design and wave.design.id == (ROW,) for wave in (a, b)):
        return UNKNOWN
    of_a, of_b = ({_id(each) for each in ids(wave.key)} for wave in (a, b))
    if not of_a or not of_b:
        return UNKNOWN
    common = len(of_a & of_b)
    if common <= FEW * min(len(of_a), len(of_b)):
        return NO
    return YES if common > BY_NATURE * _by_chance(of_a, of_b) else UNKNOWN


def _id(text: str) -> str:
    """An id as another program would have written it: without leading zeros, in either case."""
    return text.casefold().lstrip("0") or "0"


def _by_chance(of_a: set[str], of_b: set[str]) -> float:
    """How many ids two waves would have in common if each had drawn its own from the same runs of numbers."""
    ids = sorted(of_a | of_b)
    parts = pd.Series(ids, dtype="str").str.extract(r"^(.*?)(\d{0,18})$")
    frame = pd.DataFrame(
        {
            "start": parts[0],
            "number": pd.to_numeric(parts[1], errors="coerce"),
            "a": [each in of_a for each in ids],
            "b": [each in of_b for each in ids],
        }
    ).dropna()
    runs = frame.groupby("start").agg(
        least=("number", "min"),
        most=("number", "max"),
        size=("number", "size"),
        a=("a", "sum"),
        b=("b", "sum"),
    )
    runs = runs[runs["size"] >= RUN]
    return float((runs["a"] * runs["b"] / (runs["most"] - runs["least"] + 1)).sum())
