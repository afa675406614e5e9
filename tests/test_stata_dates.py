"""Stata's dates and times, in a file that the test writes with somebody else's library."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pandas as pd
import pytest

from pipeline.catalogue import Source
from pipeline.sources import read_raw

pytest.importorskip("pyreadstat")  # the extra that reads Stata files


@pytest.mark.parametrize("moment", ["1960-01-01T00:00:00", "1959-12-31T23:59:59", "2024-02-29T12:30:00"])
def test_days_and_times_of_a_stata_file_are_those_that_were_written(tmp_path: Path, moment: str) -> None:
    """Stata counts from 1 January 1960, and before it backwards. Moments all at midnight would be days."""
    told, noon = datetime.fromisoformat(moment), datetime.fromisoformat("2020-01-02T12:00:00")
    frame = pd.DataFrame({"id": [1, 2, 3], "day": [told, pd.NaT, noon], "time": [told, pd.NaT, noon]})
    frame.to_stata(tmp_path / "raw.dta", convert_dates={"day": "td", "time": "tc"}, write_index=False)
    read = read_raw(tmp_path / "raw.dta", Source("microdata", "raw.dta", "")).frame
    assert read["day"].tolist() == [moment[:10], "", "2020-01-02"]
    assert read["time"].tolist() == [moment, "", "2020-01-02T12:00:00"]
