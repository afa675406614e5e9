"""How a message names the texts of a raw file: codes, never what a respondent wrote (``problems.shown``).

Problems are printed, logged and kept by the scheduler; a raw file's cells may hold names and opinions.
"""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from pipeline.problems import FREQUENT, shown

__all__ = ["counted", "listed", "named", "shown", "visible"]

NAMED = 5  # texts that a message names
MANY = 20  # more different texts are no codes, but identifiers or texts


def visible(times: Mapping[str, int]) -> dict[str, str | None]:
    """Texts of a column, given with the number of their rows, as ``shown``; of many only the frequent."""
    few = len(times) <= MANY
    return {text: shown(text, rows) if few or rows >= FREQUENT else None for text, rows in times.items()}


def listed(cells: pd.Series[str]) -> str:
    """Some cells of a column, as a message names them: texts that may be shown, the others counted.

    ``cells`` are labelled with their place among the rows of the wave, from 0.
    """
    times = cells.value_counts().sort_index()
    texts = visible({str(text): int(rows) for text, rows in times.items()})
    parts = [_some([text for text in texts.values() if text is not None])]
    hidden = cells[cells.map(texts).isna()]
    if count := hidden.nunique():
        parts.append(f"{_texts(count)}, first in row {hidden.index[0] + 1} of the wave's")
    return ", ".join(filter(None, parts))


def named(times: Mapping[str, int]) -> str:
    """Texts, given with the number of their rows, as a message names them: as ``listed``."""
    texts = visible(times)
    parts = [_some([text for text in texts.values() if text is not None])]
    if count := sum(text is None for text in texts.values()):
        parts.append(_texts(count))
    return ", ".join(filter(None, parts))


def _some(texts: list[str]) -> str:
    return ", ".join(texts[:NAMED] + ([f"{len(texts) - NAMED} more"] if len(texts) > NAMED else []))


def _texts(count: int) -> str:
    return f"{count} {'text' if count == 1 else 'texts'}"


def counted(cells: pd.Series[str]) -> str:
    """How many rows, and texts in them, ready for what they are."""
    rows, texts = len(cells), cells.nunique()
    subject = "1 row is" if rows == 1 else f"{rows} rows are"
    return subject if texts in (1, rows) else f"{subject.rpartition(' ')[0]} ({texts} distinct texts) are"
