"""Writing one data package: made beside the old one, validated there, put in its place whole.

Here belongs the order of the steps. The content of files belongs to ``files``, ``descriptor``, ``readme`` and
``formats``, the validation to ``checks``. A package is made of published tables and nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import pandas as pd

from pipeline.arrow import arrow
from pipeline.atomic import inside, replace_directory
from pipeline.catalogue import Catalogue, Package
from pipeline.contracts import conform
from pipeline.problems import ProblemError
from pipeline.release.archive import zipped
from pipeline.release.checks import OUTSIDE, check_package
from pipeline.release.contents import Contents
from pipeline.release.descriptor import descriptor
from pipeline.release.files import json_bytes, sha256sums
from pipeline.release.formats.registry import DESCRIPTIONS, FORMATS, media_of
from pipeline.release.readme import licence_text, readme
from pipeline.release.tables import PUBLISHED
from pipeline.release_store import DESCRIPTOR, SUMS

NOTHING: Mapping[str, bytes] = MappingProxyType({})


def candidate(root: Path, package: Package) -> Path:
    """The folder of the candidate of a package."""
    return root / "warehouse" / "candidate" / package.key


def write_package(
    root: Path,
    catalogue: Catalogue,
    package: Package,
    tables: Mapping[str, pd.DataFrame],
    extra: Mapping[str, bytes] = NOTHING,
) -> Path:
    """Write and validate a package, then put it in the place of the former candidate.

    ``tables``: what ``published_tables`` gives for this package. ``extra``: finished files of other packages
    by their path, put in as they are. Raises ProblemError, and leaves the former candidate as it was, when a
    table breaks its contract or the package does not pass its validation.
    """
    rows = {name: arrow(conform(tables[name], name), name) for name in PUBLISHED}
    waves = tuple(catalogue.waves[key] for key in rows["waves"]["wave"].to_pylist())
    target = candidate(root, package)
    with replace_directory(target) as fresh:
        for name, content in package_files(Contents(catalogue, package, waves, rows), extra).items():
            file = inside(fresh, name)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
        if problems := check_package(fresh):
            place = target.relative_to(root).as_posix()
            raise ProblemError(replace(problem, file=f"{place}/{problem.file}") for problem in problems)
    return target


def package_files(contents: Contents, extra: Mapping[str, bytes] = NOTHING) -> dict[str, bytes]:
    """Every file of a package by its path, checksums and archive last."""
    made: dict[str, bytes] = {}
    for each in FORMATS:
        made |= each.files(contents)
    described = descriptor(contents, made)
    made[DESCRIPTOR] = json_bytes(described)
    made["README.md"] = readme(contents, described).encode()
    made["LICENSE"] = licence_text(contents).encode()
    made |= {name: content for name, content in extra.items() if name not in OUTSIDE}
    known = dict(made)
    for each in DESCRIPTIONS:
        made |= each.files(contents, known, media_of(known))
    made[SUMS] = sha256sums(made)
    outside = {name: extra[name] for name in OUTSIDE if name in extra}
    return made | outside | {f"{contents.name}.zip": zipped(made, within=contents.name)}
