"""How a release is cited on the page of downloads."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

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
