"""Work side by side: in order, with the errors of its pieces, and with nobody left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import pytest
import typer

from pipeline import workers
from pipeline.cli.output import reporting
from pipeline.problems import Problem, ProblemError
from pipeline.workers import MIN_PIECES, in_parallel

NOTHING_LEFT = 10.0  # seconds
WAITS = "BAROMETER_TEST_WAITS" in os.environ
SLEEPERS = """
import sys
from pathlib import Path
from pipeline.workers import in_parallel
from tests.test_workers import asleep
try:
    with in_parallel(asleep, [Path(sys.argv[1]) / str(number) for number in range(20)]) as done:
        list(done)
except KeyboardInterrupt:
    sys.exit(130)
"""


@pytest.fixture(autouse=True)
def two_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 2)


def where(number: int) -> tuple[int, int]:
    time.sleep(0.02 * (number % 3))
    return number, os.getpid()


def faulty(number: int) -> int:
    if number % 2:
        raise ProblemError(Problem(f"{number}.toml", "key", "is odd", "Make it even.", str(number)))
    return number


def asleep(place: Path) -> None:
    place.write_text(str(os.getpid()))
    try:
        time.sleep(60 if WAITS else 0.1)
    finally:
        place.with_suffix(".left").touch()


def alive(process: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False


def sleeping(folder: Path) -> tuple[subprocess.Popen[str], list[int]]:
    """A process whose two workers are both at work, and those."""
    command = [sys.executable, "-c", SLEEPERS, str(folder)]
    environment = os.environ | {"BAROMETER_TEST_WAITS": "1"}
    process = subprocess.Popen(
        command,
        stderr=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[1],
        env=environment,
        start_new_session=True,
    )
    until = time.monotonic() + 60
    while len(written := [path.read_text() for path in folder.iterdir()]) < 2 or not all(written):
        assert process.poll() is None and time.monotonic() < until, process.stderr and process.stderr.read()
        time.sleep(0.05)
    return process, list(map(int, written))


def test_results_come_in_order_from_other_processes() -> None:
    with in_parallel(where, range(12)) as done:
        numbers, processes = zip(*done, strict=True)
    assert numbers == tuple(range(12))
    assert os.getpid() not in processes and len(set(processes)) <= 2


def test_little_to_do_is_done_here() -> None:
    with in_parallel(where, range(MIN_PIECES - 1)) as done:
        assert {process for _, process in done} == {os.getpid()}
    with in_parallel(where, [1], heavy=True) as done:
        assert next(done)[1] != os.getpid()


def test_one_core_needs_no_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 1)
    with in_parallel(where, range(12)) as done:
        assert list(done) == [(number, os.getpid()) for number in range(12)]


def test_a_problem_comes_in_its_turn_and_in_its_own_words() -> None:
    with in_parallel(faulty, range(12)) as done:
        assert next(done) == 0
        with pytest.raises(ProblemError) as raised:
            next(done)
    assert raised.value.problems == (Problem("1.toml", "key", "is odd", "Make it even.", "1"),)


def test_not_every_result_need_be_taken() -> None:
    with in_parallel(where, range(500)) as done:
        began = time.monotonic()
        assert next(done)[0] == 0
    assert time.monotonic() - began < 5


def test_after_an_error_hardly_anything_begins(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), in_parallel(asleep, [tmp_path / str(n) for n in range(20)]):
        raise ZeroDivisionError
    assert len(list(tmp_path.glob("*.left"))) < 10
    with in_parallel(where, range(12)) as done:
        assert next(done)[0] == 0


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
@pytest.mark.parametrize("everyone", [True, False])
def test_an_interrupted_run_leaves_nobody_behind(tmp_path: Path, everyone: bool) -> None:
    """Ctrl-C reaches every process of a terminal, and each puts its own things in order."""
    process, at_work = sleeping(tmp_path)
    if everyone:
        os.killpg(process.pid, signal.SIGINT)
        _, said = process.communicate(timeout=60)
        assert process.returncode == 130 and said == ""
        assert sorted(path.suffix for path in tmp_path.iterdir()) == ["", "", ".left", ".left"]
    else:
        process.kill()
        process.communicate(timeout=60)
    until = time.monotonic() + NOTHING_LEFT
    while any(map(alive, at_work)):
        assert time.monotonic() < until, "a worker outlived the process that it works for"
        time.sleep(0.05)


def test_workers_are_kept() -> None:
    assert workers._workers(2) is workers._workers(2)


def test_a_worker_stopped_from_outside_is_told_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    asked = pytest.raises(typer.Exit)
    with asked as left, reporting(as_json=False), in_parallel(stopped, range(12)) as done:
        list(done)
    assert left.value.exit_code == 1
    assert "a worker process was stopped from outside" in capsys.readouterr().err
    with in_parallel(where, range(12)) as done:
        assert next(done)[0] == 0


def test_workers_that_are_gone_before_they_are_asked_are_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers.os, "cpu_count", lambda: 2)
    workers._workers(2).submit(stopped, 0).exception(timeout=60)
    with pytest.raises(BrokenProcessPool), in_parallel(where, range(12)):
        raise AssertionError("was begun")
    with in_parallel(where, range(12)) as done:
        assert next(done)[0] == 0


def stopped(_: int) -> None:
    """As the kernel does where memory is short."""
    os.kill(os.getpid(), signal.SIGKILL)
