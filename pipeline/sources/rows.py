"""Which rows of a raw file are a wave's: several waves may have been delivered in one file."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from pipeline.arrays import Flags
from pipeline.catalogue.fieldwork import Source
from pipeline.problems import ProblemError, counted, wave_problem
from pipeline.sources.layout import absent
from pipeline.sources.metadata import NO_METADATA, FileMetadata
from pipeline.sources.shown import visible

MOST_VALUES = 20  # values of a column that a message names


def rows_of(cells: pd.DataFrame, source: Source, wave: str, metadata: FileMetadata = NO_METADATA) -> Flags:
    """The rows that have, in every column of ``source.rows``, one of its values; all where none is declared.

    ``cells`` are the file's, or those of these columns alone; ``metadata`` says what values mean. Raises
    ProblemError for a column that the file lacks, for a value that no row has, with those that there are, and
    where no row is left.
    """
    chosen = np.ones(len(cells), dtype=bool)
    problems = []
    for column, values in source.rows.items():
        if column not in cells:
            said = absent(column, cells.columns, source)
            problems.append(wave_problem(wave, f"source.rows.{column}", *said, column))
            continue
        chosen &= cells[column].isin(values).to_numpy()
        there = set(cells[column].unique())
        problems += [
            wave_problem(
                wave,
                f"source.rows.{column}",
                "is in no row of the raw file",
                f"Values found: {values_found(cells[column], metadata.value_labels.get(column, {}))}.",
                value,
            )
            for value in values
            if value not in there
        ]
    if not problems and not chosen.any():
        hint = "Every value is there, but never together: correct one of them."
        problems.append(wave_problem(wave, "source.rows", "no row of the raw file has all of them", hint))
    if problems:
        raise ProblemError(problems)
    return chosen


def values_found(cells: pd.Series[str], labels: Mapping[str, str] | None = None) -> str:
    """The values of a column that may be shown, with what they are labelled and their rows, most frequent
    first; the others counted.
    """
    labels = labels or {}
    times = cells.value_counts().sort_index().sort_values(ascending=False, kind="stable")
    may_be_shown = visible({str(text): int(rows) for text, rows in times.items()})
    texts = [(may_be_shown[str(text)], int(rows)) for text, rows in times.items()]
    parts = [
        f"{text or 'blank'}{' = ' * (text in labels)}{labels.get(text, '')} ({counted(rows, 'row')})"
        for text, rows in texts
        if text is not None
    ]
    hidden = len(texts) - len(parts)
    more = [f"{len(parts) - MOST_VALUES} more"] if len(parts) > MOST_VALUES else []
    more += [f"{counted(hidden, 'text')} not shown"] if hidden else []
    return ", ".join([*parts[:MOST_VALUES], *more])
