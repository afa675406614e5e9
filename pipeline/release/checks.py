"""The checks of a finished package, whoever wrote it: every file, every column, every description.

No validator finds everything, so there are several: these checks (hashes of all files, CSV against
Parquet, columns against the product's contract), the Data Package 2.0 profile (the descriptor), Frictionless
(types, codes, primary and foreign keys of the CSV), and ``formats`` (each reads its own files back).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import datetime
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import pyarrow as pa
from frictionless import FrictionlessException, Metadata, Package

from pipeline.catalogue.model import Estimation
from pipeline.contracts import columns, table
from pipeline.hashing import file_sha256
from pipeline.problems import DEFECT, Problem
from pipeline.release.archive import check_archive
from pipeline.release.contents import DRAFT, SYNTHETIC
from pipeline.release.files import csv_bytes, read_parquet
from pipeline.release.formats.format import REBUILD
from pipeline.release.formats.registry import check_formats, kind_of
from pipeline.release.schemas import schema
from pipeline.release.tables import PUBLISHED
from pipeline.release_store import DESCRIPTOR, SEMANTIC_VERSION, SUMS, checksums
from pipeline.workers import in_parallel

HEAVY = 5_000_000  # bytes of CSV: Frictionless reads them in two seconds, and a worker takes that to start
OUTSIDE = ("provenance.json",)  # beside the archive, not part of a package's identity
NAME = r"[a-z0-9][a-z0-9._-]*"
Descriptor = dict[str, Any]


def check_package(folder: Path) -> list[Problem]:
    """Everything wrong with the package in a folder, files named relative to it; nothing when it is sound."""
    try:
        described: Descriptor = json.loads((folder / DESCRIPTOR).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        return [Problem(DESCRIPTOR, "", f"cannot be read: {type(error).__name__}", REBUILD)]
    for check in (check_sums, _profile, _facts, _resources, _marks):
        if problems := list(check(folder, described)):
            return problems
    size = sum(path.stat().st_size for path in (folder / "data").glob("*.csv"))
    with in_parallel(_frictionless, [(folder, described)], heavy=size > HEAVY) as validated:
        others = list(check_formats(folder, described))
        return next(validated) or others or list(_archive(folder, described))


def check_untouched(folder: Path, sums: str) -> list[Problem]:
    """What is no longer as it passed ``check_package``: ``sums`` is the sha256 that SHA256SUMS had then."""
    if not (folder / SUMS).is_file() or file_sha256(folder / SUMS) != sums:
        return [Problem(SUMS, "", "is not the file that was written with the package", REBUILD)]
    if problems := list(check_sums(folder, {})):
        return problems
    return list(_archive(folder, json.loads((folder / DESCRIPTOR).read_text(encoding="utf-8"))))


def check_sums(folder: Path, described: Descriptor) -> Iterator[Problem]:
    """Every file is the one that SHA256SUMS names, there is no other, and none is hidden."""
    outside = {SUMS, *OUTSIDE, *(path.name for path in folder.glob("*.zip"))}
    present = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()} - outside
    listed = checksums(folder)
    for name in sorted(present ^ set(listed)):
        message = "is listed, but there is no such file" if name in listed else "is not listed"
        yield Problem(SUMS, name, message, REBUILD)
    for name in sorted(present & set(listed)):
        if file_sha256(folder / name) != listed[name]:
            yield Problem(name, "", f"does not have the sha256 listed in {SUMS}", REBUILD)
        if any(part.startswith(".") for part in Path(name).parts):
            yield Problem(name, "", "is a hidden file", "Choose a name that does not begin with a dot.")


def _archive(folder: Path, described: Descriptor) -> Iterator[Problem]:
    return check_archive(folder, described, {**checksums(folder), SUMS: ""})


@cache
def _published_profile() -> Descriptor:
    profile = files("pipeline.release").joinpath("datapackage-2.0.json")
    return dict(json.loads(profile.read_text(encoding="utf-8")))


def _profile(folder: Path, described: Descriptor) -> Iterator[Problem]:
    for error in Metadata.metadata_validate(described, profile=_published_profile()):
        yield Problem(DESCRIPTOR, "", f"breaks the profile: {error.note[:200]}", REBUILD)


def _facts(folder: Path, described: Descriptor) -> Iterator[Problem]:
    """What the profile does not require: a semantic version, a date, and exactly the published tables."""
    name, version, created = (described.get(key, "") for key in ("name", "version", "created"))
    if not re.fullmatch(NAME, name):
        hint = "Name the package in barometer.toml in lower case, with digits and hyphens."
        yield Problem(DESCRIPTOR, "name", "is not a valid package name", hint, name)
    if not SEMANTIC_VERSION.fullmatch(version):
        hint = "Declare the version in barometer.toml as MAJOR.MINOR.PATCH."
        yield Problem(DESCRIPTOR, "version", "is not a semantic version", hint, version)
    try:
        datetime.fromisoformat(created)
    except ValueError:
        yield Problem(DESCRIPTOR, "created", "is not a date and time", REBUILD, created)
    if described.get("estimation", {}).keys() != {"confidence", "proportion_ci"}:
        yield Problem(
            DESCRIPTOR, "estimation", "does not name the level and the method of the intervals", REBUILD
        )
    expected = [
        file
        for name in PUBLISHED
        for file in ((name, f"data/{name}.csv"), (f"{name}-parquet", f"data/{name}.parquet"))
    ]
    named = [(resource.get("name"), resource.get("path")) for resource in described["resources"]]
    if named != expected or not all((folder / path).is_file() for _, path in expected):
        yield Problem(
            DESCRIPTOR,
            "resources",
            "do not list exactly the CSV and Parquet files of the published tables",
            REBUILD,
        )


def _resources(folder: Path, described: Descriptor) -> Iterator[Problem]:
    """Each table has its declared columns, its hash, clean text, and the same cells in CSV and Parquet."""
    estimation = Estimation(**described["estimation"])
    for resource in described["resources"]:
        path = folder / resource["path"]
        if resource.get("hash") != f"sha256:{file_sha256(path)}":
            yield Problem(resource["path"], "hash", f"is not the sha256 given in {DESCRIPTOR}", REBUILD)
        if path.suffix == ".parquet":
            yield from _same_cells(path, path.with_suffix(".csv"), resource["path"])
        elif resource.get("schema", {}).get("fields") != schema(path.stem, estimation)["fields"]:
            yield Problem(
                DESCRIPTOR, path.stem, "does not have the columns and codes of its contract", REBUILD
            )
        else:
            yield from _codes(path.stem)


def _codes(name: str) -> Iterator[Problem]:
    """The codes of a column are the same in both notations, and every code has a label of its own."""
    for field in table(name)["fields"]:
        if "categories" in field:
            codes = [category["value"] for category in field["categories"]]
            labels = {category["label"] for category in field["categories"]}
            if codes != field.get("constraints", {}).get("enum") or len(labels) < len(codes):
                yield Problem(
                    f"pipeline/contracts/tables/{name}.json",
                    field["name"],
                    "has categories and enum that differ, or labels that are not unique",
                    DEFECT,
                )


def _same_cells(parquet: Path, text: Path, file: str) -> Iterator[Problem]:
    """Parquet written as CSV gives the bytes of the CSV: it has the same cells, and no byte order mark."""
    try:
        rows = read_parquet(parquet)
    except (OSError, pa.ArrowInvalid):
        yield Problem(file, "", "is not a Parquet file", REBUILD)
        return
    if rows.column_names != columns(parquet.stem):
        yield Problem(file, "", "does not have the columns of its contract", REBUILD)
    elif csv_bytes(rows) != text.read_bytes():
        yield Problem(
            file, "", f"does not hold the same cells as {text.name}, or that file is not plain UTF-8", REBUILD
        )


def _marks(folder: Path, described: Descriptor) -> Iterator[Problem]:
    """Official and synthetic waves are never mixed; synthetic ones and drafts are marked everywhere."""
    statuses = set(read_parquet(folder / "data" / "waves.parquet")["status"].to_pylist())
    if len(statuses) > 1:
        hint = "Declare one package for each status in barometer.toml."
        yield Problem("data/waves.csv", "status", "mixes official and synthetic waves", hint)
    marks = {SYNTHETIC: statuses == {"synthetic"}, DRAFT: "unconfirmed" in described}
    for mark in (mark for mark, given in marks.items() if given):
        for name, each in (
            ("", described),
            *((resource["name"], resource) for resource in described["resources"]),
        ):
            for word in ("title", "description"):
                if mark not in each.get(word, ""):
                    yield Problem(DESCRIPTOR, f"{name}.{word}".strip("."), f"is not marked {mark}", REBUILD)
        for name in sorted(checksums(folder)):
            if kind_of(name).marked and mark not in (folder / name).read_text(encoding="utf-8"):
                yield Problem(name, "", f"is not marked {mark}", REBUILD)


def _frictionless(package: tuple[Path, Descriptor]) -> list[Problem]:
    """Frictionless' report on the CSV files; Parquet, which it reads slowly, was compared with them above."""
    folder, described = package
    text_only = [resource for resource in described["resources"] if resource["path"].endswith(".csv")]
    try:
        read = Package.from_descriptor({**described, "resources": text_only}, basepath=str(folder))
    except FrictionlessException as refused:
        errors = [(DESCRIPTOR, error) for error in refused.reasons or [refused.error]]
    else:
        report = read.validate()
        errors = [(DESCRIPTOR, error) for error in report.errors]
        errors += [(task.place, error) for task in report.tasks for error in task.errors]
    return [
        Problem(place, error.type, f"Frictionless: {error.message[:200]}", REBUILD) for place, error in errors
    ]
