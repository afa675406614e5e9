"""Delivered replicate weights: equal to R's ``survey``, and to the formula worked by hand.

Reference values: R 4.2.2, survey 4.1-1 (``replicates.csv``; weights in ``repweights``). What is compared:

- jackknife (JK1, JKn, with and without a finite population correction) and bootstrap around the
  full-sample estimate (``mse = TRUE``): shares, means, totals, domains and degrees of freedom, and in
  ``test_replicate_contrasts`` differences;
- around the mean of the replicates (``mse = FALSE``, R's default) only totals of the jackknives, whose
  replicates have the full total as their mean; and BRR and Fay of one ratio, by the identity
  sum (t_r - t)^2 = sum (t_r - mean)^2 + R (mean - t)^2.

Not compared: ``rep_subbootstrap_*`` and ``rep_mrbbootstrap_*`` (their weights are not kept with the
results), ``rep_JKn_raked`` (replicates raked by R; calibrated waves take no replicates here), totals of
numbers (no estimate of a wave), and ``svyciprop_logit``, which takes the replicates of
the log odds where we take the log odds of the estimate (``xlogit``).
"""

from __future__ import annotations

import csv
import gzip
import json
import math
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline.catalogue import Catalogue, Wave, load_catalogue
from pipeline.catalogue.fieldwork import Design, ReplicateWeights, Weighting
from pipeline.estimation import (
    Cells,
    Specification,
    estimate_wave,
    read_cells,
    wave_statistics,
    write_cells,
    write_codes,
)
from pipeline.estimation.engine import DuckDB
from pipeline.estimation.replicates import factors
from pipeline.harmonise import harmonise
from pipeline.intervals import logit
from pipeline.problems import ProblemError
from pipeline.sources import fetch, read_raw
from tests.barometers import edit, write_barometer
from tests.golden import Estimated, close, estimate, reference
from tests.golden_barometers import write_api

POPULATION = {"E": 4421, "M": 1018, "H": 755}
SAMPLED = {"E": 100, "M": 50, "H": 50}
DESIGNS = {
    "JK1": ("apiclus1", "apiclus1_JK1_fpc", 'id = "snum"\npsu = "dnum"\nweight = "pw"'),
    "JKn": ("apistrat", "apistrat_JKn_fpc", 'id = "snum"\nstrata = ["stype"]\nweight = "pw"'),
    "bootstrap": ("apistrat", "apistrat_bootstrap500", 'id = "snum"\nstrata = ["stype"]\nweight = "pw"'),
}
CASES = ["JK1_fpc", "JK1_nofpc", "JKn_fpc", "JKn_nofpc", "bootstrap_canty_davison"]


def api(root: Path, shared: Path, case: str) -> Estimated:
    """The schools with their replicate weights, scaled as the case says."""
    name = case.partition("_")[0]
    data, weights, design = DESIGNS[name]
    with (shared / "data" / "survey_r" / f"{data}.csv").open(encoding="utf-8", newline="") as opened:
        schools = {row["snum"]: row for row in csv.DictReader(opened)}
    folder = shared / "reference" / "repweights"
    with gzip.open(folder / f"{weights}.csv.gz", "rt", encoding="utf-8", newline="") as opened:
        for row in csv.DictReader(opened):
            del row["row"], row["w"]
            schools[row.pop("id")] |= {column.replace("rw", "rw_"): cell for column, cell in row.items()}
    root.mkdir()
    with (root / "merged.csv").open("w", encoding="utf-8", newline="") as opened:
        writer = csv.DictWriter(opened, list(next(iter(schools.values()))))
        writer.writeheader()
        writer.writerows(schools.values())
    declared = (
        'columns = "rw_*", method = "bootstrap"'
        if name == "bootstrap"
        else 'columns = "rw_*", method = "jkn"'
    )
    meta = json.loads((folder / f"{weights}_meta.json").read_text(encoding="utf-8"))
    if case in ("JK1_fpc", "bootstrap_canty_davison"):
        declared += f", scale = {meta['scale']!r}"
    if case == "JKn_fpc":
        declared += f", rscales = {meta['rscales']}"
    if case == "JKn_nofpc":
        strata = [stratum for stratum, size in SAMPLED.items() for _ in range(size)]
        assert [round(1 - SAMPLED[s] / POPULATION[s], 9) for s in strata] == [
            round(scale * SAMPLED[s] / (SAMPLED[s] - 1), 9)
            for scale, s in zip(meta["rscales"], strata, strict=True)
        ]
        declared += f", rscales = {[(SAMPLED[s] - 1) / SAMPLED[s] for s in strata]}"
    return estimate(
        write_api(root / "api", root / "merged.csv", f"{design}\nreplicate_weights = {{ {declared} }}")
    )


def cell_of(row: dict[str, str], found: Estimated) -> tuple[pd.Series, float] | None:
    """Our cell for a reference row and the factor of its unit; None where the barometer has no such
    indicator.
    """
    kind, variable = row["estimator"], row["variable"]
    if kind in ("mean", "domain_mean") and variable in ("api00", "enroll"):
        return found.cell(variable, "mean", *(row["domain"].split("=") if row["domain"] else ())), 1
    if kind == "mean" and variable == "awd01":
        return found.cell("awards", "Yes"), 100
    if kind == "proportion":
        return found.cell("stype", row["level"]), 100
    if kind == "total" and variable == "awd01":
        return found.cell("awards_total", "Yes"), 1
    if kind == "total_category":
        return found.cell("stype_total", row["level"]), 1
    return None


@pytest.mark.parametrize("case", CASES)
def test_replicates_equal_r(case: str, shared: Path, tmp_path: Path) -> None:
    found = api(tmp_path / "files", shared, case)
    checked: list[str] = []
    for row in reference(shared, "replicates.csv", f"rep_{case}_mse"):
        matched = cell_of(row, found)
        if matched is None:
            continue
        cell, unit = matched
        assert close(cell["value"], float(row["estimate"]) * unit), row
        # The weights stand in their file to ten decimals: a margin's error of 0 comes back as 1e-11 of the
        # estimate.
        assert close(cell["se"], float(row["se"]) * unit, absolute=1e-10 * cell["value"]), row
        # R's table has the degrees of freedom of the full sample in every row, of a domain in its note.
        domain = re.search(r"domain df = (\d+)", row["note"])
        assert cell["df"] == float(domain.group(1) if domain else row["df"]), row
        if cell["unit_measure"] != "percent" and not domain:
            assert close(cell["ci_low"], row["ci_t_lo"]), row
            assert close(cell["ci_high"], row["ci_t_hi"]), row
        checked.append(row["estimator"])
    assert [checked.count(kind) for kind in ("mean", "domain_mean", "proportion", "total", "total_category")] == [
        3, 3, 3, 1, 3,
    ]  # fmt: skip
    share = found.cell("awards", "Yes")
    interval = logit(
        *(np.array([share[name] * unit]) for name, unit in (("value", 0.01), ("se", 0.01), ("df", 1))), 0.95
    )
    assert np.allclose([share["ci_low"], share["ci_high"]], np.concatenate(interval) * 100, rtol=1e-12)


@pytest.mark.parametrize("case", ["JK1_fpc", "JK1_nofpc", "JKn_fpc", "JKn_nofpc"])
def test_jackknifed_totals_do_not_depend_on_the_centre(case: str, shared: Path, tmp_path: Path) -> None:
    found = api(tmp_path / "files", shared, case)
    for row in reference(shared, "replicates.csv", f"rep_{case}"):
        if row["estimator"].startswith("total") and (matched := cell_of(row, found)):
            assert close(matched[0]["se"], row["se"], absolute=1e-10 * matched[0]["value"]), row


# Ambulance areas: arrests and survivors, and the half-samples of Levy & Lemeshow (1999), as in R's ``scd``.
ARRESTS, ALIVE = [120, 78, 185, 228, 670, 530], [25, 24, 30, 49, 80, 70]
HALVES = [[1, 0, 1, 0, 1, 0], [1, 0, 0, 1, 0, 1], [0, 1, 1, 0, 0, 1], [0, 1, 0, 1, 1, 0]]


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> tuple[Catalogue, Wave]:
    catalogue = load_catalogue(write_barometer(tmp_path_factory.mktemp("replicates") / "barometer"))
    return catalogue, catalogue.waves["dk-2020"]


def units(weights: list[float], replicates: list[list[float]], **columns: object) -> pd.DataFrame:
    """Weighted answers of a wave: everything no_answer but what is given."""
    count = len(weights)
    questions = ("introduced.product", "introduced.service", "novelty", "value.quality", "value.savings")
    frame: dict[str, object] = {"unit": [f"{row:04}" for row in range(count)], "stratum": "", "psu": ""}
    frame |= {"base_weight": weights, "weight": weights, "sector": "care", "region": "north"}
    frame |= dict.fromkeys(questions, "no_answer") | {"staff": [math.nan] * count} | columns
    frame |= {f"replicate_{number}": replicate for number, replicate in enumerate(replicates, 1)}
    return pd.DataFrame(frame, index=range(count))


def sums(
    answers: pd.DataFrame, known: tuple[Catalogue, Wave], declared: ReplicateWeights, threads: int = 1
) -> tuple[Cells, Wave]:
    catalogue, wave = known
    wave = replace(
        wave, design=Design(id="ID", weight="W", replicate_weights=declared), weighting=Weighting("given")
    )
    with DuckDB(threads) as engine:
        return wave_statistics(answers, wave, catalogue, engine), wave


def estimated(
    answers: pd.DataFrame, known: tuple[Catalogue, Wave], declared: ReplicateWeights
) -> pd.DataFrame:
    cells, wave = sums(answers, known, declared)
    return estimate_wave(cells, Specification.of(wave, known[0])).set_index(
        ["indicator", "category", "domain", "domain_code"]
    )


@pytest.mark.parametrize(
    ("method", "rho", "case"), [("brr", None, "rep_BRR_helppage"), ("fay", 0.3, "rep_scd_Fay")]
)
def test_brr_and_fay_of_a_ratio_equal_r(
    method: str, rho: float | None, case: str, known: tuple[Catalogue, Wave], shared: Path
) -> None:
    # Survivors per arrest, as the mean of alive / arrests with arrests as weights.
    factor = [[1 + (1 - (rho or 0)) * (2 * half - 1) for half in halves] for halves in HALVES]
    replicates = [[f * arrests for f, arrests in zip(row, ARRESTS, strict=True)] for row in factor]
    ratios = [alive / arrests for alive, arrests in zip(ALIVE, ARRESTS, strict=True)]
    answers = units([float(arrests) for arrests in ARRESTS], replicates, staff=ratios)
    cell = estimated(answers, known, ReplicateWeights("rw_*", method, rho)).loc[
        ("staff_mean", "mean", "total", "")
    ]
    thetas = [
        sum(f * a for f, a in zip(row, ALIVE, strict=True))
        / sum(f * a for f, a in zip(row, ARRESTS, strict=True))
        for row in factor
    ]
    theta, scale = 278 / 1811, 1 / (4 * (1 - (rho or 0)) ** 2)
    assert close(cell["value"], theta)
    assert close(cell["se"], math.sqrt(scale * sum((each - theta) ** 2 for each in thetas)))
    (row,) = reference(shared, "replicates.csv", case)
    around_the_mean = cell["se"] ** 2 - scale * 4 * (sum(thetas) / 4 - theta) ** 2
    assert close(math.sqrt(around_the_mean), row["se"])
    assert cell["df"] == float(row["df"])


def test_brr_by_hand(known: tuple[Catalogue, Wave]) -> None:
    # Two strata of two units that weigh 10; of the first, unit 1 says yes; of the second, units 3 and 4.
    answers = units(
        [10.0] * 4,
        [[20, 0, 20, 0], [0, 20, 20, 0], [20, 0, 0, 20], [0, 20, 0, 20]],
        **{"introduced.product": ["yes", "no", "yes", "yes"]},
    )
    cells = estimated(answers, known, ReplicateWeights("rw_*", "brr"))
    share = cells.loc[("introduced", "product", "total", "")]
    # 75 percent; the half-samples say 100, 50, 100, 50: every one is 25 away.
    assert (share["value"], share["se"], share["df"]) == (75, 25, 2)
    total = cells.loc[("innovative_workplaces", "yes", "total", "")]
    assert (total["value"], total["se"]) == (30, 10)


def test_fay_by_hand(known: tuple[Catalogue, Wave]) -> None:
    # Half of BRR's perturbation: the replicates say 87.5 and 62.5 percent; 1 / (4 (1 - 0.5)^2) = 1.
    answers = units(
        [10.0] * 4,
        [[15, 5, 15, 5], [5, 15, 15, 5], [15, 5, 5, 15], [5, 15, 5, 15]],
        **{"introduced.product": ["yes", "no", "yes", "yes"]},
    )
    share = estimated(answers, known, ReplicateWeights("rw_*", "fay", 0.5)).loc[
        ("introduced", "product", "total", "")
    ]
    assert (share["value"], share["se"]) == (75, 25)


@pytest.mark.parametrize(
    ("declared", "wanted"),
    [
        (ReplicateWeights("rw_*", "brr"), [0.25] * 4),
        (ReplicateWeights("rw_*", "fay", 0.5), [1.0] * 4),
        (ReplicateWeights("rw_*", "bootstrap"), [1 / 3] * 4),
        (ReplicateWeights("rw_*", "jkn"), [0.75] * 4),
        (ReplicateWeights("rw_*", "jkn", rscales=(0.5, 0.5, 0.9, 0.9)), [0.5, 0.5, 0.9, 0.9]),
        (ReplicateWeights("rw_*", "jkn", scale=0.5, rscales=(1, 1, 1, 2)), [0.5, 0.5, 0.5, 1.0]),
        (ReplicateWeights("rw_*", "bootstrap", scale=0.002), [0.002] * 4),
    ],
)
def test_scales(declared: ReplicateWeights, wanted: list[float]) -> None:
    assert factors(declared, 4).tolist() == wanted


def test_replicates_that_change_nothing_have_no_error(known: tuple[Catalogue, Wave]) -> None:
    weights = [0.1, 0.7, 1 / 3, 1.9]
    answers = units(weights, [weights] * 3, **{"introduced.product": ["yes", "no", "yes", "no"]})
    cells = estimated(answers, known, ReplicateWeights("rw_*", "brr"))
    shares = cells[(cells["n"] > 0)]
    assert (shares["se"] == 0).all() and (shares["df"] == 0).all()


def test_a_domain_that_a_replicate_empties(known: tuple[Catalogue, Wave]) -> None:
    # Without its only units a domain has no share in that replicate, and a total of 0.
    answers = units(
        [10.0] * 4,
        [[0, 0, 20, 20], [20, 20, 0, 0]],
        sector=["care", "care", "school", "school"],
        **{"introduced.product": ["yes", "no", "yes", "yes"]},
    )
    cells = estimated(answers, known, ReplicateWeights("rw_*", "brr"))
    care = cells.loc[("introduced", "product", "sector", "care")]
    assert (care["value"], care["se"], care["df"]) == (50, 0, 0)
    assert np.isnan(care["ci_low"])
    total = cells.loc[("innovative_workplaces", "yes", "sector", "care")]
    assert (total["value"], total["se"]) == (10, 10)
    empty = cells.loc[("staff_mean", "mean", "sector", "care")]
    assert (empty["n"], empty["obs_status"]) == (0, "M") and np.isnan(empty["se"])


def drawn(rows: int = 500, count: int = 30, seed: int = 5) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    weights = random.lognormal(1, 1, rows)
    replicates = [(weights * random.poisson(1, rows)).tolist() for _ in range(count)]
    said = ["yes", "no", "dont_know", "no_answer"]
    return units(
        weights.tolist(),
        replicates,
        sector=random.choice(["care", "school"], rows),
        region=random.choice(["north", "south", "no_answer"], rows),
        staff=random.lognormal(3, 1, rows),
        **{"introduced.product": random.choice(said, rows), "introduced.service": random.choice(said, rows)},
    )


def test_the_same_bits_whatever_the_order_of_rows_and_the_threads(known: tuple[Catalogue, Wave]) -> None:
    answers, declared = drawn(), ReplicateWeights("rw_*", "bootstrap")
    first, wave = sums(answers, known, declared)
    other, _ = sums(answers.sample(frac=1, random_state=3), known, declared, threads=4)
    assert first.replicates is not None and other.replicates is not None
    pd.testing.assert_frame_equal(first.replicates, other.replicates, check_exact=True)
    pd.testing.assert_frame_equal(
        estimate_wave(first, Specification.of(wave, known[0])),
        estimate_wave(other, Specification.of(wave, known[0])),
        check_exact=True,
    )


def test_stored_sums_give_the_same_estimates(known: tuple[Catalogue, Wave], tmp_path: Path) -> None:
    catalogue, answers = known[0], drawn(60)
    cells, wave = sums(answers, known, ReplicateWeights("rw_*", "bootstrap"))
    write_codes(answers, wave, catalogue, tmp_path / "codes.arrow")
    write_cells(wave_statistics(tmp_path / "codes.arrow", wave, catalogue), tmp_path)
    pd.testing.assert_frame_equal(
        estimate_wave(read_cells(tmp_path), Specification.of(wave, catalogue)),
        estimate_wave(cells, Specification.of(wave, catalogue)),
        check_exact=True,
    )


def test_sums_by_domain_are_those_of_numpy(known: tuple[Catalogue, Wave]) -> None:
    answers = drawn()
    cells = estimated(answers, known, ReplicateWeights("rw_*", "bootstrap"))
    there = answers[(answers["sector"] == "care") & (answers["introduced.product"] != "no_answer")]
    weights = there[["weight", *(f"replicate_{number}" for number in range(1, 31))]].to_numpy()
    thetas = weights[(there["introduced.product"] == "yes").to_numpy()].sum(axis=0) / weights.sum(axis=0)
    cell = cells.loc[("introduced", "product", "sector", "care")]
    assert close(cell["se"], 100 * math.sqrt(((thetas[1:] - thetas[0]) ** 2).sum() / 29))
    assert cell["df"] == np.linalg.matrix_rank(weights[:, 1:]) - 1
    staff = answers.loc[answers["sector"] == "care", "staff"].to_numpy()
    weights = answers.loc[
        answers["sector"] == "care", ["weight", *(f"replicate_{r}" for r in range(1, 31))]
    ].to_numpy()
    means = (weights * staff[:, None]).sum(axis=0) / weights.sum(axis=0)
    assert close(
        cells.loc[("staff_mean", "mean", "sector", "care"), "se"],
        math.sqrt(((means[1:] - means[0]) ** 2).sum() / 29),
    )


def test_cells_of_other_units_are_refused(known: tuple[Catalogue, Wave]) -> None:
    cells, wave = sums(drawn(60), known, ReplicateWeights("rw_*", "bootstrap"))
    for fewer in (cells.frame[cells.frame["region"] == "north"], cells.frame[1:]):
        with pytest.raises(ValueError, match="of other units"):
            estimate_wave(replace(cells, frame=fewer), Specification.of(wave, known[0]))


GIVEN = '\n[weighting]\nmethod = "given"'
PROBLEMS = {
    "calibrated": ('method = "brr"', None, "can be used with given weights only"),
    "fay without rho": ('method = "fay"', GIVEN, "rho: is required by the method fay"),
    "rho out of range": ('method = "fay", rho = 1', GIVEN, "is out of range"),
    "rho of brr": ('method = "brr", rho = 0.5', GIVEN, "is only for the method fay"),
    "scale of nothing": (
        'method = "bootstrap", scale = 0',
        GIVEN,
        "Write a number from above 0 to 1,000,000,000,000",
    ),
    "jackknife of strata": ('method = "jkn"', GIVEN, "needs rscales or scale"),
    "rscales in quotes": ('method = "brr", rscales = ["1"]', GIVEN, "must be a number"),
    "negative rscales": (
        'method = "brr", rscales = [1, -1]',
        GIVEN,
        "Write a number from 0 to 1,000,000,000,000",
    ),
    "unknown method": ('method = "fey"', GIVEN, "Did you mean 'fay'"),
}


def declare(root: Path, replicates: str, weighting: str | None) -> Path:
    """Gives the wave of 2020 a delivered weight and replicate weights."""
    path = root / "schemas/waves/dk-2020.toml"
    text = path.read_text(encoding="utf-8")
    design, calibrated = text.split("\n[weighting]")
    design += f'\nweight = "W"\nreplicate_weights = {{ columns = "rw_*", {replicates} }}'
    path.write_text(design + (weighting or f"\n[weighting]{calibrated}") + "\n", encoding="utf-8")
    return root


@pytest.mark.parametrize("case", PROBLEMS)
def test_problem(case: str, barometer: Path) -> None:
    replicates, weighting, said = PROBLEMS[case]
    (problem,) = load_catalogue(declare(barometer, replicates, weighting)).problems
    assert said in str(problem)
    assert problem.file == "schemas/waves/dk-2020.toml" and problem.wave == "dk-2020" and problem.hint


@pytest.mark.parametrize(
    ("replicates", "columns", "said"),
    [
        ('method = "brr"', [], "matches no column"),
        ('method = "brr"', ["rw_1"], "matches one column"),
        ('method = "jkn", rscales = [0.5]', ["rw_1", "rw_2"], "has 1 number for 2 columns"),
    ],
)
def test_columns_are_held_to_the_declaration(
    replicates: str, columns: list[str], said: str, barometer: Path
) -> None:
    edit(barometer / "schemas/waves/dk-2020.toml", 'strata = ["SEKTOR"]\npopulation = "dk-strata.csv"', "")
    catalogue = load_catalogue(declare(barometer, replicates, GIVEN))
    assert not catalogue.problems, catalogue.problems
    wave = catalogue.waves["dk-2020"]
    raw = read_raw(fetch(wave, barometer), wave.source).frame.assign(**dict.fromkeys(["W", *columns], "1"))
    with pytest.raises(ProblemError, match=said):
        harmonise(raw, wave, catalogue)
