"""The primary rules: what of an estimate is hidden, left out or flagged for its own sake.

A rule decides for a whole answer distribution (an indicator in a domain cell of a wave), never for one
category: the categories of a choice sum to 100, so a lone hidden one is no secret. The weighted count
behind a share belongs to the distribution of that share. What is hidden for the sake of another cell
belongs to ``secondary``.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from pipeline.catalogue.model import Catalogue
from pipeline.disclosure.linkage import base_indicator

CELL = ["domain", "domain_code"]
DISTRIBUTION = ["wave", "base_indicator", *CELL]
PRIMARY, SECONDARY, UNPUBLISHED, FLAGGED, NORMAL, NONE = "C", "D", "unpublished", "U", "A", "none"
HIDDEN = (PRIMARY, SECONDARY)


def with_base_indicators(estimates: pd.DataFrame, catalogue: Catalogue) -> pd.DataFrame:
    """The estimates with the ``base_indicator`` that names their distribution, rows numbered afresh."""
    frame = estimates.reset_index(drop=True)
    base_indicators = {key: base_indicator(key, catalogue) for key in frame["indicator"].unique()}
    return frame.assign(base_indicator=frame["indicator"].map(base_indicators))


def live_rows(estimates: pd.DataFrame) -> pd.Series[bool]:
    """The rows that the rules decide of: estimated from microdata, from at least one answer."""
    return (estimates["source_kind"] == "microdata") & (estimates["obs_status"] != "M")


def verdicts(live: pd.DataFrame, catalogue: Catalogue) -> pd.DataFrame:
    """One row a distribution, indexed by ``DISTRIBUTION``: its smallest ``n`` and its ``verdict``.

    With a column ``scope``, that belongs to the index too.

    ``live``: microdata estimates that have an answer, with their base indicator. A distribution is
    - PRIMARY where n < min_n, or a numerator or complement is below min_group while more than
      max_fraction of the domain has answered; where that share is not known, that of the whole wave
      stands in, and where neither is, the rule is not applied;
    - UNPUBLISHED where n < unpublish_n or an interval is unpublish_ci_width wide;
    - FLAGGED where n < flag_n, or an interval is flag_ci_width wide or not known; else NORMAL.
    """
    limits, quality = catalogue.barometer.disclosure, catalogue.barometer.reliability
    n, m = live["n"].astype(float), live["m"].astype(float)
    percent = live["unit_measure"] == "percent"
    width = live["ci_high"] - live["ci_low"]
    fraction = live["fraction"].astype(float).fillna(live["wave"].map(wave_fractions(catalogue)))
    key = [*DISTRIBUTION, *(name for name in ("scope",) if name in live)]
    facts = live[key].assign(
        n=n,
        width=width.where(percent),
        vague=percent & width.isna(),
        exposed=exposed(n, m, fraction, catalogue),
    )
    by_cell = facts.groupby(key, sort=True)
    cells = by_cell.agg(
        n=("n", "min"), width=("width", "max"), vague=("vague", "any"), exposed=("exposed", "any")
    )
    hidden = (cells["n"] < limits.min_n) | cells["exposed"]
    unpublished = (cells["n"] < quality.unpublish_n) | (cells["width"] >= quality.unpublish_ci_width)
    flagged = (cells["n"] < quality.flag_n) | (cells["width"] >= quality.flag_ci_width) | cells["vague"]
    verdict = flagged.map({True: FLAGGED, False: NORMAL})
    return cells[["n"]].assign(verdict=verdict.mask(unpublished, UNPUBLISHED).mask(hidden, PRIMARY))


def exposed(n: Any, m: Any, fraction: Any, catalogue: Catalogue) -> Any:
    """Where a numerator or its complement is a small group, and most of the domain has answered."""
    limits = catalogue.barometer.disclosure
    return (np.minimum(m, n - m) < limits.min_group) & (fraction > limits.max_fraction)


def with_none(verdicts: pd.DataFrame, frame: pd.DataFrame) -> pd.DataFrame:
    """The verdicts, and NONE for every distribution that nobody answered in a cell, but some elsewhere.

    ``frame``: estimates with their base indicator. An n of none is published, unless it would disclose a
    hidden cell.
    """
    empty = frame[answered_measures(frame) & ~live_rows(frame)]
    places = pd.MultiIndex.from_frame(empty[DISTRIBUTION].drop_duplicates())
    none = places[~places.isin(verdicts.index)]
    return pd.concat([verdicts, pd.DataFrame({"n": 0.0, "verdict": NONE}, index=none)]).sort_index()


def answered_measures(frame: pd.DataFrame) -> pd.Series[bool]:
    """The microdata rows of a measure that somebody answered in the wave."""
    measure = [frame[name] for name in ("wave", "indicator", "category")]
    return live_rows(frame).groupby(measure).transform("any") & (frame["source_kind"] == "microdata")


def wave_fractions(catalogue: Catalogue) -> dict[str, float]:
    """The share of each wave's population that has answered, where both are declared; of a census all."""
    waves = catalogue.waves.values()
    return {
        wave.key: wave.response.respondents / wave.response.population
        for wave in waves
        if wave.response.respondents and wave.response.population
    } | {wave.key: 1.0 for wave in waves if wave.is_census}
