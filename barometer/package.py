"""Reads any data package as DataFrames."""

from __future__ import annotations

import json
from pathlib import Path, PurePosixPath
from typing import Any

import pandas as pd

from barometer.frames import TYPES, typed
from pipeline.problems import Problem, ProblemError
from pipeline.release_store import DESCRIPTOR


def read_package(path: str | Path) -> dict[str, pd.DataFrame]:
    """Every CSV table of a data package, given as folder or datapackage.json, by name in its declared types.

    Missing values are as the package declares them: "" in texts, NaN, NA or NaT elsewhere. Raises
    ProblemError when there is no package, a file of it is missing, or a column is not as declared.
    """
    descriptor = Path(path)
    descriptor = descriptor / DESCRIPTOR if descriptor.is_dir() else descriptor
    try:
        described: dict[str, Any] = json.loads(descriptor.read_text(encoding="utf-8"))
        resources = [entry for entry in described["resources"] if entry.get("format") == "csv"]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        hint = "Name the folder of a data package, or its datapackage.json."
        raise ProblemError(Problem(str(descriptor), "", "is not a data package", hint)) from None
    return {str(entry["name"]): _table(descriptor, entry) for entry in resources}


def _table(descriptor: Path, resource: dict[str, Any]) -> pd.DataFrame:
    name, schema = str(resource.get("path", "")), resource.get("schema", {})
    relative = PurePosixPath(name)
    hint = "Download the whole package again; SHA256SUMS lists its files."
    if not name or relative.is_absolute() or ".." in relative.parts:
        raise ProblemError(
            Problem(str(descriptor), "resources.path", "points outside the package", hint, name)
        )
    try:
        fields = [field for field in schema["fields"] if field["type"] in TYPES]
        missing = schema.get("missingValues", [""])
        texts = pd.read_csv(descriptor.parent / name, dtype="str", keep_default_na=False, na_values=missing)
        for field in fields:
            if field["type"] == "boolean":
                texts[field["name"]] = texts[field["name"]].map({"true": True, "false": False})
        return typed(texts, fields)
    except FileNotFoundError:
        raise ProblemError(Problem(str(descriptor.parent / name), "", "is missing", hint)) from None
    except (OSError, ValueError, KeyError, TypeError):
        message = "is not what datapackage.json declares"
        raise ProblemError(Problem(str(descriptor.parent / name), "", message, hint)) from None
