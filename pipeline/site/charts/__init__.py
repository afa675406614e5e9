"""Charts: where marks stand, as plain numbers; how they look belongs to ``templates/charts.svg.j2``.

Across, a place is a share of the width (0 to 100), so that a chart is as wide as its page and no text is
ever scaled; down, it is in pixels.
"""

from pipeline.site.charts.dots import DotRow, Dots, breakdown, categories
from pipeline.site.charts.figure import Block, Figure, alone
from pipeline.site.charts.scale import Scale, lines, scale_of, zoomed
from pipeline.site.charts.trend import Trend, trend

__all__ = [
    "Block",
    "DotRow",
    "Dots",
    "Figure",
    "Scale",
    "Trend",
    "alone",
    "breakdown",
    "categories",
    "lines",
    "scale_of",
    "trend",
    "zoomed",
]
