"""DCAT-AP 3: the package as data portals harvest it, in Turtle and JSON-LD, one graph in both.

The origin of the data is described in PROV. Every node has a name and none is blank, so the bytes are the
same each time. Without a declared address all names are relative to the file.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import date
from functools import cache
from importlib.resources import files as resources
from pathlib import Path
from typing import Any

from rdflib import Graph, Literal, Namespace, URIRef
from rdflib.compare import isomorphic
from rdflib.namespace import DCAT, DCTERMS, FOAF, OWL, PROV, RDF, RDFS, XSD

from pipeline.hashing import file_sha256
from pipeline.problems import Problem
from pipeline.release.contents import Contents
from pipeline.release.files import digest
from pipeline.release.formats.format import REBUILD, Described, Media

TURTLE, JSON_LD = "dcat.ttl", "dcat.jsonld"
BASE = "file:///package/"  # what relative addresses are read against
SPDX = Namespace("http://spdx.org/rdf/terms#")
VCARD = Namespace("http://www.w3.org/2006/vcard/ns#")
EU = "http://publications.europa.eu/resource/authority/"
LICENCES = {"CC-BY-4.0": "CC_BY_4_0", "CC0-1.0": "CC0"}
VERSION = URIRef(f"{DCAT}version")  # of DCAT 3, which rdflib's list of names lacks
MEDIA_TYPES = "https://www.iana.org/assignments/media-types/"
PREFIXES = {
    "dcat": DCAT,
    "dcterms": DCTERMS,
    "foaf": FOAF,
    "owl": OWL,
    "prov": PROV,
    "rdfs": RDFS,
    "spdx": SPDX,
    "vcard": VCARD,
    "xsd": XSD,
}
Statement = tuple[URIRef, URIRef, URIRef | Literal]
Facts = Iterator[tuple[URIRef, URIRef | Literal]]


def files(contents: Contents, made: Mapping[str, bytes], media: Mapping[str, Media]) -> dict[str, bytes]:
    """The catalogue entry of a package whose other files are ``made``; ``media``: of those with data."""
    graph = Graph(bind_namespaces="none")
    for prefix, namespace in PREFIXES.items():
        graph.bind(prefix, namespace)
    for statement in _statements(contents, made, media):
        graph.add(statement)
    context = {prefix: str(namespace) for prefix, namespace in PREFIXES.items()}
    linked = _ordered(json.loads(graph.serialize(format="json-ld", context=context)))
    text = json.dumps(linked, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
    return {TURTLE: graph.serialize(format="turtle", encoding="utf-8"), JSON_LD: text.encode()}


def _ordered(linked: Any) -> Any:
    """JSON-LD with its sets, which are unordered, always in the same order."""
    if isinstance(linked, dict):
        return {key: _ordered(value) for key, value in linked.items()}
    if isinstance(linked, list):
        return sorted(map(_ordered, linked), key=lambda value: json.dumps(value, sort_keys=True))
    return linked


def _statements(
    contents: Contents, made: Mapping[str, bytes], media: Mapping[str, Media]
) -> Iterator[Statement]:
    """Every statement of the graph."""

    def node(name: str) -> URIRef:
        return URIRef(f"{contents.address}#{name}")

    nodes: list[tuple[URIRef, Facts]] = [
        (node("catalogue"), _catalogue(contents, node("dataset"), node("publisher"))),
        (node("publisher"), _agent(contents.publishers)),
        (node("dataset"), _dataset(contents, node)),
        (node("period"), _period(contents)),
        (node("build"), _build(contents, node)),
    ]
    if contents.catalogue.barometer.contact:
        nodes.append((node("contact"), _contact(contents)))
    for wave in contents.waves:
        nodes.append((node(f"source/{wave.key}"), _source(wave)))
    for path, content in sorted(made.items()):
        file = URIRef(contents.address + path)
        if kind := media.get(path):
            nodes.append((node("dataset"), iter([(DCAT.distribution, node(f"file/{path}"))])))
            checksum = node(f"sha256/{path}")
            nodes.append((node(f"file/{path}"), _file(contents, path, kind, content, file, checksum)))
            nodes.append((checksum, _checksum(digest(content))))
            nodes.append((file, iter([(RDF.type, RDFS.Resource)])))
            if kind.standard:
                nodes.append((URIRef(kind.standard), iter([(RDF.type, DCTERMS.Standard)])))
        else:
            nodes.append((node("dataset"), iter([(FOAF.page, file)])))
            nodes.append((file, iter([(RDF.type, FOAF.Document), (DCTERMS.title, _english(path))])))
    for subject, facts in nodes:
        for predicate, value in facts:
            yield subject, predicate, value


def _english(text: str) -> Literal:
    return Literal(text, lang="en")


def _shared(contents: Contents) -> Facts:
    """Title and description in every language they are in, and what else a catalogue and a dataset share."""
    barometer = contents.catalogue.barometer
    for labels in contents.labels.values():
        if labels.is_translated(labels.title):
            yield DCTERMS.title, Literal(contents.marked(labels.title), lang=labels.language)
        if labels.is_translated(labels.description):
            yield DCTERMS.description, Literal(contents.warned(labels.description), lang=labels.language)
    for language in contents.languages:
        if known := _alpha_3()["languages"].get(language):
            yield DCTERMS.language, URIRef(f"{EU}language/{known.upper()}")
    yield DCTERMS.issued, Literal(barometer.released.isoformat(), datatype=XSD.date)
    yield DCTERMS.license, _licence(contents)
    if barometer.homepage:
        yield FOAF.homepage, URIRef(barometer.homepage)


@cache
def _alpha_3() -> dict[str, dict[str, str]]:
    """Three-letter codes, which the European vocabularies use: ISO 3166-1 and ISO 639."""
    codes: dict[str, dict[str, str]] = json.loads(
        resources("pipeline.release.formats").joinpath("alpha3.json").read_text()
    )
    return codes


def _licence(contents: Contents) -> URIRef:
    code = LICENCES.get(contents.catalogue.barometer.licence)
    return URIRef(f"{EU}licence/{code}" if code else contents.licence_address)


def _catalogue(contents: Contents, dataset: URIRef, publisher: URIRef) -> Facts:
    yield RDF.type, DCAT.Catalog
    yield DCAT.dataset, dataset
    yield DCTERMS.publisher, publisher
    if contents.catalogue.barometer.themes:
        yield DCAT.themeTaxonomy, URIRef(f"{EU}data-theme")
    yield from _shared(contents)


def _dataset(contents: Contents, node: Any) -> Facts:
    barometer = contents.catalogue.barometer
    yield RDF.type, DCAT.Dataset
    yield RDF.type, PROV.Entity
    yield DCTERMS.identifier, Literal(contents.address or contents.name)
    yield DCTERMS.publisher, node("publisher")
    yield DCTERMS.temporal, node("period")
    yield DCTERMS.accessRights, URIRef(f"{EU}access-right/PUBLIC")
    yield DCTERMS.bibliographicCitation, _english(contents.citation)
    yield VERSION, Literal(barometer.version)
    yield OWL.versionInfo, Literal(barometer.version)
    for keyword in barometer.keywords:
        yield DCAT.keyword, Literal(keyword, lang=contents.languages[0])
    for theme in barometer.themes:
        yield DCAT.theme, URIRef(f"{EU}data-theme/{theme}")
    for code in sorted({wave.country for wave in contents.waves}):
        if country := _alpha_3()["countries"].get(code):
            yield DCTERMS.spatial, URIRef(f"{EU}country/{country}")
    if barometer.contact:
        yield DCAT.contactPoint, node("contact")
    yield PROV.wasGeneratedBy, node("build")
    for wave in contents.waves:
        yield PROV.wasDerivedFrom, node(f"source/{wave.key}")
    yield from _shared(contents)


def _agent(names: tuple[str, ...]) -> Facts:
    yield RDF.type, FOAF.Agent
    yield FOAF.name, Literal(", ".join(names))


def _period(contents: Contents) -> Facts:
    start, end = contents.period
    yield RDF.type, DCTERMS.PeriodOfTime
    yield DCAT.startDate, Literal(start.isoformat(), datatype=XSD.date)
    yield DCAT.endDate, Literal(end.isoformat(), datatype=XSD.date)


def _contact(contents: Contents) -> Facts:
    contact = contents.catalogue.barometer.contact
    assert contact is not None
    yield RDF.type, VCARD.Kind
    yield VCARD.fn, Literal(contact.name)
    if contact.email:
        yield VCARD.hasEmail, URIRef(f"mailto:{contact.email}")
    if contact.page:
        yield VCARD.hasURL, URIRef(contact.page)


def _build(contents: Contents, node: Any) -> Facts:
    """How it came about; which code and which declarations made it stands in provenance.json."""
    yield RDF.type, PROV.Activity
    yield RDFS.label, _english("Harmonised, weighted, estimated and protected")
    yield RDFS.seeAlso, URIRef(f"{contents.address}provenance.json")
    yield PROV.wasAssociatedWith, node("publisher")
    for wave in contents.waves:
        yield PROV.used, node(f"source/{wave.key}")


def _source(wave: Any) -> Facts:
    origin = wave.origin
    yield RDF.type, PROV.Entity
    yield DCTERMS.title, Literal(f"{origin.producer}: {origin.title}")
    yield DCTERMS.identifier, Literal(f"sha256:{wave.source.sha256}")
    if origin.citation:
        yield DCTERMS.bibliographicCitation, Literal(origin.citation)
    if address := origin.url or (f"https://doi.org/{origin.doi}" if origin.doi else ""):
        yield RDFS.seeAlso, URIRef(address)


def _file(
    contents: Contents, path: str, kind: Media, content: bytes, file: URIRef, checksum: URIRef
) -> Facts:
    yield RDF.type, DCAT.Distribution
    yield DCTERMS.title, _english(contents.marked(path))
    yield DCTERMS.identifier, Literal(path)
    yield DCAT.accessURL, file
    yield DCAT.downloadURL, file
    yield DCAT.mediaType, URIRef(MEDIA_TYPES + kind.type)
    yield DCTERMS.format, URIRef(f"{EU}file-type/{kind.code}")
    yield DCAT.byteSize, Literal(str(len(content)), datatype=XSD.nonNegativeInteger)
    yield SPDX.checksum, checksum
    yield DCTERMS.license, _licence(contents)
    if kind.standard:
        yield DCTERMS.conformsTo, URIRef(kind.standard)


def _checksum(digest: str) -> Facts:
    yield RDF.type, SPDX.Checksum
    yield SPDX.algorithm, SPDX.checksumAlgorithm_sha256
    yield SPDX.checksumValue, Literal(digest, datatype=XSD.hexBinary)


def check(folder: Path, described: Described) -> Iterator[Problem]:
    """The same graph in both notations, one text a language, dates in order, every file as described."""
    graph = Graph().parse(folder / TURTLE, publicID=BASE)
    linked = Graph().parse(folder / JSON_LD, format="json-ld", publicID=BASE)
    if not isomorphic(graph, linked):
        yield Problem(JSON_LD, "", f"is not the same graph as {TURTLE}", REBUILD)
    for subject in set(graph.subjects()):
        for predicate in (DCTERMS.title, DCTERMS.description):
            texts = [text for text in graph.objects(subject, predicate) if isinstance(text, Literal)]
            if len({text.language for text in texts}) < len(texts):
                yield Problem(TURTLE, str(predicate), "has two texts in one language", REBUILD)
    for period in graph.subjects(DCAT.startDate):
        start, end = (str(graph.value(period, each)) for each in (DCAT.startDate, DCAT.endDate))
        if date.fromisoformat(start) > date.fromisoformat(end):
            yield Problem(TURTLE, "dcat:startDate", "is later than the end", REBUILD, start)
    for file in graph.subjects(SPDX.checksum):
        path = folder / str(graph.value(file, DCTERMS.identifier))
        stated = str(graph.value(graph.value(file, SPDX.checksum), SPDX.checksumValue))
        size = str(graph.value(file, DCAT.byteSize))
        if not path.is_file() or file_sha256(path) != stated or size != str(path.stat().st_size):
            yield Problem(
                TURTLE, path.name, "does not describe the file in the package (size or sha256)", REBUILD
            )
