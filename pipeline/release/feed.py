"""The feed of a package (Atom, RFC 4287): an entry a release and an entry a withdrawal.

Identifiers follow from package and version, dates from the releases; addresses are relative, so that the
feed is right wherever it is published.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import NamedTuple
from xml.etree import ElementTree as ET

from pipeline.release.revisions import last_entry
from pipeline.release_store import SealedRelease

ATOM = "http://www.w3.org/2005/Atom"


class Entry(NamedTuple):
    """One entry of the feed."""

    updated: str  # a date
    identity: str
    title: str
    text: str
    place: str


def feed(package: str, releases: Sequence[SealedRelease]) -> bytes:
    """feed.xml of the releases of a package, at least one, newest entry first."""
    news = [entry for release in releases for entry in _entries(release)]
    news.sort(key=lambda entry: entry.updated)
    described = releases[-1].described
    root = ET.Element("feed", xmlns=ATOM)
    _text(root, "id", _urn(package))
    _text(root, "title", described["title"].removeprefix("WITHDRAWN: "))
    _text(root, "updated", _moment(news[-1].updated))
    ET.SubElement(root, "link", rel="self", href="feed.xml")
    people = [person["title"] for person in described.get("contributors", []) if "title" in person]
    for name in people or [package]:
        _text(ET.SubElement(root, "author"), "name", name)
    for entry in reversed(news):
        _add(root, entry)
    ET.indent(root)
    made: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return made + b"\n"


def _entries(release: SealedRelease) -> list[Entry]:
    name, page = f"{release.package} {release.version}", f"{release.version}/datapackage.json"
    released, withdrawal = release.described["created"][:10], release.withdrawn
    identity = f"{release.package}/{release.version}"
    if not withdrawal:
        return [Entry(released, identity, name, last_entry(release.folder), page)]
    text = f"Withdrawn on {withdrawal['date']}: {withdrawal['reason']}"
    return [
        Entry(released, identity, f"{name} (withdrawn)", text, page),
        Entry(withdrawal["date"], f"{identity}/withdrawn", f"{name} is withdrawn", text, page),
    ]


def _add(root: ET.Element, entry: Entry) -> None:
    element = ET.SubElement(root, "entry")
    _text(element, "id", _urn(entry.identity))
    _text(element, "title", entry.title)
    _text(element, "updated", _moment(entry.updated))
    ET.SubElement(element, "link", rel="alternate", type="application/json", href=entry.place)
    _text(element, "content", entry.text)


def _text(parent: ET.Element, tag: str, text: str) -> None:
    ET.SubElement(parent, tag).text = text


def _urn(name: str) -> str:
    return f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, name)}"


def _moment(day: str) -> str:
    return f"{day}T00:00:00Z"
