"""Cells that are hidden for others are held to a width of their own."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from pipeline.catalogue import Catalogue
from pipeline.disclosure import audit, protect
from pipeline.disclosure.published import decided, published
from pipeline.disclosure.published_view import view
from pipeline.disclosure.rules import live_rows, verdicts, with_base_indicators, with_none
from pipeline.disclosure.secondary import _WaveSuppression
from tests.cells import estimates
from tests.test_disclosure_attack import printing, problems
from tests.test_disclosure_audit import REGIONS, SECTORS, N
from tests.test_disclosure_value_bounds import estimated, rare

SHARES = np.array([[0.4, 0.4, 0.4], [0.3, 0.35, 0.5], [0.0, 0.0, 0.0]])


def held(catalogue: Catalogue, width: float) -> Catalogue:
    rules = replace(catalogue.barometer.disclosure, secondary_width=width)
    return replace(catalogue, barometer=replace(catalogue.barometer, disclosure=rules))


def nobody() -> pd.DataFrame:
    """Of courts nobody says yes; of care*north 6 answered, and it is hidden."""
    every = {("total", ""): (slice(None), slice(None))}
    every |= {("sector", code): (slice(i, i + 1), slice(None)) for i, code in enumerate(SECTORS)}
    every |= {("region", code): (slice(None), slice(j, j + 1)) for j, code in enumerate(REGIONS)}
    every |= {
        ("sector_region", f"{sector}*{region}"): (slice(i, i + 1), slice(j, j + 1))
        for i, sector in enumerate(SECTORS)
        for j, region in enumerate(REGIONS)
    }
    rows = []
    for (domain, code), part in every.items():
        n = int(N[part].sum())
        share = float((N * SHARES)[part].sum()) / n
        rows.append(estimated(share, n, 1.1, max(n - 9, 1), domain=domain, domain_code=code))
    return estimates(*rows)


def test_what_is_chosen_for_primary_cells_alone_fails(catalogue: Catalogue) -> None:
    """A sector of which nobody says yes tells that of each of its cells, hidden or not."""
    loose = protect(nobody(), held(catalogue, 0.0))
    assert problems(held(catalogue, 0.0), loose) == []
    found = problems(held(catalogue, 0.5), loose)
    assert found and all(
        "court*" in problem and "0.5 points (secondary_width)" in problem for problem in found
    )
    assert problems(held(catalogue, 0.5), protect(nobody(), held(catalogue, 0.5))) == []


def test_a_cell_that_only_a_secondary_one_needs_fails_when_it_is_shown(catalogue: Catalogue) -> None:
    made = held(catalogue, 0.5)
    frame = protect(nobody(), made)
    place = frame.index[frame["domain_code"] == "court"][0]
    assert frame.loc[place, "conf_status"] == "D"
    shown = {"value": 0.0, "se": 0.0, "ci_low": 0.0, "n": 210, "obs_status": "A", "conf_status": "F"}
    frame.loc[place, [*shown]] = [*shown.values()]
    found = problems(made, frame)
    assert any("court*" in problem and "secondary_width" in problem for problem in found)


def test_what_is_attacked_while_choosing_is_what_is_published(catalogue: Catalogue) -> None:
    """Beside a hidden cell the design effect is blank there too: with it, more would seem disclosed."""
    made = printing(catalogue, 0)
    frame = with_base_indicators(rare().assign(ci_low=np.nan, ci_high=np.nan), made)
    choosing = _WaveSuppression(frame, with_none(verdicts(frame[live_rows(frame)], made), frame), made)
    decisions = choosing.settled()
    attacked, shown = choosing._seen(), view(published(decided(frame, decisions), made), made)
    both = np.isfinite(shown.low)
    assert (choosing.open.low > shown.low)[both].any(), "a design effect tells more than nothing"
    for name in ("n", "low", "high", "primary", "secondary"):
        np.testing.assert_array_equal(getattr(attacked, name), getattr(shown, name), name)


def test_the_report_counts_secondary_cells(catalogue: Catalogue) -> None:
    report = audit([("candidate", {"estimates": protect(nobody(), held(catalogue, 0.0))})], catalogue).report
    assert report["audited_secondary"] == 5 and report["pinned_secondary"] == 2
    assert report["pinned_secondary"] <= report["secondary_closer_than_audit_width"] <= 5
    assert report["audited_cells"] == 1 and report["pinned_cells"] == 0
