"""Draws the harmonised answers of a sample, question by question, as the questionnaire routes them.

Every unit has a propensity to answer yes, from its background and a random part. Every answer has a latent
value, which the propensity determines in part, and which is cut so that the weighted shares are those of the
recipe. So the answers of a unit are correlated, and breakdowns differ plausibly.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.arrays import Floats
from pipeline.catalogue.fieldwork import Wave
from pipeline.catalogue.logic import Condition
from pipeline.catalogue.model import Catalogue
from pipeline.catalogue.questionnaire import NO_ANSWER, NOT_ASKED, NOT_SELECTED, SELECTED, Question
from pipeline.problems import Problem, ProblemError
from tools.synthetic.agreement import AdjustableQuestion, agree
from tools.synthetic.crosswalk import Crosswalk
from tools.synthetic.measures import CodedAnswers, FigureTarget, Mask
from tools.synthetic.recipe import Recipe

Rows = NDArray[np.intp]

LOADING = 0.45  # correlation of an answer's latent value with the unit's propensity
CLUSTER = 0.3  # standard deviation of a cluster's share of the propensity


def propensity(people: pd.DataFrame, recipe: Recipe, psu: str, random: np.random.Generator) -> Floats:
    """A standardised propensity to answer yes for every unit."""
    drawn = random.standard_normal(len(people))
    if psu:
        names = sorted(people[psu].unique())
        effects_of_clusters = dict(zip(names, CLUSTER * random.standard_normal(len(names)), strict=True))
        drawn = drawn + people[psu].map(effects_of_clusters).to_numpy(dtype=float)
    for name, effects in recipe.effects.items():
        if name in people:
            drawn = drawn + people[name].map(effects).fillna(0.0).to_numpy(dtype=float)
    standard: Floats = (drawn - drawn.mean()) / drawn.std()
    return standard


@dataclass
class Drawing:
    """The answers of one wave while they are drawn: coded ones in ``answers``, numbers in ``numbers``."""

    wave: Wave
    catalogue: Catalogue
    recipe: Recipe
    crosswalk: Crosswalk
    people: pd.DataFrame
    coded: CodedAnswers
    propensity: Floats
    targets: tuple[FigureTarget, ...]
    random: np.random.Generator
    numbers: dict[str, Floats] = field(default_factory=dict)

    def run(self) -> None:
        """Draws every question that the wave asked, in the codebook's order, adjusted to its figures."""
        asked = self.catalogue.mapped_variables(self.wave)
        questions = [q for q in self.catalogue.questions.values() if asked.intersection(q.answers)]
        leaves = self.random.random(len(self.people)) < self.recipe.silence.get("*", 0.0)
        last = np.where(
            leaves, self.random.integers(3, max(len(questions), 4), len(self.people)), len(questions)
        )
        undrawn = set(asked)
        for position, question in enumerate(questions):
            names = [name for name in question.answers if name in asked]
            here = self._answering(question, names, last <= position)
            if question.type == "numeric":
                self._number(question, here)
            else:
                adjustable = self._draw(question, names, here)
                undrawn -= set(names)
                complete = [t for t in self.targets if t.variables & set(names) and not t.variables & undrawn]
                agree(complete, adjustable, self.coded, self.catalogue)

    def _answering(self, question: Question, names: list[str], gone: Mask) -> Mask:
        """Who answers: those asked who have neither left nor skip this question. Codes the others."""
        base = self.catalogue.bases[question.base].logic
        put = self.coded.holds(base, self.catalogue)
        silent = np.zeros(len(put), dtype=bool)
        rate = self.recipe.silence.get(question.key, self.recipe.silence.get("", 0.0))
        skips = self.random.random(len(put)) < rate
        if all(NO_ANSWER in self.crosswalk.states(name) for name in names):
            silent = put & (gone | skips)
        number = self.coded.numbering.number
        if question.type != "numeric":
            for name in names:
                column = np.full(len(put), number[NOT_ASKED], dtype=np.int16)
                column[silent] = number[NO_ANSWER]
                self.coded.columns[name] = column
        return put & ~silent

    def _number(self, question: Question, here: Mask) -> None:
        numbers = self.recipe.numbers.get(question.key)
        if numbers is None:
            raise ProblemError(self._missing(f"numbers.{question.key}"))
        limits = self.people[numbers.by].map(numbers.ranges).tolist()
        low, high = np.array(limits, dtype=float).T
        drawn = low * ((high + 1) / low) ** self.random.random(len(here))
        self.numbers[question.key] = np.where(here, np.minimum(np.floor(drawn), high), np.nan)

    def _missing(self, key: str) -> Problem:
        return Problem(
            self.recipe.path,
            key,
            "is missing, but the wave has this question",
            "Add its shares.",
            wave=self.wave.key,
        )

    def _draw(self, question: Question, names: list[str], here: Mask) -> AdjustableQuestion:
        given = self.recipe.shares.get(question.key)
        if given is None:
            raise ProblemError(self._missing(f"shares.{question.key}"))
        latents = {name: self._latent(len(here)) for name in names}
        if question.type == "multiple":
            return self._multiple(question, names, here, given, latents)
        for name in names:
            shares = given if question.type == "single" else given.get(name.partition(".")[2], given.get("*"))
            if not isinstance(shares, Mapping):
                raise ProblemError(self._missing(f"shares.{name}"))
            states = self.crosswalk.states(name)
            kept = {code: float(shares[code]) for code in question.codes if code in shares and code in states}
            self._cut(name, here, self._fitted(name, kept), latents[name])
        return AdjustableQuestion(question, tuple(names), here, latents, None, frozenset())

    def _latent(self, size: int) -> Floats:
        own = self.random.standard_normal(size)
        latent: Floats = LOADING * self.propensity + np.sqrt(1 - LOADING**2) * own
        return latent

    def _fitted(self, name: str, shares: dict[str, float]) -> dict[str, float]:
        """Shares that sum to 1 and meet the totals published for sets of codes of this variable."""
        scale = sum(shares.values()) or 1.0
        fitted = {code: share / scale for code, share in shares.items()}
        for _ in range(50):
            for codes, value in self._published(name):
                inside = sum(fitted.get(code, 0.0) for code in codes)
                for code in fitted:
                    wanted, found = (value, inside) if code in codes else (1 - value, 1 - inside)
                    fitted[code] *= wanted / found if found > 0 else 1.0
        return fitted

    def _published(self, name: str) -> list[tuple[tuple[str, ...], float]]:
        """The published shares of the total for this variable alone: sets of codes, and their share of 1."""
        base = self.catalogue.bases[self.catalogue.question_of(name).base].logic
        return [
            (part.codes, each.goal.value / 100)
            for each in self.targets
            for part in each.counted.parts
            if each.goal.domain == self.catalogue.total.key
            and each.base is base
            and len(each.counted.parts) == 1
            if isinstance(part, Condition) and part.pattern == name
        ]

    def _cut(self, name: str, here: Mask, shares: Mapping[str, float], latent: Floats) -> None:
        """Assigns the codes in order of the latent value, each with its weighted share."""
        rows = np.flatnonzero(here)
        rows = rows[np.argsort(-latent[rows], kind="stable")]
        weights = self.coded.weights[rows]
        middle = (np.cumsum(weights) - weights / 2) / max(weights.sum(), 1e-300)
        edges = np.cumsum(list(shares.values()))[:-1]
        numbers = np.array([self.coded.numbering.number[code] for code in shares], dtype=np.int16)
        self.coded.columns[name][rows] = numbers[np.searchsorted(edges, middle, side="right")]

    def _multiple(
        self,
        question: Question,
        names: list[str],
        here: Mask,
        given: Mapping[str, float],
        latents: dict[str, Floats],
    ) -> AdjustableQuestion:
        """Exclusive items first, then the others among the rest: at least one, at most the maximum."""
        shares = {}
        for name in names:
            item = name.partition(".")[2]
            if item not in given:
                raise ProblemError(self._missing(f"shares.{name}"))
            shares[name] = self._fitted(
                name, {SELECTED: float(given[item]), NOT_SELECTED: 100 - float(given[item])}
            )[SELECTED]
        exclusive = frozenset(
            name
            for name in names
            if name in self.recipe.exclusive or name.partition(".")[2] in question.nonresponse
        )
        limit = self.catalogue.max_choices(question, self.wave)
        rows = np.flatnonzero(here)
        open_rows = self._exclusive([name for name in names if name in exclusive], rows, shares)
        free = [name for name in names if name not in exclusive]
        ticked = self._ticks(free, open_rows, len(rows), shares, latents, limit)
        number = self.coded.numbering.number
        for name in free:
            self.coded.columns[name][rows] = number[NOT_SELECTED]
        for column, name in enumerate(free):
            self.coded.columns[name][open_rows[ticked[:, column]]] = number[SELECTED]
        return AdjustableQuestion(question, tuple(names), here, latents, limit, exclusive)

    def _exclusive(self, exclusive: list[str], rows: Rows, shares: Mapping[str, float]) -> Rows:
        """Those who tick an exclusive item, at the low end of the propensity; returns the others' rows."""
        number = self.coded.numbering.number
        order = rows[
            np.argsort(self.propensity[rows] + 2 * self.random.standard_normal(len(rows)), kind="stable")
        ]
        weights = self.coded.weights[order]
        done = np.cumsum(weights) / max(weights.sum(), 1e-300)
        start = 0.0
        for name in exclusive:
            self.coded.columns[name][rows] = number[NOT_SELECTED]
            ticking = (done > start) & (done <= start + shares[name])
            self.coded.columns[name][order[ticking]] = number[SELECTED]
            start += shares[name]
        return np.sort(order[done > start])

    def _ticks(
        self,
        free: list[str],
        rows: Rows,
        asked: int,
        shares: Mapping[str, float],
        latents: Mapping[str, Floats],
        limit: int | None,
    ) -> Mask:
        """Which items the rows tick (rows x items): above the item's threshold, best first."""
        margins = np.empty((len(rows), len(free)))
        for column, name in enumerate(free):
            latent = latents[name][rows]
            share = min(shares[name] * asked / max(len(rows), 1), 1.0)
            margins[:, column] = latent - np.quantile(latent, 1 - share) if len(rows) else 0.0
        rank = np.argsort(np.argsort(-margins, axis=1, kind="stable"), axis=1, kind="stable")
        ticked: Mask = ((margins >= 0) & (rank < (limit or len(free)))) | (rank == 0)
        return ticked
