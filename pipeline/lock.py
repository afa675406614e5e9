"""One process at a time changes what is built in a folder: whoever finds another at it waits.

The system releases the lock when its holder dies. Who holds it stands in a file beside, for those who wait.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing import parent_process
from pathlib import Path

from filelock import FileLock, Timeout

LOCK, HOLDER = ".lock", ".running"


@contextmanager
def building(folder: Path, waiting: Callable[[str], None] = lambda holder: None) -> Iterator[None]:
    """Hold the folder, made where there is none, for as long as the block lasts.

    While another process holds it, ``waiting`` is told once who, and this one waits. Whoever holds it
    already, and the workers of whoever does, go straight on.
    """
    folder.mkdir(parents=True, exist_ok=True)
    holder = folder / HOLDER
    parent = parent_process()
    if parent and _read(holder) == _name(parent.pid):
        yield
        return
    lock = FileLock(folder / LOCK, thread_local=False, is_singleton=True)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        waiting(_read(holder) or "another process")
        lock.acquire()
    outermost = lock.lock_counter == 1
    try:
        if outermost:
            holder.write_text(_name(os.getpid()), encoding="utf-8")
        yield
    finally:
        if outermost:
            holder.unlink(missing_ok=True)
        lock.release()


def _name(process: int | None) -> str:
    return f"process {process} on {socket.gethostname()}"


def _read(holder: Path) -> str:
    try:
        return holder.read_text(encoding="utf-8")
    except (OSError, ValueError):  # it has just ended, or just begun
        return ""
