"""A barometer begins from nothing: the starter runs as it is, a delivered file becomes a draft that runs
soon.
"""

from __future__ import annotations

import csv
import hashlib
import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pandas as pd
import pyreadstat
import pytest
from typer.testing import CliRunner

from pipeline.catalogue import Catalogue, load_catalogue
from pipeline.cli.app import app
from pipeline.drafting import draft_barometer, draft_wave, write_starter
from pipeline.problems import ProblemError
from pipeline.staleness.outputs import PRODUCT_STEPS, WAVE_STEPS
from pipeline.steps import products, waves
from pipeline.steps.releases import seal_candidates
from pipeline.steps.verification import verify
from pipeline.warehouse import query

UNITS = 240
DECISIONS = {  # what only the owner of a file knows, and check names
    "schemas/barometer.toml": {"licence": '"CC-BY-4.0"', "released": "2025-06-30"},
    "schemas/instruments/trust-2024.toml": {"language": '"en"'},
    "schemas/waves/trust-2024.toml": {
        "country": '"NO"', "start": "2024-01-01", "end": "2024-12-31", "producer": '"Office"', "licence": '"CC0-1.0"',
    },
}  # fmt: skip


def built(root: Path) -> Catalogue:
    """A barometer without a problem, run from raw file to data package."""
    catalogue = load_catalogue(root)
    assert catalogue.problems == ()
    for wave in catalogue.waves:
        for step in WAVE_STEPS:
            getattr(waves, step)(wave, catalogue)
    for step in PRODUCT_STEPS:
        getattr(products, step)(catalogue)
    return catalogue


def asked(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, [*arguments])
    return done.exit_code, done.output


def drafted(folder: Path, file: Path) -> dict[str, Any]:
    draft_barometer(folder, file)
    return tomllib.loads((folder / "schemas/codebook.toml").read_text(encoding="utf-8"))


def mapped(folder: Path) -> dict[tuple[str, str], tuple[str, str]]:
    (path,) = (folder / "schemas/instruments").glob("*.csv")
    rows = list(csv.reader(path.read_text(encoding="utf-8").splitlines()))[1:]
    assert all(row[4].startswith("guess") for row in rows)
    return {(row[0], row[1]): (row[2], row[3]) for row in rows}


# ── the starter ──────────────────────────────────────────────────────────────


def test_the_starter_runs_is_released_and_verifies(tmp_path: Path) -> None:
    folder = tmp_path / "My survey"
    write_starter(folder)
    catalogue = built(folder)
    assert catalogue.barometer.id == "my-survey" and list(catalogue.waves) == ["staff-2026-synthetic"]
    forms = {question.type for question in catalogue.questions.values()}
    assert forms == {"single", "multiple", "grid", "numeric"}
    shown = query(
        folder, "SELECT count(*), count(value) FROM published.estimates WHERE domain = 'total'"
    ).rows
    assert shown == [(15, 15)]
    (sealed,) = seal_candidates(catalogue)
    assert sealed.version == "0.1.0"
    verified = verify(catalogue, folder / "warehouse/releases/my-survey/0.1.0")
    assert verified.version == "0.1.0" and verified.files > 40


def test_every_file_of_the_starter_says_that_it_is_synthetic(tmp_path: Path) -> None:
    written = write_starter(tmp_path / "new")
    declared = [path for path in written if path.parent.name != ".json"]
    for path in declared:
        assert "ynthetic" in path.name + path.read_text(encoding="utf-8"), path.name
    raw = (tmp_path / "new/warehouse/raw/staff-2026-synthetic.csv").read_text(encoding="utf-8").splitlines()
    assert all(line.startswith("synthetic-") for line in raw[1:])


def test_the_same_starter_is_written_every_time(tmp_path: Path) -> None:
    first, second = (
        {path.name: path.read_bytes() for path in write_starter(tmp_path / place / "it")} for place in "ab"
    )
    own = b"".join(content for name, content in first.items() if not name.endswith(".json"))
    assert first == second and b"NAME" not in own


def test_init_names_what_it_wrote_and_what_comes_next(tmp_path: Path) -> None:
    code, output = asked("--project", str(tmp_path), "init", "mine")
    assert code == 0 and "wrote mine/schemas/barometer.toml" in output and "The data are synthetic." in output
    assert asked("--project", str(tmp_path / "mine"), "check") == (
        0, "mine: 1 wave, 1 instrument, 4 questions, 7 indicators, 3 breakdowns. No problems.\n",
    )  # fmt: skip
    (tmp_path / "other").mkdir()
    code, output = asked("--project", str(tmp_path / "other"), "init", "--json")
    assert code == 0 and "schemas/barometer.toml" in json.loads(output)["written"]


@pytest.mark.parametrize(
    "taken", ["schemas/codebook.toml", ".gitignore", "warehouse/raw/staff-2026-synthetic.csv"]
)
def test_init_overwrites_nothing(tmp_path: Path, taken: str) -> None:
    (tmp_path / taken).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / taken).write_text("mine", encoding="utf-8")
    code, output = asked("--project", str(tmp_path), "init")
    assert code == 1 and "nothing is overwritten" in output and "Traceback" not in output
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [tmp_path / taken]
    assert (tmp_path / taken).read_text(encoding="utf-8") == "mine"


def test_a_place_that_cannot_be_written_is_a_plain_problem(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    code, output = asked("--project", str(tmp_path), "init", "file/new")
    assert code == 1 and "cannot be written" in output and "Traceback" not in output


# ── a delivered file ─────────────────────────────────────────────────────────


@pytest.fixture
def delivered(tmp_path: Path) -> Path:
    """A labelled file: weights, strata, a region, one question of every type."""
    rows = range(UNITS)
    frame = pd.DataFrame(
        {
            "resp_id": [1000 + row for row in rows],
            "stratum": [1 + row % 2 for row in rows],
            "region": [1 + row % 3 for row in rows],
            "trust": [(1, 2, 3, 8)[row % 4] for row in rows],
            "q3_1": [row % 2 for row in rows],
            "q3_2": [row % 3 // 2 for row in rows],
            "q4a": [(1, 2, 3, 9)[row % 4] for row in rows],
            "q4b": [(3, 1, 1, 2)[row % 4] for row in rows],
            "hours": [998 if row % 20 == 0 else 20 + row % 35 for row in rows],
            "member": [1 if row % 5 == 0 else None for row in rows],
            "comment": [f"text {row % 90}" for row in rows],
            "weight": [0.5 + row % 7 / 4 for row in rows],
        }
    )
    labels = {
        "region": "Region of residence",
        "trust": "How much do you trust the government?",
        "q3_1": "What do you read? - Newspapers",
        "q3_2": "What do you read? - Books",
        "q4a": "Do you agree: Taxes are fair",
        "q4b": "Do you agree: Schools are good",
        "hours": "Hours worked per week",
    }
    agreement = {1: "Agree", 2: "Neither", 3: "Disagree", 9: "Don't know"}
    values = {
        "stratum": {1: "City", 2: "Country"},
        "region": {1: "Nørre", 2: "South & east", 3: "West"},
        "trust": {1: "A lot", 2: "Some", 3: "None", 8: "Refused"},
        "q3_1": {0: "No", 1: "Yes"},
        "q3_2": {0: "No", 1: "Yes"},
        "q4a": agreement,
        "q4b": agreement,
        "hours": {998: "Don't know"},
    }
    path = tmp_path / "trust_2024.sav"
    pyreadstat.write_sav(frame, path, column_labels=labels, variable_value_labels=values)
    return path


def test_questions_types_and_codes_are_guessed(tmp_path: Path, delivered: Path) -> None:
    codebook = drafted(tmp_path / "new", delivered)
    assert {key: entry["type"] for key, entry in codebook["questions"].items()} == {
        "trust": "single", "q3": "multiple", "q4": "grid", "hours": "numeric", "member": "single",
    }  # fmt: skip
    assert codebook["variables"]["region"]["codes"] == {
        "noerre": "Nørre", "south_east": "South & east", "west": "West",
    }  # fmt: skip
    assert list(codebook["variables"]) == ["stratum_group", "region"]
    assert codebook["questions"]["trust"]["nonresponse"] == ["refused"]
    assert codebook["questions"]["q3"]["text"] == "What do you read?"
    assert codebook["questions"]["q3"]["items"] == {"newspapers": "Newspapers", "books": "Books"}
    rows = mapped(tmp_path / "new")
    assert rows["resp_id", "*"] == rows["weight", "*"] == rows["comment", "*"] == ("", "ignore")
    assert rows["q3_2", "1"] == ("q3.books", "selected") and rows["q3_2", "0"] == ("q3.books", "not_selected")
    assert rows["q4b", "9"] == ("q4.schools_are_good", "dont_know")
    assert rows["hours", "*"] == ("hours", "=") and rows["hours", "998"] == ("hours", "no_answer")
    assert rows["member", "1"] == ("member", "yes") and rows["member", ""] == ("member", "no")


def test_check_names_what_is_left_and_then_it_runs(tmp_path: Path, delivered: Path) -> None:
    folder = tmp_path / "new"
    draft_barometer(folder, delivered)
    named = {(problem.file, problem.key.rpartition(".")[2]) for problem in load_catalogue(folder).problems}
    assert named == {(file, key) for file, keys in DECISIONS.items() for key in keys}
    for file, keys in DECISIONS.items():
        text = (folder / file).read_text(encoding="utf-8")
        for key, value in keys.items():
            text, changed = re.subn(rf'\b{key} = ""', f"{key} = {value}", text)
            assert changed == 1, key
        (folder / file).write_text(text, encoding="utf-8")
    catalogue = built(folder)
    wave = catalogue.waves["trust-2024"]
    assert wave.design is not None and wave.weighting is not None
    assert (wave.survey, wave.edition, *wave.design.id, wave.design.weight) == (
        "trust",
        "2024",
        "resp_id",
        "weight",
    )
    assert (wave.design.strata, wave.weighting.method) == (("stratum",), "given")
    ((n, hours),) = query(
        folder, "SELECT n, value FROM published.estimates WHERE indicator = 'hours' AND domain = 'total'"
    ).rows
    assert n == UNITS - UNITS // 20 and 20 < hours < 55


def test_answers_stand_in_the_order_of_their_codes_and_texts_without_one_are_a_guess(tmp_path: Path) -> None:
    scale = {1: "Very good", 2: "Fair", 3: "Awful", 9: "Don't know"}
    frame = pd.DataFrame({"id": range(900, 960), "mood": [(9, 3, 1, 2)[row % 4] for row in range(60)]})
    frame["size"] = [("10-19", "5-9", "100+")[row % 3] for row in range(60)]
    frame["often"] = [("Often", "Never", "Always")[row % 3] for row in range(60)]
    pyreadstat.write_sav(frame, tmp_path / "mood 2024.sav", variable_value_labels={"mood": scale})
    codebook = drafted(tmp_path / "new", tmp_path / "mood 2024.sav")
    assert list(codebook["questions"]["mood"]["codes"].values()) == list(scale.values())
    assert list(codebook["variables"]["size"]["codes"].values()) == ["5-9", "10-19", "100+"]
    lines = (tmp_path / "new/schemas/codebook.toml").read_text(encoding="utf-8").splitlines()
    marked = [at for at, line in enumerate(lines) if line.startswith("# guess: order")]
    assert [lines[at + 1].split(" = ")[0] for at in marked] == ["codes.always"]


def test_what_a_label_says_of_no_answer_decides_where_its_code_leads(tmp_path: Path) -> None:
    codes = {
        1: "Yes",
        2: "No",
        6: "Logically not applicable",
        7: "Don't know",
        8: "Not reached",
        9: "Omitted",
    }
    frame = pd.DataFrame({"id": range(900, 960), "works": [(1, 2, 9)[row % 3] for row in range(60)]})
    frame["paid"] = [6 if row % 3 == 1 else (1, 7, 8)[row % 3] for row in range(60)]
    frame["country"] = 208
    path = tmp_path / "work 2024.sav"
    values = {"works": codes, "paid": codes, "country": {208: "Denmark"}}
    pyreadstat.write_sav(
        frame, path, variable_value_labels=values, missing_ranges={"paid": [{"lo": 6, "hi": 9}]}
    )
    codebook = drafted(tmp_path / "new", path)
    with (tmp_path / "new/schemas/instruments/work-2024.csv").open(encoding="utf-8") as file:
        rows = {(row[0], row[1]): row[2:] for row in csv.reader(file)}
    assert [rows["paid", code][1] for code in "126789"] == ["yes", "no", "not_asked", "dont_know", "no_answer", "no_answer"]  # fmt: skip
    assert rows["works", "9"][1:] == ["no_answer", "guess: Omitted"]
    assert rows["paid", "9"][1:] == ["no_answer", "user-missing in the file: Omitted"]
    assert rows["country", "*"][1:] == ["ignore", "guess: the same on every row"]
    assert list(codebook["questions"]["paid"]["codes"]) == ["yes", "no", "dont_know"]
    assert codebook["questions"]["paid"]["nonresponse"] == ["dont_know"]


def test_codes_with_leading_zeros_are_no_numbers_and_dates_are_said(tmp_path: Path) -> None:
    lines = [f"{row + 70},{row % 12 + 1:02},{row % 40:04},20{row % 9 + 10}-05-{row % 28 + 1:02},{row % 40}" for row in range(80)]  # fmt: skip
    (tmp_path / "units 2024.csv").write_text(
        "id,trade,place,founded,staff\n" + "\n".join(lines), encoding="utf-8"
    )
    codebook = drafted(tmp_path / "new", tmp_path / "units 2024.csv")
    assert (
        codebook["questions"]["trade"]["type"] == "single"
        and codebook["questions"]["staff"]["type"] == "numeric"
    )
    with (tmp_path / "new/schemas/instruments/units-2024.csv").open(encoding="utf-8") as file:
        notes = {row[0]: row[4] for row in csv.reader(file) if row[3] == "ignore"}
    assert notes == {
        "id": "guess: identifies the unit",
        "place": "guess: texts, or too many codes to be an answer",
        "founded": "guess: dates",
    }


@pytest.mark.parametrize(
    ("asked_of", "base"), [((1,), "owns_yes"), ((1, 3), "owns_yes_rents"), ((1, 2, 3), None), ((), None)]
)
def test_who_was_asked_is_guessed_from_what_is_blank(
    tmp_path: Path, asked_of: tuple[int, ...], base: str | None
) -> None:
    owns = [(1, 2, 3)[row % 3] for row in range(60)]
    frame = pd.DataFrame({"id": range(900, 960), "owns": owns})
    frame["happy"] = [1 + row % 2 if owns[row] in asked_of else None for row in range(60)]
    frame["price"] = [100.5 + row if owns[row] in asked_of else None for row in range(60)]
    frame["patchy"] = [1 + row % 2 if row % 7 else None for row in range(60)]
    values = {"owns": {1: "Yes", 2: "No", 3: "Rents"}, "happy": {1: "A", 2: "B"}, "patchy": {1: "A", 2: "B"}}
    pyreadstat.write_sav(frame, tmp_path / "homes 2024.sav", variable_value_labels=values)
    questions = drafted(tmp_path / "new", tmp_path / "homes 2024.sav")["questions"]
    assert "base" not in questions["owns"] and "base" not in questions["patchy"]
    assert questions.get("happy", {}).get("base") == base and questions.get("price", {}).get("base") == base
    indicators = tomllib.loads((tmp_path / "new/schemas/indicators.toml").read_text(encoding="utf-8"))
    codes = {"owns_yes": "yes", "owns_yes_rents": "yes|rents"}
    words = {"owns_yes": "owns: Yes", "owns_yes_rents": "owns: Yes, Rents"}
    bases = {base: {"label": words[base], "any": [f"owns={codes[base]}"]}} if base else {}
    assert indicators.get("bases", {}) == bases
    assert not [
        p for p in load_catalogue(tmp_path / "new").problems if "codebook" in p.file or "indic" in p.file
    ]
    if base:
        found = [each.text for each in load_catalogue(tmp_path / "new").unconfirmed]
        assert found.count("guess: blank for all others") == 2


def test_init_says_what_it_drafted_and_how_to_go_on(
    tmp_path: Path, delivered: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    code, output = asked("--project", ".", "init", "my survey", "--from", str(delivered))
    assert code == 0
    assert (
        'Drafted: 5 questions, 2 background variables, id = "resp_id", strata = ["stratum"], weight = "weight".'
        in output
    )
    assert "`barometer --project 'my survey' check`" in output
    text = (tmp_path / "my survey/schemas/barometer.toml").read_text(encoding="utf-8")
    assert "docs/" not in text and "`barometer schema --markdown`" in text
    monkeypatch.chdir(tmp_path / "my survey")
    code, output = asked("--project", ".", "new-wave", "trust-2026", str(delivered))
    assert code == 0 and "Next: `barometer check` lists" in output


def test_every_declaration_of_a_new_barometer_names_its_schema(tmp_path: Path, delivered: Path) -> None:
    write_starter(tmp_path / "starter")
    draft_barometer(tmp_path / "own", delivered)
    draft_wave(tmp_path / "own", load_catalogue(tmp_path / "own"), "trust-2026", delivered)
    for folder in ("starter", "own"):
        paths = sorted((tmp_path / folder / "schemas").rglob("*.toml"))
        assert len(paths) >= 6
        for path in paths:
            first = path.read_text(encoding="utf-8").splitlines()[0]
            schema = (path.parent / first.removeprefix("#:schema ")).resolve()
            assert first.startswith("#:schema ") and "$schema" in json.loads(schema.read_text("utf-8")), path
            kind = path.parent.name if path.parent.name in ("waves", "instruments") else path.stem
            assert schema.stem == kind


@pytest.mark.parametrize("kind", ["csv", "xlsx", "dta", "parquet"])
def test_every_format_is_drafted(tmp_path: Path, kind: str) -> None:
    frame = pd.DataFrame(
        {
            "id": [f"u{row}" for row in range(60)],
            "Region": ["North", "South"] * 30,
            "Q1": [1, 2, 3] * 20,
            "income": [100.5 + row % 40 for row in range(60)],
        }
    )
    path = tmp_path / f"people 2023.{kind}"
    if kind == "dta":
        frame.to_stata(path, write_index=False)
    elif kind == "parquet":
        frame.to_parquet(path)
    else:
        frame.to_csv(path, index=False) if kind == "csv" else frame.to_excel(path, index=False)
    codebook = drafted(tmp_path / "new", path)
    assert codebook["variables"]["region"]["codes"] == {"north": "North", "south": "South"}
    assert {key: entry["type"] for key, entry in codebook["questions"].items()} == {
        "q1": "single",
        "income": "numeric",
    }
    assert "TODO" in (tmp_path / "new/schemas/codebook.toml").read_text(encoding="utf-8")
    catalogue = load_catalogue(tmp_path / "new")
    assert {problem.file for problem in catalogue.problems} == {
        "schemas/barometer.toml", "schemas/instruments/people-2023.toml", "schemas/waves/people-2023.toml",
    }  # fmt: skip
    assert ("weighting.method", "needs population counts or a delivered weight") in {
        (problem.key, problem.message) for problem in catalogue.problems
    }


def test_awkward_names_and_codes_still_make_sound_declarations(tmp_path: Path) -> None:
    path = tmp_path / "awkward 2020.csv"
    path.write_text(
        "weight x;n;y1;total;7a;7b;Æ ø\n" + "".join(f"{row};{row % 2};NA;no_answer;{row % 3};{row % 3};-1\n" for row in range(30))
        + "30;1;N/A;ignore;2;1;+1\n",
        encoding="utf-8",
    )  # fmt: skip
    draft_barometer(tmp_path / "new", path)
    problems = load_catalogue(tmp_path / "new").problems
    assert not [
        problem
        for problem in problems
        if "codebook" in problem.file or "indicators" in problem.file or problem.file.endswith(".csv")
    ]


def test_no_answer_of_a_respondent_is_copied_from_text_columns(tmp_path: Path, delivered: Path) -> None:
    written = draft_barometer(tmp_path / "new", delivered)
    texts = "".join(path.read_text(encoding="utf-8") for path in written if path.suffix != ".sav")
    assert "text 1" not in texts and "1001" not in texts
    assert "!warehouse/raw/" not in (tmp_path / "new/.gitignore").read_text(encoding="utf-8").splitlines()


def test_a_draft_is_the_same_twice_and_pins_its_file(tmp_path: Path, delivered: Path) -> None:
    first, second = (
        [path.read_bytes() for path in draft_barometer(tmp_path / place / "it", delivered)] for place in "ab"
    )
    assert first == second
    wave = load_catalogue(tmp_path / "a/it").waves["trust-2024"]
    assert wave.source.sha256 == hashlib.sha256(delivered.read_bytes()).hexdigest()


@pytest.mark.parametrize(
    ("content", "said"), [(None, "does not exist"), ("", "nothing|empty|no rows"), ("a,b\n", "has no rows")]
)
def test_a_file_that_cannot_be_drafted_leaves_nothing_behind(
    tmp_path: Path, content: str | None, said: str
) -> None:
    path = tmp_path / "raw.csv"
    if content is not None:
        path.write_text(content, encoding="utf-8")
    with pytest.raises(ProblemError, match=said):
        draft_barometer(tmp_path / "new", path)
    assert not (tmp_path / "new").exists()
