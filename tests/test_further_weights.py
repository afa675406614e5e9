"""Indicators with a weight of their own: a module's, the households', the employees'."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from pipeline.catalogue import load_catalogue
from pipeline.cli.app import app
from pipeline.estimation import (
    Cells,
    Specification,
    estimate_wave,
    read_cells,
    statistics,
    totals_of,
    wave_statistics,
    write_cells,
)
from pipeline.estimation.contrasts import Contrasts
from pipeline.harmonise import harmonise
from pipeline.problems import ProblemError
from pipeline.sources import fetch, read_raw
from pipeline.staleness.fingerprint import wave_inputs
from pipeline.weighting import require_expansion, weigh
from tests.barometers import edit, pin, write_barometer
from tests.comparing import one, prepared
from tests.golden import Estimated, close, estimated

WAVES = ("dk-2020", "dk-2022")
WAVE_FILE = "schemas/waves/dk-2020.toml"
ROWS = 80
MODULE = [3.5 + row % 7 if row % 5 < 3 else "" if row % 2 else 0 for row in range(1, ROWS + 1)]
IN_MODULE = [row for row, weight in enumerate(MODULE, 1) if weight]
TOTAL = '[indicators.known_novelty]\ntotal = "novelty"\n'


def add_column(root: Path, wave: str, name: str, cells: list[object]) -> None:
    """One more column of a wave's raw file; its numbers have a decimal comma."""
    raw = root / "warehouse" / "raw" / f"{wave}.csv"
    head, *rows = raw.read_text(encoding="utf-8").splitlines()
    texts = [str(cell).replace(".", ",") for cell in cells]
    lines = [f"{head};{name}", *(f"{row};{text}" for row, text in zip(rows, texts, strict=True))]
    raw.write_text("\n".join(lines) + "\n", encoding="utf-8")
    pin(root, wave)


def name_weight(root: Path, *indicators: str, weight: str = "module") -> None:
    for indicator in indicators:
        edit(root / "schemas/indicators.toml", f"[indicators.{indicator}]\n", f'[indicators.{indicator}]\nweight = "{weight}"\n')  # fmt: skip


def declare(root: Path, wave: str, line: str = 'weights = { module = "MODUL" }') -> None:
    edit(root / f"schemas/waves/{wave}.toml", 'id = "ID"', f'id = "ID"\n{line}')


def with_module(root: Path) -> Path:
    """The small barometer, its novelty and its staff asked in a module that three of five answered."""
    for wave in WAVES:
        add_column(root, wave, "MODUL", list(MODULE))
        declare(root, wave)
    name_weight(root, "novelty", "staff_mean")
    return root


@pytest.fixture(scope="module")
def module(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Never changed."""
    return with_module(write_barometer(tmp_path_factory.mktemp("module") / "barometer"))


@pytest.fixture(scope="module")
def made(module: Path) -> Estimated:
    catalogue = load_catalogue(module)
    assert not catalogue.problems, list(map(str, catalogue.problems))
    return estimated(catalogue.waves["dk-2020"], catalogue, module)


def raw_rows(root: Path, wave: str = "dk-2020") -> pd.DataFrame:
    frame = pd.read_csv(root / f"warehouse/raw/{wave}.csv", sep=";", dtype="str", keep_default_na=False)
    weight = frame["MODUL"].str.replace(",", ".").replace("", "0").astype(float)
    return frame.assign(w=weight, staff=frame["ANSATTE"].str.replace(",", ".").astype(float))


def test_an_indicator_has_its_own_weight_and_only_units_that_have_it(module: Path, made: Estimated) -> None:
    rows = raw_rows(module)
    rows = rows[rows["w"] > 0]
    assert len(rows) == len(IN_MODULE) == 48
    novelty = rows[rows["Q2"] != ""]
    for code, category in (("1", "first"), ("2", "copied"), ("9", "dont_know")):
        for domain, sector in (("total", ""), ("sector", "care"), ("sector", "school")):
            of = novelty[novelty["SEKTOR"] == {"care": "1", "school": "2"}[sector]] if sector else novelty
            cell = made.cell("novelty", category, domain, sector)
            assert cell["n"] == len(of) and cell["m"] == (of["Q2"] == code).sum()
            assert close(cell["value"], 100 * of["w"][of["Q2"] == code].sum() / of["w"].sum())
    staff = rows[rows["ANSATTE"] != "999"]
    cell = made.cell("staff_mean", "mean")
    assert cell["n"] == len(staff) and close(cell["value"], np.average(staff["staff"], weights=staff["w"]))


def test_the_other_indicators_are_what_they_were(tmp_path: Path, made: Estimated) -> None:
    root = write_barometer(tmp_path / "plain")
    plain = estimated(load_catalogue(root).waves["dk-2020"], load_catalogue(root), root)
    both = [each.estimates.query("indicator not in ('novelty', 'staff_mean')") for each in (plain, made)]
    before, after = (each.reset_index(drop=True) for each in both)
    pd.testing.assert_frame_equal(before, after, rtol=1e-12, atol=1e-12)
    assert not plain.cells.others and len(made.cells.others) == 1
    keys = ["indicator", "category", "domain", "domain_code"]
    assert list(map(tuple, plain.estimates[keys].to_numpy())) == list(map(tuple, made.estimates[keys].to_numpy()))  # fmt: skip


def test_the_part_of_the_population_that_answered_is_by_the_main_weight(made: Estimated) -> None:
    """Disclosure rules ask for workplaces, whatever an indicator's weight counts."""
    fractions = made.estimates.groupby(["domain", "domain_code"])["fraction"]
    assert (fractions.max() - fractions.min()).max() < 1e-12
    assert close(made.cell("novelty", "first")["fraction"], ROWS / 400)


@pytest.mark.parametrize(("few", "many"), [(0, 0), (0, 10**6), (10**6, 10**6)])
def test_every_way_to_the_sums_gives_the_same(
    few: int, many: int, made: Estimated, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counted by weight, listed, or added in the engine."""
    monkeypatch.setattr(statistics, "FEW", few)
    monkeypatch.setattr(statistics, "MANY", many)
    found = wave_statistics(made.weighted.answers, made.wave, made.catalogue)
    estimates = estimate_wave(found, Specification.of(made.wave, made.catalogue))
    pd.testing.assert_frame_equal(estimates, made.estimates, rtol=1e-10, atol=1e-9)


def test_sums_by_parts_of_the_background_give_the_same(
    made: Estimated, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where all breakdowns together would make too many cells, each weight has its sums by the same parts."""
    monkeypatch.setattr(statistics, "FEW", 0)
    monkeypatch.setattr(statistics, "MANY", 0)
    declared = made.catalogue.domains
    region = replace(declared["sector"], key="region", by=("region",))
    domains = {"total": declared["total"], "sector": declared["sector"], "region": region}
    catalogue = replace(made.catalogue, domains=domains)
    assert made.wave.weighting is not None
    wave = replace(made.wave, weighting=replace(made.wave.weighting, method="design", margins=()))
    found = []
    for most in (100_000, 4):
        monkeypatch.setattr(statistics, "CELLS", most)
        sums = wave_statistics(made.weighted.answers, wave, catalogue)
        assert [len(each.further) for each in sums.by_weight] == ([1, 1] if most == 4 else [0, 0])
        (folder := tmp_path / str(most)).mkdir()
        write_cells(sums, folder)
        found.append(estimate_wave(read_cells(folder), Specification.of(wave, catalogue)))
    pd.testing.assert_frame_equal(*found, rtol=1e-10, atol=1e-9)
    assert close(one(found[0], indicator="staff_mean", domain="total")["value"], made.cell("staff_mean", "mean")["value"])  # fmt: skip


def test_a_start_weight_far_above_the_weights_fits_the_engines_sums(
    made: Estimated, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beside a small further weight stands the main one; sums are kept in whole numbers of limited size."""
    monkeypatch.setattr(statistics, "FEW", 0)
    monkeypatch.setattr(statistics, "MANY", 0)
    answers = made.weighted.answers
    small = answers.assign(**{"weight.module": answers["weight.module"] / 1e6})
    found = wave_statistics(small, made.wave, made.catalogue)
    assert close(found.others[0].represented.sum(), 400)
    cell = one(estimate_wave(found, Specification.of(made.wave, made.catalogue)), indicator="staff_mean", domain="total")  # fmt: skip
    assert close(cell["value"], made.cell("staff_mean", "mean")["value"])


def test_sums_are_read_as_they_were_written(made: Estimated, tmp_path: Path) -> None:
    write_cells(made.cells, tmp_path)
    again = estimate_wave(read_cells(tmp_path), Specification.of(made.wave, made.catalogue))
    pd.testing.assert_frame_equal(again, made.estimates, check_exact=True)


def test_covariances_are_of_the_indicators_own_weight(made: Estimated) -> None:
    contrasts = Contrasts.of(made.cells, Specification.of(made.wave, made.catalogue))
    for indicator, category in (("novelty", "first"), ("staff_mean", "mean"), ("any_innovation", "yes")):
        places = [("total", ""), ("sector", "care"), ("sector", "school")]
        joint = contrasts.between(indicator, category, places)
        for number, place in enumerate(places):
            cell = made.cell(indicator, category, *place)
            assert close(joint.values[number], cell["value"]), (indicator, place)
            assert close(np.sqrt(joint.covariance[number, number]), cell["se"]), (indicator, place)
    shares = contrasts.shares("novelty")
    assert close(shares.values.sum(), 100) and abs(shares.covariance.sum()) < 1e-9
    table = contrasts.table("novelty", "sector")
    assert close(table.values.sum(), 100)


def test_waves_are_compared_on_what_they_share_with_the_indicators_weight(tmp_path: Path) -> None:
    """One wave covers the north alone: the other is narrowed to it, with the module's weight."""
    root = with_module(write_barometer(tmp_path / "barometer"))
    edit(root / "schemas/waves/dk-2022.toml", "[origin]", '[scope]\nregion = ["north"]\n[origin]')
    raw = root / "warehouse/raw/dk-2022.csv"
    raw.write_text(raw.read_text(encoding="utf-8").replace(";S;", ";N;"), encoding="utf-8")
    edit(root / "schemas/waves/dk-2022.toml", '"rake"\nmargins = [["sector"], ["region"]]\ntotals = "dk-margins.csv"', '"design"')  # fmt: skip
    pin(root, "dk-2022")
    ready = prepared(root)
    inputs = ready.inputs()
    scope = {"region": ("north",)}
    rows = raw_rows(root)
    rows = rows[(rows["w"] > 0) & (rows["REG"] == "N") & (rows["Q2"] != "")]
    cell = one(inputs.estimates("dk-2020", scope), indicator="novelty", category="first", domain="total")
    assert cell["n"] == len(rows) == 5
    assert close(cell["value"], 100 * rows["w"][rows["Q2"] == "1"].sum() / rows["w"].sum())
    whole = estimate_wave(ready.cells["dk-2020"], Specification.of(ready.catalogue.waves["dk-2020"], replace(ready.catalogue, domains={**ready.catalogue.domains, "region": replace(ready.catalogue.domains["sector"], key="region", by=("region",))})))  # fmt: skip
    same = one(whole, indicator="novelty", category="first", domain="region", domain_code="north")
    assert close(cell["se"], same["se"]) and cell["df"] == same["df"]
    compared = ready.compared()
    row = one(compared.comparisons, indicator="novelty", category="first", domain="total", wave_a="dk-2022", wave_b="dk-2020")  # fmt: skip
    assert close(row["value_b"], cell["value"]) and row["narrowed_b"] == "region=north"
    benchmark = one(compared.benchmarks, wave="dk-2020", indicator="novelty", category="first", domain="sector", domain_code="care")  # fmt: skip
    joint = inputs.contrasts("dk-2020")
    assert joint is not None
    difference, error = joint.between("novelty", "first", [("sector", "care"), ("total", "")]).difference(0, 1)  # fmt: skip
    assert close(benchmark["difference"], difference) and close(benchmark["se"], error)


def counting(sums: Cells) -> int:
    return int(sums.having_weight.sum())


def test_a_module_of_a_stratum_taken_whole_has_an_error(tmp_path: Path) -> None:
    """Everybody was drawn and three of five were asked the module: they are a sample of the stratum."""
    root = with_module(write_barometer(tmp_path / "barometer"))
    sizes = "SEKTOR,population\n1,40\n2,40\n"
    (root / "warehouse/raw/dk-strata.csv").write_text(sizes, encoding="utf-8")
    edit(root / "schemas/waves/dk-2020.toml", '"rake"\nmargins = [["sector"], ["region"]]\ntotals = "dk-margins.csv"', '"design"')  # fmt: skip
    catalogue = load_catalogue(root)
    made = estimated(catalogue.waves["dk-2020"], catalogue, root)
    assert made.cell("any_innovation", "yes")["se"] == 0
    assert counting(made.cells) == 80 and counting(made.cells.others[0]) == 48
    free = tmp_path / "free"
    with_module(write_barometer(free))
    edit(free / "schemas/waves/dk-2020.toml", 'population = "dk-strata.csv"\n[weighting]\nmethod = "rake"\nmargins = [["sector"], ["region"]]\ntotals = "dk-margins.csv"', '[weighting]\nmethod = "none"')  # fmt: skip
    edit(free / "schemas/indicators.toml", '[indicators.innovative_workplaces]\nlabel = "Number of innovative workplaces"\ntotal = "any_innovation"\n', "")  # fmt: skip
    catalogue = load_catalogue(free)
    uncorrected = estimated(catalogue.waves["dk-2020"], catalogue, free)
    for indicator, category in (("novelty", "first"), ("staff_mean", "mean")):
        cell = [each.cell(indicator, category) for each in (made, uncorrected)]
        assert close(cell[0]["value"], cell[1]["value"])
        assert close(cell[0]["se"], cell[1]["se"] * np.sqrt(1 - 24 / 40)), "of each stratum's 40, 24"


def test_a_whole_run_tells_of_the_weight_and_is_verified(tmp_path: Path) -> None:
    root = with_module(write_barometer(tmp_path / "barometer"))
    with (root / "schemas/indicators.toml").open("a", encoding="utf-8") as file:
        file.write(TOTAL)

    def run(*arguments: str) -> str:
        made = CliRunner().invoke(app, ["--project", str(root), *arguments])
        assert made.exit_code == 0, made.output
        return made.output

    run("run")
    report = json.loads((root / "warehouse/weighted/dk-2020/report.json").read_text(encoding="utf-8"))
    assert report["weights"]["module"]["units"] == 48 and report["weights"]["module"]["without"] == 32
    assert close(report["weights"]["module"]["sum"], sum(float(weight or 0) for weight in MODULE))
    candidate = root / "warehouse/candidate/test-barometer"
    quality = json.loads((candidate / "quality.json").read_text(encoding="utf-8"))
    told = quality["waves"]["dk-2020"]["design"]["weights"]
    named = ["novelty", "staff_mean", "known_novelty"]
    assert told == {"module": {"indicators": named, "units": 48}}
    with duckdb.connect(str(root / "warehouse/barometer.duckdb"), read_only=True) as connection:
        (found,) = connection.execute('SELECT sum("weight.module") FROM microdata.answers WHERE wave = \'dk-2020\'').fetchall()  # fmt: skip
    assert close(found[0], report["weights"]["module"]["sum"])
    run("release")
    run("verify", str(root / "warehouse/releases/test-barometer/1.0.0"))


def test_a_change_of_a_weight_makes_again_what_rests_on_it(tmp_path: Path) -> None:
    root = with_module(write_barometer(tmp_path / "barometer"))

    def inputs() -> dict[str, str]:
        catalogue = load_catalogue(root)
        return wave_inputs(catalogue.waves["dk-2020"], catalogue)

    before = inputs()
    edit(root / "schemas/indicators.toml", '[indicators.staff_mean]\nweight = "module"\n', "[indicators.staff_mean]\n")  # fmt: skip
    after = inputs()
    assert {step for step in before if before[step] != after[step]} == {"wave_statistics"}
    edit(root / WAVE_FILE, '{ module = "MODUL" }', '{ module = "ANSATTE" }')
    assert {step for step, made in inputs().items() if made != after[step]} == {*before} - {"raw_wave"}


def stop(root: Path) -> list[str]:
    """What stops dk-2020: in the declarations, else where it is read or weighted."""
    catalogue = load_catalogue(root)
    if problems := catalogue.problems_of("dk-2020"):
        return list(map(str, problems))
    wave = catalogue.waves["dk-2020"]
    with pytest.raises(ProblemError) as caught:
        weigh(harmonise(read_raw(fetch(wave, root), wave.source).frame, wave, catalogue).answers, wave, catalogue)  # fmt: skip
    return list(map(str, caught.value.problems))


def undeclared(root: Path) -> None:
    edit(root / WAVE_FILE, 'weights = { module = "MODUL" }', 'weights = { modul = "MODUL" }')


def absent(root: Path) -> None:
    edit(root / WAVE_FILE, '{ module = "MODUL" }', '{ module = "MODULE" }')


def identifier(root: Path) -> None:
    edit(root / WAVE_FILE, '{ module = "MODUL" }', '{ module = "ID" }')


def stratum(root: Path) -> None:
    edit(root / WAVE_FILE, '{ module = "MODUL" }', '{ module = "SEKTOR" }')


def twice(root: Path) -> None:
    edit(root / WAVE_FILE, '{ module = "MODUL" }', '{ module = "MODUL", households = "MODUL" }')


def replicated(root: Path) -> None:
    edit(root / WAVE_FILE, 'weights = {', 'weight = "MODUL"\nreplicate_weights = { columns = "Q*", method = "brr" }\nweights = {')  # fmt: skip


def census(root: Path) -> None:
    edit(root / WAVE_FILE, 'population = "dk-strata.csv"\n[weighting]\nmethod = "rake"\nmargins = [["sector"], ["region"]]\ntotals = "dk-margins.csv"', 'census = true\n[weighting]\nmethod = "none"')  # fmt: skip


def misnamed(root: Path) -> None:
    edit(root / WAVE_FILE, '{ module = "MODUL" }', '{ module = "MODUL", "the households" = "Q2" }')


def cells(change: Callable[[int, object], object]) -> Callable[[Path], None]:
    def changed(root: Path) -> None:
        add_column(root, "dk-2020", "OTHER", [change(row, weight) for row, weight in enumerate(MODULE)])
        edit(root / WAVE_FILE, '{ module = "MODUL" }', '{ module = "OTHER" }')

    return changed


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (undeclared, "design.weights: has no weight of the name that novelty, staff_mean must have ('module'). Add module = \"COLUMN\" below [design.weights], or correct weight in schemas/indicators.toml. Did you mean 'modul'?"),
        (absent, "design.weights.module: is not a column of the raw file ('MODULE')"),
        (identifier, "design.weights.module: is the column of design.id ('ID'). Name the column"),
        (stratum, "design.weights.module: is the column of design.strata ('SEKTOR')"),
        (twice, "design.weights.households: is the column of module as well ('MODUL')"),
        (replicated, "design.weights: stand beside replicates of the main weight ('module')"),
        (census, "design.weights: do not go with a census ('module')"),
        (misnamed, "design.weights.the households: is not a valid name"),
        (cells(lambda row, weight: -1 if row == 7 else weight), "dk-2020.csv, column OTHER: has 1 row with a negative weight"),
        (cells(lambda row, weight: "many" if row in (7, 9) else weight), "column OTHER: 2 rows are not a number"),
        (cells(lambda row, weight: ""), "design.weights.module: has only blank cells ('OTHER')"),
        (cells(lambda row, weight: 0), "design.weights.module: is above 0 in no row that is kept ('module')"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_further_weight_is_said(
    spoil: Callable[[Path], None], said: str, tmp_path: Path
) -> None:
    root = with_module(write_barometer(tmp_path / "barometer"))
    spoil(root)
    found = stop(root)
    assert any(said in problem for problem in found), found


def test_a_wave_that_did_not_ask_needs_no_such_weight(tmp_path: Path) -> None:
    root = with_module(write_barometer(tmp_path / "barometer"))
    for code in ("dk-2020", "dk-2022"):
        edit(root / f"schemas/waves/{code}.toml", '\nweights = { module = "MODUL" }', "")
    assert len(stop(root)) == 1
    crosswalk = root / "schemas/instruments/dk.csv"
    kept = [row for row in crosswalk.read_text(encoding="utf-8").splitlines() if ",novelty," not in row and ",staff," not in row]  # fmt: skip
    crosswalk.write_text("\n".join(kept) + "\n", encoding="utf-8")
    catalogue = load_catalogue(root)
    assert not catalogue.problems_of("dk-2020")
    found = estimated(catalogue.waves["dk-2020"], catalogue, root)
    assert not {"novelty", "staff_mean"} & set(found.estimates["indicator"])


def test_a_total_has_the_weight_of_its_share(tmp_path: Path) -> None:
    root = with_module(write_barometer(tmp_path / "barometer"))
    path = root / "schemas/indicators.toml"
    path.write_text(path.read_text(encoding="utf-8") + TOTAL + 'weight = "module"\n', encoding="utf-8")
    (problem,) = load_catalogue(root).problems
    assert "indicators.known_novelty.weight: is not a total's own ('module')" in str(problem)
    edit(path, TOTAL + 'weight = "module"\n', TOTAL)
    catalogue = load_catalogue(root)
    made = estimated(catalogue.waves["dk-2020"], catalogue, root)
    rows = raw_rows(root)
    cell = made.cell("known_novelty", "first")
    assert close(cell["value"], rows["w"][rows["Q2"] == "1"].sum()) and cell["unit_measure"] == "count"


def test_totals_of_a_weight_scaled_to_its_units_are_refused(tmp_path: Path) -> None:
    root = with_module(write_barometer(tmp_path / "barometer"))
    with (root / "schemas/indicators.toml").open("a", encoding="utf-8") as file:
        file.write(TOTAL)
    mean = sum(float(weight or 0) for weight in MODULE) / 48
    add_column(root, "dk-2020", "SCALED", [weight and float(weight) / mean for weight in MODULE])

    def expanded() -> None:
        catalogue = load_catalogue(root)
        wave = catalogue.waves["dk-2020"]
        assert totals_of(wave, catalogue) == {"": ["innovative_workplaces"], "module": ["known_novelty"]}
        require_expansion(wave, estimated(wave, catalogue, root).weighted.report, totals_of(wave, catalogue))

    expanded()
    edit(root / WAVE_FILE, '"MODUL"', '"SCALED"')
    with pytest.raises(ProblemError) as caught:
        expanded()
    said = str(caught.value)
    assert "design.weights.module: adds up to 48, and 48 units have it: it is scaled to the sample" in said
    assert "known_novelty would be wrong" in said


def test_names_of_weights_that_differ_in_case_alone_are_refused(tmp_path: Path) -> None:
    root = with_module(write_barometer(tmp_path / "barometer"))
    edit(root / WAVE_FILE, "module =", "Module =")
    assert any("differs from Module in case alone ('module')" in str(each) for each in load_catalogue(root).problems)  # fmt: skip
