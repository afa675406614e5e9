"""What needs a library of an extra says so, and how to get it, where the extra is not installed."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipeline.catalogue import Source, load_catalogue
from pipeline.cli.app import app
from pipeline.problems import ProblemError
from pipeline.release.destination import destination_at
from pipeline.sources import fetch
from pipeline.sources.readers import read_here


@pytest.mark.parametrize("file", ["delivered.sav", "delivered.zsav", "delivered.dta", "delivered.sas7bdat"])
def test_a_file_of_a_statistics_program(file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyreadstat", None)
    (tmp_path / file).write_bytes(b"delivered")
    with pytest.raises(
        ProblemError, match=r"needs the extra `spss`.*pip install 'barometer\[spss\]'"
    ) as raised:
        read_here(tmp_path / file, Source(kind="microdata", file=file, sha256=""), None)
    assert raised.value.problems[0].value == file


@pytest.mark.parametrize(
    ("address", "module", "extra"),
    [
        ("https://127.0.0.1/survey.csv", "aiohttp", "https"),
        ("http://127.0.0.1/survey.csv", "aiohttp", "https"),
        ("s3://bucket/survey.csv", "s3fs", "s3"),
    ],
)
def test_a_raw_file_elsewhere(
    address: str, module: str, extra: str, barometer: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wave = load_catalogue(barometer).waves["dk-2020"]
    wave = replace(wave, source=replace(wave.source, file=address))
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ProblemError, match=rf"needs the extra `{extra}`.*barometer\[{extra}\]") as raised:
        fetch(wave, barometer)
    (problem,) = raised.value.problems
    assert (problem.file, problem.key, problem.value) == (
        "schemas/waves/dk-2020.toml",
        "source.file",
        address,
    )


def test_publishing_to_a_bucket(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "s3fs", None)
    with pytest.raises(ProblemError, match=r"needs the extra `s3`.*pip install 'barometer\[s3\]'"):
        destination_at("s3://open-data/barometers", "test-barometer")


def test_dagsters_screens(barometer: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "dagster_webserver", None)
    monkeypatch.setattr(os, "execve", lambda *_: pytest.fail("it went on without"))
    done = CliRunner().invoke(app, ["--project", str(barometer), "ui"])
    assert done.exit_code == 1 and "needs the extra `ui`" in done.stderr
