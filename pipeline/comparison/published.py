"""What of a comparison may be published: nothing from which a hidden cell could be worked out.

A comparison is published where both its parts are (``readable``). Differences, their tests and ranks are
computed again from what is published: from unrounded values they would disclose a part more closely than its
rounding does (a p-value leaves a sixth of it), and through it the hidden cells beside it. Anybody who has the
table can compute them too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeline.arrays import Floats, Ints
from pipeline.catalogue import Catalogue
from pipeline.comparison.benchmarks import with_ranks, with_verdict
from pipeline.comparison.between import COMPARISON_KEY, with_adjusted
from pipeline.comparison.inputs import CELL
from pipeline.comparison.readable import (
    CellKey,
    PublishedCell,
    cell_keys,
    parts_of,
    readable,
    readable_scoped,
)
from pipeline.comparison.significance import t_test
from pipeline.comparison.trends import trends
from pipeline.contracts import columns
from pipeline.disclosure import decimals_of, half_up

ESTIMATE = ["wave", *CELL]
P_DECIMALS = 4


@dataclass(frozen=True)
class Compared:
    """All comparisons, unrounded: by table, and the estimates on narrower scopes that they are made of."""

    comparisons: pd.DataFrame
    benchmarks: pd.DataFrame
    errata: pd.DataFrame
    narrowed: pd.DataFrame


def published(
    made: Compared, estimates: pd.DataFrame, protected: pd.DataFrame, catalogue: Catalogue
) -> dict[str, pd.DataFrame]:
    """The tables comparisons, benchmarks, trends, errata and reasons, as they may be published.

    ``estimates``: unrounded; ``protected``: as they are published.
    """
    own = readable(protected)
    narrowed = readable_scoped(made.comparisons, made.narrowed, own, estimates, protected, catalogue)
    return {
        "comparisons": _comparisons(made.comparisons, own, narrowed, catalogue),
        "benchmarks": _benchmarks(made.benchmarks, own, catalogue),
        "trends": _trends(estimates, protected, catalogue),
        "errata": made.errata,
        "reasons": reasons(catalogue),
    }


def reasons(catalogue: Catalogue) -> pd.DataFrame:
    """Every rule of comparability: its key, verdict, sentence and rationale."""
    rows = [
        {
            "reason": rule.key,
            "verdict": rule.verdict,
            "breaks": rule.breaks,
            "ranks": rule.ranks or rule.verdict != "not_comparable",
            "text": rule.text,
            "rationale": rule.rationale,
        }
        for rule in catalogue.comparability.rules.values()
    ]
    return pd.DataFrame(rows, columns=columns("reasons"))


def _comparisons(
    frame: pd.DataFrame,
    own: Mapping[CellKey, PublishedCell],
    narrowed: Mapping[CellKey, PublishedCell],
    catalogue: Catalogue,
) -> pd.DataFrame:
    sides = [_side(frame, side, own, narrowed, catalogue) for side in "ab"]
    both = np.array([a is not None and b is not None for a, b in zip(*sides, strict=True)], dtype=bool)
    shown = [pair for pair, there in zip(zip(*sides, strict=True), both, strict=True) if there]
    flagged = np.array([any(each and each.status == "U" for each in pair) for pair in shown], dtype=bool)
    kept = frame[both]
    unsure = flagged & (kept["obs_status"] == "A").to_numpy(dtype=bool)
    n = {
        f"n_{side}": pd.Series([each.n if each else np.nan for each in part], kept.index).astype("Int64")
        for side, part in zip("ab", zip(*shown, strict=True) if shown else ((), ()), strict=True)
    }
    kept = kept.assign(obs_status=kept["obs_status"].mask(unsure, "U"), **n)
    decimals = decimals_of(kept, catalogue)
    printed = [_printed(kept[f"value_{side}"], kept[f"wave_{side}"], catalogue) for side in "ab"]
    fewest = np.minimum(*(np.where(digits < 0, decimals, digits) for digits in printed))
    values = {
        f"value_{side}": np.where(
            digits < 0, half_up(_numbers(kept, f"value_{side}"), decimals), _numbers(kept, f"value_{side}")
        )
        for side, digits in zip("ab", printed, strict=True)
    }
    kept = _tested(kept.assign(**values), ("value_a", "value_b"), fewest, catalogue)
    return _with_rounded_p(with_adjusted(_ranked(kept), catalogue))


def _tested(kept: pd.DataFrame, parts: tuple[str, str], decimals: Ints, catalogue: Catalogue) -> pd.DataFrame:
    """The difference of two values as published, and its interval and test by the published error."""
    a, b = (_numbers(kept, name) for name in parts)
    difference = np.where(kept["difference"].notna(), a - b, np.nan)
    se = half_up(_numbers(kept, "se"), decimals + 1)
    made = t_test(difference, se, _numbers(kept, "df"), catalogue.barometer.estimation.confidence)
    tested = kept["p_value"].notna().to_numpy(dtype=bool)
    low, high = (half_up(limit, decimals) for limit in (made.low, made.high))
    tests = {"ci_low": low, "ci_high": high, "p_value": made.p}
    tests = {name: np.where(tested, numbers, np.nan) for name, numbers in tests.items()}
    return kept.assign(difference=half_up(difference, decimals), se=se, **tests)


def _ranked(kept: pd.DataFrame) -> pd.DataFrame:
    """The rank of each category by the values as published: equal values share a rank."""
    group = [kept[name] for name in COMPARISON_KEY if name != "category"]
    ranks = {
        f"rank_{side}": kept[f"value_{side}"]
        .where(kept[f"rank_{side}"].notna())
        .groupby(group)
        .rank(ascending=False, method="min")
        for side in "ab"
    }
    return kept.assign(**{name: rank.astype("Int64") for name, rank in ranks.items()})


def _with_rounded_p(kept: pd.DataFrame) -> pd.DataFrame:
    names = [name for name in ("p_value", "p_adjusted", "p_distribution") if name in kept]
    return kept.assign(**{name: half_up(_numbers(kept, name), P_DECIMALS) for name in names})


def _side(
    frame: pd.DataFrame,
    side: str,
    own: Mapping[CellKey, PublishedCell],
    narrowed: Mapping[CellKey, PublishedCell],
    catalogue: Catalogue,
) -> list[PublishedCell | None]:
    """What is published of one part of each comparison; None where it is not."""
    found: list[PublishedCell | None] = []
    for parts in parts_of(frame, side, catalogue):
        known = [(narrowed if len(part) > len(CELL) + 1 else own).get(part) for part in parts]
        shown = [each for each in known if each is not None]
        unsure = any(each.status == "U" for each in shown)
        whole = len(shown) == len(parts)
        found.append(PublishedCell("U" if unsure else shown[0].status, shown[0].n) if whole else None)
    return found


def _printed(values: pd.Series[float], waves: pd.Series[str], catalogue: Catalogue) -> Ints:
    """The decimals that a published figure was printed with; -1 for an estimate."""
    figures = np.array([not catalogue.waves[wave].is_microdata for wave in waves], dtype=bool)
    numbers = values.to_numpy(dtype=np.float64)
    return np.where(figures, np.where(numbers == np.round(numbers), 0, 1), -1)


def _numbers(frame: pd.DataFrame, name: str) -> Floats:
    return frame[name].to_numpy(dtype=np.float64)


def _benchmarks(
    frame: pd.DataFrame, own: Mapping[CellKey, PublishedCell], catalogue: Catalogue
) -> pd.DataFrame:
    total = catalogue.total.key
    mine = [own.get(cell) for cell in cell_keys(frame, ESTIMATE)]
    whole = [own.get((*cell, total, "")) for cell in cell_keys(frame, ["wave", "indicator", "category"])]
    both = np.array([a is not None and b is not None for a, b in zip(mine, whole, strict=True)], dtype=bool)
    n = pd.Series([each.n if each else np.nan for each in mine], frame.index).astype("Int64")
    kept = frame.assign(obs_status=[each.status if each else "" for each in mine], n=n)[both]
    decimals = decimals_of(kept, catalogue)
    of_total = decimals_of(kept.assign(domain=total), catalogue)
    printed = _printed(kept["value"], kept["wave"], catalogue)
    values = {
        name: np.where(printed < 0, half_up(_numbers(kept, name), digits), _numbers(kept, name))
        for name, digits in (("value", decimals), ("total", of_total))
    }
    fewest = np.where(printed < 0, decimals, printed)
    kept = _tested(kept.assign(**values), ("value", "total"), fewest, catalogue)
    return _with_rounded_p(with_verdict(with_ranks(kept), catalogue))


def _trends(estimates: pd.DataFrame, protected: pd.DataFrame, catalogue: Catalogue) -> pd.DataFrame:
    made = trends(protected.merge(estimates[[*ESTIMATE, "df"]], on=ESTIMATE), catalogue)
    decimals = decimals_of(made.assign(domain=catalogue.total.key), catalogue)
    rounded = {
        name: half_up(_numbers(made, name), decimals + (name == "se"))
        for name in ("change_per_year", "se", "ci_low", "ci_high")
    }
    return _with_rounded_p(made.assign(**rounded))
