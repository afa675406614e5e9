"""One candidate package: its tables against the release before, audited, written, with its provenance.

Here belongs what a candidate takes from sealed releases. Which tables there are, and how they are protected
and written, belongs to the packages below.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import pandas as pd

from pipeline.arrow import arrow
from pipeline.catalogue import Catalogue, Package
from pipeline.contracts import columns, conform, table
from pipeline.disclosure import AUDITED, Audit, audit
from pipeline.problems import Problem, ProblemError
from pipeline.release import write_package
from pipeline.release.compared_tables import compared_table, tables_from, tables_of
from pipeline.release.quality import quality
from pipeline.release.revisions import CHANGELOG, JSON, as_json, changelog, comparison, revision_table
from pipeline.release_store import SUMS, SealedRelease, earlier, previous
from pipeline.staleness.files import hash_of_file
from pipeline.staleness.outputs import wave_report
from pipeline.steps.declared_facts import worth_a_look
from pipeline.steps.provenance import PROVENANCE, provenance

Tables = Mapping[str, pd.DataFrame]


def revisions(catalogue: Catalogue, package: Package, estimates: pd.DataFrame) -> pd.DataFrame:
    """The table ``revisions`` of a package, from its published estimates."""
    version = catalogue.barometer.version
    before = previous(catalogue.root, package.key, version)
    return revision_table(before, compared_table(table("estimates"), arrow(estimates, "estimates")), version)


def every_revision(catalogue: Catalogue, estimates: pd.DataFrame) -> pd.DataFrame:
    """The revisions of every package that holds a wave of these estimates, one after the other."""
    package_of_wave = {key: catalogue.package_of(wave).key for key, wave in catalogue.waves.items()}
    packages = catalogue.barometer.packages
    parts = estimates.groupby(estimates["wave"].map(package_of_wave), sort=True)
    return pd.concat([revisions(catalogue, packages[key], part) for key, part in parts], ignore_index=True)


class Audited(NamedTuple):
    """A package fit to be written: its tables, and the report of the audit that they passed."""

    package: Package
    tables: Tables
    report: dict[str, Any]


def audited(catalogue: Catalogue, package: Package, tables: Tables) -> Audited:
    """A package's tables with its revisions. Raises ProblemError when an outsider could work out a hidden
    cell from them and the releases before.
    """
    tables = {**tables, "revisions": revisions(catalogue, package, tables["estimates"])}
    found = audited_with_releases(catalogue, package, tables)
    if found.problems:
        raise ProblemError(found.problems)
    return Audited(package, tables, found.report)


def write_candidate(catalogue: Catalogue, made: Audited) -> dict[str, Any]:
    """Write a package's candidate; gives what a release needs to know of it: its identity, its audit.

    Raises ProblemError, and leaves the former candidate as it was, when a table breaks its contract or the
    package does not pass its validation.
    """
    package, tables = made.package, made.tables
    extra = _extra_files(catalogue, package, tables)
    waves = [catalogue.waves[key] for key in tables["waves"]["wave"]]
    microdata = [wave for wave in waves if wave.is_microdata]
    weighted = {wave.key: wave_report(catalogue.root, "weighted_wave", wave.key) for wave in microdata}
    findings = {wave.key: worth_a_look(wave, catalogue) for wave in microdata}
    extra["quality.json"] = quality(catalogue, package, tables, made.report, weighted, findings)
    folder = write_package(catalogue.root, catalogue, package, tables, extra)
    (folder / PROVENANCE).write_bytes(provenance(catalogue, waves, folder))
    return {"sha256sums": hash_of_file(folder / SUMS), "audit": made.report}


def audited_with_releases(catalogue: Catalogue, package: Package, tables: Tables) -> Audit:
    """The disclosure audit of the candidate together with every release that an outsider has."""
    version = catalogue.barometer.version
    before = earlier(catalogue.root, package.key, version)
    published = [(release.version, published_before(release)) for release in before]
    return audit([*published, (version, tables)], catalogue)


def published_before(release: SealedRelease) -> dict[str, pd.DataFrame]:
    """The audited tables of a sealed release in today's columns; columns it lacks are blank.

    Raises ProblemError when it has columns that today's contracts lack: an outsider still has their numbers,
    and the audit would not attack with them.
    """
    files = {name: release.folder / "data" / f"{name}.parquet" for name in AUDITED}
    found = {name: pd.read_parquet(path) for name, path in files.items() if path.is_file()}
    if problems := list(_unknown_columns(release, found)):
        raise ProblemError(problems)
    return {name: _in_todays_columns(frame, name) for name, frame in found.items()}


def _unknown_columns(release: SealedRelease, found: Tables) -> Iterator[Problem]:
    for name, frame in found.items():
        for column in frame.columns.difference(columns(name)):
            yield Problem(
                f"warehouse/releases/{release.package}/{release.version}/data/{name}.parquet",
                column,
                "is published in this release, but this version of the product does not know the column, so "
                "that the disclosure audit cannot take it into account",
                "Build the candidate with a version of the product that knows it, or withdraw that release.",
            )


def _in_todays_columns(frame: pd.DataFrame, name: str) -> pd.DataFrame:
    blanks: dict[str, Any] = {
        field["name"]: {"string": "", "boolean": False}.get(field["type"]) for field in table(name)["fields"]
    }
    missing = {column: blank for column, blank in blanks.items() if column not in frame}
    return conform(frame.assign(**missing)[list(blanks)], name)


def _extra_files(catalogue: Catalogue, package: Package, tables: Tables) -> dict[str, bytes]:
    """The files of a package beside its tables."""
    barometer = catalogue.barometer
    before = previous(catalogue.root, package.key, barometer.version)
    old = (before.version, tables_of(before.folder)) if before else None
    compared = comparison(package.key, old, (barometer.version, tables_from(tables, barometer.estimation)))
    released = barometer.released.isoformat()
    return {
        JSON: as_json(compared),
        CHANGELOG: changelog(compared, released, before.folder if before else None),
    }
