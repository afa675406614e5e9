"""schema.org: the package as search engines for data sets read it, in JSON-LD."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.release.contents import Contents
from pipeline.release.files import digest, json_bytes
from pipeline.release.formats.format import Media

PATH = "schema-org.jsonld"
UNITS = {"percent": "per cent", "mean": "mean", "count": "count"}
Json = dict[str, Any]


def files(contents: Contents, made: Mapping[str, bytes], media: Mapping[str, Media]) -> dict[str, bytes]:
    """The data set whose other files are ``made``; ``media``: of those with data."""
    barometer = contents.catalogue.barometer
    start, end = contents.period
    described: Json = {
        "@context": "https://schema.org/",
        "@type": "Dataset",
        "@id": contents.address,
        "name": contents.title,
        "description": contents.description,
        "identifier": contents.address or contents.name,
        "url": contents.address or barometer.homepage,
        "version": barometer.version,
        "datePublished": barometer.released.isoformat(),
        "license": contents.licence_address,
        "isAccessibleForFree": True,
        "inLanguage": list(contents.languages),
        "keywords": list(barometer.keywords),
        "creator": [{"@type": "Organization", "name": name} for name in contents.publishers],
        "publisher": [{"@type": "Organization", "name": name} for name in contents.publishers],
        "citation": contents.citation,
        "temporalCoverage": f"{start.isoformat()}/{end.isoformat()}",
        "spatialCoverage": [
            {"@type": "Country", "name": name, "identifier": code}
            for code, name in sorted(contents.labels[contents.languages[0]].countries.items())
        ],
        "measurementTechnique": "Sample survey",
        "variableMeasured": [_variable(row) for row in contents.rows["indicators"].to_pylist()],
        "isBasedOn": [_source(wave) for wave in contents.waves],
        "distribution": [_download(contents, path, made[path], media[path]) for path in sorted(media)],
    }
    stated = {key: value for key, value in described.items() if value not in ("", [])}
    return {PATH: json_bytes(stated)}


def _variable(row: Mapping[str, Any]) -> Json:
    described = {
        "@type": "PropertyValue",
        "propertyID": row["indicator"],
        "name": row["label"],
        "description": row["description"],
        "unitText": UNITS[row["unit_measure"]],
    }
    return {key: value for key, value in described.items() if value}


def _source(wave: Any) -> Json:
    origin = wave.origin
    described = {
        "@type": "CreativeWork",
        "name": f"{origin.producer}: {origin.title}",
        "identifier": wave.key,
        "citation": origin.citation,
        "url": origin.url or (f"https://doi.org/{origin.doi}" if origin.doi else ""),
    }
    return {key: value for key, value in described.items() if value}


def _download(contents: Contents, path: str, content: bytes, media: Media) -> Json:
    return {
        "@type": "DataDownload",
        "name": path,
        "contentUrl": contents.address + path,
        "encodingFormat": media.type,
        "contentSize": f"{len(content)} B",
        "sha256": digest(content),
    }
