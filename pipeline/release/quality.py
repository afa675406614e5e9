"""``quality.json``: the quality of the data in a package, in numbers that disclose no hidden value.

Compiled from published tables and declarations, and from the reports of the audit and of the weights, of
which only counts are taken. What the audit does belongs to ``disclosure``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from pipeline.catalogue import Catalogue, Design, Package, Wave

UNKNOWN = "unknown"
REASONS = {"C": "primary", "D": "secondary", "F": "quality"}


def quality(
    catalogue: Catalogue,
    package: Package,
    tables: Mapping[str, pd.DataFrame],
    audit_report: Mapping[str, Any],
    weighted: Mapping[str, Mapping[str, Any]],
    findings: Mapping[str, Sequence[str]],
) -> bytes:
    """The file's bytes. ``tables``: as published; ``audit_report``: ``Audit.report`` of this package.

    ``weighted``: the report of each microdata wave's weights. ``findings``: the checks of it that did not
    pass, by name: what they have counted stays inside.
    """
    estimates = tables["estimates"]
    waves = {
        str(wave): _wave(catalogue.waves[str(wave)], own, weighted.get(str(wave)), catalogue)
        | {"findings": list(findings.get(str(wave), ()))}
        for wave, own in estimates.groupby("wave", sort=True)
    }
    limits, reliability = catalogue.barometer.disclosure, catalogue.barometer.reliability
    report: dict[str, Any] = {
        "package": package.key,
        "version": catalogue.barometer.version,
        "rules": {
            "disclosure": vars(limits),
            "reliability": vars(reliability),
            "estimation": vars(catalogue.barometer.estimation),
        },
        "cells": _cell_counts(estimates),
        "waves": waves,
        "audit": dict(audit_report),
    }
    if guesses := catalogue.unconfirmed_of([catalogue.waves[wave] for wave in waves]):
        report["unconfirmed"] = [{"file": each.file, "line": each.line} for each in guesses]
    return (json.dumps(report, ensure_ascii=False, indent=2) + "\n").encode()


def _wave(
    wave: Wave, own: pd.DataFrame, weighted: Mapping[str, Any] | None, catalogue: Catalogue
) -> dict[str, Any]:
    """One wave: its response, weighting, design and cells, and the medians of published n and design effects.

    A fact that nobody declared is said to be unknown.
    """
    response = wave.responded(int(weighted["rows"])) if weighted and wave.is_census else wave.response
    rate = response.known_rate
    facts = {
        "population": response.population,
        "sample": response.sample,
        "respondents": response.respondents,
        "response_rate": None if rate is None else round(rate, 1),
        "mode": wave.mode or None,
        "weighting": wave.weighting.method if wave.weighting else None,
        "design": _design(wave, weighted, catalogue),
        "census": None if wave.design is None else wave.design.census,
        "panel": wave.panel,
    }
    return {
        "source_kind": wave.source.kind,
        **{name: UNKNOWN if fact is None else fact for name, fact in facts.items()},
        "median_n": _median(own["n"], 0),
        "median_deff": _median(own["deff"], 2),
        "cells": _cell_counts(own),
    }


def _design(wave: Wave, weighted: Mapping[str, Any] | None, catalogue: Catalogue) -> dict[str, Any] | None:
    """What the variance counts, and of strata with one sampling unit how many there are and what was done.

    None of published figures: their owner knows.
    """
    design = wave.design
    if design is None:
        return None
    counted: dict[str, Any] = {"stratified": bool(design.strata), "clustered": bool(design.psu)}
    if design.weights:
        counted["weights"] = _further_weights(design, weighted, catalogue)
    if design.replicate_weights:
        return counted | {"replicate_weights": design.replicate_weights.method}
    if weighted is None:
        return counted
    lonely = {name: weighted[name] for name in ("strata", "lonely_psus")}
    return counted | lonely | {"lonely_psu": catalogue.barometer.estimation.lonely_psu}


def _further_weights(
    design: Design, weighted: Mapping[str, Any] | None, catalogue: Catalogue
) -> dict[str, Any]:
    """Of each further weight the indicators that name it, and how many units have it; not of few units, whose
    number would be the n of hidden cells.
    """
    made, least = {}, catalogue.barometer.disclosure.min_n
    for name in design.weights:
        shares = {key: catalogue.share_behind(each) for key, each in catalogue.indicators.items()}
        named = [key for key, share in shares.items() if share.weight == name]
        units = weighted["weights"][name]["units"] if weighted else 0
        made[name] = {"indicators": named, "units": units if units >= least else None}
    return made


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
