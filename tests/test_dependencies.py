"""The libraries that running needs: few, each of them used, and none used that is not declared."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest

MOST = 20
OWN = {"pipeline", "barometer"}
PART_OF = {"pydantic-core": "pydantic", "markupsafe": "jinja2"}  # whose pages have their readers import it


@pytest.fixture(scope="module")
def project(repository: Path) -> dict[str, Any]:
    declared: dict[str, Any] = tomllib.loads((repository / "pyproject.toml").read_text("utf-8"))["project"]
    return declared


def names(requirements: list[str]) -> set[str]:
    return {re.split(r"[^\w.-]", each)[0].lower() for each in requirements}


def modules(tree: ast.AST) -> Iterator[str]:
    """The modules that a source imports, the optional ones of an extra among them."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield str(node.module)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "optional":
            yield from (each.value for each in node.args[:1] if isinstance(each, ast.Constant))


@pytest.fixture(scope="module")
def imported(repository: Path) -> set[str]:
    """The distributions of all that the product imports."""
    files = [path for folder in sorted(OWN) for path in (repository / folder).rglob("*.py")]
    found = {name.split(".")[0] for path in files for name in modules(ast.parse(path.read_bytes()))}
    distributions = packages_distributions()
    others = found - OWN - sys.stdlib_module_names
    assert others <= distributions.keys()
    held = {name.lower().replace("_", "-") for module in others for name in distributions[module]}
    return {PART_OF.get(name, name) for name in held}


def test_few_libraries_are_needed_to_run(project: dict[str, Any]) -> None:
    assert len(project["dependencies"]) <= MOST


def test_every_library_that_is_declared_is_imported(project: dict[str, Any], imported: set[str]) -> None:
    assert names(project["dependencies"]) <= imported


def test_every_library_that_is_imported_is_declared(project: dict[str, Any], imported: set[str]) -> None:
    extras = (name for each in project["optional-dependencies"].values() for name in names(each))
    assert imported <= names(project["dependencies"]) | {*extras}
