"""The cells of a wave rolled up into the domains of each breakdown."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from pipeline.catalogue.model import ABSENT, Catalogue

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Breakdown:
    """One breakdown of a wave: its codes, in the codebook's order, and the code of every cell (-1: none)."""

    domain: str
    codes: tuple[str, ...]
    of_cell: Ints


def breakdowns(frame: pd.DataFrame, cell: tuple[str, ...], catalogue: Catalogue) -> Iterator[Breakdown]:
    """Every breakdown whose variables the wave has; a unit without a code is in none of its domains."""
    for domain in catalogue.domains.values():
        if not set(domain.by) <= set(cell):
            continue
        if not domain.by:
            yield Breakdown(domain.key, ("",), np.zeros(len(frame), dtype=np.int64))
            continue
        order = {
            name: {code: number for number, code in enumerate(catalogue.codes_of(name))} for name in domain.by
        }
        parts = [frame[name].astype(str) for name in domain.by]
        there = ~np.logical_or.reduce([part.isin(ABSENT).to_numpy() for part in parts])
        combined = list(zip(*parts, strict=True))
        found = sorted(
            {key for key, kept in zip(combined, there, strict=True) if kept},
            key=lambda key: tuple(order[name][code] for name, code in zip(domain.by, key, strict=True)),
        )
        position = {key: number for number, key in enumerate(found)}
        of_cell = np.array([position[key] if kept else -1 for key, kept in zip(combined, there, strict=True)])
        yield Breakdown(domain.key, tuple("*".join(key) for key in found), of_cell.astype(np.int64))


def indexed(keys: pd.Series[str]) -> tuple[list[str], Ints]:
    """The distinct keys, sorted, and each row's place among them."""
    codes, distinct = pd.factorize(keys.astype(str), sort=True)
    return [str(key) for key in distinct], codes.astype(np.int64)


def adder(groups: Ints, size: int) -> sparse.csr_array:
    """A matrix (size x rows) that adds rows into their groups, in the order of the rows; -1 is left out."""
    rows = np.flatnonzero(groups >= 0)
    return sparse.csr_array((np.ones(len(rows)), (groups[rows], rows)), shape=(size, len(groups)))
