"""How a table lies in its file: titles, header rows, labels, names, thousands, encodings, ranges of numbers."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest
from typer.testing import CliRunner

from pipeline.catalogue import Source, load_catalogue
from pipeline.cli.app import app
from pipeline.drafting.sniff import sniff
from pipeline.problems import ProblemError
from pipeline.sources import RawTable, absent, numbers, read_raw, values_found
from tests.barometers import edit, microdata, pin, write_barometer
from tests.golden import estimated
from tests.test_rows import harmonised, stopped

QUALTRICS = (
    "ID,Q1,Q1,W\r\n"
    '"Response ID","Have you introduced\nsomething new?","Have you introduced\nsomething new? - Why",Weight\r\n'
    '"{""ImportId"":""_recordId""}","{""ImportId"":""QID1""}","{""ImportId"":""QID1_TEXT""}",'
    '"{""ImportId"":""w""}"\r\n'
    "R_1,1,because,1.5\r\nR_2,2,,0.5\r\n"
)


def table(tmp_path: Path, content: str | list[list[Any]], **options: Any) -> RawTable:
    """A file as its source reads it: text is CSV, rows are a workbook's second sheet, its first being notes."""
    if isinstance(content, str):
        path = tmp_path / "raw.csv"
        path.write_bytes(content.encode())
        return read_raw(path, replace(Source("microdata", path.name, ""), **options))
    path = tmp_path / "raw.xlsx"
    book = openpyxl.Workbook()
    assert book.active
    book.active.title = "Notes"
    sheet = book.create_sheet("Data")
    for row in content:
        sheet.append(row)
    book.save(path)
    return read_raw(path, replace(Source("microdata", path.name, ""), **{"sheet": "Data"} | options))


def refused(tmp_path: Path, content: str | list[list[Any]], **options: Any) -> str:
    with pytest.raises(ProblemError) as error:
        table(tmp_path, content, **options)
    return str(error.value)


# ── where the header is ──────────────────────────────────────────────────────


def test_three_rows_of_a_survey_tool_give_names_and_labels(tmp_path: Path) -> None:
    read = table(tmp_path, QUALTRICS, header_rows=3, name_row=1, label_row=2)
    assert list(read.frame) == ["ID", "Q1 (1)", "Q1 (2)", "W"]
    assert read.frame["Q1 (1)"].tolist() == ["1", "2"]
    assert read.metadata.labels["Q1 (2)"] == "Have you introduced\nsomething new? - Why"


def test_names_may_stand_below_the_labels(tmp_path: Path) -> None:
    rows = [["Which region?", "New?", None], ["REG", "Q1", "W"], ["N", 1, 1.5]]
    read = table(tmp_path, rows, header_rows=2, label_row=1)
    assert list(read.frame) == ["REG", "Q1", "W"]
    assert read.metadata.labels == {"REG": "Which region?", "Q1": "New?"}


def test_a_row_of_labels_beside_merged_names(tmp_path: Path) -> None:
    rows = [["ID", "Q1", None], [None, "a", "b"], ["Number", "First", "Second"], ["x", 1, 2]]
    read = table(tmp_path, rows, header_rows=3, label_row=3)
    assert list(read.frame) == ["ID", "Q1.a", "Q1.b"]
    assert read.metadata.labels == {"ID": "Number", "Q1.a": "First", "Q1.b": "Second"}


TITLED = "Survey of workplaces 2020,,\r\n,,\r\nID,REG,Q1\r\n1,N,2\r\n"


@pytest.mark.parametrize(
    ("content", "rows"),
    [
        (TITLED, 2),
        ('Survey\n\n"made on a\nMonday"\nID,REG,Q1\n1,N,2\n', 3),
        ("sep=,\nID,REG,Q1\n1,N,2\n", 1),
        ([["Survey of workplaces 2020"], [], ["ID", "REG", "Q1"], [1, "N", 2]], 2),
    ],
)
def test_titles_above_the_header_are_skipped(tmp_path: Path, content: Any, rows: int) -> None:
    read = table(tmp_path, content, skip_rows=rows)
    assert {name: read.frame[name].tolist() for name in read.frame} == {
        "ID": ["1"],
        "REG": ["N"],
        "Q1": ["2"],
    }


def test_a_title_that_is_not_declared_is_told(tmp_path: Path) -> None:
    message = refused(tmp_path, "Survey of workplaces\n\nID,REG,Q1\n1,N,2\n2,N,2\n")
    assert "row 1 has 1 cell, and every row from row 3 on has 3" in message
    assert "set source.skip_rows = 2" in message
    assert "Survey of" not in message


def test_lines_are_counted_from_the_top_of_the_file(tmp_path: Path) -> None:
    assert "line 5: the row has 2 cells" in refused(tmp_path, TITLED + "2,N\n3,N,1\n", skip_rows=2)


def test_too_many_rows_above_the_table_are_told(tmp_path: Path) -> None:
    assert "source.skip_rows: leaves no row" in refused(tmp_path, "a,b\n1,2\n", skip_rows=9)
    assert "has no rows below its header" in refused(tmp_path, [["a"], [1]], skip_rows=9)
    assert "source.name_row: the file has a header of 2 rows" in refused(
        tmp_path, "a,b\n1,2\n", header_rows=4, name_row=3
    )


def test_a_file_without_a_header_has_numbered_columns(tmp_path: Path) -> None:
    assert list(table(tmp_path, "1,2\n3,4\n", header_rows=0).frame) == ["column_1", "column_2"]


def test_rows_of_a_header_are_only_for_tables_of_rows(tmp_path: Path) -> None:
    frame = table(tmp_path, "a,b\n1,2\n").frame
    frame.to_parquet(tmp_path / "raw.parquet")
    with pytest.raises(ProblemError, match=r"source\.skip_rows: is not for parquet files"):
        read_raw(tmp_path / "raw.parquet", Source("microdata", "raw.parquet", "", skip_rows=2))


@pytest.mark.parametrize(
    ("declared", "said"),
    [
        ("header_rows = 2\nname_row = 3", "source.name_row: is below the header ('3')"),
        ("header_rows = 2\nname_row = 2\nlabel_row = 2", "source.label_row: is the row of the names"),
        ("label_row = 1", "source.label_row: leaves no row for the names"),
    ],
)
def test_rows_of_the_header_that_cannot_be_are_problems(barometer: Path, declared: str, said: str) -> None:
    edit(barometer / "schemas/waves/dk-2020.toml", 'delimiter = ";"', f'delimiter = ";"\n{declared}')
    (problem,) = load_catalogue(barometer).problems
    assert said in str(problem)


# ── names ────────────────────────────────────────────────────────────────────


def wide(root: Path, header: str, cells: str = "a;b") -> Path:
    """The small barometer's wave of 2020 with two more columns."""
    first, *rows = microdata().splitlines()
    lines = [f"{first};{header}", *(f"{row};{cells}" for row in rows)]
    (root / "warehouse/raw/dk-2020.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    pin(root, "dk-2020")
    return root / "schemas/instruments/dk.csv"


@pytest.mark.parametrize(
    "header", ["Comment;Comment", ";", '"a\tb";=cmd()', "Comment (1);column_10", "ID2;ID2 (1)"]
)
def test_columns_that_nothing_uses_may_have_any_name(barometer: Path, header: str) -> None:
    wide(barometer, header)
    answers, report = harmonised(barometer, "dk-2020")
    assert len(answers) == 80
    assert len(report["unused_columns"]) == 2


def test_a_name_that_occurs_twice_is_a_problem_where_it_is_used(barometer: Path) -> None:
    crosswalk = wide(barometer, "Comment;Comment", "1;2")
    edit(crosswalk, "ANSATTE,*,staff", "Comment,*,staff")
    message = stopped(barometer)
    assert "column Comment: occurs more than once in the header" in message
    assert "Comment (1), Comment (2)" in message
    edit(crosswalk, "Comment,*,staff", "Comment (2),*,staff")
    edit(crosswalk, "ANSATTE,999", "Comment (2),999")
    answers, _ = harmonised(barometer, "dk-2020")
    assert set(answers["staff"]) == {2.0}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('id = "ID"', 'id = "X"', "design.id: occurs more than once"),
        ('id = "ID"', 'id = ["ID", "X"]', "design.id: occurs more than once"),
        ("[response]", 'rows = { X = ["1"] }\n[response]', "source.rows.X: occurs more than once"),
        (
            "[response]",
            '[[correction]]\ncolumn = "X"\nmatch = { X = "1" }\nvalue = "2"\nreason = "?"\n[response]',
            "correction[1]: occurs more than once",
        ),
        (
            "[response]",
            '[[exclusion]]\ncolumn = "X"\nvalues = ["1"]\nreason = "?"\n[response]',
            "exclusion[1].column: occurs more than once",
        ),
        (
            'population = "dk-strata.csv"\n[weighting]\nmethod = "rake"\n'
            'margins = [["sector"], ["region"]]\ntotals = "dk-margins.csv"\n',
            'weight = "ANSATTE"\n[design.replicate_weights]\ncolumns = "X*"\nmethod = "brr"\n'
            '[weighting]\nmethod = "given"\n',
            "design.replicate_weights.columns: matches columns that occur more than once",
        ),
    ],
)
def test_wherever_it_is_used(barometer: Path, old: str, new: str, said: str) -> None:
    wide(barometer, "X;X", "1;2")
    edit(barometer / "schemas/waves/dk-2020.toml", old, new)
    assert said in stopped(barometer)


def test_a_header_that_is_a_row_of_answers_is_not_shown(barometer: Path) -> None:
    lines = microdata().splitlines()[1:]
    lines[0] += ";I am the head of a school in Aarhus"
    lines[1:] = [f"{line};nothing to add" for line in lines[1:]]
    (barometer / "warehouse/raw/dk-2020.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    pin(barometer, "dk-2020")
    message = stopped(barometer)
    assert "Names found in row 1: 0001, " in message
    assert "1 longer one" in message and "Aarhus" not in message


def test_the_row_and_the_sheet_of_the_names_are_told(tmp_path: Path) -> None:
    rows = [["Survey"], ["a", "b"], [1, 2]]
    message = refused(tmp_path, rows, sheet="Date")
    assert "Set source.sheet in the wave file to one of: Notes, Data." in message
    with pytest.raises(ProblemError) as error:
        read_raw(
            tmp_path / "raw.xlsx", Source("microdata", "raw.xlsx", "", sheet="Data", skip_rows=1), ["ID"]
        )
    assert "Names found in row 2 of sheet Data: a, b." in str(error.value)


# ── thousands ────────────────────────────────────────────────────────────────


def staff(root: Path, *texts: str, **options: str) -> Path:
    """The small barometer's wave of 2020, its column of numbers holding these texts first."""
    lines = [line.rpartition(";")[0] for line in microdata().splitlines()]
    cells = ["ANSATTE", *texts, *["7"] * (len(lines) - 1 - len(texts))]
    both = [f"{line};{cell}" for line, cell in zip(lines, cells, strict=True)]
    (root / "warehouse/raw/dk-2020.csv").write_text("\n".join(both) + "\n", encoding="utf-8")
    pin(root, "dk-2020")
    declared = "".join(f'{key} = "{value}"\n' for key, value in ({"decimal": "."} | options).items())
    edit(root / "schemas/waves/dk-2020.toml", 'decimal = ","\n', declared)
    return root


@pytest.mark.parametrize(
    ("text", "decimal", "hint"),
    [
        ("1,500", ".", 'source.thousands = ","'),
        ("12,345,678.5", ".", 'source.thousands = ","'),
        ("1.500", ",", 'source.thousands = "."'),
        ("1 500", ".", 'source.thousands = " "'),
        ("1\u00a0500,5", ",", 'source.thousands = " "'),
        ("1\u2019500", ".", 'source.thousands = "\'"'),
    ],
)
def test_thousands_are_asked_about_and_never_taken_for_decimals(
    barometer: Path, text: str, decimal: str, hint: str
) -> None:
    message = stopped(staff(barometer, text, "45", decimal=decimal))
    assert "thousands separator?" in message
    assert hint in message and "source.decimal" not in message


@pytest.mark.parametrize(
    ("texts", "decimal", "hint"),
    [
        (("1,5",), ".", 'Set source.decimal = ","'),
        (("1,500", "2,25"), ".", 'Set source.decimal = ","'),
        (("1.234,56",), ".", 'source.decimal = "," and source.thousands = "."'),
    ],
)
def test_decimals_that_cannot_be_thousands_are_told_as_such(
    barometer: Path, texts: tuple[str, ...], decimal: str, hint: str
) -> None:
    message = stopped(staff(barometer, *texts, decimal=decimal))
    assert hint in message and "separator?" not in message


@pytest.mark.parametrize(
    ("texts", "options", "numbers"),
    [
        (("1,500", "45", "-1,234,567.25"), {"thousands": ","}, [1500, 45, -1234567.25]),
        (("1.500", "2,5"), {"thousands": ".", "decimal": ","}, [1500, 2.5]),
        (("1 500", "2\u00a0000", "3\u202f000.5"), {"thousands": " "}, [1500, 2000, 3000.5]),
        (("1'500", "2\u2019000"), {"thousands": "'"}, [1500, 2000]),
    ],
)
def test_declared_thousands_are_read(
    barometer: Path, texts: tuple[str, ...], options: dict[str, str], numbers: list[float]
) -> None:
    answers, _ = harmonised(staff(barometer, *texts, **options), "dk-2020")
    assert answers["staff"].tolist()[: len(numbers)] == numbers


@pytest.mark.parametrize("text", ["1,50", "1,5000", "1500,000", ",500", "1,500,00"])
def test_a_separator_that_does_not_separate_thousands_is_a_problem(barometer: Path, text: str) -> None:
    assert "column ANSATTE: 1 row is not a number" in stopped(staff(barometer, text, thousands=","))


def test_thousands_and_decimals_need_marks_of_their_own(barometer: Path) -> None:
    staff(barometer, decimal=",", thousands=",")
    (problem,) = load_catalogue(barometer).problems
    assert problem.key == "source.thousands"


# ── texts that are UTF-8 ─────────────────────────────────────────────────────


@pytest.mark.parametrize("encoding", ["cp1252", "latin-1", "iso-8859-15"])
def test_utf8_that_is_declared_as_something_else_is_told(tmp_path: Path, encoding: str) -> None:
    message = refused(tmp_path, "REG\nNörd\nGrößer\n", encoding=encoding)
    assert f"source.encoding: is not the encoding of the texts: they are UTF-8 ('{encoding}')" in message


def test_texts_that_are_in_their_declared_encoding_are_read(tmp_path: Path) -> None:
    path = tmp_path / "raw.csv"
    for text, encoding in (("Nörd", "cp1252"), ("Юг", "cp1251"), ("plain", "cp1252"), ("Nörd", "utf-8")):
        path.write_bytes(f"REG\n{text}\n".encode(encoding))
        assert read_raw(path, Source("microdata", "raw.csv", "", encoding=encoding)).frame[
            "REG"
        ].tolist() == [text]


def test_the_same_of_stata_and_spss_files(tmp_path: Path) -> None:
    pyreadstat = pytest.importorskip("pyreadstat")
    frame = pd.DataFrame({"REG": ["Nörd", "Sør"]})
    pyreadstat.write_sav(frame, str(tmp_path / "raw.sav"))
    pyreadstat.write_dta(frame, str(tmp_path / "raw.dta"), version=13)
    for name in ("raw.sav", "raw.dta"):
        with pytest.raises(ProblemError, match="they are UTF-8"):
            read_raw(tmp_path / name, Source("microdata", name, "", encoding="cp1252"))
        assert read_raw(tmp_path / name, Source("microdata", name, "")).frame["REG"].tolist() == [
            "Nörd",
            "Sør",
        ]


# ── ranges of numbers, and codes that are no answer ──────────────────────────

AGE = ["17", "18", "34", "34.5", "65", "999", "", "-1", "80", "1,040"]
AGES = ["..17", "18..34", "65.."]


def ages(root: Path, ranges: list[str], *more: str, **options: str) -> Path:
    """The small barometer with a number ALDER, of which ``ranges`` make the regions north, south, north ..."""
    lines = microdata(rows=80).splitlines()
    cells = ["ALDER", *(AGE[row % len(AGE)] for row in range(80))]
    both = [f"{line};{cell}" for line, cell in zip(lines, cells, strict=True)]
    (root / "warehouse/raw/dk-2020.csv").write_text("\n".join(both) + "\n", encoding="utf-8")
    declared = "".join(f'{key} = "{value}"\n' for key, value in ({"decimal": "."} | options).items())
    put_wave = root / "schemas/waves/dk-2020.toml"
    edit(put_wave, 'decimal = ","\n', declared)
    edit(put_wave, 'margins = [["sector"], ["region"]]', 'margins = [["sector"]]')
    pin(root, "dk-2020")
    margins = root / "warehouse/raw/dk-margins.csv"
    margins.write_text("margin,code,total\nsector,care,220\nsector,school,180\n", encoding="utf-8")
    crosswalk = root / "schemas/instruments/dk.csv"
    kept = [line for line in crosswalk.read_text(encoding="utf-8").splitlines() if "ANSATTE" not in line]
    kept = [line for line in kept if not line.startswith("REG,")]
    codes = ["north", "south"]
    rows = [f"ALDER,{each},region,{codes[place % 2]}," for place, each in enumerate(ranges)]
    crosswalk.write_text("\n".join([*kept, *rows, *more]) + "\n", encoding="utf-8")
    (root / "schemas/waves/dk-2022.toml").unlink()
    return crosswalk


def regions(root: Path) -> list[str]:
    answers, _ = harmonised(root, "dk-2020")
    return answers["region"].tolist()[: len(AGE)]


REST = ("ALDER,34.5,region,north,", "ALDER,999,region,no_answer,", "ALDER,-1,region,ignore,")


def test_ranges_of_numbers_are_mapped(barometer: Path) -> None:
    ages(barometer, AGES, *REST, thousands=",")
    young, south, old = "north", "south", "north"
    assert regions(barometer) == [
        *(young, south, south, "north", old, "no_answer", "no_answer", "no_answer", old, old)
    ]


def test_a_number_outside_every_range_stops_the_wave(barometer: Path) -> None:
    ages(barometer, AGES, thousands=",")
    message = stopped(barometer)
    assert "('34.5')" in message and "'17'" not in message and "'999'" not in message


def test_a_code_of_its_own_wins_over_a_range(barometer: Path) -> None:
    ages(barometer, AGES, *REST, "ALDER,18,region,north,", thousands=",")
    assert regions(barometer)[1:3] == ["north", "south"]


def test_what_is_no_answer_of_one_variable_is_in_no_range_of_another(barometer: Path) -> None:
    rest = (
        "ALDER,34.5,region,north,",
        "ALDER,-1,staff,no_answer,",
        "ALDER,*,staff,=,",
        "ALDER,999,staff,no_answer,",
    )
    ages(barometer, ["..17", "18-34", "65.."], *rest, thousands=",")
    assert regions(barometer)[5:9] == ["no_answer", "no_answer", "no_answer", "north"]


def test_texts_of_the_file_that_look_like_ranges_are_codes(barometer: Path) -> None:
    header, *rows = microdata().splitlines()
    texts = {"N": "0-10", "S": "10-20"}
    lines = [header, *(";".join(texts.get(cell, cell) for cell in row.split(";")) for row in rows)]
    (barometer / "warehouse/raw/dk-2020.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    pin(barometer, "dk-2020")
    crosswalk = barometer / "schemas/instruments/dk.csv"
    edit(crosswalk, "REG,N,region,north,\n", "REG,0-10,region,north,\nREG,10-20,region,south,\n")
    answers, _ = harmonised(barometer, "dk-2020")
    assert answers["region"].value_counts().to_dict() == {"south": 54, "north": 26, "no_answer": 0}


@pytest.mark.parametrize(
    ("ranges", "said"),
    [
        (["18..34", "30..40"], "has ranges for region that overlap ('18..34 and 30..40')"),
        (["18-34", "34..40"], "has ranges for region that overlap ('18-34 and 34..40')"),
        (["..17", "..5"], "has ranges for region that overlap"),
        (["34..18"], "is a range that ends before it begins ('34..18')"),
    ],
)
def test_ranges_that_cannot_be_are_problems(barometer: Path, ranges: list[str], said: str) -> None:
    ages(barometer, ranges, *REST)
    assert said in "\n".join(map(str, load_catalogue(barometer).problems))


def test_a_number_at_the_end_of_two_ranges_stops_the_wave(barometer: Path) -> None:
    ages(barometer, ["..17", "18-34", "34-64", "65.."], *REST, thousands=",")
    message = stopped(barometer)
    assert "column ALDER: is a number in two ranges ('34'). Move the end of one of 18-34 and 34-64" in message


def test_a_background_variable_is_never_not_asked(barometer: Path) -> None:
    edit(barometer / "schemas/instruments/dk.csv", "REG,N,region,north,", "REG,N,region,not_asked,")
    (problem,) = load_catalogue(barometer).problems
    assert "names an unknown code of region" in str(problem)


@pytest.mark.parametrize(("code", "df"), [("not_asked", 80 - 10 - 2), ("no_answer", 80 - 2)])
def test_who_was_not_asked_is_outside_the_base(barometer: Path, code: str, df: int) -> None:
    """Degrees of freedom as R's: units asked, less strata; ``degf(subset(design, asked))``."""
    lines = microdata().splitlines()
    for row in range(1, 11):
        cells = lines[row].split(";")
        cells[3] = "8"  # Q1_1
        lines[row] = ";".join(cells)
    (barometer / "warehouse/raw/dk-2020.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    pin(barometer, "dk-2020")
    edit(barometer / "schemas/instruments/dk.csv", "Q1_1,9,", f"Q1_1,8,introduced.product,{code},\nQ1_1,9,")
    wave = barometer / "schemas/waves/dk-2020.toml"
    edit(
        wave,
        'method = "rake"\nmargins = [["sector"], ["region"]]\ntotals = "dk-margins.csv"',
        'method = "design"',
    )
    catalogue = load_catalogue(barometer)
    assert not catalogue.problems
    found = estimated(catalogue.waves["dk-2020"], catalogue, barometer)
    cell = found.cell("introduced", "product")
    answers = found.weighted.answers
    asked = answers[answers["introduced.product"].isin(["yes", "no", "dont_know"])]
    share = asked.loc[asked["introduced.product"] == "yes", "weight"].sum() / asked["weight"].sum()
    assert (cell["n"], cell["df"]) == (70, df)
    assert cell["value"] == pytest.approx(100 * share, rel=1e-12)
    assert found.cell("introduced", "service")["df"] == found.cell("any_innovation", "yes")["df"] == 78


# ── drafts ───────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (QUALTRICS + "R_3,1,,1.5\n", {"header_rows": 3, "name_row": 1, "label_row": 2}),
        (TITLED + "2,S,1\n3,S,1\n", {"skip_rows": 2, "header_rows": 1}),
        ("Survey\n\nID;W\nx;1,5\ny;2,5\n", {"skip_rows": 0, "delimiter": ";"}),
        ("Survey\n\nID;REG;W\nx;N;1,5\ny;N;2,5\n", {"skip_rows": 2, "delimiter": ";", "decimal": ","}),
        ('ID,N\nx,"1,500"\ny,45\n', {"decimal": ".", "thousands": ","}),
        ('ID,N\nx,"1,500,000"\ny,"2,000"\n', {"decimal": ".", "thousands": ","}),
        ("ID;W\nx;1,500\ny;1\n", {"decimal": ",", "thousands": ""}),
        ("ID;W;N\nx;1,500;1,234,567\ny;1;12\n", {"decimal": ".", "thousands": ","}),
        ("ID;N\nx;1.234.567\ny;12\n", {"decimal": ",", "thousands": "."}),
        ("ID;W;N\nx;0,5;1,234,567\ny;1;12\n", {"decimal": ",", "thousands": ""}),
        ("ID;W;N\nx;1,5;1.500\ny;1;12\n", {"decimal": ",", "thousands": "."}),
        ("ID;N\nx;1 500\ny;12\n", {"decimal": ".", "thousands": " "}),
    ],
)
def test_how_a_file_is_read_is_guessed(tmp_path: Path, content: str, found: dict[str, Any]) -> None:
    path = tmp_path / "raw.csv"
    path.write_text(content, encoding="utf-8")
    source = sniff(path)
    assert {key: getattr(source, key) for key in found} == found
    assert sniff(path, {"skip_rows": 1, "decimal": ","}).skip_rows == 1


def test_marks_of_numbers_are_guesses_unless_they_are_given(barometer: Path) -> None:
    drafted(barometer, "raw.csv", "ID;W\nx;1,500\ny;1\n")
    text = (barometer / "schemas/waves/fi-2024.toml").read_text(encoding="utf-8")
    assert 'decimal = ","  # guess: 1,5 is one and a half\n' in text
    (barometer / "schemas/waves/fi-2024.toml").unlink()
    drafted(barometer, "raw.csv", "ID;W\nx;1,500\ny;1\n", "--decimal", ",", "--instrument", "fi-2024")
    assert 'decimal = ","\n' in (barometer / "schemas/waves/fi-2024.toml").read_text(encoding="utf-8")


def test_titles_of_a_sheet_are_guessed(tmp_path: Path) -> None:
    table(tmp_path, [["Survey", None, None], [], ["ID", "REG", "W"], ["x", "N", 1], ["y", "S", 2]])
    source = sniff(tmp_path / "raw.xlsx")
    assert (source.sheet, source.skip_rows, source.header_rows) == ("Data", 2, 1)


def drafted(root: Path, name: str, content: str, *options: str) -> dict[str, Any]:
    (root / name).write_text(content, encoding="utf-8", newline="")
    done = CliRunner().invoke(
        app, ["--project", str(root), "new-wave", "fi-2024", str(root / name), *options]
    )
    assert done.exit_code == 0, done.output
    return tomllib.loads((root / "schemas/waves/fi-2024.toml").read_text(encoding="utf-8"))


def test_a_wave_of_a_survey_tool_is_drafted_with_its_labels(barometer: Path) -> None:
    wave = drafted(barometer, "export.csv", QUALTRICS + "R_3,1,,1.5\n")
    source = wave["source"]
    assert (source["header_rows"], source["name_row"], source["label_row"]) == (3, 1, 2)
    assert (wave["design"]["id"], wave["response"]["respondents"]) == ("ID", 3)
    wording = (barometer / "schemas/instruments/fi-2024.toml").read_text(encoding="utf-8")
    assert "Have you introduced" in wording
    assert "ImportId" not in (barometer / "schemas/instruments/fi-2024.csv").read_text(encoding="utf-8")


def test_every_option_of_the_reader_is_one_of_the_draft(barometer: Path) -> None:
    content = "note\nCNTRY;ID;W\nSE;1;1'500,5\nFI;1;2'500,5\nFI;2;3'500,5\n"
    options = (
        "--skip-rows 1 --header-rows 1 --name-row 1 --delimiter ; --decimal , --thousands ' --encoding utf-8"
    )
    chosen = ["--rows", "CNTRY=FI", "--id", "CNTRY", "--id", "ID"]
    wave = drafted(barometer, "raw.txt", content, *options.split(), *chosen)
    expected = {"skip_rows": 1, "name_row": 1, "delimiter": ";", "decimal": ",", "thousands": "'"}
    assert {key: wave["source"][key] for key in expected} == expected
    assert wave["source"]["rows"] == {"CNTRY": ["FI"]}
    assert (wave["design"]["id"], wave["response"]["respondents"]) == (["CNTRY", "ID"], 2)


def test_several_columns_that_identify_are_no_question(barometer: Path) -> None:
    rows = "".join(
        f"{country},{number},{number % 2}\n" for country in ("SE", "FI") for number in range(100, 180)
    )
    drafted(barometer, "raw.csv", f"CNTRY,ID,Q\n{rows}", "--rows", "CNTRY=FI", "--id", "CNTRY", "--id", "ID")
    crosswalk = (barometer / "schemas/instruments/fi-2024.csv").read_text(encoding="utf-8")
    assert "ID,*,,ignore,guess: identifies the unit" in crosswalk


def test_units_without_an_identifier_are_drafted_by_their_row(barometer: Path) -> None:
    wave = drafted(barometer, "raw.csv", "A,B\n1,1\n1,1\n2,1\n")
    assert wave["design"]["id"] == "row"


def test_a_value_that_the_file_lacks_is_told_before_anything_is_drafted(barometer: Path) -> None:
    (barometer / "raw.csv").write_text("CNTRY,A\nSE,1\nFI,2\n", encoding="utf-8")
    done = CliRunner().invoke(
        app,
        [
            "--project",
            str(barometer),
            "new-wave",
            "fi-2024",
            str(barometer / "raw.csv"),
            "--rows",
            "CNTRY=NO",
        ],
    )
    assert done.exit_code == 1 and "Values found: FI (1 row), SE (1 row)." in done.output
    assert not (barometer / "schemas/waves/fi-2024.toml").exists()


def test_a_barometer_may_be_drafted_with_the_same_options(tmp_path: Path) -> None:
    (tmp_path / "raw.csv").write_text("title\nID;Q\nx;1\ny;2\nz;1\n", encoding="utf-8")
    arguments = ["init", "new", "--from", str(tmp_path / "raw.csv"), "--skip-rows", "1", "--delimiter", ";"]
    done = CliRunner().invoke(app, ["--project", str(tmp_path), *arguments])
    assert done.exit_code == 0, done.output
    assert "skip_rows = 1" in (tmp_path / "new/schemas/waves/raw.toml").read_text(encoding="utf-8")


# ── what a sheet shows, and what it holds ────────────────────────────────────


def workbook(tmp_path: Path, change: Any) -> RawTable:
    """A workbook of a visible sheet with two regions of two rows each, as ``change`` leaves it."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet
    for row in (["ID", "REG", None], ["ID", "a", "b"], [1, "N", 1], [2, "N", 2], [3, "S", 1], [4, "S", 2]):
        sheet.append(row)
    change(book, sheet)
    path = tmp_path / "raw.xlsx"
    book.save(path)
    return read_raw(path, Source("microdata", path.name, "", header_rows=2))


def test_merged_cells_of_the_table_are_refused_and_those_of_the_header_are_not(tmp_path: Path) -> None:
    def head(_: Any, sheet: Any) -> None:
        sheet.merge_cells("A1:A2")
        sheet.merge_cells("B1:C1")
        sheet.merge_cells("B6:C6")  # of one row: nothing is lost below it

    assert len(workbook(tmp_path, head).frame) == 4
    for ref in ("B3:B4", "A5:C6", "B2:B3"):
        with pytest.raises(ProblemError, match=f"cells {ref}: is merged, below the header"):
            workbook(tmp_path, lambda _, sheet, ref=ref: sheet.merge_cells(ref))


def test_a_hidden_first_sheet_is_not_taken_for_the_data(tmp_path: Path) -> None:
    def hidden(book: Any, sheet: Any) -> None:
        book.create_sheet("Real").append(["ID"])
        sheet.sheet_state = "hidden"
        book.active = 1

    with pytest.raises(ProblemError, match="is hidden, and the first of the workbook") as raised:
        workbook(tmp_path, hidden)
    assert "Sheet, Real" in raised.value.problems[0].hint


# ── thousands that the decimal mark parts ────────────────────────────────────


@pytest.mark.parametrize(
    ("cells", "asked"),
    [
        (["45", "1.200", "350"], True),
        (["45", "1.234", "2.345", "3.456", "4.567", "5.678"], True),
        (["45", "-1.500"], True),
        (["1.200", "2.500"], False),  # three decimals throughout
        (["45.000", "1.200"], False),
        (["45", "1.2", "1.200"], False),
        (["45", "0.500"], False),
        (["4500", "1.200"], False),  # a whole number without a separator
        (["45", "1.234"], False),
        (["45", ""], False),
    ],
)
def test_thousands_parted_by_the_decimal_mark_are_asked_about(
    cells: list[str], asked: bool, barometer: Path
) -> None:
    """1.200 next to 45 is 1200 in half of Europe, and was read as 1.2."""
    wave = load_catalogue(barometer).waves["no-2020"]
    for mark, other in (".,", ",."):
        column = pd.Series([cell.replace(".", mark) for cell in cells], dtype="str")
        source = replace(wave.source, decimal=mark, thousands=None)
        if not asked:
            numbers(column, "S", replace(wave, source=source))
            continue
        with pytest.raises(ProblemError, match="may hold thousands") as raised:
            numbers(column, "S", replace(wave, source=source))
        hint = raised.value.problems[0].hint
        assert f'source.decimal = "{other}" and source.thousands = "{mark}"' in hint
        decimals = replace(wave, source=replace(source, thousands=""))
        assert numbers(column, "S", decimals).abs().max() < 1000
        grouped = replace(wave, source=replace(source, decimal=other, thousands=mark))
        assert numbers(column, "S", grouped).abs().max() >= 1200


def test_millions_are_told_as_such(barometer: Path) -> None:
    wave = load_catalogue(barometer).waves["no-2020"]
    with pytest.raises(ProblemError) as raised:
        numbers(pd.Series(["45", "1.200.000"], dtype="str"), "S", wave)
    assert 'source.thousands = "."' in raised.value.problems[0].hint


def test_identifiers_are_not_listed_where_a_value_is_looked_for() -> None:
    assert values_found(pd.Series([f"{row:06}" for row in range(30)], dtype="str")) == "30 texts not shown"


def test_of_joined_names_the_parts_that_are_short_are_shown(tmp_path: Path) -> None:
    """What is a header by mistake may hold answers; names are seldom long."""
    wave = load_catalogue(write_barometer(tmp_path / "barometer")).waves["dk-2020"]
    names = ["ID.Response ID.{}", "Survey of workplaces 2020. .REG", "I hate my boss.Anna"]
    _, hint = absent("Q1", names, replace(wave.source, header_rows=3))
    assert hint.startswith(
        "Names found in rows 1 to 3: ID.….{}, ….REG, 1 longer one. If the header is another"
    )
