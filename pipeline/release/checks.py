"""What must hold of a finished package, whoever wrote it: every file, every column, every word of it.

No validator catches everything, so several look at it: these checks (hashes of all files, CSV against
Parquet, columns against the product's contract), the Data Package 2.0 profile (the descriptor), Frictionless
(types, codes, primary and foreign keys of the CSV), and ``agreement`` (the other formats).
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

import jsonschema
import pyarrow as pa
from frictionless import FrictionlessException, Package

from pipeline.contracts import table
from pipeline.faults import Fault
from pipeline.release.agreement import check_archive, check_formats
from pipeline.release.contents import SYNTHETIC
from pipeline.release.files import csv_bytes, read_parquet, sha256
from pipeline.release.tables import PUBLISHED
from pipeline.shelf import DESCRIPTOR, SUMS, VERSION, checksums
from pipeline.workers import side_by_side

HEAVY = 5_000_000  # bytes of CSV: Frictionless reads them in two seconds, and a worker takes that to start
OUTSIDE = ("provenance.json",)  # beside the archive, what is no part of a package's identity
NAME = r"[a-z0-9][a-z0-9._-]*"
TELLING = (
    "README.md",
    "CITATION.cff",
    "csv-metadata.json",
    "dcat.jsonld",
    "dcat.ttl",
    "schema-org.jsonld",
    "sdmx/structure.xml",
)
MEND = "Build the package anew with `barometer run`; its files are never edited."
Descriptor = dict[str, Any]


def check_package(folder: Path) -> list[Fault]:
    """Everything wrong with the package in a folder, files named relative to it; nothing when it is sound."""
    try:
        described: Descriptor = json.loads((folder / DESCRIPTOR).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        return [Fault(DESCRIPTOR, "", f"cannot be read: {type(error).__name__}", MEND)]
    for check in (check_sums, _profile, _facts, _resources, _marks):
        if faults := list(check(folder, described)):
            return faults
    size = sum(path.stat().st_size for path in (folder / "data").glob("*.csv"))
    with side_by_side(_frictionless, [(folder, described)], heavy=size > HEAVY) as validated:
        others = list(check_formats(folder, described))
        return next(validated) or others or list(_archive(folder, described))


def check_untouched(folder: Path, sums: str) -> list[Fault]:
    """What is no longer as it passed ``check_package``: ``sums`` is the sha256 that SHA256SUMS had then."""
    if not (folder / SUMS).is_file() or sha256(folder / SUMS) != sums:
        return [Fault(SUMS, "", "is not the one that was made", MEND)]
    if faults := list(check_sums(folder, {})):
        return faults
    return list(_archive(folder, json.loads((folder / DESCRIPTOR).read_text(encoding="utf-8"))))


def check_sums(folder: Path, described: Descriptor) -> Iterator[Fault]:
    """Every file is the one that SHA256SUMS names, there is no other, and none is hidden."""
    outside = {SUMS, *OUTSIDE, *(path.name for path in folder.glob("*.zip"))}
    present = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()} - outside
    listed = checksums(folder)
    for name in sorted(present ^ set(listed)):
        missing = "is listed but not there" if name in listed else "is not listed"
        yield Fault(SUMS, name, missing, MEND)
    for name in sorted(present & set(listed)):
        if sha256(folder / name) != listed[name]:
            yield Fault(name, "", f"is not the file that {SUMS} names", MEND)
        if any(part.startswith(".") for part in Path(name).parts):
            yield Fault(name, "", "is a hidden file", "Give it a name that does not begin with a dot.")


def _archive(folder: Path, described: Descriptor) -> Iterator[Fault]:
    return check_archive(folder, described, {**checksums(folder), SUMS: ""})


@cache
def _validator() -> jsonschema.Draft7Validator:
    profile = files("pipeline.release").joinpath("datapackage-2.0.json")
    return jsonschema.Draft7Validator(json.loads(profile.read_text(encoding="utf-8")))


def _profile(folder: Path, described: Descriptor) -> Iterator[Fault]:
    for error in _validator().iter_errors(described):
        yield Fault(
            DESCRIPTOR, ".".join(map(str, error.path)), f"breaks the profile: {error.message[:200]}", MEND
        )


def _facts(folder: Path, described: Descriptor) -> Iterator[Fault]:
    """What the profile leaves open: a version that can be compared, a date, and these tables only."""
    name, version, created = (described.get(key, "") for key in ("name", "version", "created"))
    if not re.fullmatch(NAME, name):
        mend = "Name the package in barometer.toml in lower case, with digits and hyphens."
        yield Fault(DESCRIPTOR, "name", "is not a name that every reader accepts", mend, name)
    if not VERSION.fullmatch(version):
        mend = "Declare the version in barometer.toml as MAJOR.MINOR.PATCH."
        yield Fault(DESCRIPTOR, "version", "is not a semantic version", mend, version)
    try:
        datetime.fromisoformat(created)
    except ValueError:
        yield Fault(DESCRIPTOR, "created", "is not a date", MEND, created)
    expected = [
        file
        for name in PUBLISHED
        for file in ((name, f"data/{name}.csv"), (f"{name}-parquet", f"data/{name}.parquet"))
    ]
    named = [(resource.get("name"), resource.get("path")) for resource in described["resources"]]
    if named != expected or not all((folder / path).is_file() for _, path in expected):
        yield Fault(DESCRIPTOR, "resources", "are not exactly the files of the published tables", MEND)


def _resources(folder: Path, described: Descriptor) -> Iterator[Fault]:
    """Each table has its declared columns, its hash, clean text, and the same cells in CSV and Parquet."""
    for resource in described["resources"]:
        path = folder / resource["path"]
        if resource.get("hash") != f"sha256:{sha256(path)}":
            yield Fault(resource["path"], "hash", f"is not the one that {DESCRIPTOR} names", MEND)
        if path.suffix == ".parquet":
            yield from _same_cells(path, path.with_suffix(".csv"), resource["path"])
        elif resource.get("schema", {}).get("fields") != table(path.stem)["fields"]:
            yield Fault(DESCRIPTOR, path.stem, "has other columns or codes than its contract", MEND)
        else:
            yield from _codes(path.stem)


def _codes(name: str) -> Iterator[Fault]:
    """The codes of a column, for old readers and new ones, are the same and named apart."""
    for field in table(name)["fields"]:
        if "categories" in field:
            codes = [category["value"] for category in field["categories"]]
            labels = {category["label"] for category in field["categories"]}
            if codes != field.get("constraints", {}).get("enum") or len(labels) < len(codes):
                mend = "Give categories and enum the same codes, and each code a label of its own."
                yield Fault(
                    f"pipeline/contracts/tables/{name}.json", field["name"], "has codes that disagree", mend
                )


def _same_cells(parquet: Path, text: Path, place: str) -> Iterator[Fault]:
    """Parquet written as CSV is, byte for byte, the CSV: so it has the same cells, and no byte order mark."""
    try:
        rows = read_parquet(parquet)
    except (OSError, pa.ArrowInvalid):
        yield Fault(place, "", "is not a Parquet file", MEND)
        return
    if rows.column_names != [field["name"] for field in table(parquet.stem)["fields"]]:
        yield Fault(place, "", "has other columns than its contract", MEND)
    elif csv_bytes(rows) != text.read_bytes():
        yield Fault(
            place, "", f"does not hold the same cells as {text.name}, or that is not plain UTF-8", MEND
        )


def _marks(folder: Path, described: Descriptor) -> Iterator[Fault]:
    """Official and synthetic waves never stand together, and synthetic ones are called so everywhere."""
    statuses = set(read_parquet(folder / "data" / "waves.parquet")["status"].to_pylist())
    if len(statuses) > 1:
        mend = "Declare one package for each status in barometer.toml."
        yield Fault("data/waves.csv", "status", "mixes official and synthetic waves", mend)
    if statuses == {"synthetic"}:
        for place, said in (("", described), *((each["name"], each) for each in described["resources"])):
            for word in ("title", "description"):
                if SYNTHETIC not in said.get(word, ""):
                    yield Fault(DESCRIPTOR, f"{place}.{word}".strip("."), f"does not say {SYNTHETIC}", MEND)
        for name in sorted(checksums(folder)):
            if _tells(name) and SYNTHETIC not in (folder / name).read_text(encoding="utf-8"):
                yield Fault(name, "", f"does not say {SYNTHETIC}", MEND)


def _tells(name: str) -> bool:
    """Whether a file must say by itself what the package is: each description and each cube of its own."""
    return name.startswith(("jsonstat/", "px/")) or name in TELLING


def _frictionless(package: tuple[Path, Descriptor]) -> list[Fault]:
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
    return [Fault(place, error.type, f"Frictionless: {error.message[:200]}", MEND) for place, error in errors]
