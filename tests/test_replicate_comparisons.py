"""Waves with replicate weights beside the others: on shared scopes and answers, in benchmarks and trends."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline.catalogue import Composition, load_catalogue
from pipeline.comparison import Pair, WaveFacts, benchmarks, comparisons_of, trends
from tests.barometers import edit, pin, write_barometer
from tests.comparing import Prepared, one, prepared
from tests.golden import close
from tests.optional import write_optional
from tests.releases import build
from tests.test_comparison import narrower
from tests.test_replicate_contrasts import thetas, weights_of


def replicated(root: Path, *waves: str, count: int = 20) -> Path:
    """Gives waves of the small barometer a weight of 5 a unit and bootstrap weights, in place of their
    design.
    """
    for key in waves:
        path = root / "schemas" / "waves" / f"{key}.toml"
        text = path.read_text(encoding="utf-8")
        design = '[design]\nid = "ID"\nweight = "W"\nreplicate_weights = { columns = "rw_*", method = "bootstrap" }\n'
        path.write_text(
            text[: text.index("[design]")] + design + '[weighting]\nmethod = "given"\n', encoding="utf-8"
        )
        raw = root / "warehouse" / "raw" / f"{key}.csv"
        lines = raw.read_text(encoding="utf-8").splitlines()
        random = np.random.default_rng(int(key[-4:]))
        drawn = 5 * random.poisson(1, (len(lines) - 1, count))
        wide = [";".join([lines[0], "W", *(f"rw_{number}" for number in range(count))])]
        wide += [f"{line};5;{';'.join(map(str, row))}" for line, row in zip(lines[1:], drawn, strict=True)]
        raw.write_text("\n".join(wide) + "\n", encoding="utf-8")
        pin(root, key)
    return root


@pytest.fixture(scope="module")
def narrow(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    """Edition 2022 covers care alone and 2020 has replicate weights; answers were offered in 2020 alone."""
    root = narrower(write_optional(tmp_path_factory.mktemp("narrow") / "barometer"))
    found = prepared(replicated(root, "dk-2020"))
    rules = {
        key: rule for key, rule in found.catalogue.comparability.rules.items() if key != "weighting_changed"
    }
    return replace(found, catalogue=replace(found.catalogue, comparability=replace(found.catalogue.comparability, rules=rules)))  # fmt: skip


def test_a_replicate_wave_is_narrowed_to_the_shared_part(narrow: Prepared) -> None:
    catalogue = narrow.catalogue
    assert (
        Pair(catalogue.waves["dk-2022"], catalogue.waves["dk-2020"], WaveFacts(catalogue)).shared.state()
        == "shared"
    )
    inputs = narrow.inputs()
    made = comparisons_of(inputs)
    for indicator, category in (("any_innovation", "yes"), ("staff_mean", "mean"), ("value", "quality")):
        row = one(
            made, wave_a="dk-2022", wave_b="dk-2020", indicator=indicator, category=category, domain="total"
        )
        care = one(narrow.estimates, wave="dk-2020", indicator=indicator, category=category, domain="sector", domain_code="care")  # fmt: skip
        own = one(narrow.estimates, wave="dk-2022", indicator=indicator, category=category, domain="total")
        assert row["scope"] == "sector=care" and row["n_b"] == care["n"]
        assert close(row["value_b"], care["value"]) and close(row["se"], np.hypot(own["se"], care["se"]))
    again = inputs.narrowed_to(made).query(
        "wave == 'dk-2020' and domain == 'total' and scope == 'sector=care'"
    )
    plain = narrow.estimates.query("wave == 'dk-2020' and domain == 'sector' and domain_code == 'care'")
    both = again.merge(plain, on=["indicator", "category"])
    assert len(both) > 10 and (both["df_x"] == both["df_y"]).all()


def test_and_to_the_shared_answers(narrow: Prepared) -> None:
    inputs = narrow.inputs()
    made = comparisons_of(inputs)
    row = one(made, wave_b="dk-2020", indicator="any_partner", domain="total")
    assert row["scope"] == "partner=citizens|companies sector=care" and row["verdict"] == "like_for_like"
    units = narrow.answers["dk-2020"]
    units = units[units["sector"] == "care"]
    chosen = (units[["partner.citizens", "partner.companies"]] == "selected").any(axis=1).to_numpy()
    weights = weights_of(units)
    theta = 100 * weights[chosen].sum(axis=0) / weights.sum(axis=0)
    cell = {"wave": "dk-2020", "indicator": "any_partner", "domain": "total", "scope": row["scope"]}
    again = one(inputs.narrowed_to(made), **cell)
    assert close(again["value"], theta[0]) and close(row["value_b"], theta[0])
    assert close(again["se"], np.sqrt(((theta[1:] - theta[0]) ** 2).sum() / 19))


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    root = write_barometer(tmp_path_factory.mktemp("both") / "barometer")
    return prepared(replicated(root, "dk-2020", "dk-2022"))


def test_a_cell_is_tested_against_the_whole_of_its_wave(both: Prepared) -> None:
    row = one(benchmarks(both.inputs()), wave="dk-2020", indicator="introduced", category="product", domain_code="care")  # fmt: skip
    units = both.answers["dk-2020"]
    answered = (units["introduced.product"] != "no_answer").to_numpy()
    yes = (units["introduced.product"] == "yes").to_numpy(dtype=float)
    apart = 100 * (thetas(units, yes, answered, "sector", "care") - thetas(units, yes, answered, "total", ""))
    assert close(row["difference"], apart[0])
    assert close(row["se"], np.sqrt(((apart[1:] - apart[0]) ** 2).sum() / 19))
    assert 0 < row["p_value"] < 1 and row["rank_low"] <= row["rank"] <= row["rank_high"]


def test_distributions_compositions_and_trends_have_their_tests(both: Prepared) -> None:
    half = {"half": Composition("half", "sector", "Half and half", {"care": 1, "school": 1})}
    declared = replace(both.catalogue.comparability, compositions=half)
    inputs = replace(both, catalogue=replace(both.catalogue, comparability=declared)).inputs()
    made = comparisons_of(inputs)
    total = {"wave_a": "dk-2022", "wave_b": "dk-2020", "domain": "total", "standard": ""}
    assert 0 < one(made, **total, indicator="novelty", category="first")["p_distribution"] <= 1
    found = one(made, **(total | {"standard": "half"}), indicator="any_innovation")
    cells = both.estimates.query("indicator == 'any_innovation' and domain == 'sector'")
    assert close(found["value_b"], cells.query("wave == 'dk-2020'")["value"].mean()) and found["p_value"] > 0
    series = one(trends(both.estimates, both.catalogue), indicator="any_innovation", category="yes")
    assert series["editions"] == 2 and series["se"] > 0


def test_what_is_kept_of_a_part_is_that_of_its_microdata(narrow: Prepared, tmp_path: Path) -> None:
    root = replicated(narrower(write_optional(tmp_path / "barometer")), "dk-2020")
    build(root)
    stored = pd.read_parquet(root / "warehouse/compared/comparisons.parquet")
    columns = ["wave_a", "wave_b", "indicator", "category", "domain", "domain_code", "scope", "value_b", "se"]
    made = comparisons_of(replace(narrow, catalogue=load_catalogue(root)).inputs())
    pd.testing.assert_frame_equal(stored[columns], made[columns], check_dtype=False)
    assert (
        len(list((root / "warehouse/shared/dk-2020").glob("*/replicates.parquet"))) == 2
    )  # plain, and composites


@pytest.mark.parametrize("replicates", [True, False])
def test_a_part_without_a_unit_has_no_estimates(replicates: bool, tmp_path: Path) -> None:
    root = narrower(write_barometer(tmp_path / "barometer"))
    raw = root / "warehouse/raw/dk-2020.csv"
    lines = raw.read_text(encoding="utf-8").splitlines(keepends=True)
    school = [line for line in lines[1:] if line.split(";")[1] == "2"]
    raw.write_text("".join([lines[0], *school]), encoding="utf-8")
    if replicates:
        replicated(root, "dk-2020")
    else:
        edit(root / "schemas/waves/dk-2020.toml", "dk-strata.csv", "dk-strata-2020.csv")
        (root / "warehouse/raw/dk-strata-2020.csv").write_text("SEKTOR,population\n2,180\n", encoding="utf-8")
        pin(root, "dk-2020")
    made = comparisons_of(prepared(root).inputs())
    assert made[(made["wave_a"] == "dk-2022") & (made["wave_b"] == "dk-2020")].empty
