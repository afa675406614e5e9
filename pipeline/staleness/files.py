"""The sha256 of a file or a folder of files, read once in a process as long as nothing about it changes."""

from __future__ import annotations

import errno
from functools import cache
from pathlib import Path
from stat import S_ISREG

from pipeline.catalogue.digest import fingerprint
from pipeline.hashing import file_sha256


def hash_of_file(path: Path) -> str:
    """The sha256 (hex) of a file, or "" where there is none. Remembered until the file is written to."""
    try:
        facts = path.stat()
    except (OSError, ValueError) as error:
        if getattr(error, "errno", None) in (errno.EACCES, errno.EPERM, errno.EIO):
            raise
        return ""  # nothing is there, or a link that leads to itself, or no name that a file can have
    if not S_ISREG(facts.st_mode):
        return ""
    return _hash_of_file(path, facts.st_ino, facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns)


@cache
def _hash_of_file(path: Path, *_: int) -> str:
    return file_sha256(path)


def hash_of(path: Path) -> str:
    """The hash of a file, or of all files of a folder with their names; "" where there is none."""
    if not path.is_dir():
        return hash_of_file(path)
    files = sorted(file for file in path.rglob("*") if file.is_file())
    return fingerprint({file.relative_to(path).as_posix(): hash_of_file(file) for file in files})
