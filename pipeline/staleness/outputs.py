"""Where the output of a step is, what is recorded of it, and how it is written.

Each folder is the output of one step, made beside its place and then renamed. Its
``made.json``, written last, holds the fingerprint of what it was made from and the hash of every file of it:
equal fingerprint and the same bytes, nothing to redo. So a file that was cut short or altered since is made
again.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.atomic import replace_directory
from pipeline.problems import Problem, ProblemError
from pipeline.staleness.files import hash_of, hash_of_file

Metadata = dict[str, int | float | str]

LAYERS = {
    "raw_wave": "ingested",
    "harmonised_wave": "harmonised",
    "weighted_wave": "weighted",
    "wave_statistics": "statistics",
}
PRODUCTS = {
    "estimates": "estimates",
    "comparisons": "compared",
    "data_package": "packages",
    "warehouse": "published",
}
WAVE_STEPS, PRODUCT_STEPS = tuple(LAYERS), tuple(PRODUCTS)
SUMS = ("cells.parquet", "plan.json")
NEEDED = {  # files that every run of a step makes: without them its output is not recorded
    "raw_wave": ("raw.parquet",),
    "harmonised_wave": ("report.json",),
    "weighted_wave": ("answers.parquet", "codes.arrow", "report.json"),
    "wave_statistics": (*SUMS, "estimates.parquet"),
    "estimates": ("estimates.parquet",),
    "comparisons": ("comparisons.parquet", "benchmarks.parquet", "trends.parquet", "reconciliation.parquet"),
    "data_package": ("estimates.parquet", "comparisons.parquet", "benchmarks.parquet", "trends.parquet"),
    "warehouse": (),
}
RECORD, METADATA = "made.json", "metadata.json"


@dataclass(frozen=True)
class StepResult:
    """What a step made: the fingerprint of its inputs, counts worth showing, and whether it had to work."""

    fingerprint: str
    metadata: Metadata
    redone: bool = True


def declared_waves(root: Path) -> list[str]:
    """The keys of every wave that has a wave file, sound or not: the partitions."""
    return sorted(path.stem for path in (root / "schemas" / "waves").glob("*.toml"))


def wave_folder(root: Path, step: str, wave: str) -> Path:
    """The folder that a wave's partition of a step owns."""
    return root / "warehouse" / LAYERS[step] / wave


def product_folder(root: Path, step: str) -> Path:
    """The folder that a barometer-wide step owns."""
    return root / "warehouse" / PRODUCTS[step]


def shared_folder(root: Path, wave: str, part: str) -> Path:
    """The folder of the sums that comparisons have made again from a wave's microdata, of one part of it."""
    return root / "warehouse" / "shared" / wave / part


def is_current(folder: Path, fingerprint: str, beside: tuple[Path, ...] = ()) -> bool:
    """Whether a folder was made from exactly these inputs, and it and what was made beside it are as made."""
    record = recorded(folder)
    if record.get("fingerprint") != fingerprint or len(record["beside"]) != len(beside):
        return False
    files = ((folder / name, made) for name, made in record["files"].items())
    others = zip(beside, record["beside"], strict=True)
    return all(hash_of(path) == made for path, made in (*files, *others))


def is_damaged(folder: Path, beside: tuple[Path, ...] = ()) -> Iterator[Path]:
    """Whichever of a folder and what was made beside it is not as it was recorded, whatever it is made of."""
    if not os.path.lexists(folder):
        return
    record = recorded(folder)
    if not record or any(hash_of(folder / name) != made for name, made in record["files"].items()):
        yield folder
    elif len(record["beside"]) == len(beside):
        yield from (
            path for path, made in zip(beside, record["beside"], strict=True) if hash_of(path) != made
        )


def recorded(folder: Path) -> dict[str, Any]:
    """What is recorded of a folder; nothing when there is no record, or it is not what ``make`` writes."""
    record = read_damaged(folder / RECORD)
    files, beside = record.get("files"), record.get("beside")
    whole = {*record} == {"fingerprint", "files", "beside"} and isinstance(files, dict)
    return record if whole and isinstance(beside, list) else {}


def make(
    folder: Path,
    fingerprint: str,
    work: Callable[[Path], Metadata],
    beside: tuple[Path, ...] = (),
    needed: Collection[str] = (),
) -> StepResult:
    """Have ``work`` fill the folder, unless it is current already.

    ``work`` writes into an empty folder beside and returns the step's metadata; whatever it raises
    leaves the former output as it was. ``beside`` are outputs that ``work`` swaps in itself. Raises
    ProblemError when a ``needed`` file or an output beside is gone although ``work`` has ended: somebody else
    took it away, and what is left is not recorded as made.
    """
    if is_current(folder, fingerprint, beside):
        return StepResult(fingerprint, read_json(folder / METADATA), redone=False)
    with replace_directory(folder) as fresh:
        metadata = work(fresh)
        write_json(fresh / METADATA, metadata)
        files = {path.relative_to(fresh).as_posix(): path for path in sorted(fresh.rglob("*"))}
        gone = [name for name in needed if name not in files] + [
            path.name for path in beside if not path.exists()
        ]
        if gone:
            hint = "Leave the folder warehouse to one run at a time, and run it again."
            message = "was taken apart by another program while it was made; it lacks"
            raise ProblemError(Problem(folder.name, "", message, hint, ", ".join(gone)))
        record = {
            "fingerprint": fingerprint,
            "files": {name: hash_of_file(path) for name, path in files.items() if path.is_file()},
            "beside": [hash_of(path) for path in beside],
        }
        write_json(fresh / RECORD, record)
    return StepResult(fingerprint, metadata)


def write_json(path: Path, value: object) -> None:
    """Writes counts and other plain values, readable for people."""
    path.write_text(json.dumps(value, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


def wave_report(root: Path, step: str, wave: str) -> dict[str, Any]:
    """The counts that a step keeps of a microdata wave beside its output."""
    text = (wave_folder(root, step, wave) / "report.json").read_text(encoding="utf-8")
    report: dict[str, Any] = json.loads(text)
    return report


def read_json(path: Path) -> Metadata:
    """Reads what ``write_json`` wrote of a step's metadata."""
    loaded: Metadata = json.loads(path.read_text(encoding="utf-8"))
    return loaded


def read_damaged(path: Path) -> dict[str, Any]:
    """Reads what ``write_json`` wrote, if it is still that: nothing when the file is gone or damaged."""
    try:
        loaded = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return loaded if isinstance(loaded, dict) else {}
