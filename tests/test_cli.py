"""The command line: every verb, every exit code, no traceback, and JSON for machines."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from pipeline.cli.app import app
from pipeline.disclosure import Audit
from pipeline.problems import Problem
from tests.barometers import edit, pin, write_barometer


def barometer_command(root: Path | str, *words: str) -> Result:
    return CliRunner().invoke(app, ["--project", str(root), *words])


def problems(result: Result) -> str:
    """What went to stderr, of a verb that ended with 1 and without a traceback."""
    assert result.exit_code == 1, result.output
    assert isinstance(result.exception, SystemExit)
    assert "Traceback" not in result.output
    return result.stderr


@pytest.fixture(scope="module")
def first_run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result]:
    root = write_barometer(tmp_path_factory.mktemp("cli") / "barometer")
    return root, barometer_command(root, "run")


@pytest.fixture
def built(first_run: tuple[Path, Result], tmp_path: Path) -> Path:
    """The small barometer after its first run."""
    return shutil.copytree(first_run[0], tmp_path / "barometer")


def test_check_tells_what_is_declared_and_what_lacks_a_translation(barometer: Path) -> None:
    result = barometer_command(barometer, "check")
    assert (result.exit_code, result.stderr) == (0, "")
    assert (
        "test-barometer: 3 waves, 1 instrument, 4 questions, 6 indicators, 3 breakdowns. No problems."
        in result.stdout
    )
    assert "da: " in result.stdout and "variables.region.label" in result.stdout


def test_check_lists_all_problems_at_once(barometer: Path) -> None:
    edit(barometer / "schemas/indicators.toml", 'question = "novelty"', 'question = "novelti"')
    edit(barometer / "schemas/waves/dk-2020.toml", 'instrument = "dk"', 'instrument = "dq"')
    said = problems(barometer_command(barometer, "check"))
    assert "schemas/indicators.toml, indicators.novelty" in said and "novelti" in said
    assert "schemas/waves/dk-2020.toml, instrument" in said and "dq" in said


def test_check_for_machines(barometer: Path) -> None:
    sound = json.loads(barometer_command(barometer, "check", "--json").stdout)
    assert (sound["ok"], sound["waves"], sound["problems"]) == (True, 3, [])
    assert "variables.region.label" in sound["untranslated"]["da"]
    edit(barometer / "schemas/waves/dk-2020.toml", 'instrument = "dk"', 'instrument = "dq"')
    result = barometer_command(barometer, "check", "--json")
    assert problems(result) == ""
    broken = json.loads(result.stdout)
    assert (broken["ok"], broken["problems"][0]["value"], broken["problems"][0]["wave"]) == (
        False,
        "dq",
        "dk-2020",
    )
    assert set(broken["problems"][0]) == {"file", "key", "message", "hint", "value", "wave"}


@pytest.mark.parametrize(
    "words", [("check",), ("run",), ("query", "SELECT 1"), ("new-wave", "dk-2024", "x.csv")]
)
def test_a_folder_without_a_barometer_says_what_to_do(tmp_path: Path, words: tuple[str, ...]) -> None:
    said = problems(barometer_command(tmp_path, *words))
    assert "schemas/barometer.toml" in said and "--project" in said
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "words",
    [
        ("chek",),
        ("check", "--jsn"),
        ("run", "--wave", "dk-1999"),
        ("query",),
        ("query", "SELECT 1", "--format", "xml"),
        ("serve", "--port", "80000"),
        ("ui", "--port", "-1"),
    ],
)
def test_wrong_usage_is_2(barometer: Path, words: tuple[str, ...]) -> None:
    assert barometer_command(barometer, *words).exit_code == 2


def test_an_unknown_wave_is_answered_with_those_there_are(barometer: Path) -> None:
    said = " ".join(barometer_command(barometer, "run", "--wave", "dk-1999").stderr.split())
    assert "dk-1999" in said and "dk-2020" in said


def test_the_first_run_builds_all_and_says_where(first_run: tuple[Path, Result]) -> None:
    root, result = first_run
    assert result.exit_code == 0, result.output
    assert "Built 3 waves: dk-2020, dk-2022, no-2020" in result.stdout
    assert "Published: warehouse/barometer.duckdb, warehouse/candidate/test-barometer" in result.stdout
    assert "dk-2020: done in" in result.stderr
    assert (root / "warehouse/candidate/test-barometer/datapackage.json").is_file()
    assert (root / ".dagster/dagster.yaml").is_file()


def test_a_second_run_redoes_nothing(built: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in (built / "warehouse").rglob("*")}
    result = barometer_command(built, "run", "--json")
    assert result.exit_code == 0
    report = json.loads(result.stdout)
    assert (report["built"], report["unchanged"], report["published"]) == (
        [],
        ["dk-2020", "dk-2022", "no-2020"],
        "unchanged",
    )
    assert {path: path.stat().st_mtime_ns for path in (built / "warehouse").rglob("*")} == before


@pytest.mark.parametrize("verb", ["check", "run"])
def test_what_has_nothing_to_compute_does_not_even_load_dagster(verb: str, built: Path) -> None:
    code = (
        "import sys; from typer.testing import CliRunner; from pipeline.cli.app import app;"
        f"assert CliRunner().invoke(app, ['--project', {str(built)!r}, {verb!r}]).exit_code == 0;"
        "assert not {'dagster', 'pandas', 'duckdb'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_broken_wave_is_left_out_and_the_rest_is_built(built: Path) -> None:
    edit(built / "warehouse/raw/dk-2020.csv", "0001;2;S;1", "0001;2;S;7")
    pin(built, "dk-2020")
    edit(built / "schemas/instruments/dk.csv", "Q2,9,novelty,dont_know", "Q2,9,novelty,no_answer")
    result = barometer_command(built, "run")
    said = problems(result)
    assert "Q1_1" in said and "7" in said
    assert "Built 1 wave: dk-2022" in result.stdout and "Unchanged 1 wave: no-2020" in result.stdout
    assert "Failed 1 wave: dk-2020" in result.stdout and "Published" in result.stdout
    rows = barometer_command(
        built, "query", "SELECT DISTINCT wave FROM published.estimates ORDER BY 1"
    ).stdout
    assert rows.split() == ["wave", "dk-2022", "no-2020"]


def test_a_failed_run_for_machines(built: Path) -> None:
    edit(built / "schemas/waves/no-2020.toml", 'instrument = "dk"', 'instrument = "dq"')
    result = barometer_command(built, "run", "--json")
    assert result.exit_code == 1
    report = json.loads(result.stdout)
    assert (report["ok"], report["failed"], report["left_out"]) == (False, ["no-2020"], ["no-2020"])
    assert report["problems"][0]["value"] == "dq"
    assert report["published"] == "built"


def test_only_the_waves_asked_for(barometer: Path) -> None:
    result = barometer_command(barometer, "run", "--wave", "no-2020")
    assert result.exit_code == 0, result.output
    assert "Built 1 wave: no-2020" in result.stdout
    assert (
        "Out of date, and not asked for: 2 waves: dk-2020, dk-2022" in result.stdout
        and "stay as they are" in result.stdout
    )
    assert not (barometer / "warehouse/barometer.duckdb").exists()


def test_a_partial_run_never_makes_products_of_fewer_waves(built: Path) -> None:
    codebook = built / "schemas/codebook.toml"
    added = '[questions.budget]\ntype = "numeric"\ntext = "Which budget?"\n'
    codebook.write_text(codebook.read_text() + added)
    products = [
        built / "warehouse" / name
        for name in ("barometer.duckdb", "candidate/test-barometer/SHA256SUMS", "site/index.html")
    ]
    before = [path.read_bytes() for path in products]
    result = barometer_command(built, "run", "--wave", "dk-2020", "--json")
    assert result.exit_code == 0, result.output
    report = json.loads(result.stdout)
    assert (report["built"], report["stale"], report["published"]) == (
        ["dk-2020"],
        ["dk-2022", "no-2020"],
        "waiting",
    )
    assert [path.read_bytes() for path in products] == before
    edit(built / "schemas/waves/no-2020.toml", 'instrument = "dk"', 'instrument = "dq"')
    report = json.loads(barometer_command(built, "run", "--wave", "dk-2022", "--json").stdout)
    assert (report["built"], report["stale"], report["published"]) == (["dk-2022"], [], "built")
    rows = barometer_command(built, "query", "SELECT DISTINCT wave FROM published.estimates ORDER BY 1")
    assert rows.stdout.split() == ["wave", "dk-2020", "dk-2022"], "one at fault is waited for by nobody"


def test_a_wave_whose_fault_only_a_run_finds_is_waited_for_by_nobody(barometer: Path) -> None:
    def run(*words: str) -> tuple[int, dict[str, Any]]:
        done = barometer_command(barometer, "run", *words, "--json")
        return done.exit_code, json.loads(done.stdout)

    raw = barometer / "warehouse/raw/dk-2022.csv"
    sound = raw.read_text(encoding="utf-8")
    edit(raw, "SEKTOR", "SECTOR")
    pin(barometer, "dk-2022")
    code, first = run()
    assert (code, first["failed"], first["published"]) == (1, ["dk-2022"], "built")
    problems = first["problems"]
    assert {problem["wave"] for problem in problems} == {"dk-2022"} and "SEKTOR" in str(problems)

    (barometer / "warehouse/site/index.html").unlink()
    code, other = run("--wave", "dk-2020")
    assert (code, other["stale"], other["published"]) == (0, [], "built"), "nobody waits for it"
    assert (other["left_out"], other["problems"]) == (["dk-2022"], problems)
    code, again = run()
    assert (code, again["failed"], again["problems"]) == (1, ["dk-2022"], problems), "until it is mended"

    raw.write_text(sound, encoding="utf-8")
    pin(barometer, "dk-2022")
    assert run("--wave", "dk-2020")[1]["stale"] == ["dk-2022"], "what was found of other bytes is no fault"
    code, last = run()
    assert (code, last["built"], last["left_out"], last["problems"]) == (0, ["dk-2022"], [], [])
    assert not (barometer / "warehouse/problems/dk-2022.json").exists()


def test_a_finding_stays_until_it_is_mended(barometer: Path) -> None:
    def run() -> dict[str, Any]:
        told: dict[str, Any] = json.loads(barometer_command(barometer, "run", "--json").stdout)
        return told

    edition_before = barometer / "schemas/waves/dk-2020.toml"
    edit(edition_before, "sample = 160\nrespondents = 80", "sample = 161\nrespondents = 161")
    first = run()
    found = [(row["check"], row["wave"]) for row in first["findings"]]
    assert found == [("response", "dk-2020"), ("coverage", "dk-2022")]
    again = run()
    assert (again["built"], again["published"]) == ([], "unchanged")
    assert again["findings"] == first["findings"], "shown again by a run that finds nothing to do"
    (barometer / "warehouse/harmonised/dk-2022/coverage.finding.json").unlink()
    assert run()["findings"] == first["findings"], "a check whose finding was lost is made again"
    edit(edition_before, "sample = 161\nrespondents = 161", "sample = 160\nrespondents = 80")
    assert run()["findings"] == [], "what it told of was mended in another wave's file"


def test_a_failed_audit_stops_candidate_and_site(built: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    problem = Problem(
        "estimates", "dk-2020 novelty", "a hidden cell is pinned down to 3 points", "Hide more."
    )
    monkeypatch.setattr("pipeline.steps.candidates.audit", lambda *_: Audit([problem], {"pinned_cells": 1}))
    edit(built / "schemas/codebook.toml", 'codes.care = "Care"', 'codes.care = "Health care"')
    shutil.rmtree(built / "warehouse/site")
    sums = built / "warehouse/candidate/test-barometer/SHA256SUMS"
    before = sums.read_bytes()
    for _ in range(2):  # it stays until it is fixed
        result = barometer_command(built, "run")
        assert "a hidden cell is pinned down to 3 points. Hide more." in problems(result)
        assert "Published" not in result.stdout and "Failed" in result.stdout
        assert sums.read_bytes() == before and not (built / "warehouse/site").exists()


def test_a_shared_problem_stops_the_run_before_it_starts(barometer: Path) -> None:
    edit(barometer / "schemas/indicators.toml", 'question = "novelty"', 'question = "novelti"')
    assert "novelti" in problems(barometer_command(barometer, "run"))
    assert not (barometer / ".dagster").exists()


def test_query_gives_csv_json_and_a_table(built: Path) -> None:
    sql = "SELECT wave, n, note FROM published.estimates WHERE wave = 'no-2020' ORDER BY n NULLS LAST LIMIT 1"
    rows = list(csv.reader(io.StringIO(barometer_command(built, "query", sql).stdout)))
    assert rows == [["wave", "n", "note"], ["no-2020", "1786", rows[1][2]]]
    assert json.loads(barometer_command(built, "query", sql, "--json").stdout)[0]["n"] == 1786
    assert (
        json.loads(barometer_command(built, "query", sql, "--format", "json").stdout)[0]["wave"] == "no-2020"
    )
    table = barometer_command(built, "query", sql, "--format", "table").stdout
    assert "│" in table and "1786" in table


def test_query_knows_blank_from_nothing_in_json(built: Path) -> None:
    sql = "SELECT 'nan'::DOUBLE AS a, NULL AS b, '' AS c, DATE '2020-01-02' AS d"
    assert json.loads(barometer_command(built, "query", sql, "--json").stdout) == [
        {"a": None, "b": None, "c": "", "d": "2020-01-02"}
    ]


@pytest.mark.parametrize(
    "sql",
    [
        "SELEC 1",
        "SELECT * FROM nowhere",
        "CREATE TABLE published.x (a INTEGER)",
        "DELETE FROM published.estimates",
        "SELECT * FROM read_csv('warehouse/raw/dk-2020.csv')",
        "COPY published.estimates TO 'out.csv'",
        "ATTACH 'other.duckdb'",
    ],
)
def test_query_can_neither_write_nor_leave(built: Path, sql: str) -> None:
    said = problems(barometer_command(built, "query", sql))
    assert "warehouse/barometer.duckdb" in said and "Error" in said


def test_query_before_the_first_run_says_to_run(barometer: Path) -> None:
    assert "barometer run" in problems(barometer_command(barometer, "query", "SELECT 1"))


def test_new_wave_drafts_what_check_then_asks_to_complete(barometer: Path) -> None:
    raw = barometer / "warehouse/raw/dk-2022.csv"
    result = barometer_command(barometer, "new-wave", "dk-2024", str(raw), "--json")
    assert result.exit_code == 0, result.output
    written = json.loads(result.stdout)["written"]
    assert "schemas/waves/dk-2024.toml" in written and "schemas/instruments/dk-2024.csv" in written
    assert "schemas/waves/dk-2024.toml" in problems(barometer_command(barometer, "check"))
    assert "exists already" in problems(barometer_command(barometer, "new-wave", "dk-2024", str(raw)))


def test_new_wave_without_its_file(barometer: Path) -> None:
    assert "nowhere.csv" in problems(barometer_command(barometer, "new-wave", "dk-2024", "nowhere.csv"))


def test_the_project_is_this_folder_or_the_one_named_by_the_environment(
    barometer: Path, tmp_path: Path
) -> None:
    command = [sys.executable, "-m", "pipeline", "check"]
    paths = {"PYTHONPATH": str(Path(__file__).parents[1])}
    environment = {key: value for key, value in os.environ.items() if key != "BAROMETER_PROJECT"} | paths
    here = subprocess.run(command, cwd=barometer, env=environment, capture_output=True, check=False)
    named = environment | {"BAROMETER_PROJECT": str(barometer)}
    elsewhere = subprocess.run(command, cwd=tmp_path, env=named, capture_output=True, check=False)
    assert (here.returncode, elsewhere.returncode) == (0, 0)
    assert here.stdout == elsewhere.stdout


def test_ui_becomes_dagster_with_the_runs_of_this_barometer(
    built: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    became = {}

    def execve(path: str, command: list[str], environment: dict[str, str]) -> None:
        became.update(command=command, environment=environment)

    monkeypatch.chdir(built)
    monkeypatch.setattr(os, "execve", execve)
    assert barometer_command(built, "ui", "--port", "3999").exit_code == 0
    assert became["command"][1:6] == ["-m", "dagster", "dev", "-m", "pipeline.definitions"]
    assert became["command"][-4:] == ["-h", "127.0.0.1", "-p", "3999"]
    assert became["environment"]["DAGSTER_HOME"] == str(built / ".dagster")
    assert became["environment"]["BAROMETER_PROJECT"] == str(built)
