"""Publishing the releases of a package to a folder or a bucket, so that readers find whole releases only.

A version is sent before any index names it, its checksums last of all, and what lies there is never sent
again. ``versions.json`` is the one moment in which readers are told. ``latest.zip``, the feed and the taking
down of what is withdrawn come after it, so that whoever loses a race for it has changed nothing that readers
see. Which releases there are belongs to ``shelf``; nothing is sent that was not sealed.
"""

from __future__ import annotations

import errno
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline.faults import Fault, FaultError
from pipeline.release.place import Folder, Place, place_at
from pipeline.release.versions import INDEXES, VERSIONS
from pipeline.release.withdrawal import TOMBSTONE
from pipeline.shelf import SUMS, Sealed, sealed, shelf

NAMELESS = (
    "NoCredentialsError",
    "PartialCredentialsError",
    "CredentialRetrievalError",
    "TokenRetrievalError",
)


def publish(root: Path, package: str, destination: str) -> Place:
    """Publish every release of a package; the shelf is ``locked`` and right.

    Raises FaultError when the destination cannot be reached, holds a version with other bytes, knows a
    release or a withdrawal that this shelf does not, or is changed by another publisher meanwhile.
    """
    here, releases = shelf(root, package), sealed(root, package)
    with _plainly(destination):
        place = place_at(destination, package)
        if isinstance(place, Folder) and Path(place.base).resolve() == here.resolve():
            mend = "Name another folder, or s3://BUCKET/PREFIX."
            raise FaultError(Fault(destination, "", "is where the releases lie already", mend))
        with place.held():
            place.look()
            _refuse_stranger(place, releases)
            for release in releases:
                if not release.withdrawn:
                    _send(place, release)
            for name in INDEXES:
                _renew(place, name, here / name)
            for release in releases:
                if release.withdrawn:
                    _take_down(place, release)
    return place


def _refuse_stranger(place: Place, releases: list[Sealed]) -> None:
    """A destination that knows more than this shelf would lose it."""
    known = {release.version: release for release in releases}
    there = json.loads(place.read(VERSIONS) or b'{"versions": []}')
    for entry in there["versions"]:
        release = known.get(entry["version"])
        mend = "Publish from the barometer that made these releases, or bring them here first."
        where = f"{place.address}/{VERSIONS}"
        if release is None:
            raise FaultError(Fault(where, entry["version"], "is a release that is not here", mend))
        if entry["status"] == "withdrawn" and not release.withdrawn:
            raise FaultError(Fault(where, entry["version"], "is withdrawn there and not here", mend))


def _send(place: Place, release: Sealed) -> None:
    """Send a version; its checksums, which make it complete, come last."""
    paths = [path for path in release.folder.rglob("*") if path.is_file()]
    names = [path.relative_to(release.folder).as_posix() for path in paths]
    names.sort(key=lambda name: (name == SUMS, name))
    if _complete(place, release, names):
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
            raise FaultError(Fault(f"{place.address}/{target}", "", "has other bytes", mend))


def _complete(place: Place, release: Sealed, names: list[str]) -> bool:
    """Whether a version lies there whole: its checksums, which were sent last, and every file by its size."""
    sizes = {name: (release.folder / name).stat().st_size for name in names}
    lying = {name: place.there.get(f"{release.version}/{name}", {}).get("size") for name in names}
    return sizes == lying and place.read(f"{release.version}/{SUMS}") == (release.folder / SUMS).read_bytes()


def _take_down(place: Place, release: Sealed) -> None:
    """Put the tombstone where a version was, and take its data away."""
    for name in TOMBSTONE:
        _renew(place, f"{release.version}/{name}", release.folder / name)
    for name in place.below(release.version):
        if name.partition("/")[2] not in TOMBSTONE:
            place.remove(name)


def _renew(place: Place, name: str, path: Path) -> None:
    """Make a file there what it is here, absence included."""
    if not path.is_file():
        if name in place.there:
            place.remove(name)
    elif place.holds(name, path):
        place.kept += 1
    else:
        place.send(name, path)


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
    if isinstance(error, OSError) and error.errno == errno.ENOSYS:
        message = "knows no conditional writes, without which two publishers could undo each other's work"
        return message, "Publish to a folder, or to a server that knows If-Match and If-None-Match."
    if isinstance(error, PermissionError):
        return f"may not be written to: {said}", "Ask its owner for the right to list, read and write."
    if isinstance(error, FileNotFoundError):
        return f"is not there: {said}", "Make the bucket first, or mend its name."
    if isinstance(error, (ImportError, ValueError)):
        return f"is no place that can be published to: {said}", "Name a folder, or s3://BUCKET/PREFIX."
    return f"cannot be written to: {said}", "Run it again: what was sent is not sent again."
