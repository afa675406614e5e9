"""Independent pieces of work done in parallel, by one worker process per core.

Here belongs how workers start, return results and stop. What they do is given to them: a function of a module
and plain values. They live as long as the process that they work for, so that each loads its libraries once.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, wait
from contextlib import contextmanager, suppress
from functools import cache
from multiprocessing import active_children, get_context, parent_process
from threading import Event, Thread
from typing import TypeVar

MIN_PIECES = 8  # fewer are done here before a worker has started
MAX_WORKERS = 4  # each takes some 300 MB of memory
_interrupted = Event()  # of this process

Piece = TypeVar("Piece")
Result = TypeVar("Result")


@contextmanager
def in_parallel(
    work: Callable[[Piece], Result], pieces: Sequence[Piece], heavy: bool = False
) -> Iterator[Iterator[Result]]:
    """Yields the result of ``work`` for each piece, in the order of the pieces, whichever is done first.

    Workers start at once if there are cores for them and enough to do: many pieces, or ``heavy`` ones.
    Otherwise this process does the work, when a result is asked for. What a piece raises is raised in its
    turn. When the block ends, no piece is being worked on.
    """
    cores = min(os.cpu_count() or 1, MAX_WORKERS)
    if cores == 1 or (len(pieces) < MIN_PIECES and not heavy):
        yield map(work, pieces)
        return
    pool = _workers(cores)
    try:
        futures = [pool.submit(_interruptible, work, piece) for piece in pieces]
        yield (future.result() for future in futures)
    except BaseException as error:
        _workers.cache_clear()  # these may have been interrupted, or killed
        if isinstance(error, KeyboardInterrupt):
            _interrupt_workers(futures)
        pool.shutdown(cancel_futures=True)
        raise
    for future in futures:
        future.cancel()
    wait(futures)


@cache
def _workers(number: int) -> ProcessPoolExecutor:
    """Spawned processes, not forks: a fork of a process with threads may hang."""
    return ProcessPoolExecutor(number, get_context("spawn"), _initialise_worker)


def _interrupt_workers(futures: Sequence[Future[Result]]) -> None:
    """Ctrl-C has reached them too; a signal to this process alone has not."""
    for future in futures:
        future.cancel()
    if wait(futures, timeout=1).not_done:
        for worker in active_children():
            with suppress(ProcessLookupError):
                os.kill(worker.pid or 0, signal.SIGINT)


def _initialise_worker() -> None:
    """In a worker. Ctrl-C reaches every process: an idle one only takes no more work. A worker ends with its
    parent.
    """
    signal.signal(signal.SIGINT, lambda *_: _interrupted.set())
    Thread(target=_exit_with_parent, daemon=True).start()


def _exit_with_parent() -> None:
    parent = parent_process()
    assert parent
    parent.join()
    os._exit(1)


def _interruptible(work: Callable[[Piece], Result], piece: Piece) -> Result:
    """In a worker, whose queue may hold a piece that was submitted before the interrupt."""
    if _interrupted.is_set():
        raise KeyboardInterrupt
    former = signal.signal(signal.SIGINT, _interrupt)
    try:
        return work(piece)
    finally:
        signal.signal(signal.SIGINT, former)


def _interrupt(*_: object) -> None:
    _interrupted.set()
    raise KeyboardInterrupt
