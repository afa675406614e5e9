"""quality.json: counts by reason, response and n, from published tables only."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipeline.catalogue import load_catalogue
from pipeline.disclosure import audit, protect
from pipeline.release.quality import quality
from tests.barometers import edit
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
    told = json.loads(quality(catalogue, package, {"estimates": table}, report, {}, {}))
    assert told["cells"]["suppressed"] == {"primary": 1, "secondary": 1, "quality": 0}
    assert told["cells"]["published"] == 2
    assert told["waves"]["dk-2020"]["response_rate"] == 50.0
    assert told["audit"]["recovered_by_subtraction"] == {"primary_only": 1, "as_published": 0}
    assert told["audit"]["pinned_cells"] == 0


def test_what_nobody_declared_is_said_to_be_unknown(barometer: Path) -> None:
    edit(barometer / "schemas/waves/dk-2020.toml", "sample = 160\n", "")
    edit(barometer / "schemas/waves/dk-2020.toml", "panel = false\n", "")
    catalogue = load_catalogue(barometer)
    package = next(iter(catalogue.barometer.packages.values()))
    table = estimates(cell(), cell(wave="no-2020", source_kind="figures"))
    counts = {"dk-2020": {"strata": 7, "lonely_psus": 2}}
    waves = json.loads(quality(catalogue, package, {"estimates": table}, {}, counts, {}))["waves"]
    facts = ("population", "sample", "respondents", "response_rate", "mode", "weighting", "panel", "design")
    assert [waves["no-2020"][name] for name in facts] == ["unknown"] * 8
    assert [waves["dk-2020"][name] for name in facts] == [
        400, "unknown", 80, "unknown", "unknown", "rake", "unknown",
        {"stratified": True, "clustered": False, "strata": 7, "lonely_psus": 2, "lonely_psu": "certainty"},
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("method", "told"), [("none", "none"), ("unspecified", "unspecified"), ("rake", "rake"), ("", "unknown")]
)
def test_weights_that_nobody_described_are_not_taken_for_none(
    method: str, told: str, barometer: Path
) -> None:
    wave = barometer / "schemas/waves/no-2020.toml"
    declared = f'\n[weighting]\nmethod = "{method}"\n' if method else ""
    wave.write_text(wave.read_text(encoding="utf-8") + declared, encoding="utf-8")
    catalogue = load_catalogue(barometer)
    package = next(iter(catalogue.barometer.packages.values()))
    table = estimates(cell(wave="no-2020", source_kind="figures"))
    waves = json.loads(quality(catalogue, package, {"estimates": table}, {}, {}, {}))["waves"]
    assert waves["no-2020"]["weighting"] == told
