"""Made-up estimates for tests: one sound cell, changed where a test needs it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd


def cell(**given: Any) -> dict[str, Any]:
    """One sound estimate of a share in the total, with whatever the test gives it."""
    sound: dict[str, Any] = {
        "wave": "dk-2020",
        "country": "DK",
        "survey": "dk",
        "edition": "2020",
        "time_period": 2019,
        "indicator": "any_innovation",
        "category": "yes",
        "domain": "total",
        "domain_code": "",
        "unit_measure": "percent",
        "source_kind": "microdata",
        "n": 400,
        "value": 40.25,
        "se": 2.345,
        "ci_low": 35.04,
        "ci_high": 44.96,
        "deff": 1.2345,
        "obs_status": "A",
        "conf_status": "F",
        "note": "",
        "df": 398.0,
        "m": 160,
        "n_eff": 380.0,
        "fraction": float("nan"),
    }
    return sound | given


def estimates(*cells: Mapping[str, Any]) -> pd.DataFrame:
    """Cells as the frame that the estimator gives: unrounded and unsuppressed."""
    return pd.DataFrame(list(cells)).astype({"n": "Int64", "m": "Int64"})
