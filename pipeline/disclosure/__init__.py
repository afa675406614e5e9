"""Disclosure control: what of an estimate may be published, and what an outsider could work out from it."""

from __future__ import annotations

import pandas as pd

from pipeline.catalogue.model import Catalogue
from pipeline.disclosure.audit import Audit, audit
from pipeline.disclosure.linkage import base_indicator
from pipeline.disclosure.published import MEASURES, decided, decimals_of, half_up, published
from pipeline.disclosure.rules import live_rows, verdicts, with_base_indicators, with_none
from pipeline.disclosure.scoped_suppression import protect_scoped
from pipeline.disclosure.secondary import with_secondary
from pipeline.disclosure.tables import AUDITED

__all__ = [
    "AUDITED",
    "MEASURES",
    "Audit",
    "audit",
    "base_indicator",
    "decimals_of",
    "half_up",
    "protect",
    "protect_scoped",
]


def protect(estimates: pd.DataFrame, catalogue: Catalogue) -> pd.DataFrame:
    """The estimates as they may be published: hidden, flagged and rounded, in the published columns.

    ``estimates``: the columns of the table ``estimates``, unrounded, and of ``precision``. Percent
    runs 0-100, widths are in points. The order of the rows is kept. A cell is
    - hidden with its n (Q, C) by the primary rules of confidentiality (``rules``);
    - hidden with its n (Q, D) where it would give such a cell away (``secondary``);
    - left out but for its n (Q, F), or flagged (U), by the rules of quality (``rules``);
    - shown with its n rounded and no deff where a cell of a sum it belongs to is hidden (``published``).
    """
    frame = with_base_indicators(estimates, catalogue)
    made = verdicts(frame[live_rows(frame)], catalogue)
    if catalogue.barometer.disclosure.secondary:
        made = with_secondary(frame[frame["source_kind"] == "microdata"], with_none(made, frame), catalogue)
    else:
        made = made.assign(beside=False)
    return published(decided(frame, made), catalogue)
