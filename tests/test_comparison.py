"""Comparisons: tests equal to R's, estimates on one basis, nothing from which a hidden cell could be had."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from pipeline.catalogue import Composition, load_catalogue
from pipeline.catalogue.model import Disclosure, Reliability
from pipeline.comparison import (
    against_rest,
    benchmarks,
    comparisons_of,
    errata,
    reasons,
    reconciliation,
    standardise,
    trends,
)
from pipeline.comparison.shared_scope import restricted
from pipeline.comparison.significance import (
    adjusted,
    homogeneity,
    independence,
    independent,
    slope,
    t_test,
    too_few_cases,
)
from pipeline.comparison.trends import with_adjusted
from pipeline.contracts import conform, table
from pipeline.estimation import Specification, estimate_wave
from pipeline.estimation.contrasts import Contrasts
from pipeline.problems import ProblemError
from tests.barometers import edit, pin, write_barometer
from tests.comparing import Prepared, one, prepared
from tests.golden import Estimated, close, estimate, reference
from tests.golden_barometers import write_api
from tests.test_contrasts import STRATA, STRATIFIED, contrasts, noted

# ── Against R's survey package ───────────────────────────────────────────────


@pytest.fixture(scope="module")
def apistrat(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Estimated:
    raw = shared / "data" / "survey_r" / "apistrat.csv"
    return estimate(write_api(tmp_path_factory.mktemp("api"), raw, STRATIFIED, strata=STRATA))


@pytest.fixture(scope="module")
def api(apistrat: Estimated) -> Contrasts:
    return contrasts(apistrat)


def row(shared: Path, case: str, estimator: str, variable: str, domain: str = "") -> dict[str, str]:
    rows = [each for each in reference(shared, "api.csv", case) if each["estimator"] == estimator]
    (found,) = [each for each in rows if each["variable"] == variable and each["domain"] == domain]
    return found


def test_a_domain_against_the_rest_equals_r(shared: Path, api: Contrasts) -> None:
    joint, (difference, error) = against_rest(api, "api00", "mean", "awards", "Yes")
    wanted = row(shared, "api_strat", "difference_of_domain_means", "api00", "awards:Yes-No")
    assert close(difference, wanted["estimate"]) and close(error, wanted["se"])
    assert close(joint.values[0], noted(wanted, "mean_a"))
    made = t_test(np.array([difference]), np.array([error]), np.array([197.0]), 0.95)
    assert close(made.low[0], wanted["ci_t_lo"]) and close(made.high[0], wanted["ci_t_hi"])


def test_the_p_value_equals_that_of_rs_svyttest(shared: Path) -> None:
    wanted = row(shared, "api_strat", "svyttest", "api00", "awards:Yes-No")
    made = t_test(*(np.array([float(wanted[name])]) for name in ("estimate", "se", "df")), 0.95)
    assert close(made.p[0], noted(wanted, "p"), 1e-8)
    assert close(made.low[0], wanted["ci_t_lo"], 1e-8) and close(made.high[0], wanted["ci_t_hi"], 1e-8)


def test_the_test_of_a_distribution_equals_rs_svychisq(shared: Path, api: Contrasts) -> None:
    joint = api.table("awards", "stype")
    found = independence(joint.values / 100, joint.covariance / 100**2, 3, 2, 200, 197)
    (wanted,) = [
        each for each in reference(shared, "api.csv", "api_strat") if each["estimator"] == "chisq_rao_scott_F"
    ]
    assert close(found.f, wanted["estimate"])
    assert close(found.ndf, noted(wanted, "ndf")) and close(found.ddf, noted(wanted, "ddf"))
    assert close(found.p, noted(wanted, "p"), 1e-8)


def test_independent_samples_add_their_variances(shared: Path) -> None:
    a, b = (row(shared, case, "mean", "api00") for case in ("api_strat", "api_srs"))
    parts = [tuple(np.array([float(each[name])]) for name in ("estimate", "se", "df")) for each in (a, b)]
    made = independent((parts[0][0], parts[0][1], parts[0][2]), (parts[1][0], parts[1][1], parts[1][2]), 0.95)
    assert close(made.value[0], float(a["estimate"]) - float(b["estimate"]))
    assert close(made.se[0], np.hypot(float(a["se"]), float(b["se"])))
    half = stats.t.ppf(0.975, float(a["df"]) + float(b["df"])) * made.se[0]
    assert close(made.high[0] - made.value[0], half)


def test_narrowed_to_a_scope_everyone_is_rs_domain(shared: Path, tmp_path: Path) -> None:
    raw = shared / "data" / "survey_r" / "apistrat.csv"
    found = estimate(write_api(tmp_path, raw, STRATIFIED, strata=STRATA))
    for code in "EMH":
        with np.errstate(divide="ignore", invalid="ignore"):
            made = estimate_wave(
                restricted(found.cells, {"stype": (code,)}), Specification.of(found.wave, found.catalogue)
            )
        total = one(made, indicator="api00", category="mean", domain="total")
        wanted = row(shared, "api_strat", "domain_mean", "api00", f"stype={code}")
        assert close(total["value"], wanted["estimate"]) and close(total["se"], wanted["se"])
        assert total["df"] == noted(wanted, "domain df ") if "domain df =" not in wanted["note"] else True


def test_standardised_on_strata_is_rs_domains_put_together(
    shared: Path, apistrat: Estimated, api: Contrasts
) -> None:
    made_up = Composition("x", "stype", "Half elementary", {"E": 2.0, "M": 1.0, "H": 1.0})
    value, error = standardise(api, made_up, ("E", "M", "H"), ("api00", "mean"), apistrat.catalogue)
    rows = {code: row(shared, "api_strat", "domain_mean", "api00", f"stype={code}") for code in "EMH"}
    share = {"E": 0.5, "M": 0.25, "H": 0.25}
    assert close(value, sum(share[code] * float(each["estimate"]) for code, each in rows.items()))
    assert close(error**2, sum((share[code] * float(each["se"])) ** 2 for code, each in rows.items()))


# ── The tests themselves ─────────────────────────────────────────────────────


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=40))
def test_adjusted_p_values_are_those_of_benjamini_and_hochberg(p: list[float]) -> None:
    values = np.array([*p, np.nan])
    found = adjusted(values)
    assert np.allclose(found[:-1], stats.false_discovery_control(p)) and np.isnan(found[-1])


def test_each_family_is_adjusted_by_itself() -> None:
    p, families = np.array([0.01, 0.02, 0.03, np.nan]), np.array([0, 1, 0, 1])
    assert adjusted(p, families)[:3] == pytest.approx([0.02, 0.02, 0.03])


def test_no_error_no_test() -> None:
    made = t_test(np.array([3.0, np.nan, 3.0]), np.array([0.0, 1.0, 1.0]), np.array([9.0, 9.0, 0.0]), 0.95)
    assert np.isnan(made.p).all() and np.isnan(made.low).all() and np.isnan(made.se[0])


def test_a_share_of_a_few_cases_is_compared_without_a_test() -> None:
    found = too_few_cases(np.array([2.0, 10.0, 98.0, 50.0]), np.array([100.0, 50.0, 100.0, 8.0]))
    assert found.tolist() == [True, False, True, True]


def test_homogeneity_of_simple_samples_is_pearsons() -> None:
    counts = np.array([[300.0, 500.0, 200.0], [330.0, 480.0, 190.0]])
    shares = [line / line.sum() for line in counts]
    covariances = [(np.diag(p) - np.outer(p, p)) / 1000 for p in shares]
    found = homogeneity(shares, covariances, [1000.0, 1000.0], 1998.0)
    assert found.p == pytest.approx(stats.chi2_contingency(counts).pvalue, rel=0.02)
    empty = [np.append(p, 0.0) for p in shares]
    wider = [np.pad(v, (0, 1)) for v in covariances]
    assert homogeneity(empty, wider, [1000.0, 1000.0], 1998.0).p == pytest.approx(found.p)


def test_trends_of_synthetic_surveys_are_no_tests_beside_official_ones() -> None:
    """A family of tests is an indicator among surveys of one status."""
    p = [0.01, 0.04, 0.03]
    frame = pd.DataFrame({"indicator": "any", "status": ["official", "official", "synthetic"], "p_value": p})
    whole = with_adjusted(frame.assign(status="official"))["p_adjusted"].tolist()
    apart = with_adjusted(frame)["p_adjusted"].tolist()
    assert apart == pytest.approx([0.02, 0.04, 0.03]) and whole != apart
    assert with_adjusted(frame.iloc[:2])["p_adjusted"].tolist() == apart[:2]


def test_a_trend_has_a_level_of_its_own_after_every_break() -> None:
    values, se = np.array([10.0, 12.0, 30.0, 32.0]), np.ones(4)
    times = np.array([0.0, 1.0, 2.0, 3.0])
    assert slope(values, se, times, np.array([0, 0, 1, 1])) == pytest.approx((2.0, 1.0))
    whole, error = slope(values, se, times, np.zeros(4, dtype=int))
    fitted, covariance = np.polyfit(times, values, 1, w=1 / se, cov="unscaled")
    assert whole == pytest.approx(fitted[0]) and error == pytest.approx(covariance[0, 0] ** 0.5)
    assert np.isnan(slope(values[:2], se[:2], times[:2], np.array([0, 1]))[0])


# ── On the small barometer ───────────────────────────────────────────────────


def narrower(root: Path) -> Path:
    """dk-2022 again, covering care alone; weighted by region in both editions."""
    schemas, raw = root / "schemas", root / "warehouse" / "raw"
    (raw / "dk-margins.csv").write_text("margin,code,total\nregion,north,150\nregion,south,250\n")
    for wave in ("dk-2020", "dk-2022"):
        edit(schemas / f"waves/{wave}.toml", 'margins = [["sector"], ["region"]]', 'margins = [["region"]]')
    lines = (raw / "dk-2022.csv").read_text(encoding="utf-8").splitlines(keepends=True)
    care = [line for line in lines[1:] if line.split(";")[1] == "1"]
    (raw / "dk-2022.csv").write_text("".join([lines[0], *care]), encoding="utf-8")
    (raw / "dk-strata-2022.csv").write_text("SEKTOR,population\n1,220\n")
    edit(schemas / "waves/dk-2022.toml", "dk-strata.csv", "dk-strata-2022.csv")
    edit(schemas / "waves/dk-2022.toml", "[origin]", '[scope]\nsector = ["care"]\n[origin]')
    pin(root, "dk-2022")
    return root


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    return prepared(write_barometer(tmp_path_factory.mktemp("small") / "barometer"))


@pytest.fixture(scope="module")
def narrow(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    return prepared(narrower(write_barometer(tmp_path_factory.mktemp("narrow") / "barometer")))


TOTAL = {"indicator": "any_innovation", "domain": "total", "standard": ""}


def test_every_pair_stands_once_the_later_wave_first(small: Prepared) -> None:
    made = comparisons_of(small.inputs())
    assert set(zip(made["wave_a"], made["wave_b"], strict=True)) == {
        ("dk-2022", "dk-2020"),
        ("dk-2022", "no-2020"),
        ("no-2020", "dk-2020"),
    }
    found = one(made, wave_a="dk-2022", wave_b="dk-2020", **TOTAL)
    values = small.estimates.query("indicator == 'any_innovation' and domain == 'total'").set_index("wave")
    assert found["difference"] == pytest.approx(
        values.loc["dk-2022", "value"] - values.loc["dk-2020", "value"]
    )
    assert found["se"] == pytest.approx(np.hypot(values.loc["dk-2022", "se"], values.loc["dk-2020", "se"]))
    assert found["verdict"] == "comparable" and found["reasons"] == "" and found["scope"] == ""
    family = made[made["indicator"] == "any_innovation"]
    known = family.dropna(subset=["p_value"])
    wanted = stats.false_discovery_control(known["p_value"].to_numpy())
    assert known["p_adjusted"].to_numpy() == pytest.approx(wanted) and len(known) == 5


def test_the_wider_wave_is_estimated_again_on_the_shared_scope(narrow: Prepared) -> None:
    made = comparisons_of(narrow.inputs())
    found = one(made, wave_a="dk-2022", wave_b="dk-2020", **TOTAL)
    care = one(
        narrow.estimates, wave="dk-2020", indicator="any_innovation", domain="sector", domain_code="care"
    )
    assert found["scope"] == "sector=care" and found["verdict"] == "like_for_like"
    assert found["value_b"] == pytest.approx(care["value"]) and found["n_b"] == care["n"]
    own = one(narrow.estimates, wave="dk-2022", indicator="any_innovation", domain="total")
    assert found["value_a"] == pytest.approx(own["value"])
    assert found["se"] == pytest.approx(np.hypot(own["se"], care["se"]))
    assert set(made[made["domain"] == "sector"]["domain_code"]) == {"care"}


def test_a_figure_is_met_by_microdata_on_its_scope(narrow: Prepared) -> None:
    catalogue = narrow.catalogue
    waves = dict(catalogue.waves)
    waves["no-2020"] = replace(waves["no-2020"], scope={"sector": ("care",)})
    inputs = replace(narrow, catalogue=replace(catalogue, waves=waves)).inputs()
    found = one(comparisons_of(inputs), wave_a="no-2020", wave_b="dk-2020", **TOTAL)
    assert (
        found["verdict"] == "caution" and found["reasons"] == "scope|figures" and found["obs_status"] == "E"
    )
    assert found["n_b"] == 40  # those in care


def test_what_must_not_be_compared_has_no_difference(small: Prepared) -> None:
    waves = dict(small.catalogue.waves)
    waves["no-2020"] = replace(waves["no-2020"], unit="organisation")
    inputs = replace(small, catalogue=replace(small.catalogue, waves=waves)).inputs()
    made = comparisons_of(inputs)
    apart = made[made["verdict"] == "not_comparable"]
    assert set(apart["domain"]) == {"total"} and apart["value_a"].notna().all()
    assert apart[["difference", "se", "ci_low", "ci_high", "p_value", "p_adjusted"]].isna().all(axis=None)


def test_official_and_generated_waves_never_meet(small: Prepared) -> None:
    waves = dict(small.catalogue.waves)
    waves["dk-2020"] = replace(waves["dk-2020"], status="synthetic")
    inputs = replace(small, catalogue=replace(small.catalogue, waves=waves)).inputs()
    assert "dk-2020" not in set(comparisons_of(inputs)[["wave_a", "wave_b"]].to_numpy().ravel())


def test_both_waves_are_standardised_on_one_composition(small: Prepared) -> None:
    declared = replace(
        small.catalogue.comparability,
        compositions={"half": Composition("half", "sector", "Half and half", {"care": 1, "school": 1})},
    )
    inputs = replace(small, catalogue=replace(small.catalogue, comparability=declared)).inputs()
    made = comparisons_of(inputs)
    found = one(made, wave_a="dk-2022", wave_b="dk-2020", **{**TOTAL, "standard": "half"})
    cells = small.estimates.query("indicator == 'any_innovation' and domain == 'sector'")
    means = cells.groupby("wave")["value"].mean()
    assert found["value_a"] == pytest.approx(means["dk-2022"])
    assert found["value_b"] == pytest.approx(means["dk-2020"])
    assert found["scope"] == "sector=care|school" and found["se"] > 0
    assert not (made["standard"].ne("") & made["wave_b"].eq("no-2020")).any()


def test_a_cell_is_set_against_the_whole_that_holds_it(small: Prepared) -> None:
    inputs = small.inputs()
    made = benchmarks(inputs)
    ready = Contrasts.of(
        small.cells["dk-2020"], Specification.of(small.catalogue.waves["dk-2020"], small.catalogue)
    )
    joint = ready.between("any_innovation", "yes", [("sector", "care"), ("total", "")])
    difference, error = joint.difference(0, 1)
    found = one(made, wave="dk-2020", indicator="any_innovation", domain="sector", domain_code="care")
    assert found["difference"] == pytest.approx(difference) and found["se"] == pytest.approx(error)
    ranks = made.dropna(subset=["rank_low"])
    assert (ranks["rank_low"] <= ranks["rank"]).all() and (ranks["rank"] <= ranks["rank_high"]).all()
    assert (made["differs"] == (made["p_adjusted"] < 0.05)).all()
    printed = one(made, wave="no-2020", indicator="any_innovation", domain="sector", domain_code="care")
    assert printed["difference"] == -3 and np.isnan(printed["p_value"]) and not printed["differs"]


def test_a_series_has_its_yearly_change(small: Prepared) -> None:
    found = one(
        trends(small.estimates, small.catalogue), survey="dk", indicator="any_innovation", category="yes"
    )
    values = small.estimates.query("indicator == 'any_innovation' and domain == 'total'").set_index("wave")
    years = 731 / 365.25
    change = (values.loc["dk-2022", "value"] - values.loc["dk-2020", "value"]) / years
    assert found["change_per_year"] == pytest.approx(change) and found["breaks"] == 0


# ── Published figures: errata and reconciliation ─────────────────────────────


def test_an_erratum_keeps_both_values_and_estimates_use_the_current_one(tmp_path: Path) -> None:
    root = write_barometer(tmp_path / "barometer")
    wave = root / "schemas/waves/no-2020.toml"
    erratum = '[[erratum]]\nindicator = "any_innovation"\nwas = 70\nnow = 74\ncorrected = 2021-05-01\nsource = "Its page"\n'
    wave.write_text(wave.read_text(encoding="utf-8") + erratum, encoding="utf-8")
    found = prepared(root)
    made = errata(found.inputs())
    assert made[["value_was", "value_now", "corrected"]].to_numpy().tolist() == [[70.0, 74.0, "2021-05-01"]]
    assert one(found.estimates, wave="no-2020", indicator="any_innovation", domain="total")["value"] == 74
    edit(wave, "now = 74", "now = 75")
    with pytest.raises(
        ProblemError, match="is not the value of any_innovation in the wave's file of figures"
    ):
        errata(prepared(root).inputs())


def test_estimates_are_reconciled_with_what_was_published_of_them(tmp_path: Path) -> None:
    root = write_barometer(tmp_path / "barometer")
    figures = root / "schemas/waves/no-2020.toml"
    text = figures.read_text(encoding="utf-8").replace('country = "NO"', 'country = "DK"')
    text = text.replace('survey = "no"', 'survey = "dk"').replace("2019-01-01", "2018-01-01")
    (root / "schemas/waves/dk-2020-figures.toml").write_text(text.replace("2020-12-31", "2019-12-31"))
    figures.unlink()
    value = one(prepared(root).estimates, wave="dk-2020", indicator="any_innovation", domain="total")["value"]
    lines = ["indicator,category,domain,domain_code,value,n,note,obs_status"]
    lines += [f"any_innovation,yes,total,,{round(value)},,,"]
    lines += ["any_innovation,yes,sector,care,99,,,E", "introduced,service,total,,90,,Another base.,"]
    (root / "warehouse/raw/no-2020.csv").write_text("\n".join(lines) + "\n")
    pin(root, "dk-2020-figures")
    found = prepared(root)
    made = reconciliation(found.inputs())
    assert made["reason"].tolist() == ["figure_uncertain", "rounding", "unexplained"]
    assert made["within_rounding"].tolist() == [False, True, False]
    assert made["note"].iloc[2] == "Another base."
    pairs = comparisons_of(found.inputs())[["wave_a", "wave_b"]]
    assert not ((pairs == "dk-2020-figures").any(axis=1) & (pairs == "dk-2020").any(axis=1)).any()


# ── What is published ────────────────────────────────────────────────────────


def test_published_tables_keep_their_contracts(small: Prepared, narrow: Prepared) -> None:
    for name, frame in (*small.published().items(), *narrow.published().items()):
        columns = [field["name"] for field in table(name)["fields"]]
        conform(frame[columns], name)


def hiding(found: Prepared, min_n: int) -> Prepared:
    rules = replace(
        found.catalogue.barometer,
        disclosure=Disclosure(min_n=min_n, secondary=True),
        reliability=Reliability(flag_n=1, unpublish_n=1, flag_ci_width=99.0, unpublish_ci_width=100.0),
    )
    return replace(found, catalogue=replace(found.catalogue, barometer=rules))


def test_hidden_cells_take_part_in_nothing_published(small: Prepared) -> None:
    every = hiding(small, 1).published()["comparisons"]
    assert "care" in set(every["domain_code"])
    found = hiding(small, 41)  # sectors of 40 answers each are hidden, everyone is not
    tables = found.published()
    assert set(tables["comparisons"]["domain"]) == {"total"}
    assert not set(tables["benchmarks"]["wave"]) - {"no-2020"}


def test_a_part_estimated_again_is_not_published_where_a_hidden_cell_would_show(narrow: Prepared) -> None:
    shown = hiding(narrow, 1).published()["comparisons"]
    assert len(shown[(shown["scope"] == "sector=care") & (shown["indicator"] == "any_innovation")]) == 1
    tables = hiding(narrow, 41).published()["comparisons"]
    assert not (tables["scope"] == "sector=care").any()


def test_a_comparison_has_no_more_digits_than_its_parts(small: Prepared) -> None:
    made = hiding(small, 1).published()["comparisons"]
    figures = made[made["obs_status"] == "E"]
    assert len(figures) and (figures["difference"].dropna() % 1 == 0).all()  # printed as whole numbers
    total = made[
        (made["domain"] == "total") & (made["obs_status"] != "E") & (made["unit_measure"] == "percent")
    ]
    assert len(total)
    for name in ("value_a", "value_b", "difference", "ci_low", "ci_high"):
        tenths = total[name].dropna() * 10
        assert np.allclose(tenths, tenths.round())
    sector = made[(made["domain"] == "sector") & (made["unit_measure"] == "percent")]
    assert len(sector) and (sector["difference"].dropna() % 1 == 0).all()
    assert np.allclose(made["p_value"].dropna() * 1e4, (made["p_value"].dropna() * 1e4).round())


def test_what_compares_tells_of_values_only_what_is_published_of_them(small: Prepared) -> None:
    ready = hiding(small, 1)
    made = ready.compared()
    tables = ready.published(made)
    for name, parts in (("comparisons", ("value_a", "value_b")), ("benchmarks", ("value", "total"))):
        frame, shown = getattr(made, name), tables[name]
        tested = frame["p_value"].notna()
        assert tested.any() and shown["difference"].notna().any()
        blunt = frame.assign(
            p_value=np.where(tested, 0.5, np.nan), ci_low=np.where(tested, 0.0, np.nan),
            ci_high=np.where(tested, 0.0, np.nan), difference=frame["difference"] * 0,
        )  # fmt: skip
        blunt.loc[shown.index, list(parts)] = shown[list(parts)]
        again = ready.published(replace(made, **{name: blunt}))
        pd.testing.assert_frame_equal(again[name], shown)


def test_tests_can_be_made_of_what_is_published(small: Prepared) -> None:
    ready = hiding(small, 1)
    made = ready.compared()
    tables = ready.published(made)
    for name, (mine, theirs) in (("comparisons", ("value_a", "value_b")), ("benchmarks", ("value", "total"))):
        shown = tables[name].dropna(subset=["p_value"])
        df = getattr(made, name).loc[shown.index, "df"]
        assert len(shown) and (shown["difference"] - (shown[mine] - shown[theirs])).abs().max() <= 0.5
        p = 2 * stats.t.sf(((shown[mine] - shown[theirs]) / shown["se"]).abs(), df)
        assert shown["p_value"].to_numpy() == pytest.approx(p, abs=5.1e-5)
        assert shown["difference"].between(shown["ci_low"], shown["ci_high"]).all()


def test_what_rounds_to_the_same_shares_a_rank(small: Prepared) -> None:
    shown = hiding(small, 1).published()["benchmarks"]
    group = shown.groupby(["wave", "indicator", "category", "domain"])["value"]
    assert (shown["rank"] == group.rank(ascending=False, method="min")).all()


def test_adjusted_p_values_know_only_what_is_published(small: Prepared) -> None:
    made = hiding(small, 41).published()["comparisons"]
    family = made[made["indicator"] == "any_innovation"].dropna(subset=["p_value"])
    wanted = stats.false_discovery_control(family["p_value"].to_numpy())
    assert family["p_adjusted"].to_numpy() == pytest.approx(wanted, abs=2e-4)


def test_the_same_waves_give_the_same_comparisons(small: Prepared) -> None:
    first, second = small.published(), small.published()
    for name, frame in first.items():
        pd.testing.assert_frame_equal(frame, second[name])


def test_reasons_are_the_rules(repository: Path) -> None:
    catalogue = load_catalogue(repository)
    assert reasons(catalogue)["reason"].tolist() == list(catalogue.comparability.rules)
