"""Do intervals cover, and are estimates unbiased? Repeated samples of one population, through the product.

Four designs of one population, shares of 2 % and of 40 % and a mean, in the whole and in ever smaller
domains. Every replication has its own seed, so that results repeat exactly.
"""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd

from benchmarks import report
from benchmarks.population import SAMPLES, answers, declared, truth
from pipeline.estimation import Specification, estimate_wave, wave_statistics
from pipeline.estimation.engine import DuckDB
from pipeline.weighting import weigh

REPLICATIONS, BATCH = 1_000, 50
CELLS = {
    "total": ("total", ""),
    "sector of 45 %": ("sector", "sector0"),
    "sector of 4 %": ("sector", "sector4"),
    "that in a region": ("region_sector", "region2*sector4"),
}
MEASURES = {"rare share": ("q", "rare"), "common share": ("q", "common"), "mean": ("score", "mean")}
COLUMNS = ["n", "value", "se", "ci_low", "ci_high"]


def run() -> None:
    """All designs, all replications; the table says what every cell's interval did."""
    jobs = [(design, first) for design in SAMPLES for first in range(0, REPLICATIONS, BATCH)]
    with ProcessPoolExecutor() as pool:
        drawn = list(pool.map(_batch, *zip(*jobs, strict=True)))
    rows = []
    for design in SAMPLES:
        made = np.concatenate([part for part, job in zip(drawn, jobs, strict=True) if job[0] == design])
        rows += [
            {"design": design} | _behaviour(made[:, number], *each)
            for number, each in enumerate(_measures_and_cells())
        ]
    title = f"{REPLICATIONS:,} samples a design: bias, standard error and 95 % intervals"
    report.keep("simulation", title, rows, replications=REPLICATIONS)


def _measures_and_cells() -> list[tuple[str, str]]:
    return [(measure, cell) for measure in MEASURES for cell in CELLS]


def _batch(design: str, first: int) -> np.ndarray:
    """Estimates of some replications: replications x (measure, cell) x columns; NaN where there is none."""
    keys = [(*MEASURES[measure], *CELLS[cell]) for measure, cell in _measures_and_cells()]
    wanted = pd.MultiIndex.from_tuples(keys)
    made = []
    with TemporaryDirectory(prefix="benchmark-") as root, DuckDB(threads=1) as engine:
        catalogue, wave = declared(Path(root), design)
        for number in range(first, first + BATCH):
            random = np.random.default_rng([20261122, list(SAMPLES).index(design), number])
            weighted = weigh(answers(SAMPLES[design](random), design), wave, catalogue).answers
            frame = estimate_wave(
                wave_statistics(weighted, wave, catalogue, engine), Specification.of(wave, catalogue)
            )
            frame = frame.set_index(["indicator", "category", "domain", "domain_code"])[COLUMNS]
            made.append(frame.reindex(wanted).to_numpy(dtype=float))
    return np.array(made)


def _behaviour(made: np.ndarray, measure: str, cell: str) -> dict[str, object]:
    """Bias, spread and coverage of one cell; ``made``: replications x columns."""
    true = truth()[(*MEASURES[measure], *CELLS[cell])]
    n, value, se, low, high = made[np.isfinite(made[:, 3]) & np.isfinite(made[:, 4])].T
    spread = float(value.std(ddof=1))
    return {
        "measure": measure,
        "cell": cell,
        "n": round(float(n.mean()), 1),
        "true": round(true, 2),
        "bias": round(float(value.mean() - true), 3),
        "bias_error": round(spread / len(value) ** 0.5, 3),
        "sd": round(spread, 3),
        "se_over_sd": round(float(np.sqrt((se**2).mean())) / spread, 3),
        "coverage": round(100 * float(((low <= true) & (true <= high)).mean()), 1),
        "missed_low": round(100 * float((high < true).mean()), 1),
        "missed_high": round(100 * float((low > true).mean()), 1),
        "width": round(float((high - low).mean()), 2),
        "without": len(made) - len(value),
    }
