"""Reads one wave file. What must hold between a wave and the rest stands in ``check``."""

from __future__ import annotations

from datetime import date

from pipeline.catalogue.fieldwork import (
    Correction,
    Design,
    Erratum,
    Origin,
    Period,
    ReplicateWeights,
    Response,
    Source,
    Wave,
    Weighting,
)
from pipeline.catalogue.reader import STATUSES
from pipeline.catalogue.section import Section

FORMATS = ("csv", "xlsx", "sav", "zsav", "dta", "parquet")
METHODS = ("given", "design", "poststratify", "rake", "linear", "logit", "none", "unspecified")
REPLICATION = ("brr", "fay", "jkn", "bootstrap")


def read_wave(section: Section, key: str) -> Wave:
    """One wave. Its faults carry the wave's key, so that the other waves go on."""
    scope = section.section("scope")
    named = section.text("wave", key)
    if named != key:
        section.fault(
            "wave", "is not the file's name", f"Rename the file to {named}.toml, or write {key!r}.", named
        )
    wave = Wave(
        key=key,
        country=section.text("country"),
        survey=section.text("survey"),
        edition=section.text("edition"),
        instrument=section.text("instrument"),
        unit=section.text("unit"),
        status=section.choice("status", STATUSES, "official"),
        reference_period=_period(section, "reference_period") or Period(date.min, date.min),
        fieldwork=_period(section, "fieldwork") if "fieldwork" in section else None,
        scope={name: scope.texts(name) for name in scope.data},
        origin=_origin(section.section("origin", required=True)),
        source=_source(section.section("source", required=True)),
        response=_response(section.section("response")),
        design=_design(section.section("design")) if "design" in section else None,
        weighting=_weighting(section.section("weighting")) if "weighting" in section else None,
        corrections=tuple(_correction(part) for part in section.sections("correction")),
        mode=section.text("mode", ""),
        respondent=section.text("respondent", ""),
        role=section.text("role", ""),
        note=section.text("note", ""),
        errata=tuple(_erratum(part) for part in section.sections("erratum")),
    )
    section.done()
    return wave


def _period(section: Section, key: str) -> Period | None:
    part = section.section(key, required=True)
    if not part.data:
        return None
    period = Period(part.day("start"), part.day("end"))
    part.done()
    if period.start > period.end:
        part.fault("end", "is before the start", "Put the two dates in order.", period.end)
    return period


def _origin(part: Section) -> Origin:
    if not part.data:
        return Origin("", "", "")
    origin = Origin(
        producer=part.text("producer"),
        title=part.text("title"),
        licence=part.text("licence"),
        accessed=part.day("accessed", None),
        url=part.text("url", ""),
        doi=part.text("doi", ""),
        citation=part.text("citation", ""),
    )
    part.done()
    return origin


def _source(part: Section) -> Source:
    if not part.data:
        return Source("microdata", "", "")
    source = Source(
        kind=part.choice("kind", ("microdata", "figures")),
        file=part.text("file"),
        sha256=part.text("sha256"),
        bytes=part.integer("bytes", None),
        format=part.choice("format", FORMATS, ""),
        encoding=part.text("encoding", ""),
        delimiter=part.text("delimiter", ""),
        decimal=part.choice("decimal", (".", ","), "."),
        sheet=part.text("sheet", ""),
        header_rows=part.integer("header_rows", 1),
        missing=part.texts("missing", []),
    )
    part.done()
    return source


def _response(part: Section) -> Response:
    response = Response(
        population=part.integer("population", None),
        sample=part.integer("sample", None),
        respondents=part.integer("respondents", None),
        rate=part.number("rate", None),
    )
    part.done()
    return response


def _design(part: Section) -> Design:
    replicates = None
    if "replicate_weights" in part:
        given = part.section("replicate_weights")
        replicates = ReplicateWeights(
            columns=given.text("columns"),
            method=given.choice("method", REPLICATION),
            rho=given.number("rho", None),
            scale=given.number("scale", None),
            rscales=_rscales(given),
        )
        given.done()
    design = Design(
        id=part.text("id"),
        strata=part.texts("strata", []),
        psu=part.text("psu", ""),
        weight=part.text("weight", ""),
        population=part.text("population", ""),
        replicate_weights=replicates,
    )
    part.done()
    return design


def _rscales(part: Section) -> tuple[float, ...]:
    given = part.raw("rscales") if "rscales" in part else []
    numbers = [value for value in given if type(value) in (int, float)] if isinstance(given, list) else []
    if numbers != given or any(number < 0 for number in numbers):
        part.fault("rscales", "must be a list of numbers, none negative", "Write a number a column.")
        return ()
    return tuple(float(number) for number in numbers)


def _weighting(part: Section) -> Weighting:
    margins = part.raw("margins") if "margins" in part else []
    if not isinstance(margins, list) or not all(isinstance(margin, list) and margin for margin in margins):
        part.fault("margins", "must be a list of lists", 'Write margins = [["sector"], ["region"]].', margins)
        margins = []
    weighting = Weighting(
        method=part.choice("method", METHODS),
        margins=tuple(tuple(str(name) for name in margin) for margin in margins),
        totals=part.text("totals", ""),
        bounds=part.numbers("bounds"),
        trim=part.numbers("trim"),
        tolerance=part.number("tolerance", 1e-10),
        max_iterations=part.integer("max_iterations", 100),
    )
    part.done()
    return weighting


def _correction(part: Section) -> Correction:
    match = part.section("match", required=True)
    correction = Correction(
        column=part.text("column"),
        match={name: match.text(name) for name in match.data},
        value=part.text("value"),
        reason=part.text("reason"),
    )
    part.done()
    return correction


def _erratum(part: Section) -> Erratum:
    erratum = Erratum(
        indicator=part.text("indicator"),
        category=part.text("category", "yes"),
        domain=part.text("domain", "total"),
        domain_code=part.text("domain_code", ""),
        was=part.number("was"),
        now=part.number("now"),
        corrected=part.day("corrected"),
        source=part.text("source"),
        published=part.day("published", None),
    )
    part.done()
    return erratum
