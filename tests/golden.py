"""Runs a barometer of one wave through the core, without Dagster, and looks up reference results."""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.catalogue import Catalogue, Wave, load_catalogue
from pipeline.estimation import Cells, Specification, estimate_wave, wave_statistics
from pipeline.estimation.contrasts import EstimateCovariance
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
    assert not catalogue.problems, [str(problem) for problem in catalogue.problems]
    (wave,) = catalogue.waves.values()
    return estimated(wave, catalogue, root)


def estimated(wave: Wave, catalogue: Catalogue, root: Path) -> Estimated:
    """The estimates of a wave, from its raw file."""
    raw = read_raw(fetch(wave, root), wave.source)
    weighted = weigh(harmonise(raw.frame, wave, catalogue).answers, wave, catalogue)
    cells = wave_statistics(weighted.answers, wave, catalogue)
    return Estimated(
        weighted, cells, estimate_wave(cells, Specification.of(wave, catalogue)), wave, catalogue
    )


def reference(shared: Path, file: str, case: str) -> list[dict[str, str]]:
    """The rows of one case, computed with R 4.2 and survey 4.1-1."""
    with (shared / "reference" / file).open(encoding="utf-8", newline="") as opened:
        return [row for row in csv.DictReader(opened) if row["case"] == case]


def close(found: float, wanted: str | float, relative: float = 1e-9, absolute: float = 1e-9) -> bool:
    return math.isclose(float(found), float(wanted), rel_tol=relative, abs_tol=absolute)


def rao_scott(table: EstimateCovariance, rows: int, columns: int, n: int) -> tuple[float, float]:
    """F and its first degrees of freedom of R's ``svychisq(statistic = "F")`` from a table of shares."""
    p, v = table.values / 100, table.covariance / 100**2
    row, column = np.divmod(np.arange(rows * columns), columns)
    main = np.column_stack(
        [np.ones_like(p), *(row == i for i in range(1, rows)), *(column == j for j in range(1, columns))]
    )
    cross = np.column_stack(
        [(row == i) & (column == j) for i, j in product(range(1, rows), range(1, columns))]
    )
    cross = cross - main @ np.linalg.lstsq(main, cross.astype(float), rcond=None)[0]
    inverse = np.diag(1 / p)
    delta = np.linalg.solve(cross.T @ inverse @ cross / n, cross.T @ inverse @ v @ inverse @ cross)
    expected = np.outer(p.reshape(rows, columns).sum(1), p.reshape(rows, columns).sum(0)).reshape(-1)
    pearson = n * ((p - expected) ** 2 / expected).sum()
    return pearson / np.trace(delta), np.trace(delta) ** 2 / np.trace(delta @ delta)
