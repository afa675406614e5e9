"""What is stale follows from the code that is imported, the declarations and the bytes; and from nothing
else.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from modulefinder import ModuleFinder
from pathlib import Path

import pytest

from pipeline.catalogue import load_catalogue
from pipeline.problems import ProblemError
from pipeline.staleness import code
from pipeline.staleness.findings import WAVE_CHECKS, checks_due, findings, keep_finding
from pipeline.staleness.fingerprint import product_inputs, site_input, wave_inputs
from pipeline.staleness.outputs import (
    LAYERS,
    PRODUCT_STEPS,
    PRODUCTS,
    RECORD,
    WAVE_STEPS,
    make,
    product_folder,
    wave_folder,
)
from pipeline.staleness.status import products_current, site_current, sound_waves, status
from pipeline.steps import products, waves
from pipeline.steps.site import site
from tests.barometers import edit, write_barometer
from tests.releases import build

REPOSITORY = Path(__file__).parents[1]
STEPS = (*WAVE_STEPS, *PRODUCT_STEPS, "site")


def product_files() -> list[str]:
    """Every file of the product, its tables and SQL."""
    places = [path.relative_to(REPOSITORY) for path in (REPOSITORY / "pipeline").rglob("*") if path.is_file()]
    return sorted(place.as_posix() for place in places if "__pycache__" not in place.parts)


@pytest.fixture(scope="module")
def imported() -> dict[str, set[str]]:
    """The modules that each step imports, as Python's own finder sees them in the compiled code."""
    found = {}
    for step in STEPS:
        finder = ModuleFinder(path=[str(REPOSITORY)])
        finder.import_hook(f"pipeline.steps.{step}")
        found[step] = {name for name in finder.modules if name.split(".")[0] == "pipeline"}
    return found


def owner(file: str) -> str:
    """The module that a file is, or the package that reads it."""
    place = Path(file)
    if place.suffix == ".py":
        return ".".join(place.with_suffix("").parts).removesuffix(".__init__")
    package = next(each for each in place.parents if (REPOSITORY / each / "__init__.py").is_file())
    return ".".join(package.parts)


def copy_of_product(target: Path) -> Path:
    shutil.copytree(
        REPOSITORY / "pipeline", target / "pipeline", ignore=shutil.ignore_patterns("__pycache__")
    )
    return target


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_of_product(tmp_path_factory.mktemp("product"))


@pytest.fixture(scope="module")
def declared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_barometer(tmp_path_factory.mktemp("declared") / "barometer")


def fingerprints(copy: Path, declared: Path) -> tuple[dict[str, str], dict[str, str]]:
    """The hash of each step's code, and its whole fingerprint, if the product were that copy."""
    with pytest.MonkeyPatch.context() as patch:
        sources = code.Sources(copy / "pipeline")
        patch.setattr(code, "_installed", lambda: sources)
        code.code_of.cache_clear()
        catalogue = load_catalogue(declared)
        made = wave_inputs(catalogue.waves["dk-2020"], catalogue)
        sound = {"dk-2020": made["wave_statistics"]}
        made |= product_inputs(catalogue, sound) | {"site": site_input(catalogue, sound)}
        codes = {step: code.code(step) for step in STEPS}
    code.code_of.cache_clear()
    return codes, made


@pytest.fixture(scope="module")
def unchanged(copied: Path, declared: Path) -> tuple[dict[str, str], dict[str, str]]:
    return fingerprints(copied, declared)


@pytest.mark.parametrize("file", product_files())
def test_a_changed_byte_changes_exactly_the_steps_that_hold_its_module(
    file: str,
    copied: Path,
    declared: Path,
    imported: dict[str, set[str]],
    unchanged: tuple[dict[str, str], dict[str, str]],
) -> None:
    path = copied / file
    before = path.read_bytes()
    path.write_bytes(before + b"\n")
    try:
        codes, made = fingerprints(copied, declared)
    finally:
        path.write_bytes(before)
    holding = [step for step in STEPS if owner(file) in imported[step]]
    assert [step for step in STEPS if codes[step] != unchanged[0][step]] == holding
    redone = STEPS[STEPS.index(holding[0]) :] if holding else ()  # a step's fingerprint covers those before
    if holding == ["warehouse"]:
        redone = ("warehouse",)  # the site is made of packages alone
    assert [step for step in STEPS if made[step] != unchanged[1][step]] == list(redone)


def test_protection_restages_nothing_before_what_it_protects(imported: dict[str, set[str]]) -> None:
    protected = [step for step in STEPS if "pipeline.disclosure.secondary" in imported[step]]
    assert protected and not {*protected} & {*WAVE_STEPS, "estimates"}
    assert [step for step in STEPS if "pipeline.site.build" in imported[step]] == ["site"]


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("import pipeline.a.b as c\n", {"pipeline.a.b"}),
        ("def f():\n    from . import one\n", {"pipeline.x", "pipeline.x.one"}),
        ("from ..y import (  # a (comment)\n    two,\n    three as four,\n)\n", {"pipeline.y.two", "pipeline.y.three", "pipeline.y"}),
        ("from pipeline.z \\\n    import five\n", {"pipeline.z", "pipeline.z.five"}),
        ('"""Text.\n\nfrom here import what is not\n"""\nimport pipeline.six\n', {"pipeline.six"}),
    ],
)  # fmt: skip
def test_imports_are_seen_however_they_are_written(source: str, found: set[str]) -> None:
    assert code.imports(source.encode(), "pipeline.x") >= found
    assert "here" not in code.imports(source.encode(), "pipeline.x")


def run(copy: Path, project: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pipeline", "--project", str(project), *words]
    environment = os.environ | {"PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(command, cwd=copy, env=environment, capture_output=True, text=True, check=False)


def test_one_changed_line_of_code_is_redone_and_verifies(tmp_path: Path, barometer: Path) -> None:
    copy = copy_of_product(tmp_path / "product")
    assert run(copy, barometer, "run").returncode == 0
    domains = barometer / "warehouse/candidate/test-barometer/data/translations.csv"
    assert "Sektor" in domains.read_text(encoding="utf-8")
    edit(copy / "pipeline/catalogue/texts.py", "{key: text for", "{key: text.upper() for")
    again = run(copy, barometer, "run")
    assert again.returncode == 0 and "Built 3 waves" in again.stdout, again.stdout + again.stderr
    assert run(copy, barometer, "release").returncode == 0
    release = barometer / "warehouse/releases/test-barometer/1.0.0"
    verified = run(copy, barometer, "verify", str(release))
    assert verified.returncode == 0, verified.stdout + verified.stderr


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = write_barometer(tmp_path_factory.mktemp("finished") / "barometer")
    build(root)
    site(load_catalogue(root))
    return root


@pytest.fixture
def built(finished: Path, tmp_path: Path) -> Path:
    return shutil.copytree(finished, tmp_path / "barometer")


def shorten(content: bytes) -> bytes:
    return content[: len(content) // 2]


def flip(content: bytes) -> bytes:
    """Other content of the same size."""
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


def intermediates(root: Path) -> Iterator[Path]:
    for folder in (*LAYERS.values(), *PRODUCTS.values()):
        yield from (path for path in sorted((root / "warehouse" / folder).rglob("*")) if path.is_file())


@pytest.mark.parametrize("spoil", [shorten, flip])
def test_every_intermediate_file_is_held_to_its_bytes(built: Path, spoil: Callable[[bytes], bytes]) -> None:
    catalogue = load_catalogue(built)
    sound = sound_waves(catalogue)
    assert len(sound) == 3 and products_current(catalogue, sound)
    places = list(intermediates(built))
    assert len(places) > 30
    for path in places:
        before, times = path.read_bytes(), path.stat()
        path.write_bytes(spoil(before))
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
        seen = sound_waves(catalogue)
        assert seen != sound or not products_current(catalogue, seen), path
        path.write_bytes(before)
    assert sound_waves(catalogue) == sound and products_current(catalogue, sound)


@pytest.mark.parametrize("spoil", [shorten, flip])
@pytest.mark.parametrize(
    "step", ["harmonised_wave", "weighted_wave", "estimates", "warehouse", "data_package"]
)
def test_a_spoilt_file_is_made_again(built: Path, spoil: Callable[[bytes], bytes], step: str) -> None:
    wave = step in WAVE_STEPS
    folder = wave_folder(built, step, "dk-2020") if wave else product_folder(built, step)
    path = max(
        (path for path in folder.iterdir() if path.name != RECORD), key=lambda path: path.stat().st_size
    )
    before = path.read_bytes()
    path.write_bytes(spoil(before))
    catalogue = load_catalogue(built)
    if wave:
        assert status("dk-2020", catalogue) == "stale"
        assert getattr(waves, step)("dk-2020", catalogue).redone
        assert path.read_bytes() == before and status("dk-2020", catalogue) == "current"
    else:
        assert not products_current(catalogue, sound_waves(catalogue))
        assert getattr(products, step)(catalogue).redone
        assert products_current(catalogue, sound_waves(catalogue))


@pytest.mark.parametrize("place", ["barometer.duckdb", "candidate/test-barometer/data/estimates.csv"])
def test_a_spoilt_product_is_made_again(built: Path, place: str) -> None:
    path = built / "warehouse" / place
    path.write_bytes(flip(path.read_bytes()))
    build(built)
    catalogue = load_catalogue(built)
    assert products_current(catalogue, sound_waves(catalogue))


@pytest.mark.parametrize("spoil", [shorten, flip, Path.unlink])
@pytest.mark.parametrize("kind", ["html", "js", "css", "svg", "png"])
def test_every_file_of_the_site_is_held_to_its_bytes(
    built: Path, spoil: Callable[..., bytes | None], kind: str
) -> None:
    path = sorted((built / "warehouse/site").rglob(f"*.{kind}"))[-1]
    before = path.read_bytes()
    if spoil is Path.unlink:
        path.unlink()
    else:
        path.write_bytes(spoil(before) or b"")
    catalogue = load_catalogue(built)
    sound = sound_waves(catalogue)
    assert products_current(catalogue, sound) and not site_current(catalogue, sound)
    assert site(catalogue).redone
    assert path.read_bytes() == before and site_current(catalogue, sound)
    assert not site(catalogue).redone


def test_what_was_added_to_the_site_is_removed(built: Path) -> None:
    stray = built / "warehouse/site/stray.html"
    stray.write_text("stray", encoding="utf-8")
    assert site(load_catalogue(built)).redone and not stray.exists()


@pytest.mark.parametrize(
    ("file", "old", "new", "due"),
    [
        ("waves/dk-2020.toml", "respondents = 80", "respondents = 79", ["dk-2020", "dk-2022"]),
        ("waves/dk-2020.toml", 'instrument = "dk"', 'instrument = "dk-2020"', ["dk-2022"]),
        ("waves/dk-2022.toml", "respondents = 80", "respondents = 79", ["dk-2022"]),
        ("waves/dk-2022.toml", 'instrument = "dk"', 'instrument = "dk-2020"', []),
    ],
)
def test_a_finding_is_due_again_when_its_response_or_the_edition_before_is_declared_otherwise(
    barometer: Path, file: str, old: str, new: str, due: list[str]
) -> None:
    for wave in ("dk-2020", "dk-2022"):
        for step in {*WAVE_CHECKS.values()}:
            wave_folder(barometer, step, wave).mkdir(parents=True)
    for check in WAVE_CHECKS:
        assert checks_due("dk-2022", load_catalogue(barometer))
        keep_finding(check, "dk-2022", False, f"Look at {check}.", load_catalogue(barometer))
        keep_finding(check, "dk-2020", True, "", load_catalogue(barometer))
    assert not checks_due("dk-2022", load_catalogue(barometer))
    assert [found["check"] for found in findings(["dk-2022", "dk-2020"], load_catalogue(barometer))] == [
        *WAVE_CHECKS
    ]
    instruments = barometer / "schemas/instruments"
    (instruments / "dk-2020.toml").write_text((instruments / "dk.toml").read_text())
    rows = (instruments / "dk.csv").read_text().splitlines(keepends=True)
    (instruments / "dk-2020.csv").write_text("".join(row for row in rows if "novelty" not in row))
    edit(barometer / "schemas" / file, old, new)
    catalogue = load_catalogue(barometer)
    assert [wave for wave in ("dk-2020", "dk-2022") if checks_due(wave, catalogue)] == due


def test_nothing_is_made_from_what_is_stale(built: Path) -> None:
    raw = wave_folder(built, "raw_wave", "dk-2020") / "raw.parquet"
    raw.write_bytes(shorten(raw.read_bytes()))
    shutil.rmtree(wave_folder(built, "harmonised_wave", "dk-2020"))
    with pytest.raises(
        ProblemError, match=r"warehouse/ingested/dk-2020: is stale, and harmonised_wave is made"
    ):
        waves.harmonised_wave("dk-2020", load_catalogue(built))
    with pytest.raises(ProblemError, match=r"warehouse/packages: is stale, and site is made from it"):
        site(load_catalogue(built))


def test_what_is_made_is_recorded_with_its_hashes(tmp_path: Path) -> None:
    made, beside = tmp_path / "made", tmp_path / "beside"
    beside.mkdir()

    def work(fresh: Path) -> dict[str, int | float | str]:
        (fresh / "rows").write_text("1")
        (beside / "more").write_text("2")
        return {"rows": 1}

    assert make(made, "a", work, (beside,)).redone
    assert not make(made, "a", work, (beside,)).redone
    (beside / "more").write_text("3")
    assert make(made, "a", work, (beside,)).redone
    (made / RECORD).write_text("{")
    assert make(made, "a", work, (beside,)).redone


RESTS_ON = {  # what is changed, where, and the first step of which wave that it makes stale
    "an item that none applies": ("codebook.toml", 'items.quality = "Quality"', 'items.quality = "None of these"', "dk-2020", "harmonised_wave"),
    "a confirmed line": ("instruments/dk.csv", "Q2,1,novelty,first,", "Q2,1,novelty,first,Confirmed", "dk-2020", "harmonised_wave"),
    "a note": ("instruments/dk.csv", "Q2,1,novelty,first,", "Q2,1,novelty,first,As printed", "dk-2020", None),
    "a label": ("codebook.toml", 'codes.care = "Care"', 'codes.care = "Care work"', "dk-2020", None),
    "a label that a file's is held against": ("codebook.toml", 'codes.care = "Care"', 'codes.care = "Care work"', "dk-2022", "harmonised_wave"),
    "the sample": ("waves/dk-2020.toml", "[response]\n", "[response]\nrate = 41.0\n", "dk-2020", "harmonised_wave"),
    "respondents of figures": ("waves/no-2020.toml", "[source]\n", "[response]\nrespondents = 1786\n[source]\n", "no-2020", "harmonised_wave"),
    "a total": ("indicators.toml", 'total = "any_innovation"', 'total = "novelty"', "dk-2020", "weighted_wave"),
    "a scope of another wave": ("waves/dk-2022.toml", 'status = "official"\n', 'status = "official"\nscope = { region = ["north"] }\n', "dk-2020", "wave_statistics"),
}  # fmt: skip


@pytest.mark.parametrize("change", RESTS_ON)
def test_what_a_step_reads_of_the_declarations_makes_it_stale(change: str, tmp_path: Path) -> None:
    file, old, new, wave, step = RESTS_ON[change]
    root = write_barometer(tmp_path / "barometer")
    edit(root / "schemas/waves/dk-2022.toml", "[source]\n", '[source]\nformat = "sav"\n')  # it has labels

    def made_from() -> dict[str, str]:
        catalogue = load_catalogue(root)
        return wave_inputs(catalogue.waves[wave], catalogue)

    before = made_from()
    edit(root / "schemas" / file, old, new)
    after = made_from()
    assert next((name for name in before if before[name] != after[name]), None) == step
