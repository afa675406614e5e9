"""Every peer beside the product: the product runs before and after each, so that a busy moment affects both.

A peer does some items of some waves; its seconds are multiplied up to the whole task (its calls are
independent of each other), and the table says so.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd

from benchmarks import data, report
from benchmarks.task import Survey, folder
from pipeline.estimation import Specification, estimate_wave

ROWS = 1_000_000
HERE = Path(__file__).parent
ENVIRONMENT = "BENCH_PEERS_PYTHON"
ITEMS = ["q00_i0", "q07_i1", "q11_i2", "q19_i3"]  # asked of everyone, and routed
TOLERANCE = 1e-9
Cells = dict[tuple[str, str, str, str], tuple[float, float]]


@dataclass(frozen=True)
class Peer:
    """The part of the items and waves that a peer computes, and how often."""

    name: str
    items: int
    waves: int
    repeats: int

    @property
    def factor(self) -> float:
        """The whole task over its part."""
        return len(data.ITEMS) / self.items * data.WAVES / self.waves


PEERS = (
    Peer("SQL", 2, 24, 3),
    Peer("pandas", 2, 24, 3),
    Peer("svy", 4, 2, 3),
    Peer("R survey", 2, 1, 2),
    Peer("samplics", 2, 1, 1),
)


@dataclass(frozen=True)
class Outcome:
    """A peer's result, or the reason why there is none."""

    seconds: float
    cells: Cells
    version: str
    failed: int = 0
    skipped: str = ""


def run() -> None:
    """Measures and compares every installed peer; the others are named with the reason."""
    with folder() as root:
        survey = Survey.written(root, ROWS)
        files = {path.stem: _numeric(path) for path in sorted(root.glob("*.parquet"))}
        survey.cube()
        product, outcomes = [_timed(survey)], {}
        for peer in PEERS:
            outcomes[peer] = _outcome(peer, dict(list(files.items())[: peer.waves]))
            product.append(_timed(survey))
        truth = _product_estimates(survey)
    whole = statistics.median(product)
    rows = [{"tool": "this product", "part": "whole", "seconds": report.digits(whole), "whole_task": report.digits(whole), "times": 1.0}]  # fmt: skip
    rows += [_row(peer, outcome, whole, truth) for peer, outcome in outcomes.items()]
    title = f"Peers at {ROWS:,} rows (seconds; whole_task is extrapolated from the part)"
    report.keep("peers", title, rows, peers=[each.version for each in outcomes.values() if each.version])


def _timed(survey: Survey) -> float:
    started = time.perf_counter()
    survey.cube()
    return time.perf_counter() - started


def _row(peer: Peer, outcome: Outcome, whole: float, truth: Cells) -> dict[str, Any]:
    if outcome.skipped:
        return {"tool": peer.name, "note": f"skipped: {outcome.skipped}"}
    gaps = [
        (abs(p - truth[key][0]), abs(se - truth[key][1]) / truth[key][1] if truth[key][1] else abs(se))
        for key, (p, se) in outcome.cells.items()
    ]
    apart_p, apart_se = (max(side) for side in zip(*gaps, strict=True)) if gaps else (0.0, 0.0)
    same = apart_p <= TOLERANCE and apart_se <= TOLERANCE
    note = "the same to 1e-9" if same else "differs"
    return {
        "tool": peer.name,
        "part": f"{peer.items} items, {peer.waves} waves",
        "seconds": report.digits(outcome.seconds),
        "whole_task": report.digits(outcome.seconds * peer.factor),
        "times": report.digits(outcome.seconds * peer.factor / whole),
        "cells": len(gaps),
        "p_apart": report.digits(apart_p, 2),
        "se_apart": report.digits(apart_se, 2),
        "note": note + (f"; {outcome.failed} calls failed" if outcome.failed else ""),
    }


def _outcome(peer: Peer, files: dict[str, Path]) -> Outcome:
    if peer.name == "R survey":
        return _with_r(peer, files)
    python = os.environ.get(ENVIRONMENT) or sys.executable
    job = {
        "peer": peer.name,
        "items": ITEMS[: peer.items],
        "repeats": peer.repeats,
        "breakdowns": {"_".join(by) or "total": by for by in data.BREAKDOWNS},
        "waves": {wave: str(path) for wave, path in files.items()},
    }
    done = subprocess.run([python, HERE / "worker.py"], input=json.dumps(job), capture_output=True, text=True)
    if done.returncode:
        missing = "ModuleNotFoundError" in done.stderr or "PackageNotFoundError" in done.stderr
        reason = f"not installed ({ENVIRONMENT} names the Python that has it)" if missing else "it failed"
        return Outcome(0.0, {}, "", skipped=reason)
    made = json.loads(done.stdout)
    cells = {(wave, item, domain, code): (p, se) for wave, item, domain, code, p, se in made["cells"]}
    return Outcome(statistics.median(made["seconds"]), cells, made["version"], made["failed"])


def _with_r(peer: Peer, files: dict[str, Path]) -> Outcome:
    if shutil.which("Rscript") is None:
        return Outcome(0.0, {}, "", skipped="no Rscript")
    wave, path = next(iter(files.items()))
    items = ITEMS[: peer.items]
    names = ["stratum", "N", "w", *data.SIZES, *items]
    answers = path.with_suffix(".csv")
    pd.read_parquet(path, columns=names).to_csv(answers, index=False)
    breakdowns = ["*".join(by) or "total" for by in data.BREAKDOWNS]
    command = [
        "Rscript",
        HERE / "survey.R",
        answers,
        ",".join(items),
        ",".join(breakdowns),
        str(peer.repeats),
    ]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        return Outcome(0.0, {}, "", skipped="R has no survey package, or failed")
    lines = [line.rstrip().split("\t") for line in done.stdout.splitlines()]
    seconds = [float(line[1]) for line in lines if line[0] == "seconds"]
    cells = {
        (wave, line[1], line[2].replace("*", "_"), line[3]): (float(line[4]), float(line[5]))
        for line in lines
        if line[0] == "cell"
    }
    version = next(line[1] for line in lines if line[0] == "version")
    return Outcome(statistics.median(seconds), cells, version)


def _numeric(path: Path) -> Path:
    """A wave as peers want it: weights, N_h, codes, and items as 1, 0 or null (not of those asked).

    As in the product, whoever answered any item of a question counts for all of its items.
    """
    wanted = [f'stratum, population AS "N", weight AS w, 0 AS "all", {", ".join(data.SIZES)}']
    for item in ITEMS:
        question = item.partition("_")[0]
        answered = " OR ".join(
            f"\"{question}.{name}\" IN ('selected', 'not_selected')" for name in data.QUESTIONS[question]
        )
        chosen = f"(\"{item.replace('_', '.')}\" = 'selected')::DOUBLE"
        wanted.append(f"CASE WHEN {answered} THEN {chosen} END AS {item}")
    target = path.parent / "numeric" / path.name
    target.parent.mkdir(exist_ok=True)
    duckdb.sql(f"COPY (SELECT {', '.join(wanted)} FROM '{path}') TO '{target}' (FORMAT parquet)")
    return target


def _product_estimates(survey: Survey) -> Cells:
    """The product's p and se of the items that peers estimate."""
    return {key: value for path in survey.paths for key, value in _wave_estimates(survey, path)}


def _wave_estimates(
    survey: Survey, path: Path
) -> Iterable[tuple[tuple[str, str, str, str], tuple[float, float]]]:
    sums = survey.sums[survey.paths.index(path)]
    frame = estimate_wave(sums, Specification.of(survey.catalogue.waves[path.stem], survey.catalogue))
    frame = frame.assign(item=frame["indicator"] + "_" + frame["category"])
    frame = frame[frame["item"].isin(ITEMS)]
    columns = ["item", "domain", "domain_code", "value", "se"]
    for item, domain, code, value, se in frame[columns].itertuples(index=False):
        yield (path.stem, item, domain, code), (value / 100, se / 100)
