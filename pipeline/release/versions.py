"""The indexes of a release store: ``versions.json``, ``latest.zip`` and the feed.

They are made again from the sealed folders and from nothing else, so that the next run repairs what a killed
one left.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from pipeline.atomic import write_file
from pipeline.hashing import file_sha256
from pipeline.release.feed import feed
from pipeline.release.lock import LOCK
from pipeline.release.revisions import compared_in
from pipeline.release.withdrawal import finish
from pipeline.release_store import SUMS, SealedRelease, releases_folder, sealed_releases

VERSIONS, LATEST, FEED = "versions.json", "latest.zip", "feed.xml"
INDEXES = (VERSIONS, LATEST, FEED)  # in the order in which they are changed


def refresh(root: Path, package: str) -> None:
    """Update the indexes of a ``locked`` release store from its sealed releases.

    Finishes withdrawals and removes what a killed run left; writes nothing that is already current.
    """
    folder = releases_folder(root, package)
    for left_over in list(folder.rglob(".*")):  # a release has no hidden file
        if left_over.is_dir():
            shutil.rmtree(left_over)
        elif left_over != folder / LOCK:
            left_over.unlink(missing_ok=True)
    releases = sealed_releases(root, package)
    if releases:
        for name, content in _indexes(package, releases).items():
            if content is None:
                (folder / name).unlink(missing_ok=True)
            elif not (folder / name).is_file() or (folder / name).read_bytes() != content:
                write_file(folder / name, content)
    for release in releases:
        if release.withdrawn:
            finish(release)


def _indexes(package: str, releases: list[SealedRelease]) -> dict[str, bytes | None]:
    """The content of every index; None for ``latest.zip`` where all releases are withdrawn."""
    last = newest(releases)
    latest = (last.folder / f"{package}-{last.version}.zip").read_bytes() if last else None
    made = (versions(package, releases), latest, feed(package, releases))
    return dict(zip(INDEXES, made, strict=True))


def newest(releases: list[SealedRelease]) -> SealedRelease | None:
    """The greatest version that is not withdrawn."""
    return next((release for release in reversed(releases) if not release.withdrawn), None)


def versions(package: str, releases: list[SealedRelease]) -> bytes:
    """versions.json: every release, the newest first."""
    last = newest(releases)
    record = {
        "package": package,
        "latest": last.version if last else None,
        "versions": [_version(release) for release in reversed(releases)],
    }
    return (json.dumps(record, ensure_ascii=False, indent=2) + "\n").encode("utf-8")


def _version(release: SealedRelease) -> dict[str, Any]:
    entry = {
        "version": release.version,
        "path": f"{release.version}/",
        "released": release.described["created"][:10],
        "status": "withdrawn" if release.withdrawn else "released",
    }
    if release.withdrawn:
        return {**entry, "withdrawn": release.withdrawn}
    compared = compared_in(release.folder)
    revised = {"revises": compared["old"], "bump": compared["bump"]} if compared["old"] else {}
    return {**entry, **revised, "sha256sums": file_sha256(release.folder / SUMS)}
