"""provenance.json: what a package was made from and with; outside its identity, so no byte depends on it.

Here belong the hashes of raw files, declarations and code, and the versions of the libraries. What they
were made into belongs to ``products``.
"""

from __future__ import annotations

import json
import platform
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import version
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from pipeline.catalogue import Catalogue, Wave, fingerprint
from pipeline.release_store import SUMS
from pipeline.sources import format_of
from pipeline.staleness.code import DISTRIBUTION, product, requirements
from pipeline.staleness.files import hash_of_file

PROVENANCE = "provenance.json"
READERS = {"sav": "pyreadstat", "dta": "pyreadstat"}  # of an extra, by the format they read


def provenance(catalogue: Catalogue, waves: Iterable[Wave], folder: Path) -> bytes:
    """provenance.json of the package in ``folder``, made from these waves."""
    return _written({"sha256sums": hash_of_file(folder / SUMS), **origins(catalogue, waves)})


def intact_provenance(content: bytes) -> dict[str, Any]:
    """The content of provenance.json; empty when a byte of it was changed."""
    try:
        made: dict[str, Any] = json.loads(content)
        made.pop("checksum")
        return made if _written(made) == content else {}
    except (ValueError, TypeError, AttributeError, KeyError):
        return {}


def _written(made: Mapping[str, Any]) -> bytes:
    """The record with its own checksum, since no other file lists one for it."""
    made = {**made, "checksum": fingerprint(made)}
    return (json.dumps(made, ensure_ascii=False, indent=2) + "\n").encode("utf-8")


def origins(catalogue: Catalogue, waves: Iterable[Wave]) -> dict[str, Any]:
    """What waves are made from and with, as it is now: raw files, declarations, code and libraries."""
    waves = list(waves)
    return {
        "raw": raw_files(catalogue, waves),
        "declarations": declarations(catalogue.root),
        "code": {"barometer": version(DISTRIBUTION), "sha256": product()},
        "python": platform.python_version(),
        "libraries": {name: version(name) for name in libraries(waves)},
    }


def libraries(waves: Iterable[Wave]) -> list[str]:
    """The distributions that the product needs to make these waves, by name."""
    readers = {READERS[kind] for wave in waves if (kind := format_of(wave.source)) in READERS}
    return sorted({*requirements(), *readers})


def differences(then: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    """What differs between the origins of a package and others, in words."""
    for kind in ("raw", "libraries"):
        before, after = then.get(kind, {}), now[kind]
        changed = (name for name in sorted({*before, *after}) if before.get(name) != after.get(name))
        yield from (f"{'raw file' if kind == 'raw' else 'library'} {name}" for name in changed)
    before, after = then.get("declarations", {}).get("files", {}), now["declarations"]["files"]
    yield from (name for name in sorted({*before, *after}) if before.get(name) != after.get(name))
    yield from (kind for kind in ("code", "python") if then.get(kind) != now[kind])


def raw_files(catalogue: Catalogue, waves: Iterable[Wave]) -> dict[str, dict[str, Any]]:
    """Hash and size of the files that waves were delivered in, counts of strata and margins included.

    A remote file is listed as declared: no other content is ever read.
    """
    found: dict[str, dict[str, Any]] = {}
    for wave in waves:
        if wave.source.remote:
            name = PurePosixPath(urlsplit(wave.source.file).path).name  # an address may hold a key
            found[name] = {"sha256": wave.source.sha256, "bytes": wave.source.bytes}
        names = (
            wave.source.file,
            wave.design.population if wave.design else "",
            wave.weighting.totals if wave.weighting else "",
        )
        for name in filter(None, names):
            if name not in found and (path := catalogue.raw_path(name)).is_file():
                found[name] = {"sha256": hash_of_file(path), "bytes": path.stat().st_size}
    return dict(sorted(found.items()))


def declarations(root: Path) -> dict[str, Any]:
    """The hash of everything declared, and of each file."""
    files = {
        path.relative_to(root).as_posix(): hash_of_file(path)
        for path in sorted((root / "schemas").rglob("*"))
        if path.is_file() and not path.parent.name.startswith(".")  # an editor's schemas declare nothing
    }
    return {"sha256": fingerprint(files), "files": files}
