"""A package in one file: a zip whose bytes depend on nothing but the files in it."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from pipeline.problems import Problem
from pipeline.release.formats.format import REBUILD, Described

EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest date in a zip: nothing here reads the clock
PACKED = (".parquet", ".xlsx")  # compressed already
READABLE = 0o644


def zipped(files: Mapping[str, bytes], within: str) -> bytes:
    """Files as a zip, below one folder, in the order of their names."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(f"{within}/{name}", EPOCH)
            entry.create_system = 3  # whatever system makes it
            entry.external_attr = READABLE << 16
            entry.compress_type = zipfile.ZIP_STORED if name.endswith(PACKED) else zipfile.ZIP_DEFLATED
            archive.writestr(entry, files[name])
    return buffer.getvalue()


def check_archive(folder: Path, described: Described, listed: Mapping[str, str]) -> Iterator[Problem]:
    """The archive holds every listed file and the list itself, unchanged."""
    top = f"{described['name']}-{described['version']}"
    if [path.name for path in folder.glob("*.zip")] != [f"{top}.zip"]:
        yield Problem(f"{top}.zip", "", "must be the only archive of the package", REBUILD)
        return
    try:
        with zipfile.ZipFile(io.BytesIO((folder / f"{top}.zip").read_bytes())) as archive:
            names = archive.namelist()
            same = all(
                archive.read(f"{top}/{name}") == (folder / name).read_bytes()
                for name in listed
                if f"{top}/{name}" in names
            )
    except (OSError, zipfile.BadZipFile):
        yield Problem(f"{top}.zip", "", "is not a zip file", REBUILD)
        return
    if not same or sorted(names) != sorted(f"{top}/{name}" for name in listed):
        yield Problem(f"{top}.zip", "", "does not hold the same files as the package", REBUILD)
