"""A new wave's declarations are drafted from its raw file: guesses marked, nothing overwritten, no
microdata.
"""

from __future__ import annotations

import csv
import hashlib
import tomllib
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pyreadstat
import pytest

from pipeline.catalogue import load_catalogue
from pipeline.drafting import draft_wave
from pipeline.drafting.sniff import sniff
from pipeline.problems import ProblemError
from pipeline.sources import read_raw

UNITS = 40


@pytest.fixture
def survey(tmp_path: Path) -> Path:
    """An SPSS file of a country that the barometer does not have yet."""
    numbers = range(UNITS)
    frame = pd.DataFrame(
        {
            "resp": [880_000 + number for number in numbers],
            "bransch": [1 + number % 2 for number in numbers],
            "q1a": [(1, 2, 9, 1)[number % 4] for number in numbers],
            "q2": [1 + number % 2 for number in numbers],
            "v1": [1 if number % 2 else None for number in numbers],
            "emp": [number * 3.5 for number in numbers],
            "text": [f"comment {number % 25}" for number in numbers],
            "extra": [1 + number % 3 for number in numbers],
        }
    )
    labels = {
        "bransch": "Sektor",
        "q1a": "Has your workplace introduced - New products",
        "q2": "The newest one was",
        "v1": "Value: Quality",
        "emp": "How many people work here?",
    }
    values = {
        "bransch": {1: "Care sector", 2: "Schools", 3: "Unheard of"},
        "q1a": {1: "Yes", 2: "No", 9: "Don't know"},
        "q2": {1: "The first", 2: "Copied from others"},
    }
    path = tmp_path / "se.sav"
    pyreadstat.write_sav(frame, path, column_labels=labels, variable_value_labels=values)
    return path


def drafted(root: Path, wave: str, file: Path, **options: Any) -> list[str]:
    written = draft_wave(root, load_catalogue(root), wave, file, **options)
    return [path.relative_to(root).as_posix() for path in written]


def crosswalk(root: Path, instrument: str) -> list[list[str]]:
    text = (root / f"schemas/instruments/{instrument}.csv").read_text(encoding="utf-8")
    return list(csv.reader(text.splitlines()))[1:]


def test_a_draft_is_a_wave_file_an_instrument_and_the_raw_file(barometer: Path, survey: Path) -> None:
    assert drafted(barometer, "se-2021", survey) == [
        "schemas/waves/se-2021.toml",
        "schemas/instruments/se-2021.toml",
        "schemas/instruments/se-2021.csv",
        "warehouse/raw/se.sav",
    ]
    wave = tomllib.loads((barometer / "schemas/waves/se-2021.toml").read_text(encoding="utf-8"))
    assert (wave["country"], wave["survey"], wave["edition"]) == ("SE", "se", "2021")
    assert wave["source"]["sha256"] == hashlib.sha256(survey.read_bytes()).hexdigest()
    assert wave["source"]["bytes"] == survey.stat().st_size
    assert wave["design"]["id"] == "resp"
    assert wave["response"]["respondents"] == UNITS
    assert (barometer / "warehouse/raw/se.sav").read_bytes() == survey.read_bytes()


def test_variables_and_codes_are_guessed_from_labels_and_translations(barometer: Path, survey: Path) -> None:
    drafted(barometer, "se-2021", survey)
    mapped = {(row[0], row[1]): (row[2], row[3]) for row in crosswalk(barometer, "se-2021")}
    assert mapped["bransch", "1"] == ("sector", "care")
    assert mapped["bransch", "2"] == ("sector", "school")
    assert mapped["q1a", "9"] == ("introduced.product", "dont_know")
    assert mapped["q2", "2"] == ("novelty", "copied")
    assert mapped["v1", "1"] == ("value.quality", "selected")
    assert mapped["v1", ""] == ("value.quality", "not_selected")
    assert mapped["emp", "*"] == ("staff", "=")


def test_every_guess_is_marked_and_everything_else_is_to_be_mapped(barometer: Path, survey: Path) -> None:
    drafted(barometer, "se-2021", survey)
    rows = crosswalk(barometer, "se-2021")
    assert all(row[4].startswith("guess" if row[3] else "TODO") for row in rows)
    assert ["bransch", "3", "sector", "", "TODO: Sektor = Unheard of"] in rows
    assert [row[:4] for row in rows if row[0] == "extra"] == [["extra", code, "", ""] for code in "123"]


def test_check_names_what_the_draft_leaves_open(barometer: Path, survey: Path) -> None:
    drafted(barometer, "se-2021", survey)
    problems = load_catalogue(barometer).problems
    assert {
        problem.message: problem.value
        for problem in problems
        if problem.message.endswith("is not mapped to the codebook")
    } == {
        "column bransch is not mapped to the codebook": "3",
        "column extra is not mapped to the codebook": "1, 2, 3",
    }
    assert "reference_period.start" in {problem.key for problem in problems}


def test_no_identifier_text_or_number_is_written(barometer: Path, survey: Path) -> None:
    drafted(barometer, "se-2021", survey)
    written = "".join(
        path.read_text(encoding="utf-8") for path in (barometer / "schemas/instruments").glob("se-2021.*")
    )
    assert "8800" not in written
    assert "comment" not in written
    assert {row[1] for row in crosswalk(barometer, "se-2021") if row[0] in ("resp", "text", "emp")} == {"*"}


def test_a_small_file_does_not_show_its_ids_as_codes(barometer: Path, tmp_path: Path) -> None:
    path = tmp_path / "small.csv"
    path.write_text("who,also,q\nanna,x1,1\nbirk,x2,1\ncleo,x2,2\ndina,x3,2\n", encoding="utf-8")
    drafted(barometer, "se-2021", path)
    assert [row[:2] for row in crosswalk(barometer, "se-2021")] == [
        ["who", "*"],
        ["also", "*"],
        ["q", "1"],
        ["q", "2"],
    ]


def test_a_survey_s_next_wave_is_mapped_as_its_last_one(barometer: Path, tmp_path: Path) -> None:
    text = (barometer / "warehouse/raw/dk-2022.csv").read_text(encoding="utf-8")
    path = tmp_path / "dk-2024.csv"
    path.write_text(text.replace(";Q2;", ";Q2_new;").replace(";N;", ";X;"), encoding="utf-8")
    drafted(barometer, "dk-2024", path)
    rows = crosswalk(barometer, "dk-2024")
    assert ["SEKTOR", "1", "sector", "care", "guess 0.90: as in dk"] in rows
    assert ["REG", "X", "region", "", "TODO"] in rows
    assert ["REG", "S", "region", "south", "guess 0.90: as in dk"] in rows
    assert ["ANSATTE", "999", "staff", "no_answer", "guess 0.90: as in dk"] in rows
    assert {row[2] for row in rows if row[0] == "Q2_new"} == {""}


def test_a_known_questionnaire_is_left_as_it_is(barometer: Path, tmp_path: Path) -> None:
    path = tmp_path / "dk-2024.csv"
    path.write_bytes((barometer / "warehouse/raw/dk-2022.csv").read_bytes() + b"0081;1;N;1;1;1;1;;5\n")
    assert drafted(barometer, "dk-2024", path, instrument="dk") == [
        "schemas/waves/dk-2024.toml",
        "warehouse/raw/dk-2024.csv",
    ]


def test_a_barometer_without_instruments_can_take_its_first_wave(barometer: Path, survey: Path) -> None:
    for path in [*(barometer / "schemas/waves").iterdir(), *(barometer / "schemas/instruments").iterdir()]:
        path.unlink()
    drafted(barometer, "se-2021-synthetic", survey)
    wave = load_catalogue(barometer).waves["se-2021-synthetic"]
    assert (wave.survey, wave.edition, wave.status) == ("se", "2021", "synthetic")


def test_nothing_is_overwritten(barometer: Path, survey: Path) -> None:
    before = {path: path.read_bytes() for path in barometer.rglob("*") if path.is_file()}
    (barometer / "warehouse/raw/se.sav").write_bytes(b"another file")
    (barometer / "schemas/instruments/se-2021.csv").write_text("mine", encoding="utf-8")
    for wave, said in (
        ("dk-2020", "exists already"),
        ("se-2021", "with other content"),
        ("SE 2021", "ID: is not a valid name"),
    ):
        with pytest.raises(ProblemError, match=said):
            drafted(barometer, wave, survey)
    assert all(path.read_bytes() == content for path, content in before.items())
    assert not (barometer / "schemas/waves/se-2021.toml").exists()


def test_a_missing_file_is_a_problem(barometer: Path, tmp_path: Path) -> None:
    with pytest.raises(ProblemError, match="does not exist"):
        drafted(barometer, "se-2021", tmp_path / "gone.csv")


def test_the_same_file_gives_the_same_draft(barometer: Path, survey: Path) -> None:
    texts = []
    for _ in range(2):
        written = draft_wave(barometer, load_catalogue(barometer), "se-2021", survey)
        texts.append([path.read_bytes() for path in written])
        for path in written:
            path.unlink()
    assert texts[0] == texts[1]


# ── how to read a file ───────────────────────────────────────────────────────

LINES = "ID;Navn;Vekt\r\n1;Tromsø;0,5\r\n2;Bodø, by;1,25\r\n"


@pytest.mark.parametrize(
    ("written", "read"),
    [("cp1252", "cp1252"), ("utf-8", "utf-8"), ("utf-8-sig", "utf-8"), ("utf-16", "utf-16")],
)
def test_encoding_delimiter_and_decimal_mark_are_found(tmp_path: Path, written: str, read: str) -> None:
    path = tmp_path / "raw.csv"
    path.write_bytes(LINES.encode(written))
    source = sniff(path)
    assert (source.encoding, source.delimiter, source.decimal, source.header_rows) == (read, ";", ",", 1)
    assert list(read_raw(path, source).frame["Navn"]) == ["Tromsø", "Bodø, by"]


def test_the_data_sheet_and_its_two_header_rows_are_found(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.append(["About this file"])
    data = book.create_sheet("Svar")
    for row in (["ID", "Q1", None], [None, "a", "b"], [1, 2, 3], [2, 1, 3]):
        data.append(row)
    book.save(tmp_path / "raw.xlsx")
    source = sniff(tmp_path / "raw.xlsx")
    assert (source.sheet, source.header_rows) == ("Svar", 2)
    assert list(read_raw(tmp_path / "raw.xlsx", source).frame.columns) == ["ID", "Q1.a", "Q1.b"]


def test_an_official_file_of_390_columns_is_drafted(barometer: Path, shared: Path) -> None:
    drafted(barometer, "uy-2021", shared / "data/eaii_uy/eaii_2019-2021.csv")
    source = load_catalogue(barometer).waves["uy-2021"].source
    assert (source.encoding, source.delimiter, source.decimal) == ("utf-8", ";", ",")
    assert ["ID_Estadistico", "*", "", "ignore", "guess: identifies the unit"] in crosswalk(
        barometer, "uy-2021"
    )
