"""What an SPSS or Stata file says of its own codes is held against the crosswalk."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pyreadstat
import pytest

from pipeline.catalogue import load_catalogue
from pipeline.drafting import draft_barometer, draft_wave
from pipeline.harmonise import Harmonised, harmonise
from pipeline.harmonise.file_labels import LabelFaults, label_faults
from pipeline.problems import Problem, ProblemError
from pipeline.sources import FileMetadata, read_raw
from pipeline.steps import declared_facts, quality
from pipeline.steps.waves import harmonised_wave, raw_wave, weighted_wave
from tests.barometers import edit, pin

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


# ── labels of codes ──────────────────────────────────────────────────────────

YES_NO = {"yes": "Yes", "no": "No"}
IMPORTANT = {"not": "Not at all important", "little": "Of little importance", "very": "Very important"}
AGREE = {"agree": "Agree", "neither": "Neither", "disagree": "Disagree"}


def faults(root: Path, codes: Mapping[str, str], labels: Mapping[str, str], mapping: str) -> LabelFaults:
    """What the labels of a single-choice question's codes contradict: ``1=yes 2=no``."""
    pairs = [pair.split("=") for pair in mapping.split()]
    entries = "".join(f'codes.{code} = "{text}"\n' for code, text in codes.items())
    edit(
        root / "schemas/codebook.toml",
        'codes.first = "First"\ncodes.copied = "Copied"\ncodes.dont_know = "Don\'t know"\nnonresponse = ["dont_know"]\n',
        entries,
    )
    crosswalk(
        root,
        "Q2,1,novelty,first,\nQ2,2,novelty,copied,\nQ2,9,novelty,dont_know,\n",
        "".join(f"Q2,{code},novelty,{target},\n" for code, target in pairs),
    )
    raw = pd.DataFrame({"Q2": [code for code, _ in pairs] * 5})
    catalogue = load_catalogue(root)
    assert not [
        problem for problem in catalogue.problems if problem.wave is None and "indicators" not in problem.file
    ]
    return label_faults(raw, catalogue.waves[WAVE], catalogue, FileMetadata({}, {"Q2": labels}))


def test_labels_turned_round_stop_the_wave(barometer: Path) -> None:
    """The file says 1 = No, 2 = Yes; the crosswalk of the wave before says 1 = yes, 2 = no."""
    said = {"variable_value_labels": {"Q1_1": {1: "No", 2: "Yes", 9: "Don't know"}, "Q1_2": CODED}}
    deliver(barometer, **said)
    first, second = problems(barometer)
    assert (first.file, first.key, first.value) == ("schemas/instruments/dk.csv", "line 6", "Q1_1 = 1")
    assert (
        first.message == "maps to introduced.product yes what dk-2020.sav labels 'No': that is the text of no"
    )
    assert (second.key, second.value) == ("line 7", "Q1_1 = 2")
    for line in ("Q1_1,1,introduced.product,yes,", "Q1_1,2,introduced.product,no,"):
        crosswalk(barometer, line, f"{line}confirmed: the labels of the file are wrong")
    assert not problems(barometer)


@pytest.mark.parametrize(
    ("codes", "labels", "mapping", "found"),
    [
        (YES_NO, {"1": "Yes, we have", "2": "No, we haven't"}, "1=no 2=yes", 1),
        (YES_NO, {"1": "Ja", "2": "Nej"}, "1=no 2=yes", 2),
        (YES_NO, {"1": "1 - No", "2": "2 - Yes"}, "1=yes 2=no", 2),
        (IMPORTANT, {"1": "Very important", "2": "Somewhat important", "3": "Not important"}, "1=not 2=little 3=very", 2),
        (AGREE, {"1": "Strongly agree", "2": "Agree", "3": "Neither", "4": "Strongly disagree"}, "1=disagree 2=disagree 3=neither 4=agree", 3),
        ({"yes": "Viktig", "no": "Ikke viktig"}, {"1": "Viktig", "2": "Ikke viktig"}, "1=no 2=yes", 2),
        ({"yes": "Enig", "no": "Uenig"}, {"1": "Helt enig", "2": "Helt uenig"}, "1=no 2=yes", 2),
        ({"up": "Increased", "down": "Decreased"}, {"1": "Has increased", "2": "Has decreased"}, "1=down 2=up", 2),
        ({"all": "Satisfied", "much": "Very satisfied"}, {"1": "Satisfied", "2": "Very satisfied"}, "1=much 2=all", 2),
    ],
)  # fmt: skip
def test_a_label_that_fits_another_code_is_a_problem(
    barometer: Path, codes: dict[str, str], labels: dict[str, str], mapping: str, found: int
) -> None:
    assert len(faults(barometer, codes, labels, mapping).problems) == found


@pytest.mark.parametrize(
    ("codes", "labels", "mapping"),
    [
        (YES_NO, {"1": "Yes, definitely", "2": "No, we do not"}, "1=yes 2=no"),
        (YES_NO, {"1": "Kyllä", "2": "Ei"}, "1=yes 2=no"),
        (IMPORTANT, {"1": "Very important", "2": "Important", "3": "Not important at all"}, "1=very 2=little 3=not"),
        (AGREE, {"1": "Strongly agree", "2": "Slightly agree", "4": "Slightly disagree", "5": "Strongly disagree"}, "1=agree 2=agree 4=disagree 5=disagree"),
        ({"yes": "Hace innovación", "no": "No innova"}, {"1": "No hace innovacion", "2": "Hace innovacion"}, "1=no 2=yes"),
        ({"young": "18-34 years", "old": "35-64 years"}, {"1": "18-24", "2": "25-34", "3": "35-49"}, "1=young 2=young 3=old"),
        ({"small": "1-9 employees", "large": "10 employees or more"}, {"1": "0-4 employees", "2": "5-9 employees", "3": "10-99 employees"}, "1=small 2=small 3=large"),
    ],
)  # fmt: skip
def test_a_paraphrase_is_left_alone(
    barometer: Path, codes: dict[str, str], labels: dict[str, str], mapping: str
) -> None:
    found = faults(barometer, codes, labels, mapping)
    assert (found.problems, found.doubts) == ([], [])


def test_a_label_that_fits_no_code_is_a_finding(barometer: Path) -> None:
    found = faults(barometer, YES_NO, {"1": "Yes", "2": "Sometimes"}, "1=yes 2=no")
    assert not found.problems
    assert found.doubts == ["Q2 = 2, labelled 'Sometimes', as novelty no"]
    told = quality.labels({"labels": found.report()})
    assert not told.passed
    assert "Q2 = 2, labelled 'Sometimes', as novelty no" in told.message


def test_two_codes_with_one_label_are_a_finding(barometer: Path) -> None:
    codes = {"first": "First", "other": "Other"}
    found = faults(barometer, codes, {"1": "First", "7": "Other", "8": "other"}, "1=first 7=other 8=other")
    assert not found.problems
    assert found.doubts == ["Q2 = 8 has the same label as 7, mapped to novelty other and other"]
    crosswalk(
        barometer, "Q2,8,novelty,other,", "Q2,8,novelty,other,confirmed: two lists of one questionnaire"
    )
    catalogue = load_catalogue(barometer)
    metadata = FileMetadata({}, {"Q2": {"7": "Other", "8": "Other"}})
    again = label_faults(pd.DataFrame({"Q2": ["7", "8"]}), catalogue.waves[WAVE], catalogue, metadata)
    assert not again.doubts


def test_a_respondents_words_in_a_label_are_not_shown(barometer: Path) -> None:
    """Programs make codes, with labels, out of open answers."""
    catalogue = load_catalogue(barometer)
    metadata = FileMetadata({}, {"Q2": {"1": "My boss Ann Berg drinks"}})
    found = label_faults(pd.DataFrame({"Q2": ["1", "2"]}), catalogue.waves[WAVE], catalogue, metadata)
    assert found.doubts == ["Q2 = 1, labelled otherwise, as novelty first"]


def test_drafts_mark_two_codes_with_one_label(barometer: Path, tmp_path: Path) -> None:
    frame = delivered(barometer).replace({"Q2": {9: 7}})
    frame.loc[frame.index[:10], "Q2"] = 8
    path = deliver(
        barometer, frame, variable_value_labels={"Q2": {1: "First", 2: "Copied", 7: "Other", 8: "Other"}}
    )
    draft_barometer(tmp_path / "new", path)
    (drafted,) = (tmp_path / "new/schemas/instruments").glob("*.csv")
    marked = [line for line in drafted.read_text().splitlines() if "same label as" in line]
    assert len(marked) == 1
    assert marked[0].startswith("Q2,8,") and marked[0].endswith("; same label as 7: look at both")


# ── labels of columns ────────────────────────────────────────────────────────


def test_a_battery_shifted_by_one_stops_the_wave(barometer: Path) -> None:
    deliver(barometer, column_labels={"Q1_1": "Has your workplace introduced ...: New services", "Q1_2": "Has your workplace introduced ...: New products", "SEKTOR": "Sector"})  # fmt: skip
    first, second = problems(barometer)
    assert first.value == "Q1_1"
    assert first.message == (
        "maps to introduced.product what dk-2020.sav labels 'Has your workplace introduced ...: New services': "
        "that is the text of introduced.service"
    )
    assert "the text of introduced.product" in second.message
    for line in ("Q1_1,1,introduced.product,yes,", "Q1_2,1,introduced.service,yes,"):
        crosswalk(barometer, line, f"{line}Confirmed.")
    assert not problems(barometer)


@pytest.mark.parametrize(
    ("labels", "found"),
    [
        ({"Q3_1": "Savings", "Q3_2": "Quality"}, 2),
        ({"Q3_1": "Q3a. Value: cost savings", "Q3_2": "Q3b. Value: better quality"}, 1),
        ({"SEKTOR": "Region", "REG": "Sector"}, 2),
        ({"ANSATTE": "Region"}, 1),
        ({"Q3_1": "Q3a. Value: better quality", "Q3_2": "Q3b. Value: cost savings"}, 0),
        ({"Q1_1": "Introduced new goods", "Q1_2": "Introduced new services"}, 0),
        ({"ANSATTE": "Staff", "REG": "Part of the country", "SEKTOR": "Type of sector"}, 0),
        ({"Q1_1": "Q1_1", "Q1_2": "Has your workplace introduced ..."}, 0),
    ],
)  # fmt: skip
def test_a_column_is_held_against_every_variable(barometer: Path, labels: dict[str, str], found: int) -> None:
    catalogue = load_catalogue(barometer)
    raw = delivered(barometer).astype("str")
    told = label_faults(raw, catalogue.waves[WAVE], catalogue, FileMetadata(labels))
    assert len(told.problems) == found


def test_a_box_labelled_as_ticked_is_not_taken_as_empty(barometer: Path) -> None:
    frame = delivered(barometer).fillna({"Q3_1": 2})
    crosswalk(barometer, "Q3_1,1,value.quality,selected,\nQ3_1,,value.quality,not_selected,\n", "Q3_1,1,value.quality,not_selected,\nQ3_1,2,value.quality,selected,\n")  # fmt: skip
    deliver(barometer, frame, variable_value_labels={"Q3_1": {1: "Mentioned", 2: "Not mentioned"}})
    assert [found.message.partition(": ")[2] for found in problems(barometer)] == [
        "that is a box ticked",
        "that is a box not ticked",
    ]


def test_the_wording_of_a_questionnaire_settles_a_doubt(barometer: Path) -> None:
    deliver(barometer, column_labels={"Q2": "Hvor stammer den fra?"})
    catalogue = load_catalogue(barometer)
    for step in (raw_wave, harmonised_wave, weighted_wave):
        step(WAVE, catalogue)
    assert declared_facts.worth_a_look(catalogue.waves[WAVE], catalogue) == ["labels"], (
        "as quality.json has it"
    )
    assert harmonised(barometer).report["labels"]["doubts"] == [
        "Q2, labelled 'Hvor stammer den fra?', as novelty"
    ]
    with (barometer / "schemas/instruments/dk.toml").open("a") as file:
        file.write('[wording.novelty]\ntext = "Hvor stammer den fra?"\n')
    assert harmonised(barometer).report["labels"] == {"compared": 1, "doubts": []}


# ── other languages, and labels in other places ──────────────────────────────


@pytest.mark.parametrize(
    ("yes", "no"),
    [("Oui", "Non"), ("Sí", "No"), ("Ja", "Nein"), ("Sim", "Não"), ("Tak", "Nie"), ("Да", "Нет"), ("Selected", "Not selected")],
)  # fmt: skip
def test_yes_and_no_are_known_in_other_languages(yes: str, no: str, barometer: Path) -> None:
    frame = delivered(barometer)
    deliver(barometer, frame, variable_value_labels={"Q1_1": {1: yes, 2: no}})
    assert not problems(barometer)
    deliver(barometer, frame, variable_value_labels={"Q1_1": {1: no, 2: yes}})
    assert {found.value for found in problems(barometer)} == {"Q1_1 = 1", "Q1_1 = 2"}


@pytest.mark.parametrize(
    "label",
    ["Don\u2019t know", "Weiß nicht", "Keine Angabe", "Ne sait pas", "NS/NC", "998 Don't know", "(DK)", "Inap.", "Refused (vol.)", "Нет ответа", "I do not wish to answer"],
)  # fmt: skip
def test_no_answer_is_known_by_its_label(label: str, barometer: Path) -> None:
    frame = delivered(barometer)
    frame.loc[frame["ANSATTE"] == 999, "ANSATTE"] = 998
    for said, stops in ((label, 1), ("998 or more", 0)):
        deliver(barometer, frame, variable_value_labels={"ANSATTE": {998: said}})
        assert len(problems(barometer)) == stops


@pytest.mark.parametrize(
    ("label", "stops"),
    [
        ("New products (1 = no, 2 = yes)", 2),
        ("New products: 1: No; 2: Yes", 2),
        ("New products (1 = yes, 2 = no, 9 = DK)", 0),
        ("New products (in the last 2 years)", 0),
    ],
)
def test_codes_that_a_columns_label_spells_out_count(label: str, stops: int, barometer: Path) -> None:
    deliver(barometer, column_labels={"Q1_1": label})
    found = problems(barometer)
    assert len(found) == stops
    assert not stops or found[0].message.startswith("maps to introduced.product yes")


def test_a_row_of_labels_may_be_what_somebody_answered(barometer: Path) -> None:
    edit(barometer / "schemas/waves/dk-2020.toml", 'decimal = ","', 'decimal = ","\nlabel_row = 2')
    catalogue = load_catalogue(barometer)
    raw, said = pd.DataFrame({"Q2": ["1", "2"]}), "I hate my boss, Ann Berg"
    told = label_faults(raw, catalogue.waves[WAVE], catalogue, FileMetadata({"Q2": said}, {}))
    assert told.doubts == ["Q2, labelled otherwise, as novelty"]
