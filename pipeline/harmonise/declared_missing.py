"""Codes that a raw file itself says are no answer, and that the wave takes as one.

SPSS, Stata and SAS declare codes as missing (``sources.metadata``); a label such as "Refused" says it of a
number.
"""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from pipeline.catalogue.fieldwork import Wave
from pipeline.catalogue.model import Catalogue
from pipeline.catalogue.questionnaire import ABSENT, IGNORE, item_key
from pipeline.catalogue.wordings import says_no_answer
from pipeline.harmonise.crosswalk import COPY_NUMBER, MappedText, mapped_texts
from pipeline.harmonise.design import replicate_columns
from pipeline.problems import Problem, counted
from pipeline.sources import FileMetadata, listed, raw_file_name

CONFIRM = 'or begin the note of the line with "confirmed" if it is an answer.'


def answers_declared_missing(
    raw: pd.DataFrame, wave: Wave, catalogue: Catalogue, metadata: FileMetadata
) -> Iterator[Problem]:
    """A problem for each line of the crosswalk that takes as an answer, or copies as a number, what the file
    declares missing or labels as no answer. A line that is confirmed is left alone.
    """
    columns = {*metadata.missing, *metadata.value_labels}
    found: dict[int, list[MappedText]] = {}
    for mapped in mapped_texts(raw, wave, catalogue, columns):
        if not mapped.confirmed and _is_answer(mapped, catalogue) and _says_missing(mapped, metadata):
            found.setdefault(mapped.row.line, []).append(mapped)
    for line, texts in sorted(found.items()):
        row, file = texts[0].row, f"schemas/instruments/{wave.instrument}.csv"
        codes = {text.text for text in texts}
        cells = raw[row.source_variable]
        cells = cells[cells.isin(codes)]
        is_number = row.code == COPY_NUMBER
        taken = "copies as a number" if is_number else f"takes as {row.code}"
        declared = any(_declared(text, metadata) for text in texts)
        said = "declares missing" if declared else "labels as no answer"
        message = f"{taken} what {wave.source.file} {said}, in {counted(len(cells), 'row')}"
        code = next(iter(codes)) if len(codes) == 1 else "CODE"
        hint = f"Add the line {row.source_variable},{code},{row.variable},no_answer, or correct this one, "
        if len(codes) > 1:
            hint = f"Map them one by one to no_answer ({row.source_variable},CODE,{row.variable},no_answer), "
        yield Problem(file, f"line {line}", message, hint + CONFIRM, listed(cells), wave.key)


def weights_declared_missing(raw: pd.DataFrame, wave: Wave, metadata: FileMetadata) -> Iterator[Problem]:
    """A problem for each weight column with numbers that the file declares missing."""
    assert wave.design is not None
    weights = (wave.design.delivered, *wave.design.weights.values(), *replicate_columns(raw, wave.design))
    for column in weights:
        if column not in metadata.missing:
            continue
        cells = raw[column]
        cells = cells[cells.map({text: metadata.missing[column].holds(text) for text in cells.unique()})]
        if len(cells):
            message = f"holds weights that the file declares missing, in {counted(len(cells), 'row')}"
            hint = "Ask the producer for the weights, or add a [[correction]] to the wave file."
            yield Problem(
                raw_file_name(wave.source), f"column {column}", message, hint, listed(cells), wave.key
            )


def _is_answer(mapped: MappedText, catalogue: Catalogue) -> bool:
    """Whether a text is taken as a number, or as a code that is a substantive answer."""
    row = mapped.row
    if row.code in (IGNORE, *ABSENT, ""):
        return False
    if row.variable in catalogue.variables:
        return True
    nonresponse = catalogue.question_of(row.variable).nonresponse
    return row.code not in nonresponse and item_key(row.variable) not in nonresponse


def _says_missing(mapped: MappedText, metadata: FileMetadata) -> bool:
    label = metadata.value_labels.get(mapped.row.source_variable, {}).get(mapped.text, "")
    copied = mapped.row.code == COPY_NUMBER
    return _declared(mapped, metadata) or (copied and says_no_answer(label, mapped.text))


def _declared(mapped: MappedText, metadata: FileMetadata) -> bool:
    missing = metadata.missing.get(mapped.row.source_variable)
    return missing is not None and missing.holds(mapped.text)
