"""The releases of a package as they lie on disk: sealed versions, and a candidate that is not sealed yet.

Nothing is judged here: files, sizes and checksums are read from what the package itself lists.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from pipeline.release_store import (
    DESCRIPTOR,
    SUMS,
    checksums,
    releases_folder,
    sealed_releases,
    withdrawal_of,
)

CHANGELOG, QUALITY, REVISIONS = "CHANGELOG.md", "quality.json", "revisions.json"


@dataclass(frozen=True)
class ReleaseFile:
    """One file of a release; ``sha256`` is blank for those outside the release's own list."""

    path: str
    size: int
    sha256: str


@dataclass(frozen=True)
class SiteRelease:
    """A release, or a candidate: ``subfolder``: below ``data/<package>/``."""

    version: str
    released: str
    folder: Path
    subfolder: str
    is_sealed: bool
    described: Mapping[str, Any] = field(default_factory=dict)

    @property
    def withdrawn(self) -> Mapping[str, str] | None:
        """Date and reason of the withdrawal; None while it stands."""
        return withdrawal_of(self.described)

    @cached_property
    def files(self) -> list[ReleaseFile]:
        """Every file with its size, by path."""
        sums = checksums(self.folder)
        paths = sorted(path for path in self.folder.rglob("*") if path.is_file())
        names = [(path.relative_to(self.folder).as_posix(), path.stat().st_size) for path in paths]
        return [ReleaseFile(name, size, sums.get(name, "")) for name, size in names]

    @property
    def changes(self) -> str:
        """The whole changelog as written; blank where there is none."""
        return self._text(CHANGELOG)

    @cached_property
    def quality(self) -> Mapping[str, Any]:
        """The quality report; empty where there is none."""
        text = self._text(QUALITY)
        loaded: Mapping[str, Any] = json.loads(text) if text else {}
        return loaded

    def _text(self, name: str) -> str:
        path = self.folder / name
        return path.read_text(encoding="utf-8") if path.is_file() else ""

    def has(self, name: str) -> bool:
        """Whether it holds a file of this name."""
        return (self.folder / name).is_file()


def releases(root: Path, package: str, candidate: Path) -> list[SiteRelease]:
    """The releases of a package, newest first; before them the candidate, unless it is sealed already."""
    found = [
        SiteRelease(
            each.version,
            str(each.described.get("created", ""))[:10],
            each.folder,
            each.version,
            True,
            each.described,
        )
        for each in reversed(sealed_releases(root, package))
    ]
    described = json.loads((candidate / DESCRIPTOR).read_text(encoding="utf-8"))
    if not any(_same(candidate, release.folder) for release in found):
        created = str(described.get("created", ""))[:10]
        found.insert(0, SiteRelease(described["version"], created, candidate, "candidate", False, described))
    return found


def stable(root: Path, package: str) -> Path:
    """The folder whose layout gives the stable addresses: versions, ``latest.zip``, index and feed."""
    return releases_folder(root, package)


def _same(a: Path, b: Path) -> bool:
    sums = [folder / SUMS for folder in (a, b)]
    return all(path.is_file() for path in sums) and sums[0].read_bytes() == sums[1].read_bytes()
