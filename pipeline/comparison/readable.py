"""Which parts of comparisons a reader may see: published estimates, and what was estimated again.

A part that was estimated again on a narrower scope is published where it keeps every rule of an estimate, is
made of published cells wherever there are any, and is not so near another published part of the same cell
that their difference would be a small group.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeline.catalogue import Catalogue
from pipeline.comparison.material import CELL, total_domain
from pipeline.disclosure import protect

NOT_READABLE = ("Q", "M")
Place = tuple[str, ...]


@dataclass(frozen=True)
class Shown:
    """What a reader sees of a cell besides its value: its status, and n as published."""

    status: str
    n: float


def readable(protected: pd.DataFrame) -> dict[Place, Shown]:
    """Every published cell that has a value."""
    there = protected[protected["value"].notna() & ~protected["obs_status"].isin(NOT_READABLE)]
    n = np.asarray(there["n"].astype("float64"), dtype=np.float64)
    shown = [Shown(status, float(number)) for status, number in zip(there["obs_status"], n, strict=True)]
    return dict(zip(places(there, ["wave", *CELL]), shown, strict=True))


def places(frame: pd.DataFrame, names: list[str]) -> list[Place]:
    """The texts of these columns, row by row."""
    texts = [frame[name].astype("str").tolist() for name in names]
    return [tuple(row) for row in zip(*texts, strict=True)]


def readable_again(
    narrowed: pd.DataFrame, protected: pd.DataFrame, catalogue: Catalogue
) -> dict[Place, Shown]:
    """The same of what was estimated again: by wave, cell and scope.

    Its n is blank where that of the cell itself is not published as it is.
    """
    found: dict[Place, Shown] = {}
    apart = _too_near(narrowed, protected, catalogue)
    hidden = _hidden(protected)
    by = {frozenset(domain.by): key for key, domain in catalogue.domains.items()}
    whole = set(places(protected[protected["deff"].notna()], ["wave", *CELL]))
    for _, part in narrowed.groupby(["wave", "scope"], sort=True):
        scope = str(part["scope"].iloc[0])
        for place, shown in readable(protect(part.drop(columns="scope"), catalogue)).items():
            if (*place, scope) not in apart and not _hides(place, scope, hidden, by, catalogue):
                found[(*place, scope)] = shown if place in whole else Shown(shown.status, np.nan)
    return found


def _hidden(protected: pd.DataFrame) -> dict[Place, list[str]]:
    """The codes that are hidden for confidentiality, by wave, indicator, category and breakdown."""
    found: dict[Place, list[str]] = {}
    rows = protected[protected["conf_status"] != "F"]
    for *place, code in places(rows, ["wave", *CELL]):
        found.setdefault(tuple(place), []).append(code)
    return found


def _hides(
    place: Place,
    scope: str,
    hidden: Mapping[Place, list[str]],
    by: Mapping[frozenset[str], str],
    catalogue: Catalogue,
) -> bool:
    """Whether cells of a published breakdown add up to this one, and one of them is hidden."""
    wave, indicator, category, domain, code = place
    fixed: dict[str, tuple[str, ...]] = dict(
        zip(catalogue.domains[domain].by, ((each,) for each in code.split("*")), strict=False)
    )
    fixed |= {name: codes for name, codes in scope_of(scope).items() if name not in fixed}
    finer = by.get(frozenset(fixed))
    if finer is None:
        return False
    order = catalogue.domains[finer].by
    return any(
        all(part in fixed[name] for name, part in zip(order, each.split("*"), strict=True))
        for each in hidden.get((wave, indicator, category, finer), ())
    )


def scope_of(text: str) -> dict[str, tuple[str, ...]]:
    """A scope from its text, ``variable=code|code``."""
    pairs = (part.partition("=") for part in text.split())
    return {name: tuple(codes.split("|")) for name, _, codes in pairs}


def _too_near(narrowed: pd.DataFrame, protected: pd.DataFrame, catalogue: Catalogue) -> set[Place]:
    """Parts that differ from another published part of the same cell by a small group that would show.

    Two shares rounded to u points, of n and n + g answers, pin that of the g between them down to about
    u (2n + g) / g points: it shows where g is below ``min_n`` and that is narrower than ``audit_width``.
    """
    rules, rounding = catalogue.barometer.disclosure, catalogue.barometer.rounding
    names = ["wave", *CELL, "scope", "n", "unit_measure"]
    whole = protected.loc[protected["n"].notna(), [*names[:5], "n", "unit_measure"]].assign(scope="")
    every = pd.concat([whole[names], narrowed[names]]).astype({"n": "float64"})
    every = every.sort_values(["wave", *CELL, "n", "scope"], kind="stable", ignore_index=True)
    same = (every[["wave", *CELL]] == every[["wave", *CELL]].shift()).all(axis=1).to_numpy()
    n, gap = every["n"].to_numpy(), every["n"].diff().to_numpy(dtype=np.float64)
    everyone = (every["domain"] == total_domain(catalogue)).to_numpy(dtype=bool)
    unit = 10.0 ** -np.where(everyone, rounding.total, rounding.breakdown)
    with np.errstate(divide="ignore", invalid="ignore"):
        vague = (every["unit_measure"] == "percent") & (unit * (2 * n - gap) / gap >= rules.audit_width)
    near = same & (gap > 0) & (gap < rules.min_n) & ~vague.to_numpy(dtype=bool)
    either = near | np.append(near[1:], False)
    rows = every[either & (every["scope"] != "").to_numpy(dtype=bool)]
    return set(places(rows, ["wave", *CELL, "scope"]))
