"""Synthetic waves: the same bytes again, answers as the questionnaire routes them, weighted results as
published.
"""

from __future__ import annotations

import csv
import hashlib
import tomllib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import openpyxl
import pandas as pd
import pytest

from pipeline.catalogue import NOT_ASKED, SELECTED, Catalogue, Source, Wave, load_catalogue
from pipeline.estimation import Specification, estimate_wave, wave_statistics
from pipeline.harmonise import harmonise
from pipeline.problems import ProblemError
from pipeline.sources import read_raw
from pipeline.weighting import weigh
from tests.barometers import WAVE, edit, pin
from tools.synthetic import draw, synthesise
from tools.synthetic.formats import write_raw
from tools.synthetic.recipe import FileLayout, read_recipe

REDRAWN = ("no-ks-2024-synthetic", "dk-2023-synthetic", "is-2021-synthetic")


@pytest.fixture(scope="module")
def bundled(repository: Path) -> Catalogue:
    return load_catalogue(repository)


def synthetic(catalogue: Catalogue) -> list[Wave]:
    return [wave for wave in catalogue.waves.values() if wave.status == "synthetic"]


# ── The bundled waves ──


def test_no_synthetic_wave_can_be_taken_for_a_real_one(bundled: Catalogue) -> None:
    assert len(synthetic(bundled)) == 11
    for wave in synthetic(bundled):
        assert not bundled.problems_of(wave.key)
        assert wave.origin.title.startswith("Synthetic microdata modelled on ")
        assert wave.origin.producer == "Nordic Innovation Barometer project"
        assert wave.note.startswith("SYNTHETIC")
        declared = bundled.path("schemas", "waves", f"{wave.key}.toml").read_text(encoding="utf-8")
        schema_line, said = declared.split("\n", 1)
        assert schema_line.startswith("#:schema ")
        assert said.startswith("# SYNTHETIC")
        assert read_recipe(bundled, wave.key).file.label.startswith("SYNTHETIC")


def test_a_synthetic_wave_states_the_facts_of_its_official_twin(bundled: Catalogue) -> None:
    for wave in synthetic(bundled):
        twin = bundled.waves[wave.key.removesuffix("-synthetic")]
        for fact in (
            "country",
            "survey",
            "edition",
            "unit",
            "role",
            "scope",
            "reference_period",
            "fieldwork",
        ):
            assert getattr(wave, fact) == getattr(twin, fact), (wave.key, fact)
        asked = {name.partition(".")[0] for name in bundled.mapped_variables(wave)}
        mine, theirs = bundled.instruments[wave.instrument], bundled.instruments[twin.instrument]
        for fact in ("language", "unit_verb", "about", "uncertain"):
            assert getattr(mine, fact) == getattr(theirs, fact), (wave.key, fact)
        for fact in ("question_versions", "max_choices"):
            known = {key: value for key, value in getattr(theirs, fact).items() if key in asked}
            assert getattr(mine, fact) == known, (wave.key, fact)


def test_an_exception_from_the_published_figures_names_a_published_figure(bundled: Catalogue) -> None:
    for wave in synthetic(bundled):
        recipe = read_recipe(bundled, wave.key)
        published = published_figures(bundled, recipe.agree_with) if recipe.agree_with else {}
        assert recipe.excepted <= set(published)


def test_all_raw_files_of_synthetic_waves_stay_small(bundled: Catalogue) -> None:
    assert sum(wave.source.bytes or 0 for wave in synthetic(bundled)) < 6_000_000


@pytest.mark.parametrize("key", REDRAWN)
def test_a_wave_drawn_again_has_the_committed_bytes(key: str, bundled: Catalogue, tmp_path: Path) -> None:
    (tmp_path / "warehouse" / "raw").mkdir(parents=True)
    paths = synthesise(tmp_path, bundled, key)
    assert hashlib.sha256(paths[0].read_bytes()).hexdigest() == bundled.waves[key].source.sha256
    for path in paths:
        assert path.read_bytes() == bundled.raw_path(path.name).read_bytes()
    assert sorted(path.name for path in paths) == sorted(each.name for each in paths[0].parent.iterdir())


class Run(NamedTuple):
    answers: pd.DataFrame
    estimates: pd.DataFrame
    report: dict[str, object]
    quarantined: int


@pytest.fixture(scope="module")
def run(bundled: Catalogue) -> Callable[[str], Run]:
    """A wave taken from its committed raw file through the packages that every wave goes through."""
    made: dict[str, Run] = {}

    def once(key: str) -> Run:
        if key not in made:
            wave = bundled.waves[key]
            raw = read_raw(bundled.raw_path(wave.source.file), wave.source)
            mapped = harmonise(raw.frame, wave, bundled)
            weighted = weigh(mapped.answers, wave, bundled).answers
            estimates = estimate_wave(
                wave_statistics(weighted, wave, bundled), Specification.of(wave, bundled)
            )
            made[key] = Run(mapped.answers, estimates, mapped.report, len(mapped.quarantine))
        return made[key]

    return once


Key = tuple[str, str, str, str]


def published_figures(catalogue: Catalogue, wave: str) -> dict[Key, float]:
    path = catalogue.raw_path(catalogue.waves[wave].source.file)
    with path.open(encoding="utf-8", newline="") as opened:
        return {
            (row["indicator"], row["category"], row["domain"], row["domain_code"]): float(row["value"])
            for row in csv.DictReader(opened)
        }


@pytest.mark.parametrize("key", ["dk-2023-synthetic", "no-ks-2018-synthetic", "is-2021-synthetic"])
def test_weighted_results_agree_with_the_published_figures(
    key: str, bundled: Catalogue, run: Callable[[str], Run]
) -> None:
    recipe, estimates = read_recipe(bundled, key), run(key).estimates
    values = estimates.set_index(["indicator", "category", "domain", "domain_code"])["value"]
    for figure, value in published_figures(bundled, recipe.agree_with).items():
        if figure not in recipe.excepted:
            assert abs(values[figure] - value) < 0.5, figure


@pytest.mark.parametrize("key", ["dk-2023-synthetic", "no-ks-2018-synthetic", "is-2021-synthetic"])
def test_the_committed_file_is_harmonised_without_a_bad_row(
    key: str, bundled: Catalogue, run: Callable[[str], Run]
) -> None:
    done = run(key)
    assert done.quarantined == 0
    assert len(done.answers) == bundled.waves[key].response.respondents
    assert done.report["contradictions"] == {}


def test_routing_holds_in_the_drawn_answers(run: Callable[[str], Run]) -> None:
    answers = run("dk-2023-synthetic").answers
    types = [name for name in answers if name.startswith("introduced.")]
    innovative = (answers[types] == "yes").any(axis=1)
    assert (answers.loc[~innovative, "novelty"] == NOT_ASKED).all()
    assert (answers.loc[innovative, "develop"] == NOT_ASKED).all()
    assert not (answers.loc[innovative, "novelty"] == NOT_ASKED).any()
    reusing = answers["novelty"].isin(["adapted", "copied"])
    assert (answers["heard.network"] != NOT_ASKED).equals(reusing)


def test_choices_keep_to_the_questionnaire(run: Callable[[str], Run]) -> None:
    answers = run("dk-2023-synthetic").answers
    ticked = answers.filter(like="initiator.") == SELECTED
    assert ticked.sum(axis=1).max() == 3
    partners = answers.filter(like="collaboration.") == SELECTED
    alone = partners["collaboration.none"] | partners["collaboration.dont_know"]
    assert alone.any()
    assert (partners[alone].sum(axis=1) == 1).all()


def test_answers_of_one_unit_hang_together(run: Callable[[str], Run]) -> None:
    answers = run("dk-2023-synthetic").answers
    product, service = (answers[f"introduced.{item}"] == "yes" for item in ("product", "service"))
    assert (product & service).mean() > 1.15 * product.mean() * service.mean()


# ── The formats ──

CELLS = pd.DataFrame(
    {
        "id": ["0001", "0002", "0003"],
        "Q1.Ny løsning": ["1", "", "99"],
        "Q1.Økonomi": ["", "1", "1"],
        "text": ["Sørlandet", "", "Länsi"],
        "weight": ["1.25", "0.5", "2.125"],
    }
)
PLAIN = {name: name.replace(".", "_").replace(" ", "_").replace("ø", "o").replace("Ø", "O") for name in CELLS}


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.csv", {"encoding": "cp1252", "delimiter": ";", "decimal": ",", "missing": (".",)}),
        ("b.csv", {"encoding": "utf-8-sig"}),
        ("a.xlsx", {"sheet": "Svar", "header_rows": 2}),
        ("b.xlsx", {}),
        ("a.sav", {}),
        ("a.zsav", {}),
        ("a.dta", {}),
        ("a.parquet", {}),
    ],
)
def test_every_format_is_written_the_same_twice_and_read_back(
    name: str, options: dict[str, Any], tmp_path: Path
) -> None:
    source = replace(Source("microdata", name, ""), **options)
    cells = CELLS.rename(columns=PLAIN) if name.endswith(("sav", "dta")) else CELLS
    missing = {"Q1_Ny_losning": ("99",)} if name.endswith("sav") else {}
    file = FileLayout("SYNTHETIC test", ("A note.",), {"text": "Tekst"}, {"Q1_*": {"1": "Valgt"}}, missing)
    first, second = tmp_path / name, tmp_path / f"again-{name}"
    write_raw(cells, first, source, file)
    write_raw(cells, second, source, file)
    assert first.read_bytes() == second.read_bytes()
    read = read_raw(first, source)
    wanted = cells.assign(weight=["1,25", "0,5", "2,125"]) if source.decimal == "," else cells
    assert read.frame.to_dict("list") == wanted.to_dict("list")
    if name.endswith(("sav", "dta")):
        assert read.metadata.labels["text"] == "Tekst"
        assert read.metadata.value_labels["Q1_Okonomi"] == {"1": "Valgt"}


def test_stata_files_keep_tagged_missing_codes(tmp_path: Path) -> None:
    cells = pd.DataFrame({"q1": ["1", ".a", "", ".b"]})
    source = Source("microdata", "a.dta", "")
    file = FileLayout("SYNTHETIC", (), {}, {"q1": {"1": "Ja", ".a": "Ved ikke"}}, {"q1": (".a", ".b")})
    write_raw(cells, tmp_path / "a.dta", source, file)
    assert read_raw(tmp_path / "a.dta", source).frame["q1"].tolist() == ["1", ".a", "", ".b"]


def test_a_workbook_opens_elsewhere_and_says_that_it_is_synthetic(bundled: Catalogue) -> None:
    source = bundled.waves["fi-municipal-2022-synthetic"].source
    book = openpyxl.load_workbook(bundled.raw_path(source.file))
    assert book.sheetnames == [source.sheet, "Notes"]
    assert "SYNTHETIC" in book["Notes"]["A1"].value
    assert book[source.sheet].max_row == 195 + 2


# ── A small barometer of its own ──

RECIPE = """
seed = 7
agree_with = "no-2020"
population = 400
invited = 160
respondents = 120
id = "{:04d}"
[register.sector]
shares = { care = 55, school = 45 }
[register.region]
given = "sector"
shares.care = { north = 40, south = 60 }
shares.school = { north = 30, south = 70 }
[rates.region]
north = 2
[silence]
"" = 0.05
[numbers.staff]
by = "sector"
ranges = { care = [5, 50], school = [2, 90] }
[shares.introduced]
"*" = { yes = 50, no = 45, dont_know = 5 }
[shares.novelty]
first = 20
copied = 70
dont_know = 10
[shares.value]
quality = 70
savings = 40
[file]
label = "SYNTHETIC test"
"""


@pytest.fixture
def small(barometer: Path) -> Path:
    """The small barometer with a synthetic wave that agrees with its wave of figures."""
    (barometer / "tools" / "synthetic" / "recipes").mkdir(parents=True)
    (barometer / "tools" / "synthetic" / "recipes" / "dk-2024-synthetic.toml").write_text(
        RECIPE, encoding="utf-8"
    )
    wave = barometer / "schemas" / "waves" / "dk-2024-synthetic.toml"
    text = WAVE.format(edition=2024, before=2022, year=2023, after=2024, sha256="", bytes=0)
    text = text.replace('"official"', '"synthetic"').replace("dk-2024.csv", "dk-2024-synthetic.csv")
    text = text.replace("dk-strata.csv", "s-strata.csv").replace("dk-margins.csv", "s-margins.csv")
    wave.write_text(text, encoding="utf-8")
    return barometer


def recipe_of(root: Path) -> Path:
    return root / "tools" / "synthetic" / "recipes" / "dk-2024-synthetic.toml"


def problems_of(root: Path) -> list[str]:
    with pytest.raises(ProblemError) as caught:
        synthesise(root, load_catalogue(root), "dk-2024-synthetic")
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize("denominator", ["base", "substantive"])
def test_a_drawn_wave_passes_the_checks_of_every_wave(denominator: str, small: Path) -> None:
    novelty = 'question = "novelty"\n'
    indicators = small / "schemas" / "indicators.toml"
    edit(indicators, novelty, f'{novelty}denominator = "{denominator}"\n')
    raw, *counts = synthesise(small, load_catalogue(small), "dk-2024-synthetic")
    pin(small, "dk-2024-synthetic")
    catalogue = load_catalogue(small)
    wave = catalogue.waves["dk-2024-synthetic"]
    assert not [problem for problem in catalogue.problems if problem.wave == wave.key]
    assert {path.name for path in counts} == {"s-strata.csv", "s-margins.csv"}
    mapped = harmonise(read_raw(raw, wave.source).frame, wave, catalogue)
    assert len(mapped.answers) == 120
    assert mapped.quarantine.empty
    weighted = weigh(mapped.answers, wave, catalogue).answers
    values = estimate_wave(
        wave_statistics(weighted, wave, catalogue), Specification.of(wave, catalogue)
    ).set_index(["indicator", "category", "domain", "domain_code"])["value"]
    for figure, value in published_figures(catalogue, "no-2020").items():
        assert abs(values[figure] - value) < 0.5


def test_another_seed_draws_other_answers_with_the_same_shares(small: Path) -> None:
    catalogue = load_catalogue(small)
    wave = catalogue.waves["dk-2024-synthetic"]
    first = draw(catalogue, wave)
    edit(recipe_of(small), "seed = 7", "seed = 8")
    second = draw(catalogue, wave)
    assert not first.frame.equals(second.frame)
    assert all(met.agrees for met in (*first.figures, *second.figures))


def test_a_known_error_is_put_in_for_its_correction_to_mend(small: Path) -> None:
    wave = small / "schemas" / "waves" / "dk-2024-synthetic.toml"
    text = wave.read_text(encoding="utf-8")
    text += '[[correction]]\ncolumn = "REG"\nmatch = { REG = "X" }\nvalue = "N"\nreason = "Test"\n'
    wave.write_text(text, encoding="utf-8")
    catalogue = load_catalogue(small)
    drawn = draw(catalogue, catalogue.waves["dk-2024-synthetic"]).frame
    assert set(drawn["REG"]) == {"N", "S", "X"}


def test_figures_that_contradict_each_other_are_named_and_nothing_is_written(small: Path) -> None:
    goals = '[[goal]]\nindicator = "any_innovation"\nvalue = 40\n'
    recipe_of(small).write_text(RECIPE + goals, encoding="utf-8")
    said = problems_of(small)
    assert any("any_innovation yes total" in problem and "cannot be met" in problem for problem in said)
    assert not (small / "warehouse" / "raw" / "dk-2024-synthetic.csv").exists()


def test_an_excepted_figure_is_left_out(small: Path) -> None:
    text = RECIPE + '[[except]]\nindicator = "any_innovation"\nreason = "Test"\n'
    recipe_of(small).write_text(text, encoding="utf-8")
    catalogue = load_catalogue(small)
    drawn = draw(catalogue, catalogue.waves["dk-2024-synthetic"])
    assert ("any_innovation", "yes", "total", "") not in {met.goal.key for met in drawn.figures}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("respondents = 120", "respondents = 500", "is more than were invited"),
        ('given = "sector"', 'given = "county"', "is not a register column declared above"),
        ("north = 40", "nort = 40", "Did you mean 'north'?"),
        ("[rates.region]", "[rates.county]", "is not a column of the register"),
        ('agree_with = "no-2020"', 'agree_with = "no-2021"', "is not a wave"),
        ("[shares.value]", "[shares.valu]", "shares.value: is missing"),
        ('label = "SYNTHETIC test"', 'lable = "SYNTHETIC test"', "label: is missing"),
    ],
)
def test_a_faulty_recipe_says_where_and_how_to_mend_it(old: str, new: str, said: str, small: Path) -> None:
    edit(recipe_of(small), old, new)
    assert any(said in problem for problem in problems_of(small))


def test_a_share_that_no_source_code_can_say_is_left_out(small: Path) -> None:
    crosswalk = small / "schemas" / "instruments" / "dk.csv"
    edit(crosswalk, "Q2,9,novelty,dont_know,\n", "")
    catalogue = load_catalogue(small)
    drawn = draw(catalogue, catalogue.waves["dk-2024-synthetic"])
    assert set(drawn.frame["Q2"]) == {"", "1", "2"}


def test_a_real_wave_is_never_overwritten(small: Path) -> None:
    before = (small / "warehouse" / "raw" / "dk-2020.csv").read_bytes()
    with pytest.raises(ProblemError, match="is not a synthetic wave"):
        synthesise(small, load_catalogue(small), "dk-2020")
    assert (small / "warehouse" / "raw" / "dk-2020.csv").read_bytes() == before


def test_the_shared_shares_speak_the_codebooks_words(bundled: Catalogue) -> None:
    common = tomllib.loads(
        bundled.path("tools", "synthetic", "recipes", "common.toml").read_text(encoding="utf-8")
    )
    for key, shares in common["shares"].items():
        question = bundled.questions[key]
        known = set(question.codes if question.type == "single" else question.items)
        assert set(shares) <= known | {"*"}, key
        if question.type == "grid":
            assert all(set(codes) <= set(question.codes) for codes in shares.values()), key
    for name, effects in common["effects"].items():
        assert set(effects) <= set(bundled.variables[name].codes), name
    answers = {answer for question in bundled.questions.values() for answer in question.answers}
    assert set(common["exclusive"]) <= answers
