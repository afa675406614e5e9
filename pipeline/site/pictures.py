"""Charts as PNG: rendered by resvg in one font that travels with the product.

The machine's own fonts are not looked at: they would make other pictures of the same chart.
"""

from __future__ import annotations

from pathlib import Path

import resvg_py

FAMILY = "Source Sans Pro"
FONTS = [str(Path(__file__).parent / "fonts" / f"SourceSansPro-{cut}.ttf") for cut in ("Regular", "Bold")]
SCALE = 1.5  # of the chart's own size: sharp on a dense screen and in a document


def draw(chart: Path) -> None:
    """Puts the picture of an SVG file beside it."""
    chart.with_suffix(".png").write_bytes(png(chart.read_text(encoding="utf-8")))


def png(svg: str) -> bytes:
    """The picture of an SVG text."""
    return resvg_py.svg_to_bytes(
        svg_string=svg, zoom=SCALE, skip_system_fonts=True, font_files=FONTS, sans_serif_family=FAMILY
    )
