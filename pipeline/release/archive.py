"""A package in one file: a zip whose bytes depend on nothing but the files in it."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping

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
