"""Renders pages to bytes: the templates, and the context that every page shares."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from pipeline.site.charts import Figure, alone
from pipeline.site.language import Language, Section
from pipeline.site.page import Page, Site
from pipeline.site.releases import SiteRelease

HERE = Path(__file__).parent
LINKED = "schema-org.jsonld"


class Renderer:
    """The templates of a site."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.environment = Environment(
            loader=FileSystemLoader(HERE / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self.environment.globals |= {"site": site, "barometer": site.catalogue.barometer}
        self.chart_css = (HERE / "assets" / "chart.css").read_text(encoding="utf-8")

    def page(self, page: Page, language: Language, section: Section | None, path: str) -> bytes:
        """One page at its path below the site's folder."""
        root = "../" * path.count("/")
        package = section.package if section else None
        inside = f"{package.key}/" if package else ""
        context: dict[str, Any] = {
            **self._language_context(language),
            "page": page,
            "path": path,
            "root": root,
            "s": section or self.site.sections[self.site.packages[0].key, language.code],
            "package": package,
            "here": f"{root}{language.code}/{inside}",
            "alternates": [(other, f"{other.code}/{inside}{page.path}") for other in self.site.languages],
            "linked": self.linked(package.key if package else self.site.packages[0].key),
            "home": self.site.catalogue.barometer.homepage.rstrip("/"),
        }
        return self._render(page.template, context | dict(page.context))

    def picture(self, figure: Figure, language: Language) -> bytes:
        """A chart as a picture of its own."""
        context = {**self._language_context(language), "figure": figure, "chart_css": Markup(self.chart_css)}
        return self._render("alone.svg.j2", context | alone(figure))

    def _language_context(self, language: Language) -> dict[str, Any]:
        return {"L": language, "t": language.strings, "n": language.numbers}

    def _render(self, template: str, context: Mapping[str, Any]) -> bytes:
        return (self.environment.get_template(template).render(context).strip() + "\n").encode()

    @cached_property
    def _linked(self) -> dict[str, Markup]:
        return {key: _json_ld(releases[0]) for key, releases in self.site.releases.items()}

    def linked(self, package: str) -> Markup:
        """The schema.org description of a package, for search engines; blank where the package has none."""
        return self._linked[package]


def _json_ld(release: SiteRelease) -> Markup:
    path = release.folder / LINKED
    if not path.is_file():
        return Markup()
    described = json.loads(path.read_text(encoding="utf-8"))
    text = json.dumps(described, ensure_ascii=False, separators=(",", ":"))
    for mark, written in (("<", "\\u003c"), (">", "\\u003e"), ("&", "\\u0026")):
        text = text.replace(mark, written)
    return Markup(text)
