"""What a respondent wrote, or is known by, stands in no problem, finding, report or Dagster's storage."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from pipeline.catalogue import load_catalogue
from pipeline.contracts import compiled, microdata_schema
from pipeline.defs.execution import runner
from pipeline.drafting.draft import draft_wave
from pipeline.harmonise import harmonise
from pipeline.problems import ProblemError
from pipeline.sources import listed, named, read_raw, visible
from pipeline.steps import quality
from pipeline.weighting import weigh
from tests.barometers import edit, pin

WAVE = "dk-2020"
SAID = "I hate my boss, Ann Berg"


def deliver(root: Path, column: str, cells: dict[int, str]) -> None:
    """The small barometer's wave of 2020 with these cells in a column; row 0 is the first."""
    path = root / "warehouse/raw/dk-2020.csv"
    frame = pd.read_csv(path, sep=";", dtype="str", keep_default_na=False)
    frame.loc[list(cells), column] = list(cells.values())
    frame.to_csv(path, sep=";", index=False)
    pin(root, WAVE)


def stopped(root: Path) -> str:
    """What the problems of the wave say, with their values."""
    catalogue = load_catalogue(root)
    wave = catalogue.waves[WAVE]
    with pytest.raises(ProblemError) as caught:
        answers = harmonise(
            read_raw(catalogue.raw_path(wave.source.file), wave.source).frame, wave, catalogue
        )
        weigh(answers.answers, wave, catalogue)
    return json.dumps([problem.as_dict() for problem in caught.value.problems]) + str(caught.value)


@pytest.mark.parametrize("column", ["SEKTOR", "REG", "Q1_1", "Q2", "Q3_1", "ANSATTE"])
def test_a_text_in_a_column_is_counted_and_not_shown(barometer: Path, column: str) -> None:
    deliver(barometer, column, {3: SAID, 7: "another long opinion"})
    told = stopped(barometer)
    assert "Ann" not in told and "opinion" not in told
    assert "2 texts" in told


def test_a_code_is_shown_beside_the_texts(barometer: Path) -> None:
    deliver(barometer, "Q2", {3: SAID, 7: "5", 8: "5", 9: "x\x1b[31my"})
    told = stopped(barometer)
    assert "('5')" in told and "in 2 rows of dk-2020.csv" in told
    assert "holds 1 text that the crosswalk does not list, in 1 row of" in told
    assert "\x1b" not in told


def test_an_answer_of_many_is_a_label_and_shown(barometer: Path) -> None:
    deliver(barometer, "Q2", dict.fromkeys(range(5), "Something else"))
    assert "('Something else')" in stopped(barometer)


def test_a_column_of_numbers_that_name_people_is_not_poured_out(barometer: Path) -> None:
    deliver(barometer, "Q2", {row: f"0101{row:07}" for row in range(80)})
    told = stopped(barometer)
    assert "0101" not in told and "80 texts" in told


def test_strata_without_a_count_are_not_named_when_they_are_texts(barometer: Path) -> None:
    edit(barometer / f"schemas/waves/{WAVE}.toml", 'strata = ["SEKTOR"]', 'strata = ["COMMENT"]')
    edit(barometer / "warehouse/raw/dk-strata.csv", "SEKTOR,population\n1,220", "COMMENT,population\na,220")
    path = barometer / "warehouse/raw/dk-2020.csv"
    frame = pd.read_csv(path, sep=";", dtype="str", keep_default_na=False)
    frame.assign(COMMENT=["a", SAID, "b"] + ["a"] * 77).to_csv(path, sep=";", index=False)
    pin(barometer, WAVE)
    told = stopped(barometer)
    assert "has no row for 2 strata with 2 respondents" in told
    assert "b, 1 text" in told and "Ann" not in told


def test_dagster_keeps_none_of_it(barometer: Path) -> None:
    """Neither in its storage, nor in the problems and reports that lie beside it."""
    deliver(barometer, "Q2", {3: SAID})
    outcome = runner(barometer).ingest(WAVE)
    assert not outcome.done and "1 text" in str(outcome.problems[0])
    kept = [
        path
        for folder in (".dagster", "warehouse/problems", "warehouse/harmonised", "warehouse/ingested")
        for path in (barometer / folder).rglob("*")
        if path.is_file() and path.suffix != ".parquet"
    ]
    assert any(path.suffix == ".db" for path in kept)
    assert [path for path in kept if b"Ann Berg" in path.read_bytes()] == []


def test_a_broken_contract_names_no_cell(barometer: Path) -> None:
    catalogue = load_catalogue(barometer)
    schema = compiled(microdata_schema(catalogue, catalogue.waves[WAVE]))
    stored = pd.DataFrame({name: [SAID] for name in schema.columns})
    none = pd.DataFrame({"row": []})
    found = quality.contract(stored, none, catalogue.waves[WAVE], catalogue)
    assert not found.passed and found.rows
    assert "Ann" not in f"{found.message} {found.numbers} {found.rows}"


def test_what_a_draft_took_for_a_code_is_counted(barometer: Path) -> None:
    """A text among codes is drafted as one of them, for somebody to decide; ``check`` need not repeat it."""
    text = (
        (barometer / "warehouse/raw/dk-2020.csv")
        .read_text(encoding="utf-8")
        .replace(";1;", ";my boss, Ann;", 1)
    )
    (barometer / "delivered.csv").write_text(text, encoding="utf-8")
    draft_wave(barometer, load_catalogue(barometer), "dk-2024", barometer / "delivered.csv")
    told = "\n".join(map(str, load_catalogue(barometer).problems))
    assert "Ann" not in told
    assert "column Q1_1 is not mapped to the codebook ('1 text')" in told


def test_what_may_be_shown() -> None:
    assert visible({"9": 1, "Copied": 1, SAID: 4, "Something else": 5, "x" * 61: 9}) == {
        "9": "9",
        "Copied": "Copied",
        SAID: None,
        "Something else": "Something else",
        "x" * 61: None,
    }
    many = {str(number): 1 for number in range(21)} | {"9": 5}
    assert [text for text, code in visible(many).items() if code is not None] == ["9"]
    assert named({"a": 1, SAID: 1, f"{SAID}!": 1}) == "a, 2 texts"
    assert (
        listed(pd.Series(["a", "", SAID, "a"], dtype="str")[[0, 2, 3]])
        == "a, 1 text, first in row 3 of the wave's"
    )
