"""The SQL of the one pass, unchanged, on another engine than DuckDB: the same sums."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.catalogue import Catalogue, Wave, load_catalogue
from pipeline.estimation import wave_statistics
from pipeline.estimation.engine import Columns, DuckDB
from pipeline.weighting import weigh
from tests.barometers import write_barometer
from tests.test_estimation import drawn

VALIDATORS = Path(__file__).parents[1] / ".validators" / "python"
SCRIPT = Path(__file__).parent / "validators" / "sail.py"


@dataclass
class Sail:
    """Sail as an engine, in a process of its own."""

    folder: Path

    def query(self, sql: str, answers: Path | pa.Table, columns: Mapping[str, str]) -> Columns:
        stored = self.folder / "answers.parquet"
        pq.write_table(answers, stored)
        rows = self.folder / "rows.parquet"
        python = VALIDATORS / "bin" / "python"
        command = [python, SCRIPT, stored, json.dumps(columns), sql, rows]
        subprocess.run(command, check=True, capture_output=True)
        table = pq.read_table(rows)
        return {name: table[name].to_numpy() for name in table.column_names}


ROOMS = ("pipeline.estimation.statistics.FEW", "pipeline.estimation.statistics.MANY")


def _weighted(root: Path, own: bool) -> tuple[pd.DataFrame, Wave, Catalogue]:
    """Two hundred made-up units, with weights shared by many or their own."""
    catalogue = load_catalogue(write_barometer(root / "barometer"))
    wave = catalogue.waves["dk-2020"]
    weighted = weigh(drawn(11, rows=200), wave, catalogue).answers
    random = np.random.default_rng(12)
    own_weights, shared = random.uniform(0.5, 20, len(weighted)), random.choice([0.3, 7.1], len(weighted))
    weighted["weight"] = own_weights if own else shared
    return weighted, wave, catalogue


@pytest.mark.parametrize("few", [10**9, 0], ids=["listed", "grouped"])
@pytest.mark.parametrize("own", [False, True], ids=["shared weights", "own weights"])
def test_sail_gives_the_sums_that_duckdb_gives(
    own: bool, few: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not any(VALIDATORS.glob("lib/*/site-packages/pysail")):
        pytest.skip("set up Sail with `make validators`")
    for room in ROOMS:
        monkeypatch.setattr(room, few)
    weighted, wave, catalogue = _weighted(tmp_path, own)
    with DuckDB() as engine:
        expected = wave_statistics(weighted, wave, catalogue, engine).frame
    found = wave_statistics(weighted, wave, catalogue, Sail(tmp_path)).frame
    # The sums are equal to the last bit; turned from decimals into doubles, engines may differ by one.
    pd.testing.assert_frame_equal(found, expected, check_dtype=False, rtol=4e-16)


@pytest.mark.parametrize("own", [False, True], ids=["shared weights", "own weights"])
def test_listed_units_have_the_sums_of_grouped_ones(
    own: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    weighted, wave, catalogue = _weighted(tmp_path, own)
    monkeypatch.setattr(ROOMS[0], 0)
    listed = wave_statistics(weighted, wave, catalogue).frame if own else None
    monkeypatch.setattr(ROOMS[1], 0)
    grouped = wave_statistics(weighted, wave, catalogue).frame
    if listed is None:
        monkeypatch.setattr(ROOMS[0], 10**9)
        listed = wave_statistics(weighted, wave, catalogue).frame
    assert ("shared.weight" in grouped) is not own
    pd.testing.assert_frame_equal(listed, grouped, check_dtype=False, rtol=1e-14, atol=1e-12)
