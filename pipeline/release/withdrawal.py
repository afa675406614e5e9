"""Withdrawing a release that should not have been: its data go, a tombstone stays.

The tombstone is ``datapackage.json``, with date and reason and no data; from the moment it stands the
release is withdrawn, and whoever comes next finishes what was cut short. No checksum of the data stays
either: where one cell is unknown, a checksum gives it away to whoever tries all values.
"""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

from pipeline.atomic import write_file
from pipeline.problems import Problem, ProblemError
from pipeline.release.revisions import compared_in
from pipeline.release_store import DESCRIPTOR, SealedRelease, sealed_releases

NOTICE = "WITHDRAWN.md"
TOMBSTONE = (DESCRIPTOR, NOTICE)


def withdraw(root: Path, package: str, version: str, reason: str, on: date) -> SealedRelease:
    """Withdraw a release; the release store is ``locked``, and the indexes follow with ``refresh``.

    Raises ProblemError when there is no such release, or it was withdrawn otherwise, or no reason is given.
    """
    place = f"warehouse/releases/{package}/{version}"
    release = next((each for each in sealed_releases(root, package) if each.version == version), None)
    if release is None:
        known = ", ".join(each.version for each in sealed_releases(root, package)) or "none"
        raise ProblemError(Problem(place, "", "is not a sealed release", f"Sealed versions: {known}."))
    said = {"date": on.isoformat(), "reason": " ".join(reason.split())}
    if not said["reason"]:
        raise ProblemError(Problem(place, "", "is not withdrawn without a reason", "Give one with --reason."))
    if release.withdrawn and release.withdrawn != said:
        message = f"was withdrawn on {release.withdrawn['date']}: {release.withdrawn['reason']}"
        raise ProblemError(Problem(place, "", message, "What was said once stays; there is nothing to do."))
    if said["date"] < (released := release.described["created"][:10]):
        hint = f"Give the day of the withdrawal; the release is of {released}."
        raise ProblemError(
            Problem(place, "", "cannot be withdrawn before it was released", hint, said["date"])
        )
    if not release.withdrawn:
        write_file(release.folder / DESCRIPTOR, _tombstone(release, said))
    return SealedRelease(package, version, release.folder)


def _tombstone(release: SealedRelease, said: dict[str, str]) -> bytes:
    """The metadata of a release without its data: a Data Package whose one resource is the notice."""
    resource = {"name": "withdrawn", "title": "Why there are no data", "data": [said]}
    title = f"WITHDRAWN: {release.described['title']}"
    described = {**release.described, "title": title, "withdrawn": said, "resources": [resource]}
    return (json.dumps(described, ensure_ascii=False, indent=2) + "\n").encode("utf-8")


def finish(release: SealedRelease) -> None:
    """Take away the data of a withdrawn release, as far as they are still there."""
    for path in sorted(release.folder.rglob("*"), reverse=True):
        if path.is_dir():
            path.rmdir()
        elif path.relative_to(release.folder).as_posix() not in TOMBSTONE:
            path.unlink()
    if not (release.folder / NOTICE).is_file():
        write_file(release.folder / NOTICE, _notice(release))


def _notice(release: SealedRelease) -> bytes:
    said = release.withdrawn or {}
    first = f"{release.package} {release.version} was withdrawn on {said['date']}."
    second = "Its data were taken away, and the version is never used again."
    return f"# Withdrawn\n\n{first} {second}\n\nReason: {said['reason']}\n".encode()


def revising(root: Path, release: SealedRelease) -> list[str]:
    """The versions that revise a release: their revisions hold its old values."""
    standing = (each for each in sealed_releases(root, release.package) if not each.withdrawn)
    return [each.version for each in standing if compared_in(each.folder)["old"] == release.version]
