"""Runs a barometer of one wave through the core, without Dagster, and looks up reference results."""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from pipeline.catalogue import Catalogue, Wave, load_catalogue
from pipeline.estimation import Cells, estimate_wave, wave_statistics
from pipeline.harmonise import harmonise
from pipeline.sources import fetch, read_raw
from pipeline.weighting import Weighted, weigh


@dataclass(frozen=True)
class Estimated:
    weighted: Weighted
    cells: Cells
    estimates: pd.DataFrame
    wave: Wave
    catalogue: Catalogue

    def cell(self, indicator: str, category: str, domain: str = "total", code: str = "") -> pd.Series:
        rows = self.estimates.query(
            "indicator == @indicator and category == @category and domain == @domain and domain_code == @code"
        )
        assert len(rows) == 1, f"{indicator}/{category} in {domain}/{code}: {len(rows)} rows"
        return rows.iloc[0]


def estimate(root: Path) -> Estimated:
    """The estimates of the only wave of a barometer."""
    catalogue = load_catalogue(root)
    assert not catalogue.faults, [str(fault) for fault in catalogue.faults]
    (wave,) = catalogue.waves.values()
    raw = read_raw(fetch(wave, root), wave.source)
    weighted = weigh(harmonise(raw.frame, wave, catalogue).answers, wave, catalogue)
    cells = wave_statistics(weighted.answers, wave, catalogue)
    return Estimated(weighted, cells, estimate_wave(cells, wave, catalogue), wave, catalogue)


def reference(shared: Path, file: str, case: str) -> list[dict[str, str]]:
    """The rows of one case, computed with R 4.2 and survey 4.1-1."""
    with (shared / "reference" / file).open(encoding="utf-8", newline="") as opened:
        return [row for row in csv.DictReader(opened) if row["case"] == case]


def close(found: float, wanted: str | float, relative: float = 1e-9, absolute: float = 1e-9) -> bool:
    return math.isclose(float(found), float(wanted), rel_tol=relative, abs_tol=absolute)
