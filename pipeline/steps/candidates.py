"""One candidate package: its tables against the release before, audited, written, with its provenance.

Here belongs what a candidate takes from sealed releases. Which tables there are, and how they are protected
and written, belongs to the packages below.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline.arrow import arrow
from pipeline.catalogue import Catalogue, Package
from pipeline.contracts import conform, table
from pipeline.disclosure import AUDITED, Audit, audit
from pipeline.problems import ProblemError
from pipeline.release import write_package
from pipeline.release.compared_tables import compared_table, tables_from, tables_of
from pipeline.release.quality import quality
from pipeline.release.revisions import CHANGELOG, JSON, as_json, changelog, comparison, revision_table
from pipeline.release_store import SUMS, earlier, previous
from pipeline.staleness.files import hash_of_file
from pipeline.staleness.outputs import wave_report
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


def make_candidate(catalogue: Catalogue, package: Package, tables: Tables) -> dict[str, Any]:
    """Write a package's candidate; gives what a release needs to know of it: its identity, its audit.

    Raises ProblemError, and leaves the former candidate as it was, when an outsider could work out a hidden
    cell, a table breaks its contract or the package does not pass its validation.
    """
    tables = {**tables, "revisions": revisions(catalogue, package, tables["estimates"])}
    audited = audited_with_releases(catalogue, package, tables)
    if audited.problems:
        raise ProblemError(audited.problems)
    extra = _extra_files(catalogue, package, tables)
    waves = [catalogue.waves[key] for key in tables["waves"]["wave"]]
    weighted = {
        wave.key: wave_report(catalogue.root, "weighted_wave", wave.key)
        for wave in waves
        if wave.is_microdata
    }
    extra["quality.json"] = quality(catalogue, package, tables, audited.report, weighted)
    folder = write_package(catalogue.root, catalogue, package, tables, extra)
    (folder / PROVENANCE).write_bytes(provenance(catalogue, waves, folder))
    return {"sha256sums": hash_of_file(folder / SUMS), "audit": audited.report}


def audited_with_releases(catalogue: Catalogue, package: Package, tables: Tables) -> Audit:
    """The disclosure audit of the candidate together with every release that an outsider has."""
    version = catalogue.barometer.version
    before = earlier(catalogue.root, package.key, version)
    published = [(release.version, published_before(release.folder)) for release in before]
    return audit([*published, (version, tables)], catalogue)


def published_before(folder: Path) -> dict[str, pd.DataFrame]:
    """The audited tables of a sealed release in today's columns; columns it lacks are blank."""
    files = {name: folder / "data" / f"{name}.parquet" for name in AUDITED}
    return {name: _in_todays_columns(path, name) for name, path in files.items() if path.is_file()}


def _in_todays_columns(path: Path, name: str) -> pd.DataFrame:
    frame = pd.read_parquet(path)
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
    compared = comparison(package.key, old, (barometer.version, tables_from(tables)))
    released = barometer.released.isoformat()
    return {
        JSON: as_json(compared),
        CHANGELOG: changelog(compared, released, before.folder if before else None),
    }
