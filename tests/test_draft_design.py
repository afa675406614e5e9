"""What a draft proposes of a wave's design, and takes from the wave before of the survey."""

from __future__ import annotations

import csv
import re
import tomllib
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pyreadstat
import pytest

from pipeline.catalogue import load_catalogue
from pipeline.drafting import draft_barometer, draft_wave
from tests.barometers import edit

ROWS = 60


def columns(**more: Any) -> pd.DataFrame:
    """An identifier, a question and further columns, row by row."""
    given = {name: [make(row) for row in range(ROWS)] for name, make in more.items()}
    return pd.DataFrame(
        {"case": range(70_000, 70_000 + ROWS), "trust": [1 + row % 3 for row in range(ROWS)], **given}
    )


def drafted(
    root: Path, frame: pd.DataFrame, labels: dict[str, str] | None = None
) -> tuple[dict[str, Any], list[list[str]]]:
    """The wave file and the crosswalk of a new barometer made from a file."""
    path = root / "people 2024.sav"
    pyreadstat.write_sav(frame, path, column_labels=labels or {})
    draft_barometer(root / "new", path)
    return read(root / "new", "people-2024")


def read(root: Path, wave: str) -> tuple[dict[str, Any], list[list[str]]]:
    wave_file = tomllib.loads((root / f"schemas/waves/{wave}.toml").read_text(encoding="utf-8"))
    crosswalk = root / f"schemas/instruments/{wave}.csv"
    rows = (
        list(csv.reader(crosswalk.read_text(encoding="utf-8").splitlines()))[1:]
        if crosswalk.is_file()
        else []
    )
    return wave_file, rows


@pytest.mark.parametrize(
    ("name", "label", "key"),
    [
        ("pspwght", "", "weight"),
        ("wgt_final", "", "weight"),
        ("v901", "Final weight, post-stratified", "weight"),
        ("v902", "Gewichtung", "weight"),
        ("kalvikt", "", "weight"),
        ("utvalgsvekt", "", "weight"),
        ("psu", "", "psu"),
        ("v903", "Primary sampling unit", "psu"),
    ],
)
def test_design_columns_are_told_by_name_or_label(tmp_path: Path, name: str, label: str, key: str) -> None:
    frame = columns(**{name: lambda row: 0.5 + row % 7 / 4 if key == "weight" else 1 + row // 4})
    wave, rows = drafted(tmp_path, frame, {name: label} if label else {})
    assert wave["design"][key] == name and wave["design"]["id"] == "case"
    assert [row[1:4] for row in rows if row[0] == name] == [["*", "", "ignore"]]


def test_strata_are_told_by_their_label(tmp_path: Path) -> None:
    wave, _ = drafted(tmp_path, columns(v9=lambda row: row % 3), {"v9": "Sampling stratum"})
    assert wave["design"]["strata"] == ["v9"]


@pytest.mark.parametrize(
    ("stem", "base", "pattern"),
    [("rw_", "weight", "rw_*"), ("pwgtp", "pwgtp", "pwgtp[0-9]*"), ("REPWT", "wt", "REPWT*"), ("W_FSTURWT", "W_FSTUWT", "W_FSTURWT*")],
)  # fmt: skip
def test_replicate_weights_are_columns_of_one_stem(
    tmp_path: Path, stem: str, base: str, pattern: str
) -> None:
    more = {
        f"{stem}{number}": lambda row, number=number: 0.5 + (row + number) % 2 * 1.5
        for number in range(1, 13)
    }
    wave, rows = drafted(tmp_path, columns(**{base: lambda row: 0.8 + row % 5 / 8, **more}))
    assert wave["design"]["replicate_weights"] == {"columns": pattern, "method": "brr"}
    assert wave["design"]["weight"] == base
    assert not [row for row in rows if row[0].startswith(stem) and row[0] != base]  # the design has them


HALVES = {  # by their names or labels where the numbers do not tell
    "halves": (lambda weight, half: weight * (1 + half), "", {"method": "brr"}),
    "fay": (lambda weight, half: weight * (1 + 0.7 * half), "", {"method": "fay", "rho": 0.3}),
    "factors": (lambda weight, half: 1 + 0.5 * half, "", {"method": "fay", "rho": 0.5, "combined": False}),
    "label": (lambda weight, half: weight * (1 + 0.4 * half) ** 1.1, "Replicate 1, BRR (Fay 0.6)", {"method": "fay", "rho": 0.6}),
    "unlabelled": (lambda weight, half: weight * (1 + 0.4 * half) ** 1.1, "BRR-Fay replicate", {"method": "fay"}),
    "jackknife": (lambda weight, half: weight * (1 + 0.5 * half) ** 1.3, "Jackknife replicate 1", {"method": "jkn"}),
}  # fmt: skip


@pytest.mark.parametrize("case", HALVES)
def test_replicate_weights_say_how_they_were_made(tmp_path: Path, case: str) -> None:
    made, label, declared = HALVES[case]
    base = [3 + row % 7 / 2 for row in range(ROWS)]
    more = {
        f"rw{n}": lambda row, n=n: made(base[row], (-1) ** bin(n & (1 + row // 8)).count("1"))
        for n in range(8)
    }
    frame = columns(schwt=lambda row: 1.5 + row % 3, ownwt=lambda row: base[row], **more)
    wave, _ = drafted(tmp_path, frame, {"rw0": label} if label else {})
    assert wave["design"]["replicate_weights"] == {"columns": "rw*", **declared}
    assert wave["design"]["weight"] == ("schwt" if case == "factors" else "ownwt")


def test_a_second_weight_is_named_where_replicate_weights_do_not_tell_theirs(tmp_path: Path) -> None:
    """Without replicate weights it is one of the further weights."""
    factors = {f"rw{n}": lambda row, n=n: 0.5 + (row + n) % 2 for n in range(8)}
    drafted(tmp_path, columns(schwt=lambda row: 1.5 + row % 3, ownwt=lambda row: 3.25 + row % 7, **factors))
    text = (tmp_path / "new/schemas/waves/people-2024.toml").read_text(encoding="utf-8")
    assert 'weight = "schwt"  # guess: by its name or label; there are ownwt as well' in text


def test_two_columns_identify_where_no_single_one_does(tmp_path: Path) -> None:
    lines = [f"{area},{number:03},{age}" for area in ("A", "B", "C") for number, age in enumerate(range(20, 60))]  # fmt: skip
    (tmp_path / "people 2024.csv").write_text("area,person_no,age\n" + "\n".join(lines), encoding="utf-8")
    draft_barometer(tmp_path / "new", tmp_path / "people 2024.csv")
    wave, rows = read(tmp_path / "new", "people-2024")
    assert wave["design"]["id"] == ["area", "person_no"]
    assert [row[2:4] for row in rows if row[0] == "person_no"] == [["", "ignore"]]
    assert {row[2] for row in rows if row[0] == "area"} == {"area"}  # few codes: a background as well
    (tmp_path / "people 2024.csv").write_text("area,person_no,age\n" + "\n".join([*lines, lines[0]]), encoding="utf-8")  # fmt: skip
    draft_barometer(tmp_path / "twice", tmp_path / "people 2024.csv")
    assert read(tmp_path / "twice", "people-2024")[0]["design"]["id"] == "row"


@pytest.mark.parametrize(
    ("name", "label"), [("weight", "Body weight in kg"), ("kroppsvekt", ""), ("foedselsvekt_g", ""), ("v12", "How much weight do you give to what others think of it?")]
)  # fmt: skip
def test_what_is_asked_about_weight_is_no_weight(tmp_path: Path, name: str, label: str) -> None:
    wave, rows = drafted(tmp_path, columns(**{name: lambda row: 55.5 + row % 40}), {name: label})
    assert "weight" not in wave["design"]
    assert all(row[3] != "ignore" for row in rows if row[0] == name)


def test_numbered_questions_are_no_replicate_weights(tmp_path: Path) -> None:
    wave, rows = drafted(
        tmp_path, columns(**{f"q{n}": lambda row, n=n: 10 + (row + n) % 40 for n in range(1, 9)})
    )
    assert "replicate_weights" not in wave["design"]
    assert {row[3] for row in rows if row[0].startswith("q")} == {"="}


def test_a_second_weight_is_never_codes(tmp_path: Path) -> None:
    frame = columns(weight=lambda row: 0.5 + row % 7 / 4, dweight=lambda row: 1.25 + row % 2)
    wave, rows = drafted(tmp_path, frame)
    assert wave["design"]["weight"] == "weight"
    assert ["dweight", "*", "", "ignore", "guess: a weight"] in rows


def test_several_weights_are_proposed_by_name(tmp_path: Path) -> None:
    """The first of everybody is the main one; a module's is blank or 0 where it was not asked."""
    frame = columns(
        wt_module=lambda row: 0.5 + row % 7 / 4 if row % 3 else None,
        wt_person=lambda row: 0.5 + row % 7 / 4,
        v77=lambda row: 0.8 + row % 11 / 8,
        kilos=lambda row: 50.5 + row % 9 if row % 4 else None,
    )
    labels = {"v77": "Household weight", "kilos": "Body weight in kg"}
    wave, rows = drafted(tmp_path, frame, labels)
    assert wave["design"]["weight"] == "wt_person"
    assert wave["design"]["weights"] == {"v77": "v77", "wt_module": "wt_module"}
    ignored = {row[0] for row in rows if row[3] == "ignore" and row[4] == "guess: a weight"}
    assert ignored == {"wt_module", "v77"}
    text = (tmp_path / "new/schemas/waves/people-2024.toml").read_text(encoding="utf-8")
    (line,) = [line for line in text.splitlines() if line.startswith("weights = ")]
    assert line.endswith("# guess: by names or labels; an indicator has one of them by weight = its name")


def test_a_column_of_part_of_the_sample_is_no_weight_where_there_is_no_other(tmp_path: Path) -> None:
    wave, rows = drafted(tmp_path, columns(weight=lambda row: 50.5 + row % 7 if row % 3 else None))
    assert not {"weight", "weights"} & {*wave["design"]}
    assert not [row for row in rows if row[0] == "weight" and row[3] == "ignore"]


def test_beside_replicates_no_further_weight_is_proposed(tmp_path: Path) -> None:
    more = {f"rw_{n}": lambda row, n=n: 0.5 + (row + n) % 2 * 1.5 for n in range(1, 13)}
    frame = columns(wt=lambda row: 0.8 + row % 5 / 8, wt_house=lambda row: 0.7 + row % 6 / 8, **more)
    wave, _ = drafted(tmp_path, frame)
    assert "replicate_weights" in wave["design"] and "weights" not in wave["design"]


def test_every_guess_of_a_wave_file_is_marked(tmp_path: Path) -> None:
    frame = columns(weight=lambda row: 0.5 + row % 7 / 4, stratum=lambda row: row % 3)
    drafted(tmp_path, frame)
    lines = (tmp_path / "new/schemas/waves/people-2024.toml").read_text(encoding="utf-8").splitlines()
    for key in ("id", "strata", "weight", "method", "respondents", "unit", "title"):
        (line,) = [line for line in lines if line.startswith(f"{key} = ")]
        assert "# guess: " in line, line


# ── the wave before ──────────────────────────────────────────────────────────


@pytest.fixture
def next_file(barometer: Path, tmp_path: Path) -> Path:
    path = tmp_path / "dk-2024.csv"
    path.write_bytes((barometer / "warehouse/raw/dk-2022.csv").read_bytes() + b"0081;1;N;1;1;1;1;;5\n")
    return path


def test_what_a_survey_keeps_is_taken_from_the_wave_before(barometer: Path, next_file: Path) -> None:
    wave_file = barometer / "schemas/waves/dk-2022.toml"
    facts = 'mode = "web"\nrespondent = "the head of the workplace"\nrole = "unit_leader"\nscope = { sector = ["care", "school"] }\n'
    wave_file.write_text(facts + wave_file.read_text(encoding="utf-8"), encoding="utf-8")
    edit(
        barometer / "schemas/instruments/dk.toml",
        'unit_verb = "introduced"',
        'unit_verb = "introduced"\nabout = "newest"',
    )
    before = load_catalogue(barometer).waves["dk-2022"]
    draft_wave(barometer, load_catalogue(barometer), "dk-2024", next_file)
    wave, _ = read(barometer, "dk-2024")
    for key in ("country", "unit", "mode", "respondent", "role"):
        assert wave[key] == getattr(before, key)
    assert wave["scope"] == {"sector": ["care", "school"]}
    assert wave["origin"] == {"producer": "Test office", "title": "Survey 2024", "licence": "CC-BY-4.0"}
    assert wave["design"] == {"id": "ID", "strata": ["SEKTOR"], "population": "dk-strata.csv"}
    assert wave["weighting"] == {
        "method": "rake",
        "margins": [["sector"], ["region"]],
        "totals": "dk-margins.csv",
    }
    assert wave["reference_period"] == {"start": "", "end": ""} and wave["response"] == {"respondents": 81}
    instrument = tomllib.loads((barometer / "schemas/instruments/dk-2024.toml").read_text(encoding="utf-8"))
    assert instrument == {"language": "da", "unit_verb": "introduced", "about": "newest"}
    lines = (barometer / "schemas/waves/dk-2024.toml").read_text(encoding="utf-8").splitlines()
    taken = ("country", "unit", "mode", "scope", "producer", "title", "id", "strata", "population", "totals")
    for key in taken:
        (line,) = [line for line in lines if line.startswith(f"{key} = ")]
        assert line.endswith("# guess: as in dk-2022"), line


def test_what_the_file_no_longer_has_is_not_taken(barometer: Path, next_file: Path) -> None:
    text = next_file.read_text(encoding="utf-8").replace("ID;SEKTOR;", "Lopenr;BRANCHE;")
    next_file.write_text(text, encoding="utf-8")
    draft_wave(barometer, load_catalogue(barometer), "dk-2024", next_file)
    wave, _ = read(barometer, "dk-2024")
    assert wave["design"] == {"id": "Lopenr", "strata": []}


def test_replicate_weights_are_declared_as_before(barometer: Path, next_file: Path) -> None:
    declared = 'id = "ID"\nweight = "W"\nreplicate_weights = { columns = "rep_*", method = "fay", rho = 0.3 }'
    edit(barometer / "schemas/waves/dk-2022.toml", 'id = "ID"', declared)
    lines = next_file.read_text(encoding="utf-8").splitlines()
    wide = [f"{lines[0]};W;{';'.join(f'rep_{number}' for number in range(8))}"]
    wide += [
        f"{line};{1 + at % 3},5;{';'.join('2,5' if (at + n) % 2 else '0' for n in range(8))}"
        for at, line in enumerate(lines[1:])
    ]
    next_file.write_text("\n".join(wide) + "\n", encoding="utf-8")
    draft_wave(barometer, load_catalogue(barometer), "dk-2024", next_file)
    wave, rows = read(barometer, "dk-2024")
    assert wave["design"]["weight"] == "W"
    assert wave["design"]["replicate_weights"] == {"columns": "rep_*", "method": "fay", "rho": 0.3}
    assert [row[3] for row in rows if row[0].startswith(("rep_", "W"))] == ["ignore"]


def test_further_weights_are_declared_as_before(barometer: Path, next_file: Path) -> None:
    declared = 'id = "ID"\nweight = "W"\nweights = { module = "M2", gone = "G" }'
    edit(barometer / "schemas/waves/dk-2022.toml", 'id = "ID"', declared)
    header, *lines = next_file.read_text(encoding="utf-8").splitlines()
    wide = [
        f"{header};W;M2;wt3",
        *(f"{line};1,{at % 7};{at % 3};2,{at % 5}" for at, line in enumerate(lines)),
    ]
    next_file.write_text("\n".join(wide) + "\n", encoding="utf-8")
    draft_wave(barometer, load_catalogue(barometer), "dk-2024", next_file)
    wave, rows = read(barometer, "dk-2024")
    assert wave["design"]["weight"] == "W" and wave["design"]["weights"] == {"module": "M2"}
    assert {row[3] for row in rows if row[0] in ("W", "M2", "wt3")} == {"ignore"}


def test_a_country_that_only_the_key_says_is_said_to_be_a_guess(barometer: Path, next_file: Path) -> None:
    draft_wave(barometer, load_catalogue(barometer), "hr-climate-2024", next_file)
    text = (barometer / "schemas/waves/hr-climate-2024.toml").read_text(encoding="utf-8")
    assert (
        'country = "HR"  # guess: from the key' in text
        and "TODO: was a part of the population left out?" in text
    )


def test_a_given_identifier_wins_and_is_no_guess(barometer: Path, next_file: Path) -> None:
    draft_wave(barometer, load_catalogue(barometer), "dk-2024", next_file, identifier=("SEKTOR", "ID"))
    wave, rows = read(barometer, "dk-2024")
    assert wave["design"]["id"] == ["SEKTOR", "ID"]
    assert 'id = ["SEKTOR", "ID"]\n' in (barometer / "schemas/waves/dk-2024.toml").read_text(encoding="utf-8")
    assert [row[3] for row in rows if row[0] == "ID"] == ["ignore"]
    assert {row[2] for row in rows if row[0] == "SEKTOR"} == {"sector"}


def test_selection_probabilities_are_declared_as_before(barometer: Path, next_file: Path) -> None:
    edit(barometer / "schemas/waves/dk-2022.toml", 'id = "ID"', 'id = "ID"\nprobability = "P"')
    header, *lines = next_file.read_text(encoding="utf-8").splitlines()
    wide = [f"{header};P;weight", *(f"{line};0,{at % 7 + 1}25;1,{at % 3}" for at, line in enumerate(lines))]
    next_file.write_text("\n".join(wide) + "\n", encoding="utf-8")
    draft_wave(barometer, load_catalogue(barometer), "dk-2024", next_file)
    wave, rows = read(barometer, "dk-2024")
    assert wave["design"]["probability"] == "P" and "weight" not in wave["design"]
    assert {row[3] for row in rows if row[0] in ("P", "weight")} == {"ignore"}


@pytest.mark.parametrize("kept", [80, 2])
def test_units_that_answered_before_are_counted(barometer: Path, next_file: Path, kept: int) -> None:
    header, *lines = next_file.read_text(encoding="utf-8").splitlines()
    renamed = [line if at < kept else f"9{line}" for at, line in enumerate(lines)]
    next_file.write_text("\n".join([header, *renamed]) + "\n", encoding="utf-8")
    draft_wave(barometer, load_catalogue(barometer), "dk-2024", next_file)
    text = (barometer / "schemas/waves/dk-2024.toml").read_text(encoding="utf-8")
    said = "panel = true  # guess: 80 of 81 identifiers are in dk-2022 as well; false if they name others"
    assert (said in text) == (kept == 80) and ("panel" in text) == (kept == 80)


FOOTERS = {
    "a note after a blank row": [[], ["Source: Fieldwork Ltd, 3 March"]],
    "two notes": [["Weighted, 2025", None, None], ["See the sheet About"]],
}


def sheet(root: Path, below: list[list[str | None]], blank: bool = False) -> Path:
    """A workbook with a weight, and what stands below its table; ``blank``: no column is filled throughout."""
    book = openpyxl.Workbook()
    assert book.active is not None
    book.active.append(["Home", "Owner", "Staff", "Weight"])
    for row in range(ROWS):
        cells = [f"H{row:03}", "Public" if row % 3 else "Private", 5 + row * 7 % 50, 1.25 + row % 4 / 4]
        book.active.append([None if blank and row == at else cell for at, cell in enumerate(cells)])
    for at, cells in enumerate(below):
        for column, cell in enumerate(cells):
            book.active.cell(ROWS + 2 + at, column + 1, cell if cell is not None else "")
    book.save(root / "homes 2025.xlsx")
    return root / "homes 2025.xlsx"


@pytest.mark.parametrize("kind", ["a note after a blank row", "two notes"])
def test_notes_below_a_table_are_proposed_as_an_exclusion_and_hide_no_design(
    tmp_path: Path, kind: str
) -> None:
    draft_barometer(tmp_path / "new", sheet(tmp_path, FOOTERS[kind]))
    wave, _ = read(tmp_path / "new", "homes-2025")
    assert wave["design"]["weight"] == "Weight" and wave["design"]["id"] == "Home"
    assert wave["response"]["respondents"] == ROWS
    (excluded,) = wave["exclusion"]
    assert (excluded["column"], excluded["values"]) == ("Owner", [""])
    text = (tmp_path / "new/schemas/waves/homes-2025.toml").read_text(encoding="utf-8")
    assert 'column = "Owner"  # guess: blank in the last 2 rows only' in text


@pytest.mark.parametrize(
    "below", [[["H900"]], [["H900", "Public"], ["H901"]], [["All homes", None, "1500", "1"]]]
)
def test_a_last_unit_that_answered_little_is_no_footer(tmp_path: Path, below: list[list[str | None]]) -> None:
    draft_barometer(tmp_path / "new", sheet(tmp_path, below))
    wave, _ = read(tmp_path / "new", "homes-2025")
    assert "exclusion" not in wave and wave["response"]["respondents"] == ROWS + len(below)


def test_a_footer_that_no_column_tells_is_left(tmp_path: Path) -> None:
    draft_barometer(tmp_path / "new", sheet(tmp_path, FOOTERS["two notes"], blank=True))
    assert "exclusion" not in read(tmp_path / "new", "homes-2025")[0]


def test_a_file_of_published_figures_is_drafted_as_such(barometer: Path, tmp_path: Path) -> None:
    path = tmp_path / "figures.csv"
    path.write_text(
        "indicator,category,domain,domain_code,value,n,note\nany_innovation,yes,total,,74,1786,page 3\n"
    )
    draft_wave(barometer, load_catalogue(barometer), "dk-2015", path)
    wave, rows = read(barometer, "dk-2015")
    assert wave["source"]["kind"] == "figures" and wave["weighting"] == {"method": "unspecified"}
    assert "design" not in wave and wave["response"] == {} and rows == []
    text = barometer / "schemas/waves/dk-2015.toml"
    text.write_text(
        re.sub(r" *# (guess|TODO).*", "", text.read_text(encoding="utf-8"))
        .replace('start = "", end = ""', "start = 2013-01-01, end = 2014-12-31")
    )  # fmt: skip
    instrument = barometer / "schemas/instruments/dk-2015.toml"
    edit(instrument, "# guess", "# was a guess")
    found = load_catalogue(barometer)
    assert not found.problems and found.waves["dk-2015"].survey == "dk"


def test_a_question_among_others_with_the_same_answers_is_no_background(tmp_path: Path) -> None:
    scale = {1.0: "Not at all", 2.0: "A little", 3.0: "Fully"}
    frame = columns(
        v1=lambda row: 1 + row % 3, v2=lambda row: 1 + row // 2 % 3, v3=lambda row: 1 + row // 5 % 3
    )
    labels = {"v1": "Trusts the regulator", "v2": "Trusts the municipality", "v3": "Region"}
    values = {"v1": scale, "v2": scale, "v3": {1.0: "North", 2.0: "East", 3.0: "South"}}
    pyreadstat.write_sav(frame, tmp_path / "a.sav", column_labels=labels, variable_value_labels=values)
    draft_barometer(tmp_path / "new", tmp_path / "a.sav")
    codebook = tomllib.loads((tmp_path / "new/schemas/codebook.toml").read_text(encoding="utf-8"))
    assert {"v1", "v2"} <= {*codebook["questions"]} and [*codebook["variables"]] == ["v3"]
