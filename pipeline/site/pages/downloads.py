"""The downloads of a package: every release with its files, checksums, changes and quality."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pipeline.release.formats.registry import KINDS, kind_of
from pipeline.site.language import Section
from pipeline.site.page import Page, Site
from pipeline.site.releases import CHANGELOG, QUALITY, REVISIONS, SiteRelease

LABELS = tuple(dict.fromkeys(kind.label for kind in KINDS.values()))  # in the order readers look for them


def pages(section: Section, site: Site) -> Iterator[Page]:
    """The page of downloads."""
    releases = site.releases[section.package.key]
    context = {
        "releases": [(release, _by_kind(release)) for release in releases],
        "newest": releases[0],
        "has_latest": any(each.is_sealed and not each.withdrawn for each in releases),
        "citation": citation(section, releases[0]),
        "quality": _leaves(releases[0].quality),
        "names": {"changelog": CHANGELOG, "quality": QUALITY, "revisions": REVISIONS},
        "revisions": section.package.rows("revisions")[:200],
    }
    yield Page("downloads.html", "downloads.html.j2", section.language.strings.plain("downloads"), context)


def _by_kind(release: SiteRelease) -> list[tuple[str, list[Any]]]:
    found: dict[str, list[Any]] = {kind: [] for kind in LABELS}
    for file in release.files:
        found[kind_of(file.path).label].append(file)
    return [(kind, files) for kind, files in found.items() if files]


def citation(section: Section, release: SiteRelease) -> str:
    """How to cite a release, from its own descriptor: by its title where no contributor is declared."""
    people = [who["title"] for who in release.described.get("contributors", []) if "title" in who]
    title, year = release.described["title"], release.released[:4]
    text = f"{', '.join(people)} ({year}). {title}. " if people else f"{title} ({year}). "
    return text + section.language.strings.plain("version_n", version=release.version) + "."


def _leaves(report: Mapping[str, Any], above: str = "") -> list[tuple[str, Any]]:
    """The single values of a report with their names; lists are left out."""
    found: list[tuple[str, Any]] = []
    for name, value in report.items():
        full_name = f"{above} {name}".strip().replace("_", " ")
        if isinstance(value, Mapping):
            found += _leaves(value, full_name)
        elif not isinstance(value, list):
            found.append((full_name, value))
    return found
