"""Units grouped into cells by the combinations of their codes, and exact sums by cell."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from pipeline.arrays import Floats, Ints


def indexed(column: pd.Series[str]) -> tuple[list[str], Ints]:
    """The distinct codes of a column, and each row's index among them."""
    values = column.array
    if isinstance(values, pd.Categorical):
        return [str(code) for code in values.categories], np.asarray(values.codes, dtype=np.int64)
    indices, codes = pd.factorize(column)
    return [str(code) for code in codes], indices.astype(np.int64)


def cross_classify(frame: pd.DataFrame, names: tuple[str, ...] | list[str]) -> tuple[list[str], Ints]:
    """The combinations of codes that occur, joined by ``*`` and sorted, and each row's index among them.

    Without a column there is one combination, the empty text.
    """
    return cross_classify_codes([indexed(frame[name]) for name in names], len(frame))


def cross_classify_codes(columns: list[tuple[list[str], Ints]], rows: int) -> tuple[list[str], Ints]:
    """``cross_classify`` of columns that are ``indexed``."""
    texts, index = [""], np.zeros(rows, dtype=np.int64)
    for position, (codes, row_codes) in enumerate(columns):
        pair = index * len(codes) + row_codes if position else row_codes
        present, index = distinct(pair, len(texts) * len(codes))
        right = [codes[cell % len(codes)] for cell in present]
        left = [texts[cell // len(codes)] for cell in present]
        texts = right if position == 0 else [f"{a}*{b}" for a, b in zip(left, right, strict=True)]
    order = sorted(range(len(texts)), key=texts.__getitem__)
    if order == list(range(len(texts))):
        return texts, index
    rank = np.empty(len(texts), dtype=np.int64)
    rank[order] = np.arange(len(texts))
    return [texts[cell] for cell in order], rank[index]


def distinct(values: Ints, size: int) -> tuple[Ints, Ints]:
    """The distinct values below ``size``, sorted, and each value's index among them."""
    if size > 4 * len(values) + 1024:  # too many for an index of each
        return np.unique(values, return_inverse=True)
    present = np.flatnonzero(np.bincount(values, minlength=size))
    index = np.zeros(size, dtype=np.int64)
    index[present] = np.arange(len(present))
    return present, index[values]


def exact_sums(values: Floats, groups: Ints, size: int) -> Floats:
    """Sums of values by group, the same whatever the order of the rows.

    Every value is split into two whole numbers of 2^-k so small that doubles add them without rounding.
    """
    high, low, bits, scale = _split(values)
    sums: Floats = np.bincount(groups, high, size) + np.bincount(groups, low, size) / 2.0**bits
    return sums / scale


def exact_sum(values: Floats) -> float:
    """The sum of values, the same whatever their order."""
    high, low, bits, scale = _split(values)
    return float((high.sum() + low.sum() / 2.0**bits) / scale)


def _split(values: Floats) -> tuple[Floats, Floats, int, float]:
    """Values as (high + low / 2^bits) / scale, in whole numbers whose sums doubles hold."""
    largest = float(np.abs(values).max(initial=0.0))
    bits = 52 - math.ceil(math.log2(len(values) + 1))
    scale = 2.0 ** (bits - math.frexp(largest)[1]) if largest else 1.0
    scaled = values * scale
    high = np.floor(scaled)
    scaled -= high
    scaled *= 2.0**bits
    return high, np.rint(scaled, out=scaled), bits, scale
