"""Applies a crosswalk: source column + source code -> harmonised variable + code.

Here belongs the meaning of a single cell. What depends on other answers belongs to ``routing``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from pipeline.arrays import Flags, Ints
from pipeline.catalogue.fieldwork import Wave
from pipeline.catalogue.model import Catalogue
from pipeline.catalogue.questionnaire import ABSENT, IGNORE, NO_ANSWER, CrosswalkRow, Instrument
from pipeline.problems import Problem, ProblemError, counted
from pipeline.sources import numbers, visible

ANY_CODE, COPY_NUMBER = "*", "="

CodeMap = Mapping[str, str]  # source code -> code
MappedColumn = tuple[str, "SourceCells", CodeMap]  # a source column that feeds a variable


@dataclass(frozen=True)
class SourceCells:
    """A source column, each distinct text once: ``texts[index[i]]`` is the cell of row i.

    ``codes`` has the codes in each text: itself, none in a blank one, and several where the wave declares
    that a cell holds several choices.
    """

    texts: list[str]
    index: Ints
    codes: list[tuple[str, ...]]

    @classmethod
    def from_column(cls, column: pd.Series[str], mark: str = "", listed: Container[str] = ()) -> SourceCells:
        """The cells of a column of text; ``mark`` parts several choices, of which some are ``listed``."""
        index, distinct = pd.factorize(column)
        texts = [str(text) for text in distinct]
        codes = [tuple(choices_in(text, mark, listed)) if mark else (text,) if text else () for text in texts]
        return cls(texts, index, codes)


@dataclass(frozen=True)
class MappedText:
    """A text of a source column, the number of rows that hold it, and the line that maps it to a variable."""

    text: str
    rows: int
    variable: str
    row: CrosswalkRow

    @property
    def confirmed(self) -> bool:
        """Somebody has looked at the line."""
        return self.row.confirmed


@dataclass
class Mapped:
    """The harmonised columns of a wave: categorical, or float for a number.

    ``answered`` marks the rows whose own cell was mapped to a code of the codebook, or is a number;
    ``conflicts`` those where two source columns say different things.
    """

    columns: dict[str, pd.Series[Any]] = field(default_factory=dict)
    answered: dict[str, Flags] = field(default_factory=dict)
    conflicts: dict[str, Flags] = field(default_factory=dict)

    def add(self, variable: str, column: pd.Series[Any], answered: Flags, conflict: Flags) -> None:
        """One more variable."""
        self.columns[variable] = column
        self.answered[variable] = answered
        self.conflicts[variable] = conflict


def translate(raw: pd.DataFrame, wave: Wave, catalogue: Catalogue) -> Mapped:
    """Every harmonised variable that the wave's crosswalk fills, in codebook order.

    A blank cell takes the code of the crosswalk's blank row, else ``no_answer``; so does, for one
    variable, a code that the crosswalk maps to other variables only. Of several source columns the
    first that holds an answer counts. Raises ProblemError naming every source code without a row, and
    every text that is not a number where numbers are copied.
    """
    instrument = catalogue.instruments[wave.instrument]
    listed: dict[str, set[str]] = {}
    for row in instrument.crosswalk:
        listed.setdefault(row.source_variable, set()).add(row.source_code)
    marks = wave.source.choices
    cells = {
        name: SourceCells.from_column(raw[name], marks.get(name, ""), codes) for name, codes in listed.items()
    }
    problems = list(_unlisted_codes(cells, listed, wave, instrument))
    mapped = Mapped()
    for variable, sources in _sources(instrument, catalogue).items():
        source_columns = [
            (name, cells[name], _beside(codes, listed[name]) if name in marks else codes)
            for name, codes in sources.items()
        ]
        if variable in catalogue.variables or catalogue.question_of(variable).type != "numeric":
            states = (NO_ANSWER,) if variable in catalogue.variables else ABSENT
            mapped.add(variable, *_coded(source_columns, catalogue.codes_of(variable), states))
            continue
        try:
            mapped.add(variable, *_number(source_columns, wave))
        except ProblemError as error:
            problems += error.problems
    if problems:
        raise ProblemError(problems)
    return mapped


def choices_in(text: str, mark: str, listed: Container[str]) -> Iterator[str]:
    """The choices in a cell; a mark that stands within a listed choice parts nothing."""
    parts = text.split(mark)
    start = 0
    while start < len(parts):
        ends = range(len(parts), start, -1)
        found = {end: mark.join(parts[start:end]).strip() for end in ends}
        end = next((end for end in ends if found[end] and found[end] in listed), start + 1)
        if found[end]:
            yield found[end]
        start = end


def mapped_texts(
    raw: pd.DataFrame, wave: Wave, catalogue: Catalogue, columns: Container[str]
) -> Iterator[MappedText]:
    """The distinct texts of some source columns, once for each variable that a line of the crosswalk maps
    them to; blank cells and texts that no line lists are left out.
    """
    instrument = catalogue.instruments[wave.instrument]
    counts: dict[str, list[tuple[str, int]]] = {}
    for variable, sources in _lines(instrument).items():
        for column, lines in sources.items():
            if column not in columns or column not in raw:
                continue
            if column not in counts:
                times = raw[column].value_counts().sort_index()
                counts[column] = [(str(text), int(rows)) for text, rows in times.items() if text]
            for text, rows in counts[column]:
                row = lines.get(text, lines.get(ANY_CODE))
                if row is not None:
                    yield MappedText(text, rows, variable, row)


def _lines(instrument: Instrument) -> dict[str, dict[str, dict[str, CrosswalkRow]]]:
    """variable -> source column -> source code -> the line of the crosswalk that maps it.

    An ``ignore`` without a variable leaves the code out of every variable of its column.
    """
    lines: dict[str, dict[str, dict[str, CrosswalkRow]]] = {}
    for row in instrument.crosswalk:
        if row.variable:
            columns = lines.setdefault(row.variable, {})
            columns.setdefault(row.source_variable, {})[row.source_code] = row
    for row in instrument.crosswalk:
        for columns in lines.values() if not row.variable else ():
            if row.source_variable in columns:
                columns[row.source_variable].setdefault(row.source_code, row)
    return lines


def _sources(instrument: Instrument, catalogue: Catalogue) -> dict[str, dict[str, dict[str, str]]]:
    """variable -> source column -> source code -> code; variables in codebook order."""
    sources = {
        variable: {column: {code: row.code for code, row in rows.items()} for column, rows in columns.items()}
        for variable, columns in _lines(instrument).items()
    }
    filled = {row.variable for row in instrument.crosswalk if row.code != IGNORE}
    return {name: sources[name] for name in (*catalogue.variables, *catalogue.answers) if name in filled}


def _unlisted_codes(
    cells: Mapping[str, SourceCells], listed: Mapping[str, Container[str]], wave: Wave, instrument: Instrument
) -> Iterator[Problem]:
    """The non-blank source codes that the crosswalk does not list, with the number of their rows."""
    file = f"schemas/instruments/{instrument.key}.csv"
    for column, known in listed.items():
        if ANY_CODE in known:
            continue
        counts = np.bincount(cells[column].index, minlength=len(cells[column].texts)).tolist()
        rows = Counter[str]()
        for codes, count in zip(cells[column].codes, counts, strict=True):
            rows.update(dict.fromkeys(codes, count))
        unlisted = {code: rows[code] for code in sorted(rows) if code not in known}
        texts = visible(unlisted)
        for text, code in texts.items():
            if code is not None:
                hint = f"Add the line {column},{code},VARIABLE,CODE, with {IGNORE} as CODE to leave it out."
                found = f"{counted(unlisted[text], 'row')} of {wave.source.file}"
                message = f"holds a code that the crosswalk does not list, in {found}"
                yield Problem(file, f"column {column}", message, hint, code, wave.key)
        if hidden := [text for text, code in texts.items() if code is None]:
            hint = f"If the column holds free text or numbers, map it with source_code {ANY_CODE}."
            found = f"{counted(sum(unlisted[text] for text in hidden), 'row')} of {wave.source.file}"
            message = f"holds {counted(len(hidden), 'text')} that the crosswalk does not list, in {found}"
            yield Problem(file, f"column {column}", message, hint, wave=wave.key)


def _coded(
    source_columns: Sequence[MappedColumn], known: Sequence[str], states: Sequence[str]
) -> tuple[pd.Series[Any], Flags, Flags]:
    """A coded variable from its source columns: the column, where it was answered, where it conflicts."""
    position_of = {code: position for position, code in enumerate((*known, *states))}
    rows = len(source_columns[0][1].index)
    answer, state = np.full(rows, -1), np.full(rows, -1)
    conflict = np.zeros(rows, dtype=bool)
    for _, cells, codes in source_columns:
        target = np.array([position_of.get(_target(found, codes), -1) for found in cells.codes])[cells.index]
        listed = np.array([bool(_listed(found, codes)) for found in cells.codes])[cells.index]
        is_answer = listed & (target >= 0) & (target < len(known))
        conflict |= is_answer & (answer >= 0) & (answer != target)
        answer = np.where(is_answer & (answer < 0), target, answer)
        state = np.where(~is_answer & (state < 0), target, state)
    answered = answer >= 0
    index = np.where(answered, answer, np.where(state >= 0, state, position_of[NO_ANSWER]))
    dtype = pd.CategoricalDtype(list(position_of))
    return pd.Series(pd.Categorical.from_codes(index, dtype=dtype)), answered, conflict


def _number(source_columns: Sequence[MappedColumn], wave: Wave) -> tuple[pd.Series[Any], Flags, Flags]:
    """A number from its source columns; NaN where no cell is copied."""
    rows = len(source_columns[0][1].index)
    value, conflict = np.full(rows, np.nan), np.zeros(rows, dtype=bool)
    for name, cells, codes in source_columns:
        copied = [
            text if _target(found, codes) == COPY_NUMBER else ""
            for text, found in zip(cells.texts, cells.codes, strict=True)
        ]
        texts = pd.Series(np.array(copied, dtype=object)[cells.index], dtype="str")
        copied_numbers = numbers(texts, name, wave).to_numpy()
        conflict |= ~np.isnan(copied_numbers) & ~np.isnan(value) & (copied_numbers != value)
        value = np.where(np.isnan(value), copied_numbers, value)
    return pd.Series(value), ~np.isnan(value), conflict


def _listed(found: Sequence[str], codes: CodeMap) -> list[str]:
    """Where the source codes in a cell lead: by a row of their own, or of *. Of several, what is ignored is
    as if it were not there.
    """
    led = [codes.get(code, codes.get(ANY_CODE, "")) for code in found]
    return [code for code in led if code and (len(found) == 1 or code != IGNORE)]


def _beside(codes: CodeMap, listed: Iterable[str]) -> CodeMap:
    """The codes of one of several choices: ``*`` is no choice that has a row of its own."""
    return {**dict.fromkeys(listed, ""), **codes} if ANY_CODE in codes else codes


def _target(found: Sequence[str], codes: CodeMap) -> str:
    """The code that a cell leads to: by its own row, by *, or by the blank row; "" if there is none."""
    led = _listed(found, codes)
    return led[0] if led else codes.get("", "")
