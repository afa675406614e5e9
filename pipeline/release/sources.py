"""The rows about the sources of the data: waves, and the crosswalks of their questionnaires.

Only what is declared of a wave and its questionnaire; results belong to the estimates.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from pipeline.catalogue import IGNORE, Catalogue, Wave
from pipeline.catalogue.scopes import scope_text

COPY = "="
Row = dict[str, Any]


def wave_row(wave: Wave, catalogue: Catalogue, units: int) -> Row:
    """What a wave declares, and the number of units that its estimates rest on."""
    instrument, fieldwork = catalogue.instruments[wave.instrument], wave.fieldwork
    response = wave.responded(units)
    return {
        "wave": wave.key,
        "country": wave.country,
        "survey": wave.survey,
        "edition": wave.edition,
        "time_period": wave.time_period,
        "status": wave.status,
        "source_kind": wave.source.kind,
        "unit": wave.unit,
        "unit_verb": instrument.unit_verb,
        "about": instrument.about,
        "instrument": wave.instrument,
        "instrument_language": instrument.language,
        "reference_start": wave.reference_period.start.isoformat(),
        "reference_end": wave.reference_period.end.isoformat(),
        "fieldwork_start": fieldwork.start.isoformat() if fieldwork else "",
        "fieldwork_end": fieldwork.end.isoformat() if fieldwork else "",
        "scope": scope_text(wave.scope, as_declared=True),
        "mode": wave.mode,
        "respondent": wave.respondent,
        "role": wave.role,
        "population": response.population,
        "sample": response.sample,
        "respondents": response.respondents,
        "response_rate": response.rate,
        "n": units if wave.is_microdata else None,
        **_method(wave),
        "corrections": len(wave.corrections),
        "producer": wave.origin.producer,
        "title": wave.origin.title,
        "licence": wave.origin.licence,
        "accessed": wave.origin.accessed.isoformat() if wave.origin.accessed else "",
        "url": wave.origin.url,
        "doi": wave.origin.doi,
        "citation": wave.origin.citation,
        "source_sha256": wave.source.sha256,
        "note": wave.note,
    }


def _method(wave: Wave) -> Row:
    """How the wave's weights and variances are made; blank for published figures."""
    weighting, design = wave.weighting, wave.design
    replicates = design.replicate_weights if design else None
    linearised = design is not None and replicates is None  # replicate weights carry strata and units
    return {
        "weighting_method": weighting.method if weighting else "",
        "weighting_margins": "|".join("*".join(margin) for margin in weighting.margins) if weighting else "",
        "stratified": linearised and bool(design.strata) if design else None,
        "clustered": linearised and bool(design.psu) if design else None,
        "replicate_method": replicates.method if replicates else "",
    }


def crosswalk_rows(catalogue: Catalogue, waves: Iterable[Wave]) -> Iterator[Row]:
    """A row for each rule of every questionnaire of the microdata waves."""
    for instrument in sorted({wave.instrument for wave in waves if wave.is_microdata}):
        for row in catalogue.instruments[instrument].crosswalk:
            action = {COPY: "copy", IGNORE: "ignore"}.get(row.code, "map")
            yield {
                "instrument": instrument,
                "line": row.line,
                "source_variable": row.source_variable,
                "source_code": row.source_code,
                "action": action,
                "variable": row.variable,
                "code": row.code if action == "map" else "",
                "note": row.note,
            }
