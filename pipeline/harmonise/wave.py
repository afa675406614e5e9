"""Harmonises one wave: exclusions, corrections, crosswalk, routing, contract, quarantine, in that order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from pipeline.catalogue.fieldwork import Design, Wave
from pipeline.catalogue.model import Catalogue
from pipeline.contracts import compiled, microdata_schema, validate
from pipeline.harmonise.boxes import count_asked, empty_pages
from pipeline.harmonise.corrections import correct
from pipeline.harmonise.counts import (
    background,
    item_nonresponse,
    maybe_grouped_columns,
    outliers,
    require_no_more,
    suspected_codes,
)
from pipeline.harmonise.crosswalk import Mapped, translate
from pipeline.harmonise.declared_missing import answers_declared_missing, weights_declared_missing
from pipeline.harmonise.design import (
    design_columns,
    numbered,
    replicate_columns,
    require_columns,
    require_no_totals,
    require_weights,
)
from pipeline.harmonise.exclusions import exclude, zero_weights
from pipeline.harmonise.file_labels import codes_in_labels, label_faults
from pipeline.harmonise.quarantine import (
    broken_contract,
    conflicts,
    missing_design,
    quarantine_table,
    require_few,
    too_many_choices,
)
from pipeline.harmonise.ranges import spelt_out
from pipeline.harmonise.routing import route
from pipeline.problems import Problem, ProblemError
from pipeline.sources import NO_METADATA, FileMetadata


@dataclass(frozen=True)
class Harmonised:
    """A wave in the codebook's variables and codes.

    ``answers``: one row a sound unit, ordered by unit; coded columns are categorical. ``quarantine``:
    one row a reason, as its stored table. ``report``: counts only, never a respondent's answer.
    """

    answers: pd.DataFrame
    quarantine: pd.DataFrame
    report: dict[str, Any]


def harmonise(
    raw: pd.DataFrame, wave: Wave, catalogue: Catalogue, metadata: FileMetadata = NO_METADATA
) -> Harmonised:
    """The raw text of a microdata wave as harmonised answers; ``metadata`` is what its file says of it.

    The rows of ``raw`` are labelled with their place in the file.

    Raises ProblemError when a needed column is missing or empty, an exclusion or correction has expired, a
    source code is unknown, a number cannot be read, an answer is what the file declares missing or labels as
    another, a delivered weight is missing, too many rows are bad, or more units answered than were drawn.
    """
    if wave.design is None:
        raise ValueError(f"{wave.key} has no design")
    design, instrument = wave.design, catalogue.instruments[wave.instrument]
    delivered = len(raw)
    raw, excluded = exclude(numbered(raw, design), wave)
    require_columns(raw, wave, design, instrument)
    require_no_totals(raw, wave, design)
    raw, corrections = correct(raw, wave)
    without_weight = zero_weights(raw, wave, design)
    raw = raw[~without_weight]
    places, raw = raw.index.to_numpy(), raw.reset_index(drop=True)
    suspected = suspected_codes(raw, wave, instrument)
    catalogue = spelt_out(raw, wave, catalogue)
    metadata = codes_in_labels(metadata, instrument.crosswalk)
    labels = label_faults(raw, wave, catalogue, metadata)
    mapped = _translate(raw, wave, catalogue, metadata, labels.problems)
    pages = empty_pages(mapped, catalogue)
    contradictions = route(mapped, catalogue)
    answers = pd.DataFrame({**design_columns(raw, wave, design), **mapped.columns})
    replicates = replicate_columns(raw, design)
    good, bad = validate(answers, compiled(microdata_schema(catalogue, wave, len(replicates))))
    failures = [*broken_contract(bad, wave, design), *missing_design(raw, design), *conflicts(mapped)]
    failures += too_many_choices(mapped, wave, catalogue)
    quarantine = quarantine_table(failures, wave)
    require_few(quarantine, len(raw), wave, catalogue.barometer.validation.max_quarantined)
    good = good[~good.index.isin(quarantine["row"] - 1)].sort_values("unit").reset_index(drop=True)
    quarantine["row"] = places[quarantine["row"].to_numpy(dtype="int64") - 1] + 1
    require_weights(good, wave, _weight_sources(design, replicates))
    require_no_more(len(good), wave)
    report = {
        "rows": delivered,
        "excluded": excluded,
        "zero_weights": int(without_weight.sum()),
        "kept": len(good),
        "quarantined": len(raw) - len(good),
        "rules": {
            str(rule): int(count) for rule, count in quarantine.groupby("rule")["row"].nunique().items()
        },
        "corrections": corrections,
        "contradictions": contradictions,
        "nothing_ticked": count_asked(pages, mapped, catalogue),
        "labels": labels.report(),
        "unused_columns": _unused(raw, wave, catalogue, design),
        "item_nonresponse": item_nonresponse(good, catalogue),
        "outliers": outliers(good, catalogue),
        "thousands": maybe_grouped_columns(raw, wave, instrument),
        "suspected_codes": suspected,
        "background": background(good, catalogue),
    }
    return Harmonised(good, quarantine, report)


def _translate(
    raw: pd.DataFrame, wave: Wave, catalogue: Catalogue, metadata: FileMetadata, problems: list[Problem]
) -> Mapped:
    """The harmonised variables. Raises ProblemError, also for what contradicts the file's own metadata."""
    problems = [*problems, *answers_declared_missing(raw, wave, catalogue, metadata)]
    problems += weights_declared_missing(raw, wave, metadata)
    try:
        mapped = translate(raw, wave, catalogue)
    except ProblemError as error:
        problems += error.problems
    if problems:
        raise ProblemError(problems)
    return mapped


def _weight_sources(design: Design, replicates: list[str]) -> Mapping[str, str]:
    sources = {"design_weight": design.delivered} if design.delivered else {}
    sources |= {f"replicate_{number}": column for number, column in enumerate(replicates, 1)}
    return sources | design.further_weights


def _unused(raw: pd.DataFrame, wave: Wave, catalogue: Catalogue, design: Design) -> list[str]:
    """The source columns that nothing reads: a question of the file may be waiting there."""
    used = {row.source_variable for row in catalogue.instruments[wave.instrument].crosswalk}
    used |= {*design.id, *design.strata, design.psu, design.delivered, *design.weights.values()}
    used |= {*replicate_columns(raw, design), *wave.source.rows}
    used |= {exclusion.column for exclusion in wave.exclusions}
    used |= {column for fix in wave.corrections for column in (fix.column, *fix.match)}
    return [name for name in raw.columns if name not in used]
