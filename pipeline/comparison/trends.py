"""Trends over the editions of a survey: the yearly change, with a new level after every break."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import numpy as np
import pandas as pd

from pipeline.catalogue import Catalogue, Wave
from pipeline.comparison.facts import WaveFacts
from pipeline.comparison.significance import adjusted_within, slope, t_test
from pipeline.comparison.verdicts import Pair
from pipeline.contracts import columns, primary_key

DAYS = 365.25
TREND_KEY = primary_key("trends")
COLUMNS = [*columns("trends"), "waves"]


def trends(estimates: pd.DataFrame, catalogue: Catalogue) -> pd.DataFrame:
    """The yearly change of every series of the total: ``COLUMNS`` by ``TREND_KEY``.

    ``estimates``: of every wave, with ``df``; as they were estimated, or as they are published. Editions
    are placed at the end of their reference periods. A rule that breaks the series, or forbids the
    comparison, starts a new level, and so does a value that would have to be narrowed to be compared; a
    series of single editions has no trend.
    """
    estimated = set(estimates["wave"].unique())
    series = editions([wave for key, wave in catalogue.waves.items() if key in estimated])
    there = (estimates["domain"] == catalogue.total.key) & (estimates["se"] > 0)
    found = estimates[there & estimates["value"].notna()].groupby("wave")
    frames = {str(wave): frame for wave, frame in found}
    known = WaveFacts(catalogue)
    made = [
        frame for waves in series.values() if len(frame := _survey_trends(waves, frames, known, catalogue))
    ]
    frame = pd.concat(made, ignore_index=True) if made else pd.DataFrame(columns=COLUMNS)
    return with_adjusted(frame)[COLUMNS].sort_values(TREND_KEY, kind="stable", ignore_index=True)


def with_adjusted(frame: pd.DataFrame) -> pd.DataFrame:
    """Adds ``p_adjusted``: over the trends of one indicator among surveys of one status."""
    return frame.assign(p_adjusted=adjusted_within(frame["p_value"], frame["status"], frame["indicator"]))


def editions(waves: list[Wave]) -> dict[tuple[str, str], list[Wave]]:
    """The waves of each survey and status with more than one edition, in order of time."""
    found: dict[tuple[str, str], list[Wave]] = {}
    for wave in sorted(waves, key=lambda each: (each.reference_period.end, each.key)):
        found.setdefault((wave.survey, wave.status), []).append(wave)
    return {key: several for key, several in found.items() if len(several) > 1}


def _survey_trends(
    waves: list[Wave], frames: Mapping[str, pd.DataFrame], known: WaveFacts, catalogue: Catalogue
) -> pd.DataFrame:
    steps = {(a.key, b.key): Pair(b, a, known) for a, b in pairwise(waves)}
    points: dict[tuple[str, str, str], dict[str, tuple[float, float, float]]] = {}
    for wave in waves:
        if wave.key not in frames:
            continue
        frame = frames[wave.key]
        keys = zip(frame["indicator"], frame["category"], frame["unit_measure"], strict=True)
        numbers = frame[["value", "se", "df"]].itertuples(index=False, name=None)
        for key, point in zip(keys, numbers, strict=True):
            points.setdefault(key, {})[wave.key] = point
    rows = [
        row
        for (indicator, category, unit), found in points.items()
        if (row := _trend_row(waves, found, indicator, category, steps, known))
        and (row := row | {"unit_measure": unit})
    ]
    frame = pd.DataFrame(rows)
    if frame.empty:
        return frame
    parts = [frame[name].to_numpy(dtype=np.float64) for name in ("change_per_year", "se", "df")]
    made = t_test(parts[0], parts[1], parts[2], catalogue.barometer.estimation.confidence)
    return frame.assign(
        survey=waves[0].survey, status=waves[0].status, ci_low=made.low, ci_high=made.high, p_value=made.p
    )


def _trend_row(
    waves: list[Wave],
    found: dict[str, tuple[float, float, float]],
    indicator: str,
    category: str,
    steps: dict[tuple[str, str], Pair],
    known: WaveFacts,
) -> dict[str, object]:
    """One series; empty where it has no two editions between breaks."""
    there = [wave for wave in waves if wave.key in found]
    segment = [0]
    for before, wave in pairwise(there):
        pair = steps.get((before.key, wave.key)) or Pair(wave, before, known)
        judged = pair.judge(indicator, category)
        apart = judged.breaks or judged.verdict == "not_comparable" or bool(pair.used(indicator))
        segment.append(segment[-1] + apart)
    values, se, df = (
        np.array([found[wave.key][part] for wave in there], dtype=np.float64) for part in range(3)
    )
    times = np.array([wave.reference_period.end.toordinal() for wave in there]) / DAYS
    change, error = slope(values, se, times - times.mean(), np.array(segment))
    if not np.isfinite(change):
        return {}
    return {
        "indicator": indicator, "category": category, "first_wave": there[0].key, "last_wave": there[-1].key,
        "editions": len(there), "breaks": segment[-1], "change_per_year": change, "se": error, "df": df.sum(),
        "waves": "|".join(wave.key for wave in there),
    }  # fmt: skip
