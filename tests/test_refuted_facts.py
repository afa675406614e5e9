"""More that the data refute: each of these was once published without a word."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pipeline.catalogue import load_catalogue
from pipeline.comparison import shared_units
from pipeline.estimation import totals_of
from pipeline.harmonise import Harmonised
from pipeline.problems import ProblemError
from pipeline.steps import declared_facts, quality
from pipeline.steps.extremes import LARGEST_SQUARES, refuse_extremes
from pipeline.weighting import require_expansion, scaled_to_sample, weigh
from tests.barometers import edit, pin
from tests.test_declared_facts import (
    REGISTER,
    answered,
    figures,
    hadamard,
    harmonised,
    replicated,
    staff,
    table,
    weighted,
    write_survey,
)

WAVE = "dk-2020"


# ── How replicate weights were made ──────────────────────────────────────────


def replicates(kind: str) -> str:
    """64 workplaces in 8 strata of two halves, and eight full replicate weights of one kind."""
    balanced, rows = hadamard(), []
    for row in range(64):
        stratum, half = row // 8, row % 2
        weight = 20.0 + row * 37 % 97 * 3
        signs = [int(balanced[each, stratum]) * (1 - 2 * half) for each in range(8)]
        factors: list[float] = {
            "brr": [1 + sign for sign in signs],
            "fay": [1 + 0.5 * sign for sign in signs],
            "adjusted": [1 + sign * (0.9 + row % 5 / 50) for sign in signs],
            "jk1": [0 if row % 8 == each else 8 / 7 for each in range(8)],
            "jkn": [1 if stratum != each else 2 * half for each in range(8)],
            "none": [1.0] * 8,
            "empty": [0, *(1 + sign for sign in signs[1:])],
        }[kind]
        answers = (row + 1, "NS"[row % 3 == 0], 1 if row * 7 % 10 < 6 else 2, weight)
        rows.append((*answers, *(factor * weight for factor in factors)))
    return table(["ID", "REG", "Q1", "W", *(f"W{number}" for number in range(8))], rows)


OF_ALL = 'columns = "W[0-9]", '


@pytest.mark.parametrize(
    ("kind", "declared", "said"),
    [
        ("brr", 'method = "brr"', ""),
        ("adjusted", 'method = "brr"', ""),
        ("brr", 'method = "bootstrap"', ""),
        ("fay", 'method = "fay", rho = 0.5', ""),
        ("fay", 'method = "brr"', "they are 1 ± 0.5 times the weight, not 1"),
        ("fay", 'method = "fay", rho = 0.3', "they are 1 ± 0.5 times the weight, not 0.7"),
        ("fay", 'method = "brr", scale = 0.5', ""),  # who says the scale says it all
        ("jk1", 'method = "jkn"', ""),
        ("jk1", 'method = "brr"', "they are 1 ± 0.14 times the weight, not 1"),
        ("jkn", 'method = "brr"', "as a jackknife leaves it"),
        ("jkn", 'method = "bootstrap"', "as a jackknife leaves it"),
        ("jkn", 'method = "jkn"', "the jackknife is stratified"),
        ("jkn", 'method = "jkn", scale = 1', ""),
        ("brr", 'method = "jkn"', "as in half samples"),
        ("none", 'method = "brr"', "holds the weight itself in every column"),
        ("empty", 'method = "brr"', "holds weights of 0 only"),
    ],
)
def test_replicates_that_another_method_has_made_stop_the_wave(
    kind: str, declared: str, said: str, tmp_path: Path
) -> None:
    root = replicated(tmp_path, replicates(kind), OF_ALL + declared)
    if not said:
        assert weighted(root)["replicates"]["columns"] == 8
        return
    with pytest.raises(ProblemError, match=said) as raised:
        weighted(root)
    assert {problem.wave for problem in raised.value.problems} == {WAVE}


def test_a_pattern_that_takes_the_weight_for_a_replicate_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ProblemError, match="matches the weight itself"):
        weighted(replicated(tmp_path, replicates("brr"), 'columns = "W*", method = "brr"'))


# ── Weights and counts ───────────────────────────────────────────────────────


def survey(root: Path, weight: Any, design: str = "", response: str = "", files: Any = ()) -> Any:
    """The report of the weights of 80 units in two regions; ``weight`` is that of a row."""
    rows = [(row, "NS"[row % 2], 1 + row % 3 // 2, weight(row)) for row in range(1, 81)]
    write_survey(root, {"2020": table(["ID", "REG", "Q1", "W"], rows)}, design, {"2020": response})
    for name, text in files:
        (root / "warehouse/raw" / name).write_text(text, encoding="utf-8")
    return weighted(root)


def test_weights_that_are_identifiers_are_pointed_out(tmp_path: Path) -> None:
    numbered = survey(tmp_path / "a", lambda row: 1000 + row)
    assert "consecutive whole numbers" in quality.weights(numbered).message
    assert not quality.weights(numbered).passed
    assert quality.weights(survey(tmp_path / "b", lambda row: 1000 + 3 * row)).passed


def test_weights_are_held_against_the_population_of_every_stratum(tmp_path: Path) -> None:
    design = 'strata = ["REG"]\npopulation = "strata.csv"'
    for name, north, passed in (("a", 400, True), ("b", 700, False)):
        file = ("strata.csv", f"REG,population\nN,{north}\nS,{800 - north}\n")
        found = quality.weights(survey(tmp_path / name, lambda row: 10, design, files=[file]))
        assert found.passed == passed, found.message
    assert "in 2 strata they are not of its population" in found.message


def test_totals_of_weights_scaled_to_the_sample_are_pointed_out(tmp_path: Path) -> None:
    for name, weight, scaled in (("a", 1.0, True), ("b", 0.0125, True), ("c", 50.0, False)):
        report = survey(tmp_path / name, lambda row, weight=weight: weight * (0.8 + 0.4 * (row % 2)))
        catalogue = load_catalogue(tmp_path / name)
        wave = catalogue.waves[WAVE]
        assert scaled_to_sample(wave, report, totals_of(wave, catalogue)) == scaled
        assert not scaled_to_sample(wave, report, [])
        assert quality.weights(report | {"scaled_to_sample": scaled}).passed != scaled


@pytest.mark.parametrize(("unit", "stops"), [(1, False), (1000, True)])
def test_margins_in_thousands_stop_the_totals(unit: int, stops: bool, barometer: Path) -> None:
    path = barometer / "warehouse/raw/dk-margins.csv"
    lines = [line.split(",") for line in path.read_text(encoding="utf-8").splitlines()]
    rows = [(margin, code, float(total) / unit) for margin, code, total in lines[1:]]
    path.write_text(table(lines[0], rows), encoding="utf-8")
    made, catalogue = harmonised(barometer, WAVE)
    wave = catalogue.waves[WAVE]
    report = weigh(made.answers, wave, catalogue).report
    if not stops:
        require_expansion(wave, report, {"": ["innovative_workplaces"]})
        return
    with pytest.raises(ProblemError, match=r"counts 0\.4 units, and response\.population says 400"):
        require_expansion(wave, report, {"": ["innovative_workplaces"]})
    require_expansion(wave, report, {})  # shares are right all the same


def test_sums_of_squares_may_be_larger_than_numbers(barometer: Path) -> None:
    """Turnovers of 10^8 have squares of 10^16: a true survey once could not be estimated."""
    wave = load_catalogue(barometer).waves[WAVE]
    squares = pd.DataFrame({"n_y2": [8e19]})
    refuse_extremes(squares, wave, "source.file", "sums", LARGEST_SQUARES)
    for largest, sums in ((1e15, squares), (LARGEST_SQUARES, squares * np.inf)):
        with pytest.raises(ProblemError, match="beyond all bounds"):
            refuse_extremes(sums, wave, "source.file", "sums", largest)


# ── Answers, numbers and routes ──────────────────────────────────────────────


def test_answers_of_those_who_were_not_asked_are_pointed_out(barometer: Path) -> None:
    made, catalogue = harmonised(barometer, WAVE)
    assert declared_facts.routing(made.report, catalogue).passed
    edit(
        barometer / "schemas/indicators.toml",
        '[bases.innovative]\nany = ["introduced.*=yes"]',
        '[bases.innovative]\nnone = ["introduced.*=yes"]',
    )
    made, catalogue = harmonised(barometer, WAVE)
    found = declared_facts.routing(made.report, catalogue)
    assert not found.passed
    assert "novelty (51 of 55; base innovative)" in found.message


@pytest.mark.parametrize(
    ("numbers", "said"),
    [
        (["9999", "9999", "9999"], "ANSATTE 9999 in 3 rows"),
        (["-9", "-9", "-8", "-8"], "ANSATTE -8 in 2 rows, ANSATTE -9 in 2 rows"),
        (["9999"], ""),  # once: a large place
        (["99", "99", "98", "80"], ""),  # near the others
        (["-9", "-9", "-12", "-7"], ""),  # a number that may be below 0
    ],
)
def test_numbers_that_look_like_codes_are_pointed_out(
    numbers: Sequence[str], said: str, barometer: Path
) -> None:
    made, _ = harmonised(staff(barometer, numbers), WAVE)
    found = declared_facts.outliers(made.report)
    assert (found.passed, said in found.message) == (not said, True), found.message
    if said:
        edit(
            barometer / "schemas/instruments/dk.csv", "ANSATTE,*,staff,=,\n", "ANSATTE,*,staff,=,confirmed\n"
        )
        assert declared_facts.outliers(harmonised(barometer, WAVE)[0].report).passed


def ages(root: Path, codes: Sequence[object]) -> Harmonised:
    rows = [(row, "N", 1, 1, codes[row % len(codes)]) for row in range(80)]
    write_survey(root, {"2020": table(["ID", "REG", "Q1", "W", "AGE"], rows)})
    edit(
        root / "schemas/codebook.toml",
        "[questions.q1]",
        '[variables.age]\nlabel = "Age"\ncodes = { young = "Young", old = "Old" }\n[questions.q1]',
    )
    edit(root / "schemas/instruments/q.csv", "Q1,1,", "AGE,..39,age,young,\nAGE,40..,age,old,\nQ1,1,")
    made: Harmonised = harmonised(root, WAVE)[0]
    return made


def test_a_code_inside_an_open_range_is_pointed_out(tmp_path: Path) -> None:
    assert ages(tmp_path / "a", [20, 70, 98]).report["suspected_codes"] == {}
    assert ages(tmp_path / "b", [20, 50, 999, -1]).report["suspected_codes"] == {"AGE": {"-1": 20, "999": 20}}


@pytest.mark.parametrize("word", ["Total", "I alt", "SUM", "Grand total"])
def test_a_row_of_totals_is_no_unit(word: str, tmp_path: Path) -> None:
    root = write_survey(tmp_path, {"2020": answered([*REGISTER[:40], word])})
    with pytest.raises(ProblemError, match="has a row of totals") as raised:
        harmonised(root, WAVE)
    assert f'values = ["{word}"]' in raised.value.problems[0].hint
    wave = root / f"schemas/waves/{WAVE}.toml"
    left_out = f'[[exclusion]]\ncolumn = "ID"\nvalues = ["{word}"]\nreason = "a sum"\n'
    wave.write_text(wave.read_text(encoding="utf-8") + left_out, encoding="utf-8")
    assert harmonised(root, WAVE)[0].report["kept"] == 40


def test_blank_rows_are_no_units(tmp_path: Path) -> None:
    """Those at the end are left out, as of a workbook; one in between is set aside, where rows are units too."""
    raw = answered(REGISTER[:40]).splitlines()
    text = "\n".join([*raw[:20], ",,,", *raw[20:], ",,,", ",,,"]) + "\n"
    root = write_survey(tmp_path, {"2020": text})
    edit(root / f"schemas/waves/{WAVE}.toml", 'id = "ID"\nweight = "W"', 'id = "row"')
    edit(root / f"schemas/waves/{WAVE}.toml", 'method = "given"', 'method = "none"')
    report = harmonised(root, WAVE)[0].report
    assert (report["rows"], report["kept"], report["rules"]) == (41, 40, {"required": 1})


# ── Waves that are copies ────────────────────────────────────────────────────


def test_a_copy_of_a_wave_is_pointed_out_though_a_few_values_differ(barometer: Path) -> None:
    first, catalogue = harmonised(barometer, WAVE)
    other, _ = harmonised(barometer, "dk-2022")
    names = ["unit", *sorted(catalogue.mapped_variables(catalogue.waves[WAVE]))]
    a, b = first.answers[names], other.answers[names]
    assert not declared_facts.is_copy(a, b)
    altered = a.copy()
    altered.loc[[1, 5, 9], "staff"] = 77.0
    assert declared_facts.is_copy(a, altered)
    assert declared_facts.is_copy(altered.sample(frac=1, random_state=1), a), "whatever the order"
    assert declared_facts.is_copy(a, altered.assign(unit=[f"x{row}" for row in range(80)])), "other ids"
    assert not declared_facts.is_copy(a[["unit", "region"]], altered[["unit", "region"]]), "chance"
    assert not declared_facts.copies([(WAVE, "dk-2022")]).passed
    assert declared_facts.copies([]).passed


@pytest.mark.parametrize(
    "written",
    [
        [each.lstrip("0") for each in (f"{int(each) % 9000:06}" for each in REGISTER)],
        [f"{int(each) % 9000:06}".upper() for each in REGISTER],
    ],
)
def test_ids_that_another_program_wrote_are_the_same(written: list[str], tmp_path: Path) -> None:
    ids = [f"{int(each) % 9000:06}" for each in REGISTER]
    catalogue = load_catalogue(write_survey(tmp_path, {"2020": answered(ids), "2022": answered(written)}))
    waves = [catalogue.waves[key] for key in (WAVE, "dk-2022")]
    assert shared_units(*waves, {WAVE: ids, "dk-2022": written}.__getitem__) == "yes"


# ── Published figures ────────────────────────────────────────────────────────

TOTAL = "any_innovation,yes,total,,74,1786,\n"


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (
            f"{TOTAL}any_innovation,yes,sector,care,0.71,,\n",
            "row 2, value is a fraction beside a total of 74",
        ),
        (f"{TOTAL}any_innovation,yes,sector,care,0.71,,Confirmed\n", ""),
        ("any_innovation,yes,total,,12,,\nany_innovation,yes,sector,care,0.3,,\n", ""),
        (
            f"{TOTAL}any_innovation,yes,sector,care,10,,\nany_innovation,yes,sector,school,20,,\n",
            "has values from 10 to 20, and the total is outside",
        ),
        (f"{TOTAL}any_innovation,yes,sector,care,10,,\n", ""),  # the other sector may have more
        (f"{TOTAL}any_innovation,yes,sector,care,74,,\nany_innovation,yes,sector,school,73,,\n", ""),
        (
            f"{TOTAL}any_innovation,yes,sector,care,74,1000,\nany_innovation,yes,sector,school,74,900,\n",
            "adds up to more than the total in column n, 1786",
        ),
        (
            "innovative_workplaces,yes,total,,800,,\ninnovative_workplaces,yes,sector,care,500,,\n"
            "innovative_workplaces,yes,sector,school,500,,\n",
            "adds up to more than the total in column value, 800",
        ),
        ("novelty,first,total,,60,,\nnovelty,copied,total,,45,,\n", "add up to more than 100"),
        ("novelty,first,total,,60,,\nnovelty,copied,total,,41,,\n", ""),  # rounded
        (
            "novelty,first,total,,60,,\nnovelty,copied,total,,5,,\nnovelty,dont_know,total,,5,,\n",
            "they do not add up to 100",
        ),
        ("novelty,first,total,,60,,\nnovelty,copied,total,,5,,\n", ""),
        ("innovative_workplaces,yes,total,,5000,,\n", "is more than response.population, 4000"),
        ("any_innovation,yes,total,,74,2001,\n", "is more than response.sample, 2000"),
    ],
)
def test_figures_that_cannot_be_together_stop_the_wave(rows: str, said: str, barometer: Path) -> None:
    found = figures(barometer, rows, "[response]\npopulation = 4000\nsample = 2000\n")
    assert len(found) == bool(said), found
    assert not said or said in found[0]


def test_a_mean_is_within_what_its_question_allows(barometer: Path) -> None:
    edit(barometer / "schemas/codebook.toml", 'type = "numeric"\n', 'type = "numeric"\nminimum = 1\n')
    assert figures(barometer, "staff_mean,mean,total,,1.5,90,\n") == []
    (found,) = figures(barometer, "staff_mean,mean,total,,0.5,90,\n")
    assert "is no mean of the question's numbers" in found
    pin(barometer, "no-2020")
