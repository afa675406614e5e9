"""Verifying a release: rebuilt from raw files and declarations in a folder of its own, compared by bytes.

The project's own warehouse is read and never written: raw files, what was fetched, and the releases before,
which decide the revisions. How two files differ in words belongs to ``release.contrast``.
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
from pipeline.steps.provenance import PROVENANCE, differences, origins, unspoilt

LINKED = ("raw", "fetched", "releases")  # what of the project's warehouse a rebuild may read
CHECKOUT = "Check out the declarations that it was made from, or name another release."
NAME_IT = "Name the folder of a sealed release, as warehouse/releases/PACKAGE/VERSION, or its zip."
SHOWN = 5


class Verified(NamedTuple):
    """What was verified: a release, and the number of its files that were rebuilt to the byte."""

    package: str
    version: str
    files: int


class Release(NamedTuple):
    """A release as it was handed in: ``place`` is how the user calls it, ``folder`` where its files lie."""

    place: str
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
        return Problem(f"{self.place}/{file}" if file else self.place, key, message, hint)


def verify(catalogue: Catalogue, path: Path) -> Verified:
    """Rebuild a sealed release, given as folder or archive, and compare every file but its provenance.

    Raises ProblemError that names every file that is not what SHA256SUMS says, and the first file, and in a
    table the first cell, that is not what the rebuild gives.
    """
    if catalogue.shared_problems:
        raise ProblemError(catalogue.shared_problems)
    with _opened(path) as release:
        problems = _of_itself(release)
        spoilt = {problem.file for problem in problems}
        if f"{release.place}/{DESCRIPTOR}" in spoilt:
            raise ProblemError(problem for problem in problems if problem.file.endswith(DESCRIPTOR))
        if others := list(_other_declarations(catalogue, release, spoilt)):
            raise ProblemError([*problems, *others])
        with _workspace(catalogue.root) as root:
            rebuilt = _rebuilt(load_catalogue(root), release)
            if found := first_difference(release.folder, rebuilt, ignored=_outside(release)):
                hint = f"These raw files and declarations give something else{_because(catalogue, release)}."
                problems.append(release.problem(*found, hint))
        if problems:
            raise ProblemError(problems)
        files = sum(path.is_file() for path in release.folder.rglob("*"))
        return Verified(release.package, release.version, files - (release.folder / PROVENANCE).is_file())


@contextmanager
def _opened(path: Path) -> Iterator[Release]:
    """A release in its folder, or in an archive for as long as it is looked at."""
    if path.is_dir():
        yield _release(str(path), path)
        return
    with tempfile.TemporaryDirectory(prefix="barometer-") as name:
        try:
            with zipfile.ZipFile(path) as archive:
                archive.extractall(name)
        except (OSError, zipfile.BadZipFile) as error:
            raise ProblemError(
                Problem(str(path), "", f"is not a release: {type(error).__name__}", NAME_IT)
            ) from None
        found = [descriptor.parent for descriptor in sorted(Path(name).glob(f"*/{DESCRIPTOR}"))]
        yield _release(str(path), (found or [Path(name)])[0])


def _release(place: str, folder: Path) -> Release:
    """Raises ProblemError when the folder holds no release, or what is left of a withdrawn one."""
    if not (folder / DESCRIPTOR).is_file() or (not (folder / SUMS).is_file() and not _said(folder)):
        raise ProblemError(Problem(place, "", f"is not a release: it lacks {DESCRIPTOR} or {SUMS}", NAME_IT))
    described = _said(folder)
    if said := described.get("withdrawn"):
        message = f"was withdrawn on {said['date']}: {said['reason']}"
        raise ProblemError(Problem(place, "", message, "Its data were removed: there is nothing to verify."))
    return Release(place, folder, described)


def _said(folder: Path) -> dict[str, Any]:
    """The descriptor of a release; empty when it cannot be read."""
    try:
        loaded = json.loads((folder / DESCRIPTOR).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return loaded if isinstance(loaded, dict) else {}


def _provenance(release: Release) -> dict[str, Any]:
    """What the provenance of a release says; nothing when there is none or it was changed."""
    path = release.folder / PROVENANCE
    return unspoilt(path.read_bytes()) if path.is_file() else {}


def _of_itself(release: Release) -> list[Problem]:
    """Where a release contradicts itself: its checksums, and the provenance that names them."""
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


def _outside(release: Release) -> frozenset[str]:
    """The files that are not compared: the provenance, and in an archive the archive itself."""
    archive = f"{release.package}-{release.version}.zip"
    return frozenset({PROVENANCE} if (release.folder / archive).is_file() else {PROVENANCE, archive})


def _other_declarations(catalogue: Catalogue, release: Release, spoilt: set[str]) -> Iterator[Problem]:
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
        yield release.problem("", "", message, CHECKOUT)
    elif f"{release.place}/{JSON}" not in spoilt:
        revised = compared_in(release.folder)["old"]
        before = previous(catalogue.root, release.package, release.version)
        if revised != (here := before.version if before else None):
            message = f"revises {revised or 'no release'}, and the release before it here is {here or 'none'}"
            hint = "Restore the release that it revises; a withdrawn one cannot be restored."
            yield release.problem(JSON, "old", message, hint)


def _because(catalogue: Catalogue, release: Release) -> str:
    """What the provenance says is not as it was, as a likely reason."""
    then = _provenance(release)
    own = [wave for wave in catalogue.waves.values() if catalogue.package_of(wave).key == release.package]
    changed = list(differences(then, origins(catalogue, own))) if then else []
    more = f" and {len(changed) - SHOWN} more" if len(changed) > SHOWN else ""
    return f"; changed since: {', '.join(changed[:SHOWN])}{more}" if changed else ""


@contextmanager
def _workspace(root: Path) -> Iterator[Path]:
    """A barometer of its own for the rebuild: the same declarations and raw files, an empty warehouse."""
    with tempfile.TemporaryDirectory(prefix="barometer-") as name:
        work = Path(name)
        (work / "schemas").symlink_to(root / "schemas", target_is_directory=True)
        for part in LINKED:
            (work / "warehouse" / part).mkdir(parents=True)
            for path in (root / "warehouse" / part).glob("*"):
                (work / "warehouse" / part / path.name).symlink_to(path, target_is_directory=path.is_dir())
        yield work


def _rebuilt(catalogue: Catalogue, release: Release) -> Path:
    """The package as these declarations give it, from its waves that are not at fault."""
    for key, wave in catalogue.waves.items():
        if catalogue.package_of(wave).key == release.package and not catalogue.problems_of(key):
            for step in WAVE_STEPS:
                getattr(waves, step)(key, catalogue)
    return products.package_alone(catalogue, catalogue.barometer.packages[release.package])
