"""What follows from the releases on a shelf: ``latest``, ``versions.json``, the feed; and the shelf's lock.

All of it is made anew from the sealed folders and from nothing else, so that whoever comes after a killed
run mends what it left.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from pipeline.faults import Fault, FaultError
from pipeline.release.feed import feed
from pipeline.release.files import sha256
from pipeline.release.revisions import compared_in
from pipeline.release.seal import copy_through, same_release, write_through
from pipeline.release.withdrawal import finish
from pipeline.shelf import SUMS, Sealed, sealed, shelf
from pipeline.swap import swapped_in

LATEST, VERSIONS, FEED = "latest", "versions.json", "feed.xml"
LOCK = ".lock"
PATIENCE = 60.0  # seconds


@contextmanager
def locked(root: Path, package: str, patience: float = PATIENCE) -> Iterator[None]:
    """One process at a time changes the shelf of a package; a killed one leaves no lock behind.

    Raises FaultError when another holds it longer than ``patience`` seconds.
    """
    folder = shelf(root, package)
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(folder / LOCK, timeout=patience):
            yield
    except Timeout:
        place = folder.relative_to(root).as_posix()
        mend = "Wait for it to end and try again."
        raise FaultError(Fault(place, "", "another process is changing these releases", mend)) from None


def refresh(root: Path, package: str) -> None:
    """Make latest, versions.json and feed what the sealed releases say. The shelf is ``locked``.

    Finishes withdrawals and takes away what a killed run left; changes nothing that is right already.
    """
    folder = shelf(root, package)
    for left_over in folder.glob(".*"):
        if left_over.is_dir():
            shutil.rmtree(left_over)
        elif left_over.name != LOCK:
            left_over.unlink()
    releases = sealed(root, package)
    for release in releases:
        if release.withdrawn:
            finish(release)
    _latest(folder / LATEST, newest(releases))
    if releases:
        for name, content in ((VERSIONS, versions(package, releases)), (FEED, feed(package, releases))):
            if not (folder / name).is_file() or (folder / name).read_bytes() != content:
                write_through(folder / name, content)


def newest(releases: list[Sealed]) -> Sealed | None:
    """The greatest version that is not withdrawn."""
    return next((release for release in reversed(releases) if not release.withdrawn), None)


def _latest(place: Path, release: Sealed | None) -> None:
    if release is None:
        shutil.rmtree(place, ignore_errors=True)
    elif not (place / SUMS).is_file() or not same_release(place, release.folder):
        with swapped_in(place) as fresh:
            copy_through(release.folder, fresh)


def versions(package: str, releases: list[Sealed]) -> bytes:
    """versions.json: every release, the newest first."""
    last = newest(releases)
    record = {
        "package": package,
        "latest": last.version if last else None,
        "versions": [_version(release) for release in reversed(releases)],
    }
    return (json.dumps(record, ensure_ascii=False, indent=2) + "\n").encode("utf-8")


def _version(release: Sealed) -> dict[str, Any]:
    said = {
        "version": release.version,
        "path": f"{release.version}/",
        "released": release.described["created"][:10],
        "status": "withdrawn" if release.withdrawn else "released",
    }
    if release.withdrawn:
        return {**said, "withdrawn": release.withdrawn}
    compared = compared_in(release.folder)
    revised = {"revises": compared["old"], "bump": compared["bump"]} if compared["old"] else {}
    return {**said, **revised, "sha256sums": sha256(release.folder / SUMS)}
