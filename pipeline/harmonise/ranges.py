"""Ranges of numbers in a crosswalk, as a row for each number that a wave's raw file holds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pandas as pd

from pipeline.catalogue.fieldwork import Wave
from pipeline.catalogue.model import Catalogue
from pipeline.catalogue.questionnaire import ABSENT, IGNORE, CrosswalkRow
from pipeline.catalogue.ranges import Range, range_of
from pipeline.problems import Problem, ProblemError
from pipeline.sources import number_of


def spelt_out(raw: pd.DataFrame, wave: Wave, catalogue: Catalogue) -> Catalogue:
    """The catalogue, the crosswalk of the wave with a row for every number in one of its ranges.

    A text that has a row of its own is in no range, and neither is one that the crosswalk calls no answer,
    not asked or ignored anywhere in its column: 999 is no age. Raises ProblemError for a number in two
    ranges.
    """
    instrument = catalogue.instruments[wave.instrument]
    ranges: dict[tuple[str, str], list[tuple[Range, CrosswalkRow]]] = {}
    for row in instrument.crosswalk:
        if span := range_of(row.source_code):
            ranges.setdefault((row.source_variable, row.variable), []).append((span, row))
    if not ranges:
        return catalogue
    own = {(row.source_variable, row.variable, row.source_code) for row in instrument.crosswalk}
    empty = {
        (row.source_variable, row.source_code)
        for row in instrument.crosswalk
        if row.code in (*ABSENT, IGNORE, *_nonresponse(row, catalogue))
    }
    rows, problems = list(instrument.crosswalk), []
    for (column, variable), found in ranges.items():
        for text in sorted(map(str, raw[column].unique())) if column in raw else ():
            number = number_of(text, wave.source)
            if number is None or (column, variable, text) in own or (column, text) in empty:
                continue
            within = [pair for pair in found if pair[0].low <= number <= pair[0].high]
            rows += [replace(pair[1], source_code=text) for pair in within[:1]]
            if len(within) > 1:
                problems.append(_twice(instrument.key, text, [pair[0] for pair in within], wave, column))
    if problems:
        raise ProblemError(problems)
    made = replace(instrument, crosswalk=tuple(rows))
    return replace(catalogue, instruments={**catalogue.instruments, instrument.key: made})


def _nonresponse(row: CrosswalkRow, catalogue: Catalogue) -> Iterator[str]:
    if row.variable and row.variable not in catalogue.variables:
        yield from catalogue.question_of(row.variable).nonresponse


def _twice(instrument: str, text: str, within: list[Range], wave: Wave, column: str) -> Problem:
    ranges = " and ".join(each.text for each in within)
    hint = f"Move the end of one of {ranges}, or give the number a row of its own."
    file = f"schemas/instruments/{instrument}.csv"
    return Problem(file, f"column {column}", "is a number in two ranges", hint, text, wave.key)
