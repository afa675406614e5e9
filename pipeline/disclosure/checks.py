"""What anyone can see amiss in a release: digits, n and effects that may not stand, cells still shown.

Nothing is worked out here; what an outsider can make of all that is published belongs to ``audit``.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from pipeline.arrays import Flags
from pipeline.catalogue.model import Catalogue
from pipeline.disclosure.linkage import Linkage
from pipeline.disclosure.numbers import disclosed_cells, near_hidden
from pipeline.disclosure.published import MEASURES, decimals_of, printed_decimals
from pipeline.disclosure.published_view import PublishedView
from pipeline.disclosure.sums import Sum
from pipeline.disclosure.tables import KEY, Tables, repeated
from pipeline.problems import Problem

FILE, COMPARED = "data/estimates.csv", "data/comparisons.csv"
MOST_PROBLEMS = 50  # of one kind and wave; the message says how many there are
HINT = "Build the candidate anew with `barometer run`."
WITHDRAW = "Withdraw that release, or make the cell publishable again."


def digits(candidate: pd.DataFrame, catalogue: Catalogue) -> Iterator[Problem]:
    """No number has more than the declared decimals: what is hidden was chosen by their rounding."""
    finer = np.zeros(len(candidate), dtype=bool)
    for name in MEASURES:
        if name in candidate:
            finer |= printed_decimals(candidate, name) > decimals_of(candidate, catalogue, name)
    yield from _cells(candidate[finer], "is published with more decimals than declared", HINT)


def still_shown(
    candidate: pd.DataFrame, tables: Tables, label: str, catalogue: Catalogue
) -> Iterator[Problem]:
    """What is hidden now is in no release that is still out, and in no other table."""
    hidden, frame = candidate[candidate["conf_status"].isin(["C", "D"])], tables["estimates"]
    shown = frame.loc[frame["value"].notna() & (frame["source_kind"] == "microdata"), KEY]
    both = hidden.merge(pd.concat([shown, repeated(tables, catalogue)]).drop_duplicates(), on=KEY)
    yield from _cells(both, f"is hidden, but was published in {label}", WITHDRAW)


def beside(
    candidate: pd.DataFrame, now: PublishedView, sums: list[Sum], catalogue: Catalogue
) -> Iterator[Problem]:
    """Beside a hidden cell every n is rounded, and no design effect stands, which would give it back.

    So the n of a whole less what is shown of its parts leaves as much open as n is rounded to. An n that is
    no multiple of the declared step was published whole.
    """
    near = near_hidden(now, sums)
    whole: Flags = np.isfinite(now.n) & (np.mod(np.nan_to_num(now.n), catalogue.barometer.rounding.n) != 0)
    yield from _cells(_keys(now, near & whole), "stands beside a hidden cell, and its n is not rounded", HINT)
    effects = candidate.loc[candidate["deff"].notna(), KEY]
    yield from _cells(
        _keys(now, near).merge(effects, on=KEY), "has a design effect beside a hidden cell", HINT
    )


def numerators(now: PublishedView, linked: Linkage) -> Iterator[Problem]:
    """No n stands where the own base, or one above it, is hidden: it would be the numerator of that one."""
    asked: Flags = np.asarray(now.there.any(axis=1))
    disclosed = disclosed_cells(now, linked) & np.isfinite(now.n) & asked[:, None]
    yield from named(now, disclosed, "has an n, which tells of a hidden cell of a question above it", HINT)


def named(now: PublishedView, found: Flags, message: str, hint: str) -> Iterator[Problem]:
    """A problem a cell that is found (measures x cells)."""
    yield from _cells(_keys(now, found), message, hint)


def _keys(now: PublishedView, found: Flags) -> pd.DataFrame:
    names = [
        (now.wave, *now.measures[row], *now.cells[column]) for row, column in np.argwhere(found).tolist()
    ]
    return pd.DataFrame(names, columns=[*KEY, "scope"])


def _cells(cells: pd.DataFrame, message: str, hint: str) -> Iterator[Problem]:
    """A problem a cell, the first of many, and how many there are."""
    for wave, own in cells.groupby("wave", sort=True):
        scopes = own["scope"] if "scope" in own else [""] * len(own)
        for cell, scope in list(zip(own[KEY].itertuples(index=False), scopes, strict=True))[:MOST_PROBLEMS]:
            _, indicator, category, domain, code = cell
            where = f"{wave} {indicator}/{category} {domain}" + (f"={code}" if code else "")
            where += f" on {scope}" if scope else ""
            more = f" ({len(own)} cells of the wave are)" if len(own) > MOST_PROBLEMS else ""
            yield Problem(COMPARED if scope else FILE, where, message + more, hint, wave=str(wave))
