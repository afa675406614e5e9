"""The progress of a long run, on stderr: a bar on a terminal, one line per step elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import typer

ReportStep = Callable[[bool, float], None]


@contextmanager
def progress(names: Sequence[str]) -> Iterator[ReportStep]:
    """Yields a function that reports for each named step, in order, whether it succeeded and its seconds."""
    ahead = iter(names)
    if not sys.stderr.isatty():
        yield lambda done, seconds: typer.echo(_line(next(ahead), done, seconds), err=True)
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    console = Console(stderr=True, highlight=False, markup=False)
    columns = (
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.description}", markup=False),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        name = next(ahead)
        task = bar.add_task(name, total=len(names))

        def report_step(done: bool, seconds: float) -> None:
            nonlocal name
            console.print(_line(name, done, seconds))
            name = next(ahead, "")
            bar.update(task, description=name, advance=1)

        yield report_step


def _line(name: str, done: bool, seconds: float) -> str:
    return f"{name}: {'done' if done else 'FAILED'} in {seconds:.1f} s"
