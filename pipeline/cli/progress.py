"""How a long run shows where it is: a bar on a terminal, a line a step elsewhere. Always on stderr."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import typer

Step = Callable[[str, Callable[[], bool]], None]


@contextmanager
def progress(total: int) -> Iterator[Step]:
    """Gives a function that does one named piece of work of ``total`` and shows whether it was done."""
    if not sys.stderr.isatty():
        yield lambda name, work: _timed(name, work, lambda line: typer.echo(line, err=True))
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
        task = bar.add_task("starting", total=total)

        def step(name: str, work: Callable[[], bool]) -> None:
            bar.update(task, description=name)
            _timed(name, work, console.print)
            bar.advance(task)

        yield step


def _timed(name: str, work: Callable[[], bool], show: Callable[[str], None]) -> None:
    started = time.monotonic()
    done = work()
    show(f"{name}: {'done' if done else 'FAILED'} in {time.monotonic() - started:.1f} s")
