"""The order of things: read the packages, make every page in every language, copy what is downloaded.

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
from pipeline.site.comparability import Comparability
from pipeline.site.language import Language, Section
from pipeline.site.outputs import address_list, robots
from pipeline.site.package_reader import PackageData, read_book
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
    """Writes the site of these package folders into an empty folder; tells how many files of a kind it has.

    ``pictures``: also as PNG, in the language of the declarations (a tenth of a second each).
    """
    site = read_site(catalogue, folders)
    renderer = Renderer(site)
    written = {"pages": 0, "charts": 0, "languages": len(site.languages)}
    listed: list[str] = []

    def write(files: Iterator[Made]) -> list[Path]:
        """Gives the charts among them."""
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
        for _ in drawn:  # until the last is
            pass
    (target / "sitemap.xml").write_bytes(address_list(site, listed))
    (target / "robots.txt").write_bytes(robots(site))
    shutil.copytree(HERE / "assets", target / "assets", dirs_exist_ok=True)
    if site.sql:
        _engine(catalogue.path(ENGINE), target / "assets" / "sqljs")
    for book in site.books:
        _copy_releases(book, site, target / "data" / book.key)
    return written


def _engine(source: Path, target: Path) -> None:
    """The engine as scripts alone: a page opened from a folder cannot load a binary."""
    target.mkdir()
    shutil.copy(source / "sql-wasm.js", target)
    text = base64.b64encode((source / WASM).read_bytes()).decode("ascii")
    (target / "wasm.js").write_text(f'window.sqlWasm = "{text}";\n', encoding="ascii")


def read_site(catalogue: Catalogue, folders: Sequence[Path]) -> Site:
    """Everything there is to show; official packages first."""
    books = sorted((read_book(folder, catalogue) for folder in folders), key=lambda book: book.synthetic)
    languages = [Language(code, catalogue) for code in catalogue.barometer.languages]
    return Site(
        catalogue=catalogue,
        books=books,
        languages=languages,
        sections={(book.key, spoken.code): Section(book, spoken) for book in books for spoken in languages},
        comparability={book.key: Comparability(book) for book in books},
        releases={book.key: releases(catalogue.root, book.key, book.folder) for book in books},
        sql=(catalogue.path(ENGINE) / WASM).is_file(),
    )


def _pages(language: Language, site: Site, renderer: Renderer) -> Iterator[Made]:
    front = home.front(language, site)
    path = f"{language.code}/{front.place}"
    yield path, renderer.page(front, language, None, path), front
    if language is site.languages[0]:
        yield front.place, renderer.page(front, language, None, front.place), None
    for book in site.books:
        yield from _section(site.sections[book.key, language.code], site, renderer)


def _scripts(site: Site) -> Iterator[Made]:
    for book in site.books:
        for name, content in scripts(book, site.comparability[book.key]):
            yield f"tables/{book.key}/{name}", content, None


def _section(section: Section, site: Site, renderer: Renderer) -> Iterator[Made]:
    language, place = section.language, f"{section.language.code}/{section.book.key}"
    others = chain.from_iterable(
        room.pages(section, site) for room in (home, surveys, codebook, downloads, tools)
    )
    for page in others:
        path = f"{place}/{page.place}"
        yield path, renderer.page(page, language, section, path), page
    for page, figures in indicators.pages(section, site):
        path = f"{place}/{page.place}"
        yield path, renderer.page(page, language, section, path), page
        for figure in figures:
            yield from _figure(figure, page, section, renderer, place)


def _figure(figure: Figure, page: Page, section: Section, renderer: Renderer, place: str) -> Iterator[Made]:
    """A chart by itself: in a frame, and as SVG."""
    frame = indicators.embed(figure, page.place)
    path = f"{place}/{frame.place}"
    yield path, renderer.page(frame, section.language, section, path), frame
    yield f"{place}/charts/{figure.key}.svg", renderer.picture(figure, section.language), None


def _copy_releases(book: PackageData, site: Site, target: Path) -> None:
    """The files of every release under their stable addresses."""
    sealed = stable(site.catalogue.root, book.key)
    if sealed.is_dir():
        shutil.copytree(sealed, target, ignore=shutil.ignore_patterns(".*"))
    for release in site.releases[book.key]:
        if not release.is_sealed:
            shutil.copytree(release.folder, target / release.place, ignore=shutil.ignore_patterns(".*"))
