"""Disclosures that need no calculation: too many digits, n and design effects, cells that are still shown.

What an outsider can work out from all that is published belongs to ``audit``.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from pipeline.arrays import Flags
from pipeline.catalogue.model import Catalogue
from pipeline.disclosure.linkage import Linkage
from pipeline.disclosure.published import MEASURES, decimals_of, printed_decimals
from pipeline.disclosure.published_view import PublishedView
from pipeline.disclosure.sums import Sum
from pipeline.disclosure.tables import CELL_KEY, Tables, repeated
from pipeline.disclosure.unit_numbers import disclosed_cells, near_hidden
from pipeline.problems import Problem

FILE, COMPARED = "data/estimates.csv", "data/comparisons.csv"
MOST_PROBLEMS = 50  # of one kind and wave; the message says how many there are in all
HINT = "Build the candidate again with `barometer run`."
WITHDRAW = "Withdraw that release, or change the rules or data so that the cell can be published."


def digits(candidate: pd.DataFrame, catalogue: Catalogue) -> Iterator[Problem]:
    """No number has more decimals than declared: what is hidden was chosen for that rounding."""
    finer = np.zeros(len(candidate), dtype=bool)
    for name in MEASURES:
        if name in candidate:
            finer |= printed_decimals(candidate, name) > decimals_of(candidate, catalogue, name)
    yield from _problems(candidate[finer], "is published with more decimals than declared", HINT)


def still_shown(
    candidate: pd.DataFrame, tables: Tables, label: str, catalogue: Catalogue
) -> Iterator[Problem]:
    """What is hidden now is in no release that is still published, and in no other table."""
    hidden, frame = candidate[candidate["conf_status"].isin(["C", "D"])], tables["estimates"]
    shown = frame.loc[frame["value"].notna() & (frame["source_kind"] == "microdata"), CELL_KEY]
    both = hidden.merge(pd.concat([shown, repeated(tables, catalogue)]).drop_duplicates(), on=CELL_KEY)
    yield from _problems(both, f"is hidden, but was published in {label}", WITHDRAW)


def beside(
    candidate: pd.DataFrame, now: PublishedView, sums: list[Sum], catalogue: Catalogue
) -> Iterator[Problem]:
    """Beside a hidden cell every n is rounded, and no design effect is shown, from which n would follow.

    The n of a whole minus the n shown of its parts is then known only as closely as n is rounded. An n that
    is no multiple of the declared step was published unrounded.
    """
    near = near_hidden(now, sums)
    whole: Flags = np.isfinite(now.n) & (np.mod(np.nan_to_num(now.n), catalogue.barometer.rounding.n) != 0)
    yield from _problems(
        _keys(now, near & whole), "is in a sum with a hidden cell, but its n is not rounded", HINT
    )
    effects = candidate.loc[candidate["deff"].notna(), CELL_KEY]
    yield from _problems(
        _keys(now, near).merge(effects, on=CELL_KEY),
        "is in a sum with a hidden cell, but its design effect is published",
        HINT,
    )


def numerators(now: PublishedView, linked: Linkage) -> Iterator[Problem]:
    """No n is shown where its own base, or one above it, is hidden: it would be a numerator of that one."""
    answered: Flags = np.asarray(now.there.any(axis=1))
    disclosed = disclosed_cells(now, linked) & np.isfinite(now.n) & answered[:, None]
    yield from named(
        now, disclosed, "has an n, which discloses a hidden cell of a question that routes to it", HINT
    )


def named(now: PublishedView, found: Flags, message: str, hint: str) -> Iterator[Problem]:
    """A problem for each cell that is found (measures x cells)."""
    yield from _problems(_keys(now, found), message, hint)


def _keys(now: PublishedView, found: Flags) -> pd.DataFrame:
    names = [
        (now.wave, *now.measures[row], *now.cells[column]) for row, column in np.argwhere(found).tolist()
    ]
    return pd.DataFrame(names, columns=[*CELL_KEY, "scope"])


def _problems(cells: pd.DataFrame, message: str, hint: str) -> Iterator[Problem]:
    """A problem for each cell, at most ``MOST_PROBLEMS`` a wave, with the number of all."""
    for wave, own in cells.groupby("wave", sort=True):
        scopes = own["scope"] if "scope" in own else [""] * len(own)
        for cell, scope in list(zip(own[CELL_KEY].itertuples(index=False), scopes, strict=True))[
            :MOST_PROBLEMS
        ]:
            _, indicator, category, domain, code = cell
            where = f"{wave} {indicator}/{category} {domain}" + (f"={code}" if code else "")
            where += f" on {scope}" if scope else ""
            more = f" (one of {len(own)} such cells of the wave)" if len(own) > MOST_PROBLEMS else ""
            yield Problem(COMPARED if scope else FILE, where, message + more, hint, wave=str(wave))
