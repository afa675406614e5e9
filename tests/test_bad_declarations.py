"""What an attacker, a mistaken editor or a broken disk leaves in ``schemas/``: a problem, never a traceback."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest
from babel import Locale
from typer.testing import CliRunner

from pipeline.catalogue import load_catalogue
from pipeline.catalogue.codes import COUNTRIES, LANGUAGES
from pipeline.cli.app import app
from pipeline.release.readme import plain
from tests.barometers import edit, problems, shows
from tests.releases import build


def command(root: Path, *words: str) -> tuple[int, str]:
    """The exit code and the output of a verb; what is not a problem of the input is raised."""
    done = CliRunner().invoke(app, ["--project", str(root), *words])
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.exit_code, done.output


def files_of(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if path.is_file()}


RAW = "id;q\n1;a\n2;b\n"


@pytest.fixture
def delivered(tmp_path: Path) -> Path:
    path = tmp_path / "delivered.csv"
    path.write_text(RAW, encoding="utf-8")
    return path


@pytest.mark.parametrize("name", ["../../../t/evil", "/tmp/evil", "a.b", "con", "techers"])
def test_a_new_wave_s_questionnaire_has_a_valid_name_that_is_not_misspelt(
    name: str, barometer: Path, delivered: Path
) -> None:
    for kind in ("toml", "csv"):
        folder = barometer / "schemas/instruments"
        (folder / f"teachers.{kind}").write_bytes((folder / f"dk.{kind}").read_bytes())
    before = files_of(delivered.parent)
    code, said = command(barometer, "new-wave", "dk-2024", str(delivered), "--instrument", name)
    assert code == 1 and "new-wave, --instrument: is " in said
    assert ("Declared are dk, teachers" in said and "Did you mean 'teachers'" in said) == (name == "techers")
    assert files_of(delivered.parent) == before and not Path("/tmp/evil.toml").exists()


def test_another_edition_of_a_questionnaire_is_no_misspelling(barometer: Path, delivered: Path) -> None:
    folder = barometer / "schemas/instruments"
    for kind in ("toml", "csv"):
        (folder / f"dk.{kind}").rename(folder / f"teachers-2020.{kind}")
    assert command(barometer, "new-wave", "dk-2024", str(delivered), "--instrument", "teachers-2024")[0] == 0
    assert (folder / "teachers-2024.csv").is_file()


@pytest.mark.parametrize("linked", ["schemas/waves", "schemas/instruments", "schemas/waves/dk-2024.toml"])
def test_a_new_wave_does_not_follow_a_link_out_of_the_project(
    linked: str, barometer: Path, delivered: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    outside = tmp_path_factory.mktemp("outside")
    place = barometer / linked
    if place.is_dir():
        place.rename(outside / place.name)
    place.symlink_to(outside / place.name)
    before = files_of(outside)
    code, said = command(barometer, "new-wave", "dk-2024", str(delivered))
    assert code == 1 and "leads out of" in said
    assert files_of(outside) == before


def test_a_first_draft_does_not_follow_a_link_either(tmp_path: Path, delivered: Path) -> None:
    folder, outside = tmp_path / "project", tmp_path / "outside"
    (folder / "warehouse").mkdir(parents=True)
    outside.mkdir()
    (folder / "warehouse/raw").symlink_to(outside)
    code, said = command(folder, "init", "--from", str(delivered))
    assert code == 1 and "leads out of" in said
    assert files_of(outside) == set()


@pytest.mark.parametrize("name", ["a\nb.csv", "\x1b[31m.csv", "a\u202eb.csv"])
def test_a_file_s_name_that_no_declaration_can_hold_is_not_drafted(
    name: str, barometer: Path, delivered: Path
) -> None:
    file = delivered.rename(delivered.with_name(name))
    before = files_of(delivered.parent)
    for words in (("new-wave", "dk-2024", str(file)), ("init", "mine", "--from", str(file))):
        code, said = command(barometer, *words)
        assert code == 1 and "control character" in said and said.replace("\n", "").isprintable()
    assert files_of(delivered.parent) == before


def test_the_name_of_the_total_is_no_other_breakdown_s(barometer: Path) -> None:
    edit(barometer / "schemas/domains.toml", "[domains.total]\nby = []\n[domains.sector]", "[domains.total]")
    shows(barometer, r"domains\.toml, domains\.total: is the name of the total.*\('sector'\)")
    assert load_catalogue(barometer).total.by == ()


@pytest.mark.parametrize("key", ["source.file", "design.population", "weighting.totals"])
@pytest.mark.parametrize("place", ["outside", "loop"])
def test_a_link_that_leads_out_of_the_raw_files_is_not_read(key: str, place: str, barometer: Path) -> None:
    secret = barometer / "secret.csv"
    secret.write_text("root:x:0:0\n", encoding="utf-8")
    names = {
        "source.file": "dk-2020.csv",
        "design.population": "dk-strata.csv",
        "weighting.totals": "dk-margins.csv",
    }
    path = barometer / "warehouse/raw" / names[key]
    path.unlink()
    path.symlink_to(secret if place == "outside" else path)
    shows(barometer, "leads out of warehouse/raw" if place == "outside" else "is not in|leads out|cannot be")
    assert not any("root:x" in problem for problem in problems(barometer))


def test_the_folder_of_raw_files_may_be_a_link(barometer: Path, tmp_path: Path) -> None:
    (barometer / "warehouse/raw").rename(tmp_path / "disk")
    (barometer / "warehouse/raw").symlink_to(tmp_path / "disk")
    assert problems(barometer) == []


ADDRESSES = {
    "licence": ("barometer.toml", 'licence = "CC-BY-4.0"', 'licence = "CC BY 4.0"', "licence: is not a licence"),
    "braces": ("waves/dk-2020.toml", "accessed =", 'url = "https://a/{}|^`"\naccessed =', r"origin\.url: is not a web"),
    "percent": ("barometer.toml", "licence =", 'address = "http://[x]/%"\nlicence =', "address: is not a web address"),
    "half a bracket": ("barometer.toml", "licence =", 'homepage = "https://[::1"\nlicence =', "homepage: is not a web address"),
    "half an escape": ("barometer.toml", "licence =", 'homepage = "https://a/%2"\nlicence =', "homepage: is not a web address"),
    "chain": (
        "waves/dk-2020.toml", 'file = "dk-2020.csv"', 'file = "https://x/y.zip::file:///etc/passwd"', r"source\.file: points outside",
    ),
    "filter": (
        "waves/dk-2020.toml", 'file = "dk-2020.csv"', 'file = "https://[::1]/y.csv"', r"source\.file: points outside",
    ),
    "doi": ("waves/dk-2020.toml", "accessed =", 'doi = "10.1234/a b"\naccessed =', r"origin\.doi: is not a DOI"),
    "mailbox": ("barometer.toml", 'role = "publisher"', 'email = "a^b@office.test"', r"email: is not an e-mail address"),
}  # fmt: skip


@pytest.mark.parametrize("case", ADDRESSES)
def test_addresses_and_licences_are_made_of_what_addresses_allow(case: str, barometer: Path) -> None:
    file, old, new, said = ADDRESSES[case]
    edit(barometer / "schemas" / file, old, new)
    shows(barometer, f"{file}, .*{said}")


@pytest.mark.parametrize("licence", ["CC0-1.0", "LicenseRef-ours", "https://office.test/licence?v=1#text"])
def test_a_licence_is_an_identifier_or_an_address(licence: str, barometer: Path) -> None:
    edit(barometer / "schemas/barometer.toml", 'licence = "CC-BY-4.0"', f'licence = "{licence}"')
    assert problems(barometer) == []


@pytest.mark.parametrize("character", ["\u202e", "\0", "\x1b"])
@pytest.mark.parametrize(
    "cell", ["ANSATTE,*,staff,=,{}x", "{}ANSATTE,*,staff,=,", "ANSATTE,{}1,staff,no_answer,"]
)
def test_a_crosswalk_holds_no_control_character(cell: str, character: str, barometer: Path) -> None:
    edit(barometer / "schemas/instruments/dk.csv", "ANSATTE,*,staff,=,", cell.format(character))
    shows(barometer, rf"dk\.csv, line 19: holds the control character U\+{ord(character):04X}")
    assert all(problem.isprintable() for problem in problems(barometer))


@pytest.mark.parametrize(("file", "line"), [("instruments/dk.csv", "Q1_1,9,introduced.product,dont_know,a note, with a comma"),
                                            ("translations/da.csv", "domains.sector.label,Sektor, og branche")])  # fmt: skip
def test_a_cell_that_belongs_to_no_column_is_not_dropped(file: str, line: str, barometer: Path) -> None:
    path = barometer / "schemas" / file
    path.write_text(path.read_text(encoding="utf-8") + line + "\n", encoding="utf-8")
    shows(barometer, rf"{file}, line \d+: has more cells than columns \(' ")


BROKEN = {
    "empty condition": ("indicators.toml", '[bases.b]\nany = [{}]', r"bases\.b\.any\[1\]: is an empty table"),
    "nested conditions": ("indicators.toml", "[bases.b]\nany = " + "[{ any = " * 400 + '["a=b"]' + "}]" * 400, "indicators.toml"),
    "nested keys": ("domains.toml", f"[domains.{'.'.join('a' * 3000)}]", "domains: has tables or lists in each other"),
    "nested lists": ("codebook.toml", "x = " + "[" * 3000, "codebook.toml: has tables or lists in each other"),
    "digits": ("barometer.toml", f"[reliability]\nflag_n = {'1' * 5000}", "barometer.toml: has a number of too many digits"),
    "hexadecimal": ("barometer.toml", f"[reliability]\nflag_n = 0x{'f' * 5000}", r"reliability\.flag_n: is out of range"),
}  # fmt: skip


@pytest.mark.parametrize("case", BROKEN)
def test_what_a_parser_cannot_take_is_a_problem(case: str, barometer: Path) -> None:
    file, added, said = BROKEN[case]
    path = barometer / "schemas" / file
    path.write_text(f"{path.read_text(encoding='utf-8')}\n{added}\n", encoding="utf-8")
    code, output = command(barometer, "check")
    assert code == 1 and re.search(said, output), output


@pytest.mark.parametrize("name", ["codebook.toml", "waves/dk-2020.toml", "instruments/dk.csv", "translations/da.csv", "comparability.toml"])  # fmt: skip
@pytest.mark.parametrize("what", ["folder", "link", "pipe", "device", "refused"])
def test_what_cannot_be_opened_is_a_problem(
    name: str, what: str, barometer: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = barometer / "schemas" / name
    path.unlink(missing_ok=True)
    if what == "folder":
        path.mkdir()
    elif what == "link":
        path.symlink_to(path.with_name("gone"))
    elif what == "pipe":
        os.mkfifo(path)
    elif what == "device":  # without end
        path.symlink_to("/dev/zero")
    else:
        path.write_text("", encoding="utf-8")
        read = Path.read_bytes

        def refusing(self: Path) -> bytes:  # as for anyone but root
            if self == path:
                raise PermissionError(13, "Permission denied", str(self))
            return read(self)

        monkeypatch.setattr(Path, "read_bytes", refusing)
    said = {
        "folder": "is a folder",
        "link": "is missing. It is a link",
        "pipe": "cannot be read: it is a pipe or a device",
        "device": "cannot be read: it is a pipe or a device",
        "refused": "cannot be read: Permission",
    }
    code, output = command(barometer, "check")
    assert code == 1 and f"schemas/{name}: {said[what]}" in output and output.count("\n") == 2, output


@pytest.mark.parametrize("key", ["file", "population", "totals"])
def test_a_file_name_longer_than_a_disk_takes(key: str, barometer: Path) -> None:
    path = barometer / "schemas/waves/dk-2020.toml"
    path.write_text(
        re.sub(rf'^{key} = "[^"]*"', f'{key} = "{"x" * 5000}"', path.read_text(encoding="utf-8"), flags=re.M),
        encoding="utf-8",
    )
    shows(barometer, r"cannot be read: File name too long|is not in warehouse/raw")
    assert all(len(problem) < 6000 for problem in problems(barometer))


@pytest.mark.parametrize("encoding", ["undefined", "idna", "punycode", "base64", "rot13", "latin-0"])
def test_an_encoding_is_one_of_texts(encoding: str, barometer: Path) -> None:
    edit(barometer / "schemas/waves/dk-2020.toml", "delimiter =", f'encoding = "{encoding}"\ndelimiter =')
    shows(barometer, r"source\.encoding: is not a known encoding")


COUNTS = {
    "thousands": ("220", "1,220", "line 2: has more cells than columns. Write numbers without separators"),
    "too large": ("220", "1e308", r"line 2: is beyond the size of real numbers \(1e-15 to 1e\+15\) \('1e308'\)"),
    "too small": ("220", "1e-320", "line 2: is beyond the size of real numbers"),
    "endless": ("220", "inf", "line 2: is beyond the size of real numbers"),
    "underscore": ("220", "2_20", r"line 2: is not a positive number \('2_20'\)"),
    # how long a field may be is a limit of the process, which libraries move
    "header": ("margin", "x" * 200_000, "(is not valid CSV: field larger than|lacks 1 column: margin)"),
}  # fmt: skip


@pytest.mark.parametrize("case", COUNTS)
def test_a_count_is_a_number_that_can_be_counted_with(case: str, barometer: Path) -> None:
    old, new, said = COUNTS[case]
    files = ("dk-margins.csv",) if case == "header" else ("dk-margins.csv", "dk-strata.csv")
    for file in files:
        edit(barometer / "warehouse/raw" / file, old, new)
        shows(barometer, rf"warehouse/raw/{file}.*{said}")


def test_a_message_obeys_no_terminal_and_ends(barometer: Path) -> None:
    path = barometer / "schemas/indicators.toml"
    path.write_text(
        path.read_text(encoding="utf-8") + f'["\\u001b[31m"]\n["{"n" * 5000}"]\n', encoding="utf-8"
    )
    found = problems(barometer)
    assert len(found) == 2 and all(problem.isprintable() and len(problem) < 500 for problem in found), found
    assert r"\x1b[31m" in found[0] and "(5000 characters)" in found[1]


NONSENSE = {
    "sample above population": ("waves/dk-2020.toml", "population = 400", "population = 1", r"response\.sample: is more than the population \('160'\)\. .*population is 1\."),
    "more answers than asked": ("waves/dk-2020.toml", "sample = 160", "sample = 0", r"response\.respondents: is more than the sample"),
    "no sample known": ("waves/dk-2020.toml", "population = 400\nsample = 160", "population = 79", r"response\.respondents: is more than the population"),
    "country of nobody": ("waves/dk-2020.toml", 'country = "DK"', 'country = "QQ"', "country: is not a country"),
    "unknown country": ("waves/no-2020.toml", 'country = "NO"', 'country = "ZZ"', "country: is not a country"),
    "name of a country": ("waves/dk-2020.toml", 'country = "DK"', 'country = "Danmark"', "country: is not a country .* as DK for Denmark"),
    "no header": ("waves/dk-2020.toml", "delimiter =", "header_rows = 0\ndelimiter =", r"source\.header_rows: is out of range"),
    "strata": ("waves/dk-2020.toml", 'strata = ["SEKTOR"]', 'strata = ["SEKTOR", "SEKTOR"]', r"design\.strata: has a duplicate entry"),
    "score": ("indicators.toml", 'mean = "staff"', 'mean = "novelty"\nscores.first = 1e308\nscores.copied = 1', r"scores\.first: is out of range"),
    "blank": ("waves/dk-2020.toml", 'title = "Survey 2020"', 'title = "  "', r"origin\.title: is empty"),
    "invisible": ("codebook.toml", 'label = "Sector"', 'label = "\u200b"', r"variables\.sector\.label: is empty"),
    "blank item": ("codebook.toml", 'items.quality = "Quality"', r'items.quality = "\u00a0"', r"questions\.value\.items\.quality: is empty"),
    "language": ("barometer.toml", 'languages = ["en", "da"]', 'languages = ["all"]', r"languages\[1\]: is not a language"),
    "language of a questionnaire": ("instruments/dk.toml", 'language = "da"', 'language = "dk"', "language: is not a language"),
    "label": ("codebook.toml", 'label = "Sector"', f'label = "{"x" * 100_000}"', r"variables\.sector\.label: is too long .*10,000 characters"),
    "width": ("barometer.toml", "[[contributors]]", "[disclosure]\naudit_width = 0.0\nsecondary_width = 0.0\n[[contributors]]", r"disclosure\.audit_width: is out of range"),
    "case of indicators": ("indicators.toml", "[indicators.staff_mean]", '[indicators.VALUE]\nquestion = "value"\n[indicators.staff_mean]', r"indicators: differs from value in case alone \('VALUE'\)"),
    "case of a question and a variable": ("codebook.toml", "[questions.staff]", "[questions.Region]", r"differs from region in case alone"),
    "case of items": ("codebook.toml", "items.savings", 'items.Quality = "Q"\nitems.savings', r"questions\.value\.items: differs from quality"),
    "case of surveys": ("waves/no-2020.toml", 'survey = "no"', 'survey = "DK"', "survey: differs from dk in case alone"),
}  # fmt: skip


@pytest.mark.parametrize("case", NONSENSE)
def test_what_cannot_be_is_a_problem(case: str, barometer: Path) -> None:
    file, old, new, said = NONSENSE[case]
    edit(barometer / "schemas" / file, old, new)
    shows(barometer, said)


@pytest.mark.parametrize("country", ["XK", "GL", "FO"])
def test_a_country_may_be_small(country: str, barometer: Path) -> None:
    edit(barometer / "schemas/waves/no-2020.toml", 'country = "NO"', f'country = "{country}"')
    assert problems(barometer) == []


def test_countries_and_languages_are_those_that_have_a_name() -> None:
    named = Locale("en")
    regions = {
        "AC",
        "CP",
        "CQ",
        "DG",
        "EA",
        "IC",
        "TA",
        "EU",
        "EZ",
        "UN",
        "XA",
        "XB",
        "QO",
        "ZZ",
    }  # that are no countries
    assert {code for code in named.territories if re.fullmatch("[A-Z]{2}", code)} - regions == COUNTRIES
    none = {"mul", "und", "zxx", "root"}
    assert {code for code in named.languages if len(code) in (2, 3)} - none | {"fkv"} == LANGUAGES


HOSTILE = "<script>alert(1)</script> [x](javascript:alert(1)) ![](https://spy.test/p.png)"


def test_no_text_of_a_declaration_is_markup_in_the_readme_of_a_package(barometer: Path) -> None:
    edit(barometer / "schemas/barometer.toml", 'title = "Test barometer"', f'title = "{HOSTILE}"')
    edit(
        barometer / "schemas/barometer.toml",
        "A barometer for tests.",
        r"- a list\n\n# A heading\n<img src=x>",
    )
    edit(barometer / "schemas/waves/dk-2020.toml", 'title = "Survey 2020"', f'title = "{HOSTILE} `evil`"')
    text = (build(barometer) / "README.md").read_text(encoding="utf-8")
    assert text.count("alert") >= 6
    assert not re.search(
        r"(?<!\\)<(script|/script|img)|(?<!\\)\]\((javascript|https://spy)|(?<!\\)`evil", text
    )
    assert "\n\\- a list # A heading \\<img src=x\\>\n" in text


@pytest.mark.parametrize(("text", "shown"), [("1. One", "1\\. One"), ("# A", "\\# A"), ("a_b*c", "a\\_b\\*c"),
                                             ("2024 was", "2024 was"), ("A & B", "A \\& B"), ("=", "\\=")])  # fmt: skip
def test_a_text_as_markdown_that_shows_it(text: str, shown: str) -> None:
    assert plain(text) == shown


WORDS = {
    "no unit": ("waves/dk-2020.toml", 'unit = "workplace"', 'unit = ""', r"unit: is empty \(''\)\. Fill in"),
    "date inline": ("waves/dk-2020.toml", "end = 2019-12-31", "end = 2019-13-31", r"TOML: .*reference_period = .*Write dates that exist as YEAR-MONTH-DAY"),
    "date alone": ("barometer.toml", "released = 2025-01-31", "released = 2025-02-30", r"'released = 2025-02-30'\)\. Write dates that exist"),
    "date of another country": ("barometer.toml", "released = 2025-01-31", "released = 31.1.2025", r"'released = 31\.1\.2025'\)\. Write dates as YEAR-MONTH-DAY without quotes"),
    "letter in a key": ("domains.toml", "[domains.sector]", "[domains.kjønn]", r"\[domains\.kjønn\].*Write keys with the letters a to z"),
    "quoted key": ("domains.toml", "[domains.sector]", '[domains."kjønn"]', r"domains\.kjønn: is not a valid name \('kjønn'\)"),
    "key twice": ("barometer.toml", "licence =", 'title = "Again"\nlicence =', r"title = .*This key stands there twice"),
    "unclosed quote": ("barometer.toml", 'licence = "CC-BY-4.0"', 'licence = "CC-BY-4.0', r"'licence = \"CC-BY-4\.0'\)\. Begin and end every text with a double quote"),
    "no quotes": ("barometer.toml", 'licence = "CC-BY-4.0"', "licence = none", "Write texts in double quotes"),
    "codes of a grid": ("indicators.toml", 'codes = ["yes"]', "", r'such as codes = \["yes"\]'),
    "no weighting": ("waves/dk-2020.toml", '[weighting]\nmethod = "rake"\nmargins = [["sector"], ["region"]]\ntotals = "dk-margins.csv"', "", r'method = "design"'),
    "no weighting of a weight": ("waves/dk-2020.toml", 'population = "dk-strata.csv"\n[weighting]\nmethod = "rake"\nmargins = [["sector"], ["region"]]\ntotals = "dk-margins.csv"', 'weight = "VEJ"', r'method = "given"'),
    "decimal mark": ("waves/dk-2020.toml", 'decimal = ","', 'decimal = ";"', r'Use one of "\.", ","\.'),
    "date in quotes": ("barometer.toml", "released = 2025-01-31", 'released = "2025-01-31"', r"released: must be a date \('2025-01-31'\)\. Write it as 2026-11-30, without quotes\.$"),
    "text without a list": ("barometer.toml", "licence =", 'keywords = "a"\nlicence =', r'keywords: must be a list of texts \(\'a\'\)\. Write it as \["\.\.\.", "\.\.\."\]\.$'),
    "flag in quotes": ("barometer.toml", "[[contributors]]", '[disclosure]\nsecondary = "x"\n[[contributors]]', r"secondary: must be true or false \('x'\)\. Write it without quotes\.$"),
    "nothing estimated": ("indicators.toml", 'mean = "staff"', "", r"staff_mean: does not say what it estimates\. Add"),
    "large range": ("barometer.toml", "[[contributors]]", "[disclosure]\nmin_n = 0\n[[contributors]]", "from 1 to 10,000,000,000"),
}  # fmt: skip


@pytest.mark.parametrize("case", WORDS)
def test_a_message_says_what_to_do_and_says_it_once(case: str, barometer: Path) -> None:
    file, old, new, said = WORDS[case]
    edit(barometer / "schemas" / file, old, new)
    shows(barometer, said)


def test_the_codes_that_a_hint_shows_are_the_question_s(barometer: Path) -> None:
    edit(barometer / "schemas/codebook.toml", "codes.yes", "codes.indført".replace("ø", "oe"))
    edit(barometer / "schemas/indicators.toml", 'codes = ["yes"]', "")
    shows(barometer, r'introduced\.codes: is missing for a grid\. .*codes = \["indfoert"\]')


@pytest.mark.parametrize("file", ["codebook.toml", "indicators.toml", "domains.toml"])
@pytest.mark.parametrize("text", [b"[x", "label = 'ø'".encode("cp1252"), "x = 1".encode("utf-16")])
def test_what_hangs_on_a_file_that_cannot_be_read_is_not_judged(
    file: str, text: bytes, barometer: Path
) -> None:
    (barometer / "schemas" / file).write_bytes(text)
    assert len(problems(barometer)) == 1
    shows(barometer, f"{file}.*(is not valid TOML|is not UTF-8.*(cp1252|UTF-16))")


def test_a_byte_order_mark_is_accepted(barometer: Path) -> None:
    for path in (barometer / "schemas").rglob("*.*"):
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert problems(barometer) == []


def test_what_follows_from_another_problem_is_not_said(barometer: Path) -> None:
    edit(barometer / "schemas/codebook.toml", 'type = "multiple"', 'type = "matrix"')
    assert not [said for said in problems(barometer) if "has no items" in said]
    edit(barometer / "schemas/instruments/dk.csv", "source_variable,", "column,")
    assert [said for said in problems(barometer) if "dk.csv" in said and "wrong columns" not in said] == []


def test_files_that_nothing_reads_are_named(barometer: Path) -> None:
    for name in ("waves/dk-2024.tml", "codebok.toml", "instruments/old.csv", "translations/sv.csv"):
        (barometer / "schemas" / name).write_text("", encoding="utf-8")
    (barometer / "schemas/waves/.dk.toml.swp").write_text("", encoding="utf-8")
    code, output = command(barometer, "check", "--json")
    assert code == 0
    assert json.loads(output)["unread"] == [
        "schemas/codebok.toml",
        "schemas/instruments/old.csv",
        "schemas/translations/sv.csv",
        "schemas/waves/dk-2024.tml",
    ]
    assert "schemas/waves/dk-2024.tml: nothing reads this file" in command(barometer, "check")[1]


@pytest.mark.parametrize("deleted", [True, False])
def test_a_barometer_has_waves(deleted: bool, barometer: Path) -> None:
    for path in (barometer / "schemas/waves").iterdir():
        path.rename(path.with_suffix(".tml")) if not deleted else path.unlink()
    if deleted:
        (barometer / "schemas/waves").rmdir()
    shows(barometer, "schemas/waves: declares no wave")


def test_an_empty_wave_file_is_a_problem_of_that_wave(barometer: Path) -> None:
    (barometer / "schemas/waves/dk-2020.toml").write_text("", encoding="utf-8")
    assert [(each.wave, each.message) for each in load_catalogue(barometer).problems] == [
        ("dk-2020", "is empty")
    ]
