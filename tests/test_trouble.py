"""What the outside does to a run: others at the same time, damage, full disks, signals. Nobody sees a traceback."""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest
from typer.testing import CliRunner

import barometer as api
from pipeline.catalogue import load_catalogue
from pipeline.cli.app import app
from pipeline.cli.compare import _p_value
from pipeline.lock import HOLDER, building
from pipeline.problems import Problem, ProblemError
from pipeline.release.bump import next_version
from pipeline.staleness import code
from pipeline.staleness.findings import checks_due
from pipeline.staleness.outputs import make
from pipeline.staleness.status import products_current, site_current, sound_waves
from pipeline.steps import weighted_wave
from tests.barometers import edit, pin, write_barometer

COMMAND = [sys.executable, "-m", "pipeline"]


def begin(root: Path, *words: str) -> subprocess.Popen[str]:
    """A verb on a barometer, in a process of its own."""
    command = [*COMMAND, "--project", str(root), *words]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def run(root: Path, *words: str) -> tuple[int, str, str]:
    """Exit code, output and messages of a verb."""
    started = begin(root, *words)
    out, err = started.communicate(timeout=120)
    assert "Traceback" not in out + err, err
    return started.returncode, out, err


def test_of_two_runs_at_once_the_second_waits_and_finds_all_done(barometer: Path) -> None:
    both = [begin(barometer, "run", *words) for words in ((), ("--json",))]
    (_, loud), (report, silent) = (each.communicate(timeout=120) for each in both)
    assert [each.returncode for each in both] == [0, 0], loud + silent
    assert json.loads(report)["ok"] and "Waiting" not in silent
    assert not [path.name for path in (barometer / "warehouse").glob(".*.new")]
    code, out, _ = run(barometer, "run")
    assert code == 0 and "Unchanged 3 waves" in out and "Built" not in out


def test_who_waits_is_told_for_whom(barometer: Path) -> None:
    with building(barometer / "warehouse"):
        waiting = begin(barometer, "release")
        assert waiting.stderr
        assert f"Waiting: process {os.getpid()} on " in waiting.stderr.readline()
        assert waiting.poll() is None
        assert run(barometer, "check")[0] == 0, "what only reads does not wait"
    waiting.communicate(timeout=60)
    assert waiting.returncode == 1, "then it goes on: nothing is built yet"


def test_no_folder_is_made_where_there_is_no_barometer(tmp_path: Path) -> None:
    assert run(tmp_path, "run")[0] == 1
    assert not [*tmp_path.iterdir()]


def test_numbers_that_the_audit_refuses_reach_no_warehouse(tmp_path: Path) -> None:
    root = tmp_path / "staff"
    assert run(tmp_path, "init", "staff")[0] == 0
    assert run(root, "run")[0] == 0
    file, package = root / "schemas/barometer.toml", next((root / "warehouse/candidate").iterdir())
    before, sums = published(root), (package / "SHA256SUMS").read_bytes()
    edit(file, "min_n = 10", "secondary = false\nmin_n = 70")
    code, out, err = run(root, "run")
    assert code == 1 and "can be worked out" in err
    assert "Not made anew, and out of date, as a run before has left them: packages, warehouse, site" in out
    assert published(root) == before and (package / "SHA256SUMS").read_bytes() == sums
    edit(file, "secondary = false\nmin_n = 70", "min_n = 10")
    code, out, _ = run(root, "run", "--json")
    assert code == 0 and json.loads(out)["out_of_date"] == []


def published(root: Path) -> str:
    return run(root, "query", "FROM published.estimates")[1]


def told(root: Path, *words: str) -> tuple[int, str]:
    """Exit code and whatever a verb says, in this process."""
    result = CliRunner().invoke(app, ["--project", str(root), *words], catch_exceptions=False)
    assert "Traceback" not in result.output
    return result.exit_code, result.output


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = write_barometer(tmp_path_factory.mktemp("finished") / "barometer")
    assert told(root, "run")[0] == 0
    return root


@pytest.fixture
def built(finished: Path, tmp_path: Path) -> Path:
    return shutil.copytree(finished, tmp_path / "barometer")


def in_the_way(path: Path) -> None:
    """A file where a folder was, a folder where a file was."""
    if path.is_dir():
        shutil.rmtree(path)
        path.write_text("in the way")
    else:
        path.unlink()
        path.mkdir()


def test_whatever_was_damaged_is_made_again(built: Path) -> None:
    warehouse = built / "warehouse"
    (warehouse / "weighted/dk-2020/weights.finding.json").write_text("[]")
    (warehouse / "harmonised/dk-2020/coverage.finding.json").write_text("[" * 100_000)
    in_the_way(warehouse / "estimates/jumps.finding.json")
    in_the_way(warehouse / "harmonised/dk-2022/made.json")
    in_the_way(warehouse / "statistics/dk-2020")
    (warehouse / "estimates/made.json").write_text('{"fingerprint": 1, "files": [], "beside": 2}')
    for name in ("candidate", "site", "pages", "compared"):
        in_the_way(warehouse / name)
    database = warehouse / "barometer.duckdb"
    database.write_bytes(database.read_bytes()[:5000])
    (warehouse / "problems").write_text("in the way")
    code, said = told(built, "run")
    assert code == 0, said
    named = next(line for line in said.splitlines() if line.startswith("Made again, as not what an earlier "))
    for place in ("barometer.duckdb", "compared", "harmonised/dk-2022", "pages", "statistics/dk-2020"):
        assert f"warehouse/{place}" in named
    assert "warehouse/weighted" not in named
    catalogue = load_catalogue(built)
    sound = sound_waves(catalogue)
    assert len(sound) == 3 and products_current(catalogue, sound) and site_current(catalogue, sound)
    assert not any(checks_due(wave, catalogue) for wave in ("dk-2020", "dk-2022", ""))


def test_a_warehouse_that_cannot_be_read_says_what_to_do(built: Path) -> None:
    path = built / "warehouse/barometer.duckdb"
    whole, held = (
        path.read_bytes(),
        "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print(1, flush=True); sys.stdin.read()",
    )
    command = [sys.executable, "-c", held, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout and other.stdin and other.stdout.readline()
        assert "warehouse/barometer.duckdb: is held by another program" in told(built, "query", "SELECT 1")[1]
        other.stdin.close()
    for left, words in (
        (len(whole) // 3, ("query", "FROM published.estimates")),
        (5000, ("compare", "dk-2020", "dk-2022", "--indicator", "novelty")),
    ):
        path.write_bytes(whole[:left])
        code, said = told(built, *words)
        assert code == 1 and "is damaged" in said and "Run `barometer run`" in said, said
    with pytest.raises(ProblemError, match="is damaged"):
        api.open(built).estimates()


@pytest.mark.parametrize("sql", ["", "  ;", "/* nothing */", "SELECT 1; SELECT 2"])
def test_a_query_is_one_statement(finished: Path, sql: str) -> None:
    assert "SQL: is not one statement" in told(finished, "query", sql)[1]
    with pytest.raises(ProblemError, match="is not one statement"):
        api.open(finished).query(sql)


def test_a_full_disk_stops_the_wave_that_meets_it(barometer: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = pd.DataFrame.to_parquet

    def full(frame: pd.DataFrame, path: Any, **options: Any) -> Any:
        if "weighted" in str(path) and "dk-2022" in str(path):
            raise OSError(errno.ENOSPC, "No space left on device", str(path))
        return real(frame, path, **options)

    monkeypatch.setattr(pd.DataFrame, "to_parquet", full)
    code, said = told(barometer, "run")
    assert code == 1 and "Built 2 waves: dk-2020, no-2020" in said
    assert (
        "warehouse/weighted/dk-2022/answers.parquet: cannot be written: the disk is full. Make room" in said
    )
    monkeypatch.undo()
    assert told(barometer, "run")[0] == 0


def test_a_full_disk_leaves_the_former_warehouse(built: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = (built / "warehouse/barometer.duckdb").read_bytes()
    edit(built / "schemas/codebook.toml", 'codes.care = "Care"', 'codes.care = "Health care"')

    def full(*_: Any) -> None:
        raise duckdb.IOException("Could not write file: No space left on device\nmore")

    monkeypatch.setattr("pipeline.warehouse.building._microdata", full)
    code, said = told(built, "run")
    assert code == 1 and "warehouse/barometer.duckdb: cannot be written: " in said and "more" not in said
    assert (built / "warehouse/barometer.duckdb").read_bytes() == before


def test_an_unforeseen_error_is_one_line_without_its_text(
    barometer: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = " ".join(("Jane", "Doe", "has", "cancer"))  # in no line of code

    def unforeseen(*_: Any) -> None:
        raise ValueError(f"could not convert {answer!r}")

    monkeypatch.setattr(weighted_wave, "weigh", unforeseen)
    code, said = told(barometer, "run", "--wave", "dk-2020")
    assert code == 1
    assert "dk-2020 failed unexpectedly: ValueError at line " in said and "of steps/weighted_wave.py" in said
    kept = [path for path in (barometer / ".dagster").rglob("*") if path.is_file()]
    assert "Jane" not in said and not any(b"Jane Doe" in path.read_bytes() for path in kept)


def test_folders_links_and_depth_in_declarations_are_problems(barometer: Path) -> None:
    waves = barometer / "schemas/waves"
    (waves / "dk-2030.toml").mkdir()
    (waves / "dk-2031.toml").symlink_to("dk-2031.toml")
    (waves / "dk-2032.toml").write_text("a = " + "[" * 5000)
    crosswalk = barometer / "schemas/instruments/dk.csv"
    crosswalk.rename(barometer / "elsewhere.csv")
    crosswalk.mkdir()
    code, said = told(barometer, "check")
    assert code == 1
    for file, message in (
        ("waves/dk-2030.toml", "is a folder, not a file"),
        ("waves/dk-2031.toml", "cannot be read: Too many levels of symbolic links"),
        ("waves/dk-2032.toml", "has tables or lists in each other, too deep to be read"),
        ("instruments/dk.csv", "is a folder, not a file"),
    ):
        assert f"schemas/{file}: {message}" in said, said


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_to_stop_is_one_line_and_its_code(barometer: Path, number: signal.Signals) -> None:
    started = begin(barometer, "run")
    while not (barometer / "warehouse" / HOLDER).is_file():
        time.sleep(0.02)
        assert started.poll() is None
    time.sleep(1)
    started.send_signal(number)
    _, err = started.communicate(timeout=60)
    assert started.returncode == 128 + number, err
    assert [line for line in err.splitlines() if ": done in" not in line] == [
        "Interrupted. Nothing is half-written; finished work is not repeated."
    ]
    assert not [*(barometer / "warehouse").rglob("*.new")] and not (barometer / "warehouse" / HOLDER).exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_site_that_is_served_is_stopped_alike(barometer: Path, number: signal.Signals) -> None:
    (barometer / "warehouse/site").mkdir(parents=True)
    (barometer / "warehouse/site/index.html").write_text("<!doctype html>")
    with begin(barometer, "serve", "--port", "0") as started:
        assert started.stdout and "The site is at http://127.0.0.1:" in started.stdout.readline()
        started.send_signal(number)
        _, err = started.communicate(timeout=60)
    assert started.returncode == 128 + number, err
    assert err.splitlines() == ["Interrupted. Nothing is half-written; finished work is not repeated."]


@pytest.mark.parametrize(
    ("value", "shown"), [(5, "('5')"), (date(2020, 1, 2), "('2020-01-02')"), (["a"], "(\"['a']\")")]
)
def test_a_value_of_any_type_is_told_as_text(value: Any, shown: str) -> None:
    problem = Problem("barometer.toml", "released", "is wrong", "Correct it.", value)
    assert str(problem) == f"barometer.toml, released: is wrong {shown}. Correct it."
    assert json.loads(json.dumps(problem.as_dict()))["value"] == str(value)


def test_a_lonely_unit_is_the_fault_of_its_wave(barometer: Path) -> None:
    edit(
        barometer / "schemas/barometer.toml",
        "released = 2025-01-31",
        'released = 2025-01-31\nestimation.lonely_psu = "fail"',
    )
    edit(
        barometer / "schemas/waves/dk-2022.toml",
        'strata = ["SEKTOR"]\npopulation = "dk-strata.csv"',
        'strata = ["ID"]',
    )
    code, said = told(barometer, "run")
    assert (
        code == 1
        and "schemas/waves/dk-2022.toml, design.strata: a stratum has a single sampling unit" in said
    )
    assert "Built 2 waves: dk-2020, no-2020" in said and "Published: " in said


def test_numbers_beyond_all_bounds_are_the_fault_of_their_wave(barometer: Path) -> None:
    edit(barometer / "warehouse/raw/no-2020.csv", ",74,1786", ",74,1786000000000000000")
    pin(barometer, "no-2020")
    code, said = told(barometer, "run")
    assert code == 1 and "Built 2 waves: dk-2020, dk-2022" in said, said
    assert "warehouse/raw/no-2020.csv, column n: 1 row is beyond the size of real numbers" in said


def test_another_library_makes_everything_again(built: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    catalogue = load_catalogue(built)
    assert len(sound_waves(catalogue)) == 3 and code.libraries()["xlsxwriter"]
    newer = {**code.libraries(), "xlsxwriter": "99.0"}
    monkeypatch.setattr(code, "libraries", lambda: newer)
    assert not sound_waves(catalogue)
    monkeypatch.setattr(code, "libraries", lambda: {**newer, "python": "3.99"})
    assert not sound_waves(catalogue)


def test_a_changed_check_is_made_again(built: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    catalogue = load_catalogue(built)
    assert not any(checks_due(wave, catalogue) for wave in ("dk-2020", "dk-2022", ""))
    real = code.code_of
    monkeypatch.setattr(code, "code_of", lambda module: "new" if module == "steps.quality" else real(module))
    assert all(checks_due(wave, catalogue) for wave in ("dk-2020", "dk-2022", ""))
    assert len(sound_waves(catalogue)) == 3, "the outputs themselves stay"


def test_an_output_that_was_taken_apart_is_not_recorded(tmp_path: Path) -> None:
    def work(fresh: Path) -> dict[str, int | float | str]:
        (fresh / "more").write_text("1")
        return {}

    with pytest.raises(ProblemError, match=r"taken apart .* \('rows'\)"):
        make(tmp_path / "made", "a", work, needed=("rows", "more"))
    assert not [*tmp_path.iterdir()]


def test_a_run_tells_of_rows_set_aside_and_of_columns_nobody_reads(barometer: Path) -> None:
    raw = barometer / "warehouse/raw/dk-2020.csv"
    lines = raw.read_text(encoding="utf-8").splitlines()
    lines = [f"{line};{'REMARK' if at == 0 else 'so it is'}" for at, line in enumerate(lines)]
    lines[2] = ";".join([lines[1].split(";")[0], *lines[2].split(";")[1:]])  # the id of another row
    raw.write_text("\n".join(lines) + "\n", encoding="utf-8")
    pin(barometer, "dk-2020")
    edit(
        barometer / "schemas/barometer.toml",
        "released = 2025-01-31",
        "released = 2025-01-31\nvalidation.max_quarantined = 0.1",
    )
    said = told(barometer, "run", "--wave", "dk-2020")[1]
    assert "dk-2020: 1 column of the file used by nothing: REMARK" in said and "so it is" not in said
    assert "Warning, quarantine dk-2020: 2 of 80 rows set aside: ID unique (2)" in said, said
    again = told(barometer, "run", "--wave", "dk-2020")[1]
    assert "2 of 80 rows set aside" in again and "used by nothing" not in again


def test_every_unknown_name_is_told_at_once(finished: Path) -> None:
    with pytest.raises(ProblemError) as raised:
        api.open(finished).estimates(wave=2023, indicator=["noveltie", "value"], domain="nowhere")  # type: ignore[arg-type]
    assert [problem.value for problem in raised.value.problems] == ["2023", "noveltie", "nowhere"]
    words = ("dk-1999", "dk-2022", "--indicator", "noveltie", "--domain", "nowhere", "--lang", "tlh")
    code, said = told(finished, "compare", *words)
    assert code == 1 and said.endswith("4 problems\n")


def test_a_p_value_is_never_zero() -> None:
    assert [_p_value(p) for p in (0.0, 0.00004, 0.00005, 0.25)] == ["<0.0001", "<0.0001", "0.0001", "0.2500"]


def test_the_version_is_told(tmp_path: Path) -> None:
    assert told(tmp_path, "--version") == (0, f"barometer {version('barometer')}\n")


@pytest.mark.parametrize(
    ("old", "bump", "new"),
    [
        ("1.2.3", "none", "1.2.4"),
        ("1.2.3", "patch", "1.2.4"),
        ("1.2.3", "minor", "1.3.0"),
        ("1.2.3", "major", "2.0.0"),
    ],
)
def test_the_lowest_version_that_a_change_allows(old: str, bump: str, new: str) -> None:
    assert next_version(old, bump) == new


def test_the_first_refusal_of_a_release_names_the_version(built: Path) -> None:
    assert told(built, "release")[0] == 0
    edit(
        built / "schemas/codebook.toml", 'codes.south = "South"', 'codes.south = "South"\ncodes.east = "East"'
    )
    assert told(built, "run")[0] == 0
    code, said = told(built, "release")
    assert code == 1 and "Raise `version` in schemas/barometer.toml to 2.0.0 or higher" in said
    heading = told(built, "diff", "test-barometer@1.0.0", "candidate")[1].splitlines()[0]
    assert heading == "test-barometer: 1.0.0 to candidate"
