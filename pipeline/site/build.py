"""Builds the site: reads the packages, makes every page in every language, copies the files to download.

Same packages, same bytes: no clock, nothing random, nothing from outside.
"""

from __future__ import annotations

import base64
import shutil
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path

from pipeline.atomic import inside
from pipeline.catalogue import Catalogue
from pipeline.site.charts import Figure
from pipeline.site.comparability import PublishedVerdicts
from pipeline.site.language import Language, Section
from pipeline.site.outputs import address_list, robots
from pipeline.site.package_reader import PackageData, read_package
from pipeline.site.page import Page, Site
from pipeline.site.pages import codebook, downloads, home, indicators, surveys, tools
from pipeline.site.pictures import draw
from pipeline.site.releases import releases, stable
from pipeline.site.render import HERE, Renderer
from pipeline.site.script_data import scripts
from pipeline.workers import in_parallel

ENGINE = ".sqljs"  # where ``make site-sql`` puts the engine of the SQL page
WASM = "sql-wasm.wasm"
Made = tuple[str, bytes, Page | None]  # a file's path and content, and the page that it shows


def build_site(
    catalogue: Catalogue, folders: Sequence[Path], target: Path, pictures: bool = True
) -> dict[str, int]:
    """Writes the site of these package folders into an empty folder; returns how many of each kind.

    ``pictures``: also as PNG, in the language of the declarations (a tenth of a second each).
    """
    site = read_site(catalogue, folders)
    renderer = Renderer(site)
    written = {"pages": 0, "charts": 0, "languages": len(site.languages)}
    listed: list[str] = []

    def write(files: Iterator[Made]) -> list[Path]:
        """Returns the charts among them."""
        charts = []
        for path, content, page in files:
            file = inside(target, path)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
            written["pages"] += path.endswith(".html")
            if path.endswith(".svg"):
                charts.append(file)
            if page and page.listed:
                listed.append(path)
        written["charts"] += len(charts)
        return charts

    first, *others = site.languages
    charts = write(_pages(first, site, renderer))
    with in_parallel(draw, charts if pictures else []) as drawn:
        write(chain(*(_pages(language, site, renderer) for language in others), _scripts(site)))
        for _ in drawn:  # wait for the last one
            pass
    (target / "sitemap.xml").write_bytes(address_list(site, listed))
    (target / "robots.txt").write_bytes(robots(site))
    shutil.copytree(HERE / "assets", target / "assets", dirs_exist_ok=True)
    if site.sql:
        _engine(catalogue.path(ENGINE), target / "assets" / "sqljs")
    for package in site.packages:
        _copy_releases(package, site, target / "data" / package.key)
    return written


def _engine(source: Path, target: Path) -> None:
    """The engine as scripts alone: a page opened from a folder cannot load a binary."""
    target.mkdir()
    shutil.copy(source / "sql-wasm.js", target)
    text = base64.b64encode((source / WASM).read_bytes()).decode("ascii")
    (target / "wasm.js").write_text(f'window.sqlWasm = "{text}";\n', encoding="ascii")


def read_site(catalogue: Catalogue, folders: Sequence[Path]) -> Site:
    """Everything there is to show; official packages first."""
    packages = sorted(
        (read_package(folder, catalogue) for folder in folders), key=lambda package: package.synthetic
    )
    languages = [Language(code, catalogue) for code in catalogue.barometer.languages]
    return Site(
        catalogue=catalogue,
        packages=packages,
        languages=languages,
        sections={
            (package.key, language.code): Section(package, language)
            for package in packages
            for language in languages
        },
        comparability={package.key: PublishedVerdicts(package) for package in packages},
        releases={package.key: releases(catalogue.root, package.key, package.folder) for package in packages},
        sql=(catalogue.path(ENGINE) / WASM).is_file(),
    )


def _pages(language: Language, site: Site, renderer: Renderer) -> Iterator[Made]:
    front = home.front(language, site)
    path = f"{language.code}/{front.path}"
    yield path, renderer.page(front, language, None, path), front
    if language is site.languages[0]:
        yield front.path, renderer.page(front, language, None, front.path), None
    for package in site.packages:
        yield from _section(site.sections[package.key, language.code], site, renderer)


def _scripts(site: Site) -> Iterator[Made]:
    for package in site.packages:
        for name, content in scripts(package, site.comparability[package.key]):
            yield f"tables/{package.key}/{name}", content, None


def _section(section: Section, site: Site, renderer: Renderer) -> Iterator[Made]:
    language, folder = section.language, f"{section.language.code}/{section.package.key}"
    other_pages = chain.from_iterable(
        module.pages(section, site) for module in (home, surveys, codebook, downloads, tools)
    )
    for page in other_pages:
        path = f"{folder}/{page.path}"
        yield path, renderer.page(page, language, section, path), page
    for page, figures in indicators.pages(section, site):
        path = f"{folder}/{page.path}"
        yield path, renderer.page(page, language, section, path), page
        for figure in figures:
            yield from _figure(figure, page, section, renderer, folder)


def _figure(figure: Figure, page: Page, section: Section, renderer: Renderer, folder: str) -> Iterator[Made]:
    """A chart by itself: in a frame, and as SVG."""
    frame = indicators.embed(figure, page.path)
    path = f"{folder}/{frame.path}"
    yield path, renderer.page(frame, section.language, section, path), frame
    yield f"{folder}/charts/{figure.key}.svg", renderer.picture(figure, section.language), None


def _copy_releases(package: PackageData, site: Site, target: Path) -> None:
    """The files of every release under their stable addresses."""
    sealed = stable(site.catalogue.root, package.key)
    if sealed.is_dir():
        shutil.copytree(sealed, target, ignore=shutil.ignore_patterns(".*"))
    for release in site.releases[package.key]:
        if not release.is_sealed:
            shutil.copytree(release.folder, target / release.subfolder, ignore=shutil.ignore_patterns(".*"))
