"""What a published row tells of its value: never less than the truth, and releases that fail by it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, get_args, get_type_hints

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline import intervals
from pipeline.catalogue import Catalogue, load_catalogue
from pipeline.catalogue.model import Estimation
from pipeline.disclosure import MEASURES, protect
from pipeline.disclosure.published import as_printed
from pipeline.disclosure.value_bounds import rounded, value_bounds
from tests.barometers import write_barometer
from tests.cells import cell, estimates
from tests.test_disclosure_attack import SIZES, only_by_width, printing, problems

CONFIDENCE = 0.95
DECLARABLE = get_args(get_type_hints(Estimation)["proportion_ci"])
ERRORS = ("se", "ci_low", "ci_high")


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> Catalogue:
    return load_catalogue(write_barometer(tmp_path_factory.mktemp("implied") / "barometer"))


def estimated(
    p: float, n: int, effect: float, df: float, method: str = "logit", **place: Any
) -> dict[str, Any]:
    """A share with the error, interval and design effect that the estimator would give it."""
    se = np.sqrt(effect * p * (1 - p) / (n - 1))
    one = (np.array([each], dtype=float) for each in (p, se, n, n / effect, df))
    low, high = (float(each[0]) for each in intervals.share(*one, CONFIDENCE, method))
    numbers = {"n": n, "m": round(n * p), "value": p, "se": se, "ci_low": low, "ci_high": high}
    percent = {name: 100 * numbers[name] for name in ("value", "se", "ci_low", "ci_high")}
    return cell(
        **numbers | percent | {"deff": effect if 0 < p < 1 else np.nan, "df": df, "fraction": 0.1} | place
    )


def mean(value: float, se: float, df: float) -> dict[str, Any]:
    low, high = (
        float(each[0]) for each in intervals.wald(*(np.array([x]) for x in (value, se, df)), CONFIDENCE)
    )
    disclosed = {"value": value, "se": se, "ci_low": low, "ci_high": high, "deff": 1.0}
    return cell(indicator="staff_mean", category="mean", unit_measure="mean", **disclosed)


def declared(catalogue: Catalogue, method: str, decimals: int = 0) -> Catalogue:
    estimation = replace(catalogue.barometer.estimation, proportion_ci=method)
    return printing(
        replace(catalogue, barometer=replace(catalogue.barometer, estimation=estimation)), decimals
    )


share = st.one_of(
    st.floats(0.0, 1.0),
    st.floats(0.0, 0.02),
    st.floats(0.98, 1.0),
    st.sampled_from([0.0, 0.5, 1.0, 0.005, 0.125]),
)
shares = st.tuples(share, st.integers(2, 3000), st.floats(0.05, 8.0))


# ── What a row tells ─────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("df", "p", "q"), [((400, 20), 0.1, 0.026), ((60, 20), 0.02, 0.4567), ((400, 20), 0.034, 0.08)]
)
def test_indicators_of_different_weights_have_their_own_degrees_of_freedom(
    catalogue: Catalogue, df: tuple[int, int], p: float, q: float
) -> None:
    """Of one base and cell: the units that have a further weight may be few. One t for both would rule out
    the truth.
    """
    module = replace(catalogue.indicators["introduced"], weight="module")
    made = printing(replace(catalogue, indicators={**catalogue.indicators, "introduced": module}), 1)
    rows = [
        estimated(p, 400, 1.3, df[0]),
        estimated(q, 90, 1.1, df[1], indicator="introduced", category="product"),
    ]
    low, high = value_bounds(as_printed(estimates(*rows), made), made)
    alone = [value_bounds(as_printed(estimates(row), made), made) for row in rows]
    assert low.tolist() == [each[0][0] for each in alone]
    assert high.tolist() == [each[1][0] for each in alone]
    assert low[0] <= 100 * p <= high[0]


@settings(max_examples=300, deadline=None)
@given(
    rows=st.lists(shares, min_size=1, max_size=5),
    means=st.lists(st.tuples(st.floats(0.0, 500.0), st.floats(0.0, 20.0)), max_size=2),
    df=st.integers(1, 2000),
    method=st.sampled_from(DECLARABLE),
    decimals=st.integers(0, 2),
)
def test_the_true_value_is_always_within(
    catalogue: Catalogue, rows: list[Any], means: list[Any], df: int, method: str, decimals: int
) -> None:
    """Whatever value, error, design effect, n and degrees of freedom stand behind rows of one base and
    cell.
    """
    made = declared(catalogue, method, decimals)
    every = [estimated(p, n, effect, df, method) for p, n, effect in rows]
    frame = estimates(*every, *(mean(value, se, df) for value, se in means))
    low, high = value_bounds(as_printed(frame, made), made)
    true = frame["value"].to_numpy()
    assert (low <= true + 1e-9).all() and (true <= high + 1e-9).all()
    plain = rounded(as_printed(frame, made), "value", made)
    assert (low >= plain[0]).all() and (high <= plain[1]).all()


def test_every_method_that_can_be_declared_has_its_row() -> None:
    assert set(intervals.METHODS) == set(DECLARABLE)


@settings(max_examples=100, deadline=None)
@given(rows=st.lists(shares, min_size=1, max_size=5), df=st.integers(1, 2000))
def test_limits_of_a_new_method_lead_to_no_conclusion_until_its_form_is_stated(
    catalogue: Catalogue, rows: list[Any], df: int
) -> None:
    """An interval that is none of the known ones, as the next method will be."""

    def agresti_coull(p: Any, se: Any, n: Any, df: Any, confidence: float) -> Any:
        near = (p * n + 2) / (n + 4)
        half = 2 * np.sqrt(near * (1 - near) / (n + 4))
        return near - half, near + half

    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(
            vars(intervals)["METHODS"], "new", intervals.Method("Agresti-Coull", agresti_coull, None)
        )
        test = test_the_true_value_is_always_within.hypothesis.inner_test  # type: ignore[attr-defined]
        test(catalogue, rows, [], df, "new", 1)


def test_what_contradicts_itself_is_rounding_alone(catalogue: Catalogue) -> None:
    frame = as_printed(estimates(cell(value=40.0, ci_low=10.0, ci_high=20.0)), catalogue)
    low, high = value_bounds(frame, catalogue)
    assert (low[0], high[0]) == pytest.approx((39.95, 40.05))


def test_the_golden_range_of_one_row(catalogue: Catalogue) -> None:
    """By hand: 2.6 % of 787 with se 0.6 and deff 1.11 +- 0.005 has p (1 - p) = 0.006^2 786 / 1.11."""
    frame = estimates(estimated(0.0262, 787, 1.11, 700, domain="sector", domain_code="care"))
    shown = as_printed(frame, catalogue)
    assert shown.loc[0, ["value", "se", "deff"]].tolist() == [3.0, 0.6, 1.11]
    low, high = value_bounds(shown.assign(ci_low=np.nan, ci_high=np.nan), catalogue)
    least = (0.0055**2 * 786 / 1.115, 0.0065**2 * 786 / 1.105)
    by_effect = [100 * (1 - np.sqrt(1 - 4 * q)) / 2 for q in least]
    assert low[0] == pytest.approx(max(2.5, by_effect[0]), abs=1 / 32)
    assert high[0] == pytest.approx(min(3.5, by_effect[1]), abs=1 / 32)


# ── Releases ─────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def strict(catalogue: Catalogue) -> Catalogue:
    """The width that what is hidden is chosen for, with its margin."""
    made = printing(catalogue, 1)
    rules = replace(made.barometer.disclosure, audit_width=22.0)
    return replace(made, barometer=replace(made.barometer, disclosure=rules))


def rare() -> pd.DataFrame:
    """Of the first sector 6 answered: it is hidden."""
    shares = (0.02, 0.05, 0.04, 0.06, 0.05)
    total = sum(n * p for n, p in zip(SIZES, shares, strict=True)) / sum(SIZES)
    sectors = [
        estimated(p, n, 1.1, max(n - 3, 1), domain="sector", domain_code=f"of_{n}")
        for n, p in zip(SIZES, shares, strict=True)
    ]
    return estimates(estimated(total, sum(SIZES), 1.1, sum(SIZES) - 5), *sectors)


def without(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(**dict.fromkeys(MEASURES[1:], np.nan))


def test_what_is_chosen_by_the_rounding_of_values_alone_fails_by_intervals(
    catalogue: Catalogue, strict: Catalogue
) -> None:
    frame = without(protect(without(rare()), printing(catalogue, 1)))
    printed = as_printed(rare(), strict).where(frame["value"].notna())
    assert problems(strict, frame) == []
    assert only_by_width(problems(strict, frame.assign(**{name: printed[name] for name in ERRORS})))
    assert problems(strict, protect(rare(), printing(catalogue, 1))) == []


@pytest.mark.parametrize("names", [("se",), ("ci_low", "ci_high")])
def test_more_digits_of_an_error_or_limit_fail(
    catalogue: Catalogue, strict: Catalogue, names: tuple[str, ...]
) -> None:
    """By the digits in a candidate, and by what it tells in an earlier release."""
    frame = protect(rare(), printing(catalogue, 1))
    digits = {name: rare()[name].round(4).where(frame["value"].notna()) for name in names}
    assert any("more decimals" in problem for problem in problems(strict, frame.assign(**digits)))
    assert problems(strict, frame, frame) == []
    assert only_by_width(problems(strict, frame, frame.assign(**digits)))


def test_a_design_effect_beside_a_hidden_cell_fails(catalogue: Catalogue) -> None:
    frame = protect(rare(), catalogue)
    place = frame.index[(frame["domain"] == "sector") & frame["value"].notna()][0]
    frame.loc[place, "deff"] = 1.1
    found = problems(catalogue, frame)
    assert len(found) == 1 and "but its design effect is published" in found[0]
