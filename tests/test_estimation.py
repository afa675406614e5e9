"""Estimates: equal to the textbook on units, whole at the edges, indifferent to what must not matter."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.catalogue import Catalogue, Wave, load_catalogue
from pipeline.catalogue.fieldwork import Design, ReplicateWeights, Weighting
from pipeline.catalogue.model import Estimation
from pipeline.comparison.shared_scope import restricted
from pipeline.estimation import (
    COLUMNS,
    EXTRAS,
    KEY,
    Cells,
    Specification,
    estimate_wave,
    plan_wave,
    wave_statistics,
)
from pipeline.estimation.engine import DuckDB
from pipeline.problems import ProblemError
from pipeline.weighting import weigh
from tests.barometers import write_barometer


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> tuple[Catalogue, Wave]:
    root = write_barometer(tmp_path_factory.mktemp("estimation") / "barometer")
    catalogue = load_catalogue(root)
    return catalogue, catalogue.waves["dk-2020"]


def drawn(seed: int, rows: int = 60, psus: int = 0) -> pd.DataFrame:
    """Random answers of a wave: two strata, missing answers, don't knows, routing."""
    random = np.random.default_rng(seed)
    product = random.choice(["yes", "no", "dont_know", "no_answer"], rows, p=[0.5, 0.3, 0.1, 0.1])
    service = random.choice(["yes", "no", "no_answer"], rows, p=[0.2, 0.6, 0.2])
    innovative = (product == "yes") | (service == "yes")
    novelty = random.choice(["first", "copied", "dont_know", "no_answer"], rows)
    ticks = random.choice(["selected", "not_selected"], (2, rows))
    stratum = random.choice(["1", "2"], rows)
    stratum[:4] = ["1", "1", "2", "2"]
    return pd.DataFrame(
        {
            "wave": "dk-2020",
            "unit": [f"{row:04}" for row in range(rows)],
            "stratum": stratum,
            "psu": [f"{random.integers(psus)}" if psus else "" for _ in range(rows)],
            "design_weight": np.nan,
            "sector": np.where(stratum == "1", "care", "school"),
            "region": random.choice(["north", "south"], rows),
            "introduced.product": product,
            "introduced.service": service,
            "novelty": np.where(innovative, novelty, "not_asked"),
            "value.quality": np.where(innovative, ticks[0], "not_asked"),
            "value.savings": np.where(innovative, ticks[1], "not_asked"),
            "staff": np.where(random.random(rows) < 0.1, np.nan, random.integers(1, 200, rows)),
        }
    )


def estimated(
    answers: pd.DataFrame, known: tuple[Catalogue, Wave], **changes: object
) -> tuple[pd.DataFrame, pd.DataFrame]:
    catalogue, wave = known
    wave = replace(wave, **changes) if changes else wave
    weighted = weigh(answers, wave, catalogue).answers
    return estimate_wave(
        wave_statistics(weighted, wave, catalogue), Specification.of(wave, catalogue)
    ), weighted


def cell(
    estimates: pd.DataFrame, indicator: str, category: str, domain: str = "total", code: str = ""
) -> pd.Series:
    rows = estimates[
        (estimates["indicator"] == indicator)
        & (estimates["category"] == category)
        & (estimates["domain"] == domain)
        & (estimates["domain_code"] == code)
    ]
    assert len(rows) == 1
    return rows.iloc[0]


def textbook(
    weighted: pd.DataFrame,
    y: np.ndarray,
    inside: np.ndarray,
    margins: list[pd.Series] | None,
    clustered: bool,
) -> tuple[float, float]:
    """Mean of y where ``inside`` and its standard error, unit by unit, from the definition of
    linearisation.
    """
    mean, frame = linearised(weighted, y, inside, margins)
    frame["psu"] = weighted["psu"] if clustered else np.arange(len(frame))
    variance = 0.0
    for _, stratum in frame.groupby("stratum"):
        z = stratum.groupby("psu")["z"].sum()
        if len(z) > 1:
            fraction = len(z) / stratum["population"].iloc[0]
            variance += (1 - fraction) * len(z) / (len(z) - 1) * ((z - z.mean()) ** 2).sum()
    return mean, float(np.sqrt(variance))


def linearised(
    weighted: pd.DataFrame, y: np.ndarray, inside: np.ndarray, margins: list[pd.Series] | None
) -> tuple[float, pd.DataFrame]:
    """Mean of y where ``inside``, and every unit's stratum, population and z."""
    w, d = weighted["weight"].to_numpy(), weighted["base_weight"].to_numpy()
    total = w[inside].sum()
    mean = (w * np.where(inside, y, 0))[inside].sum() / total
    u = np.where(inside, (y - mean) / total, 0.0)
    if margins:
        x = np.column_stack(
            [(margin == code).astype(float) for margin in margins for code in sorted(set(margin))]
        )
        beta = np.linalg.lstsq(x * np.sqrt(d)[:, None], u * np.sqrt(d), rcond=None)[0]
        u = u - x @ beta
    frame = {"stratum": weighted["stratum"], "population": weighted["population"], "z": w * u}
    return mean, pd.DataFrame(frame)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    seed=st.integers(0, 10**6), method=st.sampled_from(["design", "rake", "linear"]), clustered=st.booleans()
)
def test_rolled_up_sums_equal_the_textbook_on_units(
    seed: int, method: str, clustered: bool, known: tuple[Catalogue, Wave]
) -> None:
    _, wave = known
    assert wave.weighting is not None and wave.design is not None
    weighting = Weighting("design") if method == "design" else replace(wave.weighting, method=method)
    design = replace(wave.design, psu="KOMMUNE") if clustered else wave.design
    answers = drawn(seed, psus=7 if clustered else 0)
    estimates, weighted = estimated(answers, known, weighting=weighting, design=design)
    margins = None if method == "design" else [weighted["sector"], weighted["region"]]
    answered = ~weighted["introduced.product"].isin(["no_answer"]).to_numpy()
    yes = (weighted["introduced.product"] == "yes").to_numpy(dtype=float)
    care = (weighted["sector"] == "care").to_numpy()
    staff = weighted["staff"].to_numpy()
    checks = [
        (cell(estimates, "introduced", "product"), yes, answered, 100),
        (cell(estimates, "introduced", "product", "sector", "care"), yes, answered & care, 100),
        (cell(estimates, "staff_mean", "mean"), np.nan_to_num(staff), ~np.isnan(staff), 1),
    ]
    for found, y, inside, unit in checks:
        mean, error = textbook(weighted, y, inside, margins, clustered)
        assert found["value"] == pytest.approx(mean * unit, rel=1e-9)
        assert found["se"] == pytest.approx(error * unit, rel=1e-8, abs=1e-9)
        assert found["n"] == inside.sum()


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_sums_are_additive_over_rows(seed: int, known: tuple[Catalogue, Wave]) -> None:
    catalogue, wave = known
    weighted = weigh(drawn(seed), wave, catalogue).answers
    whole = uncentred(wave_statistics(weighted, wave, catalogue))
    parts = [uncentred(wave_statistics(weighted.iloc[half::2], wave, catalogue)) for half in (0, 1)]
    keys = ["stratum", *plan_wave(wave, catalogue).cell, "shared.weight"]
    sums = [name for name in whole if name not in keys]
    added = pd.concat(parts).groupby(keys, as_index=False)[sums].sum().sort_values(keys, ignore_index=True)
    assert added[keys].equals(whole[keys])
    np.testing.assert_allclose(added[sums].to_numpy(float), whole[sums].to_numpy(float), rtol=1e-10)


def uncentred(cells: Cells) -> pd.DataFrame:
    """The sums of cells, those of means counted from 0 and not from a centre of the file's own."""
    frame = cells.frame.copy()
    for number, centre in cells.centres.items():
        mask = cells.plan.masks.index(cells.plan.measures[number].mask)
        n, y, y2 = (f"sum.n_{name}" for name in (f"answered_{mask}", f"y_{number}", f"y2_{number}"))
        frame[y2] += 2 * centre * frame[y] + centre**2 * frame[n]
        frame[y] += centre * frame[n]
    return frame


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_what_must_not_matter_does_not(seed: int, known: tuple[Catalogue, Wave]) -> None:
    answers = drawn(seed)
    plain, _ = estimated(answers, known)
    turned, _ = estimated(answers.sample(frac=1, random_state=seed), known)
    pd.testing.assert_frame_equal(plain, turned, check_exact=True)
    shares = plain[plain["unit_measure"] == "percent"]
    sums = (
        shares[shares["indicator"] == "novelty"]
        .groupby(["domain", "domain_code"])["value"]
        .sum(min_count=1)
        .dropna()
    )
    assert sums.to_numpy() == pytest.approx(100)


@pytest.mark.parametrize(
    ("few", "many"),
    [(0, 10**9), (0, 0), (10**9, 0)],
    ids=["by adding listed units", "by adding", "by counting"],
)
def test_the_same_bits_whatever_the_threads_and_the_order(
    few: int, many: int, known: tuple[Catalogue, Wave], monkeypatch: pytest.MonkeyPatch
) -> None:
    catalogue, wave = known
    monkeypatch.setattr("pipeline.estimation.statistics.FEW", few)
    monkeypatch.setattr("pipeline.estimation.statistics.MANY", many)
    weighted = drawn(6, rows=20_000).assign(base_weight=1.0, population=np.nan)
    random = np.random.default_rng(7)
    weighted["weight"] = random.uniform(0.1, 100, len(weighted))
    frames = []
    for threads, rows in (
        (1, weighted),
        (2, weighted.sample(frac=1, random_state=8)),
        (4, weighted.iloc[::-1]),
    ):
        with DuckDB(threads) as engine:
            frames.append(wave_statistics(rows, wave, catalogue, engine).frame)
    pd.testing.assert_frame_equal(frames[0], frames[1], check_exact=True)
    pd.testing.assert_frame_equal(frames[0], frames[2], check_exact=True)


def test_both_ways_lead_to_the_same_sums(
    known: tuple[Catalogue, Wave], monkeypatch: pytest.MonkeyPatch
) -> None:
    catalogue, wave = known
    weighted = drawn(9, rows=2_000).assign(base_weight=1.0, population=np.nan)
    weighted["weight"] = np.random.default_rng(10).lognormal(2, 1, len(weighted))
    wave = replace(wave, weighting=Weighting("given"), design=Design("ID", ("SEKTOR",)))
    counted = wave_statistics(weighted, wave, catalogue)
    monkeypatch.setattr("pipeline.estimation.statistics.FEW", 0)
    added = wave_statistics(weighted, wave, catalogue)
    one, two = (
        estimate_wave(counted, Specification.of(wave, catalogue)),
        estimate_wave(added, Specification.of(wave, catalogue)),
    )
    for column in ("value", "se", "ci_low", "deff"):
        np.testing.assert_allclose(
            one[column].to_numpy(float), two[column].to_numpy(float), rtol=1e-11, atol=1e-9
        )


def test_the_frame_is_in_order_and_complete(known: tuple[Catalogue, Wave]) -> None:
    estimates, _ = estimated(drawn(1), known)
    assert list(estimates.columns) == [*COLUMNS, *EXTRAS]
    assert not estimates.duplicated(KEY).any()
    assert estimates[KEY].equals(estimates[KEY].sort_values(KEY, ignore_index=True))
    total = cell(estimates, "innovative_workplaces", "yes")
    share = cell(estimates, "any_innovation", "yes")
    assert total["unit_measure"] == "count"
    assert total["value"] < 400 and 0 < share["value"] < 100
    assert share["fraction"] == pytest.approx(60 / 400)


def test_nobody_answered_is_missing_and_never_zero(known: tuple[Catalogue, Wave]) -> None:
    answers = drawn(2)
    answers["introduced.service"] = answers["introduced.service"].where(
        answers["sector"] != "care", "no_answer"
    )
    estimates, _ = estimated(answers, known)
    empty = cell(estimates, "introduced", "service", "sector", "care")
    assert (empty["n"], empty["obs_status"]) == (0, "M")
    assert empty[["value", "se", "ci_low", "ci_high", "deff"]].isna().all()


def test_shares_of_0_and_100_have_an_exact_interval(known: tuple[Catalogue, Wave]) -> None:
    answers = drawn(3)
    answers["introduced.product"], answers["introduced.service"] = "yes", "no"
    estimates, weighted = estimated(answers, known)
    all_, none = (cell(estimates, "introduced", item) for item in ("product", "service"))
    effective = weighted["weight"].sum() ** 2 / (weighted["weight"] ** 2).sum()
    limit = 100 * 0.025 ** (1 / effective)  # Clopper-Pearson with no failures, or with failures only
    assert (all_["value"], all_["se"], all_["ci_high"]) == (100, 0, 100)
    assert all_["ci_low"] == pytest.approx(limit)
    assert (none["value"], none["se"], none["ci_low"]) == (0, 0, 0)
    assert none["ci_high"] == pytest.approx(100 - limit)
    assert np.isnan(all_["deff"]) and np.isnan(none["deff"])


def test_a_question_that_was_not_asked_has_no_estimate(known: tuple[Catalogue, Wave]) -> None:
    catalogue, wave = known
    instrument = catalogue.instruments["dk"]
    kept = tuple(
        row for row in instrument.crosswalk if not row.variable.startswith(("novelty", "value.savings"))
    )
    narrower = replace(catalogue, instruments={"dk": replace(instrument, crosswalk=kept)})
    measures = {(measure.indicator, measure.category) for measure in plan_wave(wave, narrower).measures}
    assert ("value", "quality") in measures
    assert ("value", "savings") not in measures
    assert not any(indicator == "novelty" for indicator, _ in measures)


def test_a_wave_that_asks_nothing_of_an_indicator_says_so(known: tuple[Catalogue, Wave]) -> None:
    catalogue, wave = known
    instrument = catalogue.instruments["dk"]
    kept = tuple(row for row in instrument.crosswalk if row.variable in catalogue.variables)
    narrower = replace(catalogue, instruments={"dk": replace(instrument, crosswalk=kept)})
    weighted = drawn(1).assign(base_weight=1.0, weight=1.0, population=100.0)
    with pytest.raises(ProblemError, match="maps nothing that an indicator is made from"):
        wave_statistics(weighted, wave, narrower)


@pytest.mark.parametrize("interval", ["logit", "wald", "beta"])
def test_a_census_has_no_sampling_error(interval: str, known: tuple[Catalogue, Wave]) -> None:
    answers = drawn(5)
    answers["design_weight"] = 1.0
    sizes = answers["stratum"].value_counts()
    catalogue, wave = known
    root = catalogue.root
    (root / "warehouse/raw/census.csv").write_text(
        f"SEKTOR,population\n1,{sizes['1']}\n2,{sizes['2']}\n", encoding="utf-8"
    )
    assert wave.design is not None
    declared = replace(catalogue.barometer, estimation=Estimation(proportion_ci=interval))
    estimates, _ = estimated(
        answers,
        (replace(catalogue, barometer=declared), wave),
        weighting=Weighting("design"),
        design=replace(wave.design, population="census.csv"),
    )
    found = cell(estimates, "introduced", "product")
    assert found["se"] == 0
    assert (found["ci_low"], found["ci_high"]) == pytest.approx((found["value"], found["value"]))


def test_a_breakdown_that_a_wave_cannot_make_is_left_out(known: tuple[Catalogue, Wave]) -> None:
    catalogue, wave = known
    instrument = catalogue.instruments["dk"]
    kept = tuple(row for row in instrument.crosswalk if row.variable != "region")
    narrower = replace(catalogue, instruments={"dk": replace(instrument, crosswalk=kept)})
    answers = drawn(8).drop(columns="region")
    estimates, _ = estimated(answers, (narrower, wave), weighting=Weighting("design"))
    assert set(estimates["domain"]) == {"total", "sector"}


def test_domains_outside_a_scope_are_no_warning(known: tuple[Catalogue, Wave]) -> None:
    catalogue, wave = known
    assert wave.design is not None
    clustered = replace(wave, design=replace(wave.design, psu="KOMMUNE"), weighting=Weighting("design"))
    cells = wave_statistics(weigh(drawn(3, psus=7), clustered, catalogue).answers, clustered, catalogue)
    with np.errstate(divide="ignore", invalid="ignore"):  # as whoever narrows says, of every thread
        found = estimate_wave(
            restricted(cells, {"sector": ("care",)}), Specification.of(clustered, catalogue)
        )
    assert set(found.loc[found["n"] > 0, "domain_code"]) >= {"", "care"}
    assert found.loc[found["domain_code"] == "school", "value"].isna().all()


@pytest.mark.parametrize("clustered", [False, True], ids=["elements", "clusters"])
def test_crossed_margins_count_in_the_errors(clustered: bool, known: tuple[Catalogue, Wave]) -> None:
    catalogue, wave = known
    assert wave.design is not None
    crossed = Weighting("rake", margins=(("sector", "region"),))
    wave = replace(wave, weighting=crossed, design=replace(wave.design, psu="KOMMUNE" if clustered else ""))
    weighted = drawn(12, psus=7 if clustered else 0).assign(base_weight=6.0)
    weighted["population"] = weighted["stratum"].map({"1": 220.0, "2": 180.0})
    cells = weighted["sector"] + "*" + weighted["region"]
    factors = {"care*north": 0.8, "care*south": 1.4, "school*north": 1.1, "school*south": 0.9}
    weighted["weight"] = weighted["base_weight"] * cells.map(factors)
    found = cell(
        estimate_wave(wave_statistics(weighted, wave, catalogue), Specification.of(wave, catalogue)),
        "introduced",
        "product",
    )
    answered = (weighted["introduced.product"] != "no_answer").to_numpy()
    yes = (weighted["introduced.product"] == "yes").to_numpy(dtype=float)
    mean, error = textbook(weighted, yes, answered, [cells], clustered)
    assert found["value"] == pytest.approx(mean * 100, rel=1e-9)
    assert found["se"] == pytest.approx(error * 100, rel=1e-9)


HASHED = """
import sys
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from pipeline.catalogue import load_catalogue
from tests.test_estimation import drawn, estimated
catalogue = load_catalogue(Path(sys.argv[1]))
wave = catalogue.waves["dk-2020"]
for psu in ("", "KOMMUNE"):
    made, _ = estimated(drawn(6, rows=160, psus=9), (catalogue, wave), design=replace(wave.design, psu=psu))
    print(sha256(made[["value", "se", "ci_low", "deff"]].to_numpy(float).tobytes()).hexdigest())
"""


def test_the_same_bits_whatever_the_threads_of_the_algebra(known: tuple[Catalogue, Wave]) -> None:
    found = set()
    for threads in ("1", "2"):
        command = [sys.executable, "-c", HASHED, str(known[0].root)]
        limited = {
            **os.environ,
            "OPENBLAS_NUM_THREADS": threads,
            "PYTHONPATH": str(Path(__file__).parents[1]),
        }
        found.add(subprocess.run(command, check=True, capture_output=True, text=True, env=limited).stdout)
    assert len(found) == 1


@pytest.mark.parametrize(
    "name",
    ["w", "d", "n", "q", "b0", "y12_q", "y_0", "n_answered_0", "w_everyone", "v1", "place", "rank", "shared"],
)
@pytest.mark.parametrize("replicated", [False, True], ids=["linearised", "replicates"])
def test_a_codebook_may_call_a_variable_as_sums_are_called(
    name: str, replicated: bool, known: tuple[Catalogue, Wave], tmp_path: Path
) -> None:
    root = write_barometer(tmp_path / "barometer")
    for file in (*root.rglob("*.toml"), *root.rglob("*.csv")):
        text = file.read_text(encoding="utf-8")
        file.write_text(re.sub(r"\bregion\b", name, text), encoding="utf-8")
    catalogue = load_catalogue(root)
    assert not catalogue.problems
    found = {}
    for variable, (declared, wave) in {
        "region": known,
        name: (catalogue, catalogue.waves["dk-2020"]),
    }.items():
        answers = drawn(5).rename(columns={"region": variable})
        assert wave.design is not None
        if replicated:
            random = np.random.default_rng(3)
            answers = answers.assign(
                **{f"replicate_{r}": random.uniform(1, 2, len(answers)) for r in (1, 2, 3)}
            )
            weights = ReplicateWeights("rw_*", "bootstrap", combined=False)
            wave = replace(wave, design=replace(wave.design, replicate_weights=weights))
        cells = wave_statistics(weigh(answers, wave, declared).answers, wave, declared)
        if not replicated:
            cells = cells.restricted((cells.frame[variable] == "north").to_numpy())
        by = {variable: "region"}
        with np.errstate(divide="ignore", invalid="ignore"):  # of the domains without units
            estimates = estimate_wave(cells, Specification.of(wave, declared))
        found[variable] = estimates.assign(domain=estimates["domain"].replace(by)).sort_values(
            KEY, ignore_index=True
        )
    assert found["region"]["value"].notna().any()
    pd.testing.assert_frame_equal(found["region"], found[name])
