"""How a release is cited: on the page of downloads, and in its own files."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import yaml

from pipeline.catalogue import load_catalogue
from pipeline.catalogue.model import Contributor
from pipeline.release.contents import Contents
from pipeline.release.formats.citation import files
from pipeline.site.pages.downloads import citation


@pytest.mark.parametrize(
    ("people", "said"),
    [
        (
            [{"title": "One office"}, {"title": "Another"}],
            "One office, Another (2025). A barometer. Version 1.0.0.",
        ),
        ([], "A barometer (2025). Version 1.0.0."),
    ],
)
def test_without_a_contributor_the_title_comes_first(people: list[dict[str, str]], said: str) -> None:
    strings = SimpleNamespace(plain=lambda key, version: f"Version {version}")
    section = SimpleNamespace(language=SimpleNamespace(strings=strings))
    described = {"contributors": people, "title": "A barometer"}
    release = SimpleNamespace(described=described, released="2025-01-31", version="1.0.0")
    assert citation(cast(Any, section), cast(Any, release)) == said


@pytest.mark.parametrize(
    ("people", "said", "authors"),
    [
        (("One office",), "One office (2025). Test barometer. Version 1.0.0.", ["One office"]),
        ((), "Test barometer (2025). Version 1.0.0.", ["Test barometer"]),
    ],
)
def test_a_package_without_a_contributor_is_cited_by_its_title(
    barometer: Path, people: tuple[str, ...], said: str, authors: list[str]
) -> None:
    catalogue = load_catalogue(barometer)
    declared = replace(
        catalogue.barometer,
        contributors=tuple(Contributor(name) for name in people),
        released=date(2025, 1, 31),
        homepage="",
    )
    catalogue = replace(catalogue, barometer=declared)
    contents = Contents(catalogue, next(iter(declared.packages.values())), (), {})
    assert contents.citation == said
    assert yaml.safe_load(files(contents)["CITATION.cff"])["authors"] == [{"name": name} for name in authors]
