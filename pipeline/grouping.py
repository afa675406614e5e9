"""Units gathered into cells of crossed codes, and sums over them that no order of the rows can change."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from pipeline.arrays import Floats, Ints


def indexed(column: pd.Series[str]) -> tuple[list[str], Ints]:
    """The distinct codes of a column, and each row's place among them."""
    values = column.array
    if isinstance(values, pd.Categorical):
        return [str(code) for code in values.categories], np.asarray(values.codes, dtype=np.int64)
    places, codes = pd.factorize(column)
    return [str(code) for code in codes], places.astype(np.int64)


def cross_classify(frame: pd.DataFrame, names: tuple[str, ...] | list[str]) -> tuple[list[str], Ints]:
    """The combinations of codes that occur, joined by ``*`` and sorted, and each row's place among them.

    Of no column there is one combination, the empty text.
    """
    return cross_classify_codes([indexed(frame[name]) for name in names], len(frame))


def cross_classify_codes(columns: list[tuple[list[str], Ints]], rows: int) -> tuple[list[str], Ints]:
    """``cross_classify`` of columns that are ``indexed``."""
    texts, place = [""], np.zeros(rows, dtype=np.int64)
    for number, (codes, of_row) in enumerate(columns):
        pair = place * len(codes) + of_row if number else of_row
        there, place = distinct(pair, len(texts) * len(codes))
        right = [codes[each % len(codes)] for each in there]
        left = [texts[each // len(codes)] for each in there]
        texts = right if number == 0 else [f"{a}*{b}" for a, b in zip(left, right, strict=True)]
    order = sorted(range(len(texts)), key=texts.__getitem__)
    if order == list(range(len(texts))):
        return texts, place
    rank = np.empty(len(texts), dtype=np.int64)
    rank[order] = np.arange(len(texts))
    return [texts[each] for each in order], rank[place]


def distinct(values: Ints, size: int) -> tuple[Ints, Ints]:
    """The distinct values below ``size``, sorted, and each value's place among them."""
    if size > 4 * len(values) + 1024:  # too many to keep a place for each
        return np.unique(values, return_inverse=True)
    there = np.flatnonzero(np.bincount(values, minlength=size))
    place = np.zeros(size, dtype=np.int64)
    place[there] = np.arange(len(there))
    return there, place[values]


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
