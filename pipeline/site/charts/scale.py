"""Axes: from values to positions, and the values at their ticks."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterable
from dataclasses import dataclass

from pipeline.site.package_reader import Estimate


@dataclass(frozen=True)
class Scale:
    """A straight axis from 0, or below, to ``high``; ``ticks`` are the values that it shows."""

    low: float
    high: float
    ticks: tuple[float, ...]

    def share(self, value: float) -> float:
        """The position of a value: 0 at the start of the axis, 1 at its end."""
        return min(max((value - self.low) / (self.high - self.low), 0.0), 1.0)

    def across(self, value: float) -> float:
        """The horizontal position of a value, in per cent of the width, a little inside both edges."""
        return round(1 + 98 * self.share(value), 2)


def scale_of(cells: Iterable[Estimate]) -> Scale:
    """The axis that these estimates need, from 0 to a round number above them; shares end at 100."""
    shown = [cell for cell in cells if cell.value is not None]
    ends = [end for cell in shown for end in (cell.value, cell.ci_low, cell.ci_high) if end is not None]
    if all(cell.unit_measure == "percent" for cell in shown):
        high = next(end for end in (20, 40, 60, 80, math.inf) if end >= max(ends, default=100.0))
        return Scale(0, min(high, 100), tuple(min(high, 100) * part / 4 for part in range(5)))
    step = _step(max(map(abs, ends), default=1.0) / 4)
    low = step * min(math.floor(min(ends, default=0.0) / step), 0)
    high = step * max(math.ceil(max(ends, default=1.0) / step), 1)
    return Scale(low, high, tuple(low + step * i for i in range(round((high - low) / step) + 1)))


def zoomed(cells: Iterable[Estimate]) -> Scale:
    """The axis of a series over time: of shares, only as much of 0 to 100 as they need: dots need no zero.

    It spans 40, 60, 80 or 100 points, so that its middle is a round number too.
    """
    shown = [cell for cell in cells if cell.value is not None]
    if any(cell.unit_measure != "percent" for cell in shown):
        return scale_of(shown)
    ends = [end for cell in shown for end in (cell.value, cell.ci_low, cell.ci_high) if end is not None]
    low, high = 10 * math.floor(min(ends, default=0.0) / 10), 10 * math.ceil(max(ends, default=100.0) / 10)
    span = next((wide for wide in (40, 60, 80) if wide >= high - low), 100)
    low = min(max(10 * math.floor((high + low - span) / 20), 0), 100 - span)
    return Scale(low, low + span, tuple(low + span * part / 4 for part in range(5)))


def _step(rough: float) -> float:
    power = 10.0 ** math.floor(math.log10(rough or 1.0))
    return next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough - 1e-12)


def lines(text: str, width: int) -> list[str]:
    """A text in lines of at most so many characters, as a picture cannot wrap."""
    return textwrap.wrap(text, width) or [""]
