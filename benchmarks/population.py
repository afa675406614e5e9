"""A made-up population to sample from, and how three surveys of it are drawn and answered.

24,000 units in 600 clusters; an answer depends on sector, size, region and cluster. Everything is drawn
from a seeded generator; nothing in it is about anybody.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks import data
from pipeline.catalogue import (
    Catalogue,
    CrosswalkRow,
    Design,
    Domain,
    Indicator,
    Question,
    Variable,
    Wave,
    Weighting,
)

UNITS, CLUSTERS = 24_000, 600
SHARES = {"region": [0.5, 0.3, 0.2], "size": [0.4, 0.3, 0.2, 0.1], "sector": [0.45, 0.3, 0.15, 0.06, 0.04]}
ITEMS = {"rare": 0.02, "common": 0.4}
DRAWN = {"stratified": 1_200, "clustered": 60, "raked": 1_200, "not raked": 1_200}  # units, or clusters
DOMAINS = {"total": (), "sector": ("sector",), "region_sector": ("region", "sector")}


@cache
def population() -> pd.DataFrame:
    """Every unit: its codes, cluster, answers (0/1) and a score."""
    random = np.random.default_rng(20261122)
    cluster = np.repeat(np.arange(CLUSTERS), UNITS // CLUSTERS)
    region = random.choice(3, CLUSTERS, p=SHARES["region"])[cluster]
    size = random.choice(4, UNITS, p=SHARES["size"])
    sector = random.choice(5, UNITS, p=SHARES["sector"])
    pull = 0.25 * (size - 1) + 0.35 * (sector - 1) - 0.2 * region + random.normal(0, 0.4, CLUSTERS)[cluster]
    columns = {"region": region, "size": size, "sector": sector, "psu": cluster}
    for name, share in ITEMS.items():
        logit = np.log(share / (1 - share)) + pull - pull.mean()
        columns[name] = (random.random(UNITS) < 1 / (1 + np.exp(-logit))).astype(np.int64)
    columns["score"] = np.clip(np.round(50 + 10 * pull + random.normal(0, 15, UNITS)), 0, 100)
    return pd.DataFrame(columns)


def _stratified(random: np.random.Generator) -> np.ndarray:
    """Equal numbers from every region x size; who answers depends on the stratum alone."""
    units = population()
    stratum = (units["region"] * 4 + units["size"]).to_numpy()
    drawn = _drawn(stratum, DRAWN["stratified"] // 12, random)
    return drawn[random.random(len(drawn)) < 0.8 - 0.03 * stratum[drawn]]


def _clustered(random: np.random.Generator) -> np.ndarray:
    """Equal numbers of clusters from every region, all their units; six in ten answer."""
    units = population()
    region = units.groupby("psu")["region"].first().to_numpy()
    drawn = np.flatnonzero(np.isin(units["psu"], _drawn(region, DRAWN["clustered"] // 3, random)))
    return drawn[random.random(len(drawn)) < 0.6]


def _selective(random: np.random.Generator) -> np.ndarray:
    """Equal numbers from every region x size; small sectors, which differ, answer far more often."""
    units = population()
    drawn = _drawn((units["region"] * 4 + units["size"]).to_numpy(), DRAWN["raked"] // 12, random)
    return drawn[random.random(len(drawn)) < 0.4 + 0.1 * units["sector"].to_numpy()[drawn]]


def _drawn(stratum: np.ndarray, each: int, random: np.random.Generator) -> np.ndarray:
    """The same number from every stratum, without replacement."""
    order = random.permutation(len(stratum))
    order = order[np.argsort(stratum[order], kind="stable")]
    first = np.searchsorted(stratum[order], stratum[order])
    return np.sort(order[np.arange(len(order)) - first < each])


SAMPLES: dict[str, Callable[[np.random.Generator], np.ndarray]] = {
    "stratified": _stratified,
    "clustered": _clustered,
    "raked": _selective,
    "not raked": _selective,
}


def answers(chosen: np.ndarray, design: str) -> pd.DataFrame:
    """The chosen units as harmonised answers."""
    units = population().iloc[chosen]
    words = {name: f"{name}" + units[name].astype(str) for name in SHARES}
    strata = ("region",) if design == "clustered" else ("region", "size")
    stratum = words[strata[0]] if len(strata) == 1 else words["region"] + "*" + words["size"]
    chose = {f"q.{name}": units[name].map({1: "selected", 0: "not_selected"}).astype("str") for name in ITEMS}
    psu = "c" + units["psu"].astype(str) if design == "clustered" else ""
    frame = pd.DataFrame({"wave": "xx-00", "unit": units.index.astype(str), "stratum": stratum, "psu": psu})
    return frame.assign(design_weight=np.nan, **words, **chose, score=units["score"])


def truth() -> dict[tuple[str, str, str, str], float]:
    """The value in the population of every indicator, category, domain and code."""
    units, found = population(), {}
    for domain, by in DOMAINS.items():
        key = pd.Series("", index=units.index)
        for name in by:
            key = key + ("*" if name != by[0] else "") + name + units[name].astype(str)
        for code, group in units.groupby(key):
            for name in ITEMS:
                found["q", name, domain, str(code)] = 100 * float(group[name].mean())
            found["score", "mean", domain, str(code)] = float(group["score"].mean())
    return found


def declared(root: Path, design: str) -> tuple[Catalogue, Wave]:
    """The survey's declarations; its counts and totals are written below ``root``."""
    large = data.catalogue(root)
    variables = {
        name: Variable(name, name, {f"{name}{code}": name for code in range(len(shares))})
        for name, shares in SHARES.items()
    }
    questions = {
        "q": Question("q", "multiple", "", {name: name for name in ITEMS}),
        "score": Question("score", "numeric", ""),
    }
    indicators = {
        "q": Indicator("q", "", "all", question="q"),
        "score": Indicator("score", "", "all", mean="score"),
    }
    rows = [CrosswalkRow(1, name, "1", name, code) for name in SHARES for code in variables[name].codes]
    rows += [
        CrosswalkRow(1, name, "1", name, "selected") for name in (*(f"q.{item}" for item in ITEMS), "score")
    ]
    clustered = design == "clustered"
    strata = ("region",) if clustered else ("region", "size")
    margins = (("region",), ("size",), ("sector",))
    wave = replace(
        large.waves["xx-00"],
        design=Design("unit", strata, "psu" if clustered else "", population="counts.csv"),
        weighting=Weighting("rake", margins, "totals.csv") if design == "raked" else Weighting("design"),
    )
    _write_counts(root, strata, clustered)
    instrument = replace(large.instruments["bench"], crosswalk=tuple(rows))
    catalogue = replace(
        large, variables=variables, questions=questions, indicators=indicators, waves={"xx-00": wave},
        bases={"all": large.bases["all"]}, instruments={"bench": instrument},
        domains={key: Domain(key, by) for key, by in DOMAINS.items()},
    )  # fmt: skip
    return catalogue, wave


def _write_counts(root: Path, strata: tuple[str, ...], clustered: bool) -> None:
    units = population()
    folder = root / "warehouse" / "raw"
    folder.mkdir(parents=True)
    words = units[list(SHARES)].apply(lambda codes: codes.name + codes.astype(str)).assign(psu=units["psu"])
    groups = words.groupby(list(strata))["psu"]
    counts = groups.nunique() if clustered else groups.size()
    counts.rename("population").reset_index().to_csv(folder / "counts.csv", index=False)
    totals = [
        f"{name},{code},{total}" for name in SHARES for code, total in words[name].value_counts().items()
    ]
    (folder / "totals.csv").write_text("\n".join(["margin,code,total", *totals]) + "\n")
