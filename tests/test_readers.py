"""A reader of a bucket, over plain HTTP, while a publisher stands still: one whole release at any moment."""

from __future__ import annotations

import io
import json
import shutil
import urllib.request
import zipfile
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import frictionless
import pytest

from pipeline.release.destination import Bucket, Destination
from pipeline.steps.releases import publish_releases
from tests.barometers import edit
from tests.release_stores import in_bucket, in_store, take_back
from tests.releases import PACKAGE, build, raise_version, seal

BUCKET, BASE = "s3://open-data", f"open-data/{PACKAGE}"


def test_a_reader_over_http_finds_one_whole_release_at_any_moment(
    released_twice: Path, tmp_path: Path, s3: Any, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, address = shutil.copytree(released_twice, tmp_path / "barometer"), f"{server}/{BASE}"
    publish_releases(root, BUCKET)
    edit(root / "schemas/codebook.toml", 'codes.care = "Care"', 'codes.care = "Health care"')
    raise_version(root, "1.0.2", "2025-12-01")
    build(root)
    seal(root)
    take_back(root, "1.0.1")
    seen: list[tuple[str, str]] = []
    changes = 0

    def read() -> None:
        seen.append((read_by_index(address), read_archive(f"{address}/latest.zip")))

    def reading(act: Callable[..., None]) -> Callable[..., None]:
        def read_first(place: Destination, name: str, *given: Any) -> None:
            nonlocal changes
            if changes % 12 == 0 or "/" not in name:
                read()
            changes += 1
            act(place, name, *given)

        return read_first

    for act in ("_put", "_take"):
        monkeypatch.setattr(Bucket, act, reading(getattr(Bucket, act)))
    publish_releases(root, BUCKET)
    read()
    assert changes > 80 and len(seen) > 10
    assert list(dict.fromkeys(seen)) == [("1.0.1", "1.0.1"), ("1.0.2", "1.0.1"), ("1.0.2", "1.0.2")]
    assert in_bucket(s3, BASE) == in_store(root)


def fetched(address: str) -> bytes:
    with urllib.request.urlopen(address) as answer:
        content: bytes = answer.read()
    return content


def read_by_index(address: str) -> str:
    """As one who starts from versions.json: the newest version, read by Frictionless and held to its
    checksums.
    """
    version: str = json.loads(fetched(f"{address}/versions.json"))["latest"]
    package = frictionless.Package(f"{address}/{version}/datapackage.json")
    assert package.version == version and package.get_resource("estimates").read_rows()
    for line in fetched(f"{address}/{version}/SHA256SUMS").decode().splitlines():
        digest, _, path = line.partition("  ")
        assert sha256(fetched(f"{address}/{version}/{path}")).hexdigest() == digest
    return version


def read_archive(address: str) -> str:
    """As one who takes the newest release in one file."""
    with zipfile.ZipFile(io.BytesIO(fetched(address))) as archive:
        assert archive.testzip() is None
        (name,) = (each for each in archive.namelist() if each.endswith("/datapackage.json"))
        version: str = json.loads(archive.read(name))["version"]
    return version
