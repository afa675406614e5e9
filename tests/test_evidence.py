"""Every design of ``tests/evidence`` from its raw file to estimates and comparisons, equal to R's ``survey``.

Nothing beside the repository is needed: samples and R's results are committed, and
``tests/evidence/README.md`` says how they are made again.
"""

from __future__ import annotations

import csv
import hashlib
import math
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline.catalogue import load_catalogue
from pipeline.comparison.significance import independence
from pipeline.estimation import Specification
from pipeline.estimation.contrasts import Contrasts
from tests.comparing import Prepared, prepared
from tests.evidence import draw
from tests.evidence.barometers import DESIGNS, FOLDER, LOGIT, key_of, write_evidence
from tests.golden import Estimated, close, estimated

CALIBRATED = [
    "simple_poststratified", "strata_raked", "strata_linear", "strata_bounded", "strata_logit",
    "strata_poststratified", "clusters_raked", "strata_trimmed", "lonely_raked_certainty",
    "strata_regressed", "strata_regressed_raked", "strata_regressed_logit", "clusters_regressed",
]  # fmt: skip
COMPARED = ["strata_fpc", "clusters_raked", "replicates_jkn", "strata_later"]  # by reference period
DIFFERED = [
    *COMPARED, "strata_raked", "strata_trimmed", "strata_regressed", "clusters_regressed",
    "lonely_raked_certainty", "lonely_raked_adjust", "lonely_raked_average", "second_strata", "second_clusters",
]  # fmt: skip
NUMBERS = ["value", "se", "df", "deff", "ci_low", "ci_high"]
TESTED = ["difference", "se", "ci_low", "ci_high", "p_value", "p_adjusted"]
ROWS, VALUED = 153, 135  # of R's in every design, and of those with a value


@cache
def results(table: str) -> list[dict[str, str]]:
    """A table of R's results."""
    with (FOLDER / "results" / f"{table}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def number(cell: str) -> float:
    """A number of R's; blank is none."""
    return float(cell) if cell else math.nan


def differing(
    found: Mapping[str, object], row: Mapping[str, str], names: Iterable[str], absolute: float = 1e-11
) -> list[str]:
    """The names of which ours is not R's number, to 1e-9 of it; where R has none, ours must have none."""
    pairs = {name: (float(str(found[name])), number(row[name])) for name in names}
    return [
        f"{name} {ours!r}, R {theirs!r}"
        for name, (ours, theirs) in pairs.items()
        if not (close(ours, theirs, 1e-9, absolute) or (math.isnan(ours) and math.isnan(theirs)))
    ]


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Estimated]:
    """Every design's estimates: a barometer for each set of rules, a wave for each design."""
    found = {}
    for rules in dict.fromkeys(of.rules for of in DESIGNS.values()):
        names = [name for name, of in DESIGNS.items() if of.rules == rules]
        root = write_evidence(tmp_path_factory.mktemp("evidence") / "barometer", rules, names)
        catalogue = load_catalogue(root)
        assert not catalogue.problems, [str(problem) for problem in catalogue.problems]
        found |= {name: estimated(catalogue.waves[key_of(name)], catalogue, root) for name in names}
    return found


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    """Four waves of different designs, ready to be compared."""
    return prepared(write_evidence(tmp_path_factory.mktemp("compared") / "barometer", LOGIT, COMPARED))


def test_every_design_is_evidence() -> None:
    assert {row["design"] for row in results("estimates")} == set(DESIGNS)
    assert {row["design"] for row in results("weights")} == set(CALIBRATED)


@pytest.mark.parametrize("design", DESIGNS)
def test_estimates_equal_r(design: str, ours: dict[str, Estimated]) -> None:
    """Value, standard error, degrees of freedom, deff, interval and n of every cell."""
    keys = ["indicator", "category", "domain", "domain_code"]
    cells = {tuple(cell[key] for key in keys): cell for cell in ours[design].estimates.to_dict("records")}
    wrong, valued, rows = [], 0, 0
    for row in results("estimates"):
        if row["design"] != design:
            continue
        rows += 1
        key = tuple(row[name] for name in keys)
        if row["domain_code"] == "nobody":  # no members, no cell
            assert key not in cells
            continue
        cell = cells[key]
        assert cell["n"] == int(row["n"]), key
        if row["n"] == "0":  # members, of whom nobody was asked or answered
            assert cell["obs_status"] == "M" and math.isnan(cell["value"]) and math.isnan(cell["se"]), key
            continue
        valued += 1
        if failed := differing(cell, row, NUMBERS):
            wrong.append((key, failed))
    assert not wrong
    assert (rows, valued) == (ROWS, VALUED)


@pytest.mark.parametrize("design", CALIBRATED)
def test_calibrated_weights_equal_r(design: str, ours: dict[str, Estimated]) -> None:
    answers = ours[design].weighted.answers
    weights = dict(zip(answers["unit"], answers["weight"], strict=True))
    rows = [row for row in results("weights") if row["design"] == design]
    assert len(rows) == len(weights) > 200
    assert not [row["id"] for row in rows if not close(weights[row["id"]], row["weight"], absolute=0)]


def test_bounds_bind(ours: dict[str, Estimated]) -> None:
    """Else bounded calibration would be proven by a case in which its bounds do nothing."""
    answers = ours["strata_bounded"].weighted.answers
    factors = answers["weight"] / answers["base_weight"]
    assert np.isclose(factors, 0.953).sum() > 10 and np.isclose(factors, 1.07).sum() > 10


def test_trimming_cuts(ours: dict[str, Estimated]) -> None:
    """Else trimming would be proven by weights that no limit meets."""
    weights = ours["strata_trimmed"].weighted.answers["weight"]
    shares = weights / weights.mean()
    assert np.isclose(shares, 0.2).sum() > 10 and np.isclose(shares, 1.7).sum() > 10


def test_differences_of_domains_equal_r(ours: dict[str, Estimated]) -> None:
    """Domains that are apart, that overlap, and of which one holds the other."""
    wrong, checked = [], 0
    ready = {
        name: Contrasts.of(ours[name].cells, Specification.of(ours[name].wave, ours[name].catalogue))
        for name in DIFFERED
    }
    assert {row["design"] for row in results("differences")} == set(DIFFERED)
    for row in results("differences"):
        places = [(row[f"domain_{side}"], row[f"code_{side}"]) for side in "ab"]
        joint = ready[row["design"]].between(row["indicator"], row["category"], places)
        found = dict(zip(("difference", "se"), joint.difference(0, 1), strict=True))
        if failed := differing(found, row, found):
            wrong.append((row, failed))
        checked += bool(row["se"])
    assert not wrong
    assert checked > 250


def test_benchmarks_and_their_adjusted_p_values_equal_r(compared: Prepared) -> None:
    """Every cell against the whole of its wave; Benjamini and Hochberg's adjustment."""
    _tabled(compared.compared().benchmarks, "benchmarks", ["wave"], 150)


def test_comparisons_of_waves_and_their_adjusted_p_values_equal_r(compared: Prepared) -> None:
    _tabled(compared.compared().comparisons, "comparisons", ["wave_a", "wave_b"], 300)


def _tabled(frame: pd.DataFrame, table: str, waves: list[str], tests: int) -> None:
    keys = [*waves, "indicator", "category", "domain", "domain_code"]
    cells = {tuple(cell[key] for key in keys): cell for cell in frame.to_dict("records")}
    wrong, tested = [], 0
    for row in results(table):
        key = tuple(key_of(row[name]) if name in waves else row[name] for name in keys)
        if failed := differing(cells[key], row, TESTED):
            wrong.append((key, failed))
        tested += bool(row["p_adjusted"])
    assert not wrong
    assert tested > tests


def test_rao_and_scotts_test_of_a_table_equals_r(ours: dict[str, Estimated]) -> None:
    rows = [row for row in results("tests") if row["against"] in ("sector", "region")]
    assert len(rows) == 6
    for row in rows:
        of = ours[row["design"]]
        joint = Contrasts.of(of.cells, Specification.of(of.wave, of.catalogue)).table(
            "novelty", row["against"]
        )
        whole = of.cell("novelty", "first")
        found = independence(
            joint.values / 100, joint.covariance / 100**2, 3, 3, int(whole["n"]), float(whole["df"])
        )
        assert close(found.f, row["f"]) and close(found.ndf, row["ndf"]), row
        assert close(found.p, row["p_value"]), row


def test_whole_distributions_of_two_waves_are_tested_as_r_tests_their_stacked_samples(
    compared: Prepared,
) -> None:
    (row,) = [row for row in results("tests") if row["against"] == "strata_later"]
    frame = compared.compared().comparisons.query(
        "wave_a == 'strata-later' and wave_b == 'strata-fpc' and indicator == 'novelty' and domain == 'total'"
    )
    assert len(frame) == 3
    assert all(close(p, row["p_value"]) for p in frame["p_distribution"])


def test_the_results_are_of_this_script_and_these_samples() -> None:
    """Whoever changes one of them runs ``make evidence``."""
    made_from = {row["what"]: row["value"] for row in results("made_from")}
    assert made_from.pop("R") and made_from.pop("survey") == "4.1.1"
    files = [FOLDER / "evidence.R", *(FOLDER / "samples").iterdir()]
    digests = {
        file.relative_to(FOLDER).as_posix(): hashlib.md5(file.read_bytes(), usedforsecurity=False).hexdigest()
        for file in files
    }
    assert made_from == digests


def test_the_samples_are_drawn_again_to_the_byte(tmp_path: Path) -> None:
    draw.write(tmp_path)
    committed = {file.name: file.read_bytes() for file in (FOLDER / "samples").iterdir()}
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == committed
