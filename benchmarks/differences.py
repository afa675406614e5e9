"""Do the tests of differences keep their word? Two samples of one population, compared again and again.

Between the samples nothing differs, so every alarm is false; between a cell and its whole, and between two
scopes, the true difference is known. Every replication has a seed of its own: it repeats to the digit.
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
from pipeline.comparison.significance import adjusted, few, homogeneity, independent, t_test
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
            known = column[np.isfinite(column)]
            if len(known):
                rows.append(
                    {
                        "design": design,
                        "measure": "all",
                        "case": case,
                        "false_alarms": round(100 * float(known.mean()), 1),
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
    """One sample through the product."""

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

    def at(self, place: tuple[str, str, str, str], narrow: bool = False) -> tuple[np.ndarray, ...]:
        frame = self.narrow if narrow else self.whole
        row = frame.loc[place].to_numpy(dtype=float)
        return tuple(np.array([number]) for number in row[:3])


def _batch(design: str, first: int) -> tuple[np.ndarray, np.ndarray]:
    """Differences (replications x cases x value, low, high, p) and alarms of families and distributions."""
    made, alarms = [], []
    with TemporaryDirectory(prefix="benchmark-") as root, DuckDB(threads=1) as engine:
        catalogue, wave = _prepared(Path(root), design)
        for number in range(first, first + BATCH):
            random = np.random.default_rng([20261123, DESIGNS.index(design), number])
            one, other = (_Sample(random, design, catalogue, wave, engine) for _ in range(2))
            made.append(
                [_compared(case, MEASURES[measure], one, other) for measure in MEASURES for case in CASES]
            )
            alarms.append(_alarms(one, other, design))
    return np.array(made), np.array(alarms)


def _compared(case: str, measure: tuple[str, str], one: _Sample, other: _Sample) -> list[float]:
    total = (*measure, "total", "")
    if case == "two samples":
        found = independent(one.at(total), other.at(total), LEVEL)
    elif case == "their sectors":
        place = (*measure, "sector", "sector3")
        found = independent(one.at(place), other.at(place), LEVEL)
    elif case == "two samples, one scope":
        found = independent(one.at(total, narrow=True), other.at(total, narrow=True), LEVEL)
    elif case == "two scopes":
        found = independent(one.at(total, narrow=True), other.at(total), LEVEL)
    elif case == "two samples, one mix":
        sides = []
        for sample in (one, other):
            value, error = standardise(sample.contrasts, MIX, tuple(MIX.shares), measure, sample.catalogue)
            sides.append((np.array([value]), np.array([error]), sample.at(total)[2]))
        found = independent(sides[0], sides[1], LEVEL)
    else:
        joint = one.contrasts.between(*measure, [("sector", "sector3"), ("total", "")])
        value, error = joint.difference(0, 1)
        found = t_test(np.array([value]), np.array([error]), one.at(total)[2], LEVEL)
    parts = [(*measure, *CELLS.get(case, ("total", "")))]
    rare = measure[0] == "q" and any(_few(sample, place) for sample in (one, other) for place in parts)
    said = [float(part[0]) for part in (found.value, found.low, found.high, found.p)]
    return [said[0], np.nan, np.nan, np.nan] if rare else said


def _few(sample: _Sample, place: tuple[str, str, str, str]) -> bool:
    row = sample.whole.loc[place]
    return bool(few(np.array([row["value"]]), np.array([row["n"]]))[0])


def _alarms(one: _Sample, other: _Sample, design: str) -> tuple[float, float, float]:
    """Whether a family without any difference raised one alarm at least, and whether a distribution did."""
    places = [place for place in FAMILY if place in one.whole.index and place in other.whole.index]
    p = np.array([independent(one.at(place), other.at(place), LEVEL).p[0] for place in places])
    p[[_few(one, place) or _few(other, place) for place in places]] = np.nan
    limit = 1 - LEVEL
    distribution = np.nan
    if design != "raked":  # where the distribution is a margin, it has no error
        joints = [sample.contrasts.shares("kind") for sample in (one, other)]
        n = [float(sample.whole.loc[("kind", "sector0", "total", ""), "n"]) for sample in (one, other)]
        df = sum(float(sample.at(("kind", "sector0", "total", ""))[2][0]) for sample in (one, other))
        found = homogeneity([j.values / 100 for j in joints], [j.covariance / 100**2 for j in joints], n, df)
        distribution = float(found.p < limit)
    return float(np.nanmin(p) < limit), float(np.nanmin(adjusted(p)) < limit), distribution


def _behaviour(made: np.ndarray, measure: str, case: str) -> dict[str, object]:
    known = made[np.isfinite(made[:, 3])]
    true = _true(measure, case)
    if len(known) < 50:
        return {"true": round(true, 2), "untested": round(100 * (1 - len(known) / len(made)), 1)}
    value, low, high, p = known.T
    said = {
        "true": round(true, 2),
        "bias": round(float(value.mean() - true), 3),
        "bias_error": round(float(value.std(ddof=1)) / len(value) ** 0.5, 3),
        "coverage": round(100 * float(((low <= true) & (true <= high)).mean()), 1),
        "width": round(float((high - low).mean()), 2),
        "untested": round(100 * (1 - len(known) / len(made)), 1),
    }
    return said | ({"false_alarms": round(100 * float((p < 1 - LEVEL).mean()), 1)} if true == 0 else {})


def _true(measure: str, case: str) -> float:
    """The difference in the population."""
    known, place = truth(), MEASURES[measure]
    whole = known[(*place, "total", "")]
    if case == "cell and whole":
        return known[(*place, "sector", "sector3")] - whole
    if case == "two scopes":
        units = population()
        inside = units[units["sector"].isin([0, 1])]
        column = place[1] if place[0] == "q" else "score"
        return float(inside[column].mean()) * (100 if place[0] == "q" else 1) - whole
    return 0.0
