"""``import barometer``: published tables, comparisons and packages as DataFrames, and every example of the
page.
"""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from typer.testing import CliRunner

import barometer as api
from pipeline.cli.app import app
from pipeline.warehouse import query
from tests.barometers import edit, write_barometer


@pytest.fixture(scope="module")
def opened(released_twice: Path) -> api.Barometer:
    return api.open(released_twice)


def test_every_example_on_the_page_runs(
    repository: Path, released_twice: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    (tmp_path / "innovation").symlink_to(released_twice)
    monkeypatch.chdir(tmp_path)
    page = (repository / "docs/python.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", page, flags=re.DOTALL)
    names: dict[str, Any] = {}
    for block in blocks:
        exec(compile(block, "docs/python.md", "exec"), names)  # the page's own examples
    assert len(blocks) == 6
    assert list(names["series"].index) == ["dk-2020", "dk-2022", "no-2020"]
    assert names["found"].verdict in ("comparable", "like_for_like", "caution", "not_comparable")
    assert (
        len(names["estimates"])
        and "Use one of the waves that are built: dk-2020, dk-2022, no-2020." in capsys.readouterr().out
    )


def test_estimates_are_the_published_ones_and_filters_narrow_them(opened: api.Barometer) -> None:
    everything = opened.estimates()
    assert (len(everything),) == query(opened.folder, "SELECT count(*) FROM published.estimates").rows[0]
    some = opened.estimates(wave=["dk-2020", "dk-2022"], indicator="value", domain="total")
    assert set(some["wave"]) == {"dk-2020", "dk-2022"} and set(some["category"]) == {"quality", "savings"}
    expected = everything[
        everything["wave"].isin(["dk-2020", "dk-2022"]) & (everything["indicator"] == "value")
    ]
    expected = expected[expected["domain"] == "total"].reset_index(drop=True)
    pd.testing.assert_frame_equal(some, expected)
    assert opened.estimates(wave=[]).empty


def test_tables_have_their_declared_types_and_no_text_is_null(opened: api.Barometer) -> None:
    waves, estimates = opened.waves(), opened.estimates()
    assert (
        waves["reference_end"].max() == pd.Timestamp("2021-12-31")
        and waves["fieldwork_end"].isna().sum() == 1
    )
    assert (str(estimates["n"].dtype), str(estimates["value"].dtype)) == ("Int64", "float64")
    assert str(waves["stratified"].dtype) == "boolean"
    for name in opened.table_names:
        texts = opened.read(name).select_dtypes("str")
        assert not texts.isna().any().any(), name
    assert {"wave", "domain_code"} <= set(estimates) and (estimates["domain_code"] == "").any()


def test_a_package_reads_as_the_warehouse_it_was_made_with(opened: api.Barometer) -> None:
    tables = api.read_package(opened.folder / "warehouse/candidate/test-barometer")
    assert set(tables) == set(opened.table_names)
    for name in set(tables) - {"revisions"}:  # the package knows the release before
        pd.testing.assert_frame_equal(tables[name], opened.read(name))
    assert len(tables["revisions"])


def test_compare_says_what_the_command_says(opened: api.Barometer) -> None:
    found = opened.compare("dk-2020", "dk-2022", "any_innovation", domain="sector")
    arguments = ["--project", str(opened.folder), "compare", "dk-2020", "dk-2022", "--json"]
    arguments += ["--indicator", "any_innovation", "--domain", "sector"]
    said = json.loads(CliRunner().invoke(app, arguments).output)
    assert (found.verdict, found.text, found.scope) == (said["verdict"], said["text"], said["scope"])
    assert [reason.rule for reason in found.reasons] == [reason["reason"] for reason in said["reasons"]]
    assert list(found.numbers["value_a"]) == [row["value_a"] for row in said["comparisons"]] != []
    assert found.facts.loc["respondents", "dk-2020"] == 80


def test_a_verdict_needs_nothing_built_but_tables_do(tmp_path: Path) -> None:
    fresh = api.open(write_barometer(tmp_path / "fresh"))
    assert fresh.compare("dk-2020", "dk-2022", "any_innovation").numbers.empty
    with pytest.raises(api.ProblemError, match="Build it with `barometer run`"):
        fresh.estimates()


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (lambda b: b.estimates(indicator="any_inovation"), "Did you mean 'any_innovation'?"),
        (lambda b: b.estimates(wave="x' OR 1=1 --"), "is not known"),
        (lambda b: b.read("microdata"), "Use one of the published tables: estimates"),
        (lambda b: b.compare("dk-2020", "dk-1999", "any_innovation"), "is not a wave of this barometer"),
        (lambda b: b.query("DROP TABLE published.estimates"), "read-only"),
        (lambda b: api.open(b.folder / "schemas"), "holds no barometer"),
        (lambda b: api.read_package(b.folder / "schemas"), "is not a data package"),
    ],
)
def test_what_is_wrong_is_a_problem_with_its_remedy(opened: api.Barometer, asked: Any, said: str) -> None:
    with pytest.raises(api.ProblemError, match=re.escape(said)) as caught:
        asked(opened)
    assert all(isinstance(problem, api.Problem) and problem.hint for problem in caught.value.problems)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"path": "data/estimates.csv"', '"path": "../estimates.csv"', "points outside the package"),
        ('"path": "data/estimates.csv"', '"path": "data/gone.csv"', "is missing"),
        ('"name": "value"', '"name": "vallue"', "is not what datapackage.json declares"),
    ],
)
def test_a_package_that_does_not_hold_together_is_refused(
    opened: api.Barometer, tmp_path: Path, old: str, new: str, said: str
) -> None:
    package = shutil.copytree(opened.folder / "warehouse/candidate/test-barometer", tmp_path / "package")
    edit(package / "datapackage.json", old, new)
    with pytest.raises(api.ProblemError, match=said):
        api.read_package(package / "datapackage.json")
