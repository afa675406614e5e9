"""datapackage.json: Data Package 2.0 in the dialect that readers of version 1 understand as well.

That dialect: plain texts and ``missingValues``, codes both as ``categories`` and as ``enum``, ``type``
beside the older ``profile``, no ``uniqueKeys``; a Parquet resource without what only fits a CSV one.
The columns come from ``schemas/tables``, the sources from the waves.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pipeline.catalogue import Catalogue, Package, Wave
from pipeline.contracts import table
from pipeline.release.files import sha256

PROFILE = "https://datapackage.org/profiles/2.0/datapackage.json"
SYNTHETIC = "SYNTHETIC"
WARNING = (
    "SYNTHETIC DATA: generated to show how the barometer works, measured from nobody. Never quote a figure."
)
DEEDS = {
    "CC-BY-4.0": "https://creativecommons.org/licenses/by/4.0/",
    "CC0-1.0": "https://creativecommons.org/publicdomain/zero/1.0/",
}
Descriptor = dict[str, Any]


def descriptor(
    catalogue: Catalogue, package: Package, waves: Iterable[Wave], folder: Path, names: Iterable[str]
) -> Descriptor:
    """The descriptor of a package whose data files lie in ``folder``. ``names``: its tables, in order."""
    barometer, waves = catalogue.barometer, list(waves)
    synthetic = any(wave.status == "synthetic" for wave in waves)
    made: Descriptor = {
        "$schema": PROFILE,
        "name": package.key,
        "title": f"{SYNTHETIC}: {barometer.title}" if synthetic else barometer.title,
        "description": f"{WARNING} {barometer.description}" if synthetic else barometer.description,
        "version": barometer.version,
        "created": f"{barometer.released.isoformat()}T00:00:00Z",
        "homepage": barometer.homepage,
        "keywords": list(barometer.keywords),
        "languages": list(barometer.languages),
        "licenses": [{"name": barometer.licence, "path": licence_address(barometer.licence)}],
        "contributors": [_contributor(contributor) for contributor in barometer.contributors],
        "sources": _sources(waves),
        "resources": [
            resource for name in names for resource in _resources(folder, table(name), synthetic=synthetic)
        ],
    }
    return {key: value for key, value in made.items() if value}


def licence_address(licence: str) -> str:
    """Where the text of a licence stands, by its SPDX name."""
    return DEEDS.get(licence, f"https://spdx.org/licenses/{licence}.html")


def _contributor(declared: Mapping[str, str]) -> Descriptor:
    return {key: value for key, value in declared.items() if key != "role"} | (
        {"roles": [declared["role"]]} if "role" in declared else {}
    )


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


def _resources(folder: Path, schema: Mapping[str, Any], *, synthetic: bool) -> tuple[Descriptor, Descriptor]:
    """A table twice: as CSV with its whole contract, and as Parquet."""
    name, mark = schema["name"], f"{SYNTHETIC}: " if synthetic else ""
    said = {"title": mark + schema["title"], "description": mark + schema["description"]}
    contract = {
        key: schema[key] for key in ("fields", "primaryKey", "foreignKeys", "missingValues") if key in schema
    }
    as_csv, as_parquet = folder / "data" / f"{name}.csv", folder / "data" / f"{name}.parquet"
    return {
        "name": name,
        "type": "table",
        "profile": "tabular-data-resource",
        **said,
        "path": f"data/{name}.csv",
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "bytes": as_csv.stat().st_size,
        "hash": f"sha256:{sha256(as_csv)}",
        "dialect": {"delimiter": ",", "lineTerminator": "\n"},
        "schema": contract,
    }, {
        "name": f"{name}-parquet",
        "type": "table",
        **said,
        "path": f"data/{name}.parquet",
        "format": "parquet",
        "mediatype": "application/vnd.apache.parquet",
        "hash": f"sha256:{sha256(as_parquet)}",
        "schema": {"fields": [_plain(field) for field in schema["fields"]], "missingValues": ["", "nan"]},
    }


def _plain(field: Mapping[str, Any]) -> Descriptor:
    return {key: field[key] for key in ("name", "type", "title", "description")}
