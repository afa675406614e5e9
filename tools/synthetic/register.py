"""The population register of a synthetic wave, the sample drawn from it, and the files of counts.

Here belong the population and who answered. Their answers belong to ``answers``.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.arrays import Floats
from pipeline.catalogue.fieldwork import Wave
from pipeline.problems import Problem, ProblemError
from tools.synthetic.recipe import Background, Recipe, Shares


def draw_register(recipe: Recipe, psu: str, random: np.random.Generator) -> pd.DataFrame:
    """The population, one row for each unit, with the register's columns as text."""
    register = pd.DataFrame(index=range(recipe.population))
    for background in recipe.register:
        register[background.name] = _drawn(background, register, recipe, random)
    if recipe.clusters:
        register[psu] = _clusters(register[recipe.clusters.within], recipe.clusters.number, random)
    return register


def _drawn(
    background: Background, register: pd.DataFrame, recipe: Recipe, random: np.random.Generator
) -> NDArray[np.object_]:
    column = np.empty(len(register), dtype=object)
    parents = register[background.given] if background.given else pd.Series("", index=register.index)
    for parent in sorted(parents.unique()):
        shares = background.shares.get(parent)
        if not shares:
            key = f"register.{background.name}.shares"
            raise ProblemError(Problem(recipe.path, key, f"has no shares for {parent}", "Add them.", parent))
        rows = np.flatnonzero((parents == parent).to_numpy())
        column[rows] = random.choice(np.array(list(shares), dtype=object), len(rows), p=normal(shares))
    return column


def normal(shares: Shares) -> Floats:
    """Shares as chances that sum to 1."""
    given = np.array(list(shares.values()), dtype=float)
    chances: Floats = given / given.sum()
    return chances


def joined(frame: pd.DataFrame, names: tuple[str, ...]) -> pd.Series[str]:
    """The named columns of text as one, their codes joined by ``*``; blank without names."""
    whole: pd.Series[str] = frame[names[0]] if names else pd.Series("", index=frame.index)
    for name in names[1:]:
        whole = whole + "*" + frame[name]
    return whole


def _clusters(
    within: pd.Series[str], number: Mapping[str, int], random: np.random.Generator
) -> NDArray[np.object_]:
    """A cluster for every unit, few of them large, numbered from 1001 upwards across the codes."""
    column, first = np.empty(len(within), dtype=object), 1001
    for code, count in number.items():
        rows = np.flatnonzero((within == code).to_numpy())
        names = np.array([str(first + i) for i in range(count)], dtype=object)
        column[rows] = random.choice(names, len(rows), p=random.dirichlet(np.full(count, 2.0)))
        first += count
    return column


def draw_sample(
    register: pd.DataFrame, strata: pd.Series[str], recipe: Recipe, psu: str, random: np.random.Generator
) -> pd.DataFrame:
    """The units that answered: by the recipe's rates in every stratum, inside the clusters drawn.

    Rows of the register under its own index, with ``unit`` (the id) and ``design_weight`` (the inverse of the
    chance to be in the file).
    """
    reach = np.ones(len(register))
    for name, rates in recipe.rates.items():
        reach *= register[name].map(rates).fillna(1.0).to_numpy(dtype=float)
    eligible = _eligible(register, recipe, psu, random)
    sizes = _allocation(strata[eligible], reach[eligible], recipe.respondents)
    keys = np.where(eligible, random.random(len(register)) ** (1 / reach), -1.0)
    chosen, weights = [], np.zeros(len(register))
    for stratum in sorted(sizes):
        rows = np.flatnonzero((strata == stratum).to_numpy())
        picked = rows[np.argsort(-keys[rows], kind="stable")[: sizes[stratum]]]
        inverse = 1 / reach[picked]
        weights[picked] = np.round(inverse * len(rows) / inverse.sum(), 4)
        chosen.append(picked)
    people = register.loc[np.sort(np.concatenate(chosen))].copy()
    numbers = np.sort(random.choice(recipe.invited, len(people), replace=False)) + 1
    people["unit"] = [recipe.id.format(number) for number in numbers]
    people["design_weight"] = weights[people.index]
    return people


def _eligible(
    register: pd.DataFrame, recipe: Recipe, psu: str, random: np.random.Generator
) -> NDArray[np.bool_]:
    if not recipe.clusters:
        return np.ones(len(register), dtype=bool)
    drawn: set[str] = set()
    for code, count in recipe.clusters.drawn.items():
        names = sorted(register.loc[register[recipe.clusters.within] == code, psu].unique())
        drawn.update(random.choice(np.array(names, dtype=object), count, replace=False))
    return register[psu].isin(drawn).to_numpy()


def _allocation(strata: pd.Series[str], reach: Floats, total: int) -> dict[str, int]:
    """Respondents by stratum, in proportion to reach: at least two where there are two, at most all."""
    counts = strata.value_counts().sort_index()
    wanted = pd.Series(reach, index=strata.index).groupby(strata).sum().reindex(counts.index)
    low, scale = np.minimum(2, counts), total / wanted.sum()
    for _ in range(200):  # the bounds take from, or give to, the strata between them
        sizes = (wanted * scale).clip(low, counts)
        scale *= total / sizes.sum()
    floors = pd.Series(np.floor(sizes).astype(int), index=counts.index).clip(low, counts)
    short = total - int(floors.sum())
    order = (sizes - floors).where(floors < counts, -1.0).sort_values(ascending=False, kind="stable").index
    floors[order[: max(short, 0)]] += 1
    return {str(stratum): int(size) for stratum, size in floors.items()}


def population_csv(cells: pd.DataFrame, columns: tuple[str, ...], psu: str) -> str:
    """The counts of the strata, in clusters where ``psu`` names them: source columns and ``population``."""
    counted = cells[[*columns, psu]].drop_duplicates() if psu else cells
    counts: pd.Series[int] = counted.groupby(list(columns), sort=True).size()
    rows = [[*(key if isinstance(key, tuple) else (key,)), str(count)] for key, count in counts.items()]
    return _csv([*columns, "population"], rows)


def margins_csv(register: pd.DataFrame, wave: Wave) -> str:
    """The totals of the wave's margins: ``margin, code, total``."""
    assert wave.weighting is not None
    rows = []
    for margin in wave.weighting.margins:
        counts = joined(register, margin).value_counts().sort_index()
        rows += [["*".join(margin), str(code), str(count)] for code, count in counts.items()]
    return _csv(["margin", "code", "total"], rows)


def _csv(header: list[str], rows: list[list[str]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue()
