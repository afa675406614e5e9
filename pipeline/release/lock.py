"""Locks, so that one process at a time changes a folder of releases; a killed one leaves no lock behind."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from pipeline.problems import Problem, ProblemError
from pipeline.release_store import releases_folder

LOCK = ".lock"
TIMEOUT = 60.0  # seconds


@contextmanager
def alone(folder: Path, place: str) -> Iterator[None]:
    """Lock a folder, created where there is none; the system releases the lock when its holder dies.

    Raises ProblemError, which names ``place``, when another process holds it longer than ``TIMEOUT``.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / LOCK, timeout=TIMEOUT)
    try:
        lock.acquire()
    except Timeout:
        hint = "Wait until it has ended, and try again."
        raise ProblemError(Problem(place, "", "another process is changing these releases", hint)) from None
    try:
        yield
    finally:
        lock.release()


@contextmanager
def locked(root: Path, package: str) -> Iterator[None]:
    """Lock the release store of a package."""
    folder = releases_folder(root, package)
    with alone(folder, folder.relative_to(root).as_posix()):
        yield
