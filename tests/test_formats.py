"""Every format of a package holds the same cells: each read back by another library than the one that
wrote it.
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb
import openpyxl
import pandas as pd
import pysdmx.io
import pytest
import sdmx
from pyjstat import pyjstat
from rdflib import Graph, Literal, URIRef
from rdflib.compare import isomorphic
from rdflib.namespace import DCAT, DCTERMS, PROV, RDF

from pipeline.contracts import table
from pipeline.problems import ProblemError
from pipeline.release import PUBLISHED, check_package
from pipeline.release.files import sha256sums
from pipeline.release.formats import registry
from pipeline.release.formats.format import Format
from pipeline.release.formats.registry import DESCRIPTIONS, FORMATS, KINDS
from pipeline.release.formats.sdmx import identifier
from pipeline.site.ui_strings import load
from tests.barometers import edit
from tests.packages import AWKWARD, USED, awkward_barometer, write

KEY = ("wave", "indicator", "category", "domain", "domain_code")
MEASURES = ("value", "se", "ci_low", "ci_high", "n", "deff")
Rows = list[dict[str, Any]]
Cells = dict[tuple[str, ...], dict[str, Any]]


def by_parquet(folder: Path, name: str) -> Rows:
    """A table as DuckDB reads its Parquet file: what every other format is held against."""
    found = duckdb.sql(f"FROM '{folder}/data/{name}.parquet'")
    return [dict(zip(found.columns, row, strict=True)) for row in found.fetchall()]


def by_csv(folder: Path, name: str) -> Rows:
    frame = pd.read_csv(folder / "data" / f"{name}.csv", dtype="str", keep_default_na=False)
    return [typed(dict(zip(frame.columns, row, strict=True)), name) for row in frame.itertuples(index=False)]


def by_workbook(folder: Path, name: str) -> Rows:
    (path,) = folder.glob("*.xlsx")
    book = openpyxl.load_workbook(path, read_only=True)
    head, *body = book[name].iter_rows(values_only=True)
    book.close()
    fields = {field["name"]: field["type"] for field in table(name)["fields"]}

    def plain(cell: Any, kind: str) -> Any:
        if kind == "string":
            return cell or ""
        return cell.date() if isinstance(cell, datetime) else cell

    columns = [str(column) for column in head]
    return [
        {column: plain(cell, fields[column]) for column, cell in zip(columns, row, strict=True)}
        for row in body
    ]


def typed(row: dict[str, Any], name: str) -> dict[str, Any]:
    """Text cells as the contract types them; a blank is text or missing."""
    readers: dict[str, Callable[[str], Any]] = {
        "string": str,
        "integer": int,
        "number": float,
        "boolean": lambda text: {"true": True, "false": False}[text],
        "date": date.fromisoformat,
    }
    kinds = {field["name"]: field["type"] for field in table(name)["fields"]}
    return {
        column: None if cell == "" and kinds[column] != "string" else readers[kinds[column]](cell)
        for column, cell in row.items()
    }


@pytest.mark.parametrize("read", [by_csv, by_workbook])
@pytest.mark.parametrize("name", PUBLISHED)
def test_every_table_has_the_same_cells(package: Path, name: str, read: Callable[[Path, str], Rows]) -> None:
    assert read(package, name) == by_parquet(package, name)


def figures(folder: Path) -> Cells:
    """The figures of the estimates that are there, by their key."""
    rows = by_parquet(folder, "estimates")
    return {tuple(row[name] for name in KEY): {name: row[name] for name in MEASURES} for row in rows}


def cubes(folder: Path, language: str) -> Iterator[dict[str, Any]]:
    for path in sorted((folder / "jsonstat").glob(f"*.{language}.json")):
        yield json.loads(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("language", ["en", "da", "nb"])
def test_json_stat_has_the_same_cells(package: Path, language: str) -> None:
    found: Cells = {}
    for cube in cubes(package, language):
        frame = pyjstat.Dataset.read(json.dumps(cube)).write("dataframe", naming="id")
        for row in frame.dropna(subset="value").to_dict("records"):
            parts = (row["wave"], *row["indicator"].split(":"), *row["domain"].split(":"))
            found.setdefault(parts, dict.fromkeys(MEASURES))[row["measure"]] = row["value"]
    there = {
        key: cells
        for key, cells in figures(package).items()
        if any(cell is not None for cell in cells.values())
    }
    assert found == there


def test_sdmx_has_the_same_cells(package: Path) -> None:
    frame = pysdmx.io.read_sdmx(str(package / "sdmx" / "data.csv"), validate=True).data[0].data
    names = {"OBS_VALUE": "value", "COMMENT_OBS": "note", "REF_AREA": "country"}
    found = frame.rename(columns=lambda name: names.get(name, name.lower())).fillna("").to_dict("records")
    for row in found:
        row["domain_code"] = "" if row["domain_code"] == "_T" else row["domain_code"].replace("@", "*")
    rows = by_parquet(package, "estimates")
    assert [typed(row, "estimates") for row in found] == [
        {name: row[name] for name in found[0]} for row in rows
    ]
    assert set(found[0]) == {field["name"] for field in table("estimates")["fields"]}


def by_px(language: str, *paths: Path) -> list[dict[str, Any]]:
    """PC-Axis files as pyaxis reads them; it prints while it does."""
    script = Path(__file__).parent / "validators" / "read_px.py"
    command = [sys.executable, script, language, *paths]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found: list[dict[str, Any]] = json.loads(done.stderr)
    return found


def test_px_has_the_same_cells(package: Path) -> None:
    found: Cells = {}
    reasons: dict[tuple[str, ...], set[str]] = {}
    for cube in by_px("en", *sorted((package / "px").iterdir())):
        for _, wave, indicator, domain, measure, cell in cube["cells"]:
            key = (wave, *indicator.split(":"), *domain.split(":"))
            if cell.startswith('"'):
                reasons.setdefault(key, set()).add(cell.strip('"'))
            else:
                found.setdefault(key, dict.fromkeys(MEASURES))[measure] = float(cell)
    there = {
        key: cells
        for key, cells in figures(package).items()
        if any(cell is not None for cell in cells.values())
    }
    assert found == there
    said = {"QC": "..", "QD": "..", "QF": "...", "MF": "...."}
    for row in by_parquet(package, "estimates"):
        if row["value"] is None:
            assert reasons[tuple(row[name] for name in KEY)] == {said[row["obs_status"] + row["conf_status"]]}


def test_px_speaks_every_language(awkward: Path) -> None:
    path = awkward / "px" / "estimates-dk.px"
    (english,), (danish,) = by_px("en", path), by_px("da", path)
    assert english["title"] == ["Test barometer (Denmark, dk)"] and danish["title"] == [
        "Testbarometer (Danmark, dk)"
    ]
    assert danish["labels"][0] == "Danmark" and danish["labels"][2] == "Mindst én innovation"
    assert english["cells"] == danish["cells"] and english["codes"] == danish["codes"]


def test_numbers_are_numbers_and_texts_are_texts_in_the_workbook(awkward: Path) -> None:
    (path,) = awkward.glob("*.xlsx")
    book = openpyxl.load_workbook(path)
    assert book.sheetnames == ["Cover", "Notes", "Flags", *PUBLISHED]
    assert book.properties.created.isoformat() == "2025-01-31T00:00:00"
    assert book.properties.title == "Test barometer"
    kinds = {
        cell.data_type
        for sheet in book
        for row in sheet.iter_rows()
        for cell in row
        if cell.value is not None
    }
    assert kinds == {"s", "n", "b", "d"}
    assert book["Cover"]["A1"].value == "Test barometer"
    assert "'=SUM(A1:A9)" in [cell.value for cell in book["estimates"]["T"]]
    assert book["Flags"]["B2"].value == "A" and book["estimates"].freeze_panes == "A2"


def test_labels_are_translated_or_visibly_english(awkward: Path) -> None:
    (danish,) = (cube for cube in cubes(awkward, "da") if "dk-2020" in json.dumps(cube["dimension"]["wave"]))
    labels = {name: part["category"]["label"] for name, part in danish["dimension"].items()}
    assert danish["label"] == "Testbarometer (Danmark, dk)"
    assert labels["country"] == {"DK": "Danmark"}
    assert labels["indicator"]["any_innovation:yes"] == "Mindst én innovation"
    assert labels["indicator"]["novelty:first"] == "Novelty of the newest innovation [en]: Først"
    assert labels["domain"]["sector:care"] == "Sektor: Omsorg"
    assert labels["domain"]["sector:school"] == "Sektor: School [en]"
    assert labels["domain"]["total:"] == "Total [en]"
    (english,) = (cube for cube in cubes(awkward, "en") if "dk-2020" in json.dumps(cube["dimension"]["wave"]))
    assert "[en]" not in json.dumps(english)


def test_json_stat_says_why_a_value_is_not_there(awkward: Path) -> None:
    (cube,) = (cube for cube in cubes(awkward, "en") if "dk-2020" in json.dumps(cube["dimension"]["wave"]))
    rows = [row for row in by_parquet(awkward, "estimates") if row["survey"] == "dk"]
    assert sorted(cube["status"].values()) == sorted(row["obs_status"] for row in rows)
    hidden = [index for index, flag in cube["status"].items() if flag in ("Q", "M")]
    assert hidden and not set(hidden) & set(cube["value"])
    assert set(cube["extension"]["conf_status"].values()) == {"C", "D"}
    assert 'Says "so",\nin two lines; æøå & <b>' in cube["extension"]["note"].values()
    assert cube["role"] == {"time": ["wave"], "geo": ["country"], "metric": ["measure"]}


def test_sdmx_names_every_code_in_every_language_it_has(awkward: Path) -> None:
    with (awkward / "sdmx" / "structure.xml").open("rb") as file:
        message = sdmx.read_sdmx(file)
    lists = message.codelist
    assert dict(lists["CL_INDICATOR"]["any_innovation"].name.localizations) == {
        "en": "Workplaces with at least one innovation",
        "da": "Mindst én innovation",
    }
    assert dict(lists["CL_REF_AREA"]["DK"].name.localizations) == {
        "en": "Denmark",
        "da": "Danmark",
        "nb": "Danmark",
    }
    assert dict(lists["CL_DOMAIN_CODE"]["care"].name.localizations) == {"en": "Care", "da": "Omsorg"}
    used = {row["domain_code"] for row in by_parquet(awkward, "estimates")}
    assert set(lists["CL_DOMAIN_CODE"].items) == {identifier(code) for code in used}
    structure = message.structure["DSD_ESTIMATES"]
    assert [each.id for each in structure.dimensions.components][-1] == "TIME_PERIOD"
    assert len(structure.dimensions.components) + len(structure.attributes.components) == 19


@pytest.mark.parametrize(
    ("code", "said"),
    [("", "_T"), ("care*north", "care@north"), ("a.b", "a$2Eb"), ("a$b", "a$24b"), ("x-y_z", "x-y_z")],
)
def test_every_code_is_an_identifier_of_its_own(code: str, said: str) -> None:
    assert identifier(code) == said


def graph(folder: Path, name: str = "dcat.ttl") -> Graph:
    return Graph().parse(folder / name, publicID="file:///there/")


def test_turtle_and_json_ld_are_one_graph(package: Path) -> None:
    assert isomorphic(graph(package), graph(package, "dcat.jsonld"))


def test_portals_learn_what_the_package_is(awkward: Path) -> None:
    found = graph(awkward)
    (dataset,) = found.subjects(RDF.type, DCAT.Dataset)
    assert str(dataset) == "https://data.test/barometer/test-barometer/1.0.0/#dataset"
    assert set(found.objects(dataset, DCTERMS.title)) == {
        Literal("Test barometer", lang="en"),
        Literal("Testbarometer", lang="da"),
    }
    countries = "http://publications.europa.eu/resource/authority/country/"
    assert set(found.objects(dataset, DCTERMS.spatial)) == {
        URIRef(countries + code) for code in ("DNK", "NOR")
    }
    sources = set(found.objects(dataset, PROV.wasDerivedFrom))
    assert {str(source).rpartition("#")[2] for source in sources} == {f"source/{wave}" for wave in USED}
    (period,) = found.objects(dataset, DCTERMS.temporal)
    assert str(found.value(period, DCAT.startDate)) == "2018-01-01"


def test_every_data_file_is_a_distribution(package: Path) -> None:
    found = graph(package)
    named = {
        str(name)
        for file in found.subjects(RDF.type, DCAT.Distribution)
        for name in found.objects(file, DCTERMS.identifier)
    }
    files = {path.relative_to(package).as_posix() for path in package.rglob("*") if path.is_file()}
    data = {
        name
        for name in files
        if name.startswith(("data/", "jsonstat/", "px/", "sdmx/")) or name.endswith(".xlsx")
    }
    assert named == data
    searched = json.loads((package / "schema-org.jsonld").read_text(encoding="utf-8"))
    assert {each["name"] for each in searched["distribution"]} == data


def test_search_engines_find_what_they_require(package: Path) -> None:
    found = json.loads((package / "schema-org.jsonld").read_text(encoding="utf-8"))
    required = {"name", "description", "license", "identifier", "creator", "distribution", "temporalCoverage"}
    recommended = {"spatialCoverage", "variableMeasured", "version", "isAccessibleForFree", "citation"}
    assert required | recommended <= set(found)
    measured = {each["propertyID"] for each in found["variableMeasured"]}
    assert measured == {row["indicator"] for row in by_parquet(package, "estimates")}
    for each in found["distribution"]:
        content = (package / each["name"]).read_bytes()
        assert each["contentSize"] == f"{len(content)} B"
        assert each["sha256"] in (package / "SHA256SUMS").read_text(encoding="utf-8")


def test_the_archive_holds_the_package(package: Path) -> None:
    (path,) = package.glob("*.zip")
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        held = {name.partition("/")[2]: archive.read(name) for name in archive.namelist()}
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    files = {
        each.relative_to(package).as_posix(): each.read_bytes()
        for each in package.rglob("*")
        if each.is_file()
    }
    assert held == {name: content for name, content in files.items() if name != path.name}


def test_another_day_order_and_number_of_threads_give_the_same_bytes(awkward: Path, tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from tests.packages import *\n"
        "catalogue = awkward_barometer(Path(sys.argv[1]))\n"
        "shuffled = AWKWARD.sample(frac=1, random_state=int(sys.argv[2])).sort_values(KEY)\n"
        "write(catalogue, shuffled, dict(reversed(USED.items())))\n"
    )
    running = []
    for number, zone in enumerate(("Pacific/Kiritimati", "America/Adak")):
        place = tmp_path / str(number)
        settings = {
            "TZ": zone,
            "PYTHONHASHSEED": str(number),
            "OMP_NUM_THREADS": str(1 + number),
            "LC_ALL": "C",
        }
        clock = f"import time, datetime; time.time = lambda: {1.5e9 + number * 1e8}\n"
        command = [sys.executable, "-c", clock + script, str(place), str(number)]
        running.append(subprocess.Popen(command, env=os.environ | settings, cwd=Path(__file__).parents[1]))
    assert [each.wait() for each in running] == [0, 0]
    folders = [awkward, *(tmp_path / each / "warehouse" / "candidate" / awkward.name for each in "01")]
    made = [
        {
            path.relative_to(folder).as_posix(): path.read_bytes()
            for path in folder.rglob("*")
            if path.is_file()
        }
        for folder in folders
    ]
    assert made[0] == made[1] == made[2]


def test_every_format_says_that_synthetic_figures_are(tmp_path: Path) -> None:
    catalogue = awkward_barometer(tmp_path / "barometer")
    waves = {key: replace(wave, status="synthetic") for key, wave in catalogue.waves.items()}
    folder = write(replace(catalogue, waves=waves), AWKWARD, USED)
    (path,) = folder.glob("*.xlsx")
    assert openpyxl.load_workbook(path)["Cover"]["A1"].value == "SYNTHETIC: Test barometer"
    listed = [path.relative_to(folder) for path in sorted(folder.rglob("*")) if path.is_file()]
    for pattern, kind in KINDS.items():
        if not kind.marked:
            continue
        name = next(path for path in listed if path.match(pattern)).as_posix()
        told = (folder / name).read_text(encoding="utf-8")
        (folder / name).write_text(told.replace("SYNTHETIC", "PLAUSIBLE"), encoding="utf-8")
        renew(folder)
        assert f"{name}: is not marked SYNTHETIC" in "\n".join(map(str, check_package(folder)))
        (folder / name).write_text(told, encoding="utf-8")


def test_files_of_other_steps_are_part_of_the_package_but_for_its_provenance(tmp_path: Path) -> None:
    extra = {name: name.encode() for name in ("quality.json", "CHANGELOG.md", "provenance.json")}
    folder = write(awkward_barometer(tmp_path / "barometer"), AWKWARD, USED, extra)
    assert {name: (folder / name).read_bytes() for name in extra} == extra
    listed = (folder / "SHA256SUMS").read_text(encoding="utf-8")
    with zipfile.ZipFile(folder / "test-barometer-1.0.0.zip") as archive:
        held = {name.partition("/")[2] for name in archive.namelist()}
    for place in (listed, held, (folder / "dcat.ttl").read_text(encoding="utf-8")):
        assert "quality.json" in place and "CHANGELOG.md" in place
    assert "provenance.json" not in listed and "provenance.json" not in held
    assert check_package(folder) == []


def renew(folder: Path) -> None:
    """Make checksums and archive fit again, as somebody would who tampers with care."""
    (old,) = folder.glob("*.zip")
    old.unlink()
    files = {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }
    files["SHA256SUMS"] = sha256sums({name: files[name] for name in files if name != "SHA256SUMS"})
    (folder / "SHA256SUMS").write_bytes(files["SHA256SUMS"])
    with zipfile.ZipFile(old, "w") as archive:
        for name, content in files.items():
            archive.writestr(f"{old.stem}/{name}", content)


def change_workbook(folder: Path) -> None:
    (path,) = folder.glob("*.xlsx")
    book = openpyxl.load_workbook(path)
    book["estimates"]["M2"].value = 99.0
    book.save(path)


def drop_sheet(folder: Path) -> None:
    (path,) = folder.glob("*.xlsx")
    book = openpyxl.load_workbook(path)
    del book["translations"]
    book.save(path)


def change_cube(*languages: str, **changes: Any) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        for language in languages:
            path = folder / "jsonstat" / f"estimates-dk.{language}.json"
            cube = json.loads(path.read_text(encoding="utf-8"))
            for name, value in changes.items():
                cube[name] = {**cube[name], **value} if isinstance(value, dict) else value
            path.write_text(json.dumps(cube), encoding="utf-8")

    return change


def change_px(folder: Path) -> None:
    path = folder / "px" / "estimates-dk.px"
    head, _, cells = path.read_text(encoding="utf-8").partition("DATA=\n")
    path.write_text(f"{head}DATA=\n1{cells}", encoding="utf-8")


def unhide(folder: Path) -> None:
    edit(folder / "sdmx" / "data.csv", ",percent,microdata,Q,C,,", ",percent,microdata,Q,C,9,")


def say_twice(folder: Path) -> None:
    for name, old, new in (
        ("dcat.ttl", '"Testbarometer"@da', '"Testbarometer"@da, "Et andet"@da'),
        ("dcat.jsonld", '"@value": "Testbarometer"', '"@value": "Et andet"'),
    ):
        path = folder / name
        path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    path.write_text(graph(folder).serialize(format="json-ld"), encoding="utf-8")


def turn_time(folder: Path) -> None:
    for name in ("dcat.ttl", "dcat.jsonld"):
        edit(folder / name, "2018-01-01", "2048-01-01")


@pytest.mark.parametrize("entry", [*FORMATS, *DESCRIPTIONS], ids=lambda entry: " ".join(entry.kinds))
def test_an_entry_of_the_registry_is_whole(
    spoilt: Path, entry: Format, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = [path.relative_to(spoilt) for path in sorted(spoilt.rglob("*")) if path.is_file()]
    described = json.loads((spoilt / "datapackage.json").read_text(encoding="utf-8"))
    for pattern, kind in entry.kinds.items():
        found = [path for path in listed if path.match(pattern)]
        assert found, f"{pattern} is the pattern of no file"
        for path in found:
            assert [other for other in KINDS if other != "*" and path.match(other)] == [pattern]
        of_tables = path.parent.name == "data"  # read with the descriptor, before any other format
        assert kind.media is None or entry.check or of_tables, f"{pattern} holds data, but nothing reads it"
    if entry.check:
        monkeypatch.setattr(registry, "FORMATS", (entry,))
        monkeypatch.setattr(registry, "DESCRIPTIONS", ())
        assert list(registry.check_formats(spoilt, described)) == []
        (spoilt / path).write_bytes(b"")
        assert list(registry.check_formats(spoilt, described)) != []


def test_every_kind_of_file_has_a_heading_among_the_downloads() -> None:
    assert {f"files_{kind.label}" for kind in KINDS.values()} <= load("en").keys()


@pytest.mark.parametrize(
    ("tamper", "found"),
    [
        (change_workbook, "xlsx, estimates: does not hold the same cells"),
        (drop_sheet, "xlsx, translations: this sheet is missing"),
        (change_cube("en", "da", "nb", value={"0": 1.5}), "does not hold the same cells as the estimates"),
        (change_cube("da", value={"0": 1.5}), "does not hold the same cells in this language"),
        (change_cube("en", status={"99999": "A"}), "size: does not fit"),
        (change_cube("en", size=[1, 2, 3, 4, 5]), "size: does not fit"),
        (change_cube("en", dimension=[]), "cannot be read back"),
        (change_px, "px/estimates-dk.px: does not hold the same cells"),
        (unhide, "sdmx/data.csv, N: does not hold the same cells"),
        (say_twice, "two texts in one language"),
        (turn_time, "later than the end"),
        (lambda folder: edit(folder / "dcat.ttl", "Test office", "Another office"), "same graph as dcat.ttl"),
        (lambda folder: (folder / "data" / ".hidden.csv").write_text("a\n"), "hidden file"),
    ],
)
def test_a_format_that_says_another_thing_is_found(
    spoilt: Path, tamper: Callable[[Path], Any], found: str
) -> None:
    assert check_package(spoilt) == []
    tamper(spoilt)
    renew(spoilt)
    assert found in "\n".join(map(str, check_package(spoilt)))


def test_an_archive_of_another_package_is_found(spoilt: Path) -> None:
    (path,) = spoilt.glob("*.zip")
    buffer = io.BytesIO(path.read_bytes())
    with zipfile.ZipFile(buffer, "a") as archive:
        archive.writestr("test-barometer-1.0.0/data/answers.csv", "unit\n1\n")
    path.write_bytes(buffer.getvalue())
    assert "does not hold the same files" in "\n".join(map(str, check_package(spoilt)))
    path.write_bytes(b"PK")
    assert "is not a zip file" in "\n".join(map(str, check_package(spoilt)))
    path.unlink()
    assert "must be the only archive" in "\n".join(map(str, check_package(spoilt)))


def test_a_text_too_long_for_a_spreadsheet_is_named(tmp_path: Path) -> None:
    catalogue = awkward_barometer(tmp_path / "barometer")
    with pytest.raises(ProblemError, match="too long for a cell"):
        write(catalogue, AWKWARD.assign(note="x" * 40_000), USED)
