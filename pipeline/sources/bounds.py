"""What a raw file may ask of the machine. Beyond these it is damaged or hostile, and a problem of its wave.

The largest surveys there are stay far below: a census file has some million rows, Stata and SPSS hold some
thousand columns.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

MOST_ROWS = 10_000_000
MOST_COLUMNS = 50_000
MOST_CELLS = 500_000_000  # rows times columns
MOST_BLANK_ROWS = 10_000  # between two rows of a sheet: what stands below them is not of the table
MOST_IN_ROW = 1 << 26  # bytes of a row of a text file
SMALL = 1 << 26  # bytes: what unpacks to less is not looked at
MOST_UNPACKED = 200  # times the packed size: a workbook of numbers has some 20
MOST_SECONDS = 3600.0  # to read a file
LEAST_MEMORY = 1 << 30  # bytes that a file may always ask for

GROUPS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))


def memory() -> int | None:
    """The bytes that reading one file may take: half of what is free now. None where nobody tells."""
    free = _available()
    limits = [int(text) for group in GROUPS if (text := _text(group).strip()).isdigit()]
    known = [number for number in (free, *limits) if number]
    return max(min(known) // 2, LEAST_MEMORY) if known else None


def _available() -> int:
    for line in _text(Path("/proc/meminfo")).splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return 0


def _text(path: Path) -> str:
    with suppress(OSError):
        return path.read_text(encoding="ascii", errors="replace")
    return ""
