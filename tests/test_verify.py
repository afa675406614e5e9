"""Verifying: rebuilt from raw files, whatever the day, the order or the threads; every changed byte is
named.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path

import pyarrow as pa
import pytest
import time_machine

from pipeline.catalogue import load_catalogue
from pipeline.estimation.engine import DuckDB
from pipeline.hashing import file_sha256
from pipeline.problems import ProblemError
from pipeline.release_store import releases_folder
from pipeline.steps.releases import withdraw_release
from pipeline.steps.verification import Verified, verify
from tests.barometers import edit, write_barometer
from tests.releases import PACKAGE, WAVES, build, seal


@pytest.fixture
def release(released_twice: Path, tmp_path: Path) -> Path:
    """A copy of the newest release that a test may spoil."""
    copy = shutil.copytree(releases_folder(released_twice, PACKAGE) / "1.0.1", tmp_path / "copy")
    for path in copy.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)
    return copy


@pytest.fixture
def rebuilt(released_twice: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rebuild is known: the release itself, as the first test proves; only the comparison is made."""
    known = releases_folder(released_twice, PACKAGE) / "1.0.1"
    monkeypatch.setattr("pipeline.steps.verification._rebuilt", lambda catalogue, release: known)


def check(root: Path, path: Path) -> Verified:
    return verify(load_catalogue(root), path)


def problems(root: Path, path: Path) -> list[str]:
    with pytest.raises(ProblemError) as error:
        check(root, path)
    return [str(problem).replace(str(path), "PATH") for problem in error.value.problems]


def spoil(path: Path, change: Callable[[bytes], bytes]) -> None:
    before = path.read_bytes()
    path.write_bytes(change(before))
    assert path.read_bytes() != before


def flip(content: bytes) -> bytes:
    """One byte in the middle, changed."""
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


def tree(root: Path) -> dict[str, int]:
    return {str(path): path.lstat().st_mtime_ns for path in root.rglob("*")}


def test_a_release_is_rebuilt_to_the_byte(released_twice: Path) -> None:
    before = tree(released_twice)
    found = check(released_twice, releases_folder(released_twice, PACKAGE) / "1.0.1")
    assert (found.package, found.version) == (PACKAGE, "1.0.1") and found.files > 20
    assert tree(released_twice) == before, "the project's own folder is as it was"


def test_the_archive_is_a_release_too(released_twice: Path) -> None:
    whole = check(released_twice, releases_folder(released_twice, PACKAGE) / "1.0.1").files
    assert (
        check(released_twice, releases_folder(released_twice, PACKAGE) / f"1.0.1/{PACKAGE}-1.0.1.zip").files
        == whole - 1
    )


def test_day_order_and_threads_leave_no_trace(
    released_twice: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    again = write_barometer(tmp_path / "elsewhere")
    threads = pa.cpu_count()
    pa.set_cpu_count(1)
    monkeypatch.setattr("pipeline.estimation.statistics.default_engine", lambda *_: DuckDB(threads=1))
    monkeypatch.setenv("TZ", "Pacific/Kiritimati")
    time.tzset()
    try:
        with time_machine.travel(datetime(2031, 2, 28, 23, 59).astimezone(), tick=False):
            build(again, WAVES[::-1])
            seal(again)
    finally:
        pa.set_cpu_count(threads)
        monkeypatch.undo()
        time.tzset()
    assert (releases_folder(again, PACKAGE) / "1.0.0/SHA256SUMS").read_bytes() == (
        releases_folder(released_twice, PACKAGE) / "1.0.0/SHA256SUMS"
    ).read_bytes()
    assert check(again, releases_folder(released_twice, PACKAGE) / "1.0.0").version == "1.0.0"


@pytest.mark.parametrize(
    "name", ["data/estimates.csv", "data/waves.parquet", "datapackage.json", "README.md", "LICENSE", "CHANGELOG.md", "revisions.json", "SHA256SUMS", "provenance.json", f"{PACKAGE}-1.0.1.zip"]
)  # fmt: skip
@pytest.mark.usefixtures("rebuilt")
def test_one_changed_byte_is_named(released_twice: Path, release: Path, name: str) -> None:
    spoil(release / name, flip)
    said = problems(released_twice, release)
    assert any(line.startswith(f"PATH/{name}") for line in said), said


@pytest.mark.usefixtures("rebuilt")
def test_a_changed_cell_is_named_even_under_new_checksums(released_twice: Path, release: Path) -> None:
    table = release / "data" / "estimates.csv"
    spoil(
        table,
        lambda content: content.replace(b",novelty,first,sector,care,", b",novelty,first,sector,home,", 1),
    )
    sums = release / "SHA256SUMS"
    lines = [line.partition("  ")[2] for line in sums.read_text().splitlines()]
    sums.write_text("".join(f"{file_sha256(release / name)}  {name}\n" for name in lines))
    said = problems(released_twice, release)
    assert said[0].startswith("PATH/provenance.json: is not the provenance of this SHA256SUMS")
    assert "PATH/data/estimates.csv, row " in said[1]
    assert (
        "(dk-2020 novelty first sector care), column domain_code: is 'home', but 'care' in the rebuild"
        in said[1]
    )


@pytest.mark.usefixtures("rebuilt")
def test_missing_and_unknown_files_are_named(released_twice: Path, release: Path) -> None:
    (release / "data/domains.csv").unlink()
    (release / "more.txt").write_text("more")
    said = problems(released_twice, release)
    assert "SHA256SUMS, data/domains.csv: is listed, but there is no such file" in said[0]
    assert "SHA256SUMS, more.txt: is not listed" in said[1]
    assert said[2].startswith("PATH/data/domains.csv: is missing, but is in the rebuild")


@pytest.mark.usefixtures("rebuilt")
def test_a_missing_row_is_named(released_twice: Path, release: Path) -> None:
    spoil(release / "data/waves.csv", lambda content: b"".join(content.splitlines(keepends=True)[:-1]))
    assert any(
        "PATH/data/waves.csv, row 4: is missing: no-2020,NO" in line
        for line in problems(released_twice, release)
    )


def test_another_version_of_the_declarations_says_so(released_twice: Path) -> None:
    said = problems(released_twice, releases_folder(released_twice, PACKAGE) / "1.0.0")
    assert len(said) == 1 and "PATH: is version 1.0.0, made from the declarations" in said[0]
    then = json.loads((releases_folder(released_twice, PACKAGE) / "1.0.0/provenance.json").read_text())[
        "declarations"
    ]["sha256"]
    now = json.loads((releases_folder(released_twice, PACKAGE) / "1.0.1/provenance.json").read_text())[
        "declarations"
    ]["sha256"]
    assert then[:12] in said[0] and f"those here, {now[:12]}, declare version 1.0.1" in said[0]


def test_what_was_declared_otherwise_is_a_likely_reason(released_twice: Path, tmp_path: Path) -> None:
    root = shutil.copytree(released_twice, tmp_path / "barometer")
    edit(root / "schemas/codebook.toml", 'codes.care = "Care"', 'codes.care = "Health care"')
    said = problems(root, releases_folder(root, PACKAGE) / "1.0.1")
    assert len(said) == 1 and "data/domains.csv, row " in said[0]
    assert "column label: is 'Care', but 'Health care' in the rebuild" in said[0]
    assert "changed since: schemas/codebook.toml." in said[0]


def test_a_changed_raw_file_is_a_likely_reason(released_twice: Path, tmp_path: Path) -> None:
    root = shutil.copytree(released_twice, tmp_path / "barometer")
    edit(root / "warehouse/raw/dk-2020.csv", "0001;2;", "0001;1;")
    said = problems(root, releases_folder(root, PACKAGE) / "1.0.1")
    assert "PATH/data/estimates.csv" in said[0] and "raw file dk-2020.csv" in said[0]


def test_without_the_release_before_it_cannot_be_rebuilt(released_twice: Path, tmp_path: Path) -> None:
    root = shutil.copytree(released_twice, tmp_path / "barometer")
    withdraw_release(root, PACKAGE, "1.0.0", "A wrong file.", date(2025, 7, 1))
    said = problems(root, releases_folder(root, PACKAGE) / "1.0.1")
    assert said[0].startswith(
        "PATH/revisions.json, old: revises 1.0.0, and the release before it here is none"
    )
    assert (
        "was withdrawn on 2025-07-01: A wrong file."
        in problems(root, releases_folder(root, PACKAGE) / "1.0.0")[0]
    )


def test_what_is_no_release_is_said_so(released_twice: Path, tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none.zip", released_twice / "schemas/barometer.toml"):
        (line,) = problems(released_twice, path)
        assert line.startswith("PATH: ") and "Name the folder of a sealed release" in line
    other = write_barometer(tmp_path / "other")
    edit(other / "schemas/barometer.toml", '"test-barometer"', '"other-barometer"')
    (line,) = problems(other, releases_folder(released_twice, PACKAGE) / "1.0.1")
    assert "is a release of test-barometer, and the packages of this barometer are other-barometer" in line
