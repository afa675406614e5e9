"""The columns of a raw file: name, label, and codes where they have codes.

A column with many distinct values holds identifiers, texts or numbers, and one of few but long and rare texts
holds what respondents wrote; their values are not used further.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeline.catalogue.wordings import NO_ANSWER_LABEL
from pipeline.sources import Missing, RawTable, shown

MAX_CODES = 30  # distinct values; a column with more has no codes
MISSING_NOTE = "user-missing in the file"
MAX_LENGTH = 60  # characters; a longer text is not a code
MAX_FOOTER = 20  # rows; more below a table are no notes
MAX_WORDS = 5  # a rare text of more is what somebody wrote


@dataclass(frozen=True)
class SourceColumn:
    """A column of a raw file. ``codes`` is None where it has too many values to be codes."""

    name: str
    label: str
    codes: Mapping[str, str] | None  # code -> label, "" when the file has none
    blank: bool  # some cells are blank
    numeric: bool
    unique: bool  # a value of its own on every row: an identifier
    labels: Mapping[str, str]  # of its codes, as far as the file has them
    missing: Collection[str]  # codes, found or labelled, that the file declares missing
    positive: bool  # numbers only, all above 0, and no cell is blank: it could be a weight
    text: bool  # neither codes nor numbers

    def is_missing(self, code: str) -> bool:
        """Whether a code stands for no answer: the file declares it missing, or its label says so."""
        return code in self.missing or bool(NO_ANSWER_LABEL.fullmatch(self.labels.get(code, "") or code))

    def twin_note(self, code: str) -> str:
        """That an earlier code of the column has the same label, for somebody to look at; "" if none has."""
        label = self.labels.get(code, "").casefold()
        twins = [other for other in self.labels if label and self.labels[other].casefold() == label]
        return f"; same label as {twins[0]}: look at both" if twins and twins[0] != code else ""

    def missing_note(self, code: str) -> str:
        """What the file says of a code that it declares missing."""
        label = self.labels.get(code, "")
        return MISSING_NOTE + (f": {label}" if label else "")


def describe(table: RawTable, decimal: str) -> list[SourceColumn]:
    """The columns of a raw table, in its order."""
    return [_column(table.frame[name], table, decimal) for name in table.frame]


@dataclass(frozen=True)
class Footer:
    """What stands below a table, as its source: blank rows, and rows of one cell with words in it.

    ``column`` tells them: it is blank there and nowhere else.
    """

    rows: int
    column: str


def footer_of(frame: pd.DataFrame) -> Footer | None:
    """The footer of a delivered table, or None where it has none or no column tells its rows."""
    if frame.shape[1] < 3:
        return None
    rows = 0
    for cells in reversed(frame.iloc[-MAX_FOOTER:].to_numpy().tolist()):
        filled = [str(cell) for cell in cells if cell]
        if len(filled) > 1 or any(
            len(text.split()) < 2 for text in filled
        ):  # a unit, if of an identifier alone
            break
        rows += 1
    if not 0 < rows < min(MAX_FOOTER, len(frame)):
        return None
    body, below = frame.iloc[:-rows], frame.iloc[-rows:]
    tells = [str(name) for name in frame if (body[name] != "").all() and (below[name] == "").all()]
    return Footer(rows, tells[0]) if tells else None


def _column(cells: pd.Series[str], table: RawTable, decimal: str) -> SourceColumn:
    name = str(cells.name)
    labels = table.metadata.value_labels.get(name, {})
    found = {str(text) for text in cells.unique()} - {""}
    declared = table.metadata.missing.get(name, Missing())
    missing = {code for code in found | set(labels) if declared.holds(code)}
    unlabelled = found - set(labels) - missing
    text = pd.Series(sorted(unlabelled), dtype="str").str.replace(decimal, ".", regex=False)
    unique = bool(len(found) == len(cells) and len(cells) > 1)
    numbers = pd.to_numeric(pd.Series(sorted(found), dtype="str").str.replace(decimal, "."), errors="coerce")
    few_codes = len(unlabelled) <= min(MAX_CODES, len(cells) / 2) and not unique
    plain_codes = not _is_written(cells, unlabelled)
    numeric = bool(found) and bool(np.isfinite(pd.to_numeric(text, errors="coerce")).all())
    codes = {code: labels.get(code, "") for code in sorted(found | set(labels), key=_order)}
    return SourceColumn(
        name=name,
        label=table.metadata.labels.get(name, ""),
        codes=codes if few_codes and plain_codes else None,
        blank=bool((cells == "").any()),
        numeric=numeric,
        unique=unique,
        labels=labels,
        missing=sorted(missing, key=_order),
        positive=bool(len(cells)) and not bool((cells == "").any()) and bool((numbers > 0).all()),
        text=not (few_codes and plain_codes) and not numeric,
    )


def _is_written(cells: pd.Series[str], codes: Collection[str]) -> bool:
    """Whether codes without a label are texts that respondents wrote: long ones, or most of them rare."""
    rows = cells.value_counts()
    rare = [code for code in codes if shown(code, int(rows[code])) is None]
    long = [code for code in codes if len(code) > MAX_LENGTH]
    return bool(long) or any(len(code.split()) > MAX_WORDS for code in rare) or 2 * len(rare) > len(codes)


def _order(code: str) -> tuple[int, float, str]:
    """Numbers by size, then texts: those that begin with a number, as 5-9 and 10-19, by that."""
    number = re.fullmatch(r"-?\d+(\.\d+)?", code)
    first = re.match(r"\d{1,15}", code)
    return (0, float(code), code) if number else (1, float(first[0]) if first else -1.0, code)
