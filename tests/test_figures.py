"""Published figures are checked against the catalogue, all problems at once."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from pipeline.catalogue import Catalogue, load_catalogue
from pipeline.harmonise import harmonise_figures
from pipeline.problems import ProblemError

HEADER = ["indicator", "category", "domain", "domain_code", "value", "n", "note"]


@pytest.fixture
def catalogue(barometer: Path) -> Catalogue:
    return load_catalogue(barometer)


def figures(*lines: str, more: tuple[str, ...] = ()) -> pd.DataFrame:
    return pd.DataFrame([line.split(",") for line in lines], columns=[*HEADER, *more], dtype="str")


def harmonised(catalogue: Catalogue, frame: pd.DataFrame) -> pd.DataFrame:
    return harmonise_figures(frame, catalogue.waves["no-2020"], catalogue)


def problems(catalogue: Catalogue, frame: pd.DataFrame) -> dict[str, str]:
    with pytest.raises(ProblemError) as error:
        harmonised(catalogue, frame)
    return {problem.key: f"{problem.message} {problem.value}" for problem in error.value.problems}


def test_figures_are_taken_as_printed(catalogue: Catalogue) -> None:
    made = harmonised(
        catalogue,
        figures(
            "any_innovation,yes,total,,74,1786,",
            "value,quality,sector_region,care*north,12.5,,From a chart.",
            "staff_mean,mean,total,,143,,",
            "innovative_workplaces,yes,total,,2100,,",
        ),
    )
    assert made["value"].tolist() == [74, 12.5, 143, 2100]
    assert made["n"].isna().tolist() == [False, True, True, True]
    assert set(made["obs_status"]) == {"A"}


def test_an_estimated_figure_keeps_its_status(catalogue: Catalogue) -> None:
    frame = figures("any_innovation,yes,total,,74,,,E", "novelty,first,total,,10,,,", more=("obs_status",))
    assert harmonised(catalogue, frame)["obs_status"].tolist() == ["E", "A"]


def test_every_unknown_word_is_named_with_its_row(catalogue: Catalogue) -> None:
    found = problems(
        catalogue,
        figures(
            "invention,yes,total,,74,,",
            "any_innovation,no,total,,26,,",
            "any_innovation,yes,planet,,74,,",
            "any_innovation,yes,sector,north,74,,",
            "any_innovation,yes,sector_region,care,74,,",
            "any_innovation,yes,total,care,74,,",
        ),
    )
    assert found == {
        "row 1, indicator": "is not known invention",
        "row 2, category": "is not a category of any_innovation no",
        "row 3, domain": "is not known planet",
        "row 4, domain_code": "is not a cell of the breakdown sector north",
        "row 5, domain_code": "is not a cell of the breakdown sector_region care",
        "row 6, domain_code": "is not a cell of the breakdown total care",
    }


def test_values_out_of_range_blank_or_repeated_are_named(catalogue: Catalogue) -> None:
    found = problems(
        catalogue,
        figures(
            "any_innovation,yes,total,,174,,",
            "introduced,product,total,,,,",
            "novelty,first,total,,-1,12.5,",
            "any_innovation,yes,total,,74,,",
            "innovative_workplaces,yes,total,,-2,,",
        ),
    )
    assert set(found) == {"row 1, value", "row 2, value", "row 3, value", "row 3, n", "row 4", "row 5, value"}


def test_a_value_that_is_no_number_is_named(catalogue: Catalogue) -> None:
    assert "column value" in problems(catalogue, figures("any_innovation,yes,total,,about 70,,"))


def test_missing_and_unknown_columns_are_named(catalogue: Catalogue) -> None:
    frame = figures("any_innovation,yes,total,,74,,").drop(columns="n").assign(se="1")
    assert set(problems(catalogue, frame)) == {"column n", "column se"}
