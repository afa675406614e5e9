"""What a raw file says of its own columns: labels, missing codes, multiple-response sets.

Column names, codes and texts are those of the table it came with, so that they can be held against it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipeline.sources.cells import in_seconds


@dataclass(frozen=True)
class Missing:
    """The codes of a column that the file itself declares missing: single ones and ranges, ends included."""

    codes: tuple[str, ...] = ()
    ranges: tuple[tuple[float, float], ...] = ()  # an open end is infinite

    def holds(self, text: str) -> bool:
        """Whether a cell's text is declared missing; a blank cell says nothing and is not."""
        if text in self.codes:
            return True
        try:
            number = float(in_seconds(text))
        except ValueError:
            return False
        return any(low <= number <= high for low, high in self.ranges)


@dataclass(frozen=True)
class MultipleSet:
    """Columns that are the boxes of one question; ``counted`` is the code of a ticked box, "" where the
    columns hold one of several codes each.
    """

    label: str
    columns: tuple[str, ...]
    counted: str = ""


@dataclass(frozen=True)
class FileMetadata:
    """What a raw file says of its columns; empty for a format that can say nothing."""

    labels: Mapping[str, str] = field(default_factory=dict)  # column -> label
    value_labels: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # column -> code -> label
    missing: Mapping[str, Missing] = field(default_factory=dict)
    sets: Mapping[str, MultipleSet] = field(default_factory=dict)

    def write(self, path: Path) -> None:
        """Write it as JSON; an open end of a range is null."""
        stored = {
            "labels": self.labels,
            "value_labels": self.value_labels,
            "missing": {
                column: {
                    "codes": missing.codes,
                    "ranges": [list(map(_closed, ends)) for ends in missing.ranges],
                }
                for column, missing in self.missing.items()
            },
            "sets": {name: vars(each) for name, each in self.sets.items()},
        }
        text = json.dumps(stored, ensure_ascii=False, indent=1, allow_nan=False)
        path.write_text(text + "\n", encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> FileMetadata:
        """What ``write`` wrote."""
        stored: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return cls(
            stored["labels"],
            stored["value_labels"],
            {
                column: Missing(tuple(each["codes"]), tuple(map(_opened, each["ranges"])))
                for column, each in stored["missing"].items()
            },
            {
                name: MultipleSet(each["label"], tuple(each["columns"]), each["counted"])
                for name, each in stored["sets"].items()
            },
        )


NO_METADATA = FileMetadata()


def _closed(end: float) -> float | None:
    return end if math.isfinite(end) else None


def _opened(ends: list[float | None]) -> tuple[float, float]:
    low, high = ends
    return (-math.inf if low is None else low, math.inf if high is None else high)
