"""The design columns of a wave: unit, stratum, sampling unit and delivered weights."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

import numpy as np
import pandas as pd

from pipeline.catalogue.fieldwork import ROW, Design, Wave
from pipeline.catalogue.questionnaire import Instrument
from pipeline.problems import Problem, ProblemError, counted, wave_problem
from pipeline.sources import REPEATED, absent, numbers, raw_file_name

TOTAL = re.compile(
    r"(?:grand |sub-?)?totals?|sum|i alt|totalt|summe|insgesamt|gesamt|yhteens[aä]|samtals|totaal|somme"
    r"|suma|totale",
    re.IGNORECASE,
)
JOINER = "*"  # between the columns of a name


def numbered(raw: pd.DataFrame, design: Design) -> pd.DataFrame:
    """The raw frame with the rows' numbers in the file as a column, where the design takes them for units.

    A column of the file that is itself called ``row`` is that column.
    """
    if design.id != (ROW,) or ROW in raw:
        return raw
    return raw.assign(**{ROW: (raw.index + 1).astype("str")})


PERCENT = 100


def require_columns(raw: pd.DataFrame, wave: Wave, design: Design, instrument: Instrument) -> None:
    """Raises ProblemError naming every column that the design or the crosswalk needs and the raw file lacks,
    and every column of the design without a single value."""
    crosswalk_file = f"schemas/instruments/{instrument.key}.csv"
    needed = {"design.id": [*design.id], "design.strata": [*design.strata]}
    needed |= {"design.psu": [design.psu] if design.psu else []}
    needed |= {"design.weight": [design.weight] if design.weight else []}
    needed |= {"design.probability": [design.probability] if design.probability else []}
    needed |= {f"design.weights.{name}": [column] for name, column in design.weights.items()}
    problems = []
    if raw.empty:
        problems.append(
            Problem(
                raw_file_name(wave.source),
                "",
                "has no rows",
                "Put the delivered file there again.",
                wave=wave.key,
            )
        )
    for key, columns in needed.items():
        for column in columns:
            if column not in raw:
                said = absent(column, raw.columns, wave.source)
                problems.append(wave_problem(wave.key, key, *said, column))
            elif len(raw) and (raw[column] == "").all():
                hint = "Ask the producer for the column, or name another."
                problems.append(wave_problem(wave.key, key, "has only blank cells", hint, column))
            elif len(columns) > 1 and raw[column].str.contains(JOINER, regex=False).any():
                hint = "Several columns are joined by *: name a column whose codes do not contain it."
                problems.append(wave_problem(wave.key, key, "has values that contain *", hint, column))
    problems += _replicate_problems(raw, wave, design)
    for column in dict.fromkeys(row.source_variable for row in instrument.crosswalk):
        if column not in raw:
            message, hint = absent(column, raw.columns, wave.source)
            hint += f" Or declare another instrument for {wave.key}."
            problems.append(
                Problem(crosswalk_file, f"column {column}", message, hint, wave.source.file, wave.key)
            )
    if problems:
        raise ProblemError(problems)


def require_no_totals(raw: pd.DataFrame, wave: Wave, design: Design) -> None:
    """Raises ProblemError for a row that adds the others up: it would count as one more unit.

    It is told by its identifier; where rows are units, by the first column.
    """
    columns = [name for name in design.id if name != ROW] or [str(raw.columns[0])]
    problems = []
    for column in columns:
        cells = raw[column]
        if len(found := cells[cells.str.fullmatch(TOTAL)].unique()):
            hint = (
                f'Leave it out by [[exclusion]]: column = "{column}", values = ["{found[0]}"], and a reason.'
            )
            message = "has a row of totals, which is no unit"
            problems.append(
                Problem(raw_file_name(wave.source), f"column {column}", message, hint, found[0], wave.key)
            )
    if problems:
        raise ProblemError(problems)


def replicate_columns(raw: pd.DataFrame, design: Design) -> list[str]:
    """The replicate weights' source columns, in the file's order."""
    if design.replicate_weights is None:
        return []
    return [name for name in raw.columns if fnmatchcase(name, design.replicate_weights.columns)]


def _replicate_problems(raw: pd.DataFrame, wave: Wave, design: Design) -> list[Problem]:
    declared, names = design.replicate_weights, replicate_columns(raw, design)
    if declared is None:
        return []
    if len(names) < 2:
        key, hint = "design.replicate_weights.columns", "Write a pattern with *, such as rw_*."
        message = f"matches {'one column' if names else 'no column'} of the raw file"
        return [wave_problem(wave.key, key, message, hint, declared.columns)]
    if design.weight in names:
        key, hint = "design.replicate_weights.columns", "Write a pattern that the replicates alone match."
        return [wave_problem(wave.key, key, "matches the weight itself", hint, design.weight)]
    repeated = [name for name in names if (found := REPEATED.fullmatch(name)) and found[1] not in raw]
    if repeated:
        key, hint = "design.replicate_weights.columns", "Write a pattern that each of them matches once."
        message = f"matches columns that occur more than once in the header: {', '.join(repeated[:6])}"
        return [wave_problem(wave.key, key, message, hint, declared.columns)]
    if declared.rscales and len(declared.rscales) != len(names):
        key, hint = "design.replicate_weights.rscales", "Write one number per column, in the file's order."
        message = f"has {counted(len(declared.rscales), 'number')} for {len(names)} columns"
        return [wave_problem(wave.key, key, message, hint, declared.columns)]
    return []


def design_columns(raw: pd.DataFrame, wave: Wave, design: Design) -> dict[str, pd.Series[Any]]:
    """wave, unit, stratum, psu, design_weight (1/p of a probability p), replicate and further weights."""
    blank = pd.Series([""] * len(raw), dtype="str")
    columns: dict[str, pd.Series[Any]] = {
        "wave": blank + wave.key,
        "unit": _joined(raw, design.id),
        "stratum": _joined(raw, design.strata) if design.strata else blank,
        "psu": raw[design.psu] if design.psu else blank,
        "design_weight": _weights(raw, wave, design.delivered or None),
    }
    if design.probability:
        columns["design_weight"] = 1 / columns["design_weight"]
    for number, column in enumerate(replicate_columns(raw, design), 1):
        columns[f"replicate_{number}"] = _weights(raw, wave, column)
    for name, column in design.further_weights.items():
        columns[name] = _weights(raw, wave, column)
    return columns


def _joined(raw: pd.DataFrame, columns: Sequence[str]) -> pd.Series[str]:
    first, *others = columns
    joined = raw[first]
    for column in others:
        joined = joined + JOINER + raw[column]
    return joined


def _weights(raw: pd.DataFrame, wave: Wave, column: str | None) -> pd.Series[float]:
    if column is None:
        return pd.Series(float("nan"), index=raw.index)
    return numbers(raw[column], column, wave)


def require_weights(answers: pd.DataFrame, wave: Wave, sources: Mapping[str, str]) -> None:
    """Raises ProblemError where a delivered weight is missing or negative, or the design weight is 0.

    ``sources`` names the source column of each weight column; a replicate weight may be 0, and a further
    weight missing as well. A selection probability is above 0 and at most 1, so that the weight made of it is
    finite and at least 1.
    """
    problems: list[Problem] = []
    further = wave.design.further_weights if wave.design else {}
    for name, column in sources.items():
        weights = answers[name]
        if name == "design_weight" and wave.design is not None and wave.design.probability:
            problems += _probability_problems(weights, column, wave)
            continue
        zero = (weights == 0) & (name == "design_weight")
        missing = weights.isna() & (name not in further)
        for rows, what in ((missing, "missing"), (weights < 0, "negative"), (zero, "zero")):
            if count := int(rows.sum()):
                hint = (
                    "Rows that are no units, as a note below the table, are left out with an [[exclusion]] "
                    "in the wave file; else ask the producer for the weights, or add a [[correction]]."
                )
                if what == "zero":
                    hint = 'Units that nobody counts are left out with design.zero_weights = "exclude".'
                message = f"has {counted(count, 'row')} with a {what} weight"
                problems.append(
                    Problem(raw_file_name(wave.source), f"column {column}", message, hint, wave=wave.key)
                )
    if problems:
        raise ProblemError(problems)


def _probability_problems(weights: pd.Series[float], column: str, wave: Wave) -> Iterator[Problem]:
    """What is wrong with selection probabilities, by the weights 1/p that were made of them."""
    missing, above = int(weights.isna().sum()), int(((weights > 0) & (weights < 1)).sum())
    none = int((~np.isfinite(weights) | (weights < 0)).sum()) - missing
    hint = "Ask the producer for the probabilities, or add a [[correction]] to the wave file."
    for rows, what in ((missing, "a missing probability"), (none, "a probability that is not above 0")):
        if rows:
            message = f"has {counted(rows, 'row')} with {what}"
            yield Problem(raw_file_name(wave.source), f"column {column}", message, hint, wave=wave.key)
    if above:
        message = f"has {counted(above, 'row')} with a selection probability above 1"
        hint = "If they are weights, declare them as design.weight; else ask for probabilities from 0 to 1."
        if weights.min() >= 1 / PERCENT:
            hint = f"They may be per cent, 0 to {PERCENT}, where shares of 1 are needed. {hint}"
        yield Problem(raw_file_name(wave.source), f"column {column}", message, hint, wave=wave.key)
