"""Dot plots: a row for each category or group, in it a dot and an interval for each edition."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from pipeline.site.charts.scale import Scale, lines
from pipeline.site.package_reader import Estimate

LETTERS = 40  # of a label: fits beside its value on the narrowest screen
LINE, STEP, GAP, TOP = 17, 11, 14, 40  # pixels: a line of text, an edition, between rows, the head
DROP = 4  # pixels from a label to its first mark: the letters that reach below the line end above it


@dataclass(frozen=True)
class Mark:
    """One estimate: its position, its interval, and its age (0 is the newest edition)."""

    y: float
    x: float
    low: float | None
    high: float | None
    age: int


@dataclass(frozen=True)
class DotRow:
    """A row: the label in lines, the written value, and its marks."""

    y: float
    label: list[str]
    text: str
    marks: list[Mark]


@dataclass(frozen=True)
class Dots:
    """A panel of rows on one axis; ``legend`` names the editions, newest first; ``whole`` is the total."""

    title: str
    ticks: list[tuple[float, str]]
    rows: list[DotRow]
    height: float
    legend: list[str] = field(default_factory=list)
    whole: tuple[float, float | None, float | None, str] | None = None
    alt_text: str = ""


def categories(
    title: str,
    rows: Sequence[tuple[str, str, Sequence[Estimate | None]]],
    legend: list[str],
    scale: Scale,
    ticks: list[str],
) -> Dots:
    """A panel of one survey: each row has a category with its label, value and estimates, newest first."""
    return _dots(title, rows, legend, scale, ticks)


def breakdown(
    title: str,
    rows: Sequence[tuple[str, str, Sequence[Estimate | None]]],
    whole: tuple[Estimate, str],
    scale: Scale,
    ticks: list[str],
) -> Dots:
    """A panel of one breakdown: its groups, and a line for the total."""
    cell, text = whole
    made = _dots(title, rows, [], scale, ticks)
    if cell.value is None:
        return made
    ends = (None if end is None else scale.across(end) for end in (cell.ci_low, cell.ci_high))
    low, high = ends
    return Dots(
        made.title,
        made.ticks,
        made.rows,
        made.height,
        whole=(scale.across(cell.value), low, high, text),
        alt_text=made.alt_text,
    )


def _dots(
    title: str,
    rows: Sequence[tuple[str, str, Sequence[Estimate | None]]],
    legend: list[str],
    scale: Scale,
    ticks: list[str],
) -> Dots:
    y, made = float(TOP if len(legend) < 2 else TOP + 20), []
    for label, text, cells in rows:
        wrapped = lines(label, LETTERS)
        start = y + LINE * len(wrapped) + DROP
        marks = list(_marks(cells, start, scale))
        made.append(DotRow(y, wrapped, text, marks))
        y = start + STEP * max(len(cells), 1) + GAP
    named = [(scale.across(value), word) for value, word in zip(scale.ticks, ticks, strict=True)]
    alt_text = "; ".join(f"{label}: {text}" for label, text, _ in rows)
    return Dots(title, named, made, y, legend, alt_text=alt_text)


def _marks(cells: Iterable[Estimate | None], start: float, scale: Scale) -> Iterable[Mark]:
    for age, cell in enumerate(cells):
        if cell is not None and cell.value is not None:
            low, high = (None if end is None else scale.across(end) for end in (cell.ci_low, cell.ci_high))
            yield Mark(start + STEP * age - 2, scale.across(cell.value), low, high, age)
