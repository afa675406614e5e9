"""Calibrating a million rows to four margins: on the collapsed cells, and from answers to weights."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks import data, report
from benchmarks.task import folder
from benchmarks.timing import interleaved
from pipeline.catalogue import Catalogue, CrosswalkRow, Design, Variable, Wave, Weighting
from pipeline.weighting import weigh
from pipeline.weighting.calibration import Calibrated, calibrate, exponential, linear

ROWS = 1_000_000
MARGINS = {"age": 5, "size": 6, "region": 4, "owner": 3}
MILLISECONDS = 20.0  # on collapsed cells
WHOLE = 5.0  # times that, from answers to weights
DISTANCES = {"rake": exponential, "linear": linear}


def run() -> None:
    """Both methods, with start weights constant in a stratum and with every unit's own."""
    rows = []
    for own in (False, True):
        for method in DISTANCES:
            with folder() as root:
                rows.append(_measured(Task.made(root, method, own)) | {"weights": "own" if own else "equal"})
    report.keep("calibration", f"{ROWS:,} rows to margins of {_levels()} levels (milliseconds)", rows)


def _levels() -> str:
    return " + ".join(map(str, MARGINS.values()))


def _measured(task: Task) -> dict[str, object]:
    medians = interleaved({"cells": task.on_cells, "whole": task.whole}, 5)
    made = task.on_cells()
    weights = task.whole().answers["weight"].to_numpy()
    assert np.allclose(weights, task.start_weights * made.factors[task.cell], rtol=1e-9)
    cells, whole = medians["cells"] * 1e3, medians["whole"] * 1e3
    return {
        "method": task.method,
        "cells": report.digits(cells),
        "target": MILLISECONDS,
        "whole": report.digits(whole),
        "whole_target": WHOLE * MILLISECONDS,
        "ratio": report.digits(whole / cells),
        "steps": made.iterations,
        "gap": report.digits(float(made.gaps(task.totals).max())),
    }


@dataclass(frozen=True)
class Task:
    """Answers that do not match their population, and the same collapsed to cells of the margins."""

    method: str
    answers: pd.DataFrame
    wave: Wave
    catalogue: Catalogue
    start: np.ndarray  # start weights by cell
    design: np.ndarray  # cells x totals
    totals: np.ndarray
    cell: np.ndarray  # of each row
    start_weights: np.ndarray  # of each row

    def on_cells(self) -> Calibrated:
        """The algebra alone."""
        return calibrate(self.start, self.design, self.totals, DISTANCES[self.method](None), 1e-10, 100)

    def whole(self) -> object:
        """The product's own step: check, collapse, calibrate, join back, report."""
        return weigh(self.answers, self.wave, self.catalogue)

    @classmethod
    def made(cls, root: Path, method: str, own: bool) -> Task:
        """Draws the answers and writes the totals into ``root``."""
        random = np.random.default_rng(20261122)
        population = {name: random.dirichlet(np.full(size, 8.0)) for name, size in MARGINS.items()}
        codes = {
            name: random.choice(len(share), ROWS, p=_shifted(share, random))
            for name, share in population.items()
        }
        weight = random.uniform(0.5, 2.0, ROWS) if own else np.full(ROWS, 5.0)
        catalogue = _catalogue(root)
        wave = catalogue.waves["xx-00"]
        wave = replace(wave, weighting=replace(wave.weighting, method=method))
        total = float(weight.sum())
        _write_totals(root, population, total)
        cell = np.zeros(ROWS, dtype=np.int64)
        for name, size in MARGINS.items():
            cell = cell * size + codes[name]
        grid = np.indices(tuple(MARGINS.values())).reshape(len(MARGINS), -1)
        columns = [
            (grid[at] == level).astype(float)
            for at, size in enumerate(MARGINS.values())
            for level in range(size)
        ]
        start = np.bincount(cell, weight, minlength=grid.shape[1])
        totals = np.concatenate([share * total for share in population.values()])
        answers = _answers(codes, weight)
        return cls(method, answers, wave, catalogue, start, np.column_stack(columns), totals, cell, weight)


def _shifted(share: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """The shares among respondents: up to a quarter more or less than in the population."""
    answered = share * random.uniform(0.75, 1.25, len(share))
    return answered / answered.sum()


def _answers(codes: dict[str, np.ndarray], weight: np.ndarray) -> pd.DataFrame:
    """Harmonised answers as the step that weighs reads them: codes as categories, the delivered weight."""
    texts = {
        name: pd.Categorical.from_codes(codes[name], [f"{name}{code}" for code in range(size)])
        for name, size in MARGINS.items()
    }
    units = pd.array(np.arange(len(weight)).astype(str).tolist(), dtype="str")
    blank = pd.Categorical.from_codes(np.zeros(len(weight), dtype=np.int8), [""])
    design = {"wave": "xx-00", "unit": units, "stratum": blank, "psu": blank, "design_weight": weight}
    return pd.DataFrame(design | texts)


def _write_totals(root: Path, population: dict[str, np.ndarray], total: float) -> None:
    lines = [
        f"{name},{name}{code},{share * total!r}"
        for name, shares in population.items()
        for code, share in enumerate(shares.tolist())
    ]
    folder = root / "warehouse" / "raw"
    folder.mkdir(parents=True)
    (folder / "totals.csv").write_text("\n".join(["margin,code,total", *lines]) + "\n")


def _catalogue(root: Path) -> Catalogue:
    large = data.catalogue(root)
    variables = {
        name: Variable(name, name, {f"{name}{code}": f"{name} {code}" for code in range(size)})
        for name, size in MARGINS.items()
    }
    wave = replace(
        large.waves["xx-00"],
        design=Design("unit", weight="weight"),
        weighting=Weighting("rake", tuple((name,) for name in MARGINS), "totals.csv"),
    )
    rows = tuple(
        CrosswalkRow(1, name, "1", name, code) for name in variables for code in variables[name].codes
    )
    instrument = replace(large.instruments["bench"], crosswalk=rows)
    return replace(large, variables=variables, waves={"xx-00": wave}, instruments={"bench": instrument})
