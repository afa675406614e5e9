"""Conditions on numbers, and means of scores: what may be written, and what it counts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline.catalogue import load_catalogue
from pipeline.catalogue.logic import Condition, Logic
from pipeline.disclosure.linkage import linkage
from pipeline.harmonise.routing import holds
from tests.barometers import edit, pin
from tests.golden import Estimated, close, estimated

INDICATORS = "schemas/indicators.toml"


def declare(root: Path, text: str) -> None:
    path = root / INDICATORS
    path.write_text(path.read_text(encoding="utf-8") + text, encoding="utf-8")


def made(root: Path) -> Estimated:
    catalogue = load_catalogue(root)
    assert not catalogue.problems, [str(problem) for problem in catalogue.problems]
    return estimated(catalogue.waves["dk-2020"], catalogue, root)


def share(found: Estimated, counted: pd.Series, asked: pd.Series) -> float:
    """A weighted share by hand."""
    weight = found.weighted.answers["weight"]
    return float(100 * weight[counted & asked].sum() / weight[asked].sum())


@pytest.mark.parametrize("comparison", ["<", "<=", ">", ">=", "="])
@pytest.mark.parametrize("number", ["20.5", "0", "-3", "34.5"])
def test_a_threshold_is_a_share_of_those_who_gave_a_number(
    comparison: str, number: str, barometer: Path
) -> None:
    declare(barometer, f'[indicators.sized]\nany = ["staff {comparison} {number}"]\n')
    found = made(barometer)
    staff = found.weighted.answers["staff"]
    compare = {"<": staff.lt, "<=": staff.le, ">": staff.gt, ">=": staff.ge, "=": staff.eq}[comparison]
    cell = found.cell("sized", "yes")
    assert cell["n"] == staff.notna().sum() == 76
    assert cell["m"] == compare(float(number)).sum()
    assert close(cell["value"], share(found, compare(float(number)), staff.notna()))


def test_a_number_that_is_not_there_meets_no_condition_and_counts_by_its_other_answers(
    barometer: Path,
) -> None:
    declare(barometer, '[indicators.small]\nbase = "all"\nnone = ["staff>=20", "introduced.product=yes"]\n')
    found = made(barometer)
    answers = found.weighted.answers
    product = answers["introduced.product"]
    meets = ~((answers["staff"] >= 20) | (product == "yes"))
    cell = found.cell("small", "yes")
    assert cell["n"] == 80 and cell["m"] == meets.sum()
    assert (meets & answers["staff"].isna()).any(), "else nobody without a number would be counted"
    assert close(cell["value"], share(found, meets, pd.Series(True, index=answers.index)))


def test_negative_numbers_are_answers(barometer: Path) -> None:
    edit(barometer / "schemas/instruments/dk.csv", "ANSATTE,999,staff,no_answer,do not know\n", "")
    raw = barometer / "warehouse/raw/dk-2020.csv"
    raw.write_text(raw.read_text(encoding="utf-8").replace(";999\n", ";-7\n"), encoding="utf-8")
    pin(barometer, "dk-2020")
    declare(barometer, '[indicators.lossmaking]\nany = ["staff<0"]\n')
    cell = made(barometer).cell("lossmaking", "yes")
    assert (cell["n"], cell["m"]) == (80, 4)


def test_a_base_of_a_threshold_routes_and_divides(barometer: Path) -> None:
    edit(
        barometer / "schemas/codebook.toml",
        'base = "innovative"\ntext = "What value',
        'base = "large"\ntext = "What value',
    )
    declare(barometer, '[bases.large]\nall = ["staff>=20", "sector=care"]\n')
    found = made(barometer)
    answers = found.weighted.answers
    large = (answers["staff"] >= 20) & (answers["sector"] == "care")
    assert ((answers["value.quality"] == "not_asked") == ~large).all()
    cell = found.cell("value", "quality")
    assert cell["n"] == large.sum() > 10
    assert close(cell["value"], share(found, answers["value.quality"] == "selected", large))


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        ("staff>=ten", "does not compare with a number"),
        ("staff>=1|2", "does not compare with a number"),
        ("staff>=10,5", "does not compare with a number"),
        ("staff>=nan", "does not compare with a number"),
        ("staff=ten", "compares a number with what is none"),
        ("staff=>10", "is not a condition"),
        ("staff==10", "is not a condition"),
        ("staff>", "is not a condition"),
        (">=10", "is not a condition"),
        ("10<staff<20", "is not a condition"),
        ("staf>=10", "names an unknown variable"),
        ("novelty>=first", "does not compare with a number"),
        ("novelty>=1", "compares codes by their size"),
        ("sector<2", "compares codes by their size"),
        ("introduced.*>1", "compares codes by their size"),
    ],
)
def test_what_compares_nothing_is_refused(condition: str, said: str, barometer: Path) -> None:
    declare(barometer, f'[indicators.sized]\nbase = "all"\nany = ["{condition}"]\n')
    problems = [str(problem) for problem in load_catalogue(barometer).problems]
    assert said in problems[0] and problems[0].startswith(f"{INDICATORS}, indicators.sized"), problems


def test_conditions_are_read_and_written_alike(barometer: Path) -> None:
    declare(barometer, '[indicators.sized]\nany = [" staff >= 10.5 ", "staff=0 | 1"]\n')
    logic = load_catalogue(barometer).indicators["sized"].logic
    assert logic is not None
    assert [str(each) for each in logic.conditions()] == ["staff>=10.5", "staff=0|1"]


def test_a_threshold_on_what_a_wave_did_not_ask_holds_for_nobody(barometer: Path) -> None:
    catalogue = load_catalogue(barometer)
    logic = Logic("any", (Condition("staff", ("10",), ">="),))
    assert not holds(logic, {}, catalogue, 3).any()
    numbers = {"staff": pd.Series([10.0, 9.5, np.nan])}
    assert holds(logic, numbers, catalogue, 3).tolist() == [True, False, False]
    assert holds(Logic("none", logic.parts), numbers, catalogue, 3).tolist() == [False, True, True]


def test_thresholds_of_one_number_are_hidden_together(barometer: Path) -> None:
    declare(barometer, '[indicators.ten]\nany = ["staff>=10"]\n[indicators.twenty]\nany = ["staff>=20"]\n')
    family = linkage(load_catalogue(barometer)).family
    assert family["ten"] == family["twenty"] == family["staff_mean"] != family["novelty"]


SCORED = "scores = { yes = 1, no = 0 }"


def test_a_mean_over_a_grids_item_is_the_share_it_scores(barometer: Path) -> None:
    declare(
        barometer,
        f'[indicators.score]\nmean = "introduced.product"\n{SCORED}\n'
        f'[indicators.scores]\nmean = "introduced.*"\n{SCORED}\n'
        '[indicators.said]\nquestion = "introduced"\ncodes = ["yes"]\ndenominator = "substantive"\n',
    )
    found = made(barometer)
    for indicator, category, item in (
        ("score", "mean", "product"),
        ("scores", "product", "product"),
        ("scores", "service", "service"),
    ):
        mean, share = found.cell(indicator, category), found.cell("said", item)
        assert mean["n"] == share["n"] and mean["unit_measure"] == "mean"
        assert close(100 * mean["value"], share["value"]) and close(100 * mean["se"], share["se"])


@pytest.mark.parametrize(
    ("mean", "said"),
    [
        ('mean = "introduced"', "is a question of several items ('introduced'). Name one of its items"),
        ('mean = "introduced.product"', "scores: is missing"),
        ('mean = "introduced.*"', "scores: is missing"),
        ('mean = "novelty"', "scores: is missing"),
        ('mean = "novelty.*"', "is not an answer variable"),
        ('mean = "introduced.*"\nscores = { yes = 1 }', "leaves out substantive answers"),
        ('mean = "introduced.*"\nscores = { yes = 1, no = 0, perhaps = 2 }', "is not a code"),
        ('mean = "value.quality"', "is ticked or not, and has no mean"),
        ('mean = "value.*"', "is ticked or not, and has no mean"),
        ('mean = "staff"\nscores = { a = 1 }', "are for codes, and the question has numbers"),
        ('mean = "sector"', "is not an answer variable"),
    ],
)
def test_what_has_no_mean_is_refused(mean: str, said: str, barometer: Path) -> None:
    declare(barometer, f'[indicators.score]\nbase = "all"\n{mean}\n')
    problems = "\n".join(str(problem) for problem in load_catalogue(barometer).problems)
    assert said in problems, problems
