"""Harmonises one wave: corrections, crosswalk, routing, contract and quarantine, in that order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from pipeline.catalogue.fieldwork import Design, Wave
from pipeline.catalogue.model import Catalogue
from pipeline.contracts import compiled, microdata_schema, validate
from pipeline.harmonise.corrections import correct
from pipeline.harmonise.crosswalk import translate
from pipeline.harmonise.design import design_columns, replicate_columns, require_columns, require_weights
from pipeline.harmonise.quarantine import (
    broken_contract,
    conflicts,
    missing_design,
    quarantine_table,
    require_few,
    too_many_choices,
)
from pipeline.harmonise.routing import route


@dataclass(frozen=True)
class Harmonised:
    """A wave in the codebook's variables and codes.

    ``answers``: one row a sound unit, ordered by unit; coded columns are categorical. ``quarantine``:
    one row a reason, as its stored table. ``report``: counts only, never a respondent's answer.
    """

    answers: pd.DataFrame
    quarantine: pd.DataFrame
    report: dict[str, Any]


def harmonise(raw: pd.DataFrame, wave: Wave, catalogue: Catalogue) -> Harmonised:
    """The raw text of a microdata wave as harmonised answers.

    Raises ProblemError when a needed column is missing or empty, a correction has expired, a source code
    is unknown, a number cannot be read, a delivered weight is missing, or too many rows are bad.
    """
    if wave.design is None:
        raise ValueError(f"{wave.key} has no design")
    design, instrument = wave.design, catalogue.instruments[wave.instrument]
    raw = raw.reset_index(drop=True)
    require_columns(raw, wave, design, instrument)
    raw, corrections = correct(raw, wave)
    mapped = translate(raw, wave, catalogue)
    contradictions = route(mapped, catalogue)
    answers = pd.DataFrame({**design_columns(raw, wave, design), **mapped.columns})
    replicates = replicate_columns(raw, design)
    good, bad = validate(answers, compiled(microdata_schema(catalogue, wave, len(replicates))))
    failures = [*broken_contract(bad, wave, design), *missing_design(raw, design), *conflicts(mapped)]
    failures += too_many_choices(mapped, wave, catalogue)
    quarantine = quarantine_table(failures, wave)
    require_few(quarantine, len(raw), wave, catalogue.barometer.validation.max_quarantined)
    good = good[~good.index.isin(quarantine["row"] - 1)].sort_values("unit").reset_index(drop=True)
    require_weights(good, wave, _weight_sources(design, replicates))
    report = {
        "rows": len(raw),
        "kept": len(good),
        "quarantined": len(raw) - len(good),
        "rules": {
            str(rule): int(count) for rule, count in quarantine.groupby("rule")["row"].nunique().items()
        },
        "corrections": corrections,
        "contradictions": contradictions,
        "unused_columns": _unused(raw, wave, catalogue, design),
    }
    return Harmonised(good, quarantine, report)


def _weight_sources(design: Design, replicates: list[str]) -> Mapping[str, str]:
    sources = {"design_weight": design.delivered} if design.delivered else {}
    return sources | {f"replicate_{number}": column for number, column in enumerate(replicates, 1)}


def _unused(raw: pd.DataFrame, wave: Wave, catalogue: Catalogue, design: Design) -> list[str]:
    """The source columns that nothing reads: a question of the file may be waiting there."""
    used = {row.source_variable for row in catalogue.instruments[wave.instrument].crosswalk}
    used |= {design.id, *design.strata, design.psu, design.delivered, *replicate_columns(raw, design)}
    return [name for name in raw.columns if name not in used]
