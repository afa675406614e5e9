"""The judgements on what was made: each passes on sound data, and fails on what it is there to find."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from pipeline.catalogue import Catalogue, load_catalogue
from pipeline.harmonise import harmonise
from pipeline.sources import read_raw
from pipeline.staleness.findings import edition_before
from pipeline.steps import quality
from tests.barometers import edit
from tests.cells import cell, estimates


@pytest.fixture
def catalogue(barometer: Path) -> Catalogue:
    return load_catalogue(barometer)


def harmonised(catalogue: Catalogue) -> tuple[pd.DataFrame, pd.DataFrame]:
    wave = catalogue.waves["dk-2020"]
    made = harmonise(read_raw(catalogue.raw_path(wave.source.file), wave.source).frame, wave, catalogue)
    return made.answers, made.quarantine


def report(**given: Any) -> dict[str, Any]:
    margin = {"margin": "sector", "code": "care", "total": 220.0, "reached": 220.0}
    sound = {
        "rows": 80,
        "sum": 400.0,
        "population": None,
        "min": 1.0,
        "max": 4.0,
        "ratio": 4.0,
        "deff": 1.2,
        "effective_n": 66.7,
        "margins": [margin],
        "numbered": False,
        "off_strata": 0,
        "weights": {},
    }
    return sound | given


def test_a_harmonised_wave_keeps_its_contract(catalogue: Catalogue) -> None:
    answers, quarantine = harmonised(catalogue)
    found = quality.contract(answers, quarantine, catalogue.waves["dk-2020"], catalogue)
    assert found.passed, found.message
    assert found.numbers["quarantined"] == 0


def test_an_undeclared_code_breaks_the_contract(catalogue: Catalogue) -> None:
    answers, quarantine = harmonised(catalogue)
    answers["region"] = answers["region"].astype(str).replace("north", "nowhere")
    found = quality.contract(answers, quarantine, catalogue.waves["dk-2020"], catalogue)
    assert (found.passed, found.severity) == (False, "error")
    assert found.rows[0] == {"column": "region", "rule": "enum", "count": 26}


def test_a_missing_column_breaks_the_contract(catalogue: Catalogue) -> None:
    answers, quarantine = harmonised(catalogue)
    found = quality.contract(
        answers.drop(columns="novelty"), quarantine, catalogue.waves["dk-2020"], catalogue
    )
    assert not found.passed
    assert "novelty" in found.message


def test_too_much_quarantine_breaks_the_contract(catalogue: Catalogue) -> None:
    answers, _ = harmonised(catalogue)
    bad = pd.DataFrame({"row": [1, 2, 2, 3, 4, 5]})
    found = quality.contract(answers, bad, catalogue.waves["dk-2020"], catalogue)
    assert (found.passed, found.numbers["quarantined"]) == (False, 5)


def test_sound_weights_pass() -> None:
    assert quality.weights(report()).passed


@pytest.mark.parametrize(
    ("given", "severity"),
    [
        ({"ratio": 101.0}, "warn"),
        ({"deff": 4.1}, "warn"),
        ({"population": 4000}, "warn"),
        ({"population": 379}, "warn"),
        ({"min": 0.0}, "error"),
        ({"margins": [{"margin": "region", "code": "north", "total": 150.0, "reached": 150.001}]}, "error"),
    ],
)
def test_wild_weights_are_found(given: dict[str, Any], severity: str) -> None:
    found = quality.weights(report(**given))
    assert (found.passed, found.severity) == (False, severity)


def test_weights_of_the_declared_population_pass() -> None:
    assert quality.weights(report(population=420)).passed
    assert "add up to 400, response.population says 4000" in quality.weights(report(population=4000)).message


def test_a_missed_margin_is_named() -> None:
    missed = {"margin": "region", "code": "north", "total": 150.0, "reached": 149.0}
    assert quality.weights(report(margins=[*report()["margins"], missed])).rows == (missed,)


def test_a_first_edition_has_nothing_to_cover() -> None:
    assert quality.coverage({"value"}, 80, None, None).passed


def test_a_dropped_question_is_named() -> None:
    found = quality.coverage({"value"}, 80, {"value", "novelty"}, 80)
    assert (found.passed, found.message) == (False, "1 question no longer asked: novelty")


def test_far_fewer_respondents_are_seen() -> None:
    assert quality.coverage({"value"}, 40, {"value"}, 80).passed
    assert not quality.coverage({"value"}, 39, {"value"}, 80).passed


def test_the_edition_before_is_of_the_same_survey(catalogue: Catalogue) -> None:
    before = edition_before(catalogue.waves["dk-2022"], catalogue)
    assert before is not None and before.key == "dk-2020"
    assert edition_before(catalogue.waves["dk-2020"], catalogue) is None
    assert edition_before(catalogue.waves["no-2020"], catalogue) is None


def test_the_questions_of_a_wave_are_those_its_crosswalk_fills(catalogue: Catalogue) -> None:
    found = quality.questions(catalogue.waves["dk-2020"], catalogue)
    assert found == {"introduced", "novelty", "value", "staff"}


def novelty(category: str, value: float, **given: Any) -> dict[str, Any]:
    return cell(indicator="novelty", category=category, value=value, **given)


def test_shares_of_one_choice_sum_to_100(catalogue: Catalogue) -> None:
    frame = estimates(novelty("first", 30.0), novelty("copied", 60.0), novelty("dont_know", 10.0))
    assert quality.shares(frame, catalogue).passed


def test_shares_that_do_not_sum_are_named(catalogue: Catalogue) -> None:
    frame = estimates(novelty("first", 30.0), novelty("copied", 60.0))
    found = quality.shares(frame, catalogue)
    assert (found.passed, found.severity) == (False, "error")
    assert found.rows[0]["value"] == 90.0


def test_shares_of_many_choices_need_not_sum(catalogue: Catalogue) -> None:
    assert quality.shares(estimates(cell(indicator="value", category="quality")), catalogue).passed


def test_published_figures_need_not_sum(catalogue: Catalogue) -> None:
    assert quality.shares(estimates(novelty("first", 10.0, source_kind="figures")), catalogue).passed


@pytest.mark.parametrize(
    ("value", "se", "passed"),
    [
        (54.0, 1.0, True),  # 14 points: less than asked about
        (60.0, 2.0, False),  # 20 points, 7 standard errors
        (60.0, 8.0, True),  # 20 points, 2.4 standard errors: a small survey
        (20.0, float("nan"), False),  # no standard error: the points decide
    ],
)
def test_a_jump_is_far_and_sure(catalogue: Catalogue, value: float, se: float, passed: bool) -> None:
    before = cell(value=40.0, se=2.0)
    frame = estimates(before, cell(wave="dk-2022", edition="2022", value=value, se=se))
    found = quality.jumps(frame, catalogue)
    assert (found.passed, found.numbers["compared"]) == (passed, 1)
    if not passed:
        assert (found.rows[0]["wave"], found.rows[0]["before"]) == ("dk-2022", "dk-2020")


@pytest.fixture
def twice_told(barometer: Path) -> Catalogue:
    """The small barometer with figures published of the edition whose microdata it holds."""
    edit(
        barometer / "schemas/waves/no-2020.toml",
        'country = "NO"\nsurvey = "no"',
        'country = "DK"\nsurvey = "dk"',
    )
    return load_catalogue(barometer)


def figure(value: float) -> dict[str, Any]:
    return cell(wave="no-2020", source_kind="figures", value=value, se=float("nan"))


@pytest.mark.parametrize(
    ("value", "passed"),
    [(40.0, True), (45.0, True), (45.5, False), (35.0, True), (34.6, True), (34.5, False)],
)
def test_figures_and_estimates_agree_within_interval_and_rounding(
    twice_told: Catalogue, value: float, passed: bool
) -> None:
    found = quality.agreement(estimates(cell(), figure(value)), twice_told)
    assert (found.passed, found.numbers["compared"]) == (passed, 1)


def test_the_furthest_case_is_named(twice_told: Catalogue) -> None:
    found = quality.agreement(estimates(cell(), figure(99.0)), twice_told)
    assert found.message.endswith("largest difference: dk-2020 any_innovation yes, 40 against 99")


def test_cells_too_small_to_publish_are_not_held_against_figures(twice_told: Catalogue) -> None:
    found = quality.agreement(estimates(cell(n=9), figure(99.0)), twice_told)
    assert (found.passed, found.numbers["compared"]) == (True, 0)


def test_figures_of_another_survey_are_not_compared(catalogue: Catalogue) -> None:
    found = quality.agreement(estimates(cell(), figure(99.0)), catalogue)
    assert (found.passed, found.numbers["compared"]) == (True, 0)


def test_findings_hold_no_more_rows_than_one_can_read(catalogue: Catalogue) -> None:
    cells = [novelty("first", 30.0, domain="sector", domain_code=str(number)) for number in range(40)]
    assert len(quality.shares(estimates(*cells), catalogue).rows) == quality.MAX_SHOWN
