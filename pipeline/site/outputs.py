"""Files for machines beside the pages: the sitemap with its languages, and robots.txt.

Both need the site's own address, the barometer's ``homepage``; where none is declared, addresses start at the
root of whatever host serves the site.
"""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree import ElementTree as ET

from pipeline.site.page import Site

SITEMAP = "http://www.sitemaps.org/schemas/sitemap/0.9"
XHTML = "http://www.w3.org/1999/xhtml"


def address_list(site: Site, paths: Sequence[str]) -> bytes:
    """sitemap.xml: every page with the same page in the other languages."""
    barometer = site.catalogue.barometer
    root = ET.Element("urlset", {"xmlns": SITEMAP, "xmlns:xhtml": XHTML})
    for path in paths:
        language, _, rest = path.partition("/")
        entry = ET.SubElement(root, "url")
        ET.SubElement(entry, "loc").text = _address(site, path)
        ET.SubElement(entry, "lastmod").text = barometer.released.isoformat()
        for other in (*barometer.languages, "x-default"):
            code = barometer.languages[0] if other == "x-default" else other
            link = {"rel": "alternate", "hreflang": other, "href": _address(site, f"{code}/{rest}")}
            ET.SubElement(entry, "xhtml:link", link)
        assert language in barometer.languages
    made: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return made + b"\n"


def robots(site: Site) -> bytes:
    """robots.txt: everyone may read everything."""
    return f"User-agent: *\nAllow: /\nSitemap: {_address(site, 'sitemap.xml')}\n".encode()


def _address(site: Site, path: str) -> str:
    return f"{site.catalogue.barometer.homepage.rstrip('/')}/{path}"
