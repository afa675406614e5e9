"""Files and folders replaced whole: written beside their place, then renamed."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def inside(folder: Path, name: str) -> Path:
    """The path of ``name`` below the folder. Raises ValueError for a name that leads out of it."""
    path = folder / name
    if not path.resolve().is_relative_to(folder.resolve()) or path.resolve() == folder.resolve():
        raise ValueError(f"{name!r} is not inside {folder.name}: nothing is written there")
    return path


@contextmanager
def replace_directory(folder: Path) -> Iterator[Path]:
    """Yields an empty folder that replaces ``folder`` when the block ends without an exception.

    When it raises, or the process dies between the two renames, the former folder is restored.
    """
    fresh, former = folder.with_name(f".{folder.name}.new"), folder.with_name(f".{folder.name}.old")
    _restore(folder, former)
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    try:
        yield fresh
        if folder.exists():
            folder.replace(former)
        fresh.replace(folder)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
        _restore(folder, former)


@contextmanager
def replace_file(path: Path) -> Iterator[Path]:
    """Yields a path beside ``path``; what is written there replaces it when the block raises nothing.

    The new file is on disk before it becomes visible. When the block raises, the former file stays.
    """
    fresh = path.with_name(f".{path.name}.new")
    fresh.unlink(missing_ok=True)
    try:
        yield fresh
        flush(fresh)
        fresh.replace(path)
        flush(path.parent)
    finally:
        fresh.unlink(missing_ok=True)


def write_file(path: Path, content: bytes) -> Path:
    """Write a file as ``replace_file`` does; its path."""
    with replace_file(path) as fresh:
        fresh.write_bytes(content)
    return path


def flush(path: Path) -> None:
    """Write a file, or the names in a folder, through to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _restore(folder: Path, former: Path) -> None:
    """Puts the former folder back when there is no new one, and removes it when there is."""
    if former.exists() and not folder.exists():
        former.replace(folder)
    shutil.rmtree(former, ignore_errors=True)
