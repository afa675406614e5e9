"""Operations on releases: sealing candidates, withdrawing, publishing, and finding a package by its name.

Each holds the lock of its package and rebuilds the indexes from the sealed releases, so that it also repairs
what a killed run left. How a release is sealed or withdrawn belongs to ``release``.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

from pipeline.catalogue import Catalogue
from pipeline.catalogue.unconfirmed import unconfirmed_problems
from pipeline.problems import Problem, ProblemError
from pipeline.release.destination import Destination
from pipeline.release.lock import locked
from pipeline.release.package import candidate
from pipeline.release.publication import publish
from pipeline.release.revisions import compared_in
from pipeline.release.seal import refusals, seal
from pipeline.release.versions import newest, refresh
from pipeline.release.withdrawal import revising, withdraw
from pipeline.release_store import SUMS, releases_folder, sealed_releases
from pipeline.staleness.files import hash_of_file
from pipeline.staleness.outputs import product_folder, read_json
from pipeline.staleness.status import products_current, sound_waves, status
from pipeline.steps.data_package import AUDIT

RUN = "Run `barometer run` first."


class Sealing(NamedTuple):
    """The outcome for a package: the version, whether it is new in the release store, and what it revises."""

    package: str
    version: str
    folder: Path
    new: bool
    revises: str | None
    bump: str


def seal_candidates(catalogue: Catalogue, only: Collection[str] = ()) -> list[Sealing]:
    """Seal the candidate of every package, or of those named. Raises ProblemError, before any is sealed."""
    for package in released_packages(catalogue.root):
        repair_releases(catalogue.root, package)
    packages = _built_packages(catalogue)
    packages = [package for package in packages if not only or package in only]
    version = catalogue.barometer.version
    if problems := [problem for package in packages for problem in _problems(catalogue, package, version)]:
        raise ProblemError(problems)
    return [_seal(catalogue, package, version) for package in packages]


def left_out(catalogue: Catalogue) -> list[str]:
    """The declared waves that are in no candidate, because they have problems."""
    sound = sound_waves(catalogue)
    return [wave for wave in catalogue.waves if wave not in sound]


def _built_packages(catalogue: Catalogue) -> list[str]:
    """The packages that hold a wave. Raises ProblemError when their candidates are out of date."""
    if catalogue.shared_problems:
        raise ProblemError(catalogue.shared_problems)
    sound = sound_waves(catalogue)
    stale = [wave for wave in catalogue.waves if status(wave, catalogue) == "stale"]
    if stale or not sound or not products_current(catalogue, sound):
        waves = f": {', '.join(stale)} changed" if stale else ""
        message = f"is out of date{waves}"
        raise ProblemError(Problem("warehouse/candidate", "", message, RUN))
    held = {catalogue.package_of(catalogue.waves[wave]).key for wave in sound}
    return [package for package in catalogue.barometer.packages if package in held]


def _problems(catalogue: Catalogue, package: str, version: str) -> Iterator[Problem]:
    folder = candidate(catalogue.root, catalogue.barometer.packages[package])
    record = product_folder(catalogue.root, "data_package") / f"{package}{AUDIT}"
    made: dict[str, Any] = {**read_json(record)}
    if hash_of_file(folder / SUMS) != made["sha256sums"]:
        location = folder.relative_to(catalogue.root).as_posix()
        hint = "Delete the folder and run `barometer run`: a candidate is never edited."
        yield Problem(f"{location}/{SUMS}", "", "was changed after it was made", hint)
    sound = [catalogue.waves[wave] for wave in sound_waves(catalogue)]
    held = [wave for wave in sound if catalogue.package_of(wave).key == package]
    yield from unconfirmed_problems(catalogue.unconfirmed_of(held))
    yield from refusals(catalogue.root, package, version, folder)


def _seal(catalogue: Catalogue, package: str, version: str) -> Sealing:
    root, folder = catalogue.root, candidate(catalogue.root, catalogue.barometer.packages[package])
    with locked(root, package):
        new = seal(root, package, version, folder)
        refresh(root, package)
    location = releases_folder(root, package) / version
    compared = compared_in(location)
    return Sealing(package, version, location, new is not None, compared["old"], compared["bump"])


def withdraw_release(root: Path, package: str, version: str, reason: str, on: date) -> list[str]:
    """Withdraw a release; gives the versions that still hold its values, since they revise it."""
    if not releases_folder(root, package).is_dir():
        hint = "Name a package that has releases; warehouse/releases holds them."
        raise ProblemError(Problem(f"warehouse/releases/{package}", "", "does not exist", hint, package))
    with locked(root, package):
        refresh(root, package)
        release = withdraw(root, package, version, reason, on)
        refresh(root, package)
        return revising(root, release)


def publish_releases(root: Path, destination: str, only: Collection[str] = ()) -> dict[str, Destination]:
    """Publish every package that has releases, or those named; gives what was sent of each.

    Raises ProblemError when there is nothing to publish, or the destination does not take it.
    """
    packages = list(only) or released_packages(root)
    if not packages or {*packages} - {*released_packages(root)}:
        missing = ", ".join(sorted({*packages} - {*released_packages(root)})) or None
        hint = "Seal a candidate with `barometer release` first."
        raise ProblemError(Problem("warehouse/releases", "", "has no release to publish", hint, missing))
    done = {}
    for package in packages:
        with locked(root, package):
            refresh(root, package)
            done[package] = publish(root, package, destination)
    return done


def repair_releases(root: Path, package: str) -> None:
    """Finish what a killed run left in the release store of a package."""
    with locked(root, package):
        refresh(root, package)


def released_packages(root: Path) -> list[str]:
    """The packages that have releases."""
    folders = (root / "warehouse" / "releases").glob("[!.]*/")
    return sorted(folder.name for folder in folders if sealed_releases(root, folder.name))


def package_folders(root: Path, names: Collection[str]) -> list[Path]:
    """The package folders by the names that users give: a folder, ``package@version`` or ``candidate``.

    A version may be ``latest`` or ``candidate``. ``candidate`` alone is that of the package which another
    name says, or of the only one there is. Raises ProblemError when there is no such package.
    """
    packages = {name.partition("@")[0] for name in names if "@" in name and not Path(name).is_dir()}
    candidates = root / "warehouse" / "candidate"
    packages = packages or {folder.name for folder in candidates.glob("[!.]*/")}
    return [_folder(root, name, packages) for name in names]


def _folder(root: Path, name: str, packages: set[str]) -> Path:
    if Path(name).is_dir():
        return Path(name)
    if name == "candidate" and len(packages) == 1:
        name = f"{next(iter(packages))}@candidate"
    package, _, version = name.partition("@")
    if not version:
        known = ", ".join(f"{each}@candidate" for each in sorted(packages)) or "none yet"
        hint = f"Name a folder, PACKAGE@VERSION or a candidate ({known})."
        raise ProblemError(Problem(name, "", "is neither a folder nor a release", hint))
    if version == "latest" and (last := newest(sealed_releases(root, package))):
        version = last.version
    folder = (
        root / "warehouse" / "candidate" / package
        if version == "candidate"
        else releases_folder(root, package) / version
    )
    if not folder.is_dir():
        versions = ", ".join(release.version for release in sealed_releases(root, package)) or "none"
        hint = f"Sealed versions of {package}: {versions}. A candidate is made by `barometer run`."
        raise ProblemError(Problem(folder.relative_to(root).as_posix(), "", "does not exist", hint, name))
    return folder
