"""What every verb prints alike: faults, JSON, and the exit code that goes with a fault."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from concurrent.futures import BrokenExecutor
from contextlib import contextmanager

import typer

from pipeline.faults import Fault, FaultError

STOPPED = Fault(
    file="warehouse",
    key="",
    message="is not finished: a worker process was stopped from outside, for want of memory perhaps",
    mend="Run it again; nothing is half-written, and what was done is not done again.",
)


@contextmanager
def reporting(as_json: bool) -> Iterator[None]:
    """Faults of the input end a verb with their own words and exit code 1, never with a traceback."""
    try:
        yield
    except (FaultError, BrokenExecutor) as error:
        faults = error.faults if isinstance(error, FaultError) else (STOPPED,)
        if as_json:
            print_json({"ok": False, "faults": [fault.as_dict() for fault in faults]})
        else:
            print_faults(faults)
        raise typer.Exit(1) from None


def print_faults(faults: Sequence[Fault]) -> None:
    """Every fault on a line of its own, to stderr; one that stops several waves stands once."""
    lines = list(dict.fromkeys(map(str, faults)))
    for line in lines:
        typer.echo(line, err=True)
    typer.echo(counted(len(lines), "fault"), err=True)


def print_json(value: object) -> None:
    """A report for machines, to stdout."""
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2))


def counted(number: int, noun: str) -> str:
    """A number with its noun: ``1 fault``, ``2 faults``."""
    return f"{number} {noun}" + ("" if number == 1 else "s")
