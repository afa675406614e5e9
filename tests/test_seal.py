"""Sealing: whole or not at all, once and for good, with a version that fits the changes."""

from __future__ import annotations

import errno
import json
import os
import shutil
import stat
import subprocess
import sys
import textwrap
import threading
from collections.abc import Mapping, Sequence
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Any

import feedparser
import pandas as pd
import pytest

from pipeline.catalogue import Catalogue, load_catalogue
from pipeline.disclosure import AUDITED, Audit
from pipeline.problems import Problem, ProblemError
from pipeline.release import check_package
from pipeline.release.lock import locked
from pipeline.release.seal import copy_flushed, refusals
from pipeline.release.seal import seal as put_on_shelf
from pipeline.release_store import earlier, previous, releases_folder, sealed_releases
from pipeline.staleness.status import products_current, sound_waves
from pipeline.steps import candidates
from pipeline.steps.releases import left_out, seal_candidates, withdraw_release
from pipeline.warehouse import query
from tests.barometers import edit, write_barometer
from tests.release_stores import within
from tests.releases import PACKAGE, WAVES, build, correct, raise_version, seal


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small barometer, built and not released. Never changed: tests work on ``built``."""
    root = write_barometer(tmp_path_factory.mktemp("seal") / "barometer")
    build(root)
    return root


@pytest.fixture
def built(finished: Path, tmp_path: Path) -> Path:
    return shutil.copytree(finished, tmp_path / "barometer")


@pytest.fixture(scope="session")
def twice(released_twice: Path) -> Path:
    """Two releases, the second a correction. Never changed."""
    return released_twice


def files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def in_store(root: Path) -> list[str]:
    """Everything beside the lock, hidden or not."""
    return sorted(path.name for path in releases_folder(root, PACKAGE).iterdir() if path.name != ".lock")


def said(root: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((releases_folder(root, PACKAGE) / "versions.json").read_text())
    return loaded


def test_a_release_has_the_bytes_of_its_candidate(built: Path) -> None:
    sealing = seal(built)
    assert (sealing.new, sealing.version, sealing.revises) == (True, "1.0.0", None)
    assert files(sealing.folder) == files(built / "warehouse/candidate" / PACKAGE)
    assert check_package(sealing.folder) == []
    assert in_store(built) == ["1.0.0", "feed.xml", "latest.zip", "versions.json"]


def test_sealed_files_are_read_only(built: Path) -> None:
    for path in seal(built).folder.rglob("*"):
        assert path.is_dir() or stat.S_IMODE(path.stat().st_mode) == 0o444


def test_sealing_again_changes_nothing(built: Path) -> None:
    seal(built)
    before = {path: path.stat().st_mtime_ns for path in releases_folder(built, PACKAGE).rglob("[!.]*")}
    assert not seal(built).new
    assert {
        path: path.stat().st_mtime_ns for path in releases_folder(built, PACKAGE).rglob("[!.]*")
    } == before


def test_a_candidate_stays_current_beside_its_own_release(built: Path) -> None:
    seal(built)
    catalogue = load_catalogue(built)
    assert products_current(catalogue, sound_waves(catalogue))


def test_other_bytes_are_refused(built: Path) -> None:
    seal(built)
    before = files(releases_folder(built, PACKAGE))
    edit(built / "schemas/codebook.toml", 'codes.care = "Care"', 'codes.care = "Health care"')
    build(built)
    with pytest.raises(ProblemError, match=r"version: of test-barometer is already sealed.*Raise `version`"):
        seal(built)
    assert files(releases_folder(built, PACKAGE)) == before


def test_a_stale_candidate_is_not_sealed(built: Path) -> None:
    edit(built / "schemas/codebook.toml", 'codes.care = "Care"', 'codes.care = "Health care"')
    with pytest.raises(ProblemError, match=r"is out of date.*barometer run"):
        seal(built)
    correct(built)
    with pytest.raises(ProblemError, match="is out of date: dk-2022 changed"):
        seal(built)
    assert not (built / "warehouse/releases").exists()


def test_an_edited_candidate_is_not_sealed(built: Path) -> None:
    folder = built / "warehouse/candidate" / PACKAGE
    (folder / "SHA256SUMS").write_text("")
    with pytest.raises(ProblemError, match=r"candidate: is out of date"):
        seal(built)


def test_a_spoilt_file_is_not_sealed(built: Path) -> None:
    path = built / "warehouse/candidate" / PACKAGE / "data/estimates.csv"
    path.write_bytes(path.read_bytes().replace(b"dk-2020", b"dk-2021", 1))
    with pytest.raises(ProblemError, match=r"candidate: is out of date"):
        seal(built)
    assert not releases_folder(built, PACKAGE).exists()


def test_versions_must_rise(twice: Path) -> None:
    (problem,) = refusals(twice, PACKAGE, "0.9.0", twice / "warehouse/candidate" / PACKAGE)
    assert "is lower than 1.0.1, the last sealed version of test-barometer ('0.9.0')" in str(problem)


@pytest.mark.parametrize(
    ("file", "old", "new", "version", "message"),
    [
        ("codebook.toml", 'codes.south = "South"', 'codes.south = "South"\ncodes.east = "East"', "1.1.0", "minor bump of 1.0.0 of test-barometer; the changes need a major one: code region=east added"),
        ("domains.toml", "[domains.sector]", '[domains.region]\nby = ["region"]\n[domains.sector]', "1.0.1", "patch bump .* need a minor one: .*domain region north added"),
    ],
)  # fmt: skip
def test_a_bump_smaller_than_the_changes_need_is_refused(
    built: Path, file: str, old: str, new: str, version: str, message: str
) -> None:
    seal(built)
    edit(built / "schemas" / file, old, new)
    raise_version(built, version)
    build(built)
    with pytest.raises(ProblemError, match=message):
        seal(built)
    assert [release.version for release in sealed_releases(built, PACKAGE)] == ["1.0.0"]


def test_a_new_wave_is_minor(built: Path) -> None:
    paths = ("warehouse/raw/dk-2022.csv", "schemas/waves/dk-2022.toml")
    for path in paths:
        (built / path).rename(built / f"{path}.later")
    build(built)
    seal(built)
    for path in paths:
        (built / f"{path}.later").rename(built / path)
    raise_version(built, "1.1.0")
    build(built)
    assert seal(built).bump == "minor"
    assert "wave dk-2022 added" in (releases_folder(built, PACKAGE) / "1.1.0/CHANGELOG.md").read_text()
    rows = (releases_folder(built, PACKAGE) / "1.1.0/data/revisions.csv").read_text().splitlines()[1:]
    assert {row.split(",")[0] for row in rows} == {"dk-2022"} and all(",added,," in row for row in rows)


def test_latest_versions_and_feed_follow(twice: Path) -> None:
    place = releases_folder(twice, PACKAGE)
    archive = place / "1.0.1" / f"{PACKAGE}-1.0.1.zip"
    assert (place / "latest.zip").read_bytes() == archive.read_bytes()
    assert said(twice)["latest"] == "1.0.1"
    listed = [(entry["version"], entry["released"], entry["status"]) for entry in said(twice)["versions"]]
    assert listed == [("1.0.1", "2025-06-30", "released"), ("1.0.0", "2025-01-31", "released")]
    assert said(twice)["versions"][0]["revises"] == "1.0.0"
    feed = feedparser.parse((releases_folder(twice, PACKAGE) / "feed.xml").read_bytes())
    assert not feed.bozo and feed.feed.author == "Test office"
    assert [entry.title for entry in feed.entries] == [f"{PACKAGE} 1.0.1", f"{PACKAGE} 1.0.0"]
    assert feed.feed.updated == feed.entries[0].updated == "2025-06-30T00:00:00Z"
    assert len({entry.id for entry in feed.entries} | {feed.feed.id}) == 3
    assert "rows of estimates corrected" in feed.entries[0].content[0].value


def test_identifiers_of_the_feed_never_change(twice: Path, built: Path) -> None:
    seal(built)
    ids = [
        {
            entry.title: entry.id
            for entry in feedparser.parse((releases_folder(root, PACKAGE) / "feed.xml").read_bytes()).entries
        }
        for root in (built, twice)
    ]
    assert ids[0].items() <= ids[1].items()


def test_revisions_hold_every_corrected_cell_with_both_values(twice: Path) -> None:
    old, new = (
        pd.read_csv(releases_folder(twice, PACKAGE) / version / "data/estimates.csv")
        for version in ("1.0.0", "1.0.1")
    )
    revised = pd.read_csv(releases_folder(twice, PACKAGE) / "1.0.1/data/revisions.csv")
    key = ["wave", "indicator", "category", "domain", "domain_code"]
    both = old.merge(new, on=key, suffixes=("_old", "_new"))
    cells = both[both["value_old"].fillna(-1) != both["value_new"].fillna(-1)]
    shown = revised[revised["changed_columns"].str.split("|").map(lambda names: "value" in names)]
    assert len(cells) > 0 and set(revised["change"]) == {"changed"}
    assert (
        shown[["wave", "old_value", "new_value"]].to_numpy().tolist()
        == cells[["wave", "value_old", "value_new"]].to_numpy().tolist()
    )


def test_a_first_release_has_no_revisions(twice: Path) -> None:
    first = releases_folder(twice, PACKAGE) / "1.0.0"
    assert len((first / "data/revisions.csv").read_text().splitlines()) == 1
    assert json.loads((first / "revisions.json").read_text())["old"] is None
    assert (first / "CHANGELOG.md").read_text().endswith("## 1.0.0, 2025-01-31\n\n- First release.\n")


def test_the_changelog_keeps_what_it_said(twice: Path) -> None:
    one, two = (
        (releases_folder(twice, PACKAGE) / version / "CHANGELOG.md").read_text()
        for version in ("1.0.0", "1.0.1")
    )
    heading, entries = one.split("\n## ")
    assert two.startswith(heading) and two.endswith(f"## {entries}") and "## 1.0.1, 2025-06-30" in two


def test_the_warehouse_has_the_revisions_too(twice: Path) -> None:
    (count,) = query(twice, "SELECT count(*) FROM published.revisions").rows[0]
    assert (
        count
        == len((releases_folder(twice, PACKAGE) / "1.0.1/data/revisions.csv").read_text().splitlines()) - 1
        > 0
    )


def test_provenance_names_what_it_was_made_from(twice: Path) -> None:
    folder = releases_folder(twice, PACKAGE) / "1.0.1"
    made = json.loads((folder / "provenance.json").read_text())
    assert made["sha256sums"] == sha256((folder / "SHA256SUMS").read_bytes()).hexdigest()
    raw = twice / "warehouse/raw/dk-2022.csv"
    assert made["raw"]["dk-2022.csv"] == {
        "sha256": sha256(raw.read_bytes()).hexdigest(),
        "bytes": raw.stat().st_size,
    }
    assert "dk-margins.csv" in made["raw"] and "schemas/waves/dk-2022.toml" in made["declarations"]["files"]
    assert made["libraries"]["duckdb"] and "provenance.json" not in (folder / "SHA256SUMS").read_text()


def test_the_shelf_knows_what_came_before(twice: Path) -> None:
    assert [release.version for release in earlier(twice, PACKAGE, "1.0.1")] == ["1.0.0"]
    assert previous(twice, PACKAGE, "1.0.0") is None
    before = previous(twice, PACKAGE, "10.0.0")
    assert before and before.version == "1.0.1"
    assert [release.version for release in sealed_releases(twice, PACKAGE)] == ["1.0.0", "1.0.1"]


DRIVER = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, {here!r})
from pipeline.catalogue import load_catalogue
from pipeline.steps.releases import seal_candidates

left = int(sys.argv[2])
def counting(act):
    def counted(*given, **named):
        global left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return act(*given, **named)
    return counted
os.fsync = counting(os.fsync)
os.rename, os.replace = counting(os.rename), counting(os.replace)
import pathlib, shutil
Path.rename, Path.replace = counting(Path.rename), counting(Path.replace)
shutil.copyfile = counting(shutil.copyfile)
seal_candidates(load_catalogue(Path(sys.argv[1])))
"""


def killed_at(root: Path, point: int, repository: Path) -> int:
    """Seals in a process that is killed at its n-th write; gives its exit code."""
    code = textwrap.dedent(DRIVER.format(here=str(repository)))
    command = [sys.executable, "-W", "ignore", "-c", code, str(root), str(point)]
    return subprocess.run(command, check=False, capture_output=True, cwd=repository).returncode


def test_a_killed_run_leaves_nothing_that_looks_sealed(built: Path, repository: Path) -> None:
    candidate = files(built / "warehouse/candidate" / PACKAGE)
    writes = 2 * len(candidate)  # a copy and a sync each, then folders, the rename, the indexes
    killed = 0
    for point in (1, writes // 2, writes, writes + 5, writes + 7, 2 * writes, 2 * writes + 20):
        killed += killed_at(built, point, repository) == -9
        for release in sealed_releases(built, PACKAGE):
            assert files(release.folder) == candidate, point
    assert killed > 3
    assert seal(built).version == "1.0.0"
    assert in_store(built) == ["1.0.0", "feed.xml", "latest.zip", "versions.json"]


@pytest.mark.parametrize("act", ["fsync", "open"])
def test_a_full_disk_at_any_write_leaves_the_shelf_as_it_was(
    built: Path, act: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, real = built / "warehouse/candidate" / PACKAGE, getattr(os, act)
    left = 0

    def failing(*given: Any, **named: Any) -> Any:
        nonlocal left
        left -= 1
        if left == 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(*given, **named)

    for point in range(1, len(files(folder)) + 4, 5):
        monkeypatch.setattr(f"pipeline.atomic.os.{act}", real)
        with locked(built, PACKAGE):
            left = point
            monkeypatch.setattr(f"pipeline.atomic.os.{act}", failing)
            with pytest.raises(OSError, match="No space left"):
                put_on_shelf(built, PACKAGE, "1.0.0", folder)
        assert in_store(built) == [], point


def test_what_was_cut_short_after_the_seal_is_mended(built: Path) -> None:
    seal(built)
    place = releases_folder(built, PACKAGE)
    whole = files(place)
    (place / "versions.json").unlink()
    (place / "feed.xml").write_text("<feed")
    (place / "latest.zip").write_bytes(b"PK")
    (place / "1.0.0/.datapackage.json.new").write_text("{")
    (place / ".1.1.0.new").mkdir()
    (place / ".versions.json.new").write_text("{")
    assert not seal(built).new
    assert files(place) == whole


def test_two_at_once_seal_once(built: Path, repository: Path) -> None:
    code = "import sys; sys.argv[1:] = ['--project', sys.argv[1], 'release', '--json']; from pipeline.__main__ import main; main()"
    processes = [
        subprocess.Popen([sys.executable, "-c", code, str(built)], stdout=subprocess.PIPE, cwd=repository)
        for _ in range(3)
    ]
    answers = [json.loads(process.communicate()[0]) for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0]
    assert sorted(answer["packages"][0]["new"] for answer in answers) == [False, False, True]
    assert check_package(releases_folder(built, PACKAGE) / "1.0.0") == []


def test_the_rename_alone_keeps_two_from_winning(built: Path) -> None:
    """Even where locks do not work, whoever renames second finds a release in the way."""
    folder = built / "warehouse/candidate" / PACKAGE
    rival = releases_folder(built, PACKAGE) / ".rival"
    copy_flushed(folder, rival)
    put_on_shelf(built, PACKAGE, "1.0.0", folder)
    with pytest.raises(OSError) as refused:
        rival.rename(releases_folder(built, PACKAGE) / "1.0.0")
    assert refused.value.errno in (errno.ENOTEMPTY, errno.EEXIST)


def test_a_held_lock_is_waited_for_and_named(built: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.release.lock.TIMEOUT", 0.1)
    with (
        locked(built, PACKAGE),
        pytest.raises(ProblemError, match="another process is changing these releases"),
    ):
        thread_refused(built)


def thread_refused(root: Path) -> None:
    """Tries the lock from another thread, as another process would."""
    caught: list[ProblemError] = []

    def attempt() -> None:
        try:
            with locked(root, PACKAGE):
                pass
        except ProblemError as error:
            caught.append(error)

    thread = threading.Thread(target=attempt)
    thread.start()
    thread.join()
    raise caught[0]


def test_a_failed_audit_leaves_the_former_candidate_and_stops_the_release(
    built: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    problem = Problem(
        "estimates", "dk-2020 novelty", "a hidden cell is pinned down to 3 points", "Hide more."
    )
    monkeypatch.setattr("pipeline.steps.candidates.audit", lambda *_: Audit([problem], {"pinned_cells": 1}))
    edit(built / "schemas/codebook.toml", 'codes.care = "Care"', 'codes.care = "Health care"')
    former = within(built / "warehouse/candidate")
    with pytest.raises(ProblemError, match=r"a hidden cell is pinned down to 3 points\. Hide more"):
        build(built)
    assert within(built / "warehouse/candidate") == former
    with pytest.raises(ProblemError, match="is out of date"):
        seal(built)
    assert sealed_releases(built, PACKAGE) == []


def test_the_audit_sees_what_stands_and_not_what_was_withdrawn(
    twice: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[list[str]] = []

    def watching(published: Sequence[tuple[str, Mapping[str, pd.DataFrame]]], catalogue: Catalogue) -> Audit:
        seen.append([label for label, _ in published])
        columns = [{name: list(frame) for name, frame in tables.items()} for _, tables in published]
        assert all(each == columns[-1] for each in columns) and set(columns[-1]) == set(AUDITED)
        return Audit([], {})

    monkeypatch.setattr(candidates, "audit", watching)
    root = shutil.copytree(twice, tmp_path / "barometer")
    raise_version(root, "1.0.2")
    catalogue = load_catalogue(root)
    tables = candidates.published_before(sealed_releases(root, PACKAGE)[-1])
    (package,) = catalogue.barometer.packages.values()
    candidates.audited_with_releases(catalogue, package, tables)
    withdraw_release(root, PACKAGE, "1.0.0", "A wrong file.", date(2025, 7, 1))
    candidates.audited_with_releases(catalogue, package, tables)
    assert seen == [["1.0.0", "1.0.1", "1.0.2"], ["1.0.1", "1.0.2"]]


def test_a_column_of_an_earlier_release_that_the_audit_does_not_know_stops_the_candidate(
    twice: Path, tmp_path: Path
) -> None:
    """An outsider has its numbers: to leave them out of the attack would be to call the candidate safe."""
    root = shutil.copytree(twice, tmp_path / "barometer")
    sealed = releases_folder(root, PACKAGE) / "1.0.0" / "data" / "estimates.parquet"
    sealed.parent.chmod(0o755)
    sealed.chmod(0o644)
    pd.read_parquet(sealed).assign(median=4.0).to_parquet(sealed)
    former = within(root / "warehouse/candidate")
    raise_version(root, "1.0.2")
    with pytest.raises(ProblemError, match=r"1\.0\.0/data/estimates\.parquet, median: is published in this"):
        build(root)
    assert within(root / "warehouse/candidate") == former
    withdraw_release(root, PACKAGE, "1.0.0", "A wrong file.", date(2025, 7, 1))
    build(root)


def test_a_faulty_wave_is_left_out_and_named(built: Path) -> None:
    edit(built / "schemas/waves/dk-2022.toml", 'instrument = "dk"', 'instrument = "dq"')
    build(built, [wave for wave in WAVES if wave != "dk-2022"])
    catalogue = load_catalogue(built)
    assert seal_candidates(catalogue)[0].new and left_out(catalogue) == ["dk-2022"]
