"""Withdrawing a release: its data are removed, a tombstone stays.

The tombstone is ``datapackage.json``, with date and reason and no data; once it is written the release is
withdrawn, and the next run finishes one that was interrupted. No checksum of the data stays either: where one
cell is unknown, a checksum discloses it to anybody who tries all values.
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
    """Withdraw a release; the release store is ``locked``; ``refresh`` updates the indexes.

    Raises ProblemError when there is no such release, when it was withdrawn with another date or reason, and
    when no reason is given or the date is before the release.
    """
    folder = f"warehouse/releases/{package}/{version}"
    release = next((each for each in sealed_releases(root, package) if each.version == version), None)
    if release is None:
        known = ", ".join(each.version for each in sealed_releases(root, package)) or "none"
        raise ProblemError(Problem(folder, "", "is not a sealed release", f"Sealed versions: {known}."))
    withdrawal = {"date": on.isoformat(), "reason": " ".join(reason.split())}
    if not withdrawal["reason"]:
        raise ProblemError(
            Problem(folder, "", "cannot be withdrawn without a reason", "Give one with --reason.")
        )
    if release.withdrawn and release.withdrawn != withdrawal:
        message = f"was withdrawn on {release.withdrawn['date']}: {release.withdrawn['reason']}"
        raise ProblemError(
            Problem(folder, "", message, "The date and reason of a withdrawal cannot be changed.")
        )
    if withdrawal["date"] < (released := release.described["created"][:10]):
        hint = f"Give the day of the withdrawal; the version was released on {released}."
        raise ProblemError(
            Problem(folder, "", "cannot be withdrawn before it was released", hint, withdrawal["date"])
        )
    if not release.withdrawn:
        write_file(release.folder / DESCRIPTOR, _tombstone(release, withdrawal))
    return SealedRelease(package, version, release.folder)


def _tombstone(release: SealedRelease, withdrawal: dict[str, str]) -> bytes:
    """The metadata of a release without its data: a Data Package whose one resource is the notice."""
    resource = {"name": "withdrawn", "title": "Why there are no data", "data": [withdrawal]}
    title = f"WITHDRAWN: {release.described['title']}"
    described = {**release.described, "title": title, "withdrawn": withdrawal, "resources": [resource]}
    return (json.dumps(described, ensure_ascii=False, indent=2) + "\n").encode("utf-8")


def finish(release: SealedRelease) -> None:
    """Remove the data of a withdrawn release, as far as they are still there."""
    for path in sorted(release.folder.rglob("*"), reverse=True):
        if path.is_dir():
            path.rmdir()
        elif path.relative_to(release.folder).as_posix() not in TOMBSTONE:
            path.unlink()
    if not (release.folder / NOTICE).is_file():
        write_file(release.folder / NOTICE, _notice(release))


def _notice(release: SealedRelease) -> bytes:
    withdrawal = release.withdrawn or {}
    first = f"{release.package} {release.version} was withdrawn on {withdrawal['date']}."
    second = "Its data were taken away, and the version is never used again."
    return f"# Withdrawn\n\n{first} {second}\n\nReason: {withdrawal['reason']}\n".encode()


def revising(root: Path, release: SealedRelease) -> list[str]:
    """The versions that revise a release: their tables of revisions hold its values."""
    standing = (each for each in sealed_releases(root, release.package) if not each.withdrawn)
    return [each.version for each in standing if compared_in(each.folder)["old"] == release.version]
