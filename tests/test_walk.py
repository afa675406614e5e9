"""docs/comparability.md: every number on the page, and every command and statement, against the code."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from pipeline.catalogue import load_catalogue
from pipeline.cli.app import app
from pipeline.comparison import comparisons_of, reconciliation
from pipeline.disclosure import protect
from pipeline.release import published_tables
from pipeline.warehouse import build, query
from tests.comparing import one, prepared

NORWAY, DENMARK = "no-ks-2018-synthetic", "dk-2017-synthetic"
WAVES = (NORWAY, DENMARK, "no-ks-2018", "dk-2017")
SCOPE = "government_level=regional|municipal sector=health_care|education"


@pytest.fixture(scope="module")
def page(repository: Path) -> str:
    return (repository / "docs" / "comparability.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def walk(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, pd.DataFrame]]:
    """The bundled barometer with a warehouse of four of its waves, and its published comparisons."""
    root = tmp_path_factory.mktemp("walk")
    (root / "warehouse").mkdir()
    (root / "schemas").symlink_to(repository / "schemas")
    (root / "warehouse" / "raw").symlink_to(repository / "warehouse" / "raw")
    catalogue = load_catalogue(root)
    found = prepared(root, replace(catalogue, waves={key: catalogue.waves[key] for key in WAVES}))
    inputs, tables = found.inputs(), found.published()
    inside = {"comparisons": comparisons_of(inputs), "reconciliation": reconciliation(inputs)}
    shown = published_tables(
        found.catalogue, protect(found.estimates, found.catalogue), dict.fromkeys(WAVES, 1), compared=tables
    )
    build(root, found.catalogue, found.estimates, shown, inside=inside)
    return root, tables


def test_the_printed_pair_is_as_the_page_says(page: str, walk: tuple[Path, dict[str, pd.DataFrame]]) -> None:
    found = one(walk[1]["comparisons"], wave_a="no-ks-2018", wave_b="dk-2017", indicator="any_innovation")
    assert (found["value_a"], found["value_b"]) == (74, 80) and "Norway 74 %, Denmark 80 %" in page
    assert found["verdict"] == "not_comparable" and pd.isna(found["difference"])
    for reason in found["reasons"].split("|"):
        assert f"| `{reason}` |" in page
    assert f"({found['n_a']:,} answers)" in page and f"({found['n_b']:,} answers)" in page
    cells = query(walk[0], "SELECT value FROM published.estimates WHERE wave = 'dk-2017' "
                  "AND indicator = 'any_innovation' AND domain = 'government_level' ORDER BY domain_code").rows  # fmt: skip
    assert cells == [(80.0,), (80.0,), (84.0,)] and "(state 84, regions 80, municipalities 80)" in page


def test_every_line_of_the_table_is_computed(page: str, walk: tuple[Path, dict[str, pd.DataFrame]]) -> None:
    rows = walk[1]["comparisons"]
    rows = rows[(rows["wave_a"] == NORWAY) & (rows["wave_b"] == DENMARK)]
    rows = rows[rows["indicator"] == "any_innovation"]
    everyone = rows[rows["domain"] == "total"]
    whole, mixed = one(everyone, standard=""), one(everyone, standard="sectors")
    assert whole["scope"] == SCOPE and f"`{SCOPE}`" in page and whole["verdict"] == "like_for_like"
    sectors = [one(rows, domain="sector", domain_code=code) for code in ("health_care", "education")]
    names = ["shared scope", "shared scope, standard mix of sectors"]
    names += [f"{name}, municipal and regional" for name in ("health and care", "education")]
    for name, found, digits in zip(names, [whole, mixed, *sectors], (1, 1, 0, 0), strict=True):
        numbers = [f"{found[column]:.{digits}f}" for column in ("value_a", "value_b", "difference")]
        interval = f"{found['ci_low']:.{digits}f} to {found['ci_high']:.{digits}f}"
        line = f"| {name} | {' | '.join(numbers)} | {interval} | {found['p_value']:.4f} |"
        assert line in page, line
    own = query(walk[0], f"SELECT value FROM published.estimates WHERE wave IN ('{NORWAY}', '{DENMARK}') "
                "AND indicator = 'any_innovation' AND domain = 'total' ORDER BY wave DESC").rows  # fmt: skip
    assert f"| each survey's own population | {own[0][0]:.1f} | {own[1][0]:.1f} | | | |" in page


def test_verdicts_on_other_questions_are_as_the_page_says(
    page: str, walk: tuple[Path, dict[str, pd.DataFrame]]
) -> None:
    rows = walk[1]["comparisons"]
    rows = rows[(rows["wave_a"] == NORWAY) & (rows["wave_b"] == DENMARK) & (rows["domain"] == "total")]
    for indicator, verdict in re.findall(r"^\| `(\w+)` \| `(\w+)` \|", page, flags=re.MULTILINE):
        found = rows[(rows["indicator"] == indicator) & (rows["category"] != "other")]
        assert len(found) and set(found["verdict"]) == {verdict}, indicator
    novelty = rows[(rows["indicator"] == "novelty") & (rows["standard"] == "")]
    assert novelty["p_distribution"].nunique() == 1 and novelty["p_distribution"].notna().all()
    initiator = rows[(rows["indicator"] == "initiator") & (rows["category"] != "other")]
    assert initiator["rank_a"].notna().all() and initiator["difference"].isna().all()


def test_every_statement_on_the_page_runs(page: str, walk: tuple[Path, dict[str, pd.DataFrame]]) -> None:
    statements = re.findall(r"```sql\n(.*?)```", page, flags=re.DOTALL)
    assert len(statements) == 5
    for statement in statements:
        assert query(walk[0], statement).rows, statement


def test_a_comparison_reads_the_same_from_both_sides(walk: tuple[Path, dict[str, pd.DataFrame]]) -> None:
    columns = "value_a, value_b, difference, ci_low, ci_high, verdict"
    where = "WHERE domain = 'total' AND standard = ''"
    (one_way,) = query(
        walk[0], f"SELECT {columns} FROM compare('any_innovation', '{NORWAY}', '{DENMARK}') {where}"
    ).rows
    (other,) = query(
        walk[0], f"SELECT {columns} FROM compare('any_innovation', '{DENMARK}', '{NORWAY}') {where}"
    ).rows
    assert other == (one_way[1], one_way[0], -one_way[2], -one_way[4], -one_way[3], one_way[5])


def asked(root: Path, *arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["--project", str(root), "compare", *arguments])
    return done.exit_code, done.output


def test_every_command_on_the_page_runs(page: str, walk: tuple[Path, dict[str, pd.DataFrame]]) -> None:
    commands = re.findall(r"^barometer compare (.*)$", page, flags=re.MULTILINE)
    assert len(commands) == 2
    outputs = [asked(walk[0], *command.split()) for command in commands]
    assert [code for code, _ in outputs] == [0, 0]
    assert "not_comparable: The two numbers must not be set against each other." in outputs[0][1]
    assert "scope_unmatched:" in outputs[0][1] and "74" in outputs[0][1] and "80" in outputs[0][1]
    assert f"shared scope: {SCOPE}" in outputs[1][1] and "-6.6" in outputs[1][1]


def test_the_answer_is_there_for_machines_and_in_every_language(
    walk: tuple[Path, dict[str, pd.DataFrame]],
) -> None:
    code, output = asked(walk[0], NORWAY, DENMARK, "--indicator", "any_innovation", "--json", "--lang", "nb")
    answer = json.loads(output)
    assert code == 0 and answer["verdict"] == "like_for_like" and answer["scope"] == SCOPE
    assert answer["reasons"][0]["reason"] == "scope" and "offentlig sektor" in answer["reasons"][0]["text"]
    assert answer["comparisons"][0]["difference"] == -6.6
    assert {wave["response rate"] for wave in answer["waves"]} == {34.3, 50.0}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("no-ks-2018", "dk-2071", "--indicator", "any_innovation"), "is not a wave of this barometer"),
        (("no-ks-2018", "dk-2017", "--indicator", "any_inovation"), "Did you mean 'any_innovation'?"),
        (("no-ks-2018", "no-ks-2018", "--indicator", "any_innovation"), "Name two different waves."),
        (("no-ks-2018", DENMARK, "--indicator", "any_innovation"), "Compare waves of the same status"),
        (
            ("no-ks-2018", "dk-2017", "--indicator", "any_innovation", "--domain", "totals"),
            "Did you mean 'total'?",
        ),
        (("no-ks-2018", "dk-2017", "--indicator", "any_innovation", "--lang", "de"), "Use one of en, da"),
    ],
)
def test_a_wrong_question_is_answered_in_plain_words(
    walk: tuple[Path, dict[str, pd.DataFrame]], arguments: tuple[str, ...], said: str
) -> None:
    code, output = asked(walk[0], *arguments)
    assert code == 1 and said in output and "Traceback" not in output


def test_a_verdict_needs_nothing_built(repository: Path, tmp_path: Path) -> None:
    (tmp_path / "warehouse").mkdir()
    (tmp_path / "schemas").symlink_to(repository / "schemas")
    (tmp_path / "warehouse" / "raw").symlink_to(repository / "warehouse" / "raw")
    code, output = asked(tmp_path, "se-2018", "se-2020", "--indicator", "any_innovation")
    assert code == 0 and "typology:" in output and "no numbers: build them with `barometer run`" in output


def test_what_the_page_says_of_the_simulation_is_what_was_kept(page: str, repository: Path) -> None:
    kept = json.loads((repository / "benchmarks/results/differences.json").read_text(encoding="utf-8"))
    rows, said = pd.DataFrame(kept["rows"]), " ".join(page.split())
    coverage = rows["coverage"].dropna()
    assert f"with {kept['replications']} pairs a design" in said
    assert (
        f"in {coverage.min():.1f} to {coverage.max():.1f} % of the samples, {coverage.mean():.1f} %" in said
    )
    single = rows.loc[rows["measure"] != "all", "false_alarms"].dropna()
    assert f"a false alarm in {single.mean():.1f} % on average" in said
    ranges = [rows.loc[rows["case"] == case, "false_alarms"].dropna().agg(["min", "max"]) for case in (
        "family, unadjusted", "family, adjusted", "distribution")]  # fmt: skip
    low, high = zip(*(tuple(each) for each in ranges), strict=True)
    assert (
        f"in {low[0]:.1f} to {high[0]:.1f} % unadjusted and in {low[1]:.1f} to {high[1]:.1f} % adjusted"
        in said
    )
    assert f"raised one in {low[2]:.1f} to {high[2]:.1f} %" in said
