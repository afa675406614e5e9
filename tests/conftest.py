"""Fixtures every test room shares."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.barometers import write_barometer

REPOSITORY = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def repository() -> Path:
    """The project's own folder, with the bundled barometer."""
    return REPOSITORY


@pytest.fixture(scope="session")
def shared() -> Path:
    """Real open survey files and reference results that stand beside the project; skips where they do not."""
    folder = REPOSITORY.parent / "shared"
    if not folder.is_dir():
        pytest.skip("the folder of reference data and results is not beside the project")
    return folder


@pytest.fixture
def barometer(tmp_path: Path) -> Path:
    """A small sound barometer in a folder of its own."""
    return write_barometer(tmp_path / "barometer")
