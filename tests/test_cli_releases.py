"""The verbs of releases on the command line: exit codes, plain words, JSON for machines."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from pipeline.cli.app import app
from pipeline.release_store import releases_folder
from tests.barometers import edit, write_barometer
from tests.releases import PACKAGE, build, correct, raise_version, seal


def barometer_command(root: Path | str, *words: str) -> Result:
    return CliRunner().invoke(app, ["--project", str(root), *words])


def done(result: Result) -> str:
    assert (result.exit_code, result.stderr) == (0, ""), result.output
    return result.stdout


def refused(result: Result) -> str:
    """What went to stderr, of a verb that ended with 1 and without a traceback."""
    assert result.exit_code == 1 and isinstance(result.exception, SystemExit), result.output
    return result.stderr


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One release, and the candidate of a correction. Never changed: tests work on ``root``."""
    root = write_barometer(tmp_path_factory.mktemp("verbs") / "barometer")
    build(root)
    seal(root)
    correct(root)
    raise_version(root, "1.0.1")
    build(root)
    return root


@pytest.fixture
def root(released: Path, tmp_path: Path) -> Path:
    return shutil.copytree(released, tmp_path / "barometer")


def test_release_seals_and_says_what_it_revises(root: Path) -> None:
    said, after = done(barometer_command(root, "release")).splitlines()
    assert (
        said
        == "Sealed test-barometer 1.0.1, a revision of 1.0.0 (patch): warehouse/releases/test-barometer/1.0.1"
    )
    assert "The site shows it after the next `barometer run`" in after
    (again,) = done(barometer_command(root, "release")).splitlines()
    assert "is sealed already, with the same bytes" in again
    record = json.loads(done(barometer_command(root, "release", "--json", "--package", PACKAGE)))
    assert (record["ok"], record["packages"][0]["new"], record["left_out"]) == (True, False, [])


def test_release_refuses_in_plain_words(root: Path) -> None:
    edit(root / "schemas/barometer.toml", '"1.0.1"', '"1.0.0"')
    assert "Run `barometer run` first." in refused(barometer_command(root, "release"))
    build(root)
    result = barometer_command(root, "release", "--json")
    assert (
        result.exit_code == 1
        and "already sealed, with different files" in json.loads(result.stdout)["problems"][0]["message"]
    )
    assert barometer_command(root, "release", "--package", "other").exit_code == 2


def test_verify_says_that_every_byte_is_the_same(root: Path) -> None:
    done(barometer_command(root, "release"))
    folder = releases_folder(root, PACKAGE) / "1.0.1"
    assert "files rebuilt, every byte the same" in done(barometer_command(root, "verify", str(folder)))
    record = json.loads(done(barometer_command(root, "verify", str(folder), "--json")))
    assert record["ok"] and record["version"] == "1.0.1" and record["files"] > 20
    table = folder / "data/estimates.csv"
    table.chmod(0o644)
    table.write_bytes(table.read_bytes().replace(b"percent", b"procent", 1))
    said = refused(barometer_command(root, "verify", str(folder)))
    assert "data/estimates.csv: does not have the sha256 listed in SHA256SUMS" in said
    assert "column unit_measure: is 'procent', but 'percent' in the rebuild" in said
    assert json.loads(barometer_command(root, "verify", str(folder), "--json").stdout)["ok"] is False


@pytest.mark.parametrize("old", ["test-barometer@1.0.0", "FOLDER"])
@pytest.mark.parametrize("new", ["candidate", "test-barometer@candidate"])
def test_diff_shows_the_cells(root: Path, old: str, new: str) -> None:
    old = old.replace("FOLDER", str(releases_folder(root, PACKAGE) / "1.0.0"))
    said = done(barometer_command(root, "diff", old, new))
    assert said.startswith("test-barometer: 1.0.0 to candidate\n- Against 1.0.0 (patch).\n")
    assert "estimates: changed dk-2022 any_innovation yes total value: '69.3' -> '68.3'" in said


def test_diff_for_machines_is_what_the_package_holds(root: Path) -> None:
    done(barometer_command(root, "release"))
    record = json.loads(
        done(barometer_command(root, "diff", f"{PACKAGE}@1.0.0", f"{PACKAGE}@latest", "--json"))
    )
    held = json.loads((releases_folder(root, PACKAGE) / "1.0.1/revisions.json").read_text())
    assert record.pop("ok") and record.pop("problems") == [] and record == held


def test_verify_takes_the_newest_in_one_file(root: Path) -> None:
    done(barometer_command(root, "release"))
    said = done(barometer_command(root, "verify", str(releases_folder(root, PACKAGE) / "latest.zip")))
    assert "test-barometer 1.0.1" in said and "every byte the same" in said


def test_diff_on_a_terminal_is_a_table(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "160")
    said = done(barometer_command(root, "diff", f"{PACKAGE}@1.0.0", "candidate"))
    assert "│" in said and "68.3" in said and "more; --json has them all" in said


@pytest.mark.parametrize("name", ["test-barometer@9.9.9", "nothing", "warehouse/nowhere"])
def test_diff_of_what_is_not_there_says_what_is(root: Path, name: str) -> None:
    said = refused(barometer_command(root, "diff", name, "candidate"))
    assert "Sealed versions of test-barometer: 1.0.0" in said or "test-barometer@candidate" in said


def test_diff_of_a_folder_that_is_no_package(root: Path, tmp_path: Path) -> None:
    assert "does not hold a readable package" in refused(
        barometer_command(root, "diff", str(tmp_path), str(tmp_path))
    )


def test_withdraw_says_what_is_left(root: Path) -> None:
    done(barometer_command(root, "release"))
    words = ("withdraw", PACKAGE, "1.0.0", "--reason", "A wrong file.", "--date")
    said = done(barometer_command(root, *words, "2025-07-01"))
    assert "Withdrew test-barometer 1.0.0" in said and "test-barometer 1.0.1 revises it" in said
    record = json.loads(done(barometer_command(root, *words, "2025-07-01", "--json")))
    assert record["revised_by"] == ["1.0.1"]
    assert barometer_command(root, *words, "yesterday").exit_code == 2
    assert barometer_command(root, "withdraw", PACKAGE, "1.0.0").exit_code == 2
    assert "The date and reason of a withdrawal cannot be changed" in refused(
        barometer_command(root, *words, "2025-07-02")
    )


def test_publish_says_what_was_sent(root: Path, tmp_path: Path) -> None:
    www = str(tmp_path / "www")
    assert " files sent, 0 unchanged, 0 removed" in done(barometer_command(root, "publish", www))
    record = json.loads(done(barometer_command(root, "publish", www, "--json")))
    assert record["packages"][PACKAGE]["sent"] == 0 and record["packages"][PACKAGE]["unchanged"] > 20
    assert "has no release to publish ('other')" in refused(
        barometer_command(root, "publish", www, "--package", "other")
    )


@pytest.mark.parametrize("words", [("release",), ("diff", "a", "b"), ("publish", "www"), ("verify", "."), ("withdraw", "a", "1.0.0", "--reason", "r", "--date", "2025-01-01")])  # fmt: skip
def test_a_folder_without_a_barometer_says_so(tmp_path: Path, words: tuple[str, ...]) -> None:
    assert "holds no barometer" in refused(barometer_command(tmp_path, *words))
    assert list(tmp_path.iterdir()) == []
