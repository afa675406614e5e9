"""Every published table: the protected estimates, and what a reader needs to understand them.

Here belong the list of tables and what makes their texts safe in a spreadsheet. Their rows are compiled in
``codelists`` and ``sources``, their columns declared in ``contracts/tables``, their files written in
``files``. Nothing here ever sees an answer of a unit.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

import pandas as pd

from pipeline.catalogue import Catalogue, Package
from pipeline.contracts import columns, conform, table
from pipeline.release.codelists import (
    category_rows,
    codebook_rows,
    domain_rows,
    indicator_rows,
    translation_rows,
)
from pipeline.release.sources import crosswalk_rows, wave_row

PUBLISHED = (
    "estimates",
    "comparisons",
    "benchmarks",
    "trends",
    "waves",
    "indicators",
    "categories",
    "domains",
    "codebook",
    "crosswalk",
    "reasons",
    "errata",
    "revisions",
    "translations",
)
COMPARED = ("comparisons", "benchmarks", "trends", "reasons", "errata")
FORMULA = ("=", "+", "-", "@", "\t")  # the first characters of texts that a spreadsheet runs
NOTHING: Mapping[str, pd.DataFrame] = MappingProxyType({})
Row = dict[str, Any]


def published_tables(
    catalogue: Catalogue,
    estimates: pd.DataFrame,
    used: Mapping[str, int],
    package: Package | None = None,
    compared: Mapping[str, pd.DataFrame] = NOTHING,
) -> dict[str, pd.DataFrame]:
    """Every published table by name: of one package, or of all waves when none is named.

    ``estimates``: as protected, of every wave that is built. ``used``: the waves that are built, each
    with the number of units its estimates rest on (0 for published figures). ``compared``: the tables
    ``COMPARED``, as they may be published; those left out are empty. Waves that are not built
    are in none of the tables. ``revisions`` is empty, and filled in by ``revision_table``. Raises
    ProblemError when a table breaks its contract.
    """
    waves = [wave for key, wave in sorted(catalogue.waves.items()) if key in used]
    waves = [wave for wave in waves if package in (None, catalogue.package_of(wave))]
    own = estimates[estimates["wave"].isin([wave.key for wave in waves])]
    made: dict[str, pd.DataFrame | Iterable[Row]] = {
        "estimates": own,
        "waves": (wave_row(wave, catalogue, used[wave.key]) for wave in waves),
        "indicators": indicator_rows(catalogue, own),
        "categories": category_rows(catalogue, own),
        "domains": domain_rows(catalogue, own),
        "codebook": codebook_rows(catalogue),
        "crosswalk": crosswalk_rows(catalogue, waves),
        "revisions": (),
        "translations": translation_rows(catalogue),
    }
    keys = {wave.key for wave in waves}
    made |= {name: _of_waves(compared[name], keys) if name in compared else () for name in COMPARED}
    return {name: _without_formulas(conform(_frame(made[name], name), name), name) for name in PUBLISHED}


def _of_waves(frame: pd.DataFrame, keys: set[str]) -> pd.DataFrame:
    """The rows about these waves; a row about two is about both."""
    named = [name for name in ("wave", "wave_a", "wave_b", "first_wave", "last_wave") if name in frame]
    return frame[frame[named].isin(keys).all(axis=1)] if named else frame


def _frame(rows: pd.DataFrame | Iterable[Row], name: str) -> pd.DataFrame:
    named = columns(name)
    return rows[named] if isinstance(rows, pd.DataFrame) else pd.DataFrame(list(rows), columns=named)


def _without_formulas(frame: pd.DataFrame, name: str) -> pd.DataFrame:
    texts = [field["name"] for field in table(name)["fields"] if field["type"] == "string"]
    neutral = {text: harmless(text) for column in texts for text in frame[column].unique()}
    return frame.assign(**{column: frame[column].map(neutral).astype("str") for column in texts})


def harmless(text: str) -> str:
    """A text that is safe to open in a spreadsheet: one that would run as a formula is given an apostrophe.

    A signed number stays as it is. Line ends become line feeds.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    signed_number = text[1:].replace(".", "", 1).isdecimal()
    return f"'{text}" if text.startswith(FORMULA) and not signed_number else text
