"""What of a comparison may be published: nothing from which a hidden cell could be worked out.

A comparison is published where both its parts are (``readable``). No number has more digits than its parts.
Adjusted p-values and ranks are made again, of what is published.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeline.arrays import Floats, Ints
from pipeline.catalogue import Catalogue
from pipeline.comparison.benchmarks import with_ranks, with_verdict
from pipeline.comparison.between import with_adjusted
from pipeline.comparison.material import CELL, total_domain
from pipeline.comparison.readable import Place, Shown, parts_of, places, readable, readable_again
from pipeline.comparison.trends import with_adjusted as with_adjusted_trends
from pipeline.disclosure import half_up

ERRORS = ("se", "ci_low", "ci_high")
P_DECIMALS = 4


@dataclass(frozen=True)
class Compared:
    """Everything compared, unrounded: by table, and the estimates made again on narrower scopes."""

    comparisons: pd.DataFrame
    benchmarks: pd.DataFrame
    trends: pd.DataFrame
    errata: pd.DataFrame
    narrowed: pd.DataFrame


def published(
    made: Compared, estimates: pd.DataFrame, protected: pd.DataFrame, catalogue: Catalogue
) -> dict[str, pd.DataFrame]:
    """The tables comparisons, benchmarks, trends, errata and reasons, as they may be published.

    ``estimates``: unrounded; ``protected``: as they are published.
    """
    plain = readable(protected)
    again = readable_again(made.comparisons, made.narrowed, plain, estimates, protected, catalogue)
    return {
        "comparisons": _comparisons(made.comparisons, plain, again, catalogue),
        "benchmarks": _benchmarks(made.benchmarks, plain, catalogue),
        "trends": _trends(made.trends, plain, catalogue),
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
    return pd.DataFrame(rows, columns=["reason", "verdict", "breaks", "ranks", "text", "rationale"])


def _comparisons(
    frame: pd.DataFrame, plain: Mapping[Place, Shown], again: Mapping[Place, Shown], catalogue: Catalogue
) -> pd.DataFrame:
    sides = [_side(frame, side, plain, again, catalogue) for side in "ab"]
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
    return _rounded(with_adjusted(kept, catalogue), catalogue)


def _rounded(kept: pd.DataFrame, catalogue: Catalogue) -> pd.DataFrame:
    """Values as their own table has them, the others with the fewest decimals of their parts."""
    decimals = _decimals(kept, catalogue)
    printed = [_printed(kept[f"value_{side}"], kept[f"wave_{side}"], catalogue) for side in "ab"]
    fewest = np.minimum(*(np.where(digits < 0, decimals, digits) for digits in printed))
    rounded = {
        f"value_{side}": np.where(
            digits < 0, half_up(_numbers(kept, f"value_{side}"), decimals), _numbers(kept, f"value_{side}")
        )
        for side, digits in zip("ab", printed, strict=True)
    }
    rounded |= {name: half_up(_numbers(kept, name), fewest + (name == "se")) for name in ERRORS}
    rounded |= {"difference": _difference(kept, rounded, ("value_a", "value_b"), fewest)}
    p_values = ("p_value", "p_adjusted", "p_distribution")
    rounded |= {name: half_up(_numbers(kept, name), P_DECIMALS) for name in p_values}
    return kept.assign(**rounded)


def _difference(
    kept: pd.DataFrame, rounded: Mapping[str, Floats], parts: tuple[str, str], decimals: Ints
) -> Floats:
    """The difference of two values as they are published, inside its interval as that is.

    One of unrounded values often tells a part closer than its own rounding does, and by it the hidden
    cells beside it; this one is made of what is published anyway.
    """
    one, other = (rounded[name] for name in parts)
    made = half_up(np.where(kept["difference"].notna(), one - other, np.nan), decimals)
    limits = (rounded[name] for name in ("ci_low", "ci_high"))
    low, high = (np.where(np.isnan(limit), made, limit) for limit in limits)
    inside: Floats = np.clip(made, low, high)
    return inside


def _side(
    frame: pd.DataFrame,
    side: str,
    plain: Mapping[Place, Shown],
    again: Mapping[Place, Shown],
    catalogue: Catalogue,
) -> list[Shown | None]:
    """What is published of one part of each comparison; None where it is not."""
    found: list[Shown | None] = []
    for parts in parts_of(frame, side, catalogue):
        known = [(again if len(part) > len(CELL) + 1 else plain).get(part) for part in parts]
        shown = [each for each in known if each is not None]
        unsure = any(each.status == "U" for each in shown)
        whole = len(shown) == len(parts)
        found.append(Shown("U" if unsure else shown[0].status, shown[0].n) if whole else None)
    return found


def _decimals(frame: pd.DataFrame, catalogue: Catalogue) -> Ints:
    """The decimals of an estimate from microdata, as its own table has them."""
    rounding = catalogue.barometer.rounding
    everyone = (frame["domain"] == total_domain(catalogue)).to_numpy(dtype=bool)
    unit = frame["unit_measure"].to_numpy(dtype=object)
    decimals = np.where(everyone, rounding.total, rounding.breakdown) + (unit == "mean")
    return np.where(unit == "count", 0, decimals).astype(np.int64)


def _printed(values: pd.Series[float], waves: pd.Series[str], catalogue: Catalogue) -> Ints:
    """The decimals a published figure was printed with; -1 of an estimate."""
    figures = np.array([not catalogue.waves[wave].is_microdata for wave in waves], dtype=bool)
    numbers = values.to_numpy(dtype=np.float64)
    return np.where(figures, np.where(numbers == np.round(numbers), 0, 1), -1)


def _numbers(frame: pd.DataFrame, name: str) -> Floats:
    return frame[name].to_numpy(dtype=np.float64)


def _benchmarks(frame: pd.DataFrame, plain: Mapping[Place, Shown], catalogue: Catalogue) -> pd.DataFrame:
    everyone = total_domain(catalogue)
    mine = [plain.get(place) for place in places(frame, ["wave", *CELL])]
    whole = [plain.get((*place, everyone, "")) for place in places(frame, ["wave", "indicator", "category"])]
    both = np.array([a is not None and b is not None for a, b in zip(mine, whole, strict=True)], dtype=bool)
    n = pd.Series([each.n if each else np.nan for each in mine], frame.index).astype("Int64")
    kept = frame.assign(obs_status=[each.status if each else "" for each in mine], n=n)[both]
    kept = with_verdict(with_ranks(kept), catalogue)
    decimals = _decimals(kept, catalogue)
    of_total = _decimals(kept.assign(domain=everyone), catalogue)
    printed = _printed(kept["value"], kept["wave"], catalogue)
    fewest = np.where(printed < 0, decimals, printed)
    rounded = {
        "value": np.where(printed < 0, half_up(_numbers(kept, "value"), decimals), _numbers(kept, "value")),
        "total": np.where(printed < 0, half_up(_numbers(kept, "total"), of_total), _numbers(kept, "total")),
    }
    rounded |= {name: half_up(_numbers(kept, name), fewest + (name == "se")) for name in ERRORS}
    rounded |= {"difference": _difference(kept, rounded, ("value", "total"), fewest)}
    rounded |= {name: half_up(_numbers(kept, name), P_DECIMALS) for name in ("p_value", "p_adjusted")}
    return kept.assign(**rounded)


def _trends(frame: pd.DataFrame, plain: Mapping[Place, Shown], catalogue: Catalogue) -> pd.DataFrame:
    everyone = total_domain(catalogue)
    series = places(frame, ["indicator", "category"])
    kept = frame[
        np.array(
            [
                all((wave, *place, everyone, "") in plain for wave in waves.split("|"))
                for place, waves in zip(series, frame["waves"], strict=True)
            ],
            dtype=bool,
        )
    ]
    decimals = _decimals(kept.assign(domain=everyone), catalogue)
    kept = with_adjusted_trends(kept)
    rounded = {
        name: half_up(_numbers(kept, name), decimals + (name == "se"))
        for name in ("change_per_year", *ERRORS)
    }
    rounded |= {name: half_up(_numbers(kept, name), P_DECIMALS) for name in ("p_value", "p_adjusted")}
    return kept.assign(**rounded)
