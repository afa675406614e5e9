"""The same answers read as the same texts from every format, in every encoding; nothing is lost on the way."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pyreadstat
import pytest
import xlsxwriter
from typer.testing import CliRunner

from pipeline.catalogue import Source, Wave, load_catalogue
from pipeline.cli.app import app
from pipeline.problems import ProblemError
from pipeline.sources import number_of, numbers, read_raw, shown
from pipeline.sources.shown import listed
from pipeline.steps.waves import harmonised_wave, raw_wave
from tests.barometers import edit, pin

DAYS = [date(2020, 1, 2), date(1999, 12, 31), date(2020, 2, 29)]
MOMENTS = [datetime.fromisoformat(f"2020-01-02T{time}") for time in ("10:30:00", "00:00:00", "23:59:59")]


def read(path: Path, **options: Any) -> dict[str, list[str]]:
    found = read_raw(path, replace(Source("microdata", path.name, ""), **options))
    return {str(name): list(cells) for name, cells in found.frame.items()}


def workbook(path: Path, rows: list[list[object]], formats: dict[str, str] | None = None) -> Path:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in rows:
        sheet.append(row)
    for cell, number_format in (formats or {}).items():
        sheet[cell].number_format = number_format
    book.save(path)
    return path


# ── one meaning in every format ──────────────────────────────────────────────

ALIKE = {
    "id": ["0007", "0042", "1200"],
    "day": ["2020-01-02", "1999-12-31", "2020-02-29"],
    "moment": ["2020-01-02T10:30:00", "2020-01-02T00:00:00", "2020-01-02T23:59:59"],
    "yes": ["true", "false", "true"],
    "n": ["1", "2.5", ""],
}
FRAME = pd.DataFrame({"day": DAYS, "moment": MOMENTS, "n": [1.0, 2.5, None]})


def in_csv(path: Path) -> None:
    frame = FRAME.assign(id=["0007", "0042", "1200"], yes=["TRUE", "FALSE", "TRUE"])
    frame.assign(n=["1", "2.5", ""]).to_csv(path, index=False)


def in_xlsx(path: Path) -> None:
    rows = [["day", "moment", "n", "id", "yes"]]
    numbered = zip(DAYS, MOMENTS, (1, 2.5, None), (7, 42, 1200), (True, False, True), strict=True)
    workbook(path, [*rows, *map(list, numbered)], {f"D{row}": "0000" for row in (2, 3, 4)})


def in_sav(path: Path) -> None:
    frame = FRAME.assign(id=[7, 42, 1200], yes=["true", "false", "true"])
    pyreadstat.write_sav(frame, path, variable_format={"id": "N4"})


def in_dta(path: Path) -> None:
    frame = FRAME.assign(id=[7, 42, 1200], yes=["True", "False", "True"])
    pyreadstat.write_dta(frame, path, variable_format={"id": "%04.0f"})


def in_parquet(path: Path) -> None:
    frame = FRAME.assign(id=["0007", "0042", "1200"], yes=[True, False, True])
    frame.assign(day=pd.to_datetime(frame["day"])).to_parquet(path)


CLOCKS = ["07:30:00", "00:00:00", "23:59:59", "", "25:00:01"]
SECONDS = [27000.0, 0.0, 86399.0, None, 90001.0]


def clocks_in(path: Path, written: str = "") -> None:
    """The same times and durations, in the form that each format has for them."""
    frame = pd.DataFrame({"t": SECONDS})
    match path.suffix:
        case ".csv":
            path.write_text("id,t\n1,7:30:00\n2,0:00:00\n3,23:59:59\n4,\n5,25:00:01\n")
        case ".xlsx":
            cells = [None if each is None else timedelta(seconds=each) for each in SECONDS]
            rows = zip(range(5), cells, strict=True)
            workbook(path, [["id", "t"], *map(list, rows)], {f"B{row}": "[h]:mm:ss" for row in range(2, 7)})
        case ".sav":
            pyreadstat.write_sav(frame, path, variable_format={"t": written})
        case ".xpt":
            pyreadstat.write_xport(frame, path, variable_format={"t": written})
        case ".parquet":
            pd.DataFrame({"t": pd.to_timedelta(pd.Series(SECONDS), unit="s")}).to_parquet(path)


@pytest.mark.parametrize(
    ("file", "written"),
    [
        ("raw.csv", ""),
        ("raw.xlsx", ""),
        ("raw.parquet", ""),
        *(
            (f"raw{number}.sav", form)
            for number, form in enumerate(("TIME8", "TIME5", "DTIME12", "MTIME8.2"))
        ),
        *((f"raw{number}.xpt", form) for number, form in enumerate(("TIME8.", "HHMM5.", "E8601TM8."))),
    ],
)
def test_times_and_durations_are_alike_in_every_format(file: str, written: str, tmp_path: Path) -> None:
    clocks_in(tmp_path / file, written)
    assert read(tmp_path / file)["t"] == CLOCKS


def test_the_time_of_a_moment_is_what_is_shown_of_it(tmp_path: Path) -> None:
    moments = pd.DataFrame({"t": [27_000_000.0, 1_893_519_000_000.0], "d": [27_000_000.0, 86_400_000.0]})
    pyreadstat.write_dta(
        moments, tmp_path / "raw.dta", variable_format={"t": "%tcHH:MM:SS", "d": "%tcDD_Mon_CCYY_HH:MM"}
    )
    found = read(tmp_path / "raw.dta")
    assert found["t"] == ["07:30:00", "17:30:00"]
    assert found["d"] == ["1960-01-01T07:30:00", "1960-01-02T00:00:00"]


def test_a_time_stored_with_an_error_is_the_one_that_was_meant(tmp_path: Path) -> None:
    rows = [["t"], [time(7, 30)], [time(12, 0, 30, 250_000)]]
    assert read(workbook(tmp_path / "raw.xlsx", rows))["t"] == ["07:30:00", "12:00:30.25"]
    pyreadstat.write_sav(
        pd.DataFrame({"t": [26999.9999999, 12.35]}), tmp_path / "raw.sav", variable_format={"t": "TIME11.2"}
    )
    assert read(tmp_path / "raw.sav")["t"] == ["07:30:00", "00:00:12.35"]


def test_codes_of_times_have_their_labels_and_are_missing(tmp_path: Path) -> None:
    path = tmp_path / "raw.sav"
    pyreadstat.write_sav(
        pd.DataFrame({"t": [27000.0, 359999.0, 3600.0]}),
        path,
        variable_format={"t": "TIME8"},
        variable_value_labels={"t": {3600.0: "At one"}},
        missing_ranges={"t": [{"lo": 350000, "hi": 360000}]},
    )
    table = read_raw(path, Source("microdata", path.name, ""))
    assert table.metadata.value_labels == {"t": {"01:00:00": "At one"}}
    missing = table.metadata.missing["t"]
    assert [missing.holds(text) for text in table.frame["t"]] == [False, True, False]


@pytest.mark.parametrize("decimal", [".", ","])
def test_a_duration_is_a_number_of_seconds(decimal: str, wave: Wave) -> None:
    declared = replace(wave, source=replace(wave.source, decimal=decimal))
    texts = pd.Series(["07:30:00", "00:00:12.5", "-00:01:00", "", "100:00:00"], dtype="str")
    found = numbers(texts, "t", declared)
    assert found.tolist()[:3] == [27000.0, 12.5, -60.0] and found[4] == 360000.0
    assert number_of("00:10:00", declared.source) == 600.0 and number_of("1:10", declared.source) is None


@pytest.mark.parametrize("write", [in_csv, in_xlsx, in_sav, in_dta, in_parquet])
def test_days_moments_truth_values_and_leading_zeros(write: Callable[[Path], None], tmp_path: Path) -> None:
    path = tmp_path / f"raw.{write.__name__.removeprefix('in_')}"
    write(path)
    found = read(path)
    assert {name: found[name] for name in ALIKE} == ALIKE


def test_codes_with_leading_zeros_have_their_labels(tmp_path: Path) -> None:
    frame = pd.DataFrame({"municipality": [301.0, 9999.0]})
    path = tmp_path / "raw.sav"
    pyreadstat.write_sav(
        frame,
        path,
        variable_format={"municipality": "N5"},
        variable_value_labels={"municipality": {301: "Oslo"}},
        missing_ranges={"municipality": [9999]},
    )
    table = read_raw(path, Source("microdata", path.name, ""))
    assert list(table.frame["municipality"]) == ["00301", "09999"]
    assert table.metadata.value_labels == {"municipality": {"00301": "Oslo"}}
    assert table.metadata.missing["municipality"].holds("09999")


def test_a_column_with_more_than_truth_values_keeps_its_codes(tmp_path: Path) -> None:
    (tmp_path / "raw.csv").write_text("id,q\n1,TRUE\n2,Unsure\n")
    assert read(tmp_path / "raw.csv")["q"] == ["TRUE", "Unsure"]
    assert read(tmp_path / "raw.csv", missing=("Unsure",))["q"] == ["true", ""]


# ── Excel ────────────────────────────────────────────────────────────────────


def test_error_cells_are_no_blanks(tmp_path: Path) -> None:
    path = workbook(
        tmp_path / "raw.xlsx", [["id", "q"], [1, "#N/A"], [2, "#DIV/0!"], [3, None], [4, "#REF!"]]
    )
    assert read(path)["q"] == ["#N/A", "#DIV/0!", "", "#REF!"]
    assert read(path, missing=("#N/A", "#REF!"))["q"] == ["", "#DIV/0!", "", ""]


@pytest.mark.parametrize(
    ("stored", "number_format", "text"),
    [
        (0.74, "0%", "74"),
        (0.071, "0.0%", "7.1"),
        (1.2, "0%", "120"),
        (-0.05, "0.00%;[Red]-0.00%", "-5"),
        (1, "0 %", "100"),
        (74, '0"%"', "74"),
        (74, r"0\%", "74"),
        (0.74, "General", "0.74"),
        (7, "0000", "0007"),
        (0.5, "00", "0.5"),
        (-7, "000", "-7"),
        (7, "0", "7"),
    ],
)
def test_a_cell_says_what_its_format_shows(
    stored: float, number_format: str, text: str, tmp_path: Path
) -> None:
    path = workbook(tmp_path / "raw.xlsx", [["q"], [stored]], {"A2": number_format})
    assert read(path)["q"] == [text]


def test_figures_in_per_cent_cells_are_per_cents(barometer: Path) -> None:
    raw = barometer / "warehouse/raw"
    figures = pd.read_csv(raw / "no-2020.csv", keep_default_na=False)
    rows = [list(figures.columns), *figures.assign(value=figures["value"] / 100).values.tolist()]
    workbook(raw / "no-2020.xlsx", rows, {f"E{row}": "0%" for row in (2, 3, 4)})
    edit(barometer / "schemas/waves/no-2020.toml", "no-2020.csv", "no-2020.xlsx")
    pin(barometer, "no-2020")
    catalogue = load_catalogue(barometer)
    raw_wave("no-2020", catalogue)
    harmonised_wave("no-2020", catalogue)
    found = pd.read_parquet(barometer / "warehouse/harmonised/no-2020/figures.parquet")
    assert found["value"].tolist() == [74.0, 71.0, 10.0]


def as_workbook_with_errors(barometer: Path, missing: str) -> Any:
    raw = barometer / "warehouse/raw"
    table = pd.read_csv(raw / "dk-2020.csv", sep=";", dtype="str", keep_default_na=False)
    table.loc[:3, "Q1_1"] = "#N/A"
    workbook(raw / "dk-2020.xlsx", [list(table.columns), *table.values.tolist()])
    edit(barometer / "schemas/waves/dk-2020.toml", "dk-2020.csv", "dk-2020.xlsx")
    edit(barometer / "schemas/waves/dk-2020.toml", 'delimiter = ";"\n', f"missing = [{missing}]\n")
    pin(barometer, "dk-2020")
    return CliRunner().invoke(app, ["--project", str(barometer), "run", "--wave", "dk-2020"])


def test_a_wave_with_error_cells_stops_until_it_says_what_they_mean(barometer: Path) -> None:
    done = as_workbook_with_errors(barometer, "")
    assert done.exit_code == 1 and "#N/A" in done.stderr and "Q1_1" in done.stderr


def test_formulas_that_nobody_computed_are_no_blanks(tmp_path: Path) -> None:
    """openpyxl writes formulas without their values, as do many programs; XlsxWriter writes what it is given."""
    path = workbook(tmp_path / "raw.xlsx", [["id", "q"], [1, "=A2*2"], [2, 3], [3, "=A4+1"]])
    with pytest.raises(ProblemError, match="cell B2: holds a formula without a value, as do 1 more"):
        read(path)
    with xlsxwriter.Workbook(tmp_path / "plain.xlsx") as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["id", "q", "t"])
        sheet.write_formula(1, 0, "=1+1", None, 2)
        sheet.write_formula(1, 1, "=0.5*1", book.add_format({"num_format": "0%"}), 0.5)
        sheet.write_formula(1, 2, '=""', None, "")
    with (
        zipfile.ZipFile(tmp_path / "plain.xlsx") as plain,
        zipfile.ZipFile(tmp_path / "computed.xlsx", "w") as made,
    ):
        for name in plain.namelist():  # Excel says of a formula that its empty result is a text
            made.writestr(name, plain.read(name).replace(b'<c r="C2">', b'<c r="C2" t="str">'))
    assert read(tmp_path / "computed.xlsx") == {"id": ["2"], "q": ["50"], "t": [""]}


def test_columns_without_a_name_are_kept_by_their_place_where_they_say_something(tmp_path: Path) -> None:
    path = workbook(tmp_path / "raw.xlsx", [["id", None, None], [1, None, "x"]])
    assert read(path) == {"id": ["1"], "column_3": ["x"]}


# ── encodings ────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", ["raw.dta", "raw.sav"])
@pytest.mark.parametrize("encoding", ["utf-8", "cp1252"])
def test_old_files_are_read_in_the_encoding_that_they_are_in(
    name: str, encoding: str, tmp_path: Path
) -> None:
    """Stata 13 names no encoding, and this SPSS file cp1252; both may hold UTF-8 all the same."""
    frame, path = pd.DataFrame({"r": ["Nörd", "größer"], "q": [1.0, 2.0]}), tmp_path / name
    said: dict[str, Any] = {"column_labels": {"r": "Où ?"}, "variable_value_labels": {"q": {1: "Jä, äh"}}}
    if name.endswith("dta"):
        pyreadstat.write_dta(frame, path, version=13, **said)
    else:
        pyreadstat.write_sav(frame, path, **said)
    content = path.read_bytes()
    declared = b"\x07\0\0\0\x14\0\0\0\x01\0\0\0\x05\0\0\0UTF-8"
    content = content.replace(declared, declared[:12] + b"\x0c\0\0\0windows-1252")
    if encoding == "cp1252":  # as many bytes as before: the file's own counts stay true
        for text in ("ö", "ß", "ä", "ù"):
            content = content.replace(text.encode(), text.encode("cp1252").ljust(len(text.encode()), b"_"))
    path.write_bytes(content)
    table = read_raw(path, Source("microdata", name, ""))
    texts = [*table.frame["r"], table.metadata.labels["r"], table.metadata.value_labels["q"]["1"]]
    assert [text.replace("_", "") for text in texts] == ["Nörd", "größer", "Où ?", "Jä, äh"]


# ── numbers, and what a message shows ────────────────────────────────────────


@pytest.fixture
def wave(barometer: Path) -> Wave:
    wave = load_catalogue(barometer).waves["dk-2020"]
    return replace(wave, source=replace(wave.source, decimal="."))


@pytest.mark.parametrize("text", ["1e308", "-1e30", "1e-320", "5e-16", "1e16"])
def test_extreme_numbers_are_counted_and_refused(text: str, wave: Wave) -> None:
    with pytest.raises(ProblemError) as raised:
        numbers(pd.Series(["1", text, "0", "", text, "1e15", "1e-15"], dtype="str"), "weight", wave)
    (problem,) = raised.value.problems
    assert problem.key == "column weight"
    assert (
        problem.message.startswith("2 rows are beyond") and problem.value == text and problem.wave == wave.key
    )


def test_what_is_no_number_and_what_is_extreme_are_told_together(wave: Wave) -> None:
    with pytest.raises(ProblemError) as raised:
        numbers(pd.Series(["inf", "1e300", "many"], dtype="str"), "weight", wave)
    assert [problem.message[:6] for problem in raised.value.problems] == ["2 rows", "1 row "]


@pytest.mark.parametrize(
    ("text", "rows", "expected"),
    [
        ("9", 1, "9"),
        ("Oslo", 1, "Oslo"),
        ("Ole Olsen", 1, None),
        ("Ole Olsen", 4, None),
        ("Vet ikke", 5, "Vet ikke"),
        ("x" * 12, 1, "x" * 12),
        ("x" * 13, 1, None),
        ("x" * 13, 5, "x" * 13),
        ("x" * 61, 500, None),
        ("a\x1b[2Jb", 1, "a\\x1b[2Jb"),
    ],
)
def test_codes_are_shown_and_texts_are_not(text: str, rows: int, expected: str | None) -> None:
    assert shown(text, rows) == expected


def test_texts_of_respondents_are_counted_with_the_first_row() -> None:
    cells = pd.Series(["x", "My boss is Ole", "No, she is Kari", "x", "y"], index=[1, 6, 8, 9, 12])
    assert listed(cells) == "x, y, 2 texts, first in row 7 of the wave's"
    assert listed(pd.Series(list("abcdefg"))) == "a, b, c, d, e, 2 more"


def test_a_free_text_where_a_number_belongs_stays_out_of_the_message(wave: Wave) -> None:
    column = pd.Series(["3", "about thirty, ask Kari", "n.a."], dtype="str")
    with pytest.raises(ProblemError) as raised:
        numbers(column, "staff", wave)
    assert "Kari" not in str(raised.value)
    assert "n.a., 1 text, first in row 2" in str(raised.value)
