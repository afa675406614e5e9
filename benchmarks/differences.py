"""Do the tests of differences have their nominal level? Two samples of one population, compared repeatedly.

The samples do not differ, so every alarm is false; between a cell and its total, and between two scopes, the
true difference is known. Every replication has its own seed, so that results repeat exactly.
"""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd

from benchmarks import report
from benchmarks.population import SAMPLES, answers, declared, population, truth
from pipeline.catalogue import Catalogue, Composition, CrosswalkRow, Indicator, Question, Wave
from pipeline.comparison import standardise
from pipeline.comparison.shared_scope import restricted
from pipeline.comparison.significance import adjusted, homogeneity, independent, t_test, too_few_cases
from pipeline.estimation import Cells, Specification, estimate_wave, wave_statistics
from pipeline.estimation.contrasts import Contrasts
from pipeline.estimation.engine import DuckDB
from pipeline.weighting import weigh

REPLICATIONS, BATCH, LEVEL = 500, 25, 0.95
DESIGNS = ("stratified", "clustered", "raked")
MEASURES = {"rare share": ("q", "rare"), "common share": ("q", "common"), "mean": ("score", "mean")}
SCOPE = {"sector": ("sector0", "sector1")}
MIX = Composition("even", "sector", "Even", {"sector0": 1.0, "sector1": 1.0, "sector2": 1.0})
CASES = (
    "two samples",
    "their sectors",
    "two samples, one scope",
    "two scopes",
    "two samples, one mix",
    "cell and whole",
)
CELLS = {"their sectors": ("sector", "sector3"), "cell and whole": ("sector", "sector3")}
FAMILY = [("q", item, domain, code) for item in ("rare", "common") for domain, code in (
    ("total", ""), *(("sector", f"sector{n}") for n in range(4)),
    *(("region_sector", f"region{r}*sector{s}") for r in range(3) for s in range(2)),
)]  # fmt: skip


def run() -> None:
    """All designs, all replications: coverage, false alarms, and the same for families and distributions."""
    jobs = [(design, first) for design in DESIGNS for first in range(0, REPLICATIONS, BATCH)]
    with ProcessPoolExecutor() as pool:
        drawn = list(pool.map(_batch, *zip(*jobs, strict=True)))
    rows = []
    for design in DESIGNS:
        parts = [part for part, job in zip(drawn, jobs, strict=True) if job[0] == design]
        made = np.concatenate([part[0] for part in parts])
        alarms = np.concatenate([part[1] for part in parts])
        for number, (measure, case) in enumerate((m, c) for m in MEASURES for c in CASES):
            rows.append(
                {"design": design, "measure": measure, "case": case}
                | _behaviour(made[:, number], measure, case)
            )
        for case, column in zip(
            ("family, unadjusted", "family, adjusted", "distribution"), alarms.T, strict=True
        ):
            tested = column[np.isfinite(column)]
            if len(tested):
                rows.append(
                    {
                        "design": design,
                        "measure": "all",
                        "case": case,
                        "false_alarms": round(100 * float(tested.mean()), 1),
                    }
                )
    title = f"{REPLICATIONS:,} pairs of samples a design: differences, 95 % intervals and false alarms"
    report.keep("differences", title, rows, replications=REPLICATIONS)


def _prepared(root: Path, design: str) -> tuple[Catalogue, Wave]:
    """The population's survey, with the sector as a single-choice question too."""
    catalogue, wave = declared(root, design)
    codes = {f"sector{code}": "" for code in range(5)}
    instrument = catalogue.instruments["bench"]
    rows = (*instrument.crosswalk, *(CrosswalkRow(1, "kind", "1", "kind", code) for code in codes))
    return replace(
        catalogue,
        questions={**catalogue.questions, "kind": Question("kind", "single", "", codes=codes)},
        indicators={**catalogue.indicators, "kind": Indicator("kind", "", "all", question="kind")},
        instruments={"bench": replace(instrument, crosswalk=rows)},
    ), wave  # fmt: skip


class _Sample:
    """One sample, weighted and estimated by the product."""

    def __init__(
        self, random: np.random.Generator, design: str, catalogue: Catalogue, wave: Wave, engine: DuckDB
    ):
        frame = answers(SAMPLES[design](random), design)
        frame = frame.assign(kind=frame["sector"])
        self.cells = wave_statistics(weigh(frame, wave, catalogue).answers, wave, catalogue, engine)
        self.catalogue, self.wave = catalogue, wave
        self.whole = self._estimates(self.cells)
        with np.errstate(divide="ignore", invalid="ignore"):
            self.narrow = self._estimates(restricted(self.cells, SCOPE))
        self.contrasts = Contrasts.of(self.cells, Specification.of(wave, catalogue))

    def _estimates(self, cells: Cells) -> pd.DataFrame:
        frame = estimate_wave(cells, Specification.of(self.wave, self.catalogue))
        return frame.set_index(["indicator", "category", "domain", "domain_code"])[["value", "se", "df", "n"]]

    def at(self, cell: tuple[str, str, str, str], narrow: bool = False) -> tuple[np.ndarray, ...]:
        frame = self.narrow if narrow else self.whole
        row = frame.loc[cell].to_numpy(dtype=float)
        return tuple(np.array([number]) for number in row[:3])


def _batch(design: str, first: int) -> tuple[np.ndarray, np.ndarray]:
    """Differences (replications x cases x value, low, high, p) and alarms of families and distributions."""
    made, alarms = [], []
    with TemporaryDirectory(prefix="benchmark-") as root, DuckDB(threads=1) as engine:
        catalogue, wave = _prepared(Path(root), design)
        for number in range(first, first + BATCH):
            random = np.random.default_rng([20261123, DESIGNS.index(design), number])
            a, b = (_Sample(random, design, catalogue, wave, engine) for _ in range(2))
            made.append([_compared(case, MEASURES[measure], a, b) for measure in MEASURES for case in CASES])
            alarms.append(_alarms(a, b, design))
    return np.array(made), np.array(alarms)


def _compared(case: str, measure: tuple[str, str], a: _Sample, b: _Sample) -> list[float]:
    total = (*measure, "total", "")
    if case == "two samples":
        found = independent(a.at(total), b.at(total), LEVEL)
    elif case == "their sectors":
        cell = (*measure, "sector", "sector3")
        found = independent(a.at(cell), b.at(cell), LEVEL)
    elif case == "two samples, one scope":
        found = independent(a.at(total, narrow=True), b.at(total, narrow=True), LEVEL)
    elif case == "two scopes":
        found = independent(a.at(total, narrow=True), b.at(total), LEVEL)
    elif case == "two samples, one mix":
        sides = []
        for sample in (a, b):
            value, error = standardise(sample.contrasts, MIX, tuple(MIX.shares), measure, sample.catalogue)
            sides.append((np.array([value]), np.array([error]), sample.at(total)[2]))
        found = independent(sides[0], sides[1], LEVEL)
    else:
        joint = a.contrasts.between(*measure, [("sector", "sector3"), ("total", "")])
        value, error = joint.difference(0, 1)
        found = t_test(np.array([value]), np.array([error]), a.at(total)[2], LEVEL)
    parts = [(*measure, *CELLS.get(case, ("total", "")))]
    too_few = measure[0] == "q" and any(_few(sample, cell) for sample in (a, b) for cell in parts)
    shown = [float(part[0]) for part in (found.value, found.low, found.high, found.p)]
    return [shown[0], np.nan, np.nan, np.nan] if too_few else shown


def _few(sample: _Sample, cell: tuple[str, str, str, str]) -> bool:
    row = sample.whole.loc[cell]
    return bool(too_few_cases(np.array([row["value"]]), np.array([row["n"]]))[0])


def _alarms(a: _Sample, b: _Sample, design: str) -> tuple[float, float, float]:
    """Whether a family without any difference raised one alarm at least, and whether a distribution did."""
    cells = [cell for cell in FAMILY if cell in a.whole.index and cell in b.whole.index]
    p = np.array([independent(a.at(cell), b.at(cell), LEVEL).p[0] for cell in cells])
    p[[_few(a, cell) or _few(b, cell) for cell in cells]] = np.nan
    limit = 1 - LEVEL
    distribution = np.nan
    if design != "raked":  # where the distribution is a margin, it has no error
        joints = [sample.contrasts.shares("kind") for sample in (a, b)]
        n = [float(sample.whole.loc[("kind", "sector0", "total", ""), "n"]) for sample in (a, b)]
        df = sum(float(sample.at(("kind", "sector0", "total", ""))[2][0]) for sample in (a, b))
        found = homogeneity([j.values / 100 for j in joints], [j.covariance / 100**2 for j in joints], n, df)
        distribution = float(found.p < limit)
    return float(np.nanmin(p) < limit), float(np.nanmin(adjusted(p)) < limit), distribution


def _behaviour(made: np.ndarray, measure: str, case: str) -> dict[str, object]:
    tested = made[np.isfinite(made[:, 3])]
    true = _true(measure, case)
    if len(tested) < 50:
        return {"true": round(true, 2), "untested": round(100 * (1 - len(tested) / len(made)), 1)}
    value, low, high, p = tested.T
    shown = {
        "true": round(true, 2),
        "bias": round(float(value.mean() - true), 3),
        "bias_error": round(float(value.std(ddof=1)) / len(value) ** 0.5, 3),
        "coverage": round(100 * float(((low <= true) & (true <= high)).mean()), 1),
        "width": round(float((high - low).mean()), 2),
        "untested": round(100 * (1 - len(tested) / len(made)), 1),
    }
    return shown | ({"false_alarms": round(100 * float((p < 1 - LEVEL).mean()), 1)} if true == 0 else {})


def _true(measure: str, case: str) -> float:
    """The difference in the population."""
    true, key = truth(), MEASURES[measure]
    whole = true[(*key, "total", "")]
    if case == "cell and whole":
        return true[(*key, "sector", "sector3")] - whole
    if case == "two scopes":
        units = population()
        inside = units[units["sector"].isin([0, 1])]
        column = key[1] if key[0] == "q" else "score"
        return float(inside[column].mean()) * (100 if key[0] == "q" else 1) - whole
    return 0.0
