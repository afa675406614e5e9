"""What may be published: each rule at its threshold, the distribution as its unit, and rounding."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pipeline.catalogue import Catalogue, Response, load_catalogue
from pipeline.contracts import table
from pipeline.disclosure import MEASURES, half_up, protect
from tests.cells import cell, estimates

CELLS = [field["name"] for field in table("estimates")["fields"]]


@pytest.fixture
def catalogue(barometer: Path) -> Catalogue:
    """The small barometer, with a wave that does not say how many of its population answered."""
    loaded = load_catalogue(barometer)
    waves = {key: replace(wave, response=Response()) for key, wave in loaded.waves.items()}
    return replace(loaded, waves=waves)


def published(catalogue: Catalogue, *cells: Mapping[str, Any]) -> pd.DataFrame:
    return protect(estimates(*cells), catalogue)


def flags(frame: pd.DataFrame) -> list[str]:
    return (frame["obs_status"] + frame["conf_status"]).tolist()


@pytest.mark.parametrize(
    ("n", "flag"), [(9, "QC"), (10, "QF"), (19, "QF"), (20, "UF"), (49, "UF"), (50, "AF")]
)
def test_the_number_of_respondents_decides(catalogue: Catalogue, n: int, flag: str) -> None:
    assert flags(published(catalogue, cell(n=n, m=5))) == [flag]


@pytest.mark.parametrize(("width", "flag"), [(19.9, "AF"), (20.0, "UF"), (39.9, "UF"), (40.0, "QF")])
def test_the_width_of_the_interval_decides(catalogue: Catalogue, width: float, flag: str) -> None:
    assert flags(published(catalogue, cell(ci_low=30.0, ci_high=30.0 + width))) == [flag]


def test_an_interval_that_is_not_known_is_flagged(catalogue: Catalogue) -> None:
    assert flags(published(catalogue, cell(ci_low=np.nan, ci_high=np.nan))) == ["UF"]


@pytest.mark.parametrize("unit", ["mean", "count"])
def test_widths_are_in_points_and_so_for_shares_only(catalogue: Catalogue, unit: str) -> None:
    assert flags(published(catalogue, cell(unit_measure=unit, ci_low=0.0, ci_high=500.0))) == ["AF"]


def test_a_hidden_cell_shows_nothing_and_an_unreliable_one_its_n(catalogue: Catalogue) -> None:
    hidden = published(catalogue, cell(n=9)).iloc[0]
    unreliable = published(catalogue, cell(n=12)).iloc[0]
    assert hidden[[*MEASURES, "n"]].isna().all()
    assert unreliable[MEASURES].isna().all() and unreliable["n"] == 12


@pytest.mark.parametrize(
    ("m", "fraction", "flag"),
    [
        (2, 0.51, "QC"),
        (398, 0.51, "QC"),
        (3, 0.51, "AF"),
        (397, 0.51, "AF"),
        (2, 0.5, "AF"),
        (2, float("nan"), "AF"),
    ],
)
def test_a_small_group_is_hidden_where_most_have_answered(
    catalogue: Catalogue, m: int, fraction: float, flag: str
) -> None:
    assert flags(published(catalogue, cell(m=m, fraction=fraction))) == [flag]


def test_the_wave_stands_in_for_a_fraction_that_is_not_known(catalogue: Catalogue) -> None:
    census = replace(catalogue.waves["dk-2020"], response=Response(population=500, respondents=400))
    catalogue = replace(catalogue, waves={"dk-2020": census})
    assert flags(published(catalogue, cell(m=2))) == ["QC"]


def test_one_small_category_hides_the_whole_distribution(catalogue: Catalogue) -> None:
    frame = published(
        catalogue,
        cell(indicator="novelty", category="first", m=2, fraction=0.9),
        cell(indicator="novelty", category="copied", m=200, fraction=0.9),
        cell(indicator="value", category="quality", m=200, fraction=0.9),
    )
    assert flags(frame) == ["QC", "QC", "AF"]


def test_a_count_is_hidden_with_the_share_behind_it(catalogue: Catalogue) -> None:
    frame = published(
        catalogue,
        cell(ci_low=0.0, ci_high=60.0),
        cell(
            indicator="innovative_workplaces", unit_measure="count", value=160.4, ci_low=150.0, ci_high=171.0
        ),
    )
    assert flags(frame) == ["QF", "QF"]


def sector(code: str, **given: Any) -> dict[str, Any]:
    return cell(domain="sector", domain_code=code, **given)


def crossed(code: str, **given: Any) -> dict[str, Any]:
    return cell(domain="sector_region", domain_code=code, **given)


def test_a_lone_hidden_cell_takes_the_next_smallest_with_it(catalogue: Catalogue) -> None:
    frame = published(catalogue, cell(), sector("care", n=9), sector("school", n=300), sector("court", n=91))
    assert flags(frame) == ["AF", "QC", "AF", "QD"]
    assert frame.loc[3, [*MEASURES, "n"]].isna().all()


def test_a_cell_left_out_for_quality_is_hidden_first(catalogue: Catalogue) -> None:
    wide = sector("school", n=300, ci_low=0.0, ci_high=50.0)
    frame = published(catalogue, cell(), sector("care", n=9), wide, sector("court", n=91))
    assert flags(frame) == ["AF", "QC", "QD", "AF"]


def test_two_hidden_cells_protect_each_other(catalogue: Catalogue) -> None:
    frame = published(catalogue, cell(), sector("care", n=9), sector("school", n=8), sector("court", n=383))
    assert flags(frame) == ["AF", "QC", "QC", "AF"]


def test_no_sum_of_a_crossed_breakdown_gives_a_hidden_cell_away(catalogue: Catalogue) -> None:
    cells = [cell(), sector("care", n=200), sector("school", n=200)]
    cells += [crossed("care*north", n=9), crossed("care*south", n=191)]
    cells += [crossed("school*north", n=90), crossed("school*south", n=110)]
    assert flags(published(catalogue, *cells)) == ["AF", "AF", "AF", "QC", "QD", "AF", "AF"]


def test_a_hidden_cell_is_not_the_sum_of_published_ones(catalogue: Catalogue) -> None:
    cells = [cell(), sector("care", n=9), sector("school", n=391), crossed("care*north", n=9)]
    cells += [crossed("school*north", n=190), crossed("school*south", n=201)]
    assert flags(published(catalogue, *cells)) == ["AF", "QC", "QD", "QC", "QD", "AF"]


def test_secondary_protection_can_be_declared_off(catalogue: Catalogue) -> None:
    off = replace(catalogue.barometer, disclosure=replace(catalogue.barometer.disclosure, secondary=False))
    frame = published(replace(catalogue, barometer=off), cell(), sector("care", n=9), sector("school", n=391))
    assert flags(frame) == ["AF", "QC", "AF"]


def test_figures_are_published_as_printed(catalogue: Catalogue) -> None:
    printed = cell(source_kind="figures", wave="no-2020", value=62.345, n=7, obs_status="E", se=12.345)
    row = published(catalogue, printed).iloc[0]
    assert (row["value"], row["n"], row["obs_status"], row["conf_status"]) == (62.345, 7, "E", "F")


def test_a_missing_estimate_keeps_its_n_of_none(catalogue: Catalogue) -> None:
    nothing = dict.fromkeys(MEASURES, np.nan) | {"n": 0, "m": 0, "obs_status": "M"}
    frame = published(catalogue, cell(**nothing))
    assert flags(frame) == ["MF"] and frame.loc[0, "n"] == 0


def test_decimals_are_the_declared_ones(catalogue: Catalogue) -> None:
    staff = {"indicator": "staff_mean", "unit_measure": "mean", "value": 17.256}
    count = {"indicator": "innovative_workplaces", "unit_measure": "count", "value": 160.5, "se": 9.7}
    frame = published(
        catalogue, cell(), sector("care"), cell(**staff), sector("care", **staff), cell(**count)
    )
    assert frame["value"].tolist() == [40.3, 40.0, 17.26, 17.3, 161.0]
    assert frame["se"].tolist() == [2.35, 2.3, 2.345, 2.35, 10.0]
    assert frame["ci_low"].tolist()[:2] == [35.0, 35.0]
    assert frame["deff"].tolist()[0] == 1.23


def test_the_last_bit_of_a_float_never_decides_a_half() -> None:
    below = np.nextafter(12.5, 0.0)
    assert half_up(np.array([12.5, below, 12.4999, -12.5]), 0).tolist() == [13.0, 13.0, 12.0, -12.0]
    assert half_up(np.array([0.285, 1.005]), 2).tolist() == [0.29, 1.01]


def test_only_the_published_columns_come_out(catalogue: Catalogue) -> None:
    assert published(catalogue, cell()).columns.tolist() == CELLS
