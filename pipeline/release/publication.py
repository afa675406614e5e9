"""Publishing the releases of a package to a folder or a bucket: whatever fsspec can write to.

A version is sent before any index names it, its checksums last of all, and what lies there is never sent
again. A version is never overwritten; one that is withdrawn here is taken down there before the indexes
follow. Which releases there are belongs to ``shelf``; nothing is sent that was not sealed.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import fsspec
from fsspec.implementations.local import LocalFileSystem

from pipeline.faults import Fault, FaultError
from pipeline.release.files import sha256
from pipeline.release.versions import FEED, LATEST, VERSIONS
from pipeline.release.withdrawal import TOMBSTONE
from pipeline.shelf import SUMS, Sealed, sealed, shelf

CHUNK = 1 << 20
NAMELESS = (
    "NoCredentialsError",
    "PartialCredentialsError",
    "CredentialRetrievalError",
    "TokenRetrievalError",
)


@dataclass
class Place:
    """Where a package is published: a file system, a path on it, and what lies there (name to size)."""

    files: Any  # fsspec.AbstractFileSystem, which has no types
    base: str
    there: dict[str, int] = field(default_factory=dict)
    sent: int = 0
    kept: int = 0
    removed: int = 0

    def look(self) -> None:
        """See what lies there, but for what a killed run had begun: the next one writes over it."""
        found = self.files.find(self.base, detail=True)
        self.there = {
            name[len(self.base) + 1 :]: facts["size"] for name, facts in found.items() if not _begun(name)
        }

    def read(self, name: str) -> bytes | None:
        """The bytes of a file there; None where there is none."""
        return bytes(self.files.cat_file(f"{self.base}/{name}")) if name in self.there else None

    def holds(self, name: str, path: Path) -> bool:
        """Whether a file lies there with the bytes of one here."""
        if self.there.get(name) != path.stat().st_size:
            return False
        digest = hashlib.sha256()
        with self.files.open(f"{self.base}/{name}", "rb") as file:
            while chunk := file.read(CHUNK):
                digest.update(chunk)
        return digest.hexdigest() == sha256(path)

    def send(self, name: str, path: Path) -> None:
        """Put a file there, whole or not at all."""
        target = f"{self.base}/{name}"
        if isinstance(self.files, LocalFileSystem):
            place = Path(target)
            place.parent.mkdir(parents=True, exist_ok=True)
            fresh = place.with_name(f".{place.name}.new")
            shutil.copyfile(path, fresh)
            fresh.replace(place)
        else:
            self.files.put_file(str(path), target)
        self.there[name] = path.stat().st_size
        self.sent += 1

    def remove(self, name: str) -> None:
        """Take a file away there."""
        self.files.rm_file(f"{self.base}/{name}")
        del self.there[name]
        self.removed += 1

    def below(self, folder: str) -> list[str]:
        """The names of the files there in a folder."""
        return [name for name in self.there if name.startswith(f"{folder}/")]


def publish(root: Path, package: str, destination: str) -> Place:
    """Publish every release of a package; the shelf is ``locked`` and right.

    Raises FaultError when the destination cannot be reached, holds a version with other bytes, or knows
    a release or a withdrawal that this shelf does not.
    """
    releases = sealed(root, package)
    with _plainly(destination):
        files, base = fsspec.core.url_to_fs(destination, use_listings_cache=False, skip_instance_cache=True)
        place = Place(files, f"{base.rstrip('/')}/{package}")
        place.look()
        _refuse_stranger(place, releases, destination)
        for release in releases:
            (_take_down if release.withdrawn else _send)(place, release, destination)
        _mirror(place, shelf(root, package) / LATEST)
        for name in (VERSIONS, FEED):
            _renew(place, name, shelf(root, package) / name)
    return place


def _refuse_stranger(place: Place, releases: list[Sealed], destination: str) -> None:
    """A destination that knows more than this shelf would lose it."""
    known = {release.version: release for release in releases}
    there = json.loads(place.read(VERSIONS) or b'{"versions": []}')
    for entry in there["versions"]:
        release = known.get(entry["version"])
        mend = "Publish from the barometer that made these releases, or bring them here first."
        where = f"{destination}/{VERSIONS}"
        if release is None:
            raise FaultError(Fault(where, entry["version"], "is a release that is not here", mend))
        if entry["status"] == "withdrawn" and not release.withdrawn:
            raise FaultError(Fault(where, entry["version"], "is withdrawn there and not here", mend))


def _send(place: Place, release: Sealed, destination: str) -> None:
    """Send a version; its checksums, which make it complete, come last."""
    names = sorted(_files(release.folder), key=lambda name: (name == SUMS, name))
    sizes = {f"{release.version}/{name}": (release.folder / name).stat().st_size for name in names}
    sums = place.read(f"{release.version}/{SUMS}")
    complete = sums == (release.folder / SUMS).read_bytes()
    if complete and sizes.items() <= place.there.items():
        place.kept += len(names)
        return
    for name in names:
        target, path = f"{release.version}/{name}", release.folder / name
        if target not in place.there:
            place.send(target, path)
        elif place.holds(target, path):
            place.kept += 1
        else:
            mend = "A version is never overwritten: see what lies there, and raise `version` here."
            raise FaultError(Fault(f"{destination}/{release.package}/{target}", "", "has other bytes", mend))


def _take_down(place: Place, release: Sealed, destination: str) -> None:
    """Put the tombstone where a version was, and take its data away."""
    for name in TOMBSTONE:
        _renew(place, f"{release.version}/{name}", release.folder / name)
    for name in place.below(release.version):
        if name.partition("/")[2] not in TOMBSTONE:
            place.remove(name)


def _mirror(place: Place, folder: Path) -> None:
    """Make ``latest`` there what it is here, its checksums last."""
    names = sorted(_files(folder), key=lambda name: (name == SUMS, name))
    for name in names:
        _renew(place, f"{LATEST}/{name}", folder / name)
    for name in place.below(LATEST):
        if name.partition("/")[2] not in names:
            place.remove(name)


def _renew(place: Place, name: str, path: Path) -> None:
    if place.holds(name, path):
        place.kept += 1
    else:
        place.send(name, path)


def _begun(name: str) -> bool:
    last = name.rpartition("/")[2]
    return last.startswith(".") and last.endswith(".new")


def _files(folder: Path) -> list[str]:
    return [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]


@contextmanager
def _plainly(destination: str) -> Iterator[None]:
    """What goes wrong with a destination, in plain words; every protocol has its own family of errors."""
    try:
        yield
    except FaultError:
        raise
    except Exception as error:
        raise FaultError(Fault(destination, "", *_said(error))) from error


def _said(error: Exception) -> tuple[str, str]:
    said = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    if type(error).__name__ in NAMELESS:
        mend = "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile in AWS_PROFILE."
        return "needs credentials, and there are none", mend
    if isinstance(error, PermissionError):
        return f"may not be written to: {said}", "Ask its owner for the right to list, read and write."
    if isinstance(error, FileNotFoundError):
        return f"is not there: {said}", "Make the bucket first, or mend its name."
    if isinstance(error, (ImportError, ValueError)):
        return f"is no place that can be published to: {said}", "Name a folder, or s3://BUCKET/PREFIX."
    return f"cannot be written to: {said}", "Run it again: what was sent is not sent again."
