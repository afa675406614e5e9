"""A whole chart: its texts, its panels in groups, and its layout as a picture of its own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from pipeline.site.charts.dots import Dots
from pipeline.site.charts.scale import lines
from pipeline.site.charts.trend import Trend

Panel = Trend | Dots
WIDTH, COLUMNS, EDGE = 720, 3, 24  # pixels, panels abreast, pixels
GUTTER = 22
TITLE, TEXT, BESIDE, LINE = 66, 104, 64, 17  # letters to a line of title, text, text beside a panel; pixels


@dataclass(frozen=True)
class PanelGroup:
    """Panels that may be read against each other; ``heading`` and ``note`` say why they are apart."""

    panels: list[Panel]
    heading: str = ""
    note: str = ""


@dataclass(frozen=True)
class Figure:
    """A chart. ``key`` names its files; ``survey`` is blank where it shows them all."""

    key: str
    title: str
    subtitle: str
    blocks: list[PanelGroup]
    source: str
    warning: str = ""
    survey: str = ""
    notes: list[str] = field(default_factory=list)

    @property
    def marks(self) -> int:
        """How many estimates it draws."""
        panels = [panel for block in self.blocks for panel in block.panels]
        return sum(
            len(panel.points) if isinstance(panel, Trend) else sum(len(row.marks) for row in panel.rows)
            for panel in panels
        )

    @property
    def apart(self) -> bool:
        """Whether it must not be set beside the chart before it."""
        return bool(self.survey and self.blocks[0].note)

    @property
    def alt_text(self) -> str:
        """All its numbers as text, for readers who cannot see the chart."""
        return ". ".join(
            f"{panel.title}: {panel.alt_text}" for block in self.blocks for panel in block.panels
        )


def alone(figure: Figure) -> dict[str, Any]:
    """The layout of a chart as a picture of its own: height, texts and panels, in pixels."""
    texts: list[tuple[str, float, str]] = []
    panels: list[tuple[float, float, float, Panel]] = []
    y = 34.0
    for text, kind, width in _head(figure):
        for line in lines(text, width):
            texts.append((kind, y, line))
            y += 24 if kind == "title" else LINE
        y += 6
    for block in figure.blocks:
        if block.heading:
            texts.append(("heading", y + 10, block.heading))
            y += LINE + 8
        if isinstance(block.panels[0], Trend):
            for at, line in enumerate(lines(block.note, BESIDE)):
                texts.append((f"note {EDGE + WIDTH / COLUMNS}", y + 52 + LINE * at, line))
        else:
            for line in lines(block.note, TEXT) if block.note else ():
                texts.append(("note", y + 4, line))
                y += LINE
        for row in _side_by_side(block.panels):
            for x, wide, panel in row:
                texts.append((f"panel {x}", y + 14, panel.title))
                panels.append((x, y + 20, wide, panel))
            y += 34 + max(panel.height for _, _, panel in row)
    for text in (*figure.notes, figure.source):
        for line in lines(text, TEXT):
            texts.append(("note", y + 8, line))
            y += LINE
    return {"texts": texts, "panels": panels, "height": round(y + 16), "width": WIDTH, "edge": EDGE}


def _head(figure: Figure) -> Iterator[tuple[str, str, int]]:
    yield figure.title, "title", TITLE
    if figure.subtitle:
        yield figure.subtitle, "note", TEXT
    if figure.warning:
        yield figure.warning, "warning", TEXT - 12


def _side_by_side(panels: list[Panel]) -> Iterator[list[tuple[float, float, Panel]]]:
    """Small panels stand abreast, those with rows have the whole width."""
    columns = COLUMNS if all(isinstance(panel, Trend) for panel in panels) else 1
    width = (WIDTH - 2 * EDGE - GUTTER * (columns - 1)) / columns
    for at in range(0, len(panels), columns):
        row = panels[at : at + columns]
        yield [(round(EDGE + i * (width + GUTTER), 1), round(width, 1), panel) for i, panel in enumerate(row)]
