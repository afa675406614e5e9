"""Fetches a wave's raw file and checks it against its declared hash.

A file that cannot be reached raises OSError, so that a scheduler may retry; one with another hash raises
ProblemError, since retrying would not help. Reading the file belongs to ``readers``.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

import fsspec

from pipeline.catalogue.fieldwork import Wave
from pipeline.extras import optional
from pipeline.hashing import file_sha256
from pipeline.problems import Problem, ProblemError, wave_problem

CHUNK = 1 << 20
EXTRAS = {"http": ("aiohttp", "https"), "https": ("aiohttp", "https"), "s3": ("s3fs", "s3")}


def fetch(wave: Wave, root: Path) -> Path:
    """The raw file of a wave on this machine, with the declared sha256 and number of bytes.

    A local file is taken from ``warehouse/raw``; a remote one is fetched once, into
    ``warehouse/fetched``. Raises ProblemError when the file is missing or not the pinned one, OSError
    when its host cannot be reached.
    """
    source = wave.source
    if not source.remote:
        path = root / "warehouse" / "raw" / source.file
        inside = not PurePosixPath(source.file).is_absolute() and ".." not in PurePosixPath(source.file).parts
        if not inside or not path.is_file():
            raise ProblemError(_missing_file(wave, "is not in warehouse/raw"))
        return _verified(path, wave)
    folder = root / "warehouse" / "fetched"
    path = folder / f"{source.sha256[:12]}-{PurePosixPath(urlsplit(source.file).path).name or 'raw'}"
    if path.is_file() and file_sha256(path) == source.sha256:
        return _verified(path, wave)
    folder.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=folder, prefix=".fetching-")
    os.close(descriptor)
    try:
        _download(wave, Path(name))
        _verified(Path(name), wave).replace(path)
    finally:
        Path(name).unlink(missing_ok=True)
    return path


def _download(wave: Wave, target: Path) -> None:
    address = wave.source.file
    if needed := EXTRAS.get(urlsplit(address).scheme):
        optional(
            *needed, file=f"schemas/waves/{wave.key}.toml", key="source.file", value=address, wave=wave.key
        )
    try:
        with fsspec.open(address, "rb") as remote, target.open("wb") as local:
            while chunk := remote.read(CHUNK):
                local.write(chunk)
    except FileNotFoundError as error:
        if _host_unreachable(error.__cause__):
            raise OSError(f"{address}: {error.__cause__}") from error
        raise ProblemError(_missing_file(wave, "was not found at its address")) from error
    except (ImportError, ValueError) as error:
        hint = "Use an https:// address, or install the fsspec package that speaks this protocol."
        raise ProblemError(
            wave_problem(wave.key, "source.file", "cannot be fetched", hint, address)
        ) from error
    except OSError:
        raise
    except Exception as error:  # every protocol has its own family of errors; they all mean: not reached
        raise OSError(f"{address}: {type(error).__name__}: {error}") from error


def _host_unreachable(cause: BaseException | None) -> bool:
    """Whether the host failed without saying that the file is gone, which fsspec does not distinguish."""
    aiohttp = sys.modules.get("aiohttp")  # there wherever a web host was asked
    unreachable = (TimeoutError, aiohttp.ClientError) if aiohttp else TimeoutError
    return isinstance(cause, unreachable) and getattr(cause, "status", 0) not in (404, 410)


def _verified(path: Path, wave: Wave) -> Path:
    """The path, when the file is the pinned one."""
    source = wave.source
    found, size = file_sha256(path), path.stat().st_size
    problems = []
    hint = "Check that this is the right file; if the producer replaced it on purpose, declare the new"
    if found != source.sha256:
        message = f"{source.file} has another sha256 than declared: expected {source.sha256}, found {found}"
        problems.append(wave_problem(wave.key, "source.sha256", message, f"{hint} sha256.", found))
    if source.bytes is not None and size != source.bytes:
        message = f"{source.file} has another size than declared: expected {source.bytes} bytes, found {size}"
        problems.append(wave_problem(wave.key, "source.bytes", message, f"{hint} size.", str(size)))
    if problems:
        raise ProblemError(problems)
    return path


def _missing_file(wave: Wave, message: str) -> Problem:
    hint = "Put the file there, or correct its name in the wave file."
    return wave_problem(wave.key, "source.file", message, hint, wave.source.file)
