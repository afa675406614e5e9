"""The steps: files in, files out; what is unchanged is not redone; what is broken stops nobody else."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest

import pipeline.catalogue
from pipeline.catalogue import load_catalogue
from pipeline.estimation.engine import DuckDB
from pipeline.problems import ProblemError
from pipeline.staleness.fingerprint import product_inputs
from pipeline.staleness.outputs import PRODUCT_STEPS, WAVE_STEPS, StepResult, make, wave_folder
from pipeline.staleness.status import products_current, sound_waves, status
from pipeline.steps import products, waves
from tests.barometers import edit, pin, write_barometer

WAVES = ("dk-2020", "dk-2022", "no-2020")


def run_wave(root: Path, wave: str) -> dict[str, StepResult]:
    """Every step of a wave, in order."""
    return {step: getattr(waves, step)(wave, load_catalogue(root)) for step in WAVE_STEPS}


def run_products(root: Path) -> dict[str, StepResult]:
    return {step: getattr(products, step)(load_catalogue(root)) for step in PRODUCT_STEPS}


def redone(results: dict[str, StepResult]) -> list[str]:
    return [step for step, result in results.items() if result.redone]


def hashes(folder: Path) -> dict[str, str]:
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files
    }


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small barometer with everything built. Never changed: tests work on ``built``."""
    root = write_barometer(tmp_path_factory.mktemp("steps") / "barometer")
    for wave in WAVES:
        run_wave(root, wave)
    run_products(root)
    return root


@pytest.fixture
def built(finished: Path, tmp_path: Path) -> Path:
    return shutil.copytree(finished, tmp_path / "barometer")


def standings(root: Path) -> dict[str, str]:
    catalogue = load_catalogue(root)
    return {wave: status(wave, catalogue) for wave in WAVES}


def test_every_step_leaves_its_files(finished: Path) -> None:
    warehouse = finished / "warehouse"
    for place in (
        "ingested/dk-2020/raw.parquet",
        "ingested/dk-2020/receipt.json",
        "harmonised/dk-2020/answers.parquet",
        "harmonised/dk-2020/quarantine.parquet",
        "harmonised/dk-2020/report.json",
        "harmonised/no-2020/figures.parquet",
        "weighted/dk-2020/answers.parquet",
        "weighted/dk-2020/report.json",
        "statistics/dk-2020/cells.parquet",
        "statistics/dk-2020/plan.json",
        "estimates/estimates.parquet",
        "barometer.duckdb",
        "candidate/test-barometer/datapackage.json",
    ):
        assert (warehouse / place).is_file(), place


def test_an_estimate_can_be_counted_by_hand(finished: Path) -> None:
    raw = pd.read_csv(finished / "warehouse/raw/dk-2020.csv", sep=";", dtype=str)
    innovative = ((raw["Q1_1"] == "1") | (raw["Q1_2"] == "1")).sum()
    frame = pd.read_parquet(finished / "warehouse/estimates/estimates.parquet")
    cell = frame.query("wave == 'dk-2020' and indicator == 'any_innovation' and domain == 'total'").iloc[0]
    assert (cell["n"], cell["m"]) == (80, innovative)
    assert 0 < cell["ci_low"] < cell["value"] < cell["ci_high"] < 100


def test_nothing_changed_nothing_redone(built: Path) -> None:
    before = hashes(built / "warehouse")
    for wave in WAVES:
        assert redone(run_wave(built, wave)) == []
    assert redone(run_products(built)) == []
    assert hashes(built / "warehouse") == before
    catalogue = load_catalogue(built)
    assert products_current(catalogue, sound_waves(catalogue))


def test_the_same_input_gives_the_same_bytes_whatever_the_threads(
    finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.estimation.statistics.default_engine", lambda _: DuckDB(threads=1))
    threads = pa.cpu_count()
    pa.set_cpu_count(1)
    again = write_barometer(tmp_path / "elsewhere")
    for wave in reversed(WAVES):
        run_wave(again, wave)
    run_products(again)
    first, second = hashes(finished / "warehouse"), hashes(again / "warehouse")
    for whole in (first, second):
        del whole["barometer.duckdb"]  # DuckDB's own file is not byte-stable; its tables are tested elsewhere
        del whole["published/metadata.json"]  # holds its size
        del whole["published/made.json"]  # and its hash
    pa.set_cpu_count(threads)
    assert first == second


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("codebook.toml", 'codes.care = "Care"', 'codes.care = "Health care"'),
        ("codebook.toml", "What value did it bring?", "Which value did it bring?"),
        ("indicators.toml", "Innovation by type", "Innovations by type"),
        ("translations/da.csv", "Sektor", "Sektoren"),
        ("barometer.toml", "A barometer for tests.", "Another text."),
        ("instruments/dk.csv", "do not know", "does not know"),
        ("instruments/dk.toml", "Har jeres arbejdsplads indført ...", "Har I indført ..."),
        ("waves/dk-2020.toml", "Survey 2020", "The survey of 2020"),
    ],
)
def test_words_leave_every_wave_as_it_is(built: Path, file: str, old: str, new: str) -> None:
    edit(built / "schemas" / file, old, new)
    assert set(standings(built).values()) == {"current"}


def test_a_new_label_reaches_the_warehouse_and_package_only(built: Path) -> None:
    edit(built / "schemas/codebook.toml", 'codes.care = "Care"', 'codes.care = "Health care"')
    assert redone(run_products(built)) == ["data_package", "warehouse"]
    assert "Health care" in (built / "warehouse/candidate/test-barometer/data/domains.csv").read_text()


@pytest.mark.parametrize(
    ("file", "old", "new", "steps"),
    [
        ("instruments/dk.csv", "Q2,9,novelty,dont_know", "Q2,9,novelty,no_answer", WAVE_STEPS[1:]),
        ("waves/dk-2020.toml", 'method = "rake"', 'method = "linear"', WAVE_STEPS[2:]),
        ("indicators.toml", 'codes = ["yes"]', 'codes = ["no"]', WAVE_STEPS[3:]),
        ("domains.toml", 'by = ["sector", "region"]', 'by = ["region", "sector"]', WAVE_STEPS[3:]),
        (
            "barometer.toml",
            "[[contributors]]",
            "[estimation]\nconfidence = 0.9\n[[contributors]]",
            WAVE_STEPS[3:],
        ),
    ],
)
def test_structure_makes_stale_what_depends_on_it(
    built: Path, file: str, old: str, new: str, steps: tuple[str, ...]
) -> None:
    edit(built / "schemas" / file, old, new)
    assert redone(run_wave(built, "dk-2020")) == list(steps)


def judged_strictly(root: Path) -> None:
    """Rules of its own: the product's, one of them with another verdict."""
    rules = Path(pipeline.catalogue.__file__).with_name("comparability.toml").read_text(encoding="utf-8")
    (root / "schemas/comparability.toml").write_text(rules, encoding="utf-8")
    edit(root / "schemas/comparability.toml", 'verdict = "caution"', 'verdict = "not_comparable"')


def told(file: str, fact: str) -> Callable[[Path], None]:
    """One more line at the top of a declaration."""

    def change(root: Path) -> None:
        path = root / "schemas" / file
        path.write_text(f"{fact}\n{path.read_text(encoding='utf-8')}", encoding="utf-8")

    return change


@pytest.mark.parametrize(
    "change",
    [
        told("instruments/dk.toml", 'uncertain = ["novelty"]'),
        told("instruments/dk.toml", 'about = "newest"'),
        told("instruments/dk.toml", 'question_versions.novelty = "2"'),
        told("waves/dk-2022.toml", 'mode = "telephone"'),
        told("waves/dk-2022.toml", 'role = "manager"'),
        judged_strictly,
    ],
)
def test_a_changed_fact_or_verdict_rule_redoes_the_comparisons(
    built: Path, change: Callable[[Path], None]
) -> None:
    change(built)
    assert redone(run_products(built)) == list(PRODUCT_STEPS)[1:]


def test_a_question_of_another_questionnaire_leaves_answers_as_they_are(built: Path) -> None:
    codebook = built / "schemas/codebook.toml"
    codebook.write_text(
        codebook.read_text() + '[questions.budget]\ntype = "numeric"\ntext = "Which budget?"\n'
    )
    assert redone(run_wave(built, "dk-2020")) == ["wave_statistics"]


def test_new_margins_are_weighed_in(built: Path) -> None:
    edit(built / "warehouse/raw/dk-margins.csv", "north,150", "north,160")
    edit(built / "warehouse/raw/dk-margins.csv", "south,250", "south,240")
    assert redone(run_wave(built, "dk-2020")) == ["weighted_wave", "wave_statistics"]


def test_a_new_raw_file_must_be_pinned_first(built: Path) -> None:
    edit(built / "warehouse/raw/dk-2020.csv", "0001;2;", "0001;1;")
    before = hashes(built / "warehouse/ingested/dk-2020")
    assert standings(built) == {"dk-2020": "at fault", "dk-2022": "current", "no-2020": "current"}
    with pytest.raises(ProblemError, match=r"schemas/waves/dk-2020.toml, source.sha256"):
        run_wave(built, "dk-2020")
    assert hashes(built / "warehouse/ingested/dk-2020") == before, "the former output stays"
    pin(built, "dk-2020")
    assert standings(built)["dk-2020"] == "stale"
    assert redone(run_wave(built, "dk-2020")) == list(WAVE_STEPS)


def test_lost_output_is_made_again(built: Path) -> None:
    shutil.rmtree(wave_folder(built, "weighted_wave", "dk-2020"))
    assert standings(built)["dk-2020"] == "stale"
    assert redone(run_wave(built, "dk-2020")) == ["weighted_wave"]
    (built / "warehouse/barometer.duckdb").unlink()
    shutil.rmtree(built / "warehouse/candidate/test-barometer")
    assert redone(run_products(built)) == ["data_package", "warehouse"]


def test_figures_pass_by_weighting_and_statistics(built: Path) -> None:
    results = run_wave(built, "no-2020")
    assert results["harmonised_wave"].metadata["rows"] == 3
    for step in ("weighted_wave", "wave_statistics"):
        assert results[step].metadata == {"nothing to do": "published figures are taken as they are"}
        assert results[step].fingerprint == results["harmonised_wave"].fingerprint
        assert not wave_folder(built, step, "no-2020").exists()


def test_a_wave_that_is_not_built_is_left_out_and_named(built: Path) -> None:
    edit(built / "warehouse/raw/dk-2020.csv", "0001;2;", "0001;1;")
    made = run_products(built)["estimates"].metadata
    assert (made["waves"], made["left out"]) == (2, "dk-2020")
    frame = pd.read_parquet(built / "warehouse/estimates/estimates.parquet")
    assert set(frame["wave"]) == {"dk-2022", "no-2020"}


def test_a_wave_at_fault_stops_no_other(built: Path) -> None:
    edit(built / "schemas/waves/dk-2020.toml", 'instrument = "dk"', 'instrument = "dq"')
    assert standings(built) == {"dk-2020": "at fault", "dk-2022": "current", "no-2020": "current"}
    with pytest.raises(ProblemError, match=r"instrument"):
        waves.raw_wave("dk-2020", load_catalogue(built))
    assert list(sound_waves(load_catalogue(built))) == ["dk-2022", "no-2020"]
    run_products(built)


def test_an_undeclared_wave_is_named(built: Path) -> None:
    with pytest.raises(
        ProblemError, match=r"schemas/waves/dk-1999.toml: is not a wave .* Use one of dk-2020"
    ):
        waves.raw_wave("dk-1999", load_catalogue(built))


def test_a_shared_problem_stops_the_products(built: Path) -> None:
    edit(built / "schemas/indicators.toml", 'question = "novelty"', 'question = "novelti"')
    with pytest.raises(ProblemError, match="novelti"):
        run_products(built)


def test_without_a_wave_there_is_nothing_to_publish(barometer: Path) -> None:
    with pytest.raises(ProblemError, match="no wave is built"):
        run_products(barometer)


def test_a_package_that_lost_its_waves_is_no_candidate(built: Path) -> None:
    left = built / "warehouse/candidate/former-package"
    left.mkdir()
    (built / "warehouse/packages/former-package.audit.json").write_text("{}")  # a run has made it
    (built / "warehouse/packages/made.json").unlink()
    run_products(built)
    assert not left.exists()


def test_what_no_run_has_made_is_neither_a_candidate_nor_removed(built: Path, tmp_path: Path) -> None:
    candidates, elsewhere = built / "warehouse/candidate", tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "file").write_text("theirs")
    (candidates / "notes").mkdir()
    (candidates / "link").symlink_to(elsewhere)
    package = candidates / "test-barometer"
    package.replace(elsewhere / "moved")
    package.symlink_to(elsewhere)
    assert redone(run_products(built)) == ["data_package"]
    assert (candidates / "notes").is_dir() and (candidates / "link").is_symlink()
    assert not package.is_symlink() and (package / "datapackage.json").is_file()
    assert {path.name for path in elsewhere.iterdir()} == {"file", "moved"}


def test_failing_work_leaves_the_former_output(tmp_path: Path) -> None:
    folder = tmp_path / "made"

    def good(fresh: Path) -> dict[str, int | float | str]:
        (fresh / "rows").write_text("1")
        return {"rows": 1}

    def bad(fresh: Path) -> dict[str, int | float | str]:
        (fresh / "rows").write_text("2")
        raise KeyboardInterrupt

    assert make(folder, "a", good) == StepResult("a", {"rows": 1})
    with pytest.raises(KeyboardInterrupt):
        make(folder, "b", bad)
    assert [path.name for path in tmp_path.iterdir()] == ["made"]
    assert (folder / "rows").read_text() == "1"
    assert make(folder, "a", bad) == StepResult("a", {"rows": 1}, redone=False)


def test_no_identifier_stands_in_reports_or_metadata(finished: Path) -> None:
    for path in (finished / "warehouse").rglob("*.json"):
        if "candidate" not in path.parts:
            assert '"0017"' not in json.dumps(json.loads(path.read_text())), path


def test_fingerprints_know_nothing_of_the_folder(built: Path, finished: Path) -> None:
    one, other = load_catalogue(built), load_catalogue(finished)
    assert sound_waves(one) == sound_waves(other)
    assert product_inputs(one, sound_waves(one)) == product_inputs(other, sound_waves(other))
