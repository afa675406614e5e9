"""Withdrawing: the data go at once, a tombstone stays, and the version is never used again."""

from __future__ import annotations

import json
import shutil
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import Any

import feedparser
import jsonschema
import pytest

from pipeline.catalogue import load_catalogue
from pipeline.problems import ProblemError
from pipeline.release.compared_tables import tables_of
from pipeline.release_store import releases_folder, sealed_releases
from pipeline.staleness.status import products_current, sound_waves
from pipeline.steps import products
from pipeline.steps.releases import package_folders, withdraw_release
from tests.releases import PACKAGE, build, raise_version, seal

DAY, REASON = date(2025, 7, 1), "One respondent could be recognised."


@pytest.fixture
def root(released_twice: Path, tmp_path: Path) -> Path:
    return shutil.copytree(released_twice, tmp_path / "barometer")


def place(root: Path, name: str) -> Path:
    return releases_folder(root, PACKAGE) / name


def latest(root: Path) -> bytes:
    return place(root, "latest.zip").read_bytes()


def listed(root: Path, version: str) -> dict[str, Any]:
    versions = json.loads(place(root, "versions.json").read_text())["versions"]
    return next(entry for entry in versions if entry["version"] == version)


def test_only_the_tombstone_stays(root: Path) -> None:
    withdraw_release(root, PACKAGE, "1.0.1", REASON, DAY)
    assert {path.name for path in place(root, "1.0.1").rglob("*")} == {"datapackage.json", "WITHDRAWN.md"}
    notice = place(root, "1.0.1/WITHDRAWN.md").read_text()
    assert "withdrawn on 2025-07-01" in notice and REASON in notice
    described = json.loads(place(root, "1.0.1/datapackage.json").read_text())
    assert described["withdrawn"] == {"date": "2025-07-01", "reason": REASON}
    assert (described["version"], described["title"]) == ("1.0.1", "WITHDRAWN: Test barometer")


def test_the_tombstone_is_a_data_package(root: Path) -> None:
    withdraw_release(root, PACKAGE, "1.0.1", REASON, DAY)
    profile = json.loads(files("pipeline.release").joinpath("datapackage-2.0.json").read_text())
    jsonschema.Draft7Validator(profile).validate(
        json.loads(place(root, "1.0.1/datapackage.json").read_text())
    )


def test_no_checksum_of_the_data_is_left(root: Path) -> None:
    """With one unknown cell, a checksum tells which guess is right."""
    sums = place(root, "1.0.1/SHA256SUMS").read_text()
    digests = [line.partition("  ")[0] for line in sums.splitlines()] + [listed(root, "1.0.1")["sha256sums"]]
    withdraw_release(root, PACKAGE, "1.0.1", REASON, DAY)
    left = "".join(
        path.read_text(errors="replace") for path in (place(root, "feed.xml"), place(root, "versions.json"))
    )
    left += "".join(path.read_text() for path in place(root, "1.0.1").iterdir())
    assert not [digest for digest in digests if digest in left]


def test_latest_moves_back_and_readers_are_told(root: Path) -> None:
    withdraw_release(root, PACKAGE, "1.0.1", REASON, DAY)
    assert latest(root) == place(root, f"1.0.0/{PACKAGE}-1.0.0.zip").read_bytes()
    assert json.loads(place(root, "versions.json").read_text())["latest"] == "1.0.0"
    assert listed(root, "1.0.1")["withdrawn"] == {"date": "2025-07-01", "reason": REASON}
    feed = feedparser.parse(place(root, "feed.xml").read_bytes())
    assert (
        not feed.bozo and feed.feed.updated == "2025-07-01T00:00:00Z" and feed.feed.title == "Test barometer"
    )
    assert (
        feed.entries[0].title == "test-barometer 1.0.1 is withdrawn"
        and REASON in feed.entries[0].content[0].value
    )
    assert len(feed.entries) == 3 == len({entry.id for entry in feed.entries})


def test_without_a_release_there_is_no_latest(root: Path) -> None:
    withdraw_release(root, PACKAGE, "1.0.1", REASON, DAY)
    withdraw_release(root, PACKAGE, "1.0.0", REASON, DAY)
    assert not place(root, "latest.zip").exists()
    assert json.loads(place(root, "versions.json").read_text())["latest"] is None


def test_releases_that_revise_it_are_named(root: Path) -> None:
    assert withdraw_release(root, PACKAGE, "1.0.0", REASON, DAY) == ["1.0.1"]
    assert withdraw_release(root, PACKAGE, "1.0.1", REASON, DAY) == []


def test_a_withdrawn_version_is_never_sealed_again(root: Path) -> None:
    withdraw_release(root, PACKAGE, "1.0.1", REASON, DAY)
    with pytest.raises(
        ProblemError, match=r"was withdrawn from test-barometer on 2025-07-01, and cannot be used again"
    ):
        seal(root)
    raise_version(root, "1.0.2")
    build(root)
    assert seal(root).revises == "1.0.0"
    assert [release.version for release in sealed_releases(root, PACKAGE)] == ["1.0.0", "1.0.1", "1.0.2"]


def test_a_withdrawal_makes_the_candidate_stale(root: Path) -> None:
    raise_version(root, "1.0.2")
    build(root)
    withdraw_release(root, PACKAGE, "1.0.1", REASON, DAY)
    catalogue = load_catalogue(root)
    assert not products_current(catalogue, sound_waves(catalogue))
    assert products.data_package(catalogue).redone and products.warehouse(catalogue).redone


def test_saying_it_again_changes_nothing_and_otherwise_is_refused(root: Path) -> None:
    withdraw_release(root, PACKAGE, "1.0.1", REASON, DAY)
    before = place(root, "1.0.1/datapackage.json").stat().st_mtime_ns
    withdraw_release(root, PACKAGE, "1.0.1", f"  {REASON} ", DAY)
    assert place(root, "1.0.1/datapackage.json").stat().st_mtime_ns == before
    with pytest.raises(ProblemError, match="The date and reason of a withdrawal cannot be changed"):
        withdraw_release(root, PACKAGE, "1.0.1", "Another reason.", DAY)


@pytest.mark.parametrize(
    ("package", "version", "reason", "day", "message"),
    [
        (PACKAGE, "2.0.0", REASON, DAY, r"2\.0\.0: is not a sealed release. Sealed versions: 1\.0\.0, 1\.0\.1"),
        ("other", "1.0.0", REASON, DAY, "warehouse/releases/other: does not exist"),
        (PACKAGE, "1.0.1", " ", DAY, "cannot be withdrawn without a reason"),
        (PACKAGE, "1.0.1", REASON, date(2025, 1, 1), "cannot be withdrawn before it was released"),
    ],
)  # fmt: skip
def test_what_cannot_be_withdrawn_is_said(
    root: Path, package: str, version: str, reason: str, day: date, message: str
) -> None:
    with pytest.raises(ProblemError, match=message):
        withdraw_release(root, package, version, reason, day)
    assert latest(root) == place(root, f"1.0.1/{PACKAGE}-1.0.1.zip").read_bytes()


def test_a_withdrawal_cut_short_is_finished_by_whoever_comes_next(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    removals = 0

    def dying(path: Path, missing_ok: bool = False) -> None:
        nonlocal removals
        if missing_ok and not path.exists():  # of a file that is written beside its place
            return
        removals += 1
        if removals > 3:
            raise KeyboardInterrupt
        path.chmod(0o644)
        real(path)

    real = Path.unlink
    monkeypatch.setattr(Path, "unlink", dying)
    with pytest.raises(KeyboardInterrupt):
        withdraw_release(root, PACKAGE, "1.0.0", REASON, DAY)
    monkeypatch.undo()
    assert sealed_releases(root, PACKAGE)[0].withdrawn, "from its first moment it counts as withdrawn"
    with pytest.raises(ProblemError, match=r"candidate: is out of date"):
        seal(root)
    assert {path.name for path in place(root, "1.0.0").iterdir()} == {"datapackage.json", "WITHDRAWN.md"}
    assert listed(root, "1.0.0")["status"] == "withdrawn"


def test_its_data_are_asked_for_in_vain(root: Path) -> None:
    withdraw_release(root, PACKAGE, "1.0.0", REASON, DAY)
    (folder,) = package_folders(root, [f"{PACKAGE}@1.0.0"])
    with pytest.raises(ProblemError, match="was withdrawn on 2025-07-01: One respondent"):
        tables_of(folder)
