"""Charts: the positions of their marks, as plain numbers; the drawing belongs to ``templates/charts.svg.j2``.

Horizontal positions are shares of the width (0 to 100), so that a chart is as wide as its page and no text is
ever scaled; vertical ones are in pixels.
"""

from pipeline.site.charts.dots import Dots, breakdown, categories
from pipeline.site.charts.figure import Figure, PanelGroup, alone
from pipeline.site.charts.scale import Scale, scale_of, zoomed
from pipeline.site.charts.trend import Trend, trend

__all__ = [
    "Dots",
    "Figure",
    "PanelGroup",
    "Scale",
    "Trend",
    "alone",
    "breakdown",
    "categories",
    "scale_of",
    "trend",
    "zoomed",
]
