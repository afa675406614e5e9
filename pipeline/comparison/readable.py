"""Which parts of comparisons a reader may see: published estimates, and what was estimated again.

A comparison has two parts, and a standardised one those by code besides. What of the parts that were
estimated again on a narrower scope may be published belongs to ``disclosure``; here, what is asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeline.catalogue import Catalogue
from pipeline.comparison.inputs import CELL
from pipeline.comparison.standard import domain_of
from pipeline.disclosure import protect_scoped, scope_of

NOT_READABLE = ("Q", "M")
Place = tuple[str, ...]


@dataclass(frozen=True)
class Shown:
    """What a reader sees of a cell besides its value: its status, and n as published."""

    status: str
    n: float


def readable(protected: pd.DataFrame) -> dict[Place, Shown]:
    """Every published cell that has a value; where it has a column ``scope``, by that too."""
    there = protected[protected["value"].notna() & ~protected["obs_status"].isin(NOT_READABLE)]
    n = np.asarray(there["n"].astype("float64"), dtype=np.float64)
    shown = [Shown(status, float(number)) for status, number in zip(there["obs_status"], n, strict=True)]
    names = ["wave", *CELL, *(name for name in ("scope",) if name in there)]
    return dict(zip(places(there, names), shown, strict=True))


def places(frame: pd.DataFrame, names: list[str]) -> list[Place]:
    """The texts of these columns, row by row."""
    texts = [frame[name].astype("str").tolist() for name in names]
    return [tuple(row) for row in zip(*texts, strict=True)]


def parts_of(compared: pd.DataFrame, side: str, catalogue: Catalogue) -> list[list[Place]]:
    """The cells that one side of each comparison is made of; those estimated again end with their scope."""
    found = []
    cells = places(compared, [f"wave_{side}", *CELL])
    rest = places(compared, [f"narrowed_{side}", "standard", "scope"])
    for place, (scope, standard, shared) in zip(cells, rest, strict=True):
        parts = [place]
        if standard:
            variable = catalogue.comparability.compositions[standard].variable
            domain = domain_of(variable, catalogue)
            parts += [(*place[:3], domain, code) for code in scope_of(shared)[variable]]
        found.append([(*part, scope) for part in parts] if scope else parts)
    return found


def readable_scoped(
    compared: pd.DataFrame,
    narrowed: pd.DataFrame,
    plain: Mapping[Place, Shown],
    estimates: pd.DataFrame,
    protected: pd.DataFrame,
    catalogue: Catalogue,
) -> dict[Place, Shown]:
    """What a reader sees of what was estimated again: by wave, cell and scope.

    Only what a comparison needs whose plain parts are all published.
    """
    length = 1 + len(CELL)
    wanted = {
        part
        for sides in zip(*(parts_of(compared, side, catalogue) for side in "ab"), strict=True)
        if all(part in plain for parts in sides for part in parts if len(part) == length)
        for parts in sides
        for part in parts
        if len(part) > length
    }
    asked = np.array([place in wanted for place in places(narrowed, ["wave", *CELL, "scope"])], dtype=bool)
    return readable(protect_scoped(narrowed, asked, estimates, protected, catalogue))
