"""Sealing: a candidate becomes a release, whole and for good, or nothing changes.

The candidate is copied under a name that no release has, flushed to the disk, checked there, and renamed:
that is the moment in which it becomes a release. A rename never replaces a release. Reading releases belongs
to ``release_store``, the indexes that follow from a new one to ``versions``.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from pipeline.atomic import flush
from pipeline.problems import Problem, ProblemError
from pipeline.release.bump import BUMPS, bump_between, next_version
from pipeline.release.checks import check_package
from pipeline.release.compared_tables import tables_of
from pipeline.release.revisions import calling, compared_in, comparison
from pipeline.release_store import (
    SUMS,
    SealedRelease,
    previous,
    releases_folder,
    sealed_releases,
    version_numbers,
)

READ_ONLY = 0o444
RAISE = "Raise `version` in schemas/barometer.toml and run `barometer run`."
VERSION_KEY = ("schemas/barometer.toml", "version")


def refusals(root: Path, package: str, version: str, candidate: Path) -> Iterator[Problem]:
    """Why a candidate may not be sealed as a version; nothing when it may, or is sealed already."""
    releases = sealed_releases(root, package)
    there = next((release for release in releases if release.version == version), None)
    if there and there.withdrawn:
        message = f"was withdrawn from {package} on {there.withdrawn['date']}, and cannot be used again"
        yield Problem(*VERSION_KEY, message, RAISE, version)
    elif there and not same_release(candidate, there.folder):
        message = f"of {package} is already sealed, with different files"
        yield Problem(*VERSION_KEY, message, _raise(_least(there, candidate)), version)
    elif not there and releases and releases[-1].numbers > version_numbers(version):
        message = f"is lower than {releases[-1].version}, the last sealed version of {package}"
        yield Problem(*VERSION_KEY, message, _raise(_least(releases[-1], candidate)), version)
    elif not there and (before := previous(root, package, version)):
        yield from _too_small(before, version, candidate)


def _too_small(before: SealedRelease, version: str, candidate: Path) -> Iterator[Problem]:
    compared = compared_in(candidate)
    needed, given = compared["bump"], bump_between(before.version, version)
    if BUMPS.index(given) < BUMPS.index(needed):
        calls = calling(compared)
        message = (
            f"is a {given} bump of {before.version} of {before.package}; the changes need a {needed} one"
        )
        yield Problem(
            *VERSION_KEY, f"{message}: {calls}", _raise(next_version(before.version, needed)), version
        )


def _least(release: SealedRelease, candidate: Path) -> str:
    """The lowest version that a candidate may have as the revision of a release."""
    if release.withdrawn:
        return next_version(release.version, "patch")  # its data are gone: nothing to compare with
    before, after = ((release.version, tables_of(folder)) for folder in (release.folder, candidate))
    return next_version(release.version, str(comparison(release.package, before, after)["bump"]))


def _raise(least: str) -> str:
    return f"Raise `version` in schemas/barometer.toml to {least} or higher and run `barometer run`."


def same_release(folder: Path, other: Path) -> bool:
    """Whether two folders hold the same release: its identity is SHA256SUMS."""
    return (folder / SUMS).read_bytes() == (other / SUMS).read_bytes()


def seal(root: Path, package: str, version: str, candidate: Path) -> SealedRelease | None:
    """Put a candidate into the ``locked`` release store; None when it is there already.

    Raises ProblemError, and leaves the release store unchanged, when ``refusals`` has a reason against it or
    the package does not pass its checks.
    """
    if problems := list(refusals(root, package, version, candidate)):
        raise ProblemError(problems)
    target = releases_folder(root, package) / version
    if target.exists():
        return None
    fresh = target.with_name(f".{version}.new")
    try:
        copy_flushed(candidate, fresh)
        if problems := check_package(fresh):
            place = candidate.relative_to(root).as_posix()
            raise ProblemError(replace(problem, file=f"{place}/{problem.file}") for problem in problems)
        fresh.rename(target)  # fails where there is a release: a folder with files is never replaced
        flush(target.parent)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return SealedRelease(package, version, target)


def copy_flushed(source: Path, target: Path) -> None:
    """Copy the files of a folder, read-only, and flush them to the disk; replaces what was there."""
    shutil.rmtree(target, ignore_errors=True)
    for path in sorted(source.rglob("*")):
        if path.is_file():
            place = target / path.relative_to(source)
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, place)
            place.chmod(READ_ONLY)
            flush(place)
    for folder in (target, *(path for path in target.rglob("*/"))):
        flush(folder)
