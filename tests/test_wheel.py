"""The product apart from its checkout: its wheel, in an environment of its own, builds and releases a
barometer.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import urllib.request
import venv
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.barometers import microdata, write_barometer

SOURCES = ("pipeline", "barometer", "pyproject.toml", "README.md", "LICENSE")
RELEASE = "warehouse/releases/test-barometer/1.0.0"


def pip(*words: str | Path) -> None:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def wheel(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout, built from a copy, since building leaves files behind."""
    copy, made = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for name in SOURCES:
        source = repository / name
        if source.is_dir():
            shutil.copytree(source, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, copy)
    pip("wheel", "--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", made, copy)
    (found,) = made.iterdir()
    return found


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment that holds the wheel, and sees the libraries of this one but not its editable
    ``pipeline``.

    A path in a .pth file is searched for modules, while the .pth files there, that of the checkout among
    them, are not read.
    """
    folder = tmp_path_factory.mktemp("elsewhere") / "environment"
    venv.create(folder, symlinks=True)
    (packages,) = folder.glob("lib/python*/site-packages")
    pip("--python", folder / "bin/python", "install", "--no-deps", "--no-index", wheel)
    libraries = [path for path in sys.path if Path(path).name == "site-packages"]
    (packages / "libraries.pth").write_text("\n".join(libraries), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_barometer(tmp_path_factory.mktemp("far") / "barometer")


def environment() -> dict[str, str]:
    return {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "BAROMETER_PROJECT")}


def run(command: list[str | Path], root: Path) -> str:
    done = subprocess.run(
        command, cwd=root, env=environment(), capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@contextmanager
def serving(installed: Path, root: Path) -> Iterator[str]:
    """What ``serve`` says once it listens."""
    command = [installed / "bin/barometer", "serve", "--port", "0"]
    with subprocess.Popen(command, cwd=root, env=environment() | {"PYTHONUNBUFFERED": "1"}, stdout=subprocess.PIPE, text=True) as server:  # fmt: skip
        try:
            assert server.stdout is not None
            yield server.stdout.readline()
        finally:
            server.terminate()


def test_the_wheel_holds_every_file_of_the_product_and_nothing_else(repository: Path, wheel: Path) -> None:
    folders = (repository / "pipeline", repository / "barometer")
    files = {path for folder in folders for path in folder.rglob("*") if path.is_file()}
    product = {
        path.relative_to(repository).as_posix() for path in files if "__pycache__" not in path.parts
    }  # fmt: skip
    held = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert held == product


def test_every_verb_works_from_the_wheel(installed: Path, root: Path) -> None:
    def barometer(*words: str) -> str:
        return run([installed / "bin/barometer", *words], root)

    where = run([installed / "bin/python", "-c", "import pipeline; print(pipeline.__file__)"], root)
    assert Path(where.strip()).is_relative_to(installed)
    assert "3 waves" in barometer("check")
    assert "Done" in barometer("run")
    assert (root / "warehouse/site/index.html").is_file()
    assert barometer("query", "SELECT count(*) AS cells FROM statistics.estimates WHERE wave = 'no-2020'", "--format", "csv") == "cells\n3\n"  # fmt: skip
    assert "caution" in barometer("compare", "dk-2020", "no-2020", "--indicator", "any_innovation")
    assert "Sealed test-barometer 1.0.0" in barometer("release")
    assert "every byte the same" in barometer("verify", RELEASE)
    assert "The same data as 1.0.0" in barometer("diff", "test-barometer@1.0.0", "candidate")
    assert "files sent" in barometer("publish", "open")
    assert (root / "open/test-barometer/1.0.0/datapackage.json").is_file()
    with serving(installed, root) as said:
        address = re.search(r"http://\S+", said)
        assert address, said
        with urllib.request.urlopen(address.group()) as answer:
            assert b"Test barometer" in answer.read()
    assert "Open Dagster" in barometer("ui", "--help")
    barometer("withdraw", "test-barometer", "1.0.0", "--reason", "A trial.", "--date", "2025-02-01")
    assert not (root / RELEASE / "data").exists() and (root / RELEASE / "datapackage.json").is_file()
    (root / "delivered.csv").write_text(microdata(2), encoding="utf-8")
    assert "wrote schemas/waves/dk-2024.toml" in barometer("new-wave", "dk-2024", "delivered.csv")
    assert (root / "schemas/waves/dk-2024.toml").is_file()
