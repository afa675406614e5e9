"""What a published row discloses of its value: the rounding of the value, cut by the row's other numbers.

The standard error, the limits and the design effect are rounded too, but all are made of one value. With g
the log odds or the identity, as the table ``METHODS`` of ``intervals`` says of the declared method, the
limits are g(value) -+ t se g'(value); limits of another form are left out. The design effect of a share p is
se^2 (n - 1) / (p (1 - p)) (``estimation.estimates``). The rounding of the value is divided into pieces, and
pieces at its ends that another number contradicts are cut off. That is interval arithmetic: no value is lost
that could be the true one. The quantile t is not published, but all measures of a base in a cell have the
same (without replicate weights): it is known as well as the sharpest of their rows tells it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import special

from pipeline.arrays import Flags, Floats
from pipeline.catalogue.model import Catalogue
from pipeline.disclosure.linkage import base_indicator
from pipeline.disclosure.published import MEASURES, decimals_of, printed_decimals
from pipeline.intervals import METHODS

PIECES = 32  # of a rounding: what is left of it is at most two of these too wide
OUTWARD = 1e-6  # of a rounding: more than ``half_up`` takes for a half
Range = tuple[Floats, Floats]


def value_bounds(published: pd.DataFrame, catalogue: Catalogue) -> Range:
    """The least and the largest that the unrounded value of each row can be; NaN where none is shown.

    ``published``: rows of one wave, with all measures or (from other tables) just values. Where the numbers
    of a row contradict each other, the rounding of its value is left.
    """
    low, high = rounded(published, "value", catalogue)
    rows = np.flatnonzero(np.isfinite(low))
    if len(rows) and set(MEASURES) <= set(published.columns):
        own = published.iloc[rows]
        made = _bounded_rows(own, catalogue)
        least, most = made.cut(_quantiles(made, own, catalogue))
        low[rows], high[rows] = np.maximum(low[rows], least), np.minimum(high[rows], most)
    return low, high


def rounded(published: pd.DataFrame, name: str, catalogue: Catalogue) -> Range:
    """Between which numbers its rounding leaves a column: as declared or, where finer, as printed."""
    number = published[name].to_numpy(dtype=float, na_value=np.nan)
    half = 0.5 * 10.0 ** -np.maximum(
        decimals_of(published, catalogue, name), printed_decimals(published, name)
    )
    return number - half, number + half


@dataclass(frozen=True)
class _BoundedRows:
    """What is published of each row, as ranges of rows x 1; shares and their errors from 0 to 1.

    ``odds``: its limits are an interval of the log odds. ``binomial``: p (1 - p), by the design effect.
    """

    share: Flags
    odds: Flags
    value: Range
    se: Range
    low: Range
    high: Range
    binomial: Range

    def cut(self, t: Range) -> Range:
        """What is left of the rounding of every value, in its unit; ``t``: the range of the quantile."""
        first, last = self.value
        edges = first + (last - first) * np.linspace(0.0, 1.0, PIECES + 1)
        held = self._held(edges[:, :-1], edges[:, 1:], t)
        held |= ~held.any(axis=1, keepdims=True)
        row, scale = np.arange(len(held)), np.where(self.share, 100.0, 1.0)[:, 0]
        low, high = held.argmax(axis=1), PIECES - held[:, ::-1].argmax(axis=1)
        return edges[row, low] * scale, edges[row, high] * scale

    def _held(self, a: Floats, b: Floats, t: Range) -> Flags:
        """The pieces, from a to b, that nothing contradicts. Comparisons with NaN contradict nothing."""
        (low0, low1), (high0, high1) = self.limits
        least, most = _binomial(a, b)
        with np.errstate(divide="ignore", invalid="ignore"):
            near = t[0] * self.se[0] * np.where(self.odds, 1 / most, 1.0)
            far = t[1] * self.se[1] * np.where(self.odds, 1 / least, 1.0)
            a_, b_ = self.link(a), self.link(b)
            out = (b_ - near < low0) | (a_ - far > low1) | (b_ + far < high0) | (a_ + near > high1)
            out |= (2 * b_ < low0 + high0) | (2 * a_ > low1 + high1)
        out |= (most < self.binomial[0]) | (least > self.binomial[1])
        ends = self.share & ((a <= 0) | (b >= 1)) & (self.se[0] <= 0)  # another interval, and no error
        return ~out | ends

    @property
    def limits(self) -> tuple[Range, Range]:
        """Both limits on the scale of ``link``."""
        low, high = ((self.link(least), self.link(most)) for least, most in (self.low, self.high))
        return low, high

    def link(self, x: Floats) -> Floats:
        """g; infinite at the ends of a share, where Wald limits are cut."""
        with np.errstate(divide="ignore"):
            odds = special.logit(np.clip(x, 0.0, 1.0))
        return np.where(self.odds | (self.share & np.isinf(odds)), odds, x)


def _binomial(a: Floats, b: Floats) -> Range:
    """The least and largest p (1 - p) for p from a to b."""
    at_a, at_b = a * (1 - a), b * (1 - b)
    return np.minimum(at_a, at_b), np.where((a < 0.5) & (b > 0.5), 0.25, np.maximum(at_a, at_b))


def _bounded_rows(rows: pd.DataFrame, catalogue: Catalogue) -> _BoundedRows:
    scale = METHODS[catalogue.barometer.estimation.proportion_ci].scale
    share = (rows["unit_measure"] == "percent").to_numpy(dtype=bool)[:, None]

    def column(name: str, scale: float = 100.0) -> Range:
        low, high = (each[:, None] for each in rounded(rows, name, catalogue))
        more, scales = OUTWARD * (high - low), np.where(share, scale, 1.0)
        return (low - more) / scales, (high + more) / scales

    (first, last), se, deff = column("value"), column("se"), column("deff", 1.0)
    se = np.maximum(se[0], 0.0), se[1]
    n = rows["n"].to_numpy(dtype=float, na_value=np.nan)[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        disclosed = [
            np.where(share, error**2 * (n - 1) / np.maximum(effect, 0.0), np.nan)
            for error, effect in zip(se, deff[::-1], strict=True)
        ]
    limits = [column(name) for name in ("ci_low", "ci_high")]
    if scale is None:
        limits = [(np.where(share, np.nan, a), np.where(share, np.nan, b)) for a, b in limits]
    value = np.where(share, np.clip(first, 0.0, 1.0), first), np.where(share, np.clip(last, 0.0, 1.0), last)
    return _BoundedRows(
        share, share & (scale == "log odds"), value, se, limits[0], limits[1], (disclosed[0], disclosed[1])
    )


def _quantiles(own: _BoundedRows, rows: pd.DataFrame, catalogue: Catalogue) -> Range:
    """Between which numbers t lies; from 0 to infinity where the rows that share it contradict each other."""
    (low0, low1), (high0, high1) = own.limits
    least, most = _binomial(*own.value)
    with np.errstate(divide="ignore", invalid="ignore"):
        first = (high0 - low1) / 2 / (own.se[1] * np.where(own.odds, 1 / least, 1.0))
        last = (high1 - low0) / 2 / (own.se[0] * np.where(own.odds, 1 / most, 1.0))
    end = own.share & ((own.value[0] <= 0) | (own.value[1] >= 1)) & (own.se[0] <= 0)
    behind = {key: catalogue.indicators[base_indicator(key, catalogue)] for key in rows["indicator"].unique()}
    bases = {key: f"{share.base} {share.weight}" for key, share in behind.items()}  # who was asked
    wave = catalogue.waves.get(str(rows["wave"].iloc[0]))
    shared = wave is not None and wave.design is not None and wave.design.replicate_weights is None
    measure = rows["indicator"].map(bases) if shared else rows["indicator"] + " " + rows["category"]
    by = [each.to_numpy() for each in (measure, rows["domain"], rows["domain_code"])]
    first, last = np.where(end, np.nan, first), np.where(end, np.nan, last)
    disclosed = pd.DataFrame({"first": first[:, 0], "last": last[:, 0]}).groupby(by)
    normal = special.ndtri(0.5 + catalogue.barometer.estimation.confidence / 2)
    low = disclosed["first"].transform("max").fillna(0.0).clip(lower=normal).to_numpy()[:, None]
    high = disclosed["last"].transform("min").fillna(np.inf).to_numpy()[:, None]
    return np.where(low <= high, low, 0.0), np.where(low <= high, high, np.inf)
