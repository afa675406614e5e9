"""The release store: where sealed releases are, which of them are withdrawn, and which precede a version.

Here belongs reading the release store. Adding a release, or removing its data, belongs to ``release``. A
release is sealed when its folder is named by its version; the name of everything else there (indexes,
``latest.zip``, what a killed run left) does not begin with a digit. Standard library only, so that a run
with nothing to do ends at once.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from pipeline.problems import Problem, ProblemError

DESCRIPTOR, SUMS = "datapackage.json", "SHA256SUMS"
SEMANTIC_VERSION = re.compile(r"(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,8})")


@dataclass(frozen=True)
class SealedRelease:
    """A release in the release store; of a withdrawn one, what is left."""

    package: str
    version: str
    folder: Path

    @property
    def numbers(self) -> tuple[int, ...]:
        """The version as numbers, for comparing."""
        return version_numbers(self.version)

    @cached_property
    def described(self) -> dict[str, Any]:
        """Its datapackage.json. Raises ProblemError when that cannot be read."""
        path = self.folder / DESCRIPTOR
        try:
            loaded: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            file = f"warehouse/releases/{self.package}/{self.version}/{DESCRIPTOR}"
            hint = "A sealed release is never edited: restore the file from a copy."
            raise ProblemError(Problem(file, "", f"cannot be read: {type(error).__name__}", hint)) from None
        return loaded

    @property
    def withdrawn(self) -> dict[str, str] | None:
        """Date and reason of the withdrawal; None while the release stands."""
        return withdrawal_of(self.described)


def withdrawal_of(described: Mapping[str, Any]) -> dict[str, str] | None:
    """Date and reason of the withdrawal that a descriptor tells of; None where it tells of none."""
    return described.get("withdrawn")


def version_numbers(version: str) -> tuple[int, ...]:
    """A semantic version as three numbers. Raises ValueError when it is not one."""
    if not SEMANTIC_VERSION.fullmatch(version):
        raise ValueError(version)
    return tuple(map(int, version.split(".")))


def checksums(folder: Path) -> dict[str, str]:
    """The sha256 of every file that a release lists, by its path; empty where it lists none."""
    listed = (folder / SUMS).read_text(encoding="utf-8") if (folder / SUMS).is_file() else ""
    return {path: sha256 for sha256, _, path in (line.partition("  ") for line in listed.splitlines())}


def releases_folder(root: Path, package: str) -> Path:
    """The folder of a package's releases."""
    return root / "warehouse" / "releases" / package


def sealed_releases(root: Path, package: str) -> list[SealedRelease]:
    """Every release of a package, withdrawn ones included, the oldest first."""
    folders = releases_folder(root, package).glob("[0-9]*/")
    found = [
        SealedRelease(package, path.name, path) for path in folders if SEMANTIC_VERSION.fullmatch(path.name)
    ]
    return sorted(found, key=lambda release: release.numbers)


def earlier(root: Path, package: str, version: str) -> list[SealedRelease]:
    """The releases of a package below a version that are not withdrawn, the oldest first."""
    below = [
        release for release in sealed_releases(root, package) if release.numbers < version_numbers(version)
    ]
    return [release for release in below if not release.withdrawn]


def previous(root: Path, package: str, version: str) -> SealedRelease | None:
    """The release that a version revises: the greatest one below it that is not withdrawn."""
    return next(reversed(earlier(root, package, version)), None)
