"""Files and folders replaced whole: written beside their place, then renamed.

What is being written bears the number of the process that writes it, so that no two share it; what a process
that is gone has left is removed. Whatever stands in the way of an output, as a file where a folder belongs,
is replaced like a former output.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
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
    former = folder.with_name(f".{folder.name}.old")
    make_parent(folder)
    _restore(folder, former)
    fresh = _begin(folder)
    fresh.mkdir()
    try:
        yield fresh
        if os.path.lexists(folder):
            folder.replace(former)
        fresh.replace(folder)
    finally:
        remove(fresh)
        _restore(folder, former)


@contextmanager
def replace_file(path: Path) -> Iterator[Path]:
    """Yields a path beside ``path``; what is written there replaces it when the block raises nothing.

    The new file is on disk before it becomes visible. When the block raises, the former file stays.
    """
    fresh = _begin(path)
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


def remove(path: Path) -> None:
    """Remove a folder, a file or a link, and nothing that a link leads to; as much as can be removed."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(OSError):
            path.unlink()


def make_parent(path: Path) -> None:
    """Make the folder that ``path`` lies in; a file, or a link to nothing, in the place of one goes."""
    for parent in reversed(path.parents):
        if os.path.lexists(parent) and not parent.is_dir():
            parent.unlink()
            break
    path.parent.mkdir(parents=True, exist_ok=True)


def _begin(path: Path) -> Path:
    """Where this process writes what is to stand at a path; what others left there is removed."""
    for left in path.parent.glob(f".{_literal(path.name)}.*.new*"):
        process = left.name.rpartition(".new")[0].rpartition(".")[2]
        if process == str(os.getpid()) or not (process.isdigit() and _runs(int(process))):
            remove(left)
    return path.with_name(f".{path.name}.{os.getpid()}.new")


def _literal(name: str) -> str:
    """A name as a pattern that only it matches."""
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in name)


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except PermissionError:
        return True  # somebody else's
    except (ProcessLookupError, OverflowError):
        return False
    return True


def _restore(folder: Path, former: Path) -> None:
    """Puts the former folder back when there is no new one, and removes it when there is."""
    if os.path.lexists(former) and not os.path.lexists(folder):
        former.replace(folder)
    remove(former)
