"""The pages about the code say what the code is."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from pipeline.definitions import defs

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


def test_the_layers_of_the_architecture_page_are_the_enforced_ones() -> None:
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = declared["tool"]["importlinter"]["contracts"]
    (enforced,) = [each["layers"] for each in contracts if each["type"] == "layers"]
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (`[^|]*) \|", page.partition("## Layers")[2].partition("\n## ")[0], flags=re.M)
    assert [re.findall(r"`([^`]+)`", row) for row in rows] == [layer.split(" | ") for layer in enforced]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_to_a_file_leads_to_one(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)", page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_the_modules_that_the_contributing_page_names_exist() -> None:
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    named = re.findall(
        r"`((?:catalogue|estimation|comparison|release|site|sources|disclosure)/[\w/]+(?:\.py)?)`", page
    )
    assert named and [each for each in named if not (ROOT / "pipeline" / each).exists()] == []


def test_every_step_of_the_data_flow_is_an_asset() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    steps = set(re.findall(r"^  -> (\w+)", page, flags=re.M))
    assets = {
        key.path[-1] for graph in [defs().resolve_asset_graph()] for key in graph.materializable_asset_keys
    }
    assert steps == assets


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_module_that_a_page_names_is_there(page: Path) -> None:
    """`estimation/plan`, `site/build.py`, `pipeline/intervals`: a path that begins with a package of ours."""
    packages = {path.parent.name for path in (ROOT / "pipeline").glob("*/__init__.py")} - {"warehouse"}
    named = re.findall(r"`((?:[a-z_]+/)+[a-z_]+(?:\.py)?)`", page.read_text(encoding="utf-8"))
    modules = [path for path in named if path.removeprefix("pipeline/").partition("/")[0] in packages]
    places = {path: ROOT / "pipeline" / path.removeprefix("pipeline/") for path in modules}
    assert [
        path
        for path, place in places.items()
        if not (place.is_dir() or place.is_file() or place.with_name(f"{place.name}.py").is_file())
    ] == []
