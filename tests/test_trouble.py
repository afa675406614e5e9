"""What the outside does to a run: others at the same time, damage, full disks, signals. Nobody sees a traceback."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from pipeline.lock import building
from tests.barometers import edit

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
