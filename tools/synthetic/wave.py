"""From a recipe to the raw file of a synthetic wave, its population counts and its margins.

The order is that of a survey: register, sample, weights (by the module that weights every wave), answers, raw
file. The weights come before the answers, because the weighted answers are to agree with the figures.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd

from pipeline.atomic import replace_file, write_file
from pipeline.catalogue.fieldwork import Wave
from pipeline.catalogue.model import Catalogue
from pipeline.problems import Problem, ProblemError
from pipeline.weighting import weigh
from tools.synthetic.answers import Drawing, propensity
from tools.synthetic.crosswalk import Crosswalk
from tools.synthetic.formats import write_raw
from tools.synthetic.measures import CodedAnswers, CodeNumbering, FigureTarget, goals_of, target
from tools.synthetic.recipe import Goal, Recipe, read_recipe
from tools.synthetic.register import draw_register, draw_sample, joined, margins_csv, normal, population_csv


@dataclass(frozen=True)
class FigureMatch:
    """A figure, and the weighted share of the synthetic answers, both in percent."""

    goal: Goal
    reached: float

    @property
    def agrees(self) -> bool:
        """Whether both round to the same printed figure."""
        return abs(self.reached - self.goal.value) < 0.5


@dataclass(frozen=True)
class SyntheticWave:
    """A synthetic wave: raw cells (blank: ""), files of counts by name, and the figures it agrees with."""

    frame: pd.DataFrame
    counts: dict[str, str]
    figures: tuple[FigureMatch, ...]
    recipe: Recipe


def synthesise(root: Path, catalogue: Catalogue, wave_key: str) -> list[Path]:
    """Writes the raw file and the files of counts of a synthetic wave; returns the paths, raw file first.

    The same declarations give the same bytes. Raises ProblemError where the wave is not synthetic, or its
    recipe is faulty or cannot be met.
    """
    wave = catalogue.waves.get(wave_key)
    if wave is None or wave.status != "synthetic" or wave.design is None or wave.weighting is None:
        hint = 'Name a wave with status = "synthetic", a design and a weighting.'
        raise ProblemError(
            Problem(f"schemas/waves/{wave_key}.toml", "status", "is not a synthetic wave", hint, wave_key)
        )
    drawn = draw(catalogue, wave)
    path = root / "warehouse" / "raw" / wave.source.file
    with replace_file(path) as fresh:
        write_raw(drawn.frame, fresh, wave.source, drawn.recipe.file)
    counts = drawn.counts.items()
    return [path, *(write_file(path.with_name(name), text.encode()) for name, text in counts)]


def draw(catalogue: Catalogue, wave: Wave) -> SyntheticWave:
    """Draws a synthetic wave, writing nothing. Raises ProblemError where its recipe cannot be met."""
    assert wave.design is not None and wave.weighting is not None
    recipe = read_recipe(catalogue, wave.key)
    random = np.random.Generator(np.random.PCG64(recipe.seed))
    crosswalk = Crosswalk(
        catalogue.instruments[wave.instrument].crosswalk,
        f"schemas/instruments/{wave.instrument}.csv",
        wave.key,
    )
    register = draw_register(recipe, wave.design.psu, random)
    cells = _register_cells(register, crosswalk, wave, catalogue, random)
    strata = joined(cells, wave.design.strata)
    people = draw_sample(register, strata, recipe, wave.design.psu, random)
    if len(people) != recipe.respondents:
        hint = "Give the strata, or the clusters drawn, enough units."
        message = f"cannot be met: only {len(people)} units could be drawn"
        raise ProblemError(
            Problem(recipe.path, "respondents", message, hint, str(recipe.respondents), wave.key)
        )
    counts = _counts(register, cells, wave)
    coded = _coded_background(people, strata[people.index], counts, wave, catalogue)
    targets = tuple(target(goal, coded, wave, catalogue, recipe) for goal in goals_of(recipe, catalogue))
    drawing = Drawing(
        wave=wave,
        catalogue=catalogue,
        recipe=recipe,
        crosswalk=crosswalk,
        people=people,
        coded=coded,
        propensity=propensity(people, recipe, wave.design.psu, random),
        targets=targets,
        random=random,
    )
    drawing.run()
    figures = _figures(targets, coded, catalogue, recipe)
    return SyntheticWave(_frame(drawing, cells.loc[people.index], random), counts, figures, recipe)


def _register_cells(
    register: pd.DataFrame,
    crosswalk: Crosswalk,
    wave: Wave,
    catalogue: Catalogue,
    random: np.random.Generator,
) -> pd.DataFrame:
    """The register as the raw file names and codes it: cluster, own columns and mapped background."""
    assert wave.design is not None
    own = [name for name in register if name == wave.design.psu or name not in catalogue.variables]
    cells = register[own].copy()
    for column, fed in crosswalk.columns.items():
        if fed and column not in cells and all(name in register for name in fed):
            values = {name: register[name].to_numpy(dtype=object) for name in fed}
            cells[column] = crosswalk.cells(column, values, random)
    return cells


def _counts(register: pd.DataFrame, cells: pd.DataFrame, wave: Wave) -> dict[str, str]:
    assert wave.design is not None and wave.weighting is not None
    counts = {}
    if wave.design.population:
        counts[wave.design.population] = population_csv(cells, wave.design.strata, wave.design.psu)
    if wave.weighting.totals:
        counts[wave.weighting.totals] = margins_csv(register, wave)
    return counts


def _coded_background(
    people: pd.DataFrame, strata: pd.Series[str], counts: Mapping[str, str], wave: Wave, catalogue: Catalogue
) -> CodedAnswers:
    """The background of those who answered, coded, with the weights that the wave will have."""
    assert wave.design is not None
    names = [name for name in catalogue.variables if name in people]
    delivered = people["design_weight"] if wave.design.weight else np.nan
    clusters = people[wave.design.psu] if wave.design.psu else ""
    frame = people[names].assign(stratum=strata, psu=clusters, design_weight=delivered)
    with TemporaryDirectory() as folder:  # weighting reads the counts from files
        aside = replace(catalogue, root=Path(folder))
        aside.raw_path("").mkdir(parents=True)
        for name, text in counts.items():
            write_file(aside.raw_path(name), text.encode())
        weighted = weigh(frame, wave, aside).answers
    coded = CodedAnswers(CodeNumbering(catalogue), weighted["weight"].to_numpy(dtype=float))
    for name in names:
        coded.columns[name] = np.array(frame[name].map(coded.numbering.number), dtype=np.int16)
    return coded


def _figures(
    targets: tuple[FigureTarget, ...], coded: CodedAnswers, catalogue: Catalogue, recipe: Recipe
) -> tuple[FigureMatch, ...]:
    figures = tuple(FigureMatch(each.goal, each.share(coded, catalogue)) for each in targets)
    hint = "Change the recipe's shares, or add an [[except]] with the reason."
    problems = [
        Problem(
            recipe.path,
            str(met.goal),
            f"cannot be met: the drawn answers give {met.reached:.2f}",
            hint,
            f"{met.goal.value:g}",
        )
        for met in figures
        if not met.agrees
    ]
    if problems:
        raise ProblemError(problems)
    return figures


def _frame(drawing: Drawing, cells: pd.DataFrame, random: np.random.Generator) -> pd.DataFrame:
    """The raw file's cells: id, register, questions in the crosswalk's order, extras and weight."""
    wave, people, recipe = drawing.wave, drawing.people, drawing.recipe
    assert wave.design is not None
    columns = {wave.design.id[0]: people["unit"].to_numpy(dtype=object)}
    columns |= {str(name): cells[name].to_numpy(dtype=object) for name in cells}
    for column, fed in drawing.crosswalk.columns.items():
        if fed and column not in columns:
            values = {
                name: drawing.numbers[name] if name in drawing.numbers else drawing.coded.text(name)
                for name in fed
            }
            columns[column] = drawing.crosswalk.cells(column, values, random)
        elif column in recipe.extra:
            shares = recipe.extra[column]
            columns[column] = random.choice(
                np.array(list(shares), dtype=object), len(people), p=normal(shares)
            )
    if wave.design.weight:
        columns[wave.design.weight] = people["design_weight"].map("{:.4f}".format).to_numpy(dtype=object)
    return _with_errors(pd.DataFrame(columns).astype(str), wave, random)


def _with_errors(frame: pd.DataFrame, wave: Wave, random: np.random.Generator) -> pd.DataFrame:
    """Puts in the known errors of the file, which the wave's corrections will fix."""
    for number, correction in enumerate(wave.corrections, 1):
        held = frame[correction.column] == correction.value
        for column, value in correction.match.items():
            if column != correction.column:
                held &= frame[column] == value
        rows = np.flatnonzero(held.to_numpy())
        if not len(rows):
            hint = f"Match a row in which {correction.column} is {correction.value}."
            file = f"schemas/waves/{wave.key}.toml"
            raise ProblemError(
                Problem(
                    file,
                    f"correction[{number}]",
                    "matches no row of the file, so there is no error to put in",
                    hint,
                    wave=wave.key,
                )
            )
        picked = random.choice(rows, min(len(rows), 2), replace=False)
        frame.loc[picked, correction.column] = correction.match.get(correction.column, "")
    return frame
