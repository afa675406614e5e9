"""What of an estimate may be published: hidden cells, flags and rounding.

Here belongs every rule of ``[disclosure]``, ``[reliability]`` and ``[rounding]``. A rule decides for a
whole answer distribution (an indicator in a domain cell of a wave), never for one category: the
categories of a choice sum to 100, so a lone hidden one is no secret. The weighted count behind a share
belongs to the distribution of that share. How a cell is estimated belongs to ``estimation``. Figures
that their owner has published pass through as printed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.catalogue.model import Catalogue
from pipeline.contracts import conform, table

Cell = tuple[str, str]  # domain, domain_code
Relation = tuple[Cell, tuple[Cell, ...]]  # a cell, and the cells of one breakdown that add up to it

DISTRIBUTION = ["wave", "stem", "domain", "domain_code"]
MEASURES = ["value", "se", "ci_low", "ci_high", "deff"]
FREE, PRIMARY, SECONDARY = "F", "C", "D"
DEFF_DECIMALS = 2


def protect(estimates: pd.DataFrame, catalogue: Catalogue) -> pd.DataFrame:
    """The estimates as they may be published: hidden, flagged and rounded, in the published columns.

    ``estimates``: the columns of the table ``estimates``, unrounded, and of ``precision``. Percent
    runs 0-100, widths are in points. A cell is
    - hidden with its n (Q, C) where the distribution has n < min_n, or a numerator or complement below
      min_group while more than max_fraction of the domain has answered; where that share is not known,
      that of the whole wave stands in, and where neither is, the rule is not applied;
    - hidden with its n (Q, D) where it would give such a cell away by subtraction;
    - left out but for its n (Q, F) where n < unpublish_n or an interval is unpublish_ci_width wide;
    - flagged (U) where n < flag_n, or an interval is flag_ci_width wide or not known.
    """
    frame = estimates.reset_index(drop=True)
    frame["stem"] = frame["indicator"].map(lambda key: stem(key, catalogue))
    live = (frame["source_kind"] == "microdata") & (frame["obs_status"] != "M")
    verdicts = _verdicts(frame[live], catalogue)
    if catalogue.barometer.disclosure.secondary:
        verdicts = _with_secondary(verdicts, catalogue)
    frame = frame.merge(verdicts["verdict"], how="left", left_on=DISTRIBUTION, right_index=True)
    frame["verdict"] = frame["verdict"].where(live, "")
    return conform(_blanked(_rounded(frame, catalogue))[_columns()], "estimates")


def _columns() -> list[str]:
    return [field["name"] for field in table("estimates")["fields"]]


def stem(indicator: str, catalogue: Catalogue) -> str:
    """The indicator whose answer distribution a cell belongs to: for a count, that of the share behind it."""
    while (behind := catalogue.indicators[indicator].total) is not None:
        indicator = behind
    return indicator


def _verdicts(live: pd.DataFrame, catalogue: Catalogue) -> pd.DataFrame:
    """One row a distribution: its smallest n and its verdict C, unpublished, U or A."""
    limits, quality = catalogue.barometer.disclosure, catalogue.barometer.reliability
    n, m = live["n"].astype(float), live["m"].astype(float)
    percent = live["unit_measure"] == "percent"
    width = live["ci_high"] - live["ci_low"]
    fraction = live["fraction"].astype(float).fillna(live["wave"].map(_wave_fractions(catalogue)))
    facts = live[DISTRIBUTION].assign(
        n=n,
        width=width.where(percent),
        vague=percent & width.isna(),
        exposed=(np.minimum(m, n - m) < limits.min_group) & (fraction > limits.max_fraction),
    )
    by_cell = facts.groupby(DISTRIBUTION, sort=True)
    cells = by_cell.agg(
        n=("n", "min"), width=("width", "max"), vague=("vague", "any"), exposed=("exposed", "any")
    )
    hidden = (cells["n"] < limits.min_n) | cells["exposed"]
    unpublished = (cells["n"] < quality.unpublish_n) | (cells["width"] >= quality.unpublish_ci_width)
    flagged = (cells["n"] < quality.flag_n) | (cells["width"] >= quality.flag_ci_width) | cells["vague"]
    verdict = flagged.map({True: "U", False: "A"})
    return cells.assign(verdict=verdict.mask(unpublished, "unpublished").mask(hidden, PRIMARY))


def _wave_fractions(catalogue: Catalogue) -> dict[str, float]:
    """The share of each wave's population that has answered, where both are declared."""
    return {
        wave.key: wave.response.respondents / wave.response.population
        for wave in catalogue.waves.values()
        if wave.response.respondents and wave.response.population
    }


def _with_secondary(cells: pd.DataFrame, catalogue: Catalogue) -> pd.DataFrame:
    """Hide one more cell wherever a sum would otherwise have exactly one hidden member."""
    exposed = dict.fromkeys(key[:2] for key in cells.index[cells["verdict"] == PRIMARY])
    crossed = {domain.key: domain.by for domain in catalogue.domains.values()}
    verdicts = cells["verdict"].copy()
    for wave, indicator in exposed:
        part = cells.loc[(wave, indicator)]
        decided = dict(zip(part.index, part["verdict"], strict=True))
        _protect_sums(decided, dict(zip(part.index, part["n"], strict=True)), crossed)
        verdicts.loc[(wave, indicator)] = list(decided.values())
    return cells.assign(verdict=verdicts)


def _protect_sums(
    verdicts: dict[Cell, str], n: Mapping[Cell, float], crossed: Mapping[str, tuple[str, ...]]
) -> None:
    """Hide the smallest other cell of every sum with one hidden member, until there is no such sum.

    A cell left out for quality goes first: hiding it costs the reader only its n.
    """
    relations = list(_relations(list(verdicts), crossed))
    settled = False
    while not settled:
        settled = True
        for whole, parts in relations:
            hidden = [cell for cell in (whole, *parts) if verdicts[cell] in (PRIMARY, SECONDARY)]
            open_parts = [cell for cell in parts if cell not in hidden]
            if len(hidden) == 1 and open_parts:
                cheapest = min(open_parts, key=lambda cell: (verdicts[cell] != "unpublished", n[cell], cell))
                verdicts[cheapest] = SECONDARY
                settled = False


def _relations(cells: list[Cell], crossed: Mapping[str, tuple[str, ...]]) -> Iterator[Relation]:
    """Every cell with the cells of each finer breakdown that add up to it."""
    for domain in dict.fromkeys(name for name, _ in cells):
        by = crossed[domain]
        codes = {
            code: dict(zip(by, code.split("*"), strict=True)) for name, code in cells if name == domain and by
        }
        for coarse, code in cells:
            if set(crossed[coarse]) < set(by):
                fixed = dict(zip(crossed[coarse], code.split("*"), strict=False))
                parts = tuple(
                    (domain, finer) for finer, parted in codes.items() if fixed.items() <= parted.items()
                )
                if parts:
                    yield (coarse, code), parts


def _rounded(frame: pd.DataFrame, catalogue: Catalogue) -> pd.DataFrame:
    """Values and limits to the declared decimals (a mean one more, a count none), errors to one more."""
    rounding = catalogue.barometer.rounding
    totals = [key for key, domain in catalogue.domains.items() if not domain.by]
    decimals = np.where(frame["domain"].isin(totals), rounding.total, rounding.breakdown)
    decimals = decimals + (frame["unit_measure"] == "mean").to_numpy()
    decimals = np.where(frame["unit_measure"] == "count", 0, decimals)
    finer = np.where(frame["unit_measure"] == "count", 0, decimals + 1)
    printed = (frame["source_kind"] == "figures").to_numpy()
    value = frame["value"].to_numpy(dtype=float)
    return frame.assign(
        value=np.where(printed, value, half_up(value, decimals)),
        se=half_up(frame["se"].to_numpy(dtype=float), finer),
        ci_low=half_up(frame["ci_low"].to_numpy(dtype=float), decimals),
        ci_high=half_up(frame["ci_high"].to_numpy(dtype=float), decimals),
        deff=half_up(frame["deff"].to_numpy(dtype=float), DEFF_DECIMALS),
    )


def half_up(values: npt.NDArray[np.float64], decimals: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Numbers rounded to a number of decimals, halves up (12.5 to 13, -12.5 to -12).

    A number within 1e-9 of a half at that decimal counts as the half, so the last bit of a sum, which
    may differ between machines, never decides.
    """
    scale = 10.0 ** np.asarray(decimals)
    rounded: npt.NDArray[np.float64] = np.floor(np.round(values * scale, 9) + 0.5) / scale
    return rounded


def _blanked(frame: pd.DataFrame) -> pd.DataFrame:
    """Each verdict carried out: what is hidden is blank, and the flags say why."""
    verdict: pd.Series[Any] = frame["verdict"]
    hidden, suppressed = verdict.isin([PRIMARY, SECONDARY]), verdict.isin([PRIMARY, SECONDARY, "unpublished"])
    measures = {name: frame[name].mask(suppressed) for name in MEASURES}
    flag = (verdict == "U") & (frame["obs_status"] == "A")
    return frame.assign(
        **measures,
        n=frame["n"].astype("Int64").mask(hidden),
        obs_status=frame["obs_status"].mask(flag, "U").mask(suppressed, "Q"),
        conf_status=verdict.where(hidden, FREE),
    )
