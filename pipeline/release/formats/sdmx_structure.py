"""SDMX-ML 2.1: the structure of the observations in ``sdmx``, with names in every language.

Code lists, a concept for each column, the data structure and the dataflow. A code that means different things
in different indicators or breakdowns is its own name: its labels are in the tables of the package.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, time
from typing import Any

import sdmx
from sdmx.message import Header, StructureMessage
from sdmx.model import common, v21

from pipeline.contracts import table
from pipeline.release.contents import Contents
from pipeline.release.formats.sdmx import (
    ATTRIBUTES,
    CODED,
    DIMENSIONS,
    NUMBERS,
    STRUCTURE,
    TIME,
    VALUE,
    agency,
    identifier,
)
from pipeline.release.labels import Labels, Pair
from pipeline.release.notes import flags

Names = dict[str, str]  # by language
Codes = dict[str, Names]
Shared = Mapping[str, Any]  # what all artefacts have in common
COLUMNS = DIMENSIONS | {TIME: "time_period", VALUE: "value"} | ATTRIBUTES
INTEGER = "N"


def files(contents: Contents) -> dict[str, bytes]:
    """The structure message."""
    maker = common.Agency(id=agency(contents))
    shared: Shared = {
        "maintainer": maker,
        "version": contents.catalogue.barometer.version,
        "is_final": True,
        "is_external_reference": False,
    }
    lists = {name: _codelist(name, codes, shared) for name, codes in _codelists(contents)}
    concepts = _concepts(shared)
    structure = _structure(concepts, lists, shared)
    flow = v21.DataflowDefinition(id=STRUCTURE, name=_titles(contents), structure=structure, **shared)
    prepared = datetime.combine(contents.catalogue.barometer.released, time())
    message = StructureMessage(header=Header(id=STRUCTURE, prepared=prepared, sender=maker))
    for artefact in (*lists.values(), concepts, structure, flow):
        message.add(artefact)
    return {"sdmx/structure.xml": sdmx.to_xml(message, pretty_print=True)}


def _titles(contents: Contents) -> Names:
    return {
        language: contents.marked(labels.title)
        for language, labels in contents.labels.items()
        if labels.is_translated(labels.title)
    }


def _codelists(contents: Contents) -> Iterator[tuple[str, Codes]]:
    """Every code list by its name, its codes in published order."""
    own, rows = contents.languages[0], contents.rows
    waves = rows["waves"].select(["wave", "title", "survey", "country"]).to_pylist()
    countries = dict.fromkeys(wave["country"] for wave in waves)
    yield "REF_AREA", _named(contents, countries, lambda labels: labels.countries)
    yield "SURVEY", {wave["survey"]: {own: wave["survey"]} for wave in waves}
    yield "WAVE", {wave["wave"]: {own: wave["title"] or wave["wave"]} for wave in waves}
    indicators = rows["indicators"]["indicator"].to_pylist()
    yield "INDICATOR", _named(contents, indicators, lambda labels: labels.indicators)
    yield "CATEGORY", _second_parts(contents, "categories", lambda labels: labels.categories)
    domains = dict.fromkeys(rows["domains"]["domain"].to_pylist())
    yield "DOMAIN", _named(contents, domains, lambda labels: labels.domains)
    yield "DOMAIN_CODE", _second_parts(contents, "domains", lambda labels: labels.cells)
    for name, column in CODED.items():
        yield name, {code: {own: label} for code, label in flags(column)}


def _named(
    contents: Contents, codes: Iterable[str], labels_of: Callable[[Labels], Mapping[str, str]]
) -> Codes:
    """Codes with their labels in those languages that have one."""
    return {
        code: {
            language: label
            for language, labels in contents.labels.items()
            if labels.is_translated(label := labels_of(labels).get(code, code))
        }
        for code in codes
    }


def _second_parts(contents: Contents, name: str, labels_of: Callable[[Labels], Mapping[Pair, str]]) -> Codes:
    """The second codes of a table's pairs, each once, with its label where all pairs agree on it."""
    first, second, *_ = contents.rows[name].columns
    found: dict[str, dict[str, set[str]]] = {}
    for pair in zip(first.to_pylist(), second.to_pylist(), strict=True):
        for language, labels in contents.labels.items():
            label = labels_of(labels).get(pair, pair[1])
            found.setdefault(pair[1], {}).setdefault(language, set()).add(label)
    own = contents.languages[0]
    return {
        code: {
            language: label
            for language, labels in by_language.items()
            if len(labels) == 1 and contents.labels[language].is_translated(label := min(labels))
        }
        or {own: code}
        for code, by_language in found.items()
    }


def _codelist(name: str, codes: Codes, shared: Shared) -> common.Codelist:
    made = common.Codelist(id=f"CL_{name}", name={"en": _title(COLUMNS[name])}, **shared)
    for code, names in codes.items():
        made.append(common.Code(id=identifier(code), name=names))
    return made


def _title(column: str) -> str:
    fields = table("estimates")["fields"]
    return str(next(field["title"] for field in fields if field["name"] == column))


def _concepts(shared: Shared) -> common.ConceptScheme:
    made = common.ConceptScheme(id=f"CS_{STRUCTURE}", name={"en": "Concepts of the estimates"}, **shared)
    for name, column in COLUMNS.items():
        made.append(common.Concept(id=name, name={"en": _title(column)}))
    return made


def _structure(
    concepts: common.ConceptScheme, lists: Mapping[str, common.Codelist], shared: Shared
) -> v21.DataStructureDefinition:
    made = v21.DataStructureDefinition(id=f"DSD_{STRUCTURE}", name={"en": "Estimates"}, **shared)
    made.dimensions.id, made.measures.id = "DimensionDescriptor", "MeasureDescriptor"
    made.attributes.id = "AttributeDescriptor"
    for order, name in enumerate(DIMENSIONS, start=1):
        coded = common.Representation(enumerated=lists[name])
        made.dimensions.append(
            v21.Dimension(id=name, concept_identity=concepts[name], local_representation=coded, order=order)
        )
    period = _free(common.FacetValueType.observationalTimePeriod)
    made.dimensions.append(
        v21.TimeDimension(
            id=TIME, concept_identity=concepts[TIME], local_representation=period, order=len(DIMENSIONS) + 1
        )
    )
    measure = v21.PrimaryMeasure(
        id=VALUE, concept_identity=concepts[VALUE], local_representation=_free(common.FacetValueType.double)
    )
    made.measures.append(measure)
    for name in ATTRIBUTES:
        made.attributes.append(_attribute(name, concepts[name], lists.get(name)))
    return made


def _attribute(name: str, concept: common.Concept, codes: common.Codelist | None) -> common.DataAttribute:
    kinds = common.FacetValueType
    kind = kinds.integer if name == INTEGER else kinds.double if name in NUMBERS else kinds.string
    return common.DataAttribute(
        id=name,
        concept_identity=concept,
        local_representation=common.Representation(enumerated=codes) if codes else _free(kind),
        related_to=v21.PrimaryMeasureRelationship(),
        usage_status=common.UsageStatus.mandatory if codes else common.UsageStatus.conditional,
    )


def _free(kind: common.FacetValueType) -> common.Representation:
    return common.Representation(non_enumerated=[common.Facet(value_type=kind)])
