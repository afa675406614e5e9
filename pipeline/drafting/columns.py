"""The columns of a raw file: name, label, and codes where they have codes.

A column with many distinct values holds identifiers, texts or numbers, and one of few but long and rare texts
holds what respondents wrote; their values are not used further.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from pipeline.catalogue.questionnaire import NO_ANSWER, NOT_ASKED
from pipeline.catalogue.wordings import NO_ANSWER_LABEL, NOT_ASKED_LABEL, SAID_LABEL, TICKED
from pipeline.sources import Missing, MultipleSet, RawTable, shown

MAX_CODES = 30  # distinct values; a column with more has no codes
MISSING_NOTE = "user-missing in the file"
MAX_SCALE_POINTS = 7  # numbers without labels: no more different ones are codes of a scale
MAX_LENGTH = 60  # characters; a longer text is not a code
CHOICE_MARKS = (";", "|", ",", ", ")  # between several choices in one cell
MIN_TOGETHER = 0.1  # of the cells: so many hold several choices
FREQUENT, MOSTLY = 5, 0.8  # rows of a choice, and the share of all choices that are so frequent
QUESTION_WORDS = 3  # a name of so many is the question itself, as forms write it
MAX_FOOTER = 20  # rows; more below a table are no notes
MAX_WORDS = 5  # a rare text of more is what somebody wrote
# survey tools: the text written beside an answer, and what they put between question and item
WRITTEN = re.compile(r".+_(?:text|specify)", re.IGNORECASE)
TOOL_WORDS = re.compile(r"\s+[-\u2013]\s+Selected Choice\b")
PADDED = r"-?0\d+"  # of a code: a number has no leading zeros
DATE = r"\d{4}-\d\d-\d\d(?:[T ].*)?|\d{1,2}[./]\d{1,2}[./]\d{4}"


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
    partly: bool  # numbers only, none below 0 and some with a fraction: it could weigh a part of the sample
    text: bool  # neither codes nor numbers
    dates: bool
    distinct: int  # different values
    mark: str = ""  # between several choices in one cell, which are then the codes
    rest: bool = False  # some of the choices are what respondents wrote, and no codes
    set_name: str = ""
    set: MultipleSet | None = None  # the multiple-response set that the file puts it in

    @property
    def counted(self) -> str:
        """The code of a ticked box, where the file says it; else ""."""
        return self.set.counted if self.set else ""

    @property
    def full_label(self) -> str:
        """The label, after that of its multiple-response set."""
        before = self.set.label if self.set and not self.label.startswith(self.set.label) else ""
        return " - ".join(filter(None, (before, self.label)))

    @property
    def kind(self) -> str:
        """What a column of neither codes nor numbers holds, in words."""
        return "dates" if self.dates else "texts, or too many codes to be an answer"

    def is_missing(self, code: str) -> bool:
        """Whether a code stands for no answer: the file declares it missing, or its label says so."""
        return code in self.missing or bool(NO_ANSWER_LABEL.fullmatch(self.labels.get(code, "") or code))

    def state(self, code: str) -> str:
        """``not_asked`` or ``no_answer`` of a code that its label, or the file, says so of; "" of an answer,
        for which "Don't know" and "Refused" count.
        """
        label = self.labels.get(code, "") or code
        if NOT_ASKED_LABEL.fullmatch(label):
            return NOT_ASKED
        return NO_ANSWER if self.is_missing(code) and not SAID_LABEL.fullmatch(label) else ""

    @property
    def box_codes(self) -> list[str]:
        """The codes of a box to tick, but those of no answer; where 0 is missing, it is for counting."""
        counted = (self.counted,) if self.counted else ()
        absent = {*self.absent} - {"0", *counted}
        return [code for code in dict.fromkeys([*(self.codes or {}), *counted]) if code not in absent]

    @property
    def absent(self) -> list[str]:
        """The codes that the file declares missing, and those whose label says that there is no answer."""
        said = [code for code in self.codes or {} if self.state(code)]
        return list(dict.fromkeys([*self.missing, *said]))

    @property
    def ticked(self) -> str:
        """Which code of a box stands for ticked: the counted one or the one called so, else the only or the
        last one; "" of a box that nobody ticked.
        """
        codes = self.box_codes
        called = [code for code in codes if TICKED.fullmatch(self.labels.get(code) or code)]
        return self.counted or (called[0] if called and len(codes) > 1 else "".join(codes[-1:]))

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
    described = {str(name): _column(table.frame[name], table, decimal) for name in table.frame}
    taken: set[str] = set()
    for set_name, each in table.metadata.sets.items():
        own = tuple(name for name in each.columns if name in described and name not in taken)
        if len(own) > 1:
            taken |= {*own}
            described |= {
                name: replace(described[name], set_name=set_name, set=replace(each, columns=own))
                for name in own
            }
    return [*described.values()]


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
    said = table.metadata.labels.get(name, name if len(name.split()) >= QUESTION_WORDS else "")
    label = TOOL_WORDS.sub("", said)
    labels = table.metadata.value_labels.get(name, {})
    found = {str(text) for text in cells.unique()} - {""}
    declared = table.metadata.missing.get(name, Missing())
    missing = {code for code in found | set(labels) if declared.holds(code)}
    unlabelled = found - set(labels) - missing
    text = pd.Series(sorted(unlabelled), dtype="str").str.replace(decimal, ".", regex=False)
    unique = bool(len(found) == len(cells) and len(cells) > 1)
    numbers = pd.to_numeric(pd.Series(sorted(found), dtype="str").str.replace(decimal, "."), errors="coerce")
    few_codes = len(unlabelled) <= min(MAX_CODES, len(cells) / 2) and not unique
    numeric = bool(found) and bool(np.isfinite(pd.to_numeric(text, errors="coerce")).all())
    written = not (numeric or labels) and bool(WRITTEN.fullmatch(name))
    plain_codes = not (written or _is_written(cells, unlabelled, label))
    mark = "" if labels or unique or written or numeric else _choice_mark(cells)
    rest = False
    numeric &= not text.str.fullmatch(PADDED).any()
    dates, distinct = bool(found) and all(re.fullmatch(DATE, value) for value in found), len(found)
    if mark:
        rows = _choices(cells, mark).value_counts()
        found = {str(code) for code, times in rows.items() if shown(str(code), int(times))}
        few_codes, plain_codes, rest = True, True, len(found) < len(rows)
    codes = {code: labels.get(code, "") for code in sorted(found | set(labels), key=_answers_first)}
    return SourceColumn(
        name=name,
        label=label,
        codes=codes if few_codes and plain_codes else None,
        blank=bool((cells == "").any()),
        numeric=numeric,
        unique=unique,
        labels=labels,
        missing=sorted(missing, key=code_order),
        positive=bool(len(cells)) and not bool((cells == "").any()) and bool((numbers > 0).all()),
        partly=bool((numbers >= 0).all()) and bool((numbers % 1 > 0).any()),
        text=not (few_codes and plain_codes) and not numeric,
        dates=dates,
        distinct=distinct,
        mark=mark,
        rest=rest,
    )


def _is_written(cells: pd.Series[str], codes: Collection[str], label: str) -> bool:
    """Whether codes without a label are texts that respondents wrote: long ones, or most of them rare.

    The item that the column's own label ends in is none: it stands in a box that was ticked.
    """
    rows = cells.value_counts()
    codes = [code for code in codes if not label.endswith(code)]
    rare = [code for code in codes if shown(code, int(rows[code])) is None]
    long = [code for code in codes if len(code) > MAX_LENGTH]
    return bool(long) or any(len(code.split()) > MAX_WORDS for code in rare) or 2 * len(rare) > len(codes)


def _choice_mark(cells: pd.Series[str]) -> str:
    """The mark between several choices in one cell, "" where the cells hold one each.

    Choices are few, each is in several cells and in none twice, and often they stand together.
    """
    filled = cells[cells != ""]
    for mark in CHOICE_MARKS:
        choices = _choices(filled, mark)
        rows = choices.value_counts()
        together = choices.groupby(level=0).size()
        if (
            1 < len(rows[rows >= FREQUENT]) <= MAX_CODES
            and len(rows) < filled.nunique()
            and (together > 1).mean() >= MIN_TOGETHER
            and rows[rows >= FREQUENT].sum() >= MOSTLY * rows.sum()
            and not choices.reset_index().duplicated().any()
        ):
            return mark
    return ""


def _choices(cells: pd.Series[str], mark: str) -> pd.Series[str]:
    """The choices in every cell, labelled with its row."""
    between = r",(?! )" if mark == "," else re.escape(mark)  # a comma before a space stands within a choice
    parts = cells.str.split(between, regex=True).explode().str.strip()
    return parts[parts != ""]


def _answers_first(code: str) -> tuple[bool, tuple[int, float, str]]:
    return bool(NO_ANSWER_LABEL.fullmatch(code)), code_order(code)


def code_order(code: str) -> tuple[int, float, str]:
    """Numbers by size, then texts: those that begin with a number, as 5-9 and 10-19, by that."""
    number = re.fullmatch(r"-?\d+(\.\d+)?", code)
    first = re.match(r"\d{1,15}", code)
    return (0, float(code), code) if number else (1, float(first[0]) if first else -1.0, code)
