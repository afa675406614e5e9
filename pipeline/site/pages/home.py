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
    sections = [site.sections[package.key, language.code] for package in site.packages]
    first = sections[0]
    context = {"packages": [_card(section, site) for section in sections], **_headline(first, site)}
    return Page("index.html", "front.html.j2", "", context, language.plain("barometer.description"))


def pages(section: Section, site: Site) -> Iterator[Page]:
    """The front page of a package: its headline, and its indicators by whom they are about."""
    package = section.package
    bases: dict[str, list[tuple[str, list[str]]]] = {}
    for key, row in package.indicators.items():
        countries = list(
            dict.fromkeys(
                package.waves[wave]["country"]
                for wave in package.waves
                if next(package.totals(key, wave), None)
            )
        )
        bases.setdefault(row["base"], []).append((key, countries))
    context = {"bases": list(bases.items()), "card": _card(section, site), **_headline(section, site)}
    yield Page("index.html", "package.html.j2", section.language.strings.plain("indicators"), context)


def _headline(section: Section, site: Site) -> dict[str, Any]:
    package, key = section.package, section.package.headline
    drawn = len(package.categories[key]) == 1 and any(
        package.waves_of(key, survey) for survey in package.surveys
    )
    return {"headline": key, "figure": over_time(section, site, key) if drawn else None}


def _card(section: Section, site: Site) -> dict[str, Any]:
    """A package in figures."""
    package = section.package
    years = sorted({row["time_period"] for row in package.waves.values()})
    return {
        "package": package,
        "section": section,
        "release": site.releases[package.key][0],
        "waves": len(package.waves),
        "countries": [
            section.country(code) for code in dict.fromkeys(row["country"] for row in package.waves.values())
        ],
        "years": DASH.join(map(str, sorted({min(years), max(years)}))),
        "indicators": len(package.indicators),
        "estimates": len(package.estimates),
    }
