"""Meaning beats name: where the columns and codes of a new wave's file lead in its draft."""

from __future__ import annotations

import csv
import string
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd
import pyreadstat
import pytest

from pipeline.catalogue import load_catalogue
from pipeline.drafting import draft_wave
from tests.barometers import edit, pin

ROWS = 40
ITEMS = (
    "Opening hours", "Waiting times", "Staff friendliness", "Written information", "Cleanliness of rooms",
    "Parking", "Telephone service", "Web pages", "Privacy at the desk", "Fees", "Complaint handling",
)  # fmt: skip
SCALE = {1: "Very good", 2: "Good", 3: "Poor", 9: "Don't know"}
STEM = "How do you rate these: "


def key(text: str) -> str:
    return text.lower().replace(" ", "_")


def save(path: Path, labels: Mapping[str, str], values: Mapping[str, Mapping[int, str]]) -> Path:
    """An SPSS file of labelled columns, their codes in turn."""
    codes = {name: list(values.get(name, {1: "", 2: ""})) for name in labels}
    frame = pd.DataFrame(
        {"resp": [900_000 + row for row in range(ROWS)]}
        | {name: [codes[name][(row + at) % len(codes[name])] for row in range(ROWS)] for at, name in enumerate(labels)}
    )  # fmt: skip
    pyreadstat.write_sav(frame, path, column_labels=dict(labels), variable_value_labels=dict(values))
    return path


def battery(path: Path, items: Sequence[str], scale: Mapping[int, str] = SCALE, stem: str = STEM) -> Path:
    """A file that asks these items in this order, as q5a, q5b ..."""
    names = [f"q5{letter}" for letter in string.ascii_lowercase[: len(items)]]
    labels = {name: stem + item for name, item in zip(names, items, strict=True)}
    return save(path, labels, dict.fromkeys(names, scale))


@pytest.fixture
def asked(barometer: Path, tmp_path: Path) -> Path:
    """The small barometer with a battery of eleven items; dk-2022 asked them, labelled, in codebook order."""
    items = "\n".join(f'items.{key(item)} = "{item}"' for item in ITEMS)
    codes = "\n".join(f'codes.{key(text).replace(chr(39), "")} = "{text}"' for text in SCALE.values())
    path = barometer / "schemas/codebook.toml"
    with path.open("a", encoding="utf-8") as codebook:
        codebook.write(
            f'\n[questions.rating]\ntype = "grid"\ntext = "How do you rate these?"\n{items}\n{codes}\n'
        )
    raw = battery(barometer / "warehouse/raw/dk-2022.sav", ITEMS)
    assert raw.is_file()
    wave = barometer / "schemas/waves/dk-2022.toml"
    edit(wave, 'file = "dk-2022.csv"', 'file = "dk-2022.sav"')
    edit(wave, 'delimiter = ";"\ndecimal = ","\n', "")
    edit(wave, 'id = "ID"', 'id = "resp"')
    pin(barometer, "dk-2022")
    rows = [
        f"q5{letter},{code},rating.{key(item)},{key(text).replace(chr(39), '')},"
        for letter, item in zip(string.ascii_lowercase, ITEMS, strict=False)
        for code, text in SCALE.items()
    ]
    with (barometer / "schemas/instruments/dk.csv").open("a", encoding="utf-8") as crosswalk:
        crosswalk.write("\n".join(rows) + "\n")
    return barometer


def drafted(root: Path, file: Path, wave: str = "dk-2024") -> list[list[str]]:
    draft_wave(root, load_catalogue(root), wave, file)
    text = (root / f"schemas/instruments/{wave}.csv").read_text(encoding="utf-8")
    return list(csv.reader(text.splitlines()))[1:]


def led(rows: Sequence[Sequence[str]]) -> dict[str, str]:
    """Where each column leads."""
    return {row[0]: row[2] for row in rows if row[3] != "ignore"}


def test_an_unchanged_battery_is_as_before_and_says_so_with_its_labels(asked: Path, tmp_path: Path) -> None:
    rows = drafted(asked, battery(tmp_path / "new.sav", ITEMS))
    assert [row[2] for row in rows if row[1] == "1"] == [f"rating.{key(item)}" for item in ITEMS]
    assert [
        "q5a",
        "1",
        "rating.opening_hours",
        "very_good",
        f"guess 1.00: {STEM}{ITEMS[0]} (as in dk)",
    ] in rows


def test_a_battery_shifted_by_one_letter_follows_its_labels(asked: Path, tmp_path: Path) -> None:
    rows = drafted(asked, battery(tmp_path / "new.sav", ("Accessibility by bus", *ITEMS)))
    found = led(rows)
    assert found.pop("q5a") == ""
    assert list(found.values()) == [f"rating.{key(item)}" for item in ITEMS]
    note = next(row[4] for row in rows if row[:2] == ["q5b", "1"])
    assert "Opening hours" in note and "(the name was rating.waiting_times in dk)" in note
    assert next(row[4] for row in rows if row[:2] == ["q5a", "1"]).startswith("TODO: ")


def test_a_battery_that_lost_an_item_and_got_another_at_the_end(asked: Path, tmp_path: Path) -> None:
    found = led(drafted(asked, battery(tmp_path / "new.sav", (*ITEMS[1:], "Toilets"))))
    assert found.pop("q5k") == ""
    assert list(found.values()) == [f"rating.{key(item)}" for item in ITEMS[1:]]


def test_a_battery_in_another_order_without_its_question(asked: Path, tmp_path: Path) -> None:
    turned = ITEMS[::-1]
    found = led(drafted(asked, battery(tmp_path / "new.sav", turned, stem="")))
    assert list(found.values()) == [f"rating.{key(item)}" for item in turned]


def test_an_item_replaced_under_its_old_name_is_not_the_old_one(asked: Path, tmp_path: Path) -> None:
    items = list(ITEMS)
    items[3] = "Translated leaflets in sign language"
    found = led(drafted(asked, battery(tmp_path / "new.sav", items)))
    assert found["q5d"] == "" and found["q5c"] == "rating.staff_friendliness"


def test_labels_in_another_language_are_those_of_the_wave_before(asked: Path, tmp_path: Path) -> None:
    danish = (
        "Åbningstider", "Ventetid", "Personalets venlighed", "Skriftlig information", "Rengøring", "Parkering",
        "Telefonbetjening", "Hjemmeside", "Diskretion", "Gebyrer", "Klagebehandling",
    )  # fmt: skip
    stem = "Hvordan vurderer du: "
    battery(asked / "warehouse/raw/dk-2022.sav", danish, stem=stem)
    pin(asked, "dk-2022")
    found = led(drafted(asked, battery(tmp_path / "new.sav", ("Adgang med bus", *danish), stem=stem)))
    assert found.pop("q5a") == ""
    assert list(found.values()) == [f"rating.{key(item)}" for item in ITEMS]


def test_where_no_label_can_be_compared_the_name_counts_least(barometer: Path, tmp_path: Path) -> None:
    """The wave before was a CSV without labels, the codebook is in another language."""
    labels = {"REG": "Landsdel", "Q1_1": "Nye varer", "Q1_2": "Nye ydelser"}
    values = {"Q1_1": {1: "Ja", 2: "Nej", 9: "Ved ikke"}}
    rows = drafted(barometer, save(tmp_path / "new.sav", labels, values))
    assert ["Q1_1", "1", "introduced.product", "yes", "guess 0.50: Nye varer (as in dk)"] in rows


def test_codes_that_changed_places_follow_their_labels(asked: Path, tmp_path: Path) -> None:
    turned = {1: "Poor", 2: "Good", 3: "Very good", 9: "Don't know"}
    rows = {(row[0], row[1]): row[2:] for row in drafted(asked, battery(tmp_path / "new.sav", ITEMS, turned))}
    assert rows["q5a", "1"][:2] == ["rating.opening_hours", "poor"]
    assert "was very_good in dk" in rows["q5a", "1"][2]
    assert rows["q5a", "2"][1] == "good" and rows["q5a", "3"][1] == "very_good"


@pytest.mark.parametrize(
    ("yes", "no", "labels", "expected"),
    [
        ("Hace innovación", "No innova", {1: "Hace innovación", 2: "No hace innovación"}, {"1": "yes", "2": "no"}),
        ("Satisfied", "Not satisfied", {1: "Not satisfied", 2: "Satisfied"}, {"1": "no", "2": "yes"}),
        ("Zufrieden", "Nicht zufrieden", {1: "Zufrieden", 2: "Nicht zufrieden"}, {"1": "yes", "2": "no"}),
        ("Er enig", "Er ikke enig", {1: "Er ikke enig", 2: "Er enig"}, {"1": "no", "2": "yes"}),
        ("Likely", "Unlikely", {1: "Unlikely", 2: "Likely"}, {"1": "no", "2": "yes"}),
    ],
)  # fmt: skip
def test_what_denies_an_answer_is_another_answer(
    barometer: Path, tmp_path: Path, yes: str, no: str, labels: dict[int, str], expected: dict[str, str]
) -> None:
    with (barometer / "schemas/codebook.toml").open("a", encoding="utf-8") as codebook:
        codebook.write(
            f'\n[questions.does]\ntype = "single"\ntext = "Main thing of the firm"\ncodes.yes = "{yes}"\ncodes.no = "{no}"\n'
        )
    rows = drafted(
        barometer, save(tmp_path / "new.sav", {"h1": "Main thing of the firm"}, {"h1": labels}), "se-2024"
    )
    assert {row[1]: row[3] for row in rows if row[2] == "does"} == expected


def test_no_two_codes_of_a_column_lead_to_one(barometer: Path, tmp_path: Path) -> None:
    labels = {1: "First of its kind", 2: "First", 3: "Copied", 4: "First, in part"}
    rows = drafted(
        barometer, save(tmp_path / "new.sav", {"n": "The newest one was ..."}, {"n": labels}), "se-2024"
    )
    found = [row[3] for row in rows if row[2] == "novelty" and row[3]]
    assert len(found) == len(set(found))
    assert [row[3] for row in rows if row[0] == "n"] == ["", "first", "copied", ""]


def test_what_was_ignored_stays_ignored_unless_its_label_says_otherwise(asked: Path, tmp_path: Path) -> None:
    with (asked / "schemas/instruments/dk.csv").open("a", encoding="utf-8") as crosswalk:
        crosswalk.write("sys1,*,,ignore,\nsys2,*,,ignore,\n")
    labels = {"sys1": "Interviewer", "sys2": "What value did it bring? - Quality", "new": "Interviewer's sex"}
    rows = {row[0]: row for row in drafted(asked, save(tmp_path / "new.sav", labels, {}))}
    assert rows["sys1"] == ["sys1", "*", "", "ignore", "guess: ignored as in dk: Interviewer"]
    assert rows["sys2"][2] == "value.quality" and rows["new"][3] == ""


@pytest.mark.parametrize(
    "texts",
    [
        ["I waited two hours and nobody came to help me", "My neighbour Ann was rude to me", "All went very well indeed"],
        ["good stuff", "so so", "never again", "quite nice", "thank you all"],
        ["x" * 70, "y" * 70],
    ],
)  # fmt: skip
def test_what_respondents_wrote_is_never_codes(barometer: Path, tmp_path: Path, texts: list[str]) -> None:
    frame = pd.DataFrame(
        {"id": range(900, 940), "novelty": [texts[row] if row < len(texts) else "" for row in range(ROWS)]}
    )
    frame.to_csv(tmp_path / "new.csv", index=False)
    rows = drafted(barometer, tmp_path / "new.csv", "se-2024")
    assert [row for row in rows if row[0] == "novelty"] == [
        ["novelty", "*", "", "ignore", "guess: texts, or too many codes to be an answer"]
    ]
    assert not any(text in str(rows) for text in texts)
