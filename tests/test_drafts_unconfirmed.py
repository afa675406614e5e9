"""What nobody has confirmed is named by `check`, built as a draft that is marked everywhere, and never released."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from pipeline.catalogue import load_catalogue
from pipeline.cli.app import app
from pipeline.hashing import file_sha256
from pipeline.problems import ProblemError
from pipeline.release.checks import check_package
from pipeline.steps.releases import seal_candidates
from pipeline.steps.site import site
from tests.barometers import edit, write_barometer
from tests.releases import PACKAGE, build


def barometer_command(root: Path | str, *words: str) -> Result:
    return CliRunner().invoke(app, ["--project", str(root), *words])


def places(root: Path) -> list[tuple[str, int]]:
    return [(each.file.removeprefix("schemas/"), each.line) for each in load_catalogue(root).unconfirmed]


def guessed(root: Path) -> Path:
    """The small barometer with a guess in a crosswalk, a wave file and the codebook."""
    edit(root / "schemas/instruments/dk.csv", "REG,S,region,south,", "REG,S,region,south,guess 0.69: Syd")
    edit(
        root / "schemas/waves/dk-2022.toml",
        'id = "ID"',
        'id = "ID"  # guess: a value of its own on every row',
    )
    edit(
        root / "schemas/codebook.toml", 'label = "Sector"', 'label = "Sector"  # TODO: the file has no label'
    )
    return root


@pytest.fixture(scope="module")
def draft(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = guessed(write_barometer(tmp_path_factory.mktemp("draft") / "barometer"))
    build(root)
    site(load_catalogue(root))
    return root


# ── what is unconfirmed ──────────────────────────────────────────────────────


def test_guesses_are_found_by_file_and_line(barometer: Path) -> None:
    assert places(barometer) == []
    crosswalk = (barometer / "schemas/instruments/dk.csv").read_text(encoding="utf-8").splitlines()
    guessed(barometer)
    assert places(barometer) == [
        ("codebook.toml", 3),
        ("instruments/dk.csv", crosswalk.index("REG,S,region,south,") + 1),
        ("waves/dk-2022.toml", 28),
    ]


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("# TODO: who answered", True),
        ("note = 'a' # Guess: as in dk-2020", True),
        ('note = """\nsays "so" # guess\n"""  # guess', True),
        ('note = "a # guess"', False),
        ("note = '# TODO'", False),
        ('note = "\\"# guess"', False),
        ('note = """\n# guess\n"""', False),
        ("# no guess any more", False),
        ("# guessed by nobody", False),
    ],
)
def test_only_a_comment_that_begins_so_is_a_guess(barometer: Path, line: str, found: bool) -> None:
    path = barometer / "schemas/waves/dk-2022.toml"
    path.write_text(f"{line}\n{path.read_text(encoding='utf-8')}", encoding="utf-8")
    assert load_catalogue(barometer).problems == ()
    assert places(barometer) == ([("waves/dk-2022.toml", line.count("\n") + 1)] if found else [])


@pytest.mark.parametrize(
    ("note", "found"), [("guess", True), ("TODO", True), ("todo: ask", True), ("confirmed guess", False), ("guesswork", False)]
)  # fmt: skip
def test_only_a_note_that_begins_so_is_a_guess(barometer: Path, note: str, found: bool) -> None:
    edit(barometer / "schemas/instruments/dk.csv", "REG,S,region,south,", f"REG,S,region,south,{note}")
    assert bool(places(barometer)) == found


def test_a_file_that_cannot_be_read_is_its_own_problem(barometer: Path) -> None:
    (barometer / "schemas/waves/dk-2022.toml").write_bytes(b"\xff # guess")
    assert places(barometer) == [] and load_catalogue(barometer).problems


# ── what is said of it ───────────────────────────────────────────────────────


def test_check_names_them_and_is_content(barometer: Path) -> None:
    guessed(barometer)
    edit(
        barometer / "schemas/instruments/dk.csv", "REG,N,region,north,", "REG,N,region,north,guess 0.70: Nord"
    )
    said = barometer_command(barometer, "check")
    assert said.exit_code == 0 and "No problems." in said.stdout
    assert "Draft: 4 guesses to confirm" in said.stdout
    assert "schemas/instruments/dk.csv, lines 4-5: guess 0.70: Nord ..." in said.stdout
    assert "schemas/waves/dk-2022.toml, line 28: guess: a value of its own" in said.stdout
    found = json.loads(barometer_command(barometer, "check", "--json").stdout)["unconfirmed"]
    assert {"file": "schemas/instruments/dk.csv", "line": 4, "text": "guess 0.70: Nord"} in found


def test_a_draft_is_built_and_marked_everywhere(draft: Path) -> None:
    folder = draft / "warehouse/candidate" / PACKAGE
    described = json.loads((folder / "datapackage.json").read_text(encoding="utf-8"))
    assert described["unconfirmed"] == 3 and described["title"].startswith("DRAFT: ")
    for said in (described, *described["resources"]):
        assert "DRAFT" in said["title"] and "DRAFT" in said["description"]
    readme = (folder / "README.md").read_text(encoding="utf-8")
    assert "DRAFT: rests on 3 guesses that nobody has confirmed yet. Never quote a figure." in readme
    quality = json.loads((folder / "quality.json").read_text(encoding="utf-8"))
    assert {"file": "schemas/codebook.toml", "line": 3} in quality["unconfirmed"]
    assert check_package(folder) == []  # which holds every description and cube to the mark
    pages = [page for kind in ("html", "svg") for page in (draft / "warehouse/site").rglob(f"*.{kind}")]
    unmarked = [page for page in pages if not re.search("Draft|Udkast", page.read_text(encoding="utf-8"))]
    assert len(pages) > 50 and {page.name for page in unmarked} == {"favicon.svg"}


def test_a_draft_that_loses_its_mark_is_refused(draft: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(draft / "warehouse/candidate" / PACKAGE, tmp_path / "candidate")
    edit(folder / "README.md", "DRAFT", "Figures")
    sums = (folder / "SHA256SUMS").read_text(encoding="utf-8")
    old = next(line for line in sums.splitlines() if line.endswith(" README.md"))
    edit(folder / "SHA256SUMS", old, f"{file_sha256(folder / 'README.md')}  README.md")
    assert any("is not marked DRAFT" in str(problem) for problem in check_package(folder))


def test_a_run_says_at_its_end_that_it_is_a_draft(draft: Path, tmp_path: Path) -> None:
    root = shutil.copytree(draft, tmp_path / "barometer")
    said = barometer_command(root, "run")
    assert said.exit_code == 0
    assert "Draft: rests on 3 guesses, to be confirmed before a release" in said.stdout


def test_release_refuses_and_says_where_and_what_to_do(draft: Path) -> None:
    said = barometer_command(draft, "release")
    assert said.exit_code == 1 and "Traceback" not in said.output
    for place in ("codebook.toml, line 3", "instruments/dk.csv, line 5", "waves/dk-2022.toml, line 28"):
        assert f"schemas/{place}: has 1 guess that nobody has confirmed." in said.stderr
    assert "take the word `guess` or `TODO` out" in said.stderr
    assert not (draft / "warehouse/releases").exists()


def test_once_confirmed_it_is_released_without_a_trace(draft: Path, tmp_path: Path) -> None:
    root = shutil.copytree(draft, tmp_path / "barometer")
    edit(root / "schemas/instruments/dk.csv", "guess 0.69: Syd", "")
    with pytest.raises(ProblemError, match="codebook"):
        build(root)
        seal_candidates(load_catalogue(root))
    edit(root / "schemas/waves/dk-2022.toml", "  # guess: a value of its own on every row", "")
    edit(root / "schemas/codebook.toml", "# TODO: the file has no label", "# no label in the file")
    build(root)
    (sealed,) = seal_candidates(load_catalogue(root))
    texts = b"".join(path.read_bytes() for path in sealed.folder.rglob("*") if path.is_file())
    assert b"DRAFT" not in texts and b"guess" not in texts


def test_a_guess_of_a_wave_in_no_package_stops_nothing(barometer: Path) -> None:
    shutil.copy(barometer / "schemas/instruments/dk.csv", barometer / "schemas/instruments/other.csv")
    shutil.copy(barometer / "schemas/instruments/dk.toml", barometer / "schemas/instruments/other.toml")
    edit(barometer / "schemas/instruments/other.csv", "REG,S,region,south,", "REG,S,region,south,guess")
    build(barometer)
    assert len(load_catalogue(barometer).unconfirmed) == 1
    assert seal_candidates(load_catalogue(barometer))[0].new
