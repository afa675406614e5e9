"""Hashes of what lies in files: the code of the rooms below, and raw files.

The code that makes a step's output is one of its inputs: after a mended bug the waves it touched are
redone, and no others. Standard library only.
"""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from pipeline.steps.folders import WAVE_STEPS

PRODUCT = Path(__file__).resolve().parents[2]
ROOMS = {  # the code and product tables that make each step's output, below PRODUCT
    "raw_wave": ("pipeline/extras", "pipeline/sources"),
    "harmonised_wave": ("pipeline/extras", "pipeline/sources", "pipeline/harmonise", "pipeline/contracts"),
    "weighted_wave": ("pipeline/weighting", "pipeline/crossing", "pipeline/estimation/encoding"),
    "wave_statistics": ("pipeline/estimation", "pipeline/crossing"),
    "estimates": ("pipeline/estimation", "pipeline/crossing", "pipeline/steps/products"),
    "comparisons": (
        "pipeline/comparison",
        "pipeline/contracts",
        "pipeline/crossing",
        "pipeline/disclosure",
        "pipeline/estimation",
        "pipeline/workers",
        "pipeline/steps/comparisons",
    ),
    "warehouse": (
        "pipeline/extras",
        "pipeline/comparison",
        "pipeline/crossing",
        "pipeline/disclosure",
        "pipeline/estimation",
        "pipeline/warehouse",
        "pipeline/arrow",
        "pipeline/contracts",
        "pipeline/release",
        "pipeline/shelf",
        "pipeline/swap",
        "pipeline/workers",
        "pipeline/steps/products",
    ),
    "data_package": (
        "pipeline/extras",
        "pipeline/disclosure",
        "pipeline/arrow",
        "pipeline/contracts",
        "pipeline/release",
        "pipeline/shelf",
        "pipeline/swap",
        "pipeline/workers",
        "pipeline/steps/candidates",
        "pipeline/steps/products",
        "pipeline/steps/provenance",
    ),
    "site": (
        "pipeline/extras",
        "pipeline/site",
        "pipeline/arrow",
        "pipeline/contracts",
        "pipeline/release",
        "pipeline/shelf",
        "pipeline/swap",
        "pipeline/workers",
        "pipeline/steps/site",
    ),
}
SOURCES = (".py", ".sql", ".json", ".toml", ".j2", ".css", ".js", ".svg", ".ttf")
SHARED_ROOMS = (
    "pipeline/catalogue/model",
    "pipeline/catalogue/questionnaire",
    "pipeline/catalogue/fieldwork",
    "pipeline/catalogue/counts",
    "pipeline/catalogue/comparability",
    "pipeline/arrays",
)


def code(step: str) -> str:
    """The hash of the code that makes a step's output."""
    own = ("pipeline/steps/waves",) if step in WAVE_STEPS else ()
    return _hash_of_rooms(ROOMS[step] + SHARED_ROOMS + own)


def product() -> str:
    """The hash of all code of the product, with its tables and SQL."""
    return _hash_of_rooms(("pipeline",))


@cache
def _hash_of_rooms(rooms: tuple[str, ...]) -> str:
    digest = hashlib.sha256()
    for room in rooms:
        for file in _files(PRODUCT / room):
            digest.update(file.relative_to(PRODUCT).as_posix().encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()


def _files(room: Path) -> list[Path]:
    """A room's files, in order: those of a package or folder, a module, or the file itself."""
    if room.is_dir():
        return sorted(path for path in room.rglob("*") if path.suffix in SOURCES)
    return [room if room.suffix else room.with_suffix(".py")]


def hash_of_file(path: Path) -> str:
    """The sha256 (hex) of a file, or "" where there is none. Remembered until its size or time changes."""
    try:
        facts = path.stat()
    except FileNotFoundError:
        return ""
    return _hash_of_file(path, facts.st_size, facts.st_mtime_ns)


@cache
def _hash_of_file(path: Path, size: int, changed: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
