"""Weights against the declared population: scaled weights, unweighted waves and censuses."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipeline.catalogue import load_catalogue
from pipeline.cli.app import app
from pipeline.comparison import shared_units
from pipeline.disclosure.rules import wave_fractions
from pipeline.problems import ProblemError
from pipeline.release.quality import _wave
from pipeline.release.sources import wave_row
from pipeline.steps import declared_facts
from pipeline.weighting import require_expansion
from tests.barometers import edit, pin
from tests.golden import Estimated, close, estimated

WAVE = "dk-2020"
FILE = f"schemas/waves/{WAVE}.toml"
RAKED = """strata = ["SEKTOR"]
population = "dk-strata.csv"
[weighting]
method = "rake"
margins = [["sector"], ["region"]]
totals = "dk-margins.csv"
"""
RESPONSE = "population = 400\nsample = 160\nrespondents = 80\n"


def declare(root: Path, design: str, weighting: str, population: int | None = None) -> None:
    """Gives the wave another design and weighting, and another population and no sample."""
    edit(root / FILE, RAKED, f"{design}\n[weighting]\n{weighting}\n")
    if population is not None:
        edit(root / FILE, RESPONSE, f"population = {population}\n")


def add_column(root: Path, name: str, values: list[object]) -> None:
    """One more column of the wave's raw file; its numbers have a decimal comma."""
    raw = root / "warehouse" / "raw" / f"{WAVE}.csv"
    head, *rows = raw.read_text(encoding="utf-8").splitlines()
    texts = [str(value).replace(".", ",") for value in values]
    lines = [f"{head};{name}", *(f"{row};{text}" for row, text in zip(rows, texts, strict=True))]
    raw.write_text("\n".join(lines) + "\n", encoding="utf-8")
    pin(root, WAVE)


def uneven(total: float) -> list[object]:
    """80 weights of two sizes that add up to about ``total``."""
    return [round((0.8 if row % 2 else 1.2) * total / 80, 6) for row in range(80)]


def ran(root: Path) -> tuple[int, str]:
    made = CliRunner().invoke(app, ["--project", str(root), "run", "--wave", WAVE])
    return made.exit_code, " ".join(made.output.split())


def made(root: Path) -> Estimated:
    catalogue = load_catalogue(root)
    wrong = [str(problem) for problem in catalogue.problems_of(WAVE)]
    assert not wrong, wrong
    return estimated(catalogue.waves[WAVE], catalogue, root)


def refused(root: Path) -> str:
    return "\n".join(map(str, load_catalogue(root).problems_of(WAVE)))


@pytest.mark.parametrize(
    ("total", "said"),
    [
        (80, "the weights add up to 80, response.population says 400: they are scaled to the sample"),
        (1, "the weights add up to 1, response.population says 400: totals need weights that add up"),
        (375, "the weights add up to 375, response.population says 400"),
    ],
)
def test_totals_of_weights_that_are_not_of_the_population_are_refused(
    total: int, said: str, barometer: Path
) -> None:
    add_column(barometer, "W", uneven(total))
    declare(barometer, 'weight = "W"', 'method = "given"')
    code, output = ran(barometer)
    assert code == 1 and said in output and 'scale = "population"' in output
    assert "innovative_workplaces would be wrong" in output


@pytest.mark.parametrize(
    ("total", "said"),
    [
        (80, "the weights add up to 80, response.population is not known: they are scaled to the sample"),
        (1, "response.population is not known: totals need weights that add up to the population"),
        (76.5, "they are scaled to the sample"),
        (400, ""),
        (90, ""),
    ],
)
def test_a_population_that_is_not_known_has_no_fewer_units_than_answered(
    total: float, said: str, barometer: Path
) -> None:
    add_column(barometer, "W", uneven(total))
    declare(barometer, 'weight = "W"', 'method = "given"')
    edit(barometer / FILE, RESPONSE, "respondents = 80\n")
    wave, report = load_catalogue(barometer).waves[WAVE], made(barometer).weighted.report
    require_expansion(wave, report, {})
    if not said:
        require_expansion(wave, report, {"": ["innovative_workplaces"]})
        return
    with pytest.raises(ProblemError) as refused:
        require_expansion(wave, report, {"": ["innovative_workplaces"]})
    assert said in str(refused.value) and "Declare response.population" in str(refused.value)


def test_weights_that_nearly_add_up_to_the_population_are_taken(barometer: Path) -> None:
    add_column(barometer, "W", uneven(390))
    declare(barometer, 'weight = "W"', 'method = "given"')
    assert ran(barometer)[0] == 0


def test_without_a_total_the_sum_of_weights_is_a_finding(barometer: Path) -> None:
    add_column(barometer, "W", uneven(80))
    declare(barometer, 'weight = "W"', 'method = "given"')
    edit(
        barometer / "schemas/indicators.toml",
        '[indicators.innovative_workplaces]\nlabel = "Number of innovative workplaces"\ntotal = "any_innovation"\n',
        "",
    )
    code, output = ran(barometer)
    assert code == 0 and "they add up to 80, response.population says 400" in output


def test_scaled_weights_add_up_to_the_population(barometer: Path) -> None:
    add_column(barometer, "W", uneven(80))
    declare(barometer, 'weight = "W"', 'method = "given"')
    plain = made(barometer)
    edit(barometer / FILE, 'method = "given"', 'method = "given"\nscale = "population"')
    scaled = made(barometer)
    assert close(scaled.weighted.report["sum"], 400)
    for indicator, category, factor in (("innovative_workplaces", "yes", 5), ("any_innovation", "yes", 1)):
        before, after = plain.cell(indicator, category), scaled.cell(indicator, category)
        assert close(after["value"], factor * before["value"]) and close(after["se"], factor * before["se"])
    assert ran(barometer)[0] == 0


def test_replicate_weights_are_scaled_with_the_weight(barometer: Path) -> None:
    weights = uneven(80)
    add_column(barometer, "W", weights)
    for number in range(4):
        factors = [0.0 if row % 4 == number else 4 / 3 for row in range(80)]
        add_column(barometer, f"rw_{number}", [w * f for w, f in zip(weights, factors, strict=True)])
    replicates = '[design.replicate_weights]\ncolumns = "rw_*"\nmethod = "jkn"'
    declare(barometer, f'weight = "W"\n{replicates}', 'method = "given"')
    plain = made(barometer).cell("innovative_workplaces", "yes")
    edit(barometer / FILE, 'method = "given"', 'method = "given"\nscale = "population"')
    scaled = made(barometer).cell("innovative_workplaces", "yes")
    assert close(scaled["value"], 5 * plain["value"]) and close(scaled["se"], 5 * plain["se"])
    assert 0 < scaled["se"] < scaled["value"]


@pytest.mark.parametrize(
    ("design", "weighting", "said"),
    [
        ('population = "dk-strata.csv"\nstrata = ["SEKTOR"]', 'method = "design"', "for delivered weights only"),
        ('weight = "W"', RAKED.partition("[weighting]\n")[2], "delivered weights only"),
        ('weight = "W"', 'method = "given"', "needs response.population"),
    ],
)  # fmt: skip
def test_what_cannot_be_scaled_is_refused(design: str, weighting: str, said: str, barometer: Path) -> None:
    declare(barometer, design, f'{weighting}\nscale = "population"')
    if "needs" in said:
        edit(barometer / FILE, "population = 400\n", "")
    assert said in refused(barometer)


def test_unweighted_shares_are_shares_of_the_answers(barometer: Path) -> None:
    declare(barometer, "", 'method = "none"')
    found = made(barometer)
    assert set(found.weighted.answers["weight"]) == {1.0}
    share = found.cell("any_innovation", "yes")
    assert close(share["value"], 100 * share["m"] / share["n"]) and share["se"] > 0


@pytest.mark.parametrize("population", [400, 83, None])
def test_unweighted_totals_are_refused(population: int | None, barometer: Path) -> None:
    declare(barometer, "", 'method = "none"', population)
    if population is None:
        edit(barometer / FILE, "population = 400\n", "")
    code, output = ran(barometer)
    expected = population != 83  # 80 answers are as good as all of 83
    assert (code == 1, "every unit counts 1; totals need expansion weights" in output) == (expected, expected)


def test_a_census_has_no_sampling_error(barometer: Path) -> None:
    declare(barometer, 'strata = ["SEKTOR"]\ncensus = true', 'method = "none"', 80)
    found = made(barometer).estimates
    valued = found[found["n"] > 0]
    assert len(valued) > 50 and (valued["se"] == 0).all()
    assert (valued["ci_low"] == valued["value"]).all() and (valued["ci_high"] == valued["value"]).all()
    assert set(valued["fraction"]) == {1.0}
    code, output = ran(barometer)
    assert code == 0, output


@pytest.mark.parametrize(
    ("population", "said"),
    [
        (400, "says 400, and 80 units answered: not a census. Remove census"),
        (81, "give population per stratum"),
        (79, "is fewer than the 80 units that answered ('79'). Correct it"),
    ],
)
def test_what_is_no_census_is_refused(population: int, said: str, barometer: Path) -> None:
    declare(barometer, "census = true", 'method = "none"', population)
    code, output = ran(barometer)
    assert code == 1 and "response.population" in output and said in output


@pytest.mark.parametrize(
    ("design", "weighting", "said"),
    [
        ('weight = "W"', 'method = "none"', "design.weight: would be left aside ('W')"),
        ('probability = "P"', 'method = "none"', "design.probability: would be left aside"),
        (
            'strata = ["SEKTOR"]\npopulation = "dk-strata.csv"',
            'method = "none"',
            "design.population: would be",
        ),
        ('[design.replicate_weights]\ncolumns = "rw_*"\nmethod = "brr"', 'method = "none"', "('rw_*')"),
        ('census = true\nweight = "W"', 'method = "given"', "design.census: goes with the method none only"),
        ("census = true", 'method = "design"', "design.census: goes with the method none only"),
        ('weight = "W"\nprobability = "P"', 'method = "given"', "stands beside a weight"),
        ("", 'method = "unspecified"', "is for published figures only"),
        ("", 'method = "given"', "needs a delivered weight"),
        ("", 'method = "none"\nmargins = [["sector"]]', "the method none has no margins"),
    ],
)
def test_contradictions_are_refused_without_data(
    design: str, weighting: str, said: str, barometer: Path
) -> None:
    declare(barometer, design, weighting)
    assert said in refused(barometer)


def test_selection_probabilities_are_weights_one_over_p(barometer: Path) -> None:
    add_column(barometer, "P", [0.2 if row % 4 else 0.25 for row in range(80)])
    declare(barometer, 'probability = "P"', 'method = "given"')
    found = made(barometer)
    assert set(found.weighted.answers["weight"]) == {5.0, 4.0}
    assert close(found.weighted.report["sum"], 380) and ran(barometer)[0] == 0


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ([20.0] * 80, r"has 80 rows with a selection probability above 1. They may be per cent, 0 to 100"),
        ([0.2] * 78 + [400.0] * 2, "has 2 rows with a selection probability above 1. If they are weights"),
        ([0.2] * 77 + [0.0, -0.5, 0], "has 3 rows with a probability that is not above 0"),
        ([0.2] * 79 + [""], "has 1 row with a missing probability"),
    ],
)
def test_what_is_no_probability_is_refused(values: list[object], said: str, barometer: Path) -> None:
    add_column(barometer, "P", values)
    declare(barometer, 'probability = "P"', 'method = "given"')
    code, output = ran(barometer)
    assert code == 1 and "column P" in output and said in output


def test_the_package_says_that_nothing_was_weighted(barometer: Path) -> None:
    declare(barometer, "census = true", 'method = "none"', 80)
    catalogue = load_catalogue(barometer)
    found = made(barometer)
    told = {
        wave: _wave(catalogue.waves[wave], found.estimates, found.weighted.report, catalogue)
        for wave in (WAVE, "dk-2022", "no-2020")
    }
    assert [told[wave]["weighting"] for wave in told] == ["none", "rake", "unknown"]
    assert [told[wave]["census"] for wave in told] == [True, False, "unknown"]
    assert [told[wave]["population"] for wave in told] == [80, 400, "unknown"]


def test_a_census_knows_its_population_without_being_told(barometer: Path) -> None:
    declare(barometer, "census = true", 'method = "none"')
    edit(barometer / FILE, RESPONSE, "")
    catalogue = load_catalogue(barometer)
    found, wave = made(barometer), catalogue.waves[WAVE]
    row = wave_row(wave, catalogue, 80)
    assert [row[fact] for fact in ("population", "sample", "respondents", "response_rate")] == [
        80,
        80,
        80,
        100.0,
    ]
    told = _wave(wave, found.estimates, found.weighted.report, catalogue)
    assert (told["population"], told["response_rate"]) == (80, 100.0)
    assert wave_fractions(catalogue)[WAVE] == 1.0


def test_a_census_lacks_no_part_of_the_population(barometer: Path) -> None:
    held = {"dk-2020": {"sector": {"care": 80}}, "dk-2022": {"sector": {"care": 40, "school": 40}}}
    assert not declared_facts.scopes(held, load_catalogue(barometer)).passed
    declare(barometer, "census = true", 'method = "none"')
    assert declared_facts.scopes(held, load_catalogue(barometer)).passed


def test_two_censuses_have_no_error_that_shared_units_could_change(barometer: Path) -> None:
    for wave in ("dk-2020", "dk-2022"):
        edit(barometer / f"schemas/waves/{wave}.toml", "panel = false", "panel = true")
    declare(barometer, "census = true", 'method = "none"')
    waves = load_catalogue(barometer).waves
    assert shared_units(waves["dk-2020"], waves["dk-2022"]) == "yes"
    edit(barometer / "schemas/waves/dk-2022.toml", RAKED, 'census = true\n[weighting]\nmethod = "none"\n')
    waves = load_catalogue(barometer).waves
    assert shared_units(waves["dk-2020"], waves["dk-2022"]) == "no"
