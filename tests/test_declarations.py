"""Declarations are read by the types of their records: what a single value may be, in every file."""

from __future__ import annotations

import dataclasses
import json
import re
import tomllib
from pathlib import Path

import jsonschema
import pandas as pd
import pytest
from typer.testing import CliRunner

from pipeline.atomic import inside
from pipeline.catalogue import load_catalogue
from pipeline.catalogue.fields import bare, fields_of, is_table
from pipeline.catalogue.reader import read_record
from pipeline.catalogue.schema import FILES, json_schemas, key_tables, schema_line
from pipeline.cli.app import app
from pipeline.problems import Problem
from pipeline.steps import quality
from tests.barometers import edit, pin, problems, shows, write_barometer
from tests.releases import build

NUMBERS = {
    "min_n": ("barometer.toml", "[disclosure]\nmin_n = -1", r"disclosure\.min_n: is out of range \('-1'\)\. Write a whole number from 1"),
    "min_group": ("barometer.toml", "[disclosure]\nmin_group = -1", r"disclosure\.min_group: is out of range"),
    "max_fraction": ("barometer.toml", "[disclosure]\nmax_fraction = 1.5", r"disclosure\.max_fraction: is out of range"),
    "not a number": ("barometer.toml", "[reliability]\nunpublish_ci_width = nan", r"reliability\.unpublish_ci_width: .*\('nan'\)"),
    "infinite": ("barometer.toml", "[disclosure]\naudit_width = inf", r"disclosure\.audit_width: is out of range \('inf'\)"),
    "rounding": ("barometer.toml", f"[rounding]\ntotal = {10**19}", r"rounding\.total: .*\('10000000000000000000'\)\. Write a whole number from 0 to 6"),
    "confidence": ("barometer.toml", "[estimation]\nconfidence = 1", r"estimation\.confidence: is out of range"),
    "number in quotes": ("barometer.toml", '[disclosure]\nmin_n = "10"', r"disclosure\.min_n: must be a whole number"),
    "flag as a number": ("barometer.toml", "[disclosure]\nmin_n = true", r"disclosure\.min_n: must be a whole number"),
    "cron": ("barometer.toml", '[schedule]\ncron = "0 6 1 13 *"', r"schedule\.cron: is not a cron schedule"),
    "time zone": ("barometer.toml", '[schedule]\ntimezone = "Europe/Olso"', r"schedule\.timezone: .*Did you mean 'Europe/Oslo'"),
    "rho": ("waves/dk-2020.toml", '[design.replicate_weights]\ncolumns = "rw_*"\nmethod = "fay"\nrho = 1', r"design\.replicate_weights\.rho: is out of range"),
    "whose problem": ("waves/dk-2020.toml", '[[erratum]]\nwas = nan\nindicator = "novelty"\nnow = 1\nsource = "x"\ncorrected = 2020-01-01', r"erratum\[1\]\.was: is out of range"),
}  # fmt: skip


@pytest.mark.parametrize("case", NUMBERS)
def test_a_number_out_of_range(case: str, barometer: Path) -> None:
    file, added, said = NUMBERS[case]
    path = barometer / "schemas" / file
    path.write_text(f"{path.read_text(encoding='utf-8')}\n{added}\n", encoding="utf-8")
    shows(barometer, f"{file}, {said}")


@pytest.mark.parametrize("key", ["population", "sample", "respondents"])
def test_a_count_of_units_is_not_negative(key: str, barometer: Path) -> None:
    path = barometer / "schemas/waves/dk-2020.toml"
    path.write_text(
        re.sub(rf"^{key} = \d+", f"{key} = -1", path.read_text(encoding="utf-8"), flags=re.M),
        encoding="utf-8",
    )
    shows(barometer, rf"response\.{key}: is out of range \('-1'\)")


NAMES = {
    "indicator": ("indicators.toml", "[indicators.novelty]", '[indicators."../../evil"]', r"indicators\.\S+: is not a valid name \('\.\./\.\./evil'\)"),
    "domain": ("domains.toml", "[domains.sector]", '[domains."../evil"]', r"domains\.\S+: is not a valid name"),
    "base": ("indicators.toml", "[bases.all]", '[bases."a/b"]', r"bases\.\S+: is not a valid name"),
    "survey": ("waves/dk-2020.toml", 'survey = "dk"', 'survey = "../dk"', r"survey: is not a valid name"),
    "unit": ("waves/dk-2020.toml", 'unit = "workplace"', 'unit = "a b"', r"unit: is not a valid name"),
    "question": ("codebook.toml", "[questions.staff]", '[questions."st/aff"]', r"questions\.\S+: is not a valid name"),
    "item": ("codebook.toml", "items.quality", 'items."qua.lity"', r"questions\.value\.items\.\S+: is not a valid name"),
    "code": ("codebook.toml", "codes.first", 'codes."=1+1"', r"questions\.novelty\.codes\.\S+: is not a valid name"),
    "package": ("barometer.toml", "[[contributors]]", '[packages."../x"]\nstatus = "official"\n[[contributors]]', r"packages\.\S+: is not a valid name"),
    "barometer": ("barometer.toml", 'id = "test-barometer"', 'id = "../x"', r"id: is not a valid name"),
    "windows": ("indicators.toml", "[indicators.novelty]", "[indicators.con]", r"indicators\.\S+: is a reserved word \('con'\)"),
    "too long": ("indicators.toml", "[indicators.novelty]", f"[indicators.{'n' * 300}]", r"indicators\.n+\.\.\. \(300 characters\): is too long for a name"),
}  # fmt: skip


@pytest.mark.parametrize("case", NAMES)
def test_one_rule_for_every_name(case: str, barometer: Path) -> None:
    file, old, new, said = NAMES[case]
    edit(barometer / "schemas" / file, old, new)
    shows(barometer, f"{file}, {said}")


@pytest.mark.parametrize("name", ["DK 2020", "dk_2020!", "Dk-2020"])
def test_a_wave_file_has_a_valid_name(name: str, barometer: Path) -> None:
    path = barometer / "schemas/waves/dk-2020.toml"
    path.rename(path.with_name(f"{name}.toml"))
    catalogue = load_catalogue(barometer)
    assert any(
        "is not a valid name" in str(problem) and problem.wave == name for problem in catalogue.problems
    )


@pytest.mark.parametrize("path", ["../../etc/passwd", "/etc/passwd", "..", "a\\\\b"])
@pytest.mark.parametrize(("old", "key"), [
    ('population = "dk-strata.csv"', "design.population"),
    ('totals = "dk-margins.csv"', "weighting.totals"),
    ('file = "dk-2020.csv"', "source.file"),
])  # fmt: skip
def test_no_file_outside_the_raw_folder_is_read(path: str, old: str, key: str, barometer: Path) -> None:
    edit(barometer / "schemas/waves/dk-2020.toml", old, f'{old.partition(" = ")[0]} = "{path}"')
    found = problems(barometer)
    assert any(f"{key}: points outside warehouse/raw" in problem for problem in found), found
    assert not any("root:" in problem for problem in found)


TEXTS = {
    "homepage": ("barometer.toml", "licence =", 'homepage = "javascript:alert(1)"\nlicence =', "homepage: is not a web address"),
    "origin": ("waves/dk-2020.toml", "accessed =", 'url = "javascript:alert(1)"\naccessed =', r"origin\.url: is not a web or mail address"),
    "contributor": ("barometer.toml", 'role = "publisher"', 'path = "data:text/html,x"', r"contributors\[1\]\.path: is not a web or mail address"),
    "nought": ("codebook.toml", 'label = "Sector"', r'label = "Sec\u0000tor"', r"variables\.sector\.label: holds the control character U\+0000"),
    "escape": ("indicators.toml", 'label = "Value"', r'label = "\u001b[31mValue"', r"indicators\.value\.label: holds the control character U\+001B"),
    "turned around": ("barometer.toml", 'title = "Test barometer"', r'title = "\u202eTest"', r"title: holds the control character U\+202E"),
}  # fmt: skip


@pytest.mark.parametrize("case", TEXTS)
def test_texts_and_addresses(case: str, barometer: Path) -> None:
    file, old, new, said = TEXTS[case]
    edit(barometer / "schemas" / file, old, new)
    shows(barometer, f"{file}, {said}")
    assert all(problem.isprintable() for problem in problems(barometer))


def test_an_address_may_be_a_mailbox_where_people_are_reached(barometer: Path) -> None:
    edit(barometer / "schemas/barometer.toml", 'role = "publisher"', 'path = "mailto:desk@office.test"')
    assert problems(barometer) == []


def test_a_key_is_translated_once(barometer: Path) -> None:
    path = barometer / "schemas/translations/da.csv"
    path.write_text(path.read_text(encoding="utf-8") + "variables.sector.label,Branche\n", encoding="utf-8")
    shows(barometer, r"da\.csv, line 3: is a duplicate key .*line 2")


def test_a_translation_holds_no_control_character(barometer: Path) -> None:
    path = barometer / "schemas/translations/da.csv"
    path.write_text("key,text\nvariables.sector.label,Sek\x07tor\n", encoding="utf-8")
    shows(barometer, r"da\.csv, line 2: holds the control character U\+0007")


def test_every_problem_of_a_file_comes_at_once_and_none_that_follows_from_another(barometer: Path) -> None:
    path = barometer / "schemas/waves/dk-2020.toml"
    edit(path, 'unit = "workplace"', 'unit = "work place"')
    edit(path, "population = 400", "population = -400")
    edit(path, 'method = "rake"', 'method = "raked"')
    edit(path, "end = 2020-03-31", "end = 2020-01-31")
    found = [problem.key for problem in load_catalogue(barometer).problems]
    assert sorted(found) == ["fieldwork.end", "response.population", "unit", "weighting.method"]


@pytest.mark.parametrize("name", FILES)
def test_whatever_stands_in_a_file_is_a_problem_and_no_crash(name: str) -> None:
    """Every field of every record in turn takes a value of each wrong type; the record is still made."""
    kind = FILES[name]
    wrong = [None, -1, 10**30, float("nan"), "\x00", "", [], [[]], {}, {"x": {"y": 1}}, [{"x": 1}], True]
    for field in fields_of(kind):
        for value in wrong:
            found: list[Problem] = []
            made = read_record(kind, {"<key>": "x", field.name: value}, name, found)
            assert isinstance(made, kind)
            assert all(problem.file == name and problem.message and problem.hint for problem in found)


def test_every_number_has_a_range_and_every_field_a_description() -> None:
    left, waiting, seen = [], list(FILES.values()), set()
    while waiting:
        record = waiting.pop()
        if record in seen:
            continue
        seen.add(record)
        for field in fields_of(record):
            inner = [bare(part) for part in getattr(field.type, "__args__", ()) if part is not ...]
            waiting += [kind for kind in (field.type, *inner) if is_table(kind)]
            if field.type in (int, float) and not field.range and record.__name__ != "Erratum":
                left.append((record.__name__, field.name, "range"))
            if dataclasses.is_dataclass(record) and "description" not in field.info:
                left.append((record.__name__, field.name, "description"))
    assert left == []


def test_the_writers_leave_no_folder(tmp_path: Path) -> None:
    folder = tmp_path / "site"
    folder.mkdir()
    assert inside(folder, "en/index.html") == folder / "en" / "index.html"
    for name in ("../evil.html", "a/../../evil.html", "/etc/evil", ".", ""):
        with pytest.raises(ValueError, match="nothing is written"):
            inside(folder, name)


@pytest.fixture(params=["undeclared", "everyone"])
def otherwise(request: pytest.FixtureRequest, barometer: Path) -> Path:
    """The small barometer with its total left out, or under another name."""
    path = barometer / "schemas/domains.toml"
    if request.param == "undeclared":
        edit(path, "[domains.total]\nby = []\n", "")
    else:
        edit(path, "[domains.total]", "[domains.everyone]")
        edit(barometer / "warehouse/raw/no-2020.csv", ",total,", ",everyone,")
        pin(barometer, "no-2020")
    return barometer


def totals(root: Path) -> dict[str, list[dict[str, object]]]:
    """What a barometer publishes of everyone."""
    made, catalogue, tables = build(root) / "data", load_catalogue(root), {}
    for name, columns in (
        ("estimates", ["wave", "indicator", "category", "value"]),
        ("comparisons", ["wave_a", "indicator", "difference"]),
    ):
        frame = pd.read_csv(made / f"{name}.csv", keep_default_na=False)
        total = frame[frame["domain"] == catalogue.total.key]
        assert not total.empty and set(total["domain_code"]) == {""}
        tables[name] = [
            {str(key): cell for key, cell in row.items()} for row in total[columns].to_dict("records")
        ]
    return tables


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[dict[str, object]]]:
    return totals(write_barometer(tmp_path_factory.mktemp("plain") / "barometer"))


def test_the_total_is_there_without_being_declared_and_under_any_name(
    otherwise: Path, plain: dict[str, list[dict[str, object]]]
) -> None:
    assert load_catalogue(otherwise).problems == ()
    assert totals(otherwise) == plain


def test_leaps_are_looked_for_in_the_total_under_any_name(otherwise: Path) -> None:
    catalogue = load_catalogue(otherwise)
    known = {
        "indicator": "any_innovation",
        "category": "yes",
        "domain": catalogue.total.key,
        "domain_code": "",
        "unit_measure": "percent",
        "source_kind": "microdata",
        "se": 1.0,
    }
    frame = pd.DataFrame(
        [{"wave": "dk-2020", "value": 20.0, **known}, {"wave": "dk-2022", "value": 80.0, **known}]
    )
    found = quality.jumps(frame, catalogue)
    assert not found.passed and len(found.rows) == 1


def test_there_is_one_total(barometer: Path) -> None:
    path = barometer / "schemas/domains.toml"
    path.write_text(path.read_text(encoding="utf-8") + "[domains.everyone]\nby = []\n", encoding="utf-8")
    shows(barometer, r"domains: has more than one total \('total, everyone'\)")


def test_the_schemas_accept_the_bundled_declarations_and_refuse_what_the_reader_refuses(
    repository: Path,
) -> None:
    schemas = json_schemas()
    for name in FILES:
        kind = name.split("/")[0].removesuffix(".toml")
        jsonschema.Draft202012Validator.check_schema(schemas[f"{kind}.json"])
        validator = jsonschema.Draft202012Validator(schemas[f"{kind}.json"])
        paths = list((repository / "schemas").glob(re.sub("<.*>", "*", name)))
        assert paths
        for path in paths:
            declared = json.loads(json.dumps(tomllib.loads(path.read_text(encoding="utf-8")), default=str))
            assert [error.message for error in validator.iter_errors(declared)] == [], path.name
            assert list(validator.iter_errors({**declared, "unknown_key": 1})), path.name
    barometer = jsonschema.Draft202012Validator(schemas["barometer.json"])
    said = {
        error.json_path
        for error in barometer.iter_errors({"disclosure": {"min_n": -1}, "homepage": "javascript:x"})
    }
    assert {"$.disclosure.min_n", "$.homepage"} <= said
    assert "<" not in json.dumps(schemas["indicators.json"]["$defs"]["Indicator"])


def test_schema_writes_a_file_for_each_kind_of_declaration(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["schema", str(tmp_path / "made")])
    assert done.exit_code == 0, done.output
    assert {path.name for path in (tmp_path / "made").iterdir()} == set(json_schemas())
    assert CliRunner().invoke(app, ["--project", str(tmp_path), "schema"]).exit_code == 1  # no barometer
    (tmp_path / "schemas").mkdir()
    assert CliRunner().invoke(app, ["--project", str(tmp_path), "schema"]).exit_code == 0
    for name, schema in json_schemas().items():
        assert json.loads((tmp_path / "schemas/.json" / name).read_text(encoding="utf-8")) == schema


def test_every_bundled_declaration_names_its_schema(repository: Path) -> None:
    for name in FILES:
        for path in (repository / "schemas").glob(re.sub("<.*>", "*", name)):
            first = path.read_text(encoding="utf-8").splitlines()[0]
            assert first == schema_line(path.relative_to(repository / "schemas").as_posix())


def test_the_documentation_has_every_key_as_the_types_have_it(repository: Path) -> None:
    page = (repository / "docs/declarations.md").read_text(encoding="utf-8")
    for name, table in key_tables().items():
        assert f"<!-- keys of {name} -->\n\n{table}\n\n<!-- end -->" in page, (
            f"the keys of {name} have changed: `barometer schema --markdown` prints the tables"
        )
