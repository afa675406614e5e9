"""Where a package is published: a folder, a bucket, or another store that fsspec can write to.

A reader finds every file whole, the old one or the new one. Two publishers at once never overwrite each
other's files: a folder is locked by one of them, and a bucket takes a file only where there is none, or over
exactly the bytes that this publisher listed. Other stores offer neither. What is sent, and in which order,
belongs to ``publication``.
"""

from __future__ import annotations

import hashlib
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import fsspec
from fsspec.implementations.local import LocalFileSystem

from pipeline.atomic import write_file
from pipeline.extras import optional
from pipeline.hashing import file_sha256
from pipeline.problems import Problem, ProblemError
from pipeline.release.lock import alone

CHUNK = 1 << 20
ONE_REQUEST = 5 << 30  # bytes, the most that S3 takes at once; only such a request can bear a condition
LOST = ("PreconditionFailed", "ConditionalRequestConflict", "NoSuchKey")


class ConflictError(Exception):
    """A file is no longer the one that was listed."""


@dataclass
class Destination:
    """What lies at an address: the facts of every file by its name. Counts files sent, kept and removed."""

    files: Any  # fsspec.AbstractFileSystem, which has no types
    base: str
    address: str  # as people know it
    there: dict[str, dict[str, Any]] = field(default_factory=dict)
    sent: int = 0
    kept: int = 0
    removed: int = 0

    def held(self) -> AbstractContextManager[None]:
        """Keep other publishers out, where the store allows it."""
        return nullcontext()

    def look(self) -> None:
        """List the files there; hidden files are not part of a release."""
        found = self.files.find(self.base, detail=True)
        names = {path[len(self.base) + 1 :]: facts for path, facts in found.items()}
        self.there = {name: facts for name, facts in names.items() if "/." not in f"/{name}"}

    def read(self, name: str) -> bytes | None:
        """The bytes of a file there; None where there is none."""
        return bytes(self.files.cat_file(f"{self.base}/{name}")) if name in self.there else None

    def holds(self, name: str, path: Path) -> bool:
        """Whether a file lies there with the bytes of one here."""
        return name in self.there and self.there[name]["size"] == path.stat().st_size and self._is(name, path)

    def _is(self, name: str, path: Path) -> bool:
        digest = hashlib.sha256()
        with self.files.open(f"{self.base}/{name}", "rb") as file:
            while chunk := file.read(CHUNK):
                digest.update(chunk)
        return digest.hexdigest() == file_sha256(path)

    def send(self, name: str, path: Path) -> None:
        """Put a file there, whole or not at all; replaces another only if that is still the one listed.

        Raises ProblemError when another publisher was quicker, unless with the same bytes.
        """
        try:
            self._put(name, path)
            self.sent += 1
        except ConflictError:
            if not (self.files.exists(f"{self.base}/{name}") and self._is(name, path)):
                raise ProblemError(self._lost(name)) from None
            self.kept += 1
        self.there[name] = {"size": path.stat().st_size}

    def remove(self, name: str) -> None:
        """Remove a file there. Raises ProblemError when another publisher has replaced it."""
        try:
            self._take(name)
        except ConflictError:
            if self.files.exists(f"{self.base}/{name}"):
                raise ProblemError(self._lost(name)) from None
        del self.there[name]
        self.removed += 1

    def below(self, folder: str) -> list[str]:
        """The names of the files there in a folder."""
        return [name for name in self.there if name.startswith(f"{folder}/")]

    def _lost(self, name: str) -> Problem:
        message = "was changed by another publisher in the meantime, and was left as it is"
        hint = "Run the command again: it compares again, and what was sent is not sent again."
        return Problem(f"{self.address}/{name}", "", message, hint)

    def _put(self, name: str, path: Path) -> None:
        self.files.put_file(str(path), f"{self.base}/{name}")

    def _take(self, name: str) -> None:
        self.files.rm_file(f"{self.base}/{name}")


class Folder(Destination):
    """A folder: one publisher at a time, and every file renamed into its place."""

    def held(self) -> AbstractContextManager[None]:
        """One process at a time; a killed one leaves no lock behind."""
        return alone(Path(self.base), self.address)

    def look(self) -> None:
        """List the files there, after removing what a killed run left unfinished."""
        for begun in list(Path(self.base).rglob(".*.new")):
            begun.unlink()
        super().look()

    def _put(self, name: str, path: Path) -> None:
        target = Path(self.base) / name
        target.parent.mkdir(parents=True, exist_ok=True)
        write_file(target, path.read_bytes())


class Bucket(Destination):
    """An S3 bucket: every write and removal has a condition, which the server enforces."""

    def _put(self, name: str, path: Path) -> None:
        seen = self.there.get(name)
        condition = {"IfMatch": seen["ETag"]} if seen else {"mode": "create"}
        target = f"{self.base}/{name}"
        self._if_still_so(self.files.put_file, str(path), target, chunksize=ONE_REQUEST, **condition)

    def _take(self, name: str) -> None:
        bucket, key, _ = self.files.split_path(f"{self.base}/{name}")
        seen = self.there[name]["ETag"]
        self._if_still_so(self.files.call_s3, "delete_object", Bucket=bucket, Key=key, IfMatch=seen)

    def _if_still_so(self, act: Any, *given: Any, **named: Any) -> None:
        try:
            act(*given, **named)
        except OSError as error:
            answer = getattr(error.__cause__, "response", {})
            if answer.get("Error", {}).get("Code") in LOST:
                raise ConflictError from error
            raise


def destination_at(destination: str, package: str) -> Destination:
    """Where a package is published at a destination; nothing there is read yet."""
    if destination.startswith("s3://"):
        optional("s3fs", "s3", file="", key="destination", value=destination)
    files, base = fsspec.core.url_to_fs(destination, use_listings_cache=False, skip_instance_cache=True)
    kind = Folder if isinstance(files, LocalFileSystem) else Bucket if "s3" in files.protocol else Destination
    return kind(files, f"{base.rstrip('/')}/{package}", f"{destination.rstrip('/')}/{package}")
