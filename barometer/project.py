"""A barometer's folder, opened for reading: its published tables and comparisons. Nothing is changed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

import pandas as pd

from barometer.frames import typed
from pipeline.catalogue import load_catalogue
from pipeline.catalogue.hints import did_you_mean
from pipeline.contracts import literal, quoted, table
from pipeline.problems import Problem, ProblemError
from pipeline.release.tables import PUBLISHED
from pipeline.steps.pair import compare_waves
from pipeline.warehouse import query

Names = str | Iterable[str] | None  # one, several, or all


@dataclass(frozen=True)
class Reason:
    """Why two waves may not be compared as they are: the rule, the verdict it asks for, and its sentence."""

    rule: str
    verdict: str
    text: str


@dataclass(frozen=True)
class Comparison:
    """May two waves be compared on an indicator, why, and by how much do they differ?"""

    wave_a: str
    wave_b: str
    indicator: str
    verdict: str  # comparable | like_for_like | caution | not_comparable
    text: str  # the verdict in a sentence
    reasons: tuple[Reason, ...]
    scope: str  # what the two share, where that is narrower than either
    facts: pd.DataFrame  # what is declared of the two waves: a row a fact, a column a wave
    numbers: pd.DataFrame  # published values, their difference and its test; a row a category and cell


class Barometer:
    """A barometer's folder. Its tables are read when asked for, as the last ``barometer run`` built them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._declared = load_catalogue(folder).barometer

    def __repr__(self) -> str:
        return f"<Barometer {self.id} in {self.folder}>"

    @property
    def id(self) -> str:
        """Its name, as declared."""
        return self._declared.id

    @property
    def title(self) -> str:
        """Its title, as declared."""
        return self._declared.title

    @property
    def table_names(self) -> tuple[str, ...]:
        """The published tables, as ``read`` takes them."""
        return PUBLISHED

    def read(self, name: str) -> pd.DataFrame:
        """A published table in its declared types.

        What is missing is "" in texts, else NaN, NA or NaT. Raises ProblemError when there is no such
        table, or nothing is built yet.
        """
        if problems := _unknown([name], PUBLISHED, "table", "published tables"):
            raise ProblemError(problems)
        return self._select(name, "TRUE")

    def waves(self) -> pd.DataFrame:
        """The waves that are built, with their facts. Raises ProblemError when nothing is built yet."""
        return self.read("waves")

    def indicators(self) -> pd.DataFrame:
        """The indicators with their definitions. Raises ProblemError when nothing is built yet."""
        return self.read("indicators")

    def domains(self) -> pd.DataFrame:
        """The breakdowns and their codes. Raises ProblemError when nothing is built yet."""
        return self.read("domains")

    def estimates(self, *, wave: Names = None, indicator: Names = None, domain: Names = None) -> pd.DataFrame:
        """The published estimates, one row a cell; each filter takes one name, or several.

        Raises ProblemError with every name that is not in the table that lists it, or when nothing is built.
        """
        filters = {"wave": wave, "indicator": indicator, "domain": domain}
        conditions, problems = ["TRUE"], list[Problem]()
        for column, requested in filters.items():
            if requested is None:
                continue
            names = list(requested) if isinstance(requested, Iterable) else [requested]
            names = [requested] if isinstance(requested, str) else names
            listed = query(self.folder, f"SELECT DISTINCT {column} FROM published.{column}s ORDER BY 1")
            known = [str(row[0]) for row in listed.rows]
            problems += _unknown(names, known, column, f"{column}s that are built")
            if problems:
                continue
            conditions.append(f"{column} IN ({', '.join(map(literal, names))})" if names else "FALSE")
        if problems:
            raise ProblemError(problems)
        return self._select("estimates", " AND ".join(conditions))

    def comparisons(self) -> pd.DataFrame:
        """Every published comparison of two waves. Raises ProblemError when nothing is built yet."""
        return self.read("comparisons")

    def compare(self, a: str, b: str, indicator: str, *, domain: str = "", lang: str = "") -> Comparison:
        """The verdict on two waves, with reasons and numbers, as ``barometer compare`` gives it.

        ``lang``: the language of the sentences, by default the barometer's first. The verdict needs nothing
        built; without a warehouse there are no numbers. Raises ProblemError when a name is not known or the
        waves are of two statuses.
        """
        answer = compare_waves(self.folder, (a, b), indicator, domain, lang)
        reasons = (Reason(row["reason"], row["verdict"], row["text"]) for row in answer["reasons"])
        facts = pd.DataFrame(answer["waves"]).set_index("wave").T
        return Comparison(
            **{key: answer[key] for key in ("wave_a", "wave_b", "indicator", "verdict", "text", "scope")},
            reasons=tuple(reasons),
            facts=facts.rename_axis("fact").rename_axis(None, axis=1),
            numbers=pd.DataFrame(answer["comparisons"]),
        )

    def query(self, sql: str) -> pd.DataFrame:
        """The rows of one SQL statement, which can only read. Types are those that pandas infers.

        The schemas ``statistics`` and ``microdata`` can be read as well; never publish what they hold.
        Raises ProblemError when nothing is built yet, or DuckDB refuses the SQL.
        """
        result = query(self.folder, sql)
        return pd.DataFrame(result.rows, columns=list(result.columns))

    def _select(self, name: str, condition: str) -> pd.DataFrame:
        rows = self.query(f"SELECT * FROM published.{quoted(name)} WHERE {condition}")
        return typed(rows, table(name)["fields"])


def open(folder: str | PathLike[str] = ".") -> Barometer:
    """The barometer in a folder. Raises ProblemError when the folder holds none."""
    return Barometer(Path(folder).resolve())


def _unknown(names: Iterable[object], known: Iterable[str], key: str, what: str) -> list[Problem]:
    """A problem for each name, of whatever type, that is not among the known ones."""
    listed = list(known)
    shown = ", ".join(listed[:40]) + (" ..." if len(listed) > 40 else "")
    return [
        Problem(
            "warehouse/barometer.duckdb",
            key,
            "is not known",
            f"Use one of the {what}: {shown}.{did_you_mean(str(name), listed)}",
            str(name),
        )
        for name in names
        if name not in listed
    ]
