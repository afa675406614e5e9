"""Estimates on narrower scopes: what they leave of a cell, what they tell of hidden ones, releases that
must fail.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from pipeline.catalogue import Catalogue
from pipeline.disclosure import audit, protect, protect_scoped
from pipeline.disclosure.scope_sums import links, on_scopes, remainders
from pipeline.disclosure.sums import Cell, Sum
from tests.cells import cell, estimates
from tests.test_disclosure_attack import printing
from tests.test_disclosure_audit import crossing

SCOPE, STATE = "sector=care|school", "sector=court"


def one(n: int, value: float = 40.0, scope: str = "", **place: object) -> dict[str, object]:
    given = {"n": n, "m": round(n * value / 100), "value": value, "fraction": 0.1}
    return cell(ci_low=value - 4, ci_high=value + 4, **given, **place) | {"scope": scope}


def again(
    narrowed: pd.DataFrame, plain: pd.DataFrame, catalogue: Catalogue
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The estimates as published, and those on scopes."""
    protected = protect(plain, catalogue)
    wanted = np.ones(len(narrowed), dtype=bool)
    return protected, protect_scoped(narrowed, wanted, plain, protected, catalogue)


def pair(
    n: int, left: int, values: tuple[float, float] = (40.25, 40.31)
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """A total, and the same total on a scope that leaves so many answers outside."""
    plain = estimates(one(n, values[0])).drop(columns="scope")
    return estimates(one(n - left, values[1], SCOPE)), plain


def compared(shown: pd.DataFrame) -> pd.DataFrame:
    """A published table of comparisons that shows these cells on scopes."""
    rows = shown.rename(columns={"wave": "wave_a", "scope": "narrowed_a", "n": "n_a", "value": "value_a"})
    blank = {"wave_b": "", "narrowed_b": "", "n_b": np.nan, "value_b": np.nan, "standard": "", "scope": ""}
    return rows.assign(**blank)


def problems(catalogue: Catalogue, *releases: tuple[pd.DataFrame, pd.DataFrame]) -> list[str]:
    """Of releases of estimates and of cells on scopes, the candidate last."""
    out = [
        (f"1.{number}.0", {"estimates": protected, "comparisons": compared(shown)})
        for number, (protected, shown) in enumerate(releases)
    ]
    return [str(problem) for problem in audit(out, catalogue).problems]


# ── Which cells hang together ────────────────────────────────────────────────


def test_a_cell_on_a_scope_is_the_sum_of_the_finer_cells_inside(catalogue: Catalogue) -> None:
    plain = [Cell("total", "")] + [Cell("sector", code) for code in ("care", "school", "court")]
    every = [*plain, *on_scopes(plain, [Cell("total", "", SCOPE), Cell("sector", "care", SCOPE)], catalogue)]
    assert [tuple(own) for own in every[4:]] == [
        ("sector", "care", SCOPE), ("sector", "school", SCOPE), ("total", "", SCOPE),
    ]  # fmt: skip
    found = {each.key for each in links(every, [Sum(0, (1, 2, 3))], catalogue)}
    assert found == {(6, (4, 5)), (6, (1, 2)), (4, (1,)), (5, (2,))}


def test_scopes_leave_what_is_outside_of_them_and_of_several_that_share_nothing(catalogue: Catalogue) -> None:
    total = Cell("total", "")
    cells = [total, *(total._replace(scope=scope) for scope in (SCOPE, STATE, "sector=care"))]
    found = {each.key for each in remainders(cells, catalogue)}
    assert found == {(0, (1,)), (0, (2,)), (0, (3,)), (0, (1, 2)), (0, (2, 3)), (1, (3,))}


# ── What is left of a cell ───────────────────────────────────────────────────


@pytest.mark.parametrize(("n", "left", "decimals", "shown"), [
    (400, 5, 1, False), (400, 200, 1, True), (4000, 5, 1, True), (4000, 5, 2, False), (90, 9, 1, False),
])  # fmt: skip
def test_a_small_remainder_is_told_unless_rounding_hides_it(
    catalogue: Catalogue, n: int, left: int, decimals: int, shown: bool
) -> None:
    """Of 400 answers and 395, both rounded to 0.1, 5 are disclosed within (400 + 395) x 0.1 / 5 = 16
    points.
    """
    made = printing(catalogue, decimals)
    protected, scoped = again(*pair(n, left), made)
    assert scoped["value"].notna().tolist() == [shown]
    assert (scoped["n"].dropna() % 10 == 0).all() and scoped["deff"].isna().all()
    assert problems(made, (protected, scoped)) == []
    open_again = scoped.assign(value=40.3, n=10 * round((n - left) / 10))
    found = problems(made, (protected, open_again))
    assert shown or all(
        f"dk-2020 any_innovation/yes total on {SCOPE}: discloses the rest of the cell" in each
        for each in found
    )
    assert bool(found) is not shown


@pytest.mark.parametrize("seed", range(20))
def test_no_small_remainder_is_published_unless_it_is_vague(catalogue: Catalogue, seed: int) -> None:
    random = np.random.default_rng(seed)
    n, left, state = (int(number) for number in (random.integers(60, 3000), *random.integers(1, 40, 2)))
    plain = estimates(one(n)).drop(columns="scope")
    rows = [
        one(n - left - state, 40.31, SCOPE),
        one(max(state, 1), 41.2, STATE),
        one(n - left, 40.5, "region=a"),
    ]
    protected, scoped = again(estimates(*rows), plain, catalogue)
    shown = {
        scope: k
        for scope, k, value in scoped[["scope", "n", "value"]].itertuples(index=False)
        if value == value
    }
    outside = {SCOPE: left + state, STATE: n - state, "region=a": left}
    for scope in shown:
        few = outside[scope]
        assert few >= 10 or 0.1 * (2 * n - few) / few >= 20
    assert problems(catalogue, (protected, scoped)) == []


def test_the_rules_hold_on_a_scope_as_everywhere(catalogue: Catalogue) -> None:
    _, scoped = again(estimates(one(6, 40.0, STATE)), pair(4000, 5)[1], catalogue)
    assert scoped[["obs_status", "conf_status"]].to_numpy().tolist() == [["Q", "C"]]
    assert scoped[["value", "n"]].isna().all(axis=None)


# ── What it tells of hidden cells ────────────────────────────────────────────


def regions(catalogue: Catalogue) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """care*north is hidden; each region again on care and school, which holds it and school*north."""
    rows = crossing()
    parts = {row["domain_code"]: row for row in rows if row["domain"] == "sector_region"}
    codes = ("north", "south", "west")
    sizes = [sum(parts[f"{sector}*{code}"]["n"] for sector in ("care", "school")) for code in codes]
    narrowed = [
        one(n, 40.0, SCOPE, domain="region", domain_code=code) for n, code in zip(sizes, codes, strict=True)
    ]
    rows_again = estimates(*narrowed, one(sum(sizes), 40.0, SCOPE))
    plain = estimates(*rows)
    return (*again(rows_again, plain, catalogue), rows_again)


def test_a_cell_on_a_scope_that_tells_a_hidden_one_is_withheld(catalogue: Catalogue) -> None:
    protected, scoped, rows = regions(catalogue)
    secret = protected[protected["conf_status"] != "F"]["domain_code"].tolist()
    assert "care*north" in secret
    assert problems(catalogue, (protected, scoped)) == []
    closed = scoped.index[scoped["value"].isna()]
    assert len(closed) >= 1
    every = scoped.assign(value=40.0, n=(rows["n"] / 10).round().mul(10).to_numpy())
    found = problems(catalogue, (protected, every))
    assert any("care*north" in each for each in found)
    assert problems(catalogue, (protected, every), (protected, scoped)) != []


def test_an_earlier_release_tells_what_is_withheld_now(catalogue: Catalogue) -> None:
    protected, scoped = again(*pair(400, 5), catalogue)
    before = scoped.assign(value=40.3, n=400)
    found = problems(catalogue, (protected, before), (protected, scoped))
    assert found and all(f"total on {SCOPE}" in each for each in found)
    assert problems(catalogue, (protected, scoped), (protected, scoped)) == []


def test_no_other_table_shows_a_hidden_cell(catalogue: Catalogue) -> None:
    protected, scoped, _ = regions(catalogue)
    place = protected[protected["domain_code"] == "care*north"].assign(value=40.0, n=6, scope="")
    found = problems(catalogue, (protected, pd.concat([scoped, place])))
    assert any("care*north" in each and "was published" in each for each in found)


def test_more_digits_than_declared_fail_on_a_scope_too(catalogue: Catalogue) -> None:
    protected, scoped = again(*pair(4000, 500), catalogue)
    assert scoped["value"].notna().all()
    assert any("decimals" in each for each in problems(catalogue, (protected, scoped.assign(value=40.312))))


def test_without_secondary_protection_the_primary_rules_are_left(catalogue: Catalogue) -> None:
    rules = replace(catalogue.barometer.disclosure, secondary=False)
    off = replace(catalogue, barometer=replace(catalogue.barometer, disclosure=rules))
    assert again(*pair(400, 5), off)[1]["value"].notna().all()


# ── Fewer answers ────────────────────────────────────────────────────────────

ANSWERS = "introduced=product|process"


def test_a_cell_over_fewer_answers_adds_up_with_its_like_only(catalogue: Catalogue) -> None:
    plain = [Cell("total", "")] + [Cell("sector", code) for code in ("care", "school", "court")]
    some = [Cell("total", "", f"{ANSWERS} {SCOPE}"), *(each._replace(scope=ANSWERS) for each in plain)]
    every = [*plain, *on_scopes(plain, some, catalogue)]
    name = {number: tuple(own)[1:] for number, own in enumerate(every)}
    fewer = [(code, ANSWERS) for code in ("care", "school", "court")]
    assert {
        (name[each.whole], frozenset(name[part] for part in each.parts))
        for each in links(every, [Sum(0, (1, 2, 3))], catalogue)
    } == {(("", ANSWERS), frozenset(fewer)), (("", f"{ANSWERS} {SCOPE}"), frozenset(fewer[:2]))}
    assert {(name[each.whole], name[each.parts[0]]) for each in remainders(every, catalogue)} == {
        (("", ANSWERS), ("", f"{ANSWERS} {SCOPE}"))
    }


def test_a_cell_over_fewer_answers_is_hidden_with_the_one_over_all(catalogue: Catalogue) -> None:
    plain = estimates(*crossing())
    rows = plain[plain["domain_code"] == "care*north"].assign(scope=ANSWERS, n=400, m=160)
    protected, shown = again(rows, plain, catalogue)
    assert shown["value"].isna().all()
    assert problems(catalogue, (protected, shown)) == []
    found = problems(catalogue, (protected, shown.assign(value=40.0, n=400)))
    assert any("over some of the answers" in each and "care*north" in each for each in found)
