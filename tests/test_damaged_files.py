"""A damaged or hostile raw file is a clear problem: nothing dies of it, and the next file is read."""

from __future__ import annotations

import io
import os
import random
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pyreadstat
import pytest
from typer.testing import CliRunner

from pipeline.catalogue import Source, load_catalogue
from pipeline.cli.app import app
from pipeline.drafting.draft import draft_wave
from pipeline.problems import ProblemError
from pipeline.sources import apart, bounds, read_raw
from tests.barometers import edit, pin

SHEET = "xl/worksheets/sheet1.xml"
MAIN = b"<worksheet xmlns='http://schemas.openxmlformats.org/spreadsheetml/2006/main'><sheetData>"
SAV_WIDTH = 180  # the byte of an SPSS file where its first column's width begins
SOURCE = Source("microdata", "raw.csv", "")
FRAME = pd.DataFrame({"id": range(1, 41), "q": [1.0, 2.0, 9.0, 2.0] * 10, "t": ["a", "b", "c", "d"] * 10})


def problem(path: Path, content: bytes | None = None) -> str:
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ProblemError) as raised:
        read_raw(path, Source("microdata", path.name, ""))
    assert len(raised.value.problems) == 1
    return str(raised.value)


def workbook(**cells: Any) -> bytes:
    book, made = openpyxl.Workbook(), io.BytesIO()
    sheet = book.active
    assert sheet is not None
    for name, value in {"A1": "id", "A2": 1, **cells}.items():
        sheet[name] = value
    book.save(made)
    return made.getvalue()


def with_sheet(xml: bytes) -> bytes:
    """A workbook whose sheet is written by hand."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(workbook())) as whole, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:  # fmt: skip
        for name in whole.namelist():
            archive.writestr(name, xml if name == SHEET else whole.read(name))
    return made.getvalue()


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """A small sound file of every format."""
    folder = tmp_path_factory.mktemp("sound")
    pyreadstat.write_sav(FRAME, folder / "a.sav", variable_value_labels={"q": {1.0: "Yes", 2.0: "No"}})
    pyreadstat.write_sav(FRAME, folder / "a.zsav", compress=True)
    pyreadstat.write_dta(FRAME, folder / "a.dta", variable_value_labels={"q": {1: "Yes"}})
    pyreadstat.write_xport(FRAME, folder / "a.xpt")
    FRAME.to_parquet(folder / "a.parquet")
    FRAME.to_csv(folder / "a.csv", index=False)
    FRAME.to_excel(folder / "a.xlsx", index=False)
    return {path.suffix[1:]: path.read_bytes() for path in folder.iterdir()}


# ── the reader's process ─────────────────────────────────────────────────────


def dies() -> None:
    os.kill(os.getpid(), signal.SIGSEGV)


def leaves() -> None:
    os._exit(3)


def sleeps() -> None:
    time.sleep(60)


def fails() -> None:
    raise KeyError("the text of a respondent")


def reader_of() -> int:
    return os.getpid()


def asks_for(share: float) -> int:
    """Asks for memory and does not use it."""
    total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return np.empty(int(total * share), dtype="uint8").size


def test_one_reader_does_the_work_outside() -> None:
    first = apart(SOURCE, reader_of)
    assert first != os.getpid() and apart(SOURCE, reader_of) == first


@pytest.mark.parametrize(("work", "how"), [(dies, "SIGSEGV"), (leaves, "exit 3")])
def test_a_reader_that_dies_is_told_and_replaced(work: Any, how: str) -> None:
    first = apart(SOURCE, reader_of)
    with pytest.raises(ProblemError, match=f"ends the program that reads it: {how}"):
        apart(SOURCE, work)
    assert apart(SOURCE, reader_of) != first


def test_a_reader_that_was_stopped_from_outside_is_replaced() -> None:
    first = apart(SOURCE, reader_of)
    os.kill(first, signal.SIGKILL)
    time.sleep(0.5)
    assert apart(SOURCE, reader_of) != first


def test_a_reader_that_stands_still_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    apart(SOURCE, reader_of)
    with monkeypatch.context() as patch:
        patch.setattr(bounds, "MOST_SECONDS", 0.2)
        with pytest.raises(ProblemError, match="was not read within"):
            apart(SOURCE, sleeps)
    assert apart(SOURCE, reader_of)


def test_what_a_library_says_is_not_passed_on() -> None:
    with pytest.raises(ProblemError, match="cannot be read") as raised:
        apart(SOURCE, fails)
    assert "KeyError" in str(raised.value) and "respondent" not in str(raised.value)


@pytest.mark.skipif(sys.platform != "linux", reason="no other system holds to it")
def test_memory_is_bounded_by_what_is_free() -> None:
    allowed = bounds.memory()
    assert allowed is not None and allowed >= bounds.LEAST_MEMORY
    assert apart(SOURCE, asks_for, 0.001) > 0
    with pytest.raises(ProblemError, match=r"needs more memory than a file may have here, [0-9.]+ GB"):
        apart(SOURCE, asks_for, 0.8)


@pytest.mark.skipif(sys.platform != "linux", reason="no other system holds to it")
def test_a_limit_on_the_whole_product_s_memory_is_kept_to(tmp_path: Path) -> None:
    """As ``ulimit -v`` sets it, or who runs jobs for others."""
    FRAME.to_csv(tmp_path / "raw.csv", index=False)
    read = "import resource, sys, pathlib; resource.setrlimit(resource.RLIMIT_AS, (1 << 33, 1 << 33))\n"
    read += "from pipeline.sources import read_raw; from pipeline.catalogue import Source\n"
    read += "print(len(read_raw(pathlib.Path('raw.csv'), Source('microdata', 'raw.csv', '')).frame))"
    done = subprocess.run([sys.executable, "-c", read], cwd=tmp_path, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("40\n", "")


# ── files ────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("kind", ["csv", "xlsx", "sav", "zsav", "dta", "xpt", "sas7bdat", "parquet"])
def test_an_empty_file_and_a_folder(kind: str, tmp_path: Path) -> None:
    assert "is empty" in problem(tmp_path / f"raw.{kind}", b"")
    (tmp_path / f"folder.{kind}").mkdir()
    assert "is not a file" in problem(tmp_path / f"folder.{kind}")


def test_files_without_a_row(tmp_path: Path) -> None:
    assert "has no rows below its header" in problem(tmp_path / "raw.csv", b"id,q\n")
    assert "has no rows below its header" in problem(
        tmp_path / "raw.xlsx", with_sheet(MAIN + b"</sheetData></worksheet>")
    )
    FRAME.head(0).to_parquet(tmp_path / "raw.parquet")
    assert "has no rows below its header" in problem(tmp_path / "raw.parquet")


@pytest.mark.parametrize("kind", ["xlsx", "sav", "zsav", "dta", "xpt", "parquet"])
def test_a_file_that_was_cut_short(kind: str, sound: dict[str, bytes], tmp_path: Path) -> None:
    whole = sound[kind]
    path = tmp_path / f"raw.{kind}"
    if kind == "xpt":  # has no end of its own: its rows go on as long as the file does
        assert "cannot be read as" in problem(path, whole[:100])
    else:
        assert "cannot be read as" in problem(path, whole[: len(whole) * 2 // 3])


@pytest.mark.parametrize("written", ["xlsx", "sav", "parquet", "xpt"])
@pytest.mark.parametrize("named", ["csv", "xlsx", "dta"])
def test_a_file_of_another_format_says_which(
    written: str, named: str, sound: dict[str, bytes], tmp_path: Path
) -> None:
    if written != named:
        assert f'source.format = "{written}"' in problem(tmp_path / f"raw.{named}", sound[written])


def test_encrypted_files_and_old_workbooks(tmp_path: Path) -> None:
    old = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600
    assert "a workbook with a password" in problem(tmp_path / "raw.xlsx", old)
    assert "is encrypted" in problem(tmp_path / "raw.sav", b"ENCRYPTEDSAV\0\x15" + b"\0" * 600)
    assert "is encrypted" in problem(tmp_path / "raw.parquet", b"PARE" + b"\0" * 600)


def test_a_workbook_with_macros_is_read_and_runs_nothing(tmp_path: Path) -> None:
    made = io.BytesIO(workbook())
    with zipfile.ZipFile(made, "a") as archive:
        archive.writestr("xl/vbaProject.bin", b"\xd0\xcf\x11\xe0 not even one")
    (tmp_path / "raw.xlsm").write_bytes(made.getvalue())
    assert read_raw(tmp_path / "raw.xlsm", Source("microdata", "raw.xlsm", "")).frame["id"].tolist() == ["1"]


@pytest.mark.parametrize("cell", ["XFD1048576", "A1048576", "B50000"])
def test_a_cell_far_from_the_table_is_named(cell: str, tmp_path: Path) -> None:
    message = problem(tmp_path / "raw.xlsx", workbook(**{cell: "far"}))
    assert f"cell {cell}: stands far below or beside the table" in message


def test_a_cell_far_to_the_right_is_a_column_that_nobody_uses(tmp_path: Path) -> None:
    (tmp_path / "raw.xlsx").write_bytes(workbook(XFD2="far"))
    frame = read_raw(tmp_path / "raw.xlsx", Source("microdata", "raw.xlsx", "")).frame
    assert frame.to_dict("list") == {"id": ["1"], "column_16384": ["far"]}


def test_a_sheet_that_unpacks_to_far_more_than_it_is(tmp_path: Path) -> None:
    bomb = with_sheet(MAIN + b" " * (bounds.SMALL + 1))
    assert len(bomb) < bounds.SMALL / bounds.MOST_UNPACKED
    assert "unpacks to 67 MB, more than 200 times its size" in problem(tmp_path / "raw.xlsx", bomb)


def test_rows_and_texts_of_xml_that_never_end(tmp_path: Path) -> None:
    row = b"<row r='999999999999'><c r='A999999999999'><v>1</v></c></row></sheetData></worksheet>"
    assert "stands far below" in problem(tmp_path / "raw.xlsx", with_sheet(MAIN + row))
    entities = b"".join(b"<!ENTITY e%d '%s'>" % (n, b"&e%d;" % (n - 1) * 10) for n in range(1, 12))
    laughs = b"<!DOCTYPE x [<!ENTITY e0 'ha'>" + entities + b"]>" + MAIN
    laughs += b"<row><c t='str'><v>&e11;</v></c></row></sheetData></worksheet>"
    assert "cannot be read as an Excel workbook" in problem(tmp_path / "raw.xlsx", with_sheet(laughs))


def test_deep_xml_ends_nothing(tmp_path: Path) -> None:
    deep = b"<row r='1'><c r='A1' t='inlineStr'><is>" + b"<r>" * 100_000 + b"</r>" * 100_000
    (tmp_path / "raw.xlsx").write_bytes(with_sheet(MAIN + deep + b"</is></c></row></sheetData></worksheet>"))
    try:
        read_raw(tmp_path / "raw.xlsx", Source("microdata", "raw.xlsx", ""))
    except ProblemError as error:
        assert "raw.xlsx" in str(error)
    assert apart(SOURCE, reader_of)


def test_parquet_files_that_promise_too_much(tmp_path: Path) -> None:
    path = tmp_path / "raw.parquet"
    pq.write_table(pa.table({"id": np.zeros(bounds.MOST_ROWS + 1, dtype="int8")}), path)
    assert path.stat().st_size < 100_000
    assert "has 10,000,001 rows, more than the 10,000,000" in problem(path)
    pq.write_table(pa.table({"id": [1], "t": ["a\0b"]}), path)
    assert "column t: holds NUL characters" in problem(path)


def test_a_folder_that_looks_like_a_partition_adds_no_column(tmp_path: Path) -> None:
    path = tmp_path / "year=2020" / "raw.parquet"
    path.parent.mkdir()
    FRAME.to_parquet(path)
    assert list(read_raw(path, Source("microdata", "raw.parquet", "")).frame.columns) == ["id", "q", "t"]


def test_text_files_of_endless_lines(tmp_path: Path) -> None:
    path = tmp_path / "raw.csv"
    line = b"x" * (bounds.MOST_IN_ROW + 1)
    assert "line 3: is longer than 64 MB" in problem(path, b"id,a\n1,2\n2," + line + b"\n3,4\n")
    assert "line 1: is longer than 64 MB" in problem(path, line)
    assert "its header is no row of names" in problem(path, b"x" * 200_000 + b",a\n1,2\n")
    columns = b",".join(b"c%d" % n for n in range(bounds.MOST_COLUMNS + 1))
    assert "has 50,001 columns" in problem(path, columns + b"\n")
    assert "NUL characters" in problem(path, b"id,a\n1,\0\n")


@pytest.mark.parametrize("kind", ["sav", "zsav", "dta", "xpt", "parquet", "xlsx", "csv"])
def test_whatever_byte_is_wrong_the_file_is_read_or_told(
    kind: str, sound: dict[str, bytes], tmp_path: Path
) -> None:
    drawn, path = random.Random(kind), tmp_path / f"raw.{kind}"
    for _ in range(25):
        content = bytearray(sound[kind])
        for _ in range(drawn.choice([1, 3, 20])):
            content[drawn.randrange(len(content))] = drawn.randrange(256)
        path.write_bytes(content)
        try:
            assert not read_raw(path, Source("microdata", path.name, "")).frame.isna().any().any()
        except ProblemError as error:
            assert path.name in str(error)


# ── one wave's trouble is its own ────────────────────────────────────────────


def test_drafting_uses_the_same_reader(barometer: Path, tmp_path: Path) -> None:
    far = tmp_path / "far.xlsx"
    far.write_bytes(workbook(XFD1048576="far"))
    with pytest.raises(ProblemError, match="stands far below"):
        draft_wave(barometer, load_catalogue(barometer), "dk-2024", far)
    done = CliRunner().invoke(app, ["init", str(tmp_path / "mine"), "--from", str(far)])
    assert done.exit_code == 1 and "stands far below" in done.stderr and "Traceback" not in done.output


def test_the_other_waves_are_built(barometer: Path, sound: dict[str, bytes]) -> None:
    """The width of a column of an SPSS file is wrong: pyreadstat 1.3.7 dies of it."""
    damaged = bytearray(sound["sav"])
    damaged[SAV_WIDTH] = 255
    (barometer / "warehouse/raw/dk-2022.sav").write_bytes(damaged)
    wave = barometer / "schemas/waves/dk-2022.toml"
    edit(wave, '"dk-2022.csv"', '"dk-2022.sav"')
    edit(wave, 'delimiter = ";"\ndecimal = ","\n', "")
    pin(barometer, "dk-2022")
    waves = ["--wave", "dk-2020", "--wave", "dk-2022"]
    done = CliRunner().invoke(app, ["--project", str(barometer), "run", *waves])
    assert done.exit_code == 1
    assert "Built 1 wave: dk-2020" in done.stdout and "Failed 1 wave: dk-2022" in done.stdout
    assert "warehouse/raw/dk-2022.sav" in done.stderr and "Traceback" not in done.output
