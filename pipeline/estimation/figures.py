"""Published figures as estimates: what their owner printed, with an approximate error where n is known.

Beside ``estimates``: checked figures come from ``harmonise``, no microdata and no design are known, and the
frame that goes to ``disclosure`` and ``comparison`` has the same columns.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from pipeline import intervals
from pipeline.arrays import Floats
from pipeline.catalogue.fieldwork import Wave
from pipeline.catalogue.model import Estimation
from pipeline.catalogue.questionnaire import Indicator
from pipeline.estimation.estimates import KEY, identified


def figures_estimates(
    figures: pd.DataFrame, wave: Wave, indicators: Mapping[str, Indicator], estimation: Estimation
) -> pd.DataFrame:
    """Estimates of a figures wave, from its checked figures.

    A share with n has the standard error of simple random sampling, sqrt(p(1-p)/(n-1)): design and
    weighting are not known, so it is approximate and flagged E. Without n there is no error.
    """
    unit = figures["indicator"].map({key: declared.unit for key, declared in indicators.items()})
    n: Floats = np.asarray(figures["n"].astype("Float64").fillna(np.nan), dtype=np.float64)
    p = figures["value"].to_numpy(dtype=float) / 100
    known = (unit == "percent").to_numpy() & (n > 1)
    with np.errstate(invalid="ignore"):
        se = np.where(known, np.sqrt(np.maximum(p * (1 - p), 0) / (n - 1)), np.nan)
    low, high = intervals.share(
        np.where(known, p, np.nan), se, n, n, n - 1, estimation.confidence, estimation.proportion_ci
    )
    frame = figures[["indicator", "category", "domain", "domain_code", "value", "note"]].assign(
        unit_measure=unit, n=figures["n"].astype("Int64"), se=se * 100,
        ci_low=np.where(known, low * 100, np.nan), ci_high=np.where(known, high * 100, np.nan), deff=np.nan,
        obs_status=np.where(known, "E", figures["obs_status"].to_numpy()),
        df=np.where(known, n - 1, np.nan), m=pd.array([pd.NA] * len(figures), dtype="Int64"),
        n_eff=np.where(known, n, np.nan), fraction=np.nan,
    )  # fmt: skip
    frame = identified({str(name): column for name, column in frame.items()}, wave, "figures")
    return frame.sort_values(KEY, kind="stable", ignore_index=True)
