"""Raw files are read in a process of their own: what a damaged file does to its reader, it does there.

One reader a process that reads, begun for the first file and replaced when it dies, so that its libraries are
loaded once. It may ask for as much memory as ``bounds`` says, and ends with the process that it works for.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from functools import cache
from multiprocessing import get_context, parent_process
from multiprocessing.connection import Connection
from threading import Lock, Thread
from typing import Any, TypeVar

from pipeline.catalogue.fieldwork import Source
from pipeline.problems import Problem, ProblemError
from pipeline.sources import bounds
from pipeline.sources.layout import raw_file_name

Made = TypeVar("Made")
DAMAGED = "Check that the file opens in its own program, and have it delivered anew."


class Reader:
    """The process that reads for this one: it takes one piece of work at a time."""

    def __init__(self) -> None:
        context = get_context("spawn")
        self.connection, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(theirs,), daemon=True)
        self.process.start()
        theirs.close()

    def ask(self, work: Callable[..., Any], *given: object) -> tuple[str, Any]:
        """What came of it: ``made``, ``problems``, or what an error is called. EOFError where the reader
        died, TimeoutError where it does not end.
        """
        self.connection.send((work, given))
        if not self.connection.poll(bounds.MOST_SECONDS):
            raise TimeoutError
        came: tuple[str, Any] = self.connection.recv()
        return came

    def stop(self) -> int | None:
        """End it, whatever it is doing; how it ended, where it had done so by itself."""
        self.process.join(0.5)
        ended = self.process.exitcode
        self.process.kill()
        self.process.join()
        self.connection.close()
        return ended


_lock = Lock()


@cache
def _reader() -> Reader:
    return Reader()


def apart(source: Source, work: Callable[..., Made], *given: object) -> Made:
    """What ``work``, a function of a module, makes of a raw file, done in the reader's process.

    Raises ProblemError as the work does, and where it dies, does not end, needs more memory than it may have,
    or fails otherwise: that is then the file's fault.
    """
    with _lock:
        try:
            outcome, value = _asked(work, given)
        except (EOFError, ConnectionError):
            ended = _stop()
            message = "ends the program that reads it" + (f": {_signal(ended)}" if ended else "")
            raise ProblemError(Problem(raw_file_name(source), "", message, DAMAGED)) from None
        except TimeoutError:
            _stop()
            message = f"was not read within {bounds.MOST_SECONDS / 60:.0f} minutes"
            raise ProblemError(Problem(raw_file_name(source), "", message, DAMAGED)) from None
        except BaseException:
            _stop()
            raise
    if outcome == "made":
        made: Made = value
        return made
    if outcome == "problems":
        raise ProblemError(value)
    if outcome == "MemoryError":
        message = "needs more memory than a file may have here" + (f", {value / 1e9:.1f} GB" if value else "")
        hint = "Check the file; deliver a large one as Parquet, or with fewer columns."
        raise ProblemError(Problem(raw_file_name(source), "", message, hint))
    raise ProblemError(Problem(raw_file_name(source), "source.file", "cannot be read", DAMAGED, outcome))


def _asked(work: Callable[..., Any], given: tuple[object, ...]) -> tuple[str, Any]:
    if not _reader().process.is_alive():  # stopped from outside since it was last asked
        _stop()
    return _reader().ask(work, *given)


def _stop() -> int | None:
    if not _reader.cache_info().currsize:  # interrupted as it began
        return None
    ended = _reader().stop()
    _reader.cache_clear()
    return ended


def _signal(ended: int) -> str:
    return signal.Signals(-ended).name if ended < 0 else f"exit {ended}"


def _serve(connection: Connection) -> None:
    """In the reader. Ctrl-C is for those who ask: they stop it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Thread(target=_leave_with_parent, daemon=True).start()
    while True:
        try:
            work, given = connection.recv()
        except EOFError:
            return
        connection.send(_outcome(work, given))


def _outcome(work: Callable[..., Any], given: tuple[object, ...]) -> tuple[str, Any]:
    allowed = bounds.memory()
    _limit(allowed)
    try:
        return "made", work(*given)
    except ProblemError as error:
        return "problems", error.problems
    except Exception as error:  # its message may quote the file: only its name is told
        out_of_memory = isinstance(error, MemoryError) or "allocate memory" in str(error)
        return ("MemoryError", allowed) if out_of_memory else (type(error).__name__, None)


def _limit(allowed: int | None) -> None:
    """From now on this process may have so many more bytes than it has; where the system can do that."""
    if allowed is None or sys.platform != "linux":
        return
    import resource  # noqa: PLC0415 - there is none on Windows

    with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123
        has = int(file.read().split()[0]) * resource.getpagesize()
    most = resource.getrlimit(resource.RLIMIT_AS)[1]  # that somebody has set for the product as a whole
    limit = has + allowed if most == resource.RLIM_INFINITY else min(has + allowed, most)
    resource.setrlimit(resource.RLIMIT_AS, (limit, most))


def _leave_with_parent() -> None:
    parent = parent_process()
    assert parent
    parent.join()
    os._exit(1)
