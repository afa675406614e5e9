"""datapackage.json: Data Package 2.0 in the dialect that readers of version 1 understand as well.

That dialect: plain texts and ``missingValues``, codes both as ``categories`` and as ``enum``, ``type``
beside the older ``profile``, no ``uniqueKeys``; a Parquet resource without what only fits a CSV one.
The columns come from ``contracts/tables``, the sources from the waves. ``estimation`` is a property of our
own: the level of the intervals and the method of those of shares.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from pipeline.catalogue import Contributor, Wave
from pipeline.release.contents import Contents
from pipeline.release.files import digest

PROFILE = "https://datapackage.org/profiles/2.0/datapackage.json"
Descriptor = dict[str, Any]


def descriptor(contents: Contents, made: Mapping[str, bytes]) -> Descriptor:
    """The descriptor of a package whose data files are ``made``, by path."""
    barometer = contents.catalogue.barometer
    described: Descriptor = {
        "$schema": PROFILE,
        "name": contents.package.key,
        "id": contents.address,
        "title": contents.title,
        "description": contents.description,
        "version": barometer.version,
        "unconfirmed": contents.unconfirmed,  # of a draft only: no release has one
        "created": f"{barometer.released.isoformat()}T00:00:00Z",
        "homepage": barometer.homepage,
        "keywords": list(barometer.keywords),
        "languages": list(barometer.languages),
        "licenses": [_licence(barometer.licence, contents.licence_address)],
        "contributors": [_contributor(contributor) for contributor in barometer.contributors],
        "sources": _sources(contents.waves),
        "estimation": {
            "confidence": barometer.estimation.confidence,
            "proportion_ci": barometer.estimation.proportion_ci,
        },
        "resources": [
            resource
            for name in contents.rows
            for resource in _resources(contents, contents.schema(name), made)
        ],
    }
    return {key: value for key, value in described.items() if value}


def _licence(declared: str, address: str) -> Descriptor:
    """A licence as the Data Package writes it: one that is declared by its address has no name."""
    return {"path": address} if declared == address else {"name": declared, "path": address}


def _contributor(declared: Contributor) -> Descriptor:
    described = {key: value for key, value in asdict(declared).items() if value and key != "role"}
    return described | ({"roles": [declared.role]} if declared.role else {})


def _sources(waves: Iterable[Wave]) -> list[Descriptor]:
    """What the waves were made from, each named once."""
    found: list[Descriptor] = []
    for wave in waves:
        origin = wave.origin
        address = origin.url or (f"https://doi.org/{origin.doi}" if origin.doi else "")
        source = {"title": f"{origin.producer}: {origin.title}", "path": address, "version": wave.edition}
        source = {key: value for key, value in source.items() if value}
        if source not in found:
            found.append(source)
    return found


def _resources(
    contents: Contents, schema: Mapping[str, Any], made: Mapping[str, bytes]
) -> tuple[Descriptor, Descriptor]:
    """A table as two resources: CSV with the whole contract, and Parquet."""
    name = schema["name"]
    texts = {key: contents.marked(schema[key]) for key in ("title", "description")}
    contract = {
        key: schema[key] for key in ("fields", "primaryKey", "foreignKeys", "missingValues") if key in schema
    }
    as_csv, as_parquet = made[f"data/{name}.csv"], made[f"data/{name}.parquet"]
    return {
        "name": name,
        "type": "table",
        "profile": "tabular-data-resource",
        **texts,
        "path": f"data/{name}.csv",
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "bytes": len(as_csv),
        "hash": f"sha256:{digest(as_csv)}",
        "dialect": {"delimiter": ",", "lineTerminator": "\n"},
        "schema": contract,
    }, {
        "name": f"{name}-parquet",
        "type": "table",
        **texts,
        "path": f"data/{name}.parquet",
        "format": "parquet",
        "mediatype": "application/vnd.apache.parquet",
        "hash": f"sha256:{digest(as_parquet)}",
        "schema": {"fields": [_typed(field) for field in schema["fields"]], "missingValues": ["", "nan"]},
    }


def _typed(field: Mapping[str, Any]) -> Descriptor:
    return {key: field[key] for key in ("name", "type", "title", "description")}
