"""quality.json: counts by reason, response and n, from published tables only."""

from __future__ import annotations

import json
from pathlib import Path

from pipeline.catalogue import load_catalogue
from pipeline.disclosure import audit, protect
from pipeline.release.quality import quality
from tests.cells import cell, estimates


def test_cells_are_counted_by_what_became_of_them(barometer: Path) -> None:
    catalogue = load_catalogue(barometer)
    places = [("", 400), ("care", 5), ("school", 300), ("court", 95)]
    rows = [
        cell(domain="sector" if code else "total", domain_code=code, n=n, m=n // 2, fraction=0.1)
        for code, n in places
    ]
    table = protect(estimates(*rows), catalogue)
    report = audit([("candidate", {"estimates": table})], catalogue).report
    package = next(iter(catalogue.barometer.packages.values()))
    told = json.loads(quality(catalogue, package, {"estimates": table}, report))
    assert told["cells"]["suppressed"] == {"primary": 1, "secondary": 1, "quality": 0}
    assert told["cells"]["published"] == 2
    assert told["waves"]["dk-2020"]["response_rate"] == 50.0
    assert told["audit"]["recovered_by_subtraction"] == {"primary_only": 1, "as_published": 0}
    assert told["audit"]["pinned_cells"] == 0
