"""The front page of a language, and the front page of each package: what is in it, and where to go."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pipeline.site.language import Language, Section
from pipeline.site.numbers import DASH
from pipeline.site.page import Page, Site
from pipeline.site.pages.figures import over_time


def front(language: Language, site: Site) -> Page:
    """The front page of a language: the headline of the first package, and every package."""
    sections = [site.sections[book.key, language.code] for book in site.books]
    first = sections[0]
    context = {"packages": [_card(section, site) for section in sections], **_headline(first, site)}
    return Page("index.html", "front.html.j2", "", context, language.plain("barometer.description"))


def pages(section: Section, site: Site) -> Iterator[Page]:
    """The front page of a package: its headline, and its indicators by whom they are about."""
    book = section.book
    bases: dict[str, list[tuple[str, list[str]]]] = {}
    for key, row in book.indicators.items():
        countries = list(
            dict.fromkeys(
                book.waves[wave]["country"] for wave in book.waves if next(book.totals(key, wave), None)
            )
        )
        bases.setdefault(row["base"], []).append((key, countries))
    context = {"bases": list(bases.items()), "card": _card(section, site), **_headline(section, site)}
    yield Page("index.html", "package.html.j2", section.language.strings.plain("indicators"), context)


def _headline(section: Section, site: Site) -> dict[str, Any]:
    book, key = section.book, section.book.headline
    drawn = len(book.categories[key]) == 1 and any(book.waves_of(key, survey) for survey in book.surveys)
    return {"headline": key, "figure": over_time(section, site, key) if drawn else None}


def _card(section: Section, site: Site) -> dict[str, Any]:
    """A package in figures."""
    book = section.book
    years = [row["time_period"] for row in book.waves.values()]
    return {
        "book": book,
        "section": section,
        "release": site.releases[book.key][0],
        "waves": len(book.waves),
        "countries": [
            section.country(code) for code in dict.fromkeys(row["country"] for row in book.waves.values())
        ],
        "years": f"{min(years)}{DASH}{max(years)}",
        "indicators": len(book.indicators),
        "estimates": len(book.estimates),
    }
