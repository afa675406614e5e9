"""What all verbs share: how problems and JSON are printed, and the exit code of a problem."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Sequence
from concurrent.futures import BrokenExecutor
from contextlib import contextmanager
from pathlib import Path

import typer

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
