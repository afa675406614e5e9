"""A raw file is read as the same texts whatever its format."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pandas as pd
import pyreadstat
import pytest

from pipeline.catalogue import Source, Wave, load_catalogue
from pipeline.problems import ProblemError
from pipeline.sources import RawTable, numbers, read_raw


def read(path: Path, **options: Any) -> RawTable:
    return read_raw(path, replace(Source("microdata", path.name, ""), **options))


def written(folder: Path, content: bytes | str, name: str = "raw.csv", encoding: str = "utf-8") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
    return path


def problems(path: Path, **options: Any) -> str:
    with pytest.raises(ProblemError) as error:
        read(path, **options)
    return str(error.value)


# ── CSV ──────────────────────────────────────────────────────────────────────


def test_csv_in_any_encoding_reads_the_same(tmp_path: Path) -> None:
    text = "id;navn\r\n1;Tromsø\r\n2;Ærø\r\n"
    for encoding in ("utf-8", "utf-8-sig", "cp1252", "utf-16"):
        path = written(tmp_path, text, encoding=encoding)
        frame = read(path, encoding=encoding.removesuffix("-sig"), delimiter=";").frame
        assert frame.to_dict("list") == {"id": ["1", "2"], "navn": ["Tromsø", "Ærø"]}


def test_csv_keeps_quoted_newlines_and_delimiters_and_strips_blanks(tmp_path: Path) -> None:
    path = written(tmp_path, 'id,text\r\n1,"two\r\nlines, ""quoted"""\r\n2, 5" pipe \r\n3,\r\n')
    assert list(read(path).frame["text"]) == ['two\r\nlines, "quoted"', '5" pipe', ""]


def test_csv_codes_are_never_turned_into_numbers_or_missing(tmp_path: Path) -> None:
    path = written(tmp_path, "id,code\n1,007\n2,NA\n3,1.50\n4,null\n")
    assert list(read(path).frame["code"]) == ["007", "NA", "1.50", "null"]


def test_declared_missing_texts_become_blank(tmp_path: Path) -> None:
    path = written(tmp_path, "id,code\n1,#NULL!\n2,NA\n3,3\n")
    assert list(read(path, missing=("#NULL!", "NA")).frame["code"]) == ["", "", "3"]


def test_two_header_rows_are_joined_over_merged_cells(tmp_path: Path) -> None:
    path = written(tmp_path, "ID,Q1,,Q2,\n,a,b,a,b\n1,2,3,4,5\n")
    assert list(read(path, header_rows=2).frame.columns) == ["ID", "Q1.a", "Q1.b", "Q2.a", "Q2.b"]


def test_a_nameless_column_is_named_by_its_place_and_dropped_when_empty(tmp_path: Path) -> None:
    path = written(tmp_path, ",b,\n1,2,\n")
    assert list(read(path).frame.columns) == ["column_1", "b"]


def test_wrong_encoding_names_the_byte_its_line_and_what_to_set(tmp_path: Path) -> None:
    message = problems(written(tmp_path, "id,navn\n1,a\n2,Bodø\n", encoding="cp1252"))
    assert "source.encoding" in message
    assert "byte 0xF8 on line 3" in message
    assert "cp1252" in message


def test_unknown_encoding_and_utf16_without_mark_are_named(tmp_path: Path) -> None:
    path = written(tmp_path, "id,b\n1,2\n", encoding="utf-16-le")
    assert "is not a known encoding ('latin-99')" in problems(path, encoding="latin-99")
    assert "NUL" in problems(path)


def test_wrong_delimiter_names_the_likely_one(tmp_path: Path) -> None:
    message = problems(written(tmp_path, "id;a;b\n1;2,5;3\n"))
    assert "only one column was found" in message
    assert 'source.delimiter = ";"' in message


def test_ragged_rows_are_named_by_line_without_their_cells(tmp_path: Path) -> None:
    path = written(tmp_path, 'id,a,b\n1,"x\ny",2\n77,secret\n3,4,5,6\n')
    message = problems(path)
    assert "line 4: the row has 2 cells, the header 3" in message
    assert "line 5: the row has 4 cells, the header 3" in message
    assert "secret" not in message
    assert "77" not in message


def test_an_unclosed_quote_is_a_problem(tmp_path: Path) -> None:
    assert "a quote is not closed" in problems(written(tmp_path, 'id,a\n1,"open\n2,3\n'))


def test_missing_columns_are_all_named_with_those_that_there_are(tmp_path: Path) -> None:
    path = written(tmp_path, "id,a,b,b\n1,2,3,4\n")
    with pytest.raises(ProblemError) as error:
        read_raw(path, Source("microdata", "raw.csv", ""), ["id", "z", "b"])
    missing, repeated = map(str, error.value.problems)
    assert "column z: is not a column of the raw file. Names found in row 1: id, a, b (1), b (2)." in missing
    assert (
        "column b: occurs more than once in the header. Name the one that is meant: b (1), b (2)." in repeated
    )


def test_an_empty_file_and_an_unknown_format_are_problems(tmp_path: Path) -> None:
    assert "is empty" in problems(written(tmp_path, ""))
    assert "csv, xlsx, sav, dta, sas7bdat, xpt or parquet" in problems(written(tmp_path, "", name="raw.doc"))


def test_only_the_asked_columns_are_kept_in_file_order(tmp_path: Path) -> None:
    path = written(tmp_path, "id,a,b\n1,2,3\n")
    assert list(read_raw(path, Source("microdata", "raw.csv", ""), ["b", "id"]).frame.columns) == ["id", "b"]


# ── Excel, SPSS, Stata, Parquet ──────────────────────────────────────────────


@pytest.fixture
def workbook(tmp_path: Path) -> Path:
    book = openpyxl.Workbook()
    notes = book.active
    assert notes is not None
    notes.title = "Notes"
    notes.append(["Read me", "first"])
    data = book.create_sheet("Data")
    for row in (["ID", "Q1", None, "When"], [None, "a", "b", None], [1, 2.0, 0.25, date(2018, 5, 6)]):
        data.append(row)
    data.append(["0002", True, None, datetime.fromisoformat("2018-05-06T10:30")])
    data.append([None, None, None, None])
    data.merge_cells("B1:C1")
    book.save(tmp_path / "raw.xlsx")
    return tmp_path / "raw.xlsx"


def test_excel_reads_the_declared_sheet_with_merged_headers(workbook: Path) -> None:
    frame = read(workbook, sheet="Data", header_rows=2).frame
    assert frame.to_dict("list") == {
        "ID": ["1", "0002"],
        "Q1.a": ["2", "true"],
        "Q1.b": ["0.25", ""],
        "When": ["2018-05-06", "2018-05-06T10:30:00"],
    }


def test_a_missing_sheet_names_the_sheets_there_are(workbook: Path) -> None:
    message = problems(workbook, sheet="Svar")
    assert "source.sheet" in message
    assert "Notes, Data" in message


def test_a_file_that_is_not_its_format_is_a_problem(tmp_path: Path) -> None:
    for name in ("raw.xlsx", "raw.sav", "raw.dta", "raw.parquet"):
        assert "cannot be read as" in problems(written(tmp_path, b"not one of them", name=name))


@pytest.mark.parametrize("name", ["raw.sav", "raw.zsav"])
def test_spss_keeps_user_missing_codes_and_labels(tmp_path: Path, name: str) -> None:
    frame = pd.DataFrame({"id": ["a", "b", "c"], "q": [1.0, 9.0, np.nan], "w": [0.5, 2.0, 1.25]})
    pyreadstat.write_sav(
        frame,
        tmp_path / name,
        column_labels={"q": "Have you ...?"},
        variable_value_labels={"q": {1: "Yes", 9: "No answer"}},
        missing_ranges={"q": [9]},
        compress=name.endswith("zsav"),
    )
    table = read(tmp_path / name)
    assert table.frame.to_dict("list") == {
        "id": ["a", "b", "c"],
        "q": ["1", "9", ""],
        "w": ["0.5", "2", "1.25"],
    }
    assert table.metadata.labels == {"q": "Have you ...?"}
    assert table.metadata.value_labels == {"q": {"1": "Yes", "9": "No answer"}}


def test_parquet_reads_as_the_same_texts(tmp_path: Path) -> None:
    frame = pd.DataFrame({"id": [1, 2], "x": [0.1, None], "t": [" a ", None], "d": [date(2020, 1, 2), None]})
    frame["f"] = pd.Series([3.14, 2.0], dtype="float32")
    frame.to_parquet(tmp_path / "raw.parquet")
    expected = {
        "id": ["1", "2"],
        "x": ["0.1", ""],
        "t": ["a", ""],
        "d": ["2020-01-02", ""],
        "f": ["3.14", "2"],
    }
    assert read(tmp_path / "raw.parquet").frame.to_dict("list") == expected


def test_nested_parquet_columns_are_refused(tmp_path: Path) -> None:
    pd.DataFrame({"id": [1], "many": [[1, 2]]}).to_parquet(tmp_path / "raw.parquet")
    assert "column many: contains nested values" in problems(tmp_path / "raw.parquet")


def test_stata_tagged_missing_values_keep_their_letter(shared: Path) -> None:
    table = read(shared / "data/tricky/haven/tagged-na-double.dta")
    assert list(table.frame["x"]) == ["1", "2", "3", "4", "5", ".a", ".h", ".z"]
    assert table.metadata.value_labels["x"] == {".a": "apple", ".z": ".zebra"}


def test_every_letter_of_stata_missing_is_kept_and_system_missing_is_blank(shared: Path) -> None:
    frame = read(shared / "data/tricky/pyreadstat/missing_test.dta").frame
    assert list(frame.iloc[0]) == [".a", ".b", ".c", ".x", ".y", ".z", "", "", "1"]


def test_spss_missing_ranges_stay_codes(shared: Path) -> None:
    frame = read(shared / "data/tricky/pyreadstat/sample_missing.sav").frame
    assert list(frame["mynum"]) == ["1.1", "1.2", "-1000.3", "-1.4", "1000.3", "-1", "2500"]
    assert list(frame["myord"]) == ["1", "2", "3", "1", "1", "-1", "-3"]
    assert list(frame["mydate"])[:3] == ["2018-05-06", "1880-05-06", "1960-01-01"]


def test_the_same_spss_file_compressed_or_not_reads_the_same(shared: Path) -> None:
    folder = shared / "data/tricky/pyreadstat"
    pd.testing.assert_frame_equal(read(folder / "sample.sav").frame, read(folder / "sample.zsav").frame)


def test_dates_beyond_the_calendar_and_days_of_stata_are_read(shared: Path) -> None:
    folder = shared / "data/tricky/haven"
    assert list(read(folder / "datetime.sav").frame["date"]) == ["2014-09-22", "2014-09-23"]
    assert list(read(folder / "datetime-d.dta").frame["date"]) == ["2015-11-02"]
    assert list(read(folder / "types.dta").frame["vdatetime"]) == [
        "2015-12-01T03:14:15",
        "1960-01-01T00:00:00",
    ]


def test_umlauts_and_other_scripts_survive(shared: Path) -> None:
    assert read(shared / "data/tricky/haven/umlauts.sav").metadata.value_labels["var1"]["2"] == "the ü umlaut"
    assert list(read(shared / "data/tricky/pyreadstat/hebrews.sav").frame.columns) == ["ותק_ב"]


def test_every_tricky_file_reads_without_a_missing_value(shared: Path) -> None:
    files = sorted(path for path in (shared / "data/tricky").glob("*/*") if path.is_file())
    assert len(files) == 22
    for path in files:
        frame = read(path).frame
        assert len(frame) > 0
        assert not frame.isna().any().any()
        assert all(dtype == "str" for dtype in frame.dtypes)


def test_the_official_uruguayan_file_has_its_2408_firms(shared: Path) -> None:
    frame = read(shared / "data/eaii_uy/eaii_2019-2021.csv", delimiter=";").frame
    assert frame.shape == (2408, 390)
    assert frame["ID_Estadistico"].is_unique


# ── numbers ──────────────────────────────────────────────────────────────────


@pytest.fixture
def wave(barometer: Path) -> Wave:
    return load_catalogue(barometer).waves["dk-2020"]


def with_decimal(wave: Wave, decimal: str) -> Wave:
    return replace(wave, source=replace(wave.source, decimal=decimal))


def test_numbers_take_the_declared_decimal_mark(wave: Wave) -> None:
    column = pd.Series(["1,5", "", "-2", "1e3"], dtype="str")
    assert numbers(column, "vekt", with_decimal(wave, ",")).fillna(0).tolist() == [1.5, 0, -2, 1000]


@pytest.mark.parametrize(
    ("text", "decimal"), [("1,5", "."), ("1.234", ","), ("many", "."), ("nan", "."), ("inf", ".")]
)
def test_a_text_that_is_no_number_is_named_with_its_column(wave: Wave, text: str, decimal: str) -> None:
    column = pd.Series(["1", text, text, "other"], dtype="str")
    with pytest.raises(ProblemError) as error:
        numbers(column, "vekt", with_decimal(wave, decimal))
    assert "column vekt: 3 rows (2 distinct texts) are not a number" in str(error.value)
    assert text in str(error.value)
