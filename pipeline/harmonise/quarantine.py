"""Rows that break the contract of their wave: set aside with a reason, never altered and never lost silently.

Here belong the rules that involve several columns. The codes of a single column belong to its contract.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pandas as pd

from pipeline.arrays import Flags
from pipeline.catalogue.fieldwork import ROW, Design, Wave
from pipeline.catalogue.model import Catalogue
from pipeline.catalogue.questionnaire import SELECTED
from pipeline.contracts import conform
from pipeline.harmonise.crosswalk import Mapped
from pipeline.harmonise.design import JOINER
from pipeline.problems import Problem, ProblemError, counted
from pipeline.sources import raw_file_name

Reasons = list[pd.DataFrame]


def reasons(mask: Flags, column: str, rule: str, codes: Any = "") -> pd.DataFrame:
    """One line a row of ``mask``: row (position in the raw frame), column, rule, code."""
    rows = np.flatnonzero(mask)
    code = codes[rows] if isinstance(codes, np.ndarray) else codes
    return pd.DataFrame({"row": rows, "column": column, "rule": rule, "code": code})


def missing_design(raw: pd.DataFrame, design: Design) -> Reasons:
    """Units without a stratum or sampling unit, or without a part of their identifier; where rows are units,
    those that are blank throughout.
    """
    columns = [*design.strata, *([design.psu] if design.psu else [])]
    columns += design.id if len(design.id) > 1 else []
    found = [reasons((raw[column] == "").to_numpy(), column, "required") for column in columns]
    if design.id == (ROW,):
        found.append(reasons((raw.drop(columns=ROW) == "").all(axis=1).to_numpy(), ROW, "required"))
    return found


def conflicts(mapped: Mapped) -> Reasons:
    """Answers that two source columns give differently."""
    return [reasons(mask, variable, "conflict") for variable, mask in mapped.conflicts.items() if mask.any()]


def too_many_choices(mapped: Mapped, wave: Wave, catalogue: Catalogue) -> Reasons:
    """Multiple answers with more items selected than the questionnaire allowed."""
    found = []
    for question in catalogue.questions.values():
        limit = catalogue.max_choices(question, wave)
        items = [name for name in question.answers if name in mapped.columns]
        if question.type != "multiple" or limit is None or not items:
            continue
        chosen = np.sum([(mapped.columns[name] == SELECTED).to_numpy() for name in items], axis=0)
        found.append(reasons(chosen > limit, question.key, "max_choices", chosen.astype(str).astype(object)))
    return found


def broken_contract(bad: pd.DataFrame, wave: Wave, design: Design) -> Reasons:
    """Failures of the microdata contract, in the raw file's words: its id column, and the wave's scope."""
    column = bad["column"].replace(dict.fromkeys(("unit", "wave+unit"), JOINER.join(design.id)))
    rule = bad["rule"].mask(bad["column"].isin(list(wave.scope)) & (bad["rule"] == "enum"), "scope")
    return [bad.assign(column=column, rule=rule)]


def quarantine_table(found: Reasons, wave: Wave) -> pd.DataFrame:
    """The quarantine of a wave as its stored table, ordered by row."""
    table = pd.concat([frame.astype({"row": "int64"}) for frame in found if len(frame)] or [_no_reasons()])
    table = table.drop_duplicates(["row", "column", "rule"]).sort_values(["row", "column", "rule"])
    return conform(table.assign(wave=wave.key, row=table["row"] + 1), "quarantine")


def _no_reasons() -> pd.DataFrame:
    return reasons(np.zeros(0, dtype=bool), "", "")


def require_few(quarantine: pd.DataFrame, rows: int, wave: Wave, limit: float) -> None:
    """Raises ProblemError, naming columns and rules, when more than the share ``limit`` of the rows are
    bad.
    """
    bad = quarantine["row"].nunique()
    if bad <= limit * rows:
        return
    problems = []
    for (column, rule), count in sorted(
        Counter(zip(quarantine["column"], quarantine["rule"], strict=True)).items()
    ):
        message = (
            f"breaks the rule '{rule}' in {counted(count, 'row')}: {bad} of {rows} rows are faulty, "
            f"and at most {limit:.1%} may be"
        )
        hint = "Correct the crosswalk or the design, or raise validation.max_quarantined in barometer.toml."
        if rule == "unique":
            hint = 'Name further columns in design.id, as ["country", "id"], or write design.id = "row".'
        problems.append(Problem(raw_file_name(wave.source), f"column {column}", message, hint, wave=wave.key))
    raise ProblemError(problems)
