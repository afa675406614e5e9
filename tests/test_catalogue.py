"""The catalogue: what a sound barometer reads as, and the message of every problem."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline import catalogue as product
from pipeline.catalogue import fingerprint, load_catalogue, text_in, texts
from pipeline.catalogue.check.translations import gaps
from pipeline.problems import ProblemError
from tests.barometers import edit, pin, problems


def one(root: Path) -> str:
    found = problems(root)
    assert len(found) == 1, found
    return found[0]


def test_a_sound_barometer_has_no_problems(barometer: Path) -> None:
    catalogue = load_catalogue(barometer)
    assert catalogue.problems == ()
    assert list(catalogue.waves) == ["dk-2020", "dk-2022", "no-2020"]
    assert catalogue.waves["dk-2020"].time_period == 2019
    assert catalogue.questions["introduced"].answers == ("introduced.product", "introduced.service")
    assert catalogue.indicators["introduced"].base == "all"
    assert catalogue.indicators["value"].base == "innovative"
    assert catalogue.indicators["innovative_workplaces"].base == "all"


def test_all_problems_come_in_one_list(barometer: Path) -> None:
    edit(barometer / "schemas/domains.toml", 'by = ["sector"]', 'by = ["sectr"]')
    edit(barometer / "schemas/indicators.toml", 'question = "novelty"', 'question = "newness"')
    edit(barometer / "schemas/waves/dk-2020.toml", "accessed = 2025-01-02", "accessed = 2026-01-02")
    found = load_catalogue(barometer).problems
    assert {problem.file for problem in found} == {
        "schemas/domains.toml",
        "schemas/indicators.toml",
        "schemas/waves/dk-2020.toml",
    }
    assert all(problem.hint for problem in found)


def test_a_folder_without_a_barometer_says_so(tmp_path: Path) -> None:
    with pytest.raises(ProblemError, match="holds no barometer"):
        load_catalogue(tmp_path)


# (file, what stands there, what is written instead, what the problem says)
SCHEMAS = "schemas/"
CASES = {
    "unknown key": ("barometer.toml", 'licence = "CC-BY-4.0"', 'license = "CC-BY-4.0"', "Did you mean 'licence'"),
    "no address": ("barometer.toml", 'licence =', 'address = "data.test"\nlicence =', "address: is not a web address"),
    "no such theme": ("barometer.toml", 'licence =', 'themes = ["GOV"]\nlicence =', "Did you mean 'GOVE'?"),
    "no way to the contact": (
        "barometer.toml", "[[contributors]]", '[contact]\nname = "Desk"\n[[contributors]]', "contact: has neither an email nor a page",
    ),
    "no e-mail address": (
        "barometer.toml", "[[contributors]]", '[contact]\nname = "Desk"\nemail = "desk"\n[[contributors]]',
        "contact.email: is not an e-mail address",
    ),
    "secondary width": (
        "barometer.toml", "[[contributors]]", "[disclosure]\nsecondary_width = 30.0\n[[contributors]]",
        "disclosure.secondary_width: is above audit_width",
    ),
    "no version": ("barometer.toml", 'version = "1.0.0"', 'version = "latest"', "version: is not a version"),
    "date in quotes": ("barometer.toml", "released = 2025-01-31", 'released = "2025-01-31"', "must be a date"),
    "invalid TOML": ("domains.toml", "[domains.total]", "[domains.total", r"is not valid TOML: .*line"),
    "choices of a question with one answer": ("codebook.toml", 'type = "single"', 'type = "single"\nmax_choices = 2', r"questions\.novelty\.max_choices: has no effect \('2'\)\. It has effect with multiple questions only: remove it"),
    "question type": ("codebook.toml", 'type = "single"', 'type = "singel"', "Did you mean 'single'"),
    "code with a hyphen before it": ("codebook.toml", 'codes.north', 'codes.-north', "variables.region.codes.-north: is not a valid name"),
    "grid without codes": (
        "codebook.toml",
        'codes.yes = "Yes"\ncodes.no = "No"\ncodes.dont_know = "Don\'t know"\nnonresponse = ["dont_know"]\n\n[questions.novelty]',
        "[questions.novelty]",
        "a grid question needs codes",
    ),
    "code NA": ("codebook.toml", 'codes.care = "Care"', 'codes.NA = "Care"', "many programs read NA as missing"),
    "variable of our own": ("codebook.toml", "[variables.region]", "[variables.weight]", "variables: is the name of a column of the microdata table"),
    "variable like a replicate weight": ("codebook.toml", "[variables.region]", "[variables.replicate_1]", "variables: is the name of a column of the microdata table"),
    "question of our own": ("codebook.toml", "[questions.staff]", "[questions.population]", "questions: is the name of a column of the microdata table"),
    "missing base": ("codebook.toml", 'base = "innovative"', 'base = "inovative"', "Did you mean 'innovative'"),
    "nonresponse": (
        "codebook.toml",
        'nonresponse = ["dont_know"]\n\n[questions.novelty]',
        'nonresponse = ["dontknow"]\n\n[questions.novelty]',
        "Did you mean 'dont_know'",
    ),
    "unknown condition variable": (
        "indicators.toml",
        '[bases.innovative]\nany = ["introduced.*=yes"]',
        '[bases.innovative]\nany = ["introducd.*=yes"]',
        "names an unknown variable",
    ),
    "unknown condition code": (
        "indicators.toml",
        '[bases.innovative]\nany = ["introduced.*=yes"]',
        '[bases.innovative]\nany = ["introduced.*=ja"]',
        "names the unknown code 'ja'",
    ),
    "circular base": (
        "indicators.toml",
        '[bases.innovative]\nany = ["introduced.*=yes"]',
        '[bases.innovative]\nany = ["novelty=first"]',
        "depends on itself .*innovative -> innovative",
    ),
    "missing question": ("indicators.toml", 'question = "value"', 'question = "worth"', "is not a question"),
    "two forms": ("indicators.toml", 'mean = "staff"', 'mean = "staff"\ntotal = "novelty"', "must be exactly one of"),
    "grid indicator without codes": ("indicators.toml", 'codes = ["yes"]', "", "is missing for a grid"),
    "total of nothing": ("indicators.toml", 'total = "any_innovation"', 'total = "any"', "is not a share"),
    "crosswalk to an unknown variable": ("instruments/dk.csv", "ANSATTE,*,staff,=", "ANSATTE,*,stuff,=", "line 19: names an unknown variable"),
    "crosswalk to an unknown code": ("instruments/dk.csv", "Q2,1,novelty,first", "Q2,1,novelty,fist", "Did you mean 'first'"),
    "crosswalk to a code yet to be declared": ("instruments/dk.csv", "Q2,1,novelty,first", "Q2,1,novelty,second", r"no_answer, not_asked, ignore, or declare it in codebook.toml, \[questions.novelty\]"),
    "an answer in words as another": ("instruments/dk.csv", "Q2,1,novelty,first", "Q2,copied,novelty,first", r"line 12: maps to novelty first what is the text of copied \('copied'\)"),
    "an item's answer in words as another": ("instruments/dk.csv", "Q1_1,2,introduced.product,no", "Q1_1,Yes,introduced.product,no", "maps to introduced.product no what is the text of yes"),
    "an answer in words as none": ("instruments/dk.csv", "Q2,1,novelty,first", "Q2,First,novelty,no_answer", "maps to novelty no_answer what is the text of first"),
    "a trait in words as another": ("instruments/dk.csv", "SEKTOR,1,sector,care", "SEKTOR,School,sector,care", "maps to sector care what is the text of school"),
    "breakdown by a question": ("domains.toml", '[domains.sector]\nby = ["sector"]', '[domains.sector]\nby = ["novelty"]', r"is a question, not a background variable .*\(sector, region\). To break down by its answers declare \[variables.novelty\]"),
    "crosswalk to nowhere": ("instruments/dk.csv", "Q2,1,novelty,first", "Q2,1,,", "is not mapped to the codebook"),
    "crosswalk twice": ("instruments/dk.csv", "Q2,2,novelty", "Q2,1,novelty", "maps a source code that is mapped already"),
    "copy of a code": ("instruments/dk.csv", "Q2,1,novelty,first", "Q2,*,novelty,=", "copies values to a question that is not numeric"),
    "wording of nothing": ("instruments/dk.toml", "[wording.introduced]", "[wording.introducd]", "is not an entry of the codebook"),
    "wave name": ("waves/dk-2020.toml", 'country = "DK"', 'wave = "dk-2021"\ncountry = "DK"', "wave: is not a known key"),
    "unknown instrument": ("waves/dk-2020.toml", 'instrument = "dk"', 'instrument = "dk2"', "Did you mean 'dk'"),
    "status against key": ("waves/no-2020.toml", 'status = "official"', 'status = "synthetic"', "does not fit the wave's key"),
    "dates in disorder": ("waves/dk-2020.toml", "start = 2020-02-01", "start = 2020-05-01", "is before the start"),
    "fieldwork too early": ("waves/dk-2020.toml", "start = 2018-01-01, end = 2019-12-31", "start = 2021-01-01, end = 2021-12-31", "before the reference period"),
    "after the release": ("waves/dk-2020.toml", "end = 2020-03-31", "end = 2025-03-31", "is after the release"),
    "scope": ("waves/dk-2020.toml", "[origin]", '[scope]\nsector = ["cre"]\n[origin]', "Did you mean 'care'"),
    "missing raw file": ("waves/dk-2020.toml", 'file = "dk-2020.csv"', 'file = "dk-2019.csv"', "is not in warehouse/raw"),
    "margin without totals": ("waves/dk-2020.toml", '["region"]]', '["region"], ["sector", "region"]]', "sector.region.*|has no totals"),
    "margin of nothing": ("waves/dk-2020.toml", '["region"]]', '["regoin"]]', "Did you mean 'region'"),
    "no weighting": ("waves/dk-2020.toml", "[weighting]\nmethod = \"rake\"", "[weighting]\nmethod = \"given\"", "needs a delivered weight"),
    "figures with a design": ("waves/no-2020.toml", "[source]", '[design]\nid = "ID"\n[source]', r"design: has no effect\. It has effect in waves of microdata only"),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_problem(case: str, barometer: Path) -> None:
    file, old, new, said = CASES[case]
    path = barometer / "schemas" / file
    edit(path, old, new)
    found = problems(barometer)
    assert any(re.search(said, problem) for problem in found), found
    assert any(file in problem for problem in found), found


WAVE, FIGURES = "waves/dk-2020.toml", "waves/no-2020.toml"
IDLE = {  # file, where a key is added, the key, how it is told
    "source.sheet": (WAVE, "delimiter =", 'sheet = "Data"', " ('Data'). It has effect in workbooks only"),
    "source.name_row": (WAVE, "delimiter =", "name_row = 1", " ('1'). It has effect with header_rows above 1 only"),
    "source.rows": (FIGURES, 'sha256 = "', 'rows = { a = ["1"] }', ". It has effect in waves of microdata only"),
    "design": (FIGURES, "[source]", '[design]\nid = "ID"', ". It has effect in waves of microdata only"),
    "correction": (FIGURES, "[source]", '[[correction]]\ncolumn = "a"\nmatch = { a = "1" }\nvalue = "2"\nreason = "?"', ". It has effect in waves of microdata only"),
    "exclusion": (FIGURES, "[source]", '[[exclusion]]\ncolumn = "a"\nvalues = ["1"]\nreason = "?"', ". It has effect in waves of microdata only"),
    "weighting.tolerance": (FIGURES, "[source]", '[weighting]\nmethod = "rake"\ntolerance = 1e-12', " ('1e-12'). It has effect with poststratify, rake, linear and logit only"),
    "weighting.max_iterations": (WAVE, 'method = "rake"\nmargins = [["sector"], ["region"]]\ntotals = "dk-margins.csv"', 'method = "design"\nmax_iterations = 5', " ('5'). It has effect with poststratify, rake, linear and logit only"),
    "design.zero_weights": (WAVE, 'strata = ["SEKTOR"]', 'zero_weights = "exclude"', " ('exclude'). It has effect with design.weight only"),
    "questions.novelty.minimum": ("codebook.toml", 'type = "single"', "minimum = 1", " ('1'). It has effect with numeric questions only"),
    "questions.staff.max_choices": ("codebook.toml", 'type = "numeric"', "max_choices = 2", " ('2'). It has effect with multiple questions only"),
    "max_choices.novelty": ("instruments/dk.toml", 'unit_verb = "introduced"', "max_choices.novelty = 2", " ('2'). It has effect with multiple questions only"),
    "indicators.staff_mean.codes": ("indicators.toml", 'mean = "staff"', 'codes = ["yes"]', ". It has effect with question only"),
    "indicators.any_innovation.scores": ("indicators.toml", 'label = "Workplaces with at least one innovation"', "scores = { yes = 1 }", ". It has effect with mean only"),
    "indicators.innovative_workplaces.denominator": ("indicators.toml", 'total = "any_innovation"', 'denominator = "substantive"', " ('substantive'). It has effect with question, any, all and none only"),
}  # fmt: skip


@pytest.mark.parametrize("key", IDLE)
def test_a_key_without_effect_is_a_problem(key: str, barometer: Path) -> None:
    file, place, line, said = IDLE[key]
    replaced = place.startswith('method = "rake"')
    edit(barometer / "schemas" / file, place, line if replaced else f"{line}\n{place}")
    assert one(barometer).startswith(f"schemas/{file}, {key}: has no effect{said}: remove it, or correct")


@pytest.mark.parametrize(
    ("rule", "line"), [("role", "ranks = true"), ("verb", 'values = ["x"]'), ("figures", "at_least = 3.0")]
)
def test_a_key_that_a_rule_of_its_kind_does_not_look_at_is_a_problem(
    rule: str, line: str, barometer: Path
) -> None:
    path = barometer / "schemas/comparability.toml"
    shutil.copy(Path(product.__file__).parent / "comparability.toml", path)
    assert problems(barometer) == []
    edit(path, f"[rules.{rule}]\n", f"[rules.{rule}]\n{line}\n")
    key = line.partition(" ")[0]
    assert any(f"rules.{rule}.{key}: has no effect" in each for each in problems(barometer))


@pytest.mark.parametrize(
    ("file", "format_said", "key"),
    [
        ("dk.sav", "", 'delimiter = ";"'),
        ("dk.parquet", "", "skip_rows = 2"),
        ("dk.dta", "", "header_rows = 2"),
        ("dk.sas7bdat", "", "label_row = 1"),
        ("dk.XLSX", "", 'encoding = "cp1252"'),
        ("dk.data", 'format = "csv"', 'sheet = "Data"'),
        ("https://example.org/dk.csv?version=2", "", 'sheet = "Data"'),
    ],
)
def test_what_a_format_does_not_have_is_without_effect(
    file: str, format_said: str, key: str, barometer: Path
) -> None:
    path = barometer / "schemas/waves/dk-2020.toml"
    edit(path, 'file = "dk-2020.csv"', f'file = "{file}"\n{format_said}')
    edit(path, 'delimiter = ";"', key)
    name = key.partition(" ")[0]
    assert any(f"source.{name}: has no effect" in each for each in problems(barometer))


@pytest.mark.parametrize(
    "line",
    [
        "Q2,copied,novelty,first,Confirmed by the producer: the two were swapped",  # looked at
        "Q2,Don't know,novelty,no_answer,",  # no substantive answer, this way or that
        "Q2,FIRST,novelty,first,",  # its own text
        "Q2,Den første,novelty,first,",  # no text of any code
    ],
)
def test_answers_in_words_are_free_where_they_contradict_nothing(line: str, barometer: Path) -> None:
    edit(barometer / "schemas" / "instruments" / "dk.csv", "Q2,1,novelty,first,", line)
    load_catalogue(barometer)


def test_a_changed_raw_file_is_named_with_its_new_hash(barometer: Path) -> None:
    with (barometer / "warehouse/raw/dk-2022.csv").open("a", encoding="utf-8") as raw:
        raw.write("0081;1;N;1;1;1;;;5\n")
    assert "schemas/waves/dk-2022.toml, source.sha256: is not the sha256 of the file" in one(barometer)
    assert load_catalogue(barometer).problems[0].wave == "dk-2022"
    pin(barometer, "dk-2022")
    assert problems(barometer) == []


def test_a_problem_of_one_wave_stops_only_that_wave(barometer: Path) -> None:
    edit(barometer / "schemas/waves/dk-2020.toml", 'method = "rake"', 'method = "rakes"')
    catalogue = load_catalogue(barometer)
    assert catalogue.problems_of("dk-2020")
    assert not catalogue.problems_of("dk-2022")


def test_margins_must_add_up_to_one_population(barometer: Path) -> None:
    edit(barometer / "warehouse/raw/dk-margins.csv", "region,north,150", "region,north,151")
    assert "has margins that add up to different populations" in problems(barometer)[0]


def test_totals_must_be_counts(barometer: Path) -> None:
    edit(barometer / "warehouse/raw/dk-margins.csv", "region,north,150", "region,north,many")
    assert "line 4: is not a positive number ('many')" in problems(barometer)[0]


def test_one_package_never_mixes_statuses(barometer: Path) -> None:
    text = (barometer / "schemas/waves/dk-2022.toml").read_text(encoding="utf-8")
    (barometer / "schemas/waves/dk-2022.toml").unlink()
    path = barometer / "schemas/waves/dk-2022-synthetic.toml"
    path.write_text(text.replace('status = "official"', 'status = "synthetic"'), encoding="utf-8")
    assert "one package would hold waves of several statuses" in one(barometer)
    with (barometer / "schemas/barometer.toml").open("a", encoding="utf-8") as declared:
        declared.write('[packages.a]\nstatus = "official"\n')
    assert "no package holds the synthetic waves" in one(barometer)


def test_a_declared_language_needs_its_file(barometer: Path) -> None:
    (barometer / "schemas/translations/da.csv").unlink()
    assert one(barometer).startswith("schemas/translations/da.csv: is missing")


def test_translations_that_lead_nowhere_are_named(barometer: Path) -> None:
    edit(barometer / "schemas/translations/da.csv", "variables.sector.label", "variables.sektor.label")
    assert "is not the key of a text" in one(barometer)
    assert "Did you mean 'variables.sector.label'" in one(barometer)


def test_a_missing_text_falls_back_visibly(barometer: Path) -> None:
    catalogue = load_catalogue(barometer)
    assert text_in(catalogue, "da", "variables.sector.label") == ("Sektor", True)
    assert text_in(catalogue, "da", "variables.region.label") == ("Region", False)
    assert text_in(catalogue, "en", "variables.region.label") == ("Region", True)
    assert "variables.region.label" in gaps(catalogue)["da"]
    assert len(gaps(catalogue)["da"]) == len(texts(catalogue)) - 1


def test_fingerprints_follow_content_alone(barometer: Path) -> None:
    first, again = load_catalogue(barometer), load_catalogue(barometer)
    assert fingerprint(first.waves) == fingerprint(again.waves)
    assert fingerprint(first.waves["dk-2020"]) != fingerprint(first.waves["dk-2022"])
    with pytest.raises(TypeError):
        fingerprint(barometer)


def test_the_bundled_barometer_is_sound(repository: Path) -> None:
    assert problems(repository) == []


def test_the_bundled_barometer_is_translated_into_every_language(repository: Path) -> None:
    assert {language: len(missing) for language, missing in gaps(load_catalogue(repository)).items()} == {
        "da": 0, "nb": 0, "sv": 0, "fi": 0, "is": 0,
    }  # fmt: skip


def test_the_catalogue_loads_no_library_of_data(repository: Path) -> None:
    script = (
        "import sys; import pipeline.catalogue; "
        "print(sorted(m for m in sys.modules if m.partition('.')[0] in "
        "('numpy', 'pandas', 'duckdb', 'dagster', 'pandera', 'frictionless', 'typer')))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=repository, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
