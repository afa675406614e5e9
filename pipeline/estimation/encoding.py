"""Weighted answers as whole numbers: what the engine counts.

A code is its place in the codebook; ``no_answer`` is -1 and ``not_asked`` -2, so that ``>= 0`` means
answered. Comparing one byte costs a fraction of comparing texts.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.catalogue.model import NO_ANSWER, NOT_ASKED, Catalogue
from pipeline.estimation.plan import Plan

STATES = {NO_ANSWER: -1, NOT_ASKED: -2}
DESIGN = {"stratum": "stratum", "psu": "psu", "base_weight": "d", "weight": "w"}


def encoded(weighted: Path | pd.DataFrame, plan: Plan, catalogue: Catalogue) -> pa.Table:
    """The design columns and the plan's variables under their SQL names, codes as numbers."""
    names = [*DESIGN, *plan.columns]
    if isinstance(weighted, Path):
        table = pq.read_table(weighted, columns=names, read_dictionary=names[:2] + list(plan.columns))
    else:
        table = pa.table({name: pa.array(weighted[name], from_pandas=True) for name in names})
    columns = {alias: table[name] for name, alias in DESIGN.items()}
    for name, alias in plan.columns.items():
        codes = catalogue.codes_of(name)
        columns[alias] = _numbers(table[name], codes) if codes else table[name]
    return pa.table(columns)


def _numbers(column: pa.ChunkedArray, codes: tuple[str, ...]) -> pa.ChunkedArray:
    places = {code: place for place, code in enumerate(codes)} | STATES
    kind = pa.int8() if len(codes) < 128 else pa.int32()
    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    chunks = []
    for chunk in column.chunks:
        lookup = np.array(
            [places[text] for text in chunk.dictionary.to_pylist()], dtype=kind.to_pandas_dtype()
        )
        chunks.append(pa.array(lookup[chunk.indices.to_numpy(zero_copy_only=False)]))
    return pa.chunked_array(chunks, type=kind)


def decoded(places: pd.Series[int], name: str, catalogue: Catalogue) -> pd.Series[str]:
    """A variable's numbers as codes again."""
    texts = dict(enumerate(catalogue.codes_of(name))) | {place: state for state, place in STATES.items()}
    return places.map(texts).astype("str")
