"""Fixtures every test room shares."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.barometers import write_barometer
from tests.releases import build, correct, raise_version, seal

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


@pytest.fixture(scope="session")
def awkward(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A package with everything in it that a format could stumble on."""
    from tests.packages import awkward_package

    return awkward_package(tmp_path_factory.mktemp("awkward") / "barometer")


@pytest.fixture(scope="session")
def official(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundled official package."""
    from tests.packages import official_package

    return official_package(REPOSITORY, tmp_path_factory.mktemp("official"))


@pytest.fixture(params=["awkward", "official"])
def package(request: pytest.FixtureRequest) -> Path:
    """Each of the two, which a test only reads."""
    folder: Path = request.getfixturevalue(request.param)
    return folder


@pytest.fixture
def spoilt(awkward: Path, tmp_path: Path) -> Path:
    """A package that a test may tamper with."""
    return shutil.copytree(awkward, tmp_path / awkward.name)


@pytest.fixture(scope="session")
def released_twice(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small barometer with releases 1.0.0 and 1.0.1, a correction. Never changed: tests copy it."""
    root = write_barometer(tmp_path_factory.mktemp("released") / "barometer")
    build(root)
    seal(root)
    correct(root)
    raise_version(root, "1.0.1")
    build(root)
    seal(root)
    return root
