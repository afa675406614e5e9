"""What a raw file says of its columns is read, kept with the wave, and handed on."""

from __future__ import annotations

import math
import struct
from pathlib import Path

import pandas as pd
import pyreadstat
import pytest

from pipeline.catalogue import Source, load_catalogue
from pipeline.sources import FileMetadata, Missing, MultipleSet, RawTable, read_raw
from pipeline.steps import harmonised_wave as harmonising
from pipeline.steps.waves import harmonised_wave, raw_wave
from tests.barometers import edit, pin

SAV_END = struct.pack("<ii", 999, 0)  # of the dictionary
MULTIPLE_SETS = 7


def read(path: Path) -> RawTable:
    return read_raw(path, Source("microdata", path.name, ""))


def with_sets(path: Path, declared: str) -> None:
    """Puts SPSS multiple-response sets into a file, as SPSS writes them: pyreadstat cannot."""
    content, text = path.read_bytes(), declared.encode()
    record = struct.pack("<iiii", 7, MULTIPLE_SETS, 1, len(text)) + text
    path.write_bytes(content.replace(SAV_END, record + SAV_END, 1))


@pytest.fixture
def spss(tmp_path: Path) -> Path:
    frame = pd.DataFrame(
        {
            "q": [1.0, 2.0, 9.0],
            "staff": [12.0, 9998.0, -3.0],
            "name": ["a", "zz", "b"],
            "m1": [1.0, 0.0, 1.0],
            "m2": [0.0, 0.0, 1.0],
            "first": [1.0, 2.0, 3.0],
        }
    )
    path = tmp_path / "raw.sav"
    pyreadstat.write_sav(
        frame,
        path,
        column_labels={"q": " Have you ...? "},
        variable_value_labels={"q": {1: "Yes", 2: "No", 9: "Refused"}, "staff": {9998: "Refused"}},
        missing_ranges={
            "q": [9],
            "staff": [{"lo": 9990, "hi": 9999}, {"lo": -3, "hi": -3}],
            "m1": [{"lo": -math.inf, "hi": -1}],
            "name": ["zz"],
        },
    )
    with_sets(path, "$used=D1 1 15 What do you use m1 m2\n$named=C 5 Named first q\n")
    return path


def test_spss_says_labels_missing_codes_ranges_and_sets(spss: Path) -> None:
    found = read(spss).metadata
    assert found.labels == {"q": "Have you ...?"}
    assert found.value_labels == {"q": {"1": "Yes", "2": "No", "9": "Refused"}, "staff": {"9998": "Refused"}}
    assert found.missing == {
        "q": Missing(("9",)),
        "staff": Missing(("-3",), ((9990.0, 9999.0),)),
        "m1": Missing((), ((-math.inf, -1.0),)),
        "name": Missing(("zz",)),
    }
    assert found.sets == {
        "used": MultipleSet("What do you use", ("m1", "m2"), "1"),
        "named": MultipleSet("Named", ("first", "q")),
    }


@pytest.mark.parametrize(
    ("text", "held"),
    [("-3", True), ("9990", True), ("9998.5", True), ("9999", True), ("10000", False), ("", False), ("x", False), ("nan", False)],
)  # fmt: skip
def test_a_missing_code_is_one_of_the_codes_or_within_a_range(text: str, held: bool) -> None:
    assert Missing(("-3",), ((9990.0, 9999.0),)).holds(text) is held


def test_an_open_range_has_no_end() -> None:
    assert Missing((), ((-math.inf, -1.0),)).holds("-1e12")
    assert not Missing((), ((-math.inf, -1.0),)).holds("0")


def test_the_letters_of_stata_are_missing(tmp_path: Path) -> None:
    frame = pd.DataFrame({"x": pd.Series([1.0, "a", "z", 2.0], dtype=object), "y": [1.0, 2.0, 3.0, 4.0]})
    path = tmp_path / "raw.dta"
    pyreadstat.write_dta(
        frame,
        path,
        column_labels={"y": "Why"},
        missing_user_values={"x": ["a", "z"]},
        variable_value_labels={"y": {1: "One"}},
    )
    table = read(path)
    assert list(table.frame["x"]) == ["1", ".a", ".z", "2"]
    assert table.metadata.missing == {"x": Missing((".a", ".z"))}
    assert table.metadata.labels == {"y": "Why"}
    assert table.metadata.value_labels == {"y": {"1": "One"}}


def test_sas_transport_files_are_read_with_labels_and_dates(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {"id": ["001", "002"], "w": [0.5, 2.0], "day": pd.to_datetime(["2020-01-02", "2021-12-31"]).date}
    )
    pyreadstat.write_xport(frame, tmp_path / "raw.xpt", column_labels=["Number", "Weight", "Day"])
    table = read(tmp_path / "raw.xpt")
    assert table.frame.to_dict("list") == {
        "id": ["001", "002"],
        "w": ["0.5", "2"],
        "day": ["2020-01-02", "2021-12-31"],
    }
    assert table.metadata.labels == {"id": "Number", "w": "Weight", "day": "Day"}


def test_metadata_survives_being_written(spss: Path, tmp_path: Path) -> None:
    found = read(spss).metadata
    found.write(tmp_path / "raw.json")
    assert FileMetadata.read(tmp_path / "raw.json") == found
    assert "Infinity" not in (tmp_path / "raw.json").read_text()


def test_a_text_file_says_nothing(tmp_path: Path) -> None:
    (tmp_path / "raw.csv").write_text("id,q\n1,2\n")
    assert read(tmp_path / "raw.csv").metadata == FileMetadata()


def test_a_wave_keeps_it_and_hands_it_to_harmonisation(
    barometer: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The small barometer's wave of 2020, delivered as an SPSS file."""
    frame = pd.read_csv(barometer / "warehouse/raw/dk-2020.csv", sep=";", decimal=",", dtype={"ID": "str"})
    pyreadstat.write_sav(
        frame,
        barometer / "warehouse/raw/dk-2020.sav",
        column_labels={"Q2": "The newest one"},
        missing_ranges={"ANSATTE": [999]},
    )
    wave = barometer / "schemas/waves/dk-2020.toml"
    edit(wave, '"dk-2020.csv"', '"dk-2020.sav"')
    edit(wave, 'delimiter = ";"\ndecimal = ","\n', "")
    pin(barometer, "dk-2020")
    catalogue = load_catalogue(barometer)
    handed: list[FileMetadata] = []
    harmonise = harmonising.harmonise

    def watched(raw, wave, catalogue, metadata):  # type: ignore[no-untyped-def]
        handed.append(metadata)
        return harmonise(raw, wave, catalogue, metadata)

    monkeypatch.setattr(harmonising, "harmonise", watched)
    raw_wave("dk-2020", catalogue)
    harmonised_wave("dk-2020", catalogue)
    kept = FileMetadata.read(barometer / "warehouse/ingested/dk-2020/raw.json")
    assert kept.labels == {"Q2": "The newest one"}
    assert kept.missing == {"ANSATTE": Missing(("999",))}
    assert handed == [kept]
