"""Columns of one multiple question in a draft: sets that a file declares, and batteries that survey tools write."""

from __future__ import annotations

import csv
import tomllib
from pathlib import Path
from typing import Any

import pandas as pd
import pyreadstat
import pytest

from pipeline.catalogue import load_catalogue
from pipeline.drafting import draft_barometer, draft_wave
from pipeline.harmonise import harmonise
from pipeline.problems import ProblemError
from pipeline.sources import read_raw
from tests.barometers import edit
from tests.test_file_metadata import with_sets

ROWS = 60


def drafted(root: Path, path: Path) -> tuple[dict[str, Any], list[list[str]]]:
    """The questions and the crosswalk of a barometer drafted from a file; its declarations hold together."""
    draft_barometer(root / "new", path)
    book = tomllib.loads((root / "new/schemas/codebook.toml").read_text(encoding="utf-8"))
    (crosswalk,) = (root / "new/schemas/instruments").glob("*.csv")
    rows = list(csv.reader(crosswalk.read_text(encoding="utf-8").splitlines()))[1:]
    problems = load_catalogue(root / "new").problems
    assert not [each for each in problems if "codebook" in each.file or each.file.endswith(".csv")], problems
    return book["questions"], rows


def lines(rows: list[list[str]], column: str) -> list[tuple[str, str, str]]:
    return [(row[1], row[2], row[3]) for row in rows if row[0] == column]


def answers(root: Path) -> pd.DataFrame:
    """The harmonised answers of the drafted wave, what only its owner knows left open."""
    catalogue = load_catalogue(root / "new")
    (wave,) = catalogue.waves.values()
    table = read_raw(root / "new/warehouse/raw" / wave.source.file, wave.source)
    return harmonise(table.frame, wave, catalogue, table.metadata).answers


# ── sets that a file declares ────────────────────────────────────────────────


@pytest.fixture
def spss(tmp_path: Path) -> Path:
    """Boxes that stand apart, 1 = ticked and 2 = not, 9 missing; and two mentions of one list of codes."""
    numbers = range(ROWS)
    mention = {1: "Red", 2: "Blue", 3: "Green", 8: "Don't know", 97: "No second one"}
    frame = pd.DataFrame(
        {
            "id": [7000 + row for row in numbers],
            "radio": [1 + row % 2 for row in numbers],
            "trust": [1 + row % 3 for row in numbers],
            "net": [9 if row % 10 == 0 else 1 + row % 3 // 2 for row in numbers],
            "fax": [2 for _ in numbers],
            "m1": [(1, 2, 8)[row % 3] for row in numbers],
            "m2": [(3, 97, None)[row % 3] for row in numbers],
            "weight": [0.5 + row % 7 / 4 for row in numbers],
        }
    )
    box = {1: "Yes", 2: "No", 9: "Refused"}
    path = tmp_path / "media 2024.sav"
    pyreadstat.write_sav(
        frame,
        path,
        column_labels={"radio": "Radio", "net": "The internet", "fax": "Fax", "m1": "First colour", "m2": "Second colour"},
        variable_value_labels={"radio": box, "net": box, "fax": box, "m1": mention, "m2": mention},
        missing_ranges={"net": [9], "m2": [97]},
    )  # fmt: skip
    with_sets(
        path, "$media=D1 1 17 What do you use ? radio net fax\n$colours=C 20 Which colours do you m1 m2\n"
    )
    return path


def test_a_set_of_boxes_is_one_multiple_question_with_the_sets_text(tmp_path: Path, spss: Path) -> None:
    questions, rows = drafted(tmp_path, spss)
    assert questions["media"]["type"] == "multiple" and questions["media"]["text"] == "What do you use ?"
    assert questions["media"]["items"] == {"radio": "Radio", "the_internet": "The internet", "fax": "Fax"}
    assert list(questions) == ["media", "trust", "colours"]
    assert lines(rows, "radio") == [("1", "media.radio", "selected"), ("2", "media.radio", "not_selected"), ("9", "media.radio", "no_answer")]  # fmt: skip
    assert lines(rows, "net")[-1] == ("9", "media.the_internet", "no_answer")


def test_a_set_that_counts_one_point_of_a_scale_leaves_the_scale(tmp_path: Path) -> None:
    frame = pd.DataFrame({"id": range(900, 900 + ROWS)})
    for place in (1, 2):
        frame[f"q_{place}"] = [1 + (row + place) % 4 for row in range(ROWS)]
    scale = {1: "Bad", 2: "Fair", 3: "Good", 4: "Excellent"}
    path = tmp_path / "scale 2024.sav"
    pyreadstat.write_sav(frame, path, variable_value_labels={"q_1": scale, "q_2": scale})
    with_sets(path, "$best=D1 4 4 Best q_1 q_2\n")
    questions, rows = drafted(tmp_path, path)
    assert questions["q"]["type"] == "grid" and len(questions["q"]["codes"]) == 4
    assert ("4", "q.q_1", "excellent") in lines(rows, "q_1")


def test_a_set_of_mentions_is_one_multiple_question_with_an_item_a_code(tmp_path: Path, spss: Path) -> None:
    questions, rows = drafted(tmp_path, spss)
    items = {"red": "Red", "blue": "Blue", "green": "Green", "dont_know": "Don't know"}
    assert questions["colours"]["type"] == "multiple" and questions["colours"]["items"] == items
    assert questions["colours"]["nonresponse"] == ["dont_know"]
    assert ("2", "colours.blue", "selected") in lines(rows, "m1") and ("97", "", "ignore") in lines(
        rows, "m2"
    )
    assert all("one of 2 mentions" in row[4] for row in rows if row[0] == "m1")
    found = answers(tmp_path)
    selected = {
        name: int((found[name] == "selected").sum()) for name in found if str(name).startswith("colours.")
    }
    assert selected == {"colours.red": 20, "colours.blue": 20, "colours.green": 20, "colours.dont_know": 20}
    assert (found["colours.red"] != "no_answer").all()


def test_the_next_wave_of_a_file_with_sets_goes_where_the_sets_say(tmp_path: Path, spss: Path) -> None:
    drafted(tmp_path, spss)
    frame = pd.read_spss(spss, convert_categoricals=False)
    del frame["m2"]
    frame = frame.rename(columns={"radio": "a", "net": "b", "fax": "c", "m1": "colour_1"})
    later = tmp_path / "media 2026.sav"
    frame["colour_2"] = frame["colour_1"]
    mention = {1: "Red", 2: "Purple, or violet", 8: "Don't know"}
    pyreadstat.write_sav(
        frame,
        later,
        column_labels={"a": "Radio", "b": "The internet", "c": "Fax"},
        variable_value_labels={"colour_1": mention, "colour_2": mention},
    )
    with_sets(later, "$m=D1 2 17 What do you use ? a b c\n$k=C 7 Colours colour_1 colour_2\n")
    root = tmp_path / "new"
    draft_wave(root, load_catalogue(root), "media-2026", later)
    text = (root / "schemas/instruments/media-2026.csv").read_text(encoding="utf-8")
    rows = list(csv.reader(text.splitlines()))[1:]
    assert lines(rows, "c") == [("2", "media.fax", "selected")]
    assert lines(rows, "a") == [("1", "media.radio", "not_selected"), ("2", "media.radio", "selected")]
    assert lines(rows, "colour_1")[:2] == [("1", "colours.red", "selected"), ("2", "", "")]
    assert ("", "colours.red", "not_selected") in lines(rows, "colour_2")
    (hint,) = {row[4] for row in rows if row[:2] == ["colour_1", "2"]}
    assert hint.startswith("TODO: ") and hint.endswith("(one of 2 mentions: QUESTION.ITEM, selected)")


# ── batteries of boxes in files without sets ─────────────────────────────────


def exported(path: Path, columns: dict[str, tuple[str, list[str]]]) -> Path:
    """A file as Qualtrics exports it: names, the questions' texts, import identifiers, answers."""
    names = [*columns]
    cells = zip(*(values for _, values in columns.values()), strict=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerows([names, [label for label, _ in columns.values()]])
        writer.writerow([f'{{"ImportId":"QID_{name}"}}' for name in names])
        writer.writerows(cells)
    return path


BOXES = {
    "1": "Radio",
    "2": "Podcasts from the neighbourhood",
    "3": "Fax",
    "8": "Other, please say",
    "9": "None of these",
}
ASKED = "Which of these do you use? - Selected Choice - "


@pytest.mark.parametrize("coded", [True, False])
def test_boxes_are_one_question_though_nobody_ticked_one_or_wrote_beside_one(
    tmp_path: Path, coded: bool
) -> None:
    numbers = range(ROWS)
    ticked = {"1": 2, "2": 25, "8": 6, "9": 7}  # every so many rows; nobody has a fax
    columns = {"ResponseId": ("Response ID", [f"R_{row}" for row in numbers])}
    for key, label in BOXES.items():
        code = "1" if coded else label
        every = ticked.get(key, ROWS + 1)
        columns[f"Q7_{key}"] = (ASKED + label, [code if row % every == every - 1 else "" for row in numbers])
        if key == "8":
            said = [f"my own words {row}" if row % 6 == 5 else "" for row in numbers]
            columns["Q7_8_TEXT"] = ("Which of these do you use? - Other, please say - Text", said)
    columns["Q8"] = ("Is it good? - Selected Choice", ["1" if row % 2 else "2" for row in numbers])
    questions, rows = drafted(tmp_path, exported(tmp_path / "export 2024.csv", columns))
    assert questions["q7"]["type"] == "multiple" and questions["q7"]["text"] == "Which of these do you use?"
    assert list(questions["q7"]["items"].values()) == list(BOXES.values())
    assert questions["q8"]["text"] == "Is it good?" and list(questions) == ["q7", "q8"]
    assert lines(rows, "Q7_8_TEXT") == [("*", "", "ignore")]
    code = "1" if coded else "Fax"
    assert lines(rows, "Q7_3") == [(code, "q7.fax", "selected"), ("", "q7.fax", "not_selected")]
    assert not any("my own words" in cell for row in rows for cell in row)


def test_columns_that_nobody_filled_are_no_boxes(tmp_path: Path) -> None:
    blank = [""] * ROWS
    columns = {
        "ID": ("", [str(row) for row in range(ROWS)]),
        "Q1_1": ("Why? - First", blank),
        "Q1_2": ("Why? - Second", blank),
        "Q2_1": ("How good? - The first", [str(1 + row % 4) for row in range(ROWS)]),
        "Q2_2": ("How good? - The second", [str(1 + row % 3) for row in range(ROWS)]),
    }
    questions, rows = drafted(tmp_path, exported(tmp_path / "export 2024.csv", columns))
    assert {key: each["type"] for key, each in questions.items()} == {"q2": "grid"}
    assert lines(rows, "Q1_1") == [("*", "", "ignore")]


# ── several choices in one cell ──────────────────────────────────────────────


def joined(mark: str, choices: list[str]) -> tuple[list[str], dict[str, int]]:
    """Cells of several choices, and how many rows chose each: the first every 2nd row, the next every 3rd ..."""
    chosen = [[choice for every, choice in enumerate(choices, 2) if row % every == 0] for row in range(ROWS)]
    counts = {choice: sum(choice in each for each in chosen) for choice in choices}
    return [mark.join(each) for each in chosen], counts


@pytest.mark.parametrize(
    ("mark", "choices"),
    [
        (",", ["Radio", "Papers, printed or not", "Other (please say)", "Television"]),
        (", ", ["Radio", "Papers (printed)", "Neighbours", "Television"]),
        (";", ["Radio", "Papers", "Neighbours, friends", "Television"]),
        (",", ["1", "2", "4", "12"]),
    ],
)
def test_several_choices_in_a_cell_are_one_multiple_question(
    tmp_path: Path, mark: str, choices: list[str]
) -> None:
    cells, counts = joined(mark, choices)
    columns = {
        "ResponseId": ("Response ID", [f"R_{row}" for row in range(ROWS)]),
        "Q7": ("Which do you use?", cells),
        "Q8": ("Why?", [("Yes, often", "Yes, seldom", "No")[row % 3] for row in range(ROWS)]),
    }
    questions, _ = drafted(tmp_path, exported(tmp_path / "export 2024.csv", columns))
    assert questions["q7"]["type"] == "multiple"
    assert set(questions["q7"]["items"].values()) == {*choices}
    assert questions["q8"]["type"] == "single"
    wave = tomllib.loads((tmp_path / "new/schemas/waves/export-2024.toml").read_text(encoding="utf-8"))
    assert wave["source"]["choices"] == {"Q7": mark}
    found = answers(tmp_path)
    keys = {text: key for key, text in questions["q7"]["items"].items()}
    for choice, count in counts.items():
        states = found[f"q7.{keys[choice]}"].value_counts()
        blank = cells.count("")
        assert (states["selected"], states["no_answer"]) == (count, blank), choice
        assert states["not_selected"] == ROWS - count - blank


@pytest.fixture
def written(tmp_path: Path) -> Path:
    """A drafted barometer of cells with several choices, and among them what respondents wrote."""
    cells, _ = joined(", ", ["Radio", "Papers", "Television"])
    cells = [
        f"{cell}, my own words {row}".strip(", ") if row % 20 == 7 else cell for row, cell in enumerate(cells)
    ]
    columns = {"id": ("", [f"R_{row}" for row in range(ROWS)]), "Q7": ("Which?", cells)}
    _, rows = drafted(tmp_path, exported(tmp_path / "export 2024.csv", columns))
    assert ("*", "", "ignore") in lines(rows, "Q7") and not any(
        "my own" in cell for row in rows for cell in row
    )
    return tmp_path


def test_what_respondents_wrote_beside_choices_is_ignored_or_one_item_of_its_own(written: Path) -> None:
    found = answers(written)
    assert (found["q7.radio"] == "selected").sum() == 30 and "not_selected" in set(found["q7.radio"])
    crosswalk = written / "new/schemas/instruments/export-2024.csv"
    edit(crosswalk, "Q7,*,,ignore,", "Q7,,q7.other,not_selected,\nQ7,*,q7.other,selected,")
    edit(
        written / "new/schemas/codebook.toml",
        'items.radio = "Radio"',
        'items.radio = "Radio"\nitems.other = "Other"',
    )
    assert (answers(written)["q7.other"] == "selected").sum() == 3


def test_a_choice_that_no_row_lists_stops_the_wave(written: Path) -> None:
    crosswalk = written / "new/schemas/instruments/export-2024.csv"
    text = crosswalk.read_text(encoding="utf-8").splitlines()
    kept = [line for line in text if not line.startswith(("Q7,*", "Q7,Radio"))]
    crosswalk.write_text("\n".join(kept) + "\n", encoding="utf-8")
    with pytest.raises(ProblemError) as error:
        answers(written)
    assert "holds a code that the crosswalk does not list, in 30 rows" in str(
        error.value
    ) and "'Radio'" in str(error.value)
    assert "holds 3 texts that the crosswalk does not list, in 3 rows" in str(error.value)
    assert "my own words" not in str(error.value)


def test_several_choices_answer_no_single_question(written: Path) -> None:
    root = written / "new"
    edit(root / "schemas/codebook.toml", 'type = "multiple"', 'type = "grid"')
    edit(
        root / "schemas/waves/export-2024.toml",
        'choices = { Q7 = ", " }',
        'choices = { Q7 = ", ", Q9 = ";" }',
    )
    said = [str(problem) for problem in load_catalogue(root).problems]
    assert [each for each in said if "maps one of several choices to what is no multiple question" in each]
    assert [
        each
        for each in said
        if "source.choices.Q9: has no row in schemas/instruments/export-2024.csv" in each
    ]


def test_choices_in_cells_go_to_the_items_of_boxes_in_the_wave_before(tmp_path: Path) -> None:
    numbers, root = range(ROWS), tmp_path / "new"
    names = ["Radio", "Papers, printed or not", "Television"]
    cells, _ = joined(",", names)
    ids = {"ResponseId": ("Response ID", [f"R_{row}" for row in numbers])}
    boxes = {
        f"Q7_{place}": (ASKED + name, [name if name in cell else "" for cell in cells])
        for place, name in enumerate(names, 1)
    }
    drafted(tmp_path, exported(tmp_path / "export 2024.csv", {**ids, **boxes}))
    later = exported(tmp_path / "export 2025.csv", {**ids, "Q2": ("Which of these do you use?", cells)})
    draft_wave(root, load_catalogue(root), "export-2025", later)
    text = (root / "schemas/instruments/export-2025.csv").read_text(encoding="utf-8")
    rows = lines(list(csv.reader(text.splitlines()))[1:], "Q2")
    assert ("Papers, printed or not", "q7.papers_printed_or_not", "selected") in rows
    assert rows.count(("", "q7.radio", "not_selected")) == 1 and len(rows) == 6


# ── forms whose header is the question ───────────────────────────────────────


def test_a_header_that_is_the_question_is_its_text_and_brackets_hold_items(tmp_path: Path) -> None:
    grades, cells = ("Good", "Fair", "Poor"), joined(", ", ["Radio", "Papers", "Television"])[0]
    table = pd.DataFrame(
        {
            "Timestamp": [f"2025/03/01 8:{row:02}:10 AM" for row in range(ROWS)],
            "Which of these do you use?": cells,
            "Please rate them [Opening hours]": [grades[row % 3] for row in range(ROWS)],
            "Please rate them [Staff]": [grades[(row + row // 7) % 3] for row in range(ROWS)],
            "Q2[SQ001]": [("Yes", "No")[row % 2] for row in range(ROWS)],
            "Q2[SQ002]": [("Yes", "No")[row % 3 % 2] for row in range(ROWS)],
        }
    )
    table.to_csv(tmp_path / "form 2025.csv", index=False)
    questions, _ = drafted(tmp_path, tmp_path / "form 2025.csv")
    assert {each["text"]: each["type"] for each in questions.values()} == {
        "Which of these do you use?": "multiple", "Please rate them": "grid", "q2": "grid",
    }  # fmt: skip
    assert list(questions["please_rate_them"]["items"].values()) == ["Opening hours", "Staff"]
    new = tmp_path / "new/schemas"
    assert 'codes = ["yes"]  # guess' in (new / "indicators.toml").read_text(encoding="utf-8")
    assert 'id = "row"' in (new / "waves/form-2025.toml").read_text(encoding="utf-8")


# ── what the draft leaves to somebody who knows ──────────────────────────────


def test_numbers_without_a_label_are_not_passed_off_as_texts(tmp_path: Path) -> None:
    columns = {
        "id": ("", [f"R_{row}" for row in range(ROWS)]),
        "Q1": ("How good?", [str(1 + row % 3) for row in range(ROWS)]),
        "Q2": ("How bad?", [("Very", "A little", "No answer")[row % 3] for row in range(ROWS)]),
    }
    questions, rows = drafted(tmp_path, exported(tmp_path / "export 2024.csv", columns))
    text = (tmp_path / "new/schemas/codebook.toml").read_text(encoding="utf-8")
    todo = "# TODO: what these numbers mean (the file has no label for them)"
    assert text.count(todo) == 1 and f"{todo}\ncodes.1" in text
    assert list(questions["q2"]["codes"].values()) == ["A little", "Very"]
    assert ("No answer", "q2", "no_answer") in lines(rows, "Q2")


def test_what_a_survey_tool_records_is_no_question_and_tests_are_proposed_to_be_left_out(
    tmp_path: Path,
) -> None:
    numbers = range(ROWS)
    columns = {
        "StartDate": ("Start Date", [f"2025-03-01 08:{row:02}:00" for row in numbers]),
        "Status": ("Response Type", [str(int(row < 2)) for row in numbers]),
        "Progress": ("Progress", [str(100 - row % 40) for row in numbers]),
        "Finished": ("Finished", ["1" for _ in numbers]),
        "ResponseId": ("Response ID", [f"R_{row}" for row in numbers]),
        "LocationLatitude": ("Location Latitude", [f"{55 + row / 7:.3f}" for row in numbers]),
        "Q1": ("How good?", [("Good", "Bad")[row % 2] for row in numbers]),
    }
    questions, rows = drafted(tmp_path, exported(tmp_path / "export 2024.csv", columns))
    assert list(questions) == ["q1"]
    assert {row[3] for row in rows if not row[0].startswith("Q")} == {"ignore"}
    text = (tmp_path / "new/schemas/waves/export-2024.toml").read_text(encoding="utf-8")
    assert 'id = "ResponseId"' in text
    assert text.count("[[exclusion]]") == 1 and '# column = "Status"\n# values = ["1"]\n' in text


def test_a_column_that_nobody_filled_is_named_in_the_next_wave_too(tmp_path: Path) -> None:
    columns = {
        "id": ("", [f"R_{row}" for row in range(ROWS)]),
        "Q1": ("How good?", [("Good", "Bad")[row % 2] for row in range(ROWS)]),
    }
    drafted(tmp_path, exported(tmp_path / "export 2024.csv", columns))
    root = tmp_path / "new"
    later = exported(tmp_path / "export 2025.csv", {**columns, "Q9": ("And why?", [""] * ROWS)})
    draft_wave(root, load_catalogue(root), "export-2025", later)
    assert "Q9,*,,ignore,guess: always blank: And why?" in (
        root / "schemas/instruments/export-2025.csv"
    ).read_text(encoding="utf-8")
