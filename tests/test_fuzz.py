"""A small part of the fuzz run (``python -m benchmarks fuzz``), and that it notices what must never be."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from benchmarks import fuzz
from benchmarks.damage import MARKER
from pipeline.catalogue import Catalogue
from pipeline.problems import Problem, ProblemError
from pipeline.staleness.outputs import wave_folder
from pipeline.steps import waves
from tests.barometers import pin

INPUTS = [*range(1, 97, 2), *range(2, 26, 2)]  # of declarations, and of raw files


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz")


@pytest.fixture
def unharmed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is wrong with the inputs."""

    def sound(root: Path, kind: str, _: object) -> tuple[Path, list[str]]:
        path = (
            root / fuzz.FILES[kind]
            if kind in fuzz.FILES
            else fuzz.deliver(root, kind, fuzz.answers(), whole=False)
        )
        pin(root, fuzz.WAVE)
        return path, []

    monkeypatch.setattr(fuzz, "damaged", sound)


def test_what_is_damaged_is_told_and_nothing_else_comes_of_it(place: Path) -> None:
    seen = [fuzz.examine(number, place) for number in INPUTS]
    assert [each for each in seen if each.faults] == []
    assert {each.kind for each in seen} == {*fuzz.KINDS}
    assert 5 < sum(each.passed for each in seen) < 50


@pytest.mark.parametrize("kind", ["tsv", "xlsx", "sav"])
def test_what_is_sound_is_built_and_every_row_of_it_counted(kind: str, place: Path, unharmed: None) -> None:
    seen = fuzz.examine(fuzz.KINDS.index(kind) + len(fuzz.KINDS), place)
    assert seen.passed and not seen.faults, seen
    folder = wave_folder(place / "barometer", "harmonised_wave", fuzz.WAVE)
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    counted = report["rows_in_file"], report["rows_of_other_waves"], report["excluded"][0]["rows"]
    assert (*counted, report["kept"]) == (100, 10, 3, 87)


def raises(folder: Path) -> None:
    raise ValueError("not foreseen")


def loses_a_row(folder: Path) -> None:
    path = folder / "answers.parquet"
    pd.read_parquet(path).iloc[1:].to_parquet(path)


def writes_outside(folder: Path) -> None:
    (folder.parents[3] / "elsewhere").write_text("x", encoding="utf-8")


def tells_an_answer(folder: Path) -> None:
    raise ProblemError(Problem("warehouse/raw/x.csv", "column Q", "is wrong", "Correct it.", MARKER))


def keeps_an_answer(folder: Path) -> None:
    (folder / "more.json").write_text(MARKER, encoding="utf-8")


def warns(folder: Path) -> None:
    warnings.warn("overflow", RuntimeWarning, stacklevel=1)


@pytest.mark.parametrize(
    ("does", "what"),
    [
        (raises, "tracebacks"),
        (loses_a_row, "rows lost"),
        (writes_outside, "files outside"),
        (tells_an_answer, "texts shown"),
        (keeps_an_answer, "texts shown"),
        (warns, "other output"),
    ],
)
def test_what_must_never_be_is_noticed(
    does: Callable[[Path], None], what: str, place: Path, unharmed: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = waves.harmonised_wave

    def spoilt(wave: str, catalogue: Catalogue) -> object:
        made = real(wave, catalogue)
        if wave == fuzz.WAVE:
            does(wave_folder(catalogue.root, "harmonised_wave", wave))
        return made

    monkeypatch.setattr(waves, "harmonised_wave", spoilt)
    seen = fuzz.examine(fuzz.KINDS.index("wave") + len(fuzz.KINDS), place)
    assert {fault for fault, _ in seen.faults} == {what}, seen.faults


def test_a_process_that_ends_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "inputs").mkdir()  # it cannot begin
    (seen,) = fuzz.watched(tmp_path, range(3, 9, 2))
    assert seen.number == 3 and [what for what, _ in seen.faults] == ["deaths"] and not seen.passed
