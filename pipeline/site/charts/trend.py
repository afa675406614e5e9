"""One series over time: a dot and its interval for each edition, joined only where nothing breaks it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from pipeline.site.charts.scale import Scale
from pipeline.site.comparability import PairVerdict
from pipeline.site.package_reader import Estimate

TOP, BOTTOM, HEIGHT = 22, 138, 164  # pixels: the plot, and below it the editions
LEFT, RIGHT = 14.0, 92.0  # per cent: room for the names of the axis


@dataclass(frozen=True)
class Point:
    """One estimate; without a value, the position of one that is hidden or missing."""

    x: float
    label: str
    text: str
    y: float | None = None
    low: float | None = None
    high: float | None = None
    flag: str = ""


@dataclass(frozen=True)
class Trend:
    """A panel: points, the lines that join them, and where the series breaks."""

    title: str
    ticks: list[tuple[float, str]]
    points: list[Point]
    joins: list[tuple[float, float, float, float]] = field(default_factory=list)
    breaks: list[float] = field(default_factory=list)
    alt_text: str = ""
    height: float = HEIGHT


def trend(
    title: str,
    cells: Sequence[tuple[float, str, str, str, Estimate | None]],
    between: Sequence[PairVerdict | None],
    years: tuple[float, float],
    scale: Scale,
    ticks: list[str],
) -> Trend:
    """The panel of one survey. ``cells``: time, edition, written value and interval, and the estimate itself.

    ``between`` has the verdict where a line must break, None where it may go on.
    """
    points = [_point(time, edition, text, cell, years, scale) for time, edition, text, _, cell in cells]
    joins, breaks = [], []
    for left, right, broken in zip(points, points[1:], between, strict=False):
        if broken is not None:
            breaks += [] if broken.verdict == "unknown" else [round((left.x + right.x) / 2, 2)]
        elif left.y is not None and right.y is not None:
            joins.append((left.x, left.y, right.x, right.y))
    named = [(_down(value, scale), text) for value, text in zip(scale.ticks, ticks, strict=True)]
    alt_text = "; ".join(f"{label} {text} {interval}".strip() for _, label, text, interval, _ in cells)
    return Trend(title, named, points, joins, breaks, alt_text)


def _point(
    time: float, label: str, text: str, cell: Estimate | None, years: tuple[float, float], scale: Scale
) -> Point:
    first, last = years
    x = round(LEFT + (RIGHT - LEFT) * (time - first) / (last - first), 2) if last > first else 50.0
    if cell is None or cell.value is None:
        return Point(x, label, text)
    low, high = (None if end is None else _down(end, scale) for end in (cell.ci_low, cell.ci_high))
    return Point(x, label, text, _down(cell.value, scale), low, high, cell.flag)


def _down(value: float, scale: Scale) -> float:
    return round(BOTTOM - (BOTTOM - TOP) * scale.share(value), 1)
