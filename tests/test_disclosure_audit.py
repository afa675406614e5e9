"""Secondary suppression and the attacker: optimal covers, links between tables, and releases that must
fail.
"""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from pipeline.catalogue import Catalogue
from pipeline.disclosure import audit, protect
from pipeline.disclosure.linkage import linkage
from pipeline.disclosure.programmes import Block
from pipeline.disclosure.ranges import ranges
from pipeline.disclosure.sums import Cell, balanced, matrix, sums_of
from pipeline.disclosure.suppression_milp import Cut, cheapest_suppression
from tests.cells import cell, estimates

SECTORS, REGIONS = ("care", "school", "court"), ("north", "south", "west")
N = np.array([[6, 60, 40], [55, 300, 80], [45, 70, 90]])


def crossing(indicator: str = "any_innovation", share: float = 0.4, **given: Any) -> list[dict[str, Any]]:
    """A share in the total, three sectors, three regions and their crossing; care*north has 6 units."""

    def one(n: int, **place: Any) -> dict[str, Any]:
        whole = {"n": int(n), "m": int(n * share), "value": 100 * share, "fraction": 0.1}
        return cell(
            indicator=indicator, ci_low=100 * share - 4, ci_high=100 * share + 4, **whole | given | place
        )

    cells = [one(N.sum())]
    cells += [one(N[i].sum(), domain="sector", domain_code=code) for i, code in enumerate(SECTORS)]
    cells += [one(N[:, j].sum(), domain="region", domain_code=code) for j, code in enumerate(REGIONS)]
    for i, sector in enumerate(SECTORS):
        cells += [
            one(N[i, j], domain="sector_region", domain_code=f"{sector}*{region}")
            for j, region in enumerate(REGIONS)
        ]
    return cells


def hidden(frame: pd.DataFrame, indicator: str = "any_innovation") -> set[str]:
    own = frame[(frame["indicator"] == indicator) & frame["conf_status"].isin(["C", "D"])]
    return set(own["domain_code"])


def problems(catalogue: Catalogue, candidate: pd.DataFrame, *earlier: pd.DataFrame) -> list[str]:
    releases = [(f"1.{number}.0", {"estimates": frame}) for number, frame in enumerate(earlier)]
    every = [*releases, ("candidate", {"estimates": candidate})]
    return [str(problem) for problem in audit(every, catalogue).problems]


# ── The cover ────────────────────────────────────────────────────────────────


def covers(chosen: frozenset[int], sums: list[tuple[int, ...]]) -> bool:
    return all(len(chosen & set(each)) != 1 for each in sums)


@pytest.mark.parametrize("seed", range(25))
def test_the_cover_is_as_cheap_as_the_best_of_all_subsets(seed: int) -> None:
    random = np.random.default_rng(seed)
    size = 9
    sums = [tuple(random.choice(size, random.integers(2, 5), replace=False).tolist()) for _ in range(5)]
    cost = random.integers(1, 50, size).astype(float)
    forced = np.zeros(size, dtype=bool)
    forced[random.choice(size, 2, replace=False)] = True
    chosen = cheapest_suppression(forced, cost, sums)
    must = frozenset(np.flatnonzero(forced).tolist())
    rest = [place for place in range(size) if place not in must]
    every = [must | set(more) for k in range(len(rest) + 1) for more in combinations(rest, k)]
    best = min(sum(cost[list(each - must)]) for each in map(frozenset, every) if covers(each, sums))
    assert covers(frozenset(np.flatnonzero(chosen).tolist()), sums)
    assert cost[chosen & ~forced].sum() == pytest.approx(best)


def test_a_cell_of_a_square_takes_the_three_others_with_it() -> None:
    """Rows 0 1 and 2 3, columns 0 2 and 1 3: the smallest pattern in two crossing sums is a rectangle."""
    forced = np.array([True, False, False, False])
    chosen = cheapest_suppression(forced, np.ones(4), [(0, 1), (2, 3), (0, 2), (1, 3)])
    assert chosen.all()


def test_a_demand_is_met_at_least_cost() -> None:
    forced = np.array([True, False, False, False])
    chosen = cheapest_suppression(
        forced, np.array([1.0, 5.0, 3.0, 3.0]), [(0, 1, 2, 3)], [Cut((1, 2, 3), (1.0, 0.6, 0.6))]
    )
    assert chosen.tolist() == [True, True, False, False]


# ── Sums and links ───────────────────────────────────────────────────────────


def test_a_breakdown_within_another_shows_in_the_counts(catalogue: Catalogue) -> None:
    cells = [Cell("region", code) for code in "abc"] + [Cell("sector", code) for code in "xy"]
    parts = np.array([[11, 7, 5], [20, 9, 4], [14, 13, 6], [8, 3, 2]], dtype=float)
    counts = np.column_stack([parts, parts[:, 0] + parts[:, 2], parts[:, 1]])
    found = {(each.whole, each.parts) for each in sums_of(cells, counts, catalogue)}
    assert found == {(3, (0, 2)), (4, (1,))}


def test_what_is_left_of_the_sums_is_shared_out() -> None:
    cells = [("total", ""), ("sector", "a"), ("sector", "b")]
    only = matrix([type("S", (), {"members": (0, 1, 2), "parts": (1, 2)})()], len(cells))
    sizes = balanced(np.array([100.0, 70.0, 10.0]), np.array([1e-9, 1e-9, 100.0]), only, np.zeros(1))
    assert sizes == pytest.approx([100, 70, 30], abs=1e-6)


def test_siblings_are_one_family_and_routed_questions_lie_below(catalogue: Catalogue) -> None:
    linked = linkage(catalogue)
    assert len({linked.family[key] for key in ("any_innovation", "introduced", "innovative_workplaces")}) == 1
    assert linked.above[linked.family["novelty"]] == {linked.family["any_innovation"]}
    assert linked.above[linked.family["staff_mean"]] == frozenset()


def test_a_sibling_and_all_that_is_asked_below_hide_with_a_cell(catalogue: Catalogue) -> None:
    rows = (
        crossing()
        + crossing("introduced", 0.3, category="product")
        + crossing("staff_mean", unit_measure="mean")
    )
    routed = [
        {**row, "n": row["n"] - 1 if row["n"] > 10 else 5}
        for row in crossing("novelty", 0.5, category="first")
    ]
    frame = protect(estimates(*rows, *routed), catalogue)
    assert hidden(frame) == hidden(frame, "introduced") <= hidden(frame, "novelty")


# ── Secondary suppression and the audit ──────────────────────────────────────


def test_a_crossed_cell_is_protected_in_its_row_and_its_column(catalogue: Catalogue) -> None:
    frame = protect(estimates(*crossing()), catalogue)
    codes = hidden(frame) - {"care", "school", "court", "north", "south", "west", ""}
    for code in codes:
        sector, region = code.split("*")
        assert sector in hidden(frame) or len({other for other in codes if other.startswith(sector)}) > 1
        assert region in hidden(frame) or len({other for other in codes if other.endswith(region)}) > 1
    assert "" not in hidden(frame)
    assert problems(catalogue, frame) == []


def test_the_order_of_the_rows_does_not_matter(catalogue: Catalogue) -> None:
    rows = estimates(*crossing(), *crossing("introduced", 0.3, category="product"))
    shuffled = rows.sample(frac=1.0, random_state=7)
    expected = protect(rows, catalogue)
    again = protect(shuffled, catalogue).set_axis(shuffled.index).sort_index()
    pd.testing.assert_frame_equal(again.reset_index(drop=True), expected)


def test_beside_a_hidden_cell_n_is_rounded_and_the_design_effect_blank(catalogue: Catalogue) -> None:
    frame = protect(estimates(*crossing()), catalogue)
    shown = frame[(frame["domain"] == "sector_region") & frame["n"].notna()]
    assert (shown["n"] % 10 == 0).all() and shown["deff"].isna().all() and shown["se"].notna().any()


def test_a_rare_answer_hides_behind_other_cells(catalogue: Catalogue) -> None:
    """Where 2 % say yes, cells that would do for 40 % leave less than 20 points open."""
    common, rare = (protect(estimates(*crossing(share=share)), catalogue) for share in (0.4, 0.02))
    assert hidden(rare) != hidden(common) and problems(catalogue, rare) == []


def test_a_range_is_what_the_rounding_of_the_others_leaves() -> None:
    """A tenth of a whole of 50 +- 0.05, the rest 50 +- 0.5: (0.05 + 0.45) / 0.1 = 5 points either side."""
    block = Block(
        sparse.coo_array(np.array([[0.1, 0.9]])), np.array([49.95]), np.array([50.05]),
        np.array([0.0, 49.5]), np.array([100.0, 50.5]), np.array([0]), np.array([20.0]),
    )  # fmt: skip
    assert ranges([block, block]).widths == [pytest.approx([10.0], abs=1e-4)] * 2


def test_a_secondary_cell_that_is_shown_fails_the_audit(catalogue: Catalogue) -> None:
    rows = estimates(*crossing())
    frame = protect(rows, catalogue)
    open_again = frame.copy()
    places = frame.index[frame["conf_status"] == "D"]
    assert len(places) == 3
    for place in places:
        open_again = frame.copy()
        open_again.loc[place, ["value", "n"]] = [40.0, 10 * round(rows.loc[place, "n"] / 10)]
        open_again.loc[place, ["obs_status", "conf_status"]] = ["A", "F"]
        assert any(
            "care*north" in problem and "subtraction" in problem
            for problem in problems(catalogue, open_again)
        )


def test_every_hidden_cell_that_is_alone_fails_the_audit(catalogue: Catalogue) -> None:
    off = replace(catalogue.barometer, disclosure=replace(catalogue.barometer.disclosure, secondary=False))
    lone = protect(estimates(*crossing()), replace(catalogue, barometer=off))
    found = audit([("candidate", {"estimates": lone})], catalogue)
    assert found.report["recovered_by_subtraction"]["as_published"] == 1
    assert found.report["recovered_by_subtraction"]["primary_only"] == 1
    assert any("care*north" in problem and "subtraction" in problem for problem in problems(catalogue, lone))


def test_a_digit_too_many_fails_the_audit(catalogue: Catalogue) -> None:
    frame = protect(estimates(*crossing()), catalogue)
    place = frame.index[(frame["domain"] == "sector") & frame["value"].notna()][0]
    frame.loc[place, "value"] += 0.3
    assert any("more decimals" in problem for problem in problems(catalogue, frame))


def test_an_earlier_release_that_shows_a_hidden_cell_fails_the_audit(catalogue: Catalogue) -> None:
    rows = estimates(*crossing())
    now = protect(rows, catalogue)
    loose = replace(
        catalogue.barometer,
        disclosure=replace(catalogue.barometer.disclosure, min_n=2),
        reliability=replace(catalogue.barometer.reliability, unpublish_n=2),
    )
    before = protect(rows, replace(catalogue, barometer=loose))
    assert problems(catalogue, now, now) == []
    found = problems(catalogue, now, before)
    assert any("care*north" in problem and "1.0.0" in problem for problem in found)
    assert any("care*north" in problem and "audit_width" in problem for problem in found)


def test_neither_report_nor_problem_holds_a_hidden_value(catalogue: Catalogue) -> None:
    rows = [{**row, "value": 47.11} if row["domain_code"] == "care*north" else row for row in crossing()]
    off = replace(catalogue.barometer, disclosure=replace(catalogue.barometer.disclosure, secondary=False))
    lone = protect(estimates(*rows), replace(catalogue, barometer=off))
    found = audit([("candidate", {"estimates": lone})], catalogue)
    said = json.dumps(found.report) + " ".join(map(str, found.problems))
    assert found.problems and "47" not in said
