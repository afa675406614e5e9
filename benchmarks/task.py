"""The task that is timed: sums and estimates of every wave, by the product's own functions."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb

from benchmarks import data
from pipeline.catalogue import Catalogue
from pipeline.estimation import Cells, Specification, estimate_wave, wave_statistics


@contextmanager
def folder() -> Iterator[Path]:
    """A temporary folder."""
    with TemporaryDirectory(prefix="benchmark-") as name:
        yield Path(name)


@dataclass(frozen=True)
class Survey:
    """A survey on disk, one Parquet file a wave, and what the product computes from it."""

    root: Path
    clustered: bool = False

    @cached_property
    def catalogue(self) -> Catalogue:
        """Its declarations."""
        return data.catalogue(self.root, clustered=self.clustered)

    @cached_property
    def paths(self) -> list[Path]:
        """Its encoded answers, as the step that weighs leaves them; ``written`` makes them."""
        return sorted((self.root / "codes").glob("*.arrow"))

    @classmethod
    def written(cls, root: Path, rows: int, **layout: Any) -> Survey:
        """Draws a survey into ``root``; see ``data.write``."""
        survey = cls(root, clustered="per_psu" in layout)
        data.coded(data.write(root, rows, **layout), survey.catalogue)
        return survey

    @cached_property
    def sums(self) -> list[Cells]:
        """The sums of every wave, made once."""
        return self.statistics()

    def statistics(self) -> list[Cells]:
        """The one pass over every wave's file."""
        return [wave_statistics(path, self.catalogue.waves[path.stem], self.catalogue) for path in self.paths]

    def estimates(self) -> int:
        """Every estimate of every wave from the sums computed before; returns their number."""
        return sum(self._estimated(path, sums) for path, sums in zip(self.paths, self.sums, strict=True))

    def cube(self) -> int:
        """Sums and estimates, one wave after the other: only one wave's sums are in memory."""
        waves = self.catalogue.waves
        return sum(
            self._estimated(path, wave_statistics(path, waves[path.stem], self.catalogue))
            for path in self.paths
        )

    def _estimated(self, path: Path, sums: Cells) -> int:
        return len(estimate_wave(sums, Specification.of(self.catalogue.waves[path.stem], self.catalogue)))

    def peak_gib(self) -> float:
        """Peak memory of a process of its own that does nothing but the cube (Linux)."""
        command = [sys.executable, "-m", "benchmarks.task", str(self.root), *["clustered"] * self.clustered]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        return int(done.stdout) / 2**20


def scan(connection: duckdb.DuckDBPyConnection) -> object:
    """The least that any estimator must do: one weighted sum for each item over all rows, ungrouped."""
    sums = ", ".join(f"sum(w * {name.replace('.', '_')})" for name in data.ITEMS)
    return connection.sql(f"SELECT {sums} FROM numbers").fetchall()


if __name__ == "__main__":
    Survey(Path(sys.argv[1]), clustered=len(sys.argv) > 2).cube()
    # Not getrusage: its peak counts what the parent held when it started this process.
    status = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    print(next(line.split()[1] for line in status if line.startswith("VmHWM:")))
