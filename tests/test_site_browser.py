"""The site in a real browser: no error, no request outside, no barrier, and everything by keyboard."""

from __future__ import annotations

import json
import os
import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from pipeline.catalogue import load_catalogue
from pipeline.cli.serve import server
from pipeline.site import build_site
from pipeline.steps.site import site as site_step
from tests.packages import official_package
from tests.sites import awkward_site, built_site

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = (
    "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
RULES = {
    "runOnly": {
        "type": "tag",
        "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    },
    "resultTypes": ["violations"],
    "preload": False,  # it would fetch the style sheet, which a folder does not allow
}
NARROW = {"width": 320, "height": 640}
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine")


@dataclass
class Visit:
    """A browser window that remembers what went wrong."""

    context: BrowserContext
    page: Page
    wrong: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def open(self, address: str) -> Page:
        self.page.goto(address)
        return self.page


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as made:
        browser = made.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium: Browser) -> Iterator[Visit]:
    context = chromium.new_context()
    page = context.new_page()
    made = Visit(context, page)
    page.on(
        "console", lambda said: made.wrong.append(said.text) if said.type in ("error", "warning") else None
    )
    page.on("pageerror", lambda error: made.wrong.append(str(error)))
    page.on("request", lambda request: made.asked.append(request.url))
    yield made
    context.close()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built_site(tmp_path_factory.mktemp("browser") / "barometer")


@pytest.fixture(scope="module")
def made_up(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return awkward_site(tmp_path_factory.mktemp("made-up") / "barometer", synthetic=True)


@pytest.fixture(scope="module")
def site(folder: Path) -> Iterator[str]:
    with server(folder, 0) as serving:
        thread = threading.Thread(target=serving.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{serving.server_port}/"
        serving.shutdown()
        thread.join()


def every_page(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.html"))


def barriers(page: Page) -> list[str]:
    found = Axe().run(page, options=RULES).response["violations"]
    return [f"{each['id']}: {each['nodes'][0]['html'][:160]}" for each in found]


def test_every_page_loads_without_error_and_asks_nobody_else(folder: Path, site: str, visit: Visit) -> None:
    for place in every_page(folder):
        visit.open(site + place)
        visit.page.wait_for_load_state("networkidle")
        assert visit.wrong == [], (place, visit.wrong)
    assert {address for address in visit.asked if not address.startswith(site)} == set()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_has_a_barrier(folder: Path, site: str, visit: Visit, scheme: str) -> None:
    visit.page.emulate_media(color_scheme=scheme)
    for place in every_page(folder):
        if place.startswith("en/" if scheme == "light" else "da/"):
            visit.open(site + place)
            assert barriers(visit.page) == [], place


def test_synthetic_pages_have_no_barrier(made_up: Path, visit: Visit) -> None:
    for place in every_page(made_up):
        if place.startswith("nb/"):
            visit.open((made_up / place).as_uri())
            assert barriers(visit.page) == [], place
    assert visit.wrong == []


def test_every_page_fits_a_narrow_screen(folder: Path, visit: Visit) -> None:
    visit.page.set_viewport_size(NARROW)
    for place in every_page(folder):
        if place.startswith("da/"):
            visit.open((folder / place).as_uri())
            over = visit.page.evaluate("document.documentElement.scrollWidth - innerWidth")
            assert over <= 0, (place, over)


@pytest.fixture(scope="module")
def official(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site of the bundled official package."""
    root = tmp_path_factory.mktemp("official") / "barometer"
    root.mkdir()
    package = official_package(repository, root)
    target = root / "site"
    target.mkdir()
    build_site(load_catalogue(root), [package], target, pictures=False)
    return target


@pytest.mark.parametrize("language", ["en", "da", "nb", "sv", "fi", "is"])
def test_the_bundled_barometer_reads_well_in_every_language(
    official: Path, visit: Visit, language: str
) -> None:
    inside = f"{language}/nordic-innovation-barometer"
    for place in (
        f"{language}/index.html", f"{inside}/index.html", f"{inside}/indicators/any_innovation.html",
        f"{inside}/indicators/factor_promoting.html", f"{inside}/waves/dk-2023.html", f"{inside}/surveys/no-ks.html",
        f"{inside}/codebook/introduced.html", f"{inside}/explore.html", f"{inside}/downloads.html",
    ):  # fmt: skip
        visit.page.set_viewport_size(NARROW)
        visit.open((official / place).as_uri())
        assert visit.page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, place
        assert barriers(visit.page) == [], place
    assert visit.wrong == []


def test_every_page_opens_from_a_folder(folder: Path, visit: Visit) -> None:
    for place in every_page(folder):
        if place.startswith("en/"):
            visit.open((folder / place).as_uri())
    visit.page.wait_for_load_state("networkidle")
    assert visit.wrong == []
    assert all(address.startswith(("file:", "data:")) for address in visit.asked)


@pytest.mark.parametrize("served", [True, False])
def test_explore_filters_sorts_and_copies_by_keyboard(
    folder: Path, site: str, visit: Visit, served: bool
) -> None:
    place = "en/test-barometer/explore.html"
    page = visit.open(site + place if served else (folder / place).as_uri())
    page.wait_for_selector("#result tbody tr")
    focus(page, "#f-domain")
    page.keyboard.press("s")  # Sector
    page.locator("#result tbody td", has_text="Care").first.wait_for()
    focus(page, "#result button[data-sort=value]")
    page.keyboard.press("Enter")
    assert page.locator("th[aria-sort=ascending]").inner_text().startswith("Value")
    shown = [row for row in page.locator("#result tbody tr td:nth-child(5)").all_inner_texts() if row != ":"]
    assert shown == sorted(shown, key=float)
    page.keyboard.press("Enter")
    assert page.locator("th[aria-sort=descending]").count() == 1
    focus(page, "#copy")
    page.keyboard.press("Enter")
    page.get_by_text("Copied", exact=True).wait_for()
    assert visit.wrong == []


def test_explore_downloads_what_is_shown(site: str, visit: Visit) -> None:
    page = visit.open(site + "en/test-barometer/explore.html")
    page.wait_for_selector("#result tbody tr")
    with page.expect_download() as download:
        page.click("#download")
    lines = Path(download.value.path()).read_text(encoding="utf-8").splitlines()
    assert lines[0].startswith("wave,country,indicator,category,domain,domain_code,value")
    assert len(lines) == 1 + page.locator("#result tbody tr").count()


def test_compare_gives_verdict_and_difference_by_keyboard(folder: Path, visit: Visit) -> None:
    page = visit.open((folder / "en/test-barometer/compare.html").as_uri() + "#any_innovation")
    page.wait_for_selector("#answer .verdict")
    focus(page, "#c-a")
    page.keyboard.press("Home")
    focus(page, "#c-b")
    page.keyboard.press("ArrowDown")
    page.wait_for_selector("#answer table")
    assert page.locator("#answer .verdict strong").inner_text()
    focus(page, "#c-groups")
    rows = page.locator("#answer tbody tr").count()
    page.keyboard.press("Space")
    page.locator("#answer tbody tr").nth(rows).wait_for()
    assert visit.wrong == []


def test_a_tiny_p_is_never_written_as_nothing(folder: Path, tmp_path: Path, visit: Visit) -> None:
    root = shutil.copytree(folder, tmp_path / "site")
    script = root / "tables" / "test-barometer" / "any_innovation.compared.js"
    name, _, rest = script.read_text(encoding="utf-8").partition(",")
    parts = json.loads(rest.strip().removesuffix(")"))
    for *_, cells in parts:
        for cell in cells:
            cell[-2:] = [0, 0.05]
    script.write_text(f"{name},{json.dumps(parts)})", encoding="utf-8")
    page = visit.open((root / "en/test-barometer/compare.html").as_uri() + "#any_innovation")
    page.wait_for_selector("#answer table")
    assert page.locator("#answer tbody tr").first.locator("td").all_inner_texts()[-2:] == [
        "<0.0001",
        "0.0500",
    ]


def test_tables_sort_by_keyboard(folder: Path, visit: Visit) -> None:
    page = visit.open((folder / "en/test-barometer/indicators/introduced.html").as_uri())
    focus(page, "table.sortable th:nth-child(4) button")
    page.keyboard.press("Enter")
    values = page.locator("table.sortable tbody td:nth-child(4)").all_inner_texts()
    assert values == sorted(values, key=float) and len(values) > 1


def test_search_finds_by_title_and_by_label(folder: Path, visit: Visit) -> None:
    page = visit.open((folder / "da/test-barometer/search.html").as_uri())
    page.fill("#q", "mindst en INNOVATION")
    assert "Mindst én innovation" in page.locator("#found a").first.inner_text()
    page.fill("#q", "først")
    assert page.locator("#found a").count() == 1
    page.locator("#found a").first.click()
    assert page.url.endswith("indicators/novelty.html")


def test_the_first_tab_leads_to_the_content(site: str, visit: Visit) -> None:
    page = visit.open(site + "en/index.html")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


def test_print_leaves_the_menus_out(site: str, visit: Visit) -> None:
    page = visit.open(site + "en/test-barometer/indicators/any_innovation.html")
    page.emulate_media(media="print")
    assert not page.locator("nav.main").is_visible() and page.locator("h1").is_visible()


def test_sql_answers_offline_by_keyboard(
    repository: Path, folder: Path, visit: Visit, tmp_path: Path
) -> None:
    engine = repository / ".sqljs"
    if not (engine / "sql-wasm.wasm").is_file():
        pytest.skip("the engine of the SQL page is fetched by `make site-sql`")
    root = shutil.copytree(folder.parents[1], tmp_path / "barometer")
    shutil.copytree(engine, root / ".sqljs", ignore=shutil.ignore_patterns("node"))
    assert site_step(load_catalogue(root)).redone
    page = visit.open((root / "warehouse/site/en/test-barometer/sql.html").as_uri())
    page.wait_for_selector("#run:not([disabled])")
    assert barriers(page) == []
    page.fill("#statement", "SELECT count(*) AS rows FROM estimates")
    page.keyboard.press("Control+Enter")
    lines = (
        (root / "warehouse/candidate/test-barometer/data/estimates.csv")
        .read_text(encoding="utf-8")
        .splitlines()
    )
    assert page.locator("#result tbody td").inner_text() == str(len(lines) - 1)
    page.fill("#statement", "DROP TABLE estimates")
    focus(page, "#run")
    page.keyboard.press("Enter")
    assert "readonly" in page.locator("#status").inner_text()
    assert visit.wrong == []


def focus(page: Page, selector: str) -> None:
    page.focus(selector)
    assert page.evaluate(
        "document.activeElement.matches(arguments[0])".replace("arguments[0]", repr(selector))
    )
