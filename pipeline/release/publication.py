"""Publishing the releases of a package to a folder or a bucket, so that readers find whole releases only.

A version is sent before any index names it, its checksums last of all, and a file that is there already is
not sent again. A release becomes visible with ``versions.json``. ``latest.zip``, the feed and the removal of
withdrawn data come after it, so that whoever loses a race for it has changed nothing that readers see. Which
releases there are belongs to ``release_store``; nothing is sent that was not sealed.
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

NO_CREDENTIALS = (
    "NoCredentialsError",
    "PartialCredentialsError",
    "CredentialRetrievalError",
    "TokenRetrievalError",
)


def publish(root: Path, package: str, destination: str) -> Destination:
    """Publish every release of a package; the release store is ``locked`` and its indexes are current.

    Raises ProblemError when the destination cannot be reached, holds a version with other bytes, knows a
    release or a withdrawal that this release store does not, or is changed by another publisher meanwhile.
    """
    here, releases = releases_folder(root, package), sealed_releases(root, package)
    with _problems_of(destination):
        remote = destination_at(destination, package)
        if isinstance(remote, Folder) and Path(remote.base).resolve() == here.resolve():
            hint = "Give another folder, or s3://BUCKET/PREFIX."
            raise ProblemError(Problem(destination, "", "is the release store itself", hint))
        with remote.held():
            remote.look()
            _refuse_other_releases(remote, releases)
            for release in releases:
                if not release.withdrawn:
                    _send(remote, release)
            for name in INDEXES:
                _renew(remote, name, here / name)
            for release in releases:
                if release.withdrawn:
                    _take_down(remote, release)
    return remote


def _refuse_other_releases(remote: Destination, releases: list[SealedRelease]) -> None:
    """Refuse a destination with releases or withdrawals that this release store lacks: they would be lost."""
    known = {release.version: release for release in releases}
    there = json.loads(remote.read(VERSIONS) or b'{"versions": []}')
    for entry in there["versions"]:
        release = known.get(entry["version"])
        hint = (
            "Publish from the barometer that made these releases, or copy them into this release store first."
        )
        where = f"{remote.address}/{VERSIONS}"
        if release is None:
            raise ProblemError(
                Problem(where, entry["version"], "is a release that this release store does not have", hint)
            )
        if entry["status"] == "withdrawn" and not release.withdrawn:
            raise ProblemError(
                Problem(where, entry["version"], "is withdrawn there, but not in this release store", hint)
            )


def _send(remote: Destination, release: SealedRelease) -> None:
    """Send a version; its checksums, which make it complete, come last."""
    paths = [path for path in release.folder.rglob("*") if path.is_file()]
    names = [path.relative_to(release.folder).as_posix() for path in paths]
    names.sort(key=lambda name: (name == SUMS, name))
    if _complete(remote, release, names):
        remote.kept += len(names)
        return
    for name in names:
        target, path = f"{release.version}/{name}", release.folder / name
        if target not in remote.there:
            remote.send(target, path)
        elif remote.holds(target, path):
            remote.kept += 1
        else:
            hint = (
                "A version is never overwritten: find out who published that file, and raise `version` here."
            )
            raise ProblemError(
                Problem(f"{remote.address}/{target}", "", "is not the same file as in this release", hint)
            )


def _complete(remote: Destination, release: SealedRelease, names: list[str]) -> bool:
    """Whether a version is complete there: its checksums, which are sent last, and every file's size."""
    sizes = {name: (release.folder / name).stat().st_size for name in names}
    sizes_there = {name: remote.there.get(f"{release.version}/{name}", {}).get("size") for name in names}
    return (
        sizes == sizes_there
        and remote.read(f"{release.version}/{SUMS}") == (release.folder / SUMS).read_bytes()
    )


def _take_down(remote: Destination, release: SealedRelease) -> None:
    """Put the tombstone in place of a version, and remove its data."""
    for name in TOMBSTONE:
        _renew(remote, f"{release.version}/{name}", release.folder / name)
    for name in remote.below(release.version):
        if name.partition("/")[2] not in TOMBSTONE:
            remote.remove(name)


def _renew(remote: Destination, name: str, path: Path) -> None:
    """Make a file there the same as here, or remove it where there is none here."""
    if not path.is_file():
        if name in remote.there:
            remote.remove(name)
    elif remote.holds(name, path):
        remote.kept += 1
    else:
        remote.send(name, path)


@contextmanager
def _problems_of(destination: str) -> Iterator[None]:
    """Turns whatever goes wrong at a destination into a problem; every protocol has its own exceptions."""
    try:
        yield
    except ProblemError:
        raise
    except Exception as error:
        raise ProblemError(Problem(destination, "", *_explained(error))) from error


def _explained(error: Exception) -> tuple[str, str]:
    detail = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    if type(error).__name__ in NO_CREDENTIALS:
        hint = "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile in AWS_PROFILE."
        return "needs credentials, and none were found", hint
    if isinstance(error, OSError) and error.errno == errno.ENOSYS:
        message = (
            "does not support conditional writes, without which two publishers could undo each other's work"
        )
        return message, "Publish to a folder, or to a server that supports If-Match and If-None-Match."
    if isinstance(error, PermissionError):
        return (
            f"cannot be written to, permission denied: {detail}",
            "Ask its owner for permission to list, read and write.",
        )
    if isinstance(error, FileNotFoundError):
        return f"does not exist: {detail}", "Create the bucket first, or correct its name."
    if isinstance(error, (ImportError, ValueError)):
        return f"is not a valid destination: {detail}", "Give a folder, or s3://BUCKET/PREFIX."
    return f"cannot be written to: {detail}", "Run the command again: what was sent is not sent again."
