"""What all verbs share: how problems and JSON are printed, and the exit code of a problem."""

from __future__ import annotations

import errno
import json
import os
import shlex
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import BrokenExecutor
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from pathlib import Path

import typer

from pipeline.lock import building
from pipeline.problems import Problem, ProblemError, counted, outside_problem

PROJECT: ContextVar[Path | None] = ContextVar("project", default=None)  # the folder that the verb works on
STOP = (signal.SIGINT, signal.SIGTERM)
INTERRUPTED = "Interrupted. Nothing is half-written; finished work is not repeated."
STOPPED = Problem(
    file="warehouse",
    key="",
    message="is not finished: a worker process was stopped from outside, perhaps because memory ran out",
    hint="Run it again: no file is half-written, and finished work is not repeated.",
)


@contextmanager
def reporting(as_json: bool) -> Iterator[None]:
    """Problems of the input, and what the machine refuses, end a verb with their own words and exit code 1;
    a signal to stop ends it with one line and the signal's code. Nobody sees a traceback.
    """
    try:
        with _stoppable() as stopped:
            yield
    except KeyboardInterrupt:
        typer.echo(INTERRUPTED, err=True)
        raise typer.Exit(128 + stopped()) from None
    except (ProblemError, BrokenExecutor, OSError) as error:
        if isinstance(error, OSError) and error.errno == errno.EPIPE:
            raise  # whoever read the output has read enough
        problems = _problems(error)
        if as_json:
            print_json({"ok": False, "problems": [problem.as_dict() for problem in problems]})
        else:
            print_problems(problems)
        raise typer.Exit(1) from None


def _problems(error: ProblemError | BrokenExecutor | OSError) -> Sequence[Problem]:
    if isinstance(error, ProblemError):
        return error.problems
    if isinstance(error, OSError):
        return (outside_problem(error, PROJECT.get() or Path.cwd()),)
    return (STOPPED,)


@contextmanager
def _stoppable() -> Iterator[Callable[[], int]]:
    """SIGTERM interrupts the block as Ctrl-C does; gives what says which of the two came.

    Libraries set handlers of their own meanwhile, so that only the descriptor is told every signal's number.
    """
    if threading.current_thread() is not threading.main_thread():
        yield lambda: signal.SIGINT
        return
    reading, writing = os.pipe()
    for end in (reading, writing):
        os.set_blocking(end, False)
    former = signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    handlers = {number: signal.signal(number, signal.default_int_handler) for number in STOP}
    came: list[int] = []
    try:
        yield lambda: (came or [signal.SIGINT])[0]
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(former)
        with suppress(BlockingIOError):
            came += [number for number in os.read(reading, 100) if number in STOP]
        os.close(reading)
        os.close(writing)


def leave_at_once(number: int, _: object) -> None:
    """The handler of a signal to stop before a verb has begun: there is nothing to undo."""
    os.write(2, f"{INTERRUPTED}\n".encode())
    os._exit(128 + number)


@contextmanager
def alone(root: Path, as_json: bool) -> Iterator[None]:
    """The block changes the barometer in a folder: it waits for another that does, and says for whom."""
    if not (root / "schemas").is_dir():  # no barometer: the verb says so, and no folder is made
        yield
        return

    def waiting(holder: str) -> None:
        if not as_json:
            typer.echo(f"Waiting: {holder} is changing this barometer.", err=True)

    with building(root / "warehouse", waiting):
        yield


def print_problems(problems: Sequence[Problem]) -> None:
    """Every problem on a line of its own, to stderr; one that stops several waves is printed once."""
    lines = list(dict.fromkeys(map(str, problems)))
    for line in lines:
        typer.echo(line, err=True)
    typer.echo(counted(len(lines), "problem"), err=True)


def named(root: Path) -> str:
    """The command for a barometer's folder as a user types it here."""
    here = Path.cwd()
    if root.resolve() == here:
        return "barometer"
    shown = root.resolve().relative_to(here) if root.resolve().is_relative_to(here) else root.resolve()
    return f"barometer --project {shlex.quote(str(shown))}"


def print_json(value: object) -> None:
    """A report for machines, to stdout."""
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2))
