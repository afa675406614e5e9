"""What an SPSS or Stata file says of its own codes is held against the crosswalk."""

from __future__ import annotations

import math
import struct
from pathlib import Path
from typing import Any

import pandas as pd
import pyreadstat
import pytest

from pipeline.catalogue import load_catalogue
from pipeline.drafting import draft_barometer, draft_wave
from pipeline.harmonise import Harmonised, harmonise
from pipeline.problems import Problem, ProblemError
from pipeline.sources import read_raw
from tests.barometers import edit, pin

SAV_END = struct.pack("<ii", 999, 0)  # of the dictionary
WAVE = "dk-2020"
CODED = {1: "Yes", 2: "No", 9: "Don't know"}  # of the small barometer's grid


def deliver(root: Path, frame: pd.DataFrame | None = None, **said: Any) -> Path:
    """The small barometer's wave of 2020 as an SPSS file that says this of its columns."""
    if frame is None:
        frame = delivered(root)
    path = root / "warehouse/raw/dk-2020.sav"
    pyreadstat.write_sav(frame, path, **said)
    wave = root / f"schemas/waves/{WAVE}.toml"
    if "dk-2020.sav" not in wave.read_text():
        edit(wave, '"dk-2020.csv"', '"dk-2020.sav"')
        edit(wave, 'delimiter = ";"\ndecimal = ","\n', "")
    pin(root, WAVE)
    return path


def delivered(root: Path) -> pd.DataFrame:
    """The rows of the small barometer's wave of 2020."""
    return pd.read_csv(root / "warehouse/raw/dk-2020.csv", sep=";", decimal=",", dtype={"ID": "str"})


def harmonised(root: Path) -> Harmonised:
    """The wave harmonised, with what its file says."""
    catalogue = load_catalogue(root)
    assert not catalogue.problems
    wave = catalogue.waves[WAVE]
    table = read_raw(catalogue.raw_path(wave.source.file), wave.source)
    return harmonise(table.frame, wave, catalogue, table.metadata)


def problems(root: Path) -> list[Problem]:
    """What stops the wave."""
    try:
        harmonised(root)
    except ProblemError as error:
        return list(error.problems)
    return []


def crosswalk(root: Path, old: str, new: str) -> None:
    edit(root / "schemas/instruments/dk.csv", old, new)


# ── declared missing ─────────────────────────────────────────────────────────


def test_a_number_that_the_file_declares_missing_stops_the_wave(barometer: Path) -> None:
    crosswalk(barometer, "ANSATTE,999,staff,no_answer,do not know\n", "")
    deliver(barometer, missing_ranges={"ANSATTE": [{"lo": 990, "hi": 999}]})
    (found,) = problems(barometer)
    assert found.file == "schemas/instruments/dk.csv"
    assert found.key == "line 19"
    assert found.message == "copies as a number what dk-2020.sav declares missing, in 4 rows"
    assert found.value == "999"
    assert "ANSATTE,999,staff,no_answer" in found.hint
    assert found.wave == WAVE
    crosswalk(barometer, "ANSATTE,*,staff,=,\n", "ANSATTE,*,staff,=,\nANSATTE,999,staff,no_answer,\n")
    answers = harmonised(barometer).answers
    assert answers["staff"].max() < 100
    assert answers["staff"].isna().sum() == 4


@pytest.mark.parametrize(
    ("line", "target"),
    [("Q2,9,novelty,dont_know,", "copied"), ("Q1_1,9,introduced.product,dont_know,", "yes"), ("REG,N,region,north,", "north")],
)  # fmt: skip
def test_a_code_that_the_file_declares_missing_is_no_answer(barometer: Path, line: str, target: str) -> None:
    column, code, variable, before, _ = line.split(",")
    crosswalk(barometer, line, f"{column},{code},{variable},{target},")
    deliver(barometer, missing_ranges={column: [code if column == "REG" else int(code)]})
    (found,) = problems(barometer)
    assert found.message.startswith(f"takes as {target} what dk-2020.sav declares missing, in ")
    assert found.value == code
    for right in {before, "ignore"} - {"north"}:
        crosswalk(barometer, f"{column},{code},{variable},{target},", f"{column},{code},{variable},{right},")
        assert not problems(barometer)
        crosswalk(barometer, f"{column},{code},{variable},{right},", f"{column},{code},{variable},{target},")


def test_a_confirmed_line_may_take_it_all_the_same(barometer: Path) -> None:
    crosswalk(barometer, "ANSATTE,999,staff,no_answer,do not know\n", "")
    crosswalk(barometer, "ANSATTE,*,staff,=,", "ANSATTE,*,staff,=,Confirmed with the producer")
    deliver(barometer, missing_ranges={"ANSATTE": [999]})
    assert harmonised(barometer).answers["staff"].max() == 999


def test_an_open_range_of_the_file_counts_and_codes_are_counted(barometer: Path) -> None:
    crosswalk(barometer, "ANSATTE,999,staff,no_answer,do not know\n", "")
    frame = delivered(barometer)
    frame.loc[:5, "ANSATTE"] = [-1, -2, -3, -4, -5, -6]
    deliver(barometer, frame, missing_ranges={"ANSATTE": [{"lo": -math.inf, "hi": -1}]})
    (found,) = problems(barometer)
    assert "in 6 rows" in found.message
    assert found.value == "-1, -2, -3, -4, -5, 1 more"


def test_a_number_labelled_as_no_answer_stops_the_wave(barometer: Path) -> None:
    crosswalk(barometer, "ANSATTE,999,staff,no_answer,do not know\n", "")
    deliver(barometer, variable_value_labels={"ANSATTE": {999: "Refused", 5: "Five or fewer"}})
    (found,) = problems(barometer)
    assert found.message == "copies as a number what dk-2020.sav labels as no answer, in 4 rows"


def test_the_letters_of_stata_are_no_answer(barometer: Path) -> None:
    frame = delivered(barometer).drop(columns=["Q3_1", "Q3_2"])
    frame["REG"] = frame["REG"].map({"N": 1.0, "S": 2.0}).astype(object)
    frame.loc[3, "REG"] = "a"
    path = barometer / "warehouse/raw/dk-2020.dta"
    pyreadstat.write_dta(frame, path, missing_user_values={"REG": ["a"]})
    wave = barometer / f"schemas/waves/{WAVE}.toml"
    edit(wave, '"dk-2020.csv"', '"dk-2020.dta"')
    edit(wave, 'delimiter = ";"\ndecimal = ","\n', "")
    pin(barometer, WAVE)
    crosswalk(barometer, "REG,N,region,north,\nREG,S,region,south,\n", "REG,1,region,north,\nREG,2,region,south,\nREG,.a,region,south,\n")  # fmt: skip
    for line in ("Q3_1,1,value.quality,selected,\nQ3_1,,value.quality,not_selected,\n", "Q3_2,1,value.savings,selected,\nQ3_2,,value.savings,not_selected,\n"):  # fmt: skip
        crosswalk(barometer, line, "")
    assert [str(found.value) for found in problems(barometer)] == [".a"]
    crosswalk(barometer, "REG,.a,region,south,", "REG,.a,region,no_answer,")
    assert not problems(barometer)


def test_weights_that_the_file_declares_missing_stop_the_wave(barometer: Path) -> None:
    frame = delivered(barometer).assign(W=1.5)
    frame.loc[0, "W"] = 99
    deliver(barometer, frame, missing_ranges={"W": [99]})
    wave = barometer / f"schemas/waves/{WAVE}.toml"
    edit(wave, 'population = "dk-strata.csv"', 'weight = "W"')
    edit(wave, 'method = "rake"\nmargins = [["sector"], ["region"]]\ntotals = "dk-margins.csv"', 'method = "given"')  # fmt: skip
    (found,) = problems(barometer)
    assert found.key == "column W"
    assert found.message == "holds weights that the file declares missing, in 1 row"


def test_drafts_write_the_codes_that_the_file_declares_missing(barometer: Path, tmp_path: Path) -> None:
    frame = delivered(barometer)
    frame["ANSATTE"] += pd.Series(range(len(frame)))  # too many values to be codes
    frame.loc[[3, 9], "ANSATTE"] = [9998, 9991]
    path = deliver(
        barometer,
        frame,
        variable_value_labels={"ANSATTE": {9998: "Skipped"}, "Q2": {1: "First", 2: "Copied", 8: "Skipped"}},
        missing_ranges={"ANSATTE": [{"lo": 9990, "hi": 9999}], "Q2": [8]},
        column_labels={"ANSATTE": "How many work here?", "Q2": "The newest one was"},
    )
    rows = {"ANSATTE,9998,{},no_answer,user-missing in the file: Skipped", "ANSATTE,9991,{},no_answer,user-missing in the file"}  # fmt: skip
    draft_barometer(tmp_path / "new", path)
    (drafted,) = (tmp_path / "new/schemas/instruments").glob("*.csv")
    assert {row.format("ansatte") for row in rows} <= set(drafted.read_text().splitlines())
    draft_wave(barometer, load_catalogue(barometer), "dk-2024", path)
    new = (barometer / "schemas/instruments/dk-2024.csv").read_text().splitlines()
    assert {row.format("staff") for row in rows} <= set(new)
    assert "Q2,8,novelty,no_answer,user-missing in the file: Skipped" in new
