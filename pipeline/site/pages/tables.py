"""Tables of estimates, as written cells: what a value, its interval, n and flag look like to a reader."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from pipeline.site.language import Section
from pipeline.site.numbers import DASH
from pipeline.site.package_reader import Estimate

FLAGS = ("U", "E", "B", "QC", "QD", "QF", "M")  # in the order that a reader meets them explained
MOST_CELLS, MOST_ROWS, MOST_MARKS, MOST_WAVES = 1100, 220, 160, 16  # of one page: they keep it below 200 kB
FRAME = 12  # what stands around a chart or table weighs as much as so many marks or cells


class WrittenCell(NamedTuple):
    """One estimate in the language of a page; ``value`` is ``:`` where it is hidden or missing."""

    value: str
    interval: str
    n: str
    flag: str
    note: str = ""


NOTHING = WrittenCell("", "", "", "")


class Table(NamedTuple):
    """A breakdown: its groups across; ``rows`` have a heading and a written cell a group."""

    caption: str
    head: list[str]
    rows: list[tuple[str, list[WrittenCell]]]
    sizes: list[str]


def write(section: Section, cell: Estimate | None) -> WrittenCell:
    """A cell as a reader sees it; blank where the package has none."""
    if cell is None:
        return NOTHING
    numbers = section.language.numbers
    value = ":" if cell.value is None else numbers.value(cell)
    return WrittenCell(value, numbers.interval(cell), numbers.count(cell.n), cell.flag, cell.note)


def flags(cells: Iterable[Estimate | None]) -> list[str]:
    """The flags that these cells bear, to be explained below their table."""
    found = {cell.flag for cell in cells if cell}
    return [flag for flag in FLAGS if flag in found]


def one_category(section: Section, indicator: str, survey: str) -> Iterator[Table]:
    """The breakdowns of an indicator with one category: groups down, editions across."""
    package, category = section.package, section.package.categories[indicator][0]
    waves = [wave for wave in package.surveys[survey] if (indicator, wave) in package.cells]
    for domain in package.one_way:
        rows = []
        shown = [wave for wave in waves if any(key[0] == domain for key in package.cells[indicator, wave])]
        for code in package.domains[domain]["codes"]:
            cells = [package.cells[indicator, wave].get((domain, code, category)) for wave in shown]
            if any(cells):
                rows.append((section.cell(domain, code), [write(section, cell) for cell in cells]))
        if rows:
            yield Table(section.domain(domain), [package.waves[wave]["edition"] for wave in shown], rows, [])


def several_categories(section: Section, indicator: str, wave: str) -> Iterator[Table]:
    """The breakdowns of an indicator with several categories in one wave: categories down, groups across."""
    package, cells = section.package, section.package.cells.get((indicator, wave), {})
    present = {key[:2] for key in cells}
    for domain in package.one_way:
        codes = [code for code in package.domains[domain]["codes"] if (domain, code) in present]
        rows = [
            (
                section.category(indicator, category),
                [write(section, cells.get((domain, code, category))) for code in codes],
            )
            for category in package.categories[indicator]
        ]
        if codes:
            sizes = [
                _sizes(section, [cells.get((domain, code, each)) for each in package.categories[indicator]])
                for code in codes
            ]
            yield Table(section.domain(domain), [section.cell(domain, code) for code in codes], rows, sizes)


def _sizes(section: Section, cells: Sequence[Estimate | None]) -> str:
    """The number of answers behind a group; a span where categories differ."""
    sizes = {cell.n for cell in cells if cell and cell.n is not None}
    ends = sorted({min(sizes), max(sizes)}) if sizes else []
    return DASH.join(map(section.language.numbers.count, ends))


def within_budget(
    tables: Iterable[tuple[str, list[Table]]],
) -> tuple[list[tuple[str, list[Table]]], list[str]]:
    """The breakdowns that fit on a page, and the names of those that do not."""
    fit, left_out, spent = [], [], 0
    for name, made in tables:
        cells = sum(2 * FRAME + sum(2 + len(row[1]) for row in table.rows) for table in made)
        if made and spent + cells <= MOST_CELLS:
            fit.append((name, made))
            spent += cells
        elif made:
            left_out.append(name)
    return fit, left_out
