"""Weighted answers as whole numbers: what ``weighting`` hands on, in the form that the engine counts.

The first step of estimation: ``plan`` writes its conditions on these numbers, ``statistics`` sums them.

A code is its place in the codebook; ``no_answer`` is -1 and ``not_asked`` -2, so that ``>= 0`` means
answered. A stratum or sampling unit is its place among those of the wave. Comparing one byte costs a
fraction of comparing texts. What a pass must know before it starts
(``AnswersMetadata``) travels with the table. Files are Arrow's, mapped into memory: a hundred columns of
Parquet took longer to open than to count.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.catalogue.fieldwork import Wave, weight_column
from pipeline.catalogue.model import Catalogue
from pipeline.catalogue.questionnaire import NO_ANSWER, NOT_ASKED

STATES = {NO_ANSWER: -1, NOT_ASKED: -2}
DESIGN = {"stratum": "stratum", "psu": "psu", "base_weight": "d", "weight": "w"}
GROUPED = ("stratum", "psu")
AT_ONCE = 122_880  # rows of a batch: what one thread of DuckDB takes
METADATA = b"answers_metadata"


@dataclass(frozen=True)
class AnswersMetadata:
    """What a pass must know of the answers before it starts; it travels with them.

    ``distinct_weights`` and ``largest_weight`` are of each column of weights (start weights: the latter).
    ``ranges`` are the lowest and highest of every number, ``levels`` the names of strata and sampling units
    and the codes of every other variable, in the order of their numbers.
    """

    rows: int
    distinct_weights: dict[str, int]
    largest_weight: dict[str, float]
    ranges: dict[str, tuple[float, float]]
    levels: dict[str, list[str]]


def variables_of(wave: Wave, catalogue: Catalogue) -> list[str]:
    """The variables a wave has, in the codebook's order."""
    asked = catalogue.mapped_variables(wave)
    answers = [name for question in catalogue.questions.values() for name in question.answers]
    return [name for name in [*catalogue.variables, *answers] if name in asked]


def design_columns(weight: str) -> dict[str, str]:
    """The design columns of a pass and their SQL names.

    Beside a further weight stands the main one, in place of a start weight: a unit's part of the population.
    """
    if not weight:
        return DESIGN
    return {**{name: name for name in GROUPED}, "weight": "d", weight_column(weight): "w"}


def encoded(weighted: pd.DataFrame | pa.Table, wave: Wave, catalogue: Catalogue) -> pa.Table:
    """The design columns, replicate and further weights and the wave's variables, codes as numbers."""
    present = list(weighted.columns if isinstance(weighted, pd.DataFrame) else weighted.column_names)
    further = list(wave.design.further_weights) if wave.design else []
    names = [*DESIGN, *(name for name in present if name.startswith("replicate_")), *further]
    columns = {name: _column(weighted, name) for name in names}
    levels, ranges = {}, {}
    for name in GROUPED:
        texts = columns[name].cast(pa.string())
        levels[name] = sorted(texts.unique().to_pylist())
        columns[name] = _numbers(texts, {text: place for place, text in enumerate(levels[name])})
    for name in variables_of(wave, catalogue):
        codes = catalogue.codes_of(name)
        column = _column(weighted, name)
        if codes:
            levels[name] = list(codes)
            columns[name] = _numbers(column, {code: place for place, code in enumerate(codes)} | STATES)
        else:
            columns[name] = column
            found = pc.min_max(column).as_py()
            ranges[name] = (found["min"] or 0.0, found["max"] or 0.0)
    distinct = {name: pc.count_distinct(columns[name]).as_py() for name in ("weight", *further)}
    largest = {name: pc.max(columns[name]).as_py() or 1.0 for name in ("base_weight", "weight", *further)}
    metadata = AnswersMetadata(len(columns["weight"]), distinct, largest, ranges, levels)
    return pa.table(columns).replace_schema_metadata({METADATA: json.dumps(asdict(metadata))})


def write_codes(weighted: pd.DataFrame | pa.Table, wave: Wave, catalogue: Catalogue, path: Path) -> None:
    """Writes the encoded answers of a wave as an Arrow file."""
    codes = encoded(weighted, wave, catalogue)
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, codes.schema) as writer:
        writer.write_table(codes, max_chunksize=AT_ONCE)


def read_codes(path: Path) -> pa.Table:
    """What ``write_codes`` wrote, mapped into memory."""
    with pa.memory_map(str(path)) as file:
        return pa.ipc.open_file(file).read_all()


def metadata_of(codes: pa.Table) -> AnswersMetadata:
    """What travels with encoded answers."""
    return AnswersMetadata(**json.loads(codes.schema.metadata[METADATA]))


def _column(weighted: pd.DataFrame | pa.Table, name: str) -> pa.ChunkedArray:
    if isinstance(weighted, pd.DataFrame):
        return pa.chunked_array([pa.array(weighted[name], from_pandas=True)])
    return weighted[name]


def _numbers(column: pa.ChunkedArray, places: Mapping[str, int]) -> pa.ChunkedArray:
    kind = pa.int8() if len(places) < 128 else pa.int32()
    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    chunks = []
    for chunk in column.chunks:
        lookup = np.array(
            [places[text] for text in chunk.dictionary.to_pylist()], dtype=kind.to_pandas_dtype()
        )
        chunks.append(pa.array(lookup[chunk.indices.to_numpy(zero_copy_only=False)]))
    return pa.chunked_array(chunks, type=kind)


def decoded(places: npt.ArrayLike, name: str, metadata: AnswersMetadata) -> pd.Categorical[Any]:
    """Numbers of a variable as codes again, or of strata or sampling units as their names."""
    if name in GROUPED:
        names = _categories(tuple(metadata.levels[name]))
        return pd.Categorical.from_codes(np.asarray(places), dtype=names, validate=False)
    dtype = _categories((*metadata.levels[name], *sorted(STATES, key=STATES.__getitem__)))
    index = np.asarray(places, dtype=np.int64)
    index = np.where(index < 0, index + len(dtype.categories), index)
    return pd.Categorical.from_codes(index, dtype=dtype, validate=False)


@lru_cache
def _categories(texts: tuple[str, ...]) -> pd.CategoricalDtype[Any]:
    return pd.CategoricalDtype(list(texts))
