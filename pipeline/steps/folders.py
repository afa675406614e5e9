"""Where the output of a step lies, and the one way it gets there: made beside, then swapped in whole.

A folder is the output of one step and of nobody else. Its ``fingerprint`` file, written last, is the
hash of what it was made from: equal fingerprint, nothing to redo. Standard library only, so that
"is anything to do?" is answered before the heavy libraries are loaded.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pipeline.swap import swapped_in

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
    "warehouse": "published",
    "data_package": "packages",
}
WAVE_STEPS, PRODUCT_STEPS = tuple(LAYERS), tuple(PRODUCTS)
FINGERPRINT, METADATA = "fingerprint", "metadata.json"


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
    """Whether a folder was made from exactly these inputs, and what was made beside it is still there."""
    try:
        same = (folder / FINGERPRINT).read_text(encoding="ascii") == fingerprint
    except FileNotFoundError:
        return False
    return same and all(path.exists() for path in beside)


def make(
    folder: Path, fingerprint: str, work: Callable[[Path], Metadata], beside: tuple[Path, ...] = ()
) -> StepResult:
    """Have ``work`` fill the folder, unless it is current already.

    ``work`` writes into an empty folder beside and returns the step's metadata; whatever it raises
    leaves the former output as it was. ``beside`` are outputs that ``work`` swaps in itself.
    """
    if is_current(folder, fingerprint, beside):
        return StepResult(fingerprint, read_json(folder / METADATA), redone=False)
    with swapped_in(folder) as fresh:
        metadata = work(fresh)
        write_json(fresh / METADATA, metadata)
        (fresh / FINGERPRINT).write_text(fingerprint, encoding="ascii")
    return StepResult(fingerprint, metadata)


def write_json(path: Path, value: object) -> None:
    """Writes counts and other plain values, readable for people."""
    path.write_text(json.dumps(value, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


def read_json(path: Path) -> Metadata:
    """Reads what ``write_json`` wrote of a step's metadata."""
    loaded: Metadata = json.loads(path.read_text(encoding="utf-8"))
    return loaded
