"""Strata with a single sampling unit: every rule, for units and clusters, before and after calibration."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from pipeline.catalogue import Catalogue, Wave, load_catalogue
from pipeline.catalogue.fieldwork import Weighting
from pipeline.catalogue.model import Estimation
from pipeline.problems import ProblemError
from tests.barometers import write_barometer
from tests.test_estimation import cell, drawn, estimated, linearised, textbook


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> tuple[Catalogue, Wave]:
    catalogue = load_catalogue(write_barometer(tmp_path_factory.mktemp("lonely") / "barometer"))
    return catalogue, catalogue.waves["dk-2020"]


def ruled(rule: str, clustered: bool, known: tuple[Catalogue, Wave]) -> tuple[Catalogue, Wave, pd.DataFrame]:
    """A catalogue with this rule, its wave, and answers of which stratum 2 is one sampling unit."""
    catalogue, wave = known
    assert wave.design is not None
    barometer = replace(catalogue.barometer, estimation=Estimation(lonely_psu=rule))
    answers = drawn(4, psus=7 if clustered else 0)
    if clustered:
        answers["psu"] = answers["psu"].where(answers["stratum"] == "1", "0")
    else:
        answers = answers[(answers["stratum"] == "1") | (answers["unit"] == "0003")]
    wave = replace(wave, design=replace(wave.design, psu="KOMMUNE" if clustered else ""))
    return replace(catalogue, barometer=barometer), wave, answers


@pytest.mark.parametrize("rule", ["certainty", "adjust", "average"])
@pytest.mark.parametrize(
    ("clustered", "calibrated"),
    [(False, False), (True, False), (True, True)],
    ids=["a unit", "a cluster", "a cluster, raked"],
)
def test_a_stratum_of_one(
    rule: str, clustered: bool, calibrated: bool, known: tuple[Catalogue, Wave]
) -> None:
    catalogue, wave, answers = ruled(rule, clustered, known)
    weighting = wave.weighting if calibrated else Weighting("design")
    estimates, weighted = estimated(answers, (catalogue, wave), weighting=weighting)
    answered = (weighted["introduced.product"] != "no_answer").to_numpy()
    yes = (weighted["introduced.product"] == "yes").to_numpy(dtype=float)
    margins = [weighted["sector"], weighted["region"]] if calibrated else None
    _, certainty = textbook(weighted, yes, answered, margins, clustered)
    _, units = linearised(weighted, yes, answered, margins)
    alone = units.loc[(weighted["stratum"] == "2").to_numpy(), "z"].sum()
    wanted = {
        "certainty": certainty,
        "average": certainty * np.sqrt(2),  # two strata in the domain, one with a variance
        "adjust": np.sqrt(certainty**2 + (1 - 1 / 180) * alone**2),
    }
    found = cell(estimates, "introduced", "product")
    assert found["se"] / 100 == pytest.approx(wanted[rule], rel=1e-9)


@pytest.mark.parametrize("rule", ["certainty", "adjust", "average", "fail"])
def test_a_stratum_that_is_one_unit_has_no_error_and_is_not_lonely(
    rule: str, known: tuple[Catalogue, Wave]
) -> None:
    catalogue, wave, answers = ruled(rule, False, known)
    assert wave.design is not None
    counts = "SEKTOR,population\n1,220\n2,1\n"
    (catalogue.root / "warehouse/raw/one.csv").write_text(counts, encoding="utf-8")
    design = replace(wave.design, population="one.csv")
    estimates, weighted = estimated(answers, (catalogue, wave), weighting=Weighting("design"), design=design)
    answered = (weighted["introduced.product"] != "no_answer").to_numpy()
    yes = (weighted["introduced.product"] == "yes").to_numpy(dtype=float)
    _, wanted = textbook(weighted, yes, answered, None, False)
    assert cell(estimates, "introduced", "product")["se"] / 100 == pytest.approx(wanted, rel=1e-9)


@pytest.mark.parametrize("clustered", [False, True], ids=["a unit", "a cluster"])
def test_a_stratum_of_one_can_be_refused(clustered: bool, known: tuple[Catalogue, Wave]) -> None:
    catalogue, wave, answers = ruled("fail", clustered, known)
    with pytest.raises(ProblemError, match="a stratum has a single sampling unit"):
        estimated(answers, (catalogue, wave), weighting=Weighting("design"))


def test_clusters_of_one_unit_are_elements(known: tuple[Catalogue, Wave]) -> None:
    """All there is of a rule, of calibration and of degrees of freedom, on both ways through the sums."""
    wave = known[1]
    assert wave.design is not None
    clusters = replace(wave.design, psu="KOMMUNE")
    for weighting in (wave.weighting, Weighting("design")):
        answers = drawn(5)
        elements, _ = estimated(answers, known, weighting=weighting)
        found, _ = estimated(answers.assign(psu=answers["unit"]), known, weighting=weighting, design=clusters)
        pd.testing.assert_frame_equal(found, elements, rtol=1e-8, atol=1e-7)
