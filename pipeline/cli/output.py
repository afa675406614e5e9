"""What all verbs share: how problems and JSON are printed, and the exit code of a problem."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from concurrent.futures import BrokenExecutor
from contextlib import contextmanager
from pathlib import Path

import typer

from pipeline.lock import building
from pipeline.problems import Problem, ProblemError, counted

STOPPED = Problem(
    file="warehouse",
    key="",
    message="is not finished: a worker process was stopped from outside, perhaps because memory ran out",
    hint="Run it again: no file is half-written, and finished work is not repeated.",
)


@contextmanager
def reporting(as_json: bool) -> Iterator[None]:
    """Problems of the input end a verb with their own words and exit code 1, never with a traceback."""
    try:
        yield
    except (ProblemError, BrokenExecutor) as error:
        problems = error.problems if isinstance(error, ProblemError) else (STOPPED,)
        if as_json:
            print_json({"ok": False, "problems": [problem.as_dict() for problem in problems]})
        else:
            print_problems(problems)
        raise typer.Exit(1) from None


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


def print_json(value: object) -> None:
    """A report for machines, to stdout."""
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2))
