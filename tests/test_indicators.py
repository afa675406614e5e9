"""What an indicator counts: scores, bases narrower than the question's, substantive denominators."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from pipeline.catalogue import Base, Catalogue, Condition, Indicator, Logic, Wave, load_catalogue
from pipeline.estimation.plan import plan_wave
from tests.barometers import write_barometer
from tests.test_estimation import cell, drawn, estimated

SCORES = {"first": 100.0, "copied": 40.0}
PRODUCT = Base("product", Logic("any", (Condition("introduced.product", ("yes",)),)))
ADDED = {
    "newness": Indicator("newness", "Newness", "innovative", mean="novelty", scores=SCORES),
    "novelty_of_products": Indicator(
        "novelty_of_products", "Novelty of products", "product", question="novelty"
    ),
    "novelty_known": Indicator(
        "novelty_known",
        "Novelty, of those who know",
        "innovative",
        question="novelty",
        denominator="substantive",
    ),
    "value_known": Indicator(
        "value_known", "Value, of those who know", "innovative", question="value", denominator="substantive"
    ),
    "ever_first": Indicator(
        "ever_first",
        "First",
        "innovative",
        logic=Logic("any", (Condition("novelty", ("first",)),)),
        denominator="substantive",
    ),
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Estimates of indicators of these kinds, and the weighted answers they are of."""
    catalogue: Catalogue = load_catalogue(
        write_barometer(tmp_path_factory.mktemp("indicators") / "barometer")
    )
    wave: Wave = catalogue.waves["dk-2020"]
    value = replace(catalogue.questions["value"], nonresponse=("savings",))  # as if it said "don't know"
    more = replace(
        catalogue,
        questions={**catalogue.questions, "value": value},
        bases={**catalogue.bases, "product": PRODUCT},
        indicators={**catalogue.indicators, **ADDED},
    )
    return estimated(drawn(21), (more, wave))


def mean(weighted: pd.DataFrame, y: pd.Series, inside: pd.Series) -> tuple[float, int]:
    """The weighted mean of y inside, and how many there are."""
    return float(np.average(y[inside].astype(float), weights=weighted["weight"][inside])), int(inside.sum())


def test_scores_are_the_mean_of_those_who_have_one(made: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    estimates, weighted = made
    scored = weighted["novelty"].isin(list(SCORES))
    assert (weighted["novelty"] == "dont_know").any()
    found = cell(estimates, "newness", "mean")
    assert (found["value"], found["n"]) == pytest.approx(
        mean(weighted, weighted["novelty"].map(SCORES), scored)
    )


def test_a_base_may_be_narrower_than_the_question(made: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    estimates, weighted = made
    answered = ~weighted["novelty"].isin(["no_answer", "not_asked"])
    inside = answered & (weighted["introduced.product"] == "yes")
    assert inside.sum() < answered.sum()
    value, n = mean(weighted, weighted["novelty"] == "first", inside)
    found = cell(estimates, "novelty_of_products", "first")
    assert (found["value"], found["n"]) == pytest.approx((100 * value, n))


@pytest.mark.parametrize(("indicator", "category"), [("novelty_known", "first"), ("ever_first", "yes")])
def test_substantive_answers_only(
    indicator: str, category: str, made: tuple[pd.DataFrame, pd.DataFrame]
) -> None:
    estimates, weighted = made
    value, n = mean(weighted, weighted["novelty"] == "first", weighted["novelty"].isin(list(SCORES)))
    found = cell(estimates, indicator, category)
    assert (found["value"], found["n"]) == pytest.approx((100 * value, n))


def test_who_ticked_what_is_no_answer_does_not_count(made: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    estimates, weighted = made
    inside = weighted["value.savings"] == "not_selected"
    assert (weighted["value.savings"] == "selected").any()
    value, n = mean(weighted, weighted["value.quality"] == "selected", inside)
    found = cell(estimates, "value_known", "quality")
    assert (found["value"], found["n"]) == pytest.approx((100 * value, n))
    assert set(estimates.loc[estimates["indicator"] == "value_known", "category"]) == {"quality"}


@pytest.fixture(scope="module")
def narrower(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    """Estimates of a wave whose questionnaire had no "copied", no box for savings and no "yes" of one item."""
    root = write_barometer(tmp_path_factory.mktemp("offered") / "barometer")
    crosswalk = root / "schemas" / "instruments" / "dk.csv"
    left_out = ("novelty,copied", "value.savings,selected", "introduced.product,yes")
    lines = [
        line for line in crosswalk.read_text().splitlines() if not any(each in line for each in left_out)
    ]
    crosswalk.write_text("\n".join(lines) + "\n")
    catalogue = load_catalogue(root)
    copied = Indicator(
        "copied", "Copied", "innovative", logic=Logic("any", (Condition("novelty", ("copied",)),))
    )
    more = replace(catalogue, indicators={**catalogue.indicators, "copied": copied})
    plan = plan_wave(catalogue.waves["dk-2020"], more)
    return pd.DataFrame(
        [(each.indicator, each.category) for each in plan.measures], columns=["indicator", "category"]
    )


@pytest.mark.parametrize(
    ("indicator", "categories"),
    [
        ("novelty", ["first", "dont_know"]),
        ("value", ["quality"]),
        ("introduced", ["service"]),
        ("any_innovation", ["yes"]),
        ("copied", []),
    ],
)
def test_what_a_questionnaire_did_not_offer_is_no_estimate_and_never_0(
    indicator: str, categories: list[str], narrower: pd.DataFrame
) -> None:
    assert narrower.query("indicator == @indicator")["category"].tolist() == categories
