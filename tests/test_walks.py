"""Whole paths, from a delivered file to a release, with the commands that a user types.

Two surveys, invented by ``tests/evidence/walks/draw.py``: teachers with replicate weights of three kinds, and a
register of local units. Estimates are held to R's package ``survey`` (``tests/evidence/walks/walks.R``).
"""

from __future__ import annotations

import csv
import json
import re
import shutil
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyreadstat
import pytest
from typer.testing import CliRunner

from pipeline.catalogue import load_catalogue
from pipeline.cli.app import app
from pipeline.estimation import Specification, estimate_wave, wave_statistics
from pipeline.harmonise import harmonise
from pipeline.sources import read_raw
from pipeline.warehouse import query
from pipeline.weighting import weigh
from tests.evidence.walks.draw import FILES, write
from tests.releases import build

RESULTS = Path(__file__).parent / "evidence/walks/results.csv"
RELATIVE, ABSOLUTE = 1e-9, 1e-8
TICKS = {1: "Checked", 2: "Not checked", 6: "Logically not applicable", 9: "Omitted or invalid"}
AGREEMENT = {1: "Strongly agree", 2: "Agree", 3: "Disagree", 4: "Strongly disagree", 9: "Omitted or invalid"}
LABELS = {
    "IDSCHOOL": "School ID", "IDTEACH": "Teacher ID", "STRATUM": "Explicit stratum", "VARZONE": "Variance zone",
    "VARUNIT": "Variance unit", "SEX": "Are you female or male?", "PD": "Did you take part in training last year?",
    "PDTA": "Which activities - Courses", "PDTB": "Which activities - Conferences", "AGRA": "Do you agree - I enjoy my work",
    "AGRB": "Do you agree - I would choose it again", "HOURS": "Hours taught in the last week",
    "SCHWGT": "Final school weight", "TCHWGT": "Final teacher weight",
}  # fmt: skip
VALUES = {
    "STRATUM": {1: "Public", 2: "Private", 3: "Rural"}, "SEX": {1: "Female", 2: "Male"},
    "PD": {1: "Yes", 2: "No", 9: "Omitted or invalid"}, "PDTA": TICKS, "PDTB": TICKS, "AGRA": AGREEMENT, "AGRB": AGREEMENT,
    "HOURS": {998: "Not reached", 999: "Omitted or invalid"},
}  # fmt: skip
MISSING = {name: [{"lo": 6, "hi": 9}] for name in ("PD", "PDTA", "PDTB", "AGRA", "AGRB")} | {"HOURS": [{"lo": 997, "hi": 999}]}  # fmt: skip


def said(root: Path, *arguments: str, code: int = 0) -> str:
    """What a command says; its exit code is ``code``."""
    done = CliRunner().invoke(app, ["--project", str(root), *arguments])
    assert done.exit_code == code, done.output
    return done.output


def edit(path: Path, *changes: tuple[str, str]) -> None:
    """Changes a declaration as a user would, each in at least one place."""
    text = path.read_text(encoding="utf-8")
    for pattern, value in changes:
        text, count = re.subn(pattern, value, text, flags=re.MULTILINE)
        assert count, pattern
    path.write_text(text, encoding="utf-8")


def confirm(root: Path) -> None:
    """Confirms every guess, as docs/your-own-survey.md does."""
    for path in (root / "schemas").rglob("*.csv"):
        path.write_text(re.sub(r',"?guess.*$', ",", path.read_text("utf-8"), flags=re.MULTILINE), "utf-8")
    for path in (root / "schemas").rglob("*.toml"):
        path.write_text(
            re.sub(r" *# (guess|TODO).*$", "", path.read_text("utf-8"), flags=re.MULTILINE), "utf-8"
        )


def decide(root: Path, wave: str) -> None:
    """Fills in what only the owner of the data knows."""
    answers = {"released": "2026-06-30", "licence": '"CC-BY-4.0"', "language": '"en"', "country": '"DK"'}
    answers |= {"unit": '"person"', "producer": '"Office"', "title": '"A survey"'}
    for path in (root / "schemas").rglob("*.toml"):
        if path.stem in ("barometer", wave):
            filled = path.read_text(encoding="utf-8")
            for key, value in answers.items():
                filled = re.sub(f'^{key} = ""', f"{key} = {value}", filled, flags=re.MULTILINE)
            path.write_text(filled, encoding="utf-8")


def date(root: Path, wave: str, year: int) -> None:
    """Dates a wave."""
    edit(
        root / f"schemas/waves/{wave}.toml",
        ('start = "", end = ""', f"start = {year}-01-01, end = {year}-12-31"),
    )


def drafted(root: Path, wave: str) -> dict[str, Any]:
    return tomllib.loads((root / f"schemas/waves/{wave}.toml").read_text(encoding="utf-8"))


def rows_of(root: Path, wave: str) -> dict[tuple[str, str], tuple[str, str]]:
    """The crosswalk of a wave: where each code of each column leads."""
    text = (root / f"schemas/instruments/{wave}.csv").read_text(encoding="utf-8")
    return {(row[0], row[1]): (row[2], row[3]) for row in csv.reader(text.splitlines()[1:])}


def hold_to_r(found: pd.DataFrame) -> int:
    """Every estimate that R has of these waves, as equal as two programs make it; returns how many."""
    names = ["wave", "indicator", "category", "domain", "domain_code"]
    expected = pd.read_csv(RESULTS, dtype={"domain_code": "str"}).fillna({"domain_code": ""})
    expected = expected[expected["wave"].isin(set(found["wave"]))]
    both = expected.merge(found, on=names, suffixes=("_r", ""), validate="one_to_one")
    assert len(both) == len(expected) > 0
    for column in ("n", "value", "se", *({"df"} & {*found})):
        known = (both["se_r"] > 0) | (column != "df")  # without an error they are of no use
        np.testing.assert_allclose(
            both.loc[known, column], both.loc[known, f"{column}_r"], RELATIVE, ABSOLUTE
        )
    return len(both)


def warehouse(root: Path) -> pd.DataFrame:
    """The unrounded estimates, as `query` has them."""
    columns = "wave, indicator, category, domain, domain_code, n, value, se"
    return pd.DataFrame(
        query(root, f"SELECT {columns} FROM statistics.estimates").rows, columns=columns.split(", ")
    )


def estimated(root: Path, wave: str) -> pd.DataFrame:
    """A wave's estimates from its raw file, without the steps' files."""
    catalogue = load_catalogue(root)
    assert catalogue.problems == ()
    declared = catalogue.waves[wave]
    raw = read_raw(catalogue.raw_path(declared.source.file), declared.source)
    mapped = harmonise(raw.frame, declared, catalogue, raw.metadata)
    sums = wave_statistics(weigh(mapped.answers, declared, catalogue).answers, declared, catalogue)
    return estimate_wave(sums, Specification.of(declared, catalogue))


def labelled(folder: Path, key: str, name: str, renamed: dict[str, str] | None = None) -> Path:
    """A drawn file as a statistics program saves it, with labels and the codes that are missing."""
    frame = pd.DataFrame(list(FILES[key]())).apply(pd.to_numeric)
    names = renamed or {}
    labels = [LABELS.get(column, f"Replicate weight of {column}") for column in frame]
    values = {names.get(column, column): each for column, each in VALUES.items()}
    path = folder / name
    frame = frame.rename(columns=names)
    if name.endswith(".dta"):
        pyreadstat.write_dta(frame, path, column_labels=labels, variable_value_labels=values)
    else:
        missing = {names.get(column, column): each for column, each in MISSING.items()}
        pyreadstat.write_sav(frame, path, column_labels=labels, variable_value_labels=values, missing_ranges=missing)  # fmt: skip
    return path


# ── a survey with replicate weights ──────────────────────────────────────────


@pytest.fixture(scope="module")
def teachers(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """The barometer of the teachers, as far as its run, and what the commands said."""
    folder = tmp_path_factory.mktemp("teachers")
    root, heard = folder / "teachers", {}
    heard["init"] = said(folder, "init", "teachers", "--from", str(labelled(folder, "teachers-2021", "teachers-2021.sav")))  # fmt: skip
    decide(root, "teachers-2021")
    date(root, "teachers-2021", 2021)
    renamed = {"PD": "T4PD", "PDTA": "T4PDA", "PDTB": "T4PDB"} | {f"W_REP{n}": f"TRWGT{n}" for n in range(1, 97)}  # fmt: skip
    heard["new-wave"] = said(
        root,
        "new-wave",
        "teachers-2025",
        str(labelled(folder, "teachers-2025", "teachers-2025.sav", renamed)),
    )
    heard["panel"] = (root / "schemas/waves/teachers-2025.toml").read_text(encoding="utf-8")
    edit(root / "schemas/waves/teachers-2025.toml", ("^panel = true.*", "panel = false"))
    date(root, "teachers-2025", 2025)
    confirm(root)
    heard["check"] = said(root, "check")
    build(root, ("teachers-2021", "teachers-2025"))
    return root, heard


@pytest.fixture(scope="module")
def others(teachers: tuple[Path, dict[str, str]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two other surveys beside the teachers' editions: balanced half samples, and factors, declared."""
    folder = tmp_path_factory.mktemp("others")
    root = folder / "teachers"
    shutil.copytree(teachers[0] / "schemas", root / "schemas")
    shutil.copytree(teachers[0] / "warehouse/raw", root / "warehouse/raw")
    said(root, "new-wave", "balanced-2022", str(labelled(folder, "balanced-2022", "balanced-2022.dta")))
    said(
        root, "new-wave", "factors-2023", str(write(folder, "factors-2023")), "--instrument", "teachers-2021"
    )
    for wave in ("balanced-2022", "factors-2023"):
        date(root, wave, int(wave[-4:]))
        decide(root, wave)
    edit(root / "schemas/waves/factors-2023.toml", ('^weight = "SCHWGT".*as well', 'weight = "TCHWGT"'))
    return root


def test_the_draft_reads_the_design_from_the_files(
    teachers: tuple[Path, dict[str, str]], others: Path
) -> None:
    heard = teachers[1]
    assert 'weight = "TCHWGT", replicate_weights = "W_REP*"' in heard["init"]
    fay = {"columns": "W_REP*", "method": "fay", "rho": 0.5}
    wanted = {
        "teachers-2021": ("TCHWGT", fay),  # and not the schools' weight, which comes first
        "teachers-2025": ("TCHWGT", fay | {"columns": "TRWGT*"}),
        "balanced-2022": ("TCHWGT", {"columns": "BRR*", "method": "brr"}),
        "factors-2023": ("TCHWGT", fay | {"combined": False}),
    }
    for wave, (weight, replicates) in wanted.items():
        design = drafted(others, wave)["design"]
        assert (design["weight"], design["replicate_weights"]) == (weight, replicates)
        assert (design["id"], design["strata"], design["psu"]) == (
            "IDTEACH",
            ["STRATUM", "VARZONE"],
            "VARUNIT",
        )
    assert "panel = true  # guess: 240 of 240 identifiers are in teachers-2021" in heard["panel"]


def test_codes_of_no_answer_and_of_nobody_asked_are_told_apart(others: Path) -> None:
    for wave, tick in (("teachers-2021", "PDTA"), ("teachers-2025", "T4PDA"), ("balanced-2022", "PDTA")):
        rows = rows_of(others, wave)
        assert [rows[tick, code][1] for code in "1269"] == [
            "selected",
            "not_selected",
            "not_asked",
            "no_answer",
        ]
        assert rows["HOURS", "998"] == rows["HOURS", "999"] == ("hours", "no_answer")
        assert rows["IDSCHOOL", "*"] == rows["VARZONE", "*"] == ("", "ignore")
        assert not [column for column, _ in rows if column.startswith(("W_REP", "TRWGT", "BRR"))]
    codebook = tomllib.loads((others / "schemas/codebook.toml").read_text(encoding="utf-8"))
    training = codebook["questions"]["pdt"]
    assert (training["base"], training["nothing_ticked"]) == ("pd_yes", "not_selected")
    assert set(codebook["variables"]) == {"stratum_group", "sex"}


def test_estimates_with_fays_replicates_equal_r(teachers: tuple[Path, dict[str, str]]) -> None:
    root, heard = teachers
    assert heard["check"] == "teachers: 2 waves, 2 instruments, 4 questions, 4 indicators, 3 breakdowns. No problems.\n"  # fmt: skip
    assert hold_to_r(warehouse(root)) == 14
    waves = pd.read_csv(root / "warehouse/candidate/teachers/data/waves.csv")
    assert set(waves["replicate_method"]) == {"fay"} and not waves[["stratified", "clustered"]].any(axis=None)


@pytest.mark.parametrize("wave", ["balanced-2022", "factors-2023"])
def test_estimates_with_half_samples_and_factors_equal_r(others: Path, wave: str) -> None:
    assert hold_to_r(estimated(others, wave)) == 7


def test_two_editions_are_compared(teachers: tuple[Path, dict[str, str]]) -> None:
    root, _ = teachers
    answer = json.loads(
        said(root, "compare", "teachers-2025", "teachers-2021", "--indicator", "hours", "--json")
    )
    assert (answer["verdict"], answer["reasons"]) == ("comparable", [])
    expected = pd.read_csv(RESULTS)
    hours = expected[(expected["indicator"] == "hours") & (expected["domain"] == "total")].set_index("wave")
    difference = hours.loc["teachers-2025", "value"] - hours.loc["teachers-2021", "value"]
    assert answer["comparisons"][0]["difference"] == pytest.approx(difference, abs=0.01)


def test_the_teachers_are_released_once_and_made_again_byte_by_byte(
    teachers: tuple[Path, dict[str, str]],
) -> None:
    root, _ = teachers
    assert "Sealed teachers 0.1.0" in said(root, "release")
    assert "every byte the same" in said(root, "verify", str(root / "warehouse/releases/teachers/0.1.0"))


# ── a register ───────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def units(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """The barometer of the register, as far as its run, and what the commands said."""
    folder = tmp_path_factory.mktemp("register")
    root, heard = folder / "local-units", {}
    heard["init"] = said(folder, "init", "local-units", "--from", str(write(folder, "local-units-2023")))
    decide(root, "local-units-2023")
    date(root, "local-units-2023", 2023)
    heard["unweighted"] = said(root, "check", code=1)
    wave = root / "schemas/waves/local-units-2023.toml"
    edit(wave, ("^method = .*", 'method = "none"'), (r"^\[design\].*", "[design]\ncensus = true"))
    heard["new-wave"] = said(root, "new-wave", "local-units-2024", str(write(folder, "local-units-2024")))
    date(root, "local-units-2024", 2024)
    heard["new code"] = said(root, "check", code=1)
    edit(root / "schemas/codebook.toml", ('^codes.20 = "20"', 'codes.20 = "20"\ncodes.85 = "85"'))
    crosswalk = root / "schemas/instruments/local-units-2024.csv"
    edit(crosswalk, ("^legal_form,85,legal_form,,TODO", "legal_form,85,legal_form,85,"))
    confirm(root)
    heard["check"] = said(root, "check")
    heard["run"] = said(root, "run")
    return root, heard


def test_a_register_is_drafted_by_its_codes_and_pairs_of_columns(units: tuple[Path, dict[str, str]]) -> None:
    root, heard = units
    assert 'id = ["municipality", "unit_no"]' in heard["init"]
    assert (
        'method = "none" counts every unit 1. Where all of them answered add census = true'
        in heard["unweighted"]
    )
    for wave in ("local-units-2023", "local-units-2024"):
        declared = drafted(root, wave)
        assert declared["source"]["thousands"] == "," and "decimal" not in declared["source"]
        assert declared["design"]["id"] == ["municipality", "unit_no"] and declared["design"]["census"]
        rows = rows_of(root, wave)
        assert rows["nace", "05"] == ("nace", "05") and rows["turnover", "*"] == ("turnover", "=")
        assert rows["founded", "*"] == rows["municipality", "*"] == ("", "ignore")
    assert rows["exporting", "J"] == ("export", "j")
    assert "column legal_form is not mapped to the codebook ('85')" in heard["new code"]
    codebook = tomllib.loads((root / "schemas/codebook.toml").read_text(encoding="utf-8"))
    assert set(codebook["variables"]) == {"region", "nace", "legal_form", "size_class"}
    assert codebook["questions"]["rd_reported"]["base"] == "size_class_10_99_100"


def test_estimates_of_a_census_equal_r_and_have_no_error(units: tuple[Path, dict[str, str]]) -> None:
    root, heard = units
    assert "Warning" not in heard["run"]
    assert hold_to_r(warehouse(root)) == 12
    waves = json.loads((root / "warehouse/candidate/local-units/quality.json").read_text("utf-8"))["waves"]
    facts = waves["local-units-2023"]
    assert (facts["census"], facts["population"], facts["response_rate"]) == (True, 1500, 100.0)
    answer = json.loads(said(root, "compare", "local-units-2023", "local-units-2024", "--indicator", "turnover", "--json"))  # fmt: skip
    assert (answer["verdict"], answer["reasons"]) == ("comparable", [])


def test_the_register_is_released_and_then_nothing_is_left_to_do(units: tuple[Path, dict[str, str]]) -> None:
    root, _ = units
    assert "Unchanged 2 waves" in said(root, "run")
    assert "Sealed local-units 0.1.0" in said(root, "release")
