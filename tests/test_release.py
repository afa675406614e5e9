"""The data package: what is in it, that it validates, and that every tampering is found."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import duckdb
import frictionless
import pandas as pd
import pytest

from pipeline.catalogue import Catalogue, Package, load_catalogue
from pipeline.catalogue.model import Estimation
from pipeline.contracts import table
from pipeline.disclosure import protect
from pipeline.hashing import file_sha256
from pipeline.problems import ProblemError
from pipeline.release import PUBLISHED, check_package, check_untouched, published_tables, write_package
from pipeline.release.files import number_text, sha256sums
from pipeline.release.tables import harmless
from pipeline.release_store import checksums
from tests.barometers import edit, write_barometer
from tests.cells import cell, estimates

USED = {"dk-2020": 80, "dk-2022": 80, "no-2020": 0}
FRAME = estimates(
    cell(note='Says "so",\nin two lines; æøå'),
    cell(indicator="novelty", category="first", value=80.0, ci_low=70.0, ci_high=90.0),
    cell(indicator="novelty", category="copied", value=0.04, ci_low=0.0, ci_high=0.2),
    cell(indicator="innovative_workplaces", unit_measure="count", value=160.4, se=9.0),
    cell(indicator="staff_mean", category="mean", unit_measure="mean", value=17.25),
    cell(domain="sector", domain_code="care", n=9),
    cell(domain="sector_region", domain_code="care*north"),
    cell(wave="no-2020", country="NO", survey="no", source_kind="figures", n=pd.NA, se=None, deff=None),
)


@pytest.fixture
def catalogue(barometer: Path) -> Catalogue:
    return load_catalogue(barometer)


def packed(catalogue: Catalogue, **changes: Any) -> Path:
    """The package of a catalogue, written."""
    catalogue = replace(catalogue, barometer=replace(catalogue.barometer, **changes))
    (package,) = catalogue.barometer.packages.values()
    tables = published_tables(catalogue, protect(FRAME, catalogue), USED, package)
    return write_package(catalogue.root, catalogue, package, tables)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return packed(load_catalogue(write_barometer(tmp_path_factory.mktemp("package") / "barometer")))


@pytest.fixture
def folder(written: Path, barometer: Path) -> Path:
    """A package that a test may spoil, where the small barometer has its candidate."""
    return shutil.copytree(written, barometer / "warehouse" / "candidate" / written.name)


def described(folder: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((folder / "datapackage.json").read_text(encoding="utf-8"))
    return loaded


def test_every_table_is_there_twice(folder: Path) -> None:
    names = {path.name for path in (folder / "data").iterdir()}
    assert names == {f"{name}.{ending}" for name in PUBLISHED for ending in ("csv", "parquet")}


def test_frictionless_finds_the_whole_package_valid(folder: Path) -> None:
    report = frictionless.Package(str(folder / "datapackage.json")).validate()
    assert report.flatten(["place", "type", "message"]) == [] and report.valid
    assert len(report.tasks) == 2 * len(PUBLISHED)


def test_sha256sum_finds_every_file_unchanged(folder: Path) -> None:
    result = subprocess.run(["sha256sum", "-c", "SHA256SUMS"], cwd=folder, capture_output=True, check=False)
    assert result.returncode == 0
    files = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    found = {line.removesuffix(": OK") for line in result.stdout.decode().splitlines()}
    assert files - found == {"SHA256SUMS", "test-barometer-1.0.0.zip"}


@pytest.mark.parametrize("name", PUBLISHED)
def test_csv_and_parquet_hold_the_same_cells(folder: Path, name: str) -> None:
    text = f"FROM read_csv('{folder}/data/{name}.csv', all_varchar = true, header = true)"
    both = duckdb.sql(f"{text} LIMIT 0").columns
    as_text = [tuple(cell or "" for cell in row) for row in duckdb.sql(text).fetchall()]
    frame = pd.read_parquet(folder / "data" / f"{name}.parquet")
    assert list(frame.columns) == both == [field["name"] for field in table(name)["fields"]]
    for column, declared in zip(frame, table(name)["fields"], strict=True):
        there = [row[both.index(column)] for row in as_text]
        here = frame[column].tolist()
        if declared["type"] in ("number", "integer"):
            assert [float(cell) for cell in there if cell] == [cell for cell in here if cell == cell]
        elif declared["type"] == "string":
            assert there == here


def test_numbers_are_plain_decimals() -> None:
    assert [number_text(value) for value in (80.0, 12.5, 1e-05, 1e16, 0.0, None)] == [
        "80",
        "12.5",
        "0.00001",
        "10000000000000000",
        "0",
        "",
    ]


def test_the_estimates_stand_as_protected(folder: Path, catalogue: Catalogue) -> None:
    protected = protect(FRAME, catalogue)
    assert {"A", "Q"} <= set(protected["obs_status"])
    found = pd.read_parquet(folder / "data" / "estimates.parquet")
    pd.testing.assert_frame_equal(found, protected, check_dtype=False)


def test_two_builds_give_the_same_bytes(catalogue: Catalogue, folder: Path, tmp_path: Path) -> None:
    again = packed(load_catalogue(write_barometer(tmp_path / "elsewhere")))
    files = sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    assert files == sorted(path.relative_to(again) for path in again.rglob("*") if path.is_file())
    assert [(folder / file).read_bytes() for file in files] == [(again / file).read_bytes() for file in files]


def test_the_descriptor_says_what_was_declared(folder: Path) -> None:
    found = described(folder)
    assert (found["version"], found["created"]) == ("1.0.0", "2025-01-31T00:00:00Z")
    assert found["licenses"][0]["name"] == "CC-BY-4.0" and found["languages"] == ["en", "da"]
    assert found["contributors"] == [{"title": "Test office", "roles": ["publisher"]}]
    assert [source["title"] for source in found["sources"]] == [
        "Test office: Survey 2020",
        "Test office: Survey 2022",
        "Another office: Published figures 2020",
    ]


def test_the_readme_tells_how_to_cite(folder: Path) -> None:
    text = (folder / "README.md").read_text(encoding="utf-8")
    assert "Test office (2025). Test barometer. Version 1.0.0." in text and "SYNTHETIC" not in text


@pytest.mark.parametrize(
    ("level", "method", "said"),
    [
        (0.95, "logit", "95 % interval: of shares logit (Student's t of the log odds"),
        (0.9, "beta", "90 % interval: of shares beta (Korn-Graubard"),
        (0.975, "wald", "97.5 % interval: of shares wald (Student's t, cut"),
    ],
)
def test_a_package_names_the_level_and_the_method_of_its_intervals(
    tmp_path: Path, level: float, method: Literal["logit", "wald", "beta"], said: str
) -> None:
    catalogue = load_catalogue(write_barometer(tmp_path))
    barometer = replace(catalogue.barometer, estimation=Estimation(level, method))
    folder = packed(replace(catalogue, barometer=barometer))
    found = described(folder)
    assert found["estimation"] == {"confidence": level, "proportion_ci": method}
    by_name = {resource["name"]: resource for resource in found["resources"]}
    for name, expected in (
        ("estimates", said),
        ("comparisons", f"{100 * level:g} % interval by Student's t"),
    ):
        for resource in (name, f"{name}-parquet"):
            fields = by_name[resource]["schema"]["fields"]
            limits = [field["description"] for field in fields if field["name"] in ("ci_low", "ci_high")]
            assert len(limits) == 2 and all(expected in description for description in limits)
    for file in ("README.md", "csv-metadata.json", "jsonstat/estimates-dk.en.json", "px/estimates-dk.px"):
        assert said in (folder / file).read_text(encoding="utf-8").replace('"\n"', ""), file


def synthetic(catalogue: Catalogue) -> Catalogue:
    """The same barometer, its waves made up."""
    waves = {key: replace(wave, status="synthetic") for key, wave in catalogue.waves.items()}
    return replace(catalogue, waves=waves)


@pytest.mark.parametrize("status", ["synthetic", None])
def test_a_synthetic_package_says_so_everywhere(
    catalogue: Catalogue, status: Literal["synthetic"] | None
) -> None:
    folder = packed(synthetic(catalogue), packages={"made-up": Package("made-up", status)})
    found = described(folder)
    for said in (found, *found["resources"]):
        assert "SYNTHETIC" in said["title"] and "SYNTHETIC" in said["description"]
    assert (folder / "README.md").read_text(encoding="utf-8").count("SYNTHETIC") >= 2


@pytest.mark.parametrize(
    "place", [("title",), ("description",), ("resources", 3, "title"), ("resources", 8, "description")]
)
def test_a_package_that_loses_the_mark_is_refused(catalogue: Catalogue, place: tuple[str | int, ...]) -> None:
    folder = packed(synthetic(catalogue))
    say(*place, value="Figures")(folder)
    sealed(folder)
    assert any("is not marked SYNTHETIC" in str(problem) for problem in check_package(folder))


def test_official_and_synthetic_waves_never_share_a_package(catalogue: Catalogue) -> None:
    mixed = catalogue.waves | {"dk-2022": replace(catalogue.waves["dk-2022"], status="synthetic")}
    with pytest.raises(ProblemError, match="mixes official and synthetic"):
        packed(replace(catalogue, waves=mixed))


def test_a_package_holds_the_waves_of_its_status(catalogue: Catalogue) -> None:
    mixed = catalogue.waves | {"dk-2022": replace(catalogue.waves["dk-2022"], status="synthetic")}
    packages = {"true": Package("true", "official"), "made-up": Package("made-up", "synthetic")}
    catalogue = replace(catalogue, waves=mixed, barometer=replace(catalogue.barometer, packages=packages))
    frame = protect(FRAME, catalogue)
    waves = {
        key: published_tables(catalogue, frame, USED, package)["waves"]["wave"].tolist()
        for key, package in packages.items()
    }
    assert waves == {"true": ["dk-2020", "no-2020"], "made-up": ["dk-2022"]}


def test_no_column_of_microdata_is_in_any_file(folder: Path, catalogue: Catalogue) -> None:
    own = {field["name"] for field in table("microdata")["fields"]} - {"wave", "unit", "population"}
    own |= set(catalogue.variables) | {
        answer for question in catalogue.questions.values() for answer in question.answers
    }
    for path in (folder / "data").glob("*.parquet"):
        assert own.isdisjoint(pd.read_parquet(path).columns), path.name


def test_microdata_has_no_way_in(catalogue: Catalogue) -> None:
    (package,) = catalogue.barometer.packages.values()
    tables = published_tables(catalogue, protect(FRAME, catalogue), USED, package)
    with pytest.raises(ProblemError, match="weight"):
        write_package(
            catalogue.root, catalogue, package, tables | {"waves": tables["waves"].assign(weight=1.0)}
        )
    folder = write_package(
        catalogue.root, catalogue, package, tables | {"answers": pd.DataFrame({"unit": ["0001"]})}
    )
    assert not (folder / "data" / "answers.csv").exists()


def sealed(folder: Path) -> None:
    """Renew every hash, as somebody would who tampers with care."""
    found = described(folder)
    for resource in found["resources"]:
        if (path := folder / resource["path"]).is_file():
            resource["hash"] = f"sha256:{file_sha256(path)}"
            resource |= {"bytes": path.stat().st_size} if "bytes" in resource else {}
    (folder / "datapackage.json").write_text(json.dumps(found), encoding="utf-8")
    names = [line.partition("  ")[2] for line in (folder / "SHA256SUMS").read_text().splitlines()]
    (folder / "SHA256SUMS").write_bytes(sha256sums({name: (folder / name).read_bytes() for name in names}))


def tamper_csv(folder: Path) -> None:
    edit(folder / "data" / "estimates.csv", ",A,F,", ",U,F,")


def tamper_with_care(folder: Path) -> None:
    tamper_csv(folder)
    sealed(folder)


def tamper_parquet(folder: Path) -> None:
    path = folder / "data" / "estimates.parquet"
    frame = pd.read_parquet(path)
    frame.assign(value=frame["value"] + 1).to_parquet(path, index=False)


def add_byte_order_mark(folder: Path) -> None:
    path = folder / "data" / "waves.csv"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())


def say(*path: str | int, value: Any) -> Callable[[Path], None]:
    """Change one thing in the descriptor."""

    def change(folder: Path) -> None:
        found = described(folder)
        place: Any = found
        for key in path[:-1]:
            place = place[key]
        place[path[-1]] = value
        (folder / "datapackage.json").write_text(json.dumps(found), encoding="utf-8")

    return change


def forge_status(folder: Path) -> None:
    """A code outside its list, in both formats."""
    frame = pd.read_parquet(folder / "data" / "estimates.parquet")
    frame["obs_status"] = frame["obs_status"].replace("Q", "X")
    edit(folder / "data" / "estimates.csv", ",Q,", ",X,")
    frame.to_parquet(folder / "data" / "estimates.parquet", index=False)


def orphan(folder: Path) -> None:
    """A wave that the estimates name is gone from the waves, in both formats."""
    path = folder / "data" / "waves.csv"
    path.write_text("".join(path.read_text("utf-8").splitlines(keepends=True)[:-1]), encoding="utf-8")
    frame = pd.read_parquet(path.with_suffix(".parquet"))
    frame.iloc[:-1].to_parquet(path.with_suffix(".parquet"), index=False)


@pytest.mark.parametrize(
    "tamper",
    [
        tamper_csv,
        tamper_parquet,
        add_byte_order_mark,
        lambda folder: (folder / "data" / "microdata.csv").write_text("unit\n1\n"),
        lambda folder: (folder / "LICENSE").unlink(),
    ],
)
def test_the_checksums_find_any_change(folder: Path, tamper: Callable[[Path], Any]) -> None:
    assert check_package(folder) == []
    tamper(folder)
    assert check_package(folder) != []


def test_a_hidden_file_is_refused_though_it_is_listed(folder: Path) -> None:
    (folder / ".notes").write_text("x")
    listed = checksums(folder) | {".notes": file_sha256(folder / ".notes")}
    (folder / "SHA256SUMS").write_text("".join(f"{sha}  {name}\n" for name, sha in sorted(listed.items())))
    assert [str(problem) for problem in check_package(folder)] == [
        ".notes: is a hidden file. Choose a name that does not begin with a dot."
    ]


@pytest.mark.parametrize(
    "tamper", [tamper_csv, lambda folder: (folder / "LICENSE").unlink(), tamper_with_care]
)
def test_what_was_found_sound_is_held_to_its_bytes(folder: Path, tamper: Callable[[Path], Any]) -> None:
    sums = file_sha256(folder / "SHA256SUMS")
    assert check_untouched(folder, sums) == []
    tamper(folder)
    assert check_untouched(folder, sums) != []


def test_an_archive_is_part_of_what_was_found_sound(folder: Path) -> None:
    (archive,) = folder.glob("*.zip")
    archive.write_bytes(archive.read_bytes()[:-1])
    assert [problem.file for problem in check_untouched(folder, file_sha256(folder / "SHA256SUMS"))] == [
        archive.name
    ]


FIRST = ("resources", 0)
STATUS = [field["name"] for field in table("estimates")["fields"]].index("obs_status")


@pytest.mark.parametrize(
    ("tamper", "found"),
    [
        (tamper_csv, "same cells"),
        (tamper_parquet, "same cells"),
        (add_byte_order_mark, "same cells"),
        (forge_status, "constraint"),
        (orphan, "foreign key"),
        (say("version", value="latest"), "semantic version"),
        (say("created", value="1 Nov 2026"), "date"),
        (say("title", value={"en": "Title"}), "profile"),
        (say(*FIRST, "path", value="../estimates.csv"), "profile|do not list exactly"),
        (say(*FIRST, "path", value="data/.hidden.csv"), "profile|do not list exactly"),
        (say(*FIRST, "path", value="data/waves.csv"), "do not list exactly"),
        (say(*FIRST, "name", value="microdata"), "do not list exactly"),
        (say("resources", value=[]), "profile|do not list exactly"),
        (say(*FIRST, "schema", value={}), "profile|contract"),
        (say("name", value="Two Words"), "not a valid package name"),
        (say(*FIRST, "schema", "fields", STATUS, "categories", value=[{"value": "A"}]), "contract"),
        (say(*FIRST, "schema", "fields", STATUS, "constraints", value={}), "contract"),
    ],
)
def test_care_in_tampering_does_not_help(folder: Path, tamper: Callable[[Path], Any], found: str) -> None:
    tamper(folder)
    sealed(folder)
    said = "\n".join(map(str, check_package(folder)))
    assert any(word in said for word in found.split("|")), said


def test_a_package_that_fails_leaves_the_former_one(catalogue: Catalogue, folder: Path) -> None:
    before = (folder / "SHA256SUMS").read_bytes()
    with pytest.raises(ProblemError, match=r"warehouse/candidate/test-barometer/datapackage\.json, version"):
        packed(catalogue, version="1.0")
    assert (folder / "SHA256SUMS").read_bytes() == before
    assert [path.name for path in folder.parent.iterdir()] == ["test-barometer"]


@pytest.mark.parametrize("text", ["=1+1", "+cmd", "-cmd", "@sum(a1)", "\tx", "-", "=HYPERLINK()"])
def test_a_text_is_no_formula(text: str) -> None:
    assert harmless(text) == f"'{text}"


@pytest.mark.parametrize("text", ["-1", "+1.5", "a=b", "", "-99"])
def test_numbers_and_plain_text_are_left_alone(text: str) -> None:
    assert harmless(text) == text


def test_no_declared_text_gets_through_as_a_formula(barometer: Path) -> None:
    edit(barometer / "schemas" / "codebook.toml", '"New products"', '"=1+1"')
    edit(barometer / "schemas" / "translations" / "da.csv", "Sektor", "@Sektor")
    edit(barometer / "schemas" / "instruments" / "dk.csv", "ANSATTE,999", "ANSATTE,-9")
    folder = packed(load_catalogue(barometer))
    for path in (folder / "data").glob("*.parquet"):
        frame = pd.read_parquet(path).select_dtypes("str")
        risky = frame.map(lambda text: text.startswith(("=", "+", "@")))
        assert not risky.to_numpy().any(), path.name
    assert "'@Sektor" in (folder / "data" / "translations.csv").read_text(encoding="utf-8")
    assert ",-9,map,staff" in (folder / "data" / "crosswalk.csv").read_text(encoding="utf-8")


def test_the_tables_explain_every_key(catalogue: Catalogue) -> None:
    tables = published_tables(catalogue, protect(FRAME, catalogue), USED)
    domains = tables["domains"].set_index(["domain", "domain_code"])["label"].to_dict()
    assert domains == {
        ("total", ""): "Total",
        ("sector", "care"): "Care",
        ("sector_region", "care*north"): "Care, North",
    }
    formulas = tables["indicators"].set_index("indicator")["formula"].to_dict()
    assert formulas["any_innovation"] == "any(introduced.*=yes)"
    assert formulas["innovative_workplaces"] == "weighted count of any_innovation"
    waves = tables["waves"].set_index("wave")
    assert waves.loc["dk-2020", "weighting_margins"] == "sector|region" and waves.loc["dk-2020", "n"] == 80
    assert pd.isna(waves.loc["no-2020", "n"]) and waves.loc["no-2020", "weighting_method"] == ""
    crosswalk = tables["crosswalk"]
    assert set(crosswalk["action"]) == {"map", "copy"} and not crosswalk["code"].str.startswith("=").any()
    codebook = tables["codebook"].set_index(["variable", "code"])
    assert not codebook.loc[("novelty", "dont_know"), "substantive"] and ("staff", "") in codebook.index
    danish = tables["translations"].query("lang == 'da'")
    assert danish["text"].tolist() == ["Sektor"]
