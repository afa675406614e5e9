"""Pieces of work that do not depend on each other, done side by side: a worker process a core.

Here belongs how workers start, hand back and stop. What they do is handed to them: a function of a module and
plain values. They live as long as the process that they work for, so that each loads its libraries once.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, wait
from contextlib import contextmanager
from functools import cache
from multiprocessing import get_context, parent_process
from threading import Event, Thread
from typing import TypeVar

FEW = 8  # pieces that are done sooner here than a worker starts
MOST = 4  # workers: each holds some 300 MB
_interrupted = Event()  # of this process

Piece = TypeVar("Piece")
Result = TypeVar("Result")


@contextmanager
def side_by_side(
    work: Callable[[Piece], Result], pieces: Sequence[Piece], heavy: bool = False
) -> Iterator[Iterator[Result]]:
    """Yields what ``work`` makes of each piece, in the order of the pieces, whoever is done first.

    Workers do it, from now on, if there are cores for them and enough to do: many pieces, or ``heavy`` ones.
    Else it is done here, when it is asked for. What a piece raises is raised in its turn. When the block
    ends, no piece is being worked on.
    """
    cores = min(os.cpu_count() or 1, MOST)
    if cores == 1 or (len(pieces) < FEW and not heavy):
        yield map(work, pieces)
        return
    pool = _workers(cores)
    try:
        begun = [pool.submit(_interruptible, work, piece) for piece in pieces]
        yield (each.result() for each in begun)
    except BaseException:
        _workers.cache_clear()  # these may have been interrupted, or killed
        pool.shutdown(cancel_futures=True)
        raise
    for each in begun:
        each.cancel()
    wait(begun)


@cache
def _workers(number: int) -> ProcessPoolExecutor:
    """Processes of their own, not forks: a fork of a process with threads may stand still."""
    return ProcessPoolExecutor(number, get_context("spawn"), _begin)


def _begin() -> None:
    """In a worker. Ctrl-C reaches every process: one without work only takes no more; and nobody works for
    the dead."""
    signal.signal(signal.SIGINT, lambda *_: _interrupted.set())
    Thread(target=_leave_with_parent, daemon=True).start()


def _leave_with_parent() -> None:
    parent = parent_process()
    assert parent
    parent.join()
    os._exit(1)


def _interruptible(work: Callable[[Piece], Result], piece: Piece) -> Result:
    """In a worker, which has its next piece before it is asked whether there shall be one."""
    if _interrupted.is_set():
        raise KeyboardInterrupt
    idle = signal.signal(signal.SIGINT, _interrupt)
    try:
        return work(piece)
    finally:
        signal.signal(signal.SIGINT, idle)


def _interrupt(*_: object) -> None:
    _interrupted.set()
    raise KeyboardInterrupt
