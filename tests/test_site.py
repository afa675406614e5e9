"""The site without a browser: what its files say, link and weigh."""

from __future__ import annotations

import csv
import hashlib
import http.client
import json
import re
import shutil
import subprocess
import threading
import tomllib
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from lxml import etree, html

from pipeline.catalogue import load_catalogue
from pipeline.catalogue.model import Rounding
from pipeline.cli.serve import server
from pipeline.problems import ProblemError
from pipeline.site import build_site
from pipeline.site.charts import Scale, categories
from pipeline.site.language import Language
from pipeline.site.numbers import DASH, MINUS, NumberFormat
from pipeline.site.package_reader import Estimate, PackageData
from pipeline.site.pictures import png
from pipeline.site.ui_strings import FOLDER, UiStrings, load
from pipeline.staleness.status import site_current, sound_waves
from pipeline.steps.site import site as site_step
from tests.barometers import edit
from tests.releases import seal
from tests.sites import HOSTILE, awkward_site, built_site

LANGUAGES = sorted(path.stem for path in FOLDER.glob("*.toml"))
MOST = 200_000
INLINE = re.compile(r"<[^>]+\s(on\w+|style)=", re.IGNORECASE)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built_site(tmp_path_factory.mktemp("site") / "barometer")


@pytest.fixture(scope="module")
def awkward(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return awkward_site(tmp_path_factory.mktemp("awkward") / "barometer")


@pytest.fixture(scope="module")
def made_up(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return awkward_site(tmp_path_factory.mktemp("made-up") / "barometer", synthetic=True)


def pages(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.html"))


def page(path: Path) -> html.HtmlElement:
    return html.fromstring(path.read_text(encoding="utf-8"))


def text(element: html.HtmlElement) -> str:
    return " ".join(element.text_content().split())


def hashes(folder: Path) -> dict[str, str]:
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def published(folder: Path) -> list[dict[str, str]]:
    path = next((folder / "data").rglob("data/estimates.csv"))
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_there_is_a_page_of_every_kind_in_every_language(built: Path) -> None:
    inside = "test-barometer"
    for language in ("en", "da"):
        for place in (
            "index.html", f"{inside}/index.html", f"{inside}/indicators/novelty.html", f"{inside}/surveys/dk.html",
            f"{inside}/surveys/index.html", f"{inside}/waves/dk-2022.html", f"{inside}/compare.html",
            f"{inside}/explore.html", f"{inside}/search.html", f"{inside}/downloads.html",
            f"{inside}/codebook/index.html", f"{inside}/codebook/introduced.html", f"{inside}/embed/any_innovation.html",
        ):  # fmt: skip
            assert (built / language / place).is_file(), place
    assert text(page(built / "index.html").find(".//h1")) == "Test barometer"


def test_the_numbers_on_a_page_are_the_cells_of_the_package(built: Path) -> None:
    rows = [row for row in published(built) if row["domain"] == "total"]
    compared = 0
    for indicator in {row["indicator"] for row in rows}:
        found = page(built / "da" / "test-barometer" / "indicators" / f"{indicator}.html")
        table = found.xpath("//section[@aria-labelledby='values']//table")[0]
        heads = [text(head) for head in table.xpath(".//thead//th")]
        value, size = heads.index("Værdi"), heads.index("n")
        shown = [[text(cell) for cell in row.xpath("./th|./td")] for row in table.xpath(".//tbody/tr")]
        said = sorted((row[value], row[size].replace(".", "")) for row in shown)
        cells = sorted(
            (":" if row["value"] == "" else row["value"], row["n"])
            for row in rows
            if row["indicator"] == indicator
        )
        as_number = [(danish(one), n) for one, n in said]
        assert sorted(as_number) == sorted((number(one), n) for one, n in cells), indicator
        compared += len(cells)
    assert compared == len(rows) > 10


def danish(written: str) -> float | str:
    return (
        written if written == ":" else float(written.replace(".", "").replace(",", ".").replace(MINUS, "-"))
    )


def number(written: str) -> float | str:
    return written if written == ":" else float(written)


def test_the_breakdowns_are_the_cells_of_the_package(built: Path) -> None:
    row = next(
        row for row in published(built)
        if (row["wave"], row["indicator"], row["domain_code"]) == ("dk-2022", "any_innovation", "care")
    )  # fmt: skip
    found = page(built / "en" / "test-barometer" / "indicators" / "any_innovation.html")
    line = found.xpath("//section[@aria-labelledby='breakdowns']//tr[th='Care']")[0]
    newest = line.xpath("./td")[-1]
    interval = f"{row['ci_low']}{DASH}{row['ci_high']}"
    assert (
        text(newest).startswith(row["value"]) and interval in text(newest) and text(newest).endswith(row["n"])
    )


def test_the_scripts_hold_every_cell(built: Path) -> None:
    rows = published(built)
    path = built / "tables" / "test-barometer"
    values: list[float] = []
    for file in (*path.glob("[a-z_]*.js"),):
        if "compared" in file.name:
            continue
        _, _, rest = file.read_text(encoding="utf-8").partition(",")
        for _, _, cells in json.loads(rest.strip().removesuffix(")")):
            values += [cell[2] for cell in cells if len(cell) > 2 and cell[2] is not None]
    assert sorted(values) == sorted(float(row["value"]) for row in rows if row["value"])


def test_every_link_leads_somewhere(built: Path) -> None:
    for path in pages(built):
        found = page(path)
        ids = set(found.xpath("//@id"))
        for address in [*found.xpath("//@href"), *found.xpath("//@src")]:
            parts = urlsplit(address)
            if parts.scheme in ("https", "http", "mailto"):
                continue
            if not parts.path:
                assert unquote(parts.fragment) in ids, (path, address)
                continue
            assert (path.parent / unquote(parts.path)).resolve().is_file(), (path, address)
            assert not address.startswith("/"), "only relative addresses open from a folder"


def test_every_page_is_valid_html(built: Path, repository: Path) -> None:
    jar = repository / ".validators" / "node" / "node_modules" / "vnu-jar" / "build" / "dist" / "vnu.jar"
    java = shutil.which("java")
    if java is None or not jar.is_file():
        pytest.skip("the HTML validator is fetched by `make validators`, and needs Java")
    command = [java, "-jar", str(jar), "--errors-only", *map(str, pages(built))]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stderr == "" and done.returncode == 0


def test_nothing_is_loaded_from_elsewhere_and_nothing_runs_inline(built: Path) -> None:
    for path in pages(built):
        source = path.read_text(encoding="utf-8")
        found = html.fromstring(source)
        assert not found.xpath("//script[not(@src) and not(contains(@type, 'json'))]"), path
        assert not found.xpath("//style"), path
        assert not INLINE.search(source), path
        policy = found.xpath("//meta[@http-equiv='Content-Security-Policy']/@content")[0]
        assert "default-src 'none'" in policy and "unsafe" not in policy
        for address in [*found.xpath("//script/@src"), *found.xpath("//link[@rel='stylesheet']/@href")]:
            assert not urlsplit(address).netloc


def test_hostile_labels_stay_labels(built: Path) -> None:
    for path in pages(built):
        source = path.read_text(encoding="utf-8")
        assert "<b>New</b>" not in source and "<img" not in source and ">49<" not in source, path
        for script in html.fromstring(source).xpath("//script[@type]"):
            json.loads(script.text_content())
    table = page(built / "en" / "test-barometer" / "indicators" / "introduced.html")
    assert HOSTILE in table.text_content()
    for picture in built.rglob("*.svg"):
        etree.parse(picture)


def test_a_missing_translation_is_english_and_says_so(built: Path) -> None:
    found = page(built / "da" / "test-barometer" / "indicators" / "novelty.html")
    heading = found.find(".//h1")
    assert text(heading) == "Novelty of the newest innovation [en]"
    assert heading.find("span").get("lang") == "en"
    assert "Først" in text(found) and found.get("lang") == "da"


def test_a_language_without_words_falls_back_visibly() -> None:
    words = UiStrings("tlh")
    assert str(words.downloads) == '<span lang="en">Downloads</span>'
    assert words.plain("downloads") == "Downloads"
    assert NumberFormat("tlh", Rounding()).count(1234) == "1,234"


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_interface_speaks_the_language_wholly(language: str) -> None:
    english = load("en")
    gaps = re.compile(r"{\w+}")
    words = tomllib.loads((FOLDER / f"{language}.toml").read_text(encoding="utf-8"))
    assert words.keys() == english.keys()
    for key, word in words.items():
        assert word and sorted(gaps.findall(word)) == sorted(gaps.findall(english[key])), key


def test_no_word_is_unused() -> None:
    room = FOLDER.parent
    files = [*room.rglob("*.py"), *room.rglob("*.j2"), *room.rglob("assets/*.js")]
    used = "\n".join(path.read_text(encoding="utf-8") for path in files)
    kinds = (
        "flag_",
        "mark_",
        "verdict_",
        "rule_text_",
        "unit_",
        "kind_",
        "type_",
        "fact_",
        "not_",
        "method_",
        "files_",
        "change_",
    )
    assert [
        key for key in load("en") if not key.startswith(kinds) and not re.search(rf"\b{key}\b", used)
    ] == []


@pytest.mark.parametrize(
    ("language", "count", "share", "percent"),
    [
        ("en", "12,345", "83.1", "%"), ("da", "12.345", "83,1", "\u00a0%"), ("nb", "12\u00a0345", "83,1", "\u00a0%"),
        ("sv", "12\u00a0345", "83,1", "\u00a0%"), ("fi", "12\u00a0345", "83,1", "\u00a0%"), ("is", "12.345", "83,1", "%"),
    ],
)  # fmt: skip
def test_numbers_are_written_as_the_language_does(
    language: str, count: str, share: str, percent: str
) -> None:
    numbers = NumberFormat(language, Rounding())
    assert (numbers.count(12345), numbers.text(83.1, 1), numbers.percent) == (count, share, percent)
    assert numbers.text(-3.0, 1)[0] == MINUS and numbers.signed(2, 0) == "+2"


def test_synthetic_data_say_so_on_every_page_and_in_every_chart(made_up: Path) -> None:
    for path in pages(made_up / "en" / "made-up"):
        assert "measured from nobody" in text(page(path)), path
    for picture in (made_up / "en" / "made-up" / "charts").glob("*.svg"):
        assert "Synthetic data" in "".join(etree.parse(picture).getroot().itertext()), picture
    for figure in page(made_up / "en" / "index.html").xpath("//figure"):
        assert "Synthetic data" in text(figure)


def test_official_data_never_say_so(awkward: Path) -> None:
    for path in pages(awkward / "en"):
        assert "measured from nobody" not in text(page(path)), path


def test_every_flag_on_a_page_is_explained_there(awkward: Path) -> None:
    found = page(awkward / "en" / "test-barometer" / "indicators" / "any_innovation.html")
    section = found.xpath("//section[@aria-labelledby='breakdowns']")[0]
    marks = {text(mark) for mark in section.xpath(".//td//abbr")}
    explained = {text(mark) for mark in section.xpath(".//dt")}
    assert marks == {"c", "d"} and marks < explained and ":" in explained


def test_a_hidden_value_is_nowhere(awkward: Path) -> None:
    found = page(awkward / "en" / "test-barometer" / "indicators" / "any_innovation.html")
    (row,) = found.xpath("//section[@aria-labelledby='breakdowns']//tr[th='Care']")
    assert text(row) == "Care: c"


def test_two_builds_give_the_same_bytes(built: Path, tmp_path: Path) -> None:
    root = built.parents[1]
    again = tmp_path / "site"
    again.mkdir()
    build_site(load_catalogue(root), [root / "warehouse" / "candidate" / "test-barometer"], again)
    assert hashes(again) == hashes(built)


def test_the_step_is_done_once_until_something_changed(built: Path) -> None:
    root = built.parents[1]
    catalogue = load_catalogue(root)
    assert site_current(catalogue, sound_waves(catalogue))
    assert not site_step(catalogue).redone


def test_no_page_weighs_more_than_it_may(built: Path) -> None:
    shared = sum(
        (built / "assets" / name).stat().st_size
        for name in ("site.css", "site.js", "tables.js", "explore.js")
    )
    assert shared + max(path.stat().st_size for path in pages(built)) < MOST


def test_breaks_and_verdicts_come_from_the_published_comparisons(built: Path) -> None:
    rows = pq.read_table(next((built / "data").rglob("comparisons.parquet"))).to_pylist()
    assert rows
    found = page(built / "en" / "test-barometer" / "indicators" / "any_innovation.html")
    said = {
        cell.get("class").removeprefix("v-") for cell in found.xpath("//table[@class='matrix']//td[@class]")
    }
    mine = {
        row["verdict"] for row in rows if (row["indicator"], row["domain"]) == ("any_innovation", "total")
    }
    assert said - {"self", "unknown"} == mine
    for row in rows:
        if row["verdict"] == "not_comparable":
            assert row["difference"] is None


def test_without_comparisons_nothing_is_joined(awkward: Path) -> None:
    found = page(awkward / "en" / "test-barometer" / "indicators" / "any_innovation.html")
    assert found.xpath("//svg//circle") and not found.xpath("//svg//line[@class='join']")
    assert "Comparisons are not built" in text(found)


def test_downloads_list_every_file_with_size_and_checksum(built: Path) -> None:
    found = page(built / "en" / "test-barometer" / "downloads.html")
    folder = built / "data" / "test-barometer" / "candidate"
    listed = {link.get("href"): link for link in found.xpath("//table[@class='files']//a")}
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert len(listed) == len(files) > 20
    for file in files:
        link = next(
            link for href, link in listed.items() if href.endswith(f"/{file.relative_to(folder).as_posix()}")
        )
        sum_shown = text(link.getparent().getparent().xpath("./td")[-1])
        assert sum_shown in ("", hashlib.sha256(file.read_bytes()).hexdigest())


def test_the_sitemap_names_every_page_in_every_language(built: Path) -> None:
    space = {"s": "http://www.sitemaps.org/schemas/sitemap/0.9", "x": "http://www.w3.org/1999/xhtml"}
    tree = etree.parse(built / "sitemap.xml")
    places = tree.xpath("//s:loc/text()", namespaces=space)
    for place in places:
        assert (built / place.lstrip("/")).is_file()
    embeds = [path for path in pages(built) if path.parent.name == "embed"]
    assert (
        len(places) == len(pages(built)) - len(embeds) - 1
    )  # the front page at the root is the first language's
    languages = tree.xpath("//s:url[1]/x:link/@hreflang", namespaces=space)
    assert languages == ["en", "da", "x-default"]


def test_search_engines_are_told_of_the_data(built: Path) -> None:
    (script,) = page(built / "en" / "index.html").xpath("//script[@type='application/ld+json']")
    described = json.loads(script.text_content())
    assert described["@type"] == "Dataset" and described["name"] == "Test barometer"
    assert page(built / "en" / "index.html").xpath("//link[@rel='describedby']/@href")


def test_a_sealed_release_stands_at_its_address(built: Path, tmp_path: Path) -> None:
    root = shutil.copytree(built.parents[1], tmp_path / "barometer")
    seal(root)
    catalogue = load_catalogue(root)
    assert not site_current(catalogue, sound_waves(catalogue))
    site_step(catalogue)
    data = root / "warehouse" / "site" / "data" / "test-barometer"
    assert {path.name for path in data.iterdir()} == {"1.0.0", "latest.zip", "versions.json", "feed.xml"}
    found = page(root / "warehouse" / "site" / "en" / "test-barometer" / "downloads.html")
    assert "latest.zip" in text(found) and "not released yet" not in text(found)


def test_a_png_is_a_picture(built: Path) -> None:
    path = built / "en" / "test-barometer" / "charts" / "any_innovation.png"
    assert path.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    svg = path.with_suffix(".svg").read_text(encoding="utf-8")
    assert path.read_bytes() == png(svg) and re.search("<text", svg)
    assert png(svg) != png(re.sub(r"<text.*?</text>", "", svg, flags=re.DOTALL))  # its words are drawn too


def test_a_wave_tells_who_answered_each_question_from_published_cells(built: Path) -> None:
    waves = built / "en" / "test-barometer" / "waves"
    (table,) = page(waves / "dk-2020.html").xpath("//section[@aria-labelledby='answered']//table")
    rows = {
        row.xpath(".//a/@href")[0].rpartition("/")[2].removesuffix(".html"): [
            text(cell) for cell in row.xpath("./td")
        ]
        for row in table.xpath(".//tbody/tr")
    }
    (unknown,) = (
        row
        for row in published(built)
        if (row["wave"], row["domain"], row["indicator"], row["category"])
        == ("dk-2020", "total", "novelty", "dont_know")
    )
    assert rows["introduced"] == [
        "Everyone",
        "80",
        "100%",
        "",
    ]  # of a grid only the shares of yes are published
    assert rows["novelty"] == ["innovative", unknown["n"], "", f"{float(unknown['value']):.1f}%"]
    assert rows["value"][2:] == ["", ""] and list(rows) == ["introduced", "novelty", "value"]
    assert not page(waves / "no-2020.html").xpath("//section[@aria-labelledby='answered']")


@pytest.fixture
def serving(built: Path) -> Iterator[int]:
    with server(built, 0) as made:
        thread = threading.Thread(target=made.serve_forever)
        thread.start()
        yield made.server_port
        made.shutdown()
        thread.join()


def test_the_server_sends_the_policy_and_lists_no_folder(serving: int) -> None:
    line = http.client.HTTPConnection("127.0.0.1", serving, timeout=10)
    line.request("GET", "/en/index.html")
    answer = line.getresponse()
    answer.read()
    assert answer.status == 200 and "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    line.request("GET", "/data/")
    answer = line.getresponse()
    answer.read()
    assert answer.status == 404
    line.request("GET", "/../barometer.duckdb")
    answer = line.getresponse()
    answer.read()
    assert answer.status == 404
    line.close()


def test_a_port_in_use_is_said_plainly(serving: int, built: Path) -> None:
    with pytest.raises(ProblemError, match="cannot be used"):
        server(built, serving)


def test_labels_of_the_declarations_change_the_site(built: Path, tmp_path: Path) -> None:
    root = shutil.copytree(built.parents[1], tmp_path / "barometer")
    edit(
        root / "schemas" / "indicators.toml",
        "Workplaces with at least one innovation",
        "Any innovation at all",
    )
    catalogue = load_catalogue(root)
    assert not site_current(catalogue, sound_waves(catalogue))


@pytest.fixture(scope="module")
def crowded(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small barometer with the product's own rules, two Danish surveys, and a headline of categories."""
    root = shutil.copytree(built.parents[1], tmp_path_factory.mktemp("crowded") / "barometer")
    (root / "schemas" / "comparability.toml").unlink(missing_ok=True)
    folder = root / "warehouse" / "candidate" / "test-barometer"
    path = folder / "data" / "waves.parquet"
    table = pq.read_table(path)
    surveys = ["dk-early" if wave == "dk-2020" else wave[:2] for wave in table["wave"].to_pylist()]
    at = table.column_names.index("survey")
    pq.write_table(
        table.set_column(at, table.schema.field(at), pa.array(surveys, table["survey"].type)), path
    )
    target = root / "crowded"
    target.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(PackageData, "headline", "novelty")
        build_site(load_catalogue(root), [folder], target, pictures=False)
    return target


def test_a_wave_says_what_its_charts_of_groups_show(crowded: Path) -> None:
    found = page(crowded / "en" / "test-barometer" / "waves" / "dk-2022.html")
    (section,) = found.xpath("//section[@aria-labelledby='groups']")
    (said,) = section.xpath("./p[@class='measured']")
    label = text(page(crowded / "en" / "test-barometer" / "indicators" / "novelty.html").find(".//h1"))
    assert text(said) == f"{label}: First. Per cent"
    assert {text(each) for each in section.xpath(".//caption")} == {f"{label}: First"}
    assert all(text(each).startswith(f"{label}: First, ") for each in section.xpath(".//svg/title"))


def test_the_difference_of_a_group_is_that_of_the_two_values_shown(built: Path) -> None:
    found = page(built / "en" / "test-barometer" / "waves" / "dk-2022.html")
    shown = 0
    for table in found.xpath("//section[@aria-labelledby='groups']//table"):
        rows = [[text(cell) for cell in row.xpath("./th|./td")] for row in table.xpath(".//tbody/tr")]
        (_, whole, *_), *groups = rows
        assert rows[0][0] == "Everyone"
        for _, value, *_, difference in groups:
            if difference:
                expected = float(value.split()[0]) - float(whole)
                assert float(difference.rstrip(" *").replace(MINUS, "-")) == pytest.approx(expected)
                shown += 1
    assert shown > 1


def test_surveys_of_one_country_are_told_apart(crowded: Path, built: Path) -> None:
    inside = crowded / "en" / "test-barometer"
    found = page(inside / "indicators" / "any_innovation.html")
    heads = [text(head) for head in found.xpath("//table[@class='matrix']/thead//th")]
    assert heads == ["dk 2022", "dk-early 2020", "NO 2020"]
    names = {text(name) for name in found.xpath("//section[@aria-labelledby='values']//tbody/tr/th")}
    assert names == {"Denmark (dk)", "Denmark (dk-early)", "Norway"}
    assert "Survey 2020. Test office" in text(page(inside / "surveys" / "dk-early.html"))
    alone = page(built / "en" / "test-barometer" / "waves" / "no-2020.html")
    assert alone.xpath("//dl/div[dt='Survey']/dd/a/text()") == ["no"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_products_own_rules_and_verdicts_have_a_sentence(crowded: Path, language: str) -> None:
    catalogue = load_catalogue(crowded.parent)
    assert not catalogue.comparability.own
    spoken = Language(language, catalogue)
    sentences = {f"verdicts.{verdict}": text for verdict, text in catalogue.comparability.verdicts.items()}
    sentences |= {f"rules.{rule.key}.text": rule.text for rule in catalogue.comparability.rules.values()}
    for key, sentence in sentences.items():
        said = spoken.markup(key)
        assert said.endswith(".") and "lang=" not in said
        assert (spoken.plain(key) == sentence) is (language == "en"), key


def test_the_legend_of_verdicts_is_never_blank(crowded: Path) -> None:
    for place in ("en/test-barometer/indicators/any_innovation.html", "da/test-barometer/compare.html"):
        said = page(crowded / place).xpath("//section[@aria-labelledby='verdicts']//dl/div/dd")
        assert len(said) == 4 and all(text(each).endswith(".") for each in said), place


def test_marks_stand_clear_of_the_label_above_them() -> None:
    cell = Estimate("w", "i", "c", "total", "", "percent", "microdata", 9, 5.0, 1.0, 1.0, 9.0, "A", "F", "")
    label = "Psykisk helsevern og tverrfaglig spesialisert rusbehandling"
    made = categories(
        "", [(label, "5", [cell, cell]), ("Ganske", "5", [cell])], [], Scale(0, 20, (0, 20)), ["0", "20"]
    )
    first, second = made.rows
    assert len(first.label) == 2
    for row in made.rows:
        baseline = row.y + 8 + 17 * (len(row.label) - 1)
        assert min(mark.y for mark in row.marks) - 4.5 > baseline + 5  # a dot's top, and a letter's tail
    assert second.y + 8 - 12 > max(mark.y for mark in first.marks) + 4.5
    assert made.height > second.marks[0].y + 4.5


def test_months_of_one_month_are_said_once() -> None:
    numbers = NumberFormat("en", Rounding())
    first, later = date(2026, 4, 7), date(2026, 5, 30)
    assert numbers.months(first, date(2026, 4, 30)) == numbers.months(first, None) == "April 2026"
    assert numbers.months(first, later) == f"April 2026 {DASH} May 2026"


def test_a_base_that_nobody_labelled_is_everyone(built: Path) -> None:
    for place in (
        "index.html",
        "codebook/index.html",
        "indicators/any_innovation.html",
        "codebook/introduced.html",
    ):
        found = page(built / "en" / "test-barometer" / place)
        said = [text(each) for each in found.xpath("//h3|//td|//dd|//main/p")]
        assert any("Everyone" in each for each in said) and "all" not in said, place
