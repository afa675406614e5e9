"""The published tables of a release as they are compared: of a package folder, or about to be written.

The table ``revisions`` is left out, as it describes a comparison and takes no part in one. So are titles of
tables, which carry the mark of synthetic data.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from pipeline.arrow import arrow
from pipeline.catalogue.model import Estimation
from pipeline.problems import Problem, ProblemError
from pipeline.release.diff import ComparedTable
from pipeline.release.files import read_parquet
from pipeline.release.schemas import schema
from pipeline.release_store import DESCRIPTOR, withdrawal_of

REVISIONS = "revisions"
COMPARED_PARTS = ("fields", "primaryKey", "foreignKeys", "missingValues")


def tables_of(folder: Path) -> dict[str, ComparedTable]:
    """The tables of a package folder. Raises ProblemError when it holds no package, or a withdrawn one."""
    described = described_in(folder)
    if withdrawal := withdrawal_of(described):
        message = f"was withdrawn on {withdrawal['date']}: {withdrawal['reason']}"
        raise ProblemError(Problem(str(folder), "", message, "Its data were removed; use another version."))
    try:
        return {
            resource["name"]: compared_table(
                resource["schema"], read_parquet((folder / resource["path"]).with_suffix(".parquet"))
            )
            for resource in described["resources"]
            if resource["path"].endswith(".csv") and resource["name"] != REVISIONS
        }
    except (OSError, KeyError, TypeError, pa.ArrowInvalid) as error:
        raise _unreadable(folder, error) from None


def described_in(folder: Path) -> dict[str, Any]:
    """The descriptor of a package folder. Raises ProblemError when it holds none."""
    try:
        loaded: dict[str, Any] = json.loads((folder / DESCRIPTOR).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise _unreadable(folder, error) from None
    return loaded


def _unreadable(folder: Path, error: Exception) -> ProblemError:
    hint = "Name the folder of a package, such as warehouse/releases/PACKAGE/VERSION."
    message = f"does not hold a readable package: {type(error).__name__}"
    return ProblemError(Problem(str(folder), "", message, hint))


def tables_from(tables: Mapping[str, pd.DataFrame], estimation: Estimation) -> dict[str, ComparedTable]:
    """The tables of a package about to be written, as ``published_tables`` gives them."""
    return {
        name: compared_table(schema(name, estimation), arrow(frame, name))
        for name, frame in tables.items()
        if name != REVISIONS
    }


def compared_table(described: Mapping[str, Any], rows: pa.Table) -> ComparedTable:
    """A table with the parts of its schema about columns and keys."""
    return ComparedTable(
        {word: described[word] for word in COMPARED_PARTS if word in described},
        rows.replace_schema_metadata(),
    )
