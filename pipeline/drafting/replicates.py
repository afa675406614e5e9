"""Guesses which columns are replicate weights, which weight they replicate, and how they were made.

Names tell the columns. What they are of and how they were made is told by their numbers, where half samples
were left as drawn; else by what the wave before declares, and by their labels.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Literal

import numpy as np
import pandas as pd

from pipeline.arrays import Floats
from pipeline.catalogue.fieldwork import ReplicateWeights, Wave
from pipeline.drafting.columns import SourceColumn
from pipeline.drafting.folder import slug
from pipeline.weighting.replicates import are_factors, half_samples

MIN_REPLICATES = 4
WORD = "w(?:eigh|gh?)?ts?"  # weight, wght, wgt, wt
REPLICATE = re.compile(
    rf"(?:.*_)?(?:rep(?:l(?:icate)?)?(?:_?{WORD})?|rw|wrep|brr|fay|jkn?|bsw|bootw?|pwgtp|{WORD}|[a-z]*r{WORD})_?"
)
FAY = re.compile(r"\bfay\b(?:[^.\d]*(0?\.\d+))?", re.IGNORECASE)
METHODS: dict[Literal["jkn", "bootstrap"], re.Pattern[str]] = {
    "jkn": re.compile(r"\bjk|jack", re.IGNORECASE),
    "bootstrap": re.compile(r"boot|\bbsw", re.IGNORECASE),
}
NEAR = 0.05  # squared relative distance of the mean of replicates from what they are of: a weight, or 1


def replicate_columns(columns: Sequence[SourceColumn], former: Wave | None) -> tuple[str, tuple[str, ...]]:
    """The pattern and names of the replicate weights: columns that the pattern of the wave before matches,
    else those of one stem and running numbers that are called so. Both are empty where there are none.
    """
    declared = former.design.replicate_weights if former and former.design else None
    if declared:
        before = tuple(column.name for column in columns if fnmatchcase(column.name, declared.columns))
        if len(before) >= MIN_REPLICATES:
            return declared.columns, before
    stems: dict[str, list[str]] = {}
    for column in columns:
        name = re.fullmatch(r"(.*?)(\d+)", column.name)
        if name and column.numeric and not column.labels and not column.blank:
            stems.setdefault(name[1], []).append(column.name)
    for stem, names in stems.items():
        if len(names) >= MIN_REPLICATES and REPLICATE.fullmatch(slug(stem, "_")):
            others = {column.name for column in columns} - {*names}
            alone = not any(name.startswith(stem) for name in others)
            return f"{stem}*" if alone else f"{stem}[0-9]*", tuple(names)
    return "", ()


def replicated(frame: pd.DataFrame, names: Sequence[str], weights: Sequence[str], decimal: str) -> str:
    """The weight that the replicate weights ``names`` are of, their mean being near it; "" if none is."""
    if not (names and weights):
        return ""
    mean = _numbers(frame, names, decimal).mean(axis=1)
    distance = {
        name: float(((mean - own) ** 2).sum() / (own**2).sum())
        for name in weights
        for own in (_numbers(frame, [name], decimal)[:, 0],)
    }
    best = min(distance, key=lambda name: distance[name])
    return best if distance[best] < NEAR else ""


def how_made(
    frame: pd.DataFrame, columns: Sequence[SourceColumn], pattern: str, weight: str, decimal: str,
    former: Wave | None,
) -> tuple[ReplicateWeights, str]:  # fmt: skip
    """The declaration of replicate weights, the columns ``columns``, and what it rests on."""
    declared = former.design.replicate_weights if former and former.design else None
    names, label = [column.name for column in columns], columns[0].label
    found, rho = replace(declared or ReplicateWeights("", "brr"), columns=pattern), None
    if weight:
        delivered, base = _numbers(frame, names, decimal), _numbers(frame, [weight], decimal)
        near_one = ((delivered.mean(axis=1) - 1) ** 2).mean() < NEAR
        found = replace(found, combined=not (near_one and are_factors(delivered, base[:, 0])))
        rho = half_samples(delivered / base if found.combined else delivered)
    if rho:
        factors = "" if found.combined else ", factors of it"
        return replace(
            found, method="fay", rho=rho
        ), f"each is {rho:g} or {2 - rho:g} times {weight}{factors}"
    if former and declared:
        return found, f"as in {former.key}"
    if fay := FAY.search(label):
        return replace(found, method="fay", rho=float(fay[1]) if fay[1] else None), f"by the label {label}"
    for method, called in METHODS.items():
        if called.search(f"{pattern} {label}"):
            return replace(found, method=method), "by their names or labels"
    return found, (
        f"each is 0 or 2 times {weight}"
        if rho == 0
        else "by their names; brr, fay, jkn or bootstrap: ask its producer"
    )


def _numbers(frame: pd.DataFrame, names: Sequence[str], decimal: str) -> Floats:
    """The numbers of columns, rows x columns; NaN for what is none."""
    columns = [
        pd.to_numeric(frame[name].str.replace(decimal, ".", regex=False), errors="coerce") for name in names
    ]
    return np.column_stack([column.to_numpy(dtype=np.float64) for column in columns])
