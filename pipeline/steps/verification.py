"""Verifies a release: rebuilds it from raw files and declarations in a temporary folder and compares bytes.

The project's own warehouse is read and never written: raw files, fetched files, and earlier releases, which
determine the revisions. Describing how two files differ belongs to ``release.contrast``.
"""

from __future__ import annotations

import json
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from pipeline.catalogue import Catalogue, load_catalogue
from pipeline.problems import Problem, ProblemError
from pipeline.release.checks import check_sums
from pipeline.release.contrast import first_difference
from pipeline.release.revisions import JSON, compared_in
from pipeline.release_store import DESCRIPTOR, SUMS, previous
from pipeline.staleness.files import hash_of_file
from pipeline.staleness.outputs import WAVE_STEPS
from pipeline.steps import products, waves
from pipeline.steps.provenance import PROVENANCE, differences, intact_provenance, origins

LINKED_FOLDERS = ("fetched", "releases")  # of the project's warehouse: a rebuild reads what is in them
USE_ITS_DECLARATIONS = "Check out the declarations that it was made from, or name another release."
NAME_A_RELEASE = "Name the folder of a sealed release, as warehouse/releases/PACKAGE/VERSION, or its zip."
SHOWN = 5


class Verified(NamedTuple):
    """What was verified: a release, and the number of its files that were rebuilt identically."""

    package: str
    version: str
    files: int


class GivenRelease(NamedTuple):
    """A release as given: ``location`` is the path that the user named, ``folder`` where its files are."""

    location: str
    folder: Path
    described: dict[str, Any]

    @property
    def package(self) -> str:
        """The key of its package."""
        return str(self.described.get("name"))

    @property
    def version(self) -> str:
        """Its version."""
        return str(self.described.get("version"))

    def problem(self, file: str, key: str, message: str, hint: str) -> Problem:
        """A problem of one of its files."""
        return Problem(f"{self.location}/{file}" if file else self.location, key, message, hint)


def verify(catalogue: Catalogue, path: Path) -> Verified:
    """Rebuild a sealed release, given as folder or archive, and compare every file but its provenance.

    Raises ProblemError that names every file that is not what SHA256SUMS says, and the first file, and in a
    table the first cell, that is not what the rebuild gives.
    """
    if catalogue.shared_problems:
        raise ProblemError(catalogue.shared_problems)
    with _opened(path) as release:
        problems = _integrity_problems(release)
        altered = {problem.file for problem in problems}
        if f"{release.location}/{DESCRIPTOR}" in altered:
            raise ProblemError(problem for problem in problems if problem.file.endswith(DESCRIPTOR))
        if others := list(_other_declarations(catalogue, release, altered)):
            raise ProblemError([*problems, *others])
        with _workspace(catalogue.root) as root:
            rebuilt = _rebuilt(load_catalogue(root), release)
            if found := first_difference(release.folder, rebuilt, ignored=_not_compared(release)):
                reason = _likely_reason(catalogue, release)
                hint = f"These raw files and declarations give something else{reason}."
                problems.append(release.problem(*found, hint))
        if problems:
            raise ProblemError(problems)
        files = sum(path.is_file() for path in release.folder.rglob("*"))
        return Verified(release.package, release.version, files - (release.folder / PROVENANCE).is_file())


@contextmanager
def _opened(path: Path) -> Iterator[GivenRelease]:
    """A release in its folder, or in an archive for as long as it is looked at."""
    if path.is_dir():
        yield _release(str(path), path)
        return
    with tempfile.TemporaryDirectory(prefix="barometer-") as name:
        try:
            with zipfile.ZipFile(path) as archive:
                archive.extractall(name)
        except (OSError, zipfile.BadZipFile) as error:
            reason = "cannot be read as an archive" if path.is_file() else "does not exist"
            raise ProblemError(
                Problem(str(path), "", f"is not a release: it {reason}", NAME_A_RELEASE)
            ) from error
        found = [descriptor.parent for descriptor in sorted(Path(name).glob(f"*/{DESCRIPTOR}"))]
        yield _release(str(path), (found or [Path(name)])[0])


def _release(location: str, folder: Path) -> GivenRelease:
    """Raises ProblemError when the folder holds no release, or what is left of a withdrawn one."""
    if not (folder / DESCRIPTOR).is_file() or (not (folder / SUMS).is_file() and not _descriptor(folder)):
        raise ProblemError(
            Problem(location, "", f"is not a release: it lacks {DESCRIPTOR} or {SUMS}", NAME_A_RELEASE)
        )
    described = _descriptor(folder)
    if withdrawal := described.get("withdrawn"):
        message = f"was withdrawn on {withdrawal['date']}: {withdrawal['reason']}"
        raise ProblemError(
            Problem(location, "", message, "Its data were removed: there is nothing to verify.")
        )
    return GivenRelease(location, folder, described)


def _descriptor(folder: Path) -> dict[str, Any]:
    """The descriptor of a release; empty when it cannot be read."""
    try:
        loaded = json.loads((folder / DESCRIPTOR).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return loaded if isinstance(loaded, dict) else {}


def _provenance(release: GivenRelease) -> dict[str, Any]:
    """What the provenance of a release says; nothing when there is none or it was changed."""
    path = release.folder / PROVENANCE
    return intact_provenance(path.read_bytes()) if path.is_file() else {}


def _integrity_problems(release: GivenRelease) -> list[Problem]:
    """Where the files of a release do not match its checksums, or its provenance."""
    problems = [
        release.problem(problem.file, problem.key, problem.message, "It was changed after it was sealed.")
        for problem in check_sums(release.folder, release.described)
    ]
    if (release.folder / PROVENANCE).is_file():
        named = _provenance(release).get("sha256sums")
        if named != hash_of_file(release.folder / SUMS):
            message = f"is not the provenance of this {SUMS}" if named else "was changed"
            problems.append(release.problem(PROVENANCE, "", message, "It was changed after it was sealed."))
    return problems


def _not_compared(release: GivenRelease) -> frozenset[str]:
    """The files that are not compared: the provenance, and in an archive the archive itself."""
    archive = f"{release.package}-{release.version}.zip"
    return frozenset({PROVENANCE} if (release.folder / archive).is_file() else {PROVENANCE, archive})


def _other_declarations(catalogue: Catalogue, release: GivenRelease, altered: set[str]) -> Iterator[Problem]:
    """Why these declarations cannot give that release."""
    barometer = catalogue.barometer
    if release.package not in barometer.packages:
        known = ", ".join(barometer.packages)
        message = f"is a release of {release.package}, and the packages of this barometer are {known}"
        yield release.problem("", "", message, "Name, with --project, the barometer that it was made from.")
    elif release.version != barometer.version:
        then = _provenance(release).get("declarations", {}).get("sha256", "unknown")
        now = origins(catalogue, ())["declarations"]["sha256"]
        message = f"is version {release.version}, made from the declarations {then[:12]}; those here"
        message += f", {now[:12]}, declare version {barometer.version}"
        yield release.problem("", "", message, USE_ITS_DECLARATIONS)
    elif f"{release.location}/{JSON}" not in altered:
        revised = compared_in(release.folder)["old"]
        before = previous(catalogue.root, release.package, release.version)
        if revised != (here := before.version if before else None):
            message = f"revises {revised or 'no release'}, and the release before it here is {here or 'none'}"
            hint = "Restore the release that it revises; a withdrawn one cannot be restored."
            yield release.problem(JSON, "old", message, hint)


def _likely_reason(catalogue: Catalogue, release: GivenRelease) -> str:
    """What has changed since, according to the provenance: the likely reason of a difference."""
    then = _provenance(release)
    own = [wave for wave in catalogue.waves.values() if catalogue.package_of(wave).key == release.package]
    changed = list(differences(then, origins(catalogue, own))) if then else []
    more = f" and {len(changed) - SHOWN} more" if len(changed) > SHOWN else ""
    return f"; changed since: {', '.join(changed[:SHOWN])}{more}" if changed else ""


@contextmanager
def _workspace(root: Path) -> Iterator[Path]:
    """A temporary barometer for the rebuild: the same declarations and raw files, an empty warehouse."""
    with tempfile.TemporaryDirectory(prefix="barometer-") as name:
        work = Path(name)
        (work / "warehouse").mkdir()
        for part in ("schemas", "warehouse/raw"):  # as a whole: a link inside the raw files is not followed
            (work / part).symlink_to(root / part, target_is_directory=True)
        for part in LINKED_FOLDERS:
            (work / "warehouse" / part).mkdir()
            for path in (root / "warehouse" / part).glob("*"):
                (work / "warehouse" / part / path.name).symlink_to(path, target_is_directory=path.is_dir())
        yield work


def _rebuilt(catalogue: Catalogue, release: GivenRelease) -> Path:
    """The package as these declarations give it, from its waves that are not at fault."""
    for key, wave in catalogue.waves.items():
        if catalogue.package_of(wave).key == release.package and not catalogue.problems_of(key):
            for step in WAVE_STEPS:
                getattr(waves, step)(key, catalogue)
    return products.package_alone(catalogue, catalogue.barometer.packages[release.package])
