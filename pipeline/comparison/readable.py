"""Which parts of comparisons a reader may see: published estimates, and estimates on a narrower scope.

A comparison has two parts, and a standardised one has those by code as well. Which estimates on a narrower
scope may be published is decided by ``disclosure``; here, which of them comparisons need.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeline.catalogue import Catalogue
from pipeline.catalogue.scopes import parsed_scope
from pipeline.comparison.inputs import CELL
from pipeline.comparison.standard import domain_of
from pipeline.disclosure import protect_scoped

BLANK_STATUSES = ("Q", "M")
CellKey = tuple[str, ...]  # wave, indicator, category, domain, domain code; of a narrowed one its scope


@dataclass(frozen=True)
class PublishedCell:
    """What a reader sees of a cell besides its value: its status, and n as published."""

    status: str
    n: float


def readable(protected: pd.DataFrame) -> dict[CellKey, PublishedCell]:
    """Every published cell with a value, by its key; with the scope where there is such a column."""
    valued = protected[protected["value"].notna() & ~protected["obs_status"].isin(BLANK_STATUSES)]
    n = np.asarray(valued["n"].astype("float64"), dtype=np.float64)
    shown = [
        PublishedCell(status, float(number)) for status, number in zip(valued["obs_status"], n, strict=True)
    ]
    names = ["wave", *CELL, *(name for name in ("scope",) if name in valued)]
    return dict(zip(cell_keys(valued, names), shown, strict=True))


def cell_keys(frame: pd.DataFrame, names: list[str]) -> list[CellKey]:
    """The texts of these columns, row by row."""
    texts = [frame[name].astype("str").tolist() for name in names]
    return [tuple(row) for row in zip(*texts, strict=True)]


def parts_of(compared: pd.DataFrame, side: str, catalogue: Catalogue) -> list[list[CellKey]]:
    """The cells that one side of each comparison is made of; the key of a narrowed one ends in its scope."""
    found = []
    cells = cell_keys(compared, [f"wave_{side}", *CELL])
    rest = cell_keys(compared, [f"narrowed_{side}", "standard", "scope"])
    for cell, (scope, standard, shared) in zip(cells, rest, strict=True):
        parts = [cell]
        if standard:
            variable = catalogue.comparability.compositions[standard].variable
            domain = domain_of(variable, catalogue)
            parts += [(*cell[:3], domain, code) for code in parsed_scope(shared)[variable]]
        found.append([(*part, scope) for part in parts] if scope else parts)
    return found


def readable_scoped(
    compared: pd.DataFrame,
    narrowed: pd.DataFrame,
    own: Mapping[CellKey, PublishedCell],
    estimates: pd.DataFrame,
    protected: pd.DataFrame,
    catalogue: Catalogue,
) -> dict[CellKey, PublishedCell]:
    """What a reader sees of the narrowed estimates, by wave, cell and scope.

    Only what a comparison needs whose parts on no narrower scope are all published.
    """
    length = 1 + len(CELL)
    wanted = {
        part
        for sides in zip(*(parts_of(compared, side, catalogue) for side in "ab"), strict=True)
        if all(part in own for parts in sides for part in parts if len(part) == length)
        for parts in sides
        for part in parts
        if len(part) > length
    }
    needed = np.array([cell in wanted for cell in cell_keys(narrowed, ["wave", *CELL, "scope"])], dtype=bool)
    return readable(protect_scoped(narrowed, needed, estimates, protected, catalogue))
