"""``quality.json``: the quality of the data in a package, in numbers that disclose no hidden value.

Compiled from published tables and declarations, and from the audit's report, which holds counts only.
What the audit does belongs to ``disclosure``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pandas as pd

from pipeline.catalogue import Catalogue, Package, Wave

REASONS = {"C": "primary", "D": "secondary", "F": "quality"}


def quality(
    catalogue: Catalogue,
    package: Package,
    tables: Mapping[str, pd.DataFrame],
    audit_report: Mapping[str, Any],
) -> bytes:
    """The file's bytes. ``tables``: as published; ``audit_report``: ``Audit.report`` of this package."""
    estimates = tables["estimates"]
    waves = {
        str(wave): _wave(catalogue.waves[str(wave)], own)
        for wave, own in estimates.groupby("wave", sort=True)
    }
    limits, reliability = catalogue.barometer.disclosure, catalogue.barometer.reliability
    report = {
        "package": package.key,
        "version": catalogue.barometer.version,
        "rules": {"disclosure": vars(limits), "reliability": vars(reliability)},
        "cells": _cell_counts(estimates),
        "waves": waves,
        "audit": dict(audit_report),
    }
    return (json.dumps(report, ensure_ascii=False, indent=2) + "\n").encode()


def _wave(wave: Wave, own: pd.DataFrame) -> dict[str, Any]:
    """One wave: its response, its cells, and the medians of the published n and design effects."""
    response, rate = wave.response, wave.response.known_rate
    return {
        "source_kind": wave.source.kind,
        "weighting": wave.weighting.method if wave.weighting else None,
        "census": None if wave.design is None else wave.design.census,
        "population": response.population,
        "respondents": response.respondents,
        "sample": response.sample,
        "response_rate": None if rate is None else round(rate, 1),
        "median_n": _median(own["n"], 0),
        "median_deff": _median(own["deff"], 2),
        "cells": _cell_counts(own),
    }


def _cell_counts(estimates: pd.DataFrame) -> dict[str, Any]:
    """The number of cells published, flagged and suppressed, the last by reason."""
    suppressed = estimates[estimates["obs_status"] == "Q"]
    return {
        "all": len(estimates),
        "published": int(estimates["value"].notna().sum()),
        "low_reliability": int((estimates["obs_status"] == "U").sum()),
        "suppressed": {
            name: int((suppressed["conf_status"] == code).sum()) for code, name in REASONS.items()
        },
    }


def _median(numbers: pd.Series[Any], decimals: int) -> float | None:
    known = numbers.dropna().astype(float)
    return round(float(known.median()), decimals) if len(known) else None
