"""Whole paths of files as they are delivered: an integrated file of three countries, an export of a survey tool.

Drafted from the file, filled in as the messages say, built and released; key figures are computed again with
pandas from the data as they were made.
"""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyreadstat
import pytest
from typer.testing import CliRunner

from pipeline.catalogue import Catalogue, load_catalogue
from pipeline.cli.app import app
from pipeline.staleness.outputs import PRODUCT_STEPS, WAVE_STEPS
from pipeline.steps import products, waves
from pipeline.steps.releases import seal_candidates
from pipeline.steps.shared_read import reads
from pipeline.steps.verification import verify
from pipeline.warehouse import query
from tests.barometers import edit
from tests.test_file_metadata import with_sets


def asked(root: Path, *arguments: str, fails: bool = False) -> str:
    done = CliRunner().invoke(app, ["--project", str(root), *arguments])
    assert (done.exit_code == 1) == fails and "Traceback" not in done.output, done.output
    return done.output


def fill(path: Path, **values: str) -> None:
    """Fill in what a draft leaves empty: each key has an empty text, once."""
    text = path.read_text(encoding="utf-8")
    for key, value in values.items():
        text, found = re.subn(rf'\b{key} = ""', f"{key} = {value}", text)
        assert found == 1, f"{key} in {path.name}: {found}"
    path.write_text(text, encoding="utf-8")


def confirm(root: Path) -> None:
    """Confirm every guess, as the documentation says it."""
    for path in (root / "schemas/instruments").glob("*.csv"):
        text = re.sub(r',"?guess.*$', ",", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
        path.write_text(text, encoding="utf-8")
    for path in (root / "schemas").rglob("*.toml"):
        text = re.sub(r" *# (guess|TODO).*$", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
        path.write_text(text, encoding="utf-8")


def build(root: Path) -> tuple[Catalogue, list[str]]:
    """Every step, from the raw file to the package; and those that were made, not found as they should be."""
    catalogue = load_catalogue(root)
    assert not catalogue.problems and not catalogue.unconfirmed
    made = []
    for step in WAVE_STEPS:
        for wave in catalogue.waves:
            made += [f"{step} {wave}"] if getattr(waves, step)(wave, catalogue).redone else []
    for step in PRODUCT_STEPS:
        made += [step] if getattr(products, step)(catalogue).redone else []
    return catalogue, made


def published(root: Path, wave: str) -> dict[tuple[str, str], tuple[float, float, int]]:
    """indicator and category -> value, standard error, n of everyone."""
    rows = query(
        root,
        "SELECT indicator, category, value, se, n FROM statistics.estimates "
        f"WHERE wave = '{wave}' AND domain = 'total'",
    ).rows
    return {(row[0], row[1]): (row[2], row[3], row[4]) for row in rows}


def ratio(frame: pd.DataFrame, y: Any, asked_of: Any) -> tuple[float, float, int]:
    """A weighted mean with its linearised standard error (strata, PSUs with replacement), by the textbook."""
    weight = frame["weight"] * asked_of
    value = float((weight * y).sum() / weight.sum())
    scores = pd.Series(weight * (y - value) / weight.sum())
    totals = scores.groupby([frame["stratum"], frame["psu"]]).sum().groupby(level=0)
    size = totals.size()
    return value, float(np.sqrt((totals.var(ddof=1) * size).sum())), int(asked_of.sum())


def held(found: tuple[float, float, int], expected: tuple[float, float, int], scale: float = 1.0) -> None:
    assert found[:2] == pytest.approx((expected[0] * scale, expected[1] * scale), rel=1e-9)
    assert found[2] == expected[2]


# ── one file, three countries ────────────────────────────────────────────────

COUNTRIES = {1: "Denmark", 2: "Norway", 3: "Sweden"}
ANSWERED = {"TRUST": "Do you trust the courts?", "HOURS": "How many hours a week do you read news?"}


@pytest.fixture(scope="module")
def rounds(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, pd.DataFrame]:
    """An SPSS file with declared missing codes and ranges, and sets; ids are unique only in a country."""
    random, parts = np.random.default_rng(7), []
    for country, size in zip(COUNTRIES, (180, 150, 120), strict=True):
        stratum = random.integers(1, 3, size)
        part = {
            "CNTRY": np.full(size, country),
            "IDNO": np.arange(1, size + 1),
            "STRATUM": stratum,
            "PSU": 10 * stratum + random.integers(1, 6, size),
            "PSPWGHT": random.uniform(0.4, 2.4, size).round(4),
            "GNDR": random.integers(1, 3, size),
            "TRUST": random.choice([1, 2, 3, 8, 9], size, p=[0.4, 0.3, 0.2, 0.06, 0.04]),
            "NEWS_TV": random.integers(0, 2, size),
            "HOURS": np.where(random.random(size) < 0.08, 9999, random.integers(0, 50, size)),
            "NEWS_NET": random.integers(0, 2, size),
            "PROB1": random.choice([1, 2, 3, 99], size, p=[0.4, 0.3, 0.2, 0.1]),
            "PROB2": random.choice([1, 2, 3, 97], size),
        }
        parts.append(pd.DataFrame(part))
    frame = pd.concat(parts).sample(frac=1, random_state=3).reset_index(drop=True)
    frame.loc[(frame["PROB1"] == frame["PROB2"]) | (frame["PROB1"] == 99), "PROB2"] = 97
    ticked, problem = (
        {0: "Not mentioned", 1: "Mentioned"},
        {1: "Health", 2: "Prices", 3: "Crime", 97: "No other", 99: "Refused"},
    )
    path = tmp_path_factory.mktemp("rounds") / "round-2024.sav"
    pyreadstat.write_sav(
        frame.astype(float),
        path,
        column_labels={**ANSWERED, "CNTRY": "Country", "GNDR": "Gender", "NEWS_TV": "Television", "NEWS_NET": "Internet",
                       "PSPWGHT": "Post-stratification weight", "PROB1": "First", "PROB2": "Second"},
        variable_value_labels={
            "CNTRY": COUNTRIES,
            "GNDR": {1: "Man", 2: "Woman"},
            "TRUST": {1: "Yes", 2: "Partly", 3: "No", 8: "Don't know", 9: "No answer"},
            "HOURS": {9999: "No answer"},
            **dict.fromkeys(("NEWS_TV", "NEWS_NET"), ticked),
            **dict.fromkeys(("PROB1", "PROB2"), problem),
        },
        missing_ranges={"TRUST": [8, 9], "HOURS": [{"lo": 9990, "hi": 9999}], "PROB1": [97, 99], "PROB2": [97, 99]},
    )  # fmt: skip
    with_sets(
        path,
        "$news=D1 1 17 Where do you look NEWS_TV NEWS_NET\n$problems=C 17 What worries you? PROB1 PROB2\n",
    )
    return path, frame.rename(columns={"STRATUM": "stratum", "PSU": "psu", "PSPWGHT": "weight"})


def test_an_integrated_file_becomes_three_waves(rounds: tuple[Path, pd.DataFrame], tmp_path: Path) -> None:
    file, frame = rounds
    root = tmp_path / "own"
    refused = asked(
        tmp_path, "init", "own", "--from", str(file), "--wave", "dk-2024", "--rows", "CNTRY=DK", fails=True
    )
    assert "Values found: 1 = Denmark (180 rows), 2 = Norway (150 rows), 3 = Sweden (120 rows)." in refused
    said = asked(tmp_path, "init", "own", "--from", str(file), "--wave", "dk-2024", "--rows", "CNTRY=1")
    assert 'id = "IDNO", strata = ["STRATUM"], psu = "PSU", weight = "PSPWGHT".' in said
    fill(root / "schemas/barometer.toml", licence='"CC-BY-4.0"', released="2026-06-30")
    fill(root / "schemas/instruments/round-2024.toml", language='"en"')
    fill(
        root / "schemas/waves/dk-2024.toml",
        start="2024-01-01",
        end="2024-12-31",
        producer='"Office"',
        licence='"CC0-1.0"',
    )
    for wave, country in (("no-2024", 2), ("se-2024", 3)):
        rows = ("--rows", f"CNTRY={country}", "--id", "CNTRY", "--id", "IDNO")
        asked(root, "new-wave", wave, str(file), *rows, "--instrument", "round-2024")
    assert "Draft: " in asked(root, "check")  # the others took dates and origin from the first
    confirm(root)
    catalogue, made = build(root)
    assert len(made) == 3 * len(WAVE_STEPS) + len(PRODUCT_STEPS)
    assert len([*reads(root).glob("[!.]*")]) == 1  # the file was read once
    assert {wave.source.sha256 for wave in catalogue.waves.values()} == {
        catalogue.waves["dk-2024"].source.sha256
    }
    questions = {key: question.type for key, question in catalogue.questions.items()}
    assert questions == {"trust": "single", "news": "multiple", "hours": "numeric", "problems": "multiple"}
    assert list(catalogue.questions["trust"].codes) == ["yes", "partly", "no", "dont_know"]
    for country, wave in zip(COUNTRIES, ("dk-2024", "no-2024", "se-2024"), strict=True):
        own, found = frame[frame["CNTRY"] == country].reset_index(drop=True), published(root, wave)
        hours, trust = own["HOURS"], own["TRUST"]
        held(found["hours", "mean"], ratio(own, hours, hours < 9990))
        held(found["trust", "partly"], ratio(own, trust == 2, trust != 9), 100)
        held(
            found["news", "internet"], ratio(own, own["NEWS_NET"], own["NEWS_TV"] + own["NEWS_NET"] > 0), 100
        )
        worries = own[["PROB1", "PROB2"]]
        held(
            found["problems", "crime"],
            ratio(own, (worries == 3).any(axis=1), (worries < 90).any(axis=1)),
            100,
        )
    compared = asked(root, "compare", "dk-2024", "se-2024", "--indicator", "problems")
    assert "comparable: The two numbers may be compared." in compared
    assert build(root)[1] == []


# ── an export of a survey tool ───────────────────────────────────────────────

UNITS = 240
USED = ["Books", "Newspapers, printed", "Films", "Other (please say)", "None of these"]
ASKED = "Which of these have you used? - Selected Choice"
REGIONS = ["North", "South", "East, coast included"]


def tool_export(seed: int, split: bool) -> tuple[list[list[str]], pd.DataFrame]:
    """Rows as Qualtrics exports them, choices as texts; and the answers as they were made."""
    random = np.random.default_rng(seed)
    ticked = pd.DataFrame(
        {
            name: random.random(UNITS) < share
            for name, share in zip(USED, (0.5, 0.4, 0.2, 0.1, 0), strict=True)
        }
    )
    ticked[USED[-1]] = ~ticked.any(axis=1) & (random.random(UNITS) < 0.6)
    made = ticked.assign(
        preview=np.arange(UNITS) < 3,
        finished=random.random(UNITS) > 0.08,
        region=random.choice(REGIONS, UNITS),
        happy=random.choice(["Very", "Fairly", "Not", "Prefer not to say"], UNITS, p=[0.4, 0.3, 0.2, 0.1]),
        visits=random.poisson(6, UNITS),
    )
    words = [f"my own words {row}" if other else "" for row, other in enumerate(made[USED[3]])]
    started = pd.Timestamp("2025-03-01 08:00") + pd.to_timedelta(np.arange(UNITS), unit="min")
    columns: list[tuple[str, str, list[Any]]] = [
        ("StartDate", "Start Date", [*started.strftime("%Y-%m-%d %H:%M:%S")]),
        ("Status", "Response Type", ["Survey Preview" if each else "IP Address" for each in made["preview"]]),
        ("IPAddress", "IP Address", [f"10.0.{seed}.{row}" for row in range(UNITS)]),
        ("Finished", "Finished", [str(bool(each)) for each in made["finished"]]),
        ("ResponseId", "Response ID", [f"R_{seed}{row:05}" for row in range(UNITS)]),
        ("LocationLatitude", "Location Latitude", [f"{55 + row / 997:.4f}" for row in range(UNITS)]),
        ("Q1", "In which region do you live?", [*made["region"]]),
        ("Q2", "How happy are you? - Selected Choice", [*made["happy"]]),
    ]
    if split:
        columns += [
            (f"Q3_{place}", f"{ASKED} - {name}", [name if each else "" for each in made[name]])
            for place, name in enumerate(USED, 1)
        ]
        columns.insert(-1, ("Q3_4_TEXT", "Which of these have you used? - Other (please say) - Text", words))
    else:
        cells = [",".join(name for name in USED if row[name]) for _, row in made.iterrows()]
        columns += [("Q3", ASKED, cells), ("Q3_4_TEXT", f"{ASKED} - Other - Text", words)]
    columns.append(("Q4", "How many visits last year?", [*made["visits"]]))
    head = [[each[0] for each in columns], [each[1] for each in columns]]
    head.append([f'{{"ImportId":"{each[0]}"}}' for each in columns])
    return [*head, *(list(row) for row in zip(*(each[2] for each in columns), strict=True))], made


def exclude(path: Path) -> None:
    """Take the # away from the exclusions that the draft proposes, and give each a reason."""
    lines = path.read_text(encoding="utf-8").splitlines()
    at = next(place for place, line in enumerate(lines) if line.startswith("# TODO: are rows with Status"))
    proposed = [line.removeprefix("# ") for line in lines[at:] if "# TODO" not in line]
    text = "\n".join([*lines[:at], *proposed]) + "\n"
    path.write_text(text.replace('reason = ""', 'reason = "No answer of the survey."'), encoding="utf-8")


def test_two_exports_of_a_survey_tool_become_a_released_series(tmp_path: Path) -> None:
    root, answered = tmp_path / "library", {}
    rows, answered["dk-2024"] = tool_export(1, split=False)
    with (tmp_path / "export.csv").open("w", newline="", encoding="utf-8-sig") as file:
        csv.writer(file).writerows(rows)
    rows, answered["dk-2025"] = tool_export(2, split=True)
    pd.DataFrame(rows).to_excel(tmp_path / "export.xlsx", header=False, index=False)

    said = asked(tmp_path, "init", "library", "--from", str(tmp_path / "export.csv"), "--wave", "dk-2024")
    assert 'Drafted: 3 questions, 1 background variable, id = "ResponseId".' in said
    fill(root / "schemas/barometer.toml", licence='"CC-BY-4.0"', released="2026-06-30")
    fill(root / "schemas/instruments/export.toml", language='"en"')
    wave = root / "schemas/waves/dk-2024.toml"
    fill(wave, start="2024-01-01", end="2024-12-31", producer='"Office"', licence='"CC0-1.0"')
    assert 'method = "none" counts every unit 1.' in asked(root, "check", fails=True)
    edit(wave, 'method = "design"', 'method = "none"')
    asked(root, "new-wave", "dk-2025", str(tmp_path / "export.xlsx"))
    later = root / "schemas/waves/dk-2025.toml"
    fill(later, start="2025-01-01", end="2025-12-31")
    for path in (wave, later):
        exclude(path)
    drafted = [path.read_text(encoding="utf-8") for path in (root / "schemas").rglob("*.[ct]*")]
    assert not any(text in each for each in drafted for text in ("my own words", "R_1", "10.0.1"))
    confirm(root)
    catalogue, _ = build(root)
    kinds = {key: question.type for key, question in catalogue.questions.items()}
    assert kinds == {"q2": "single", "q3": "multiple", "q4": "numeric"}
    assert (
        catalogue.waves["dk-2024"].source.choices == {"Q3": ","}
        and not catalogue.waves["dk-2025"].source.choices
    )
    for key, made in answered.items():
        kept = made[~made["preview"] & made["finished"]]
        found = published(root, key)
        items = {text: item for item, text in catalogue.questions["q3"].items.items()}
        chose = kept[kept[USED].any(axis=1)]
        for name in USED:
            value, _, n = found["q3", items[name]]
            assert (value, n) == (pytest.approx(100 * chose[name].mean(), rel=1e-12), len(chose)), name
        assert found["q2", "very"][0] == pytest.approx(100 * (kept["happy"] == "Very").mean(), rel=1e-12)
        mean, se, n = found["q4", "mean"]
        assert (mean, n) == (pytest.approx(kept["visits"].mean()), len(kept))
        assert se == pytest.approx(kept["visits"].std(ddof=1) / len(kept) ** 0.5)
    assert "comparable" in asked(root, "compare", "dk-2024", "dk-2025", "--indicator", "q3")
    (sealed,) = seal_candidates(catalogue)
    assert verify(catalogue, root / f"warehouse/releases/library/{sealed.version}").version == "0.1.0"
    assert build(root)[1] == []
