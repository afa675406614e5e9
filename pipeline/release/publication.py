"""Publishing the releases of a package to a folder or a bucket, so that readers find whole releases only.

A version is sent before any index names it, its checksums last of all, and what lies there is never sent
again. ``versions.json`` is the one moment in which readers are told. ``latest.zip``, the feed and the taking
down of what is withdrawn come after it, so that whoever loses a race for it has changed nothing that readers
see. Which releases there are belongs to ``release_store``; nothing is sent that was not sealed.
"""

from __future__ import annotations

import errno
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline.problems import Problem, ProblemError
from pipeline.release.destination import Destination, Folder, destination_at
from pipeline.release.versions import INDEXES, VERSIONS
from pipeline.release.withdrawal import TOMBSTONE
from pipeline.release_store import SUMS, SealedRelease, releases_folder, sealed_releases

NAMELESS = (
    "NoCredentialsError",
    "PartialCredentialsError",
    "CredentialRetrievalError",
    "TokenRetrievalError",
)


def publish(root: Path, package: str, destination: str) -> Destination:
    """Publish every release of a package; the release store is ``locked`` and right.

    Raises ProblemError when the destination cannot be reached, holds a version with other bytes, knows a
    release or a withdrawal that this release store does not, or is changed by another publisher meanwhile.
    """
    here, releases = releases_folder(root, package), sealed_releases(root, package)
    with _plainly(destination):
        place = destination_at(destination, package)
        if isinstance(place, Folder) and Path(place.base).resolve() == here.resolve():
            hint = "Name another folder, or s3://BUCKET/PREFIX."
            raise ProblemError(Problem(destination, "", "is where the releases lie already", hint))
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


def _refuse_stranger(place: Destination, releases: list[SealedRelease]) -> None:
    """A destination that knows more than this release store would lose it."""
    known = {release.version: release for release in releases}
    there = json.loads(place.read(VERSIONS) or b'{"versions": []}')
    for entry in there["versions"]:
        release = known.get(entry["version"])
        hint = "Publish from the barometer that made these releases, or bring them here first."
        where = f"{place.address}/{VERSIONS}"
        if release is None:
            raise ProblemError(Problem(where, entry["version"], "is a release that is not here", hint))
        if entry["status"] == "withdrawn" and not release.withdrawn:
            raise ProblemError(Problem(where, entry["version"], "is withdrawn there and not here", hint))


def _send(place: Destination, release: SealedRelease) -> None:
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
            hint = "A version is never overwritten: see what lies there, and raise `version` here."
            raise ProblemError(Problem(f"{place.address}/{target}", "", "has other bytes", hint))


def _complete(place: Destination, release: SealedRelease, names: list[str]) -> bool:
    """Whether a version lies there whole: its checksums, which were sent last, and every file by its size."""
    sizes = {name: (release.folder / name).stat().st_size for name in names}
    lying = {name: place.there.get(f"{release.version}/{name}", {}).get("size") for name in names}
    return sizes == lying and place.read(f"{release.version}/{SUMS}") == (release.folder / SUMS).read_bytes()


def _take_down(place: Destination, release: SealedRelease) -> None:
    """Put the tombstone where a version was, and take its data away."""
    for name in TOMBSTONE:
        _renew(place, f"{release.version}/{name}", release.folder / name)
    for name in place.below(release.version):
        if name.partition("/")[2] not in TOMBSTONE:
            place.remove(name)


def _renew(place: Destination, name: str, path: Path) -> None:
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
    except ProblemError:
        raise
    except Exception as error:
        raise ProblemError(Problem(destination, "", *_said(error))) from error


def _said(error: Exception) -> tuple[str, str]:
    said = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    if type(error).__name__ in NAMELESS:
        hint = "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile in AWS_PROFILE."
        return "needs credentials, and there are none", hint
    if isinstance(error, OSError) and error.errno == errno.ENOSYS:
        message = (
            "does not support conditional writes, without which two publishers could undo each other's work"
        )
        return message, "Publish to a folder, or to a server that knows If-Match and If-None-Match."
    if isinstance(error, PermissionError):
        return f"may not be written to: {said}", "Ask its owner for the right to list, read and write."
    if isinstance(error, FileNotFoundError):
        return f"is not there: {said}", "Create the bucket first, or correct its name."
    if isinstance(error, (ImportError, ValueError)):
        return f"is not a place that can be published to: {said}", "Name a folder, or s3://BUCKET/PREFIX."
    return f"cannot be written to: {said}", "Run it again: what was sent is not sent again."
