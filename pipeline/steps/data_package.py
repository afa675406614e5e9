"""The step that protects the estimates, audits them and packs the candidate of every package with a wave.

What it publishes is kept beside: the warehouse holds the same tables, and is made after them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

import pandas as pd

from pipeline.atomic import remove
from pipeline.catalogue import Catalogue
from pipeline.disclosure import protect
from pipeline.problems import Problem, ProblemError
from pipeline.release import published_tables
from pipeline.staleness.fingerprint import Sound
from pipeline.staleness.outputs import Metadata, StepResult, product_folder, write_json
from pipeline.steps.candidates import Audited, audited, write_candidate
from pipeline.steps.comparisons import published_comparisons
from pipeline.steps.product_step import product_step, units_of

AUDIT = ".audit.json"


def data_package(catalogue: Catalogue) -> StepResult:
    """The candidate data packages, one a status: what the next release would publish, validated.

    Raises ProblemError, before any candidate is written, when one does not pass its audit.
    """

    def work(folder: Path, sound: Sound) -> Metadata:
        estimated = pd.read_parquet(product_folder(catalogue.root, "estimates") / "estimates.parquet")
        protected = protect(estimated, catalogue)
        compared = published_comparisons(catalogue, estimated, protected)
        for name, frame in {"estimates": protected, **compared}.items():
            frame.to_parquet(folder / f"{name}.parquet", index=False)
        rows: Metadata = {}
        guesses: Metadata = {}  # a draft says so in Dagster, too
        for made in _audited(catalogue, protected, units_of(sound, catalogue), compared):
            key = made.package.key
            write_json(folder / f"{key}{AUDIT}", write_candidate(catalogue, made))
            rows[key] = len(made.tables["estimates"])
            waves = [catalogue.waves[wave] for wave in made.tables["waves"]["wave"]]
            guesses[f"unconfirmed in {key}"] = len(catalogue.unconfirmed_of(waves))
        _remove_former(catalogue, rows)
        hidden = int((protected["obs_status"] == "Q").sum())
        counts = {f"rows in {key}": count for key, count in rows.items()}
        return {"packages": len(rows), "suppressed": hidden, **counts, **guesses}

    return product_step("data_package", catalogue, work)


def _audited(
    catalogue: Catalogue,
    protected: pd.DataFrame,
    units: Mapping[str, int],
    compared: Mapping[str, pd.DataFrame],
) -> list[Audited]:
    """Every package that holds a wave. Raises ProblemError with what the audits of all have found."""
    made: list[Audited] = []
    problems: list[Problem] = []
    for package in catalogue.barometer.packages.values():
        tables = published_tables(catalogue, protected, units, package, compared)
        if len(tables["waves"]):
            try:
                made.append(audited(catalogue, package, tables))
            except ProblemError as error:
                problems += error.problems
    if problems:
        raise ProblemError(problems)
    return made


def _remove_former(catalogue: Catalogue, kept: Collection[str]) -> None:
    """Candidates of packages that no longer hold a wave are not left to be mistaken for current ones.

    What no run has made is nobody's candidate, and stays.
    """
    for name in _former(catalogue):
        if name not in kept:
            remove(catalogue.path("warehouse", "candidate", name))


def _former(catalogue: Catalogue) -> Iterator[str]:
    yield from catalogue.barometer.packages
    for record in product_folder(catalogue.root, "data_package").glob(f"*{AUDIT}"):
        yield record.name.removesuffix(AUDIT)
