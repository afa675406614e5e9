"""What the published tables besides ``estimates`` repeat of its cells, and add: cells on narrower scopes.

``comparisons`` and ``benchmarks`` give the values that they compare. A standardised value is not taken apart:
it is an average of cells that could all be published (``scoped_suppression``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pandas as pd

from pipeline.catalogue.model import Catalogue

AUDITED = ("estimates", "comparisons", "benchmarks")
Tables = Mapping[str, pd.DataFrame]
CELL_KEY = ["wave", "indicator", "category", "domain", "domain_code"]
NUMBERS = ["unit_measure", "n", "value"]


def scoped_estimates(tables: Tables) -> pd.DataFrame:
    """Every cell on a scope that the comparisons show: the columns that a view is made of."""
    shown = pd.concat([*_sides(tables)]) if "comparisons" in tables else _nothing()
    shown = shown[(shown["scope"] != "") & shown["value"].notna()].drop_duplicates(
        [*CELL_KEY, "scope", "value", "n"]
    )
    return shown.assign(source_kind="microdata", obs_status="A", conf_status="F")


def repeated(tables: Tables, catalogue: Catalogue) -> pd.DataFrame:
    """The keys of the cells of ``estimates`` whose values other tables give."""
    parts = [_nothing()]
    if "comparisons" in tables:
        sides = pd.concat([*_sides(tables)])
        parts.append(sides[sides["scope"] == ""])
    if "benchmarks" in tables:
        own = tables["benchmarks"]
        totals = catalogue.total.key
        parts += [own, own.assign(domain=totals, domain_code="", value=own["total"])]
    every = pd.concat([part[[*CELL_KEY, "value"]] for part in parts])
    return every.loc[every["value"].notna(), CELL_KEY].drop_duplicates()


def _sides(tables: Tables) -> Iterator[pd.DataFrame]:
    compared = tables["comparisons"]
    compared = compared[compared["standard"] == ""]
    for side in "ab":
        names = {f"wave_{side}": "wave", f"narrowed_{side}": "scope"}
        names |= {f"{name}_{side}": name for name in ("n", "value")}
        yield compared.drop(columns="scope").rename(columns=names)[[*CELL_KEY, "scope", *NUMBERS]]


def _nothing() -> pd.DataFrame:
    return pd.DataFrame(columns=[*CELL_KEY, "scope", *NUMBERS])
