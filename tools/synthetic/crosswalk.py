"""A wave's crosswalk read backwards: from harmonised values to the cells of a raw file.

The crosswalk stays the only list of source variables and codes. Where several source codes stand for one
harmonised value, one of them is drawn.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.catalogue.questionnaire import IGNORE, NO_ANSWER, NOT_ASKED, CrosswalkRow
from pipeline.problems import Problem, ProblemError

Texts = NDArray[np.object_]
BLANK, ANY, COPY = "", "*", "="


class Crosswalk:
    """The rows of one instrument, by source column and by harmonised variable."""

    def __init__(self, rows: Iterable[CrosswalkRow], file: str, wave: str) -> None:
        self._rows, self._file, self._wave = tuple(rows), file, wave

    @cached_property
    def columns(self) -> dict[str, tuple[str, ...]]:
        """The variables that each source column feeds, in the crosswalk's order."""
        found: dict[str, dict[str, None]] = {}
        for row in self._rows:
            fed = found.setdefault(row.source_variable, {})
            if row.variable:
                fed[row.variable] = None
        return {name: tuple(variables) for name, variables in found.items()}

    @cached_property
    def _codes(self) -> dict[str, dict[str, dict[str, str]]]:
        """Source column, source code, variable: harmonised code."""
        found: dict[str, dict[str, dict[str, str]]] = {}
        for row in self._rows:
            mapped = found.setdefault(row.source_variable, {}).setdefault(row.source_code, {})
            if row.variable:
                mapped[row.variable] = NO_ANSWER if row.code == IGNORE else row.code
        return found

    def feeding(self, variable: str) -> tuple[str, ...]:
        """The source columns that feed a variable."""
        return tuple(name for name, variables in self.columns.items() if variable in variables)

    def states(self, variable: str) -> frozenset[str]:
        """The harmonised values that a raw file can express; a blank is no_answer unless it is mapped."""
        given: set[str] = {NOT_ASKED}
        blanks = []
        for name in self.feeding(variable):
            codes = self._codes[name]
            given |= {mapped[variable] for mapped in codes.values() if variable in mapped}
            blanks.append(variable in codes.get(BLANK, {}))
        if not any(blanks):
            given.add(NO_ANSWER)
        return frozenset(given)

    def cells(self, column: str, values: Mapping[str, NDArray[Any]], random: np.random.Generator) -> Texts:
        """The cells of a source column for harmonised values by variable (text; numbers are floats or NaN).

        Raises ProblemError where no column that feeds a variable can express its value.
        """
        codes, fed = self._codes[column], self.columns[column]
        if codes.get(ANY, {}).get(fed[0]) == COPY:
            return self._numbers(column, values[fed[0]], random)
        rows = [values[name] for name in fed]
        keys = list(zip(*rows, strict=True))
        choices = {
            key: self._choices(column, dict(zip(fed, key, strict=True))) for key in dict.fromkeys(keys)
        }
        cells = np.empty(len(keys), dtype=object)
        luck = random.random(len(keys))
        for row, key in enumerate(keys):
            options = choices[key]
            cells[row] = options[int(luck[row] * len(options))]
        return cells

    def _numbers(self, column: str, values: NDArray[Any], random: np.random.Generator) -> Texts:
        silent = [code for code, mapped in self._codes[column].items() if NO_ANSWER in mapped.values()] or [
            BLANK
        ]
        luck = random.integers(0, len(silent), len(values))
        texts = [
            silent[pick] if np.isnan(value) else f"{value:g}"
            for value, pick in zip(values, luck, strict=True)
        ]
        return np.array(texts, dtype=object)

    def _choices(self, column: str, wanted: Mapping[str, str]) -> list[str]:
        """The source codes for exactly these values."""
        codes = self._codes[column]
        options = []
        for code, mapped in codes.items():
            if code and mapped and all(mapped.get(name) == value for name, value in wanted.items()):
                options.append(code)
        if options:
            return options
        routed = all(value == NOT_ASKED for value in wanted.values())
        blank = codes.get(BLANK, {})
        if routed or all(value == blank.get(name, NO_ANSWER) for name, value in wanted.items()):
            return [BLANK]
        others = [
            name
            for name, value in wanted.items()
            if any(value in self._codes_given(other, name) for other in self.feeding(name))
        ]
        if len(others) == len(wanted):
            return [BLANK]  # another column has it
        text = ", ".join(f"{name}={value}" for name, value in wanted.items())
        hint = "Add a row for this value, or take it out of the recipe."
        raise ProblemError(
            Problem(
                self._file, column, "has no source code for a value that was drawn", hint, text, self._wave
            )
        )

    def _codes_given(self, column: str, variable: str) -> set[str]:
        return {
            mapped[variable] for code, mapped in self._codes[column].items() if variable in mapped and code
        }
