"""Declared facts are held against the data: a contradiction stops the wave, what may be right is a finding."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pandas as pd
import pytest
from typer.testing import CliRunner

from pipeline.catalogue import Catalogue, load_catalogue
from pipeline.cli.app import app
from pipeline.comparison import Pair, WaveFacts, shared_units
from pipeline.contracts import columns, conform
from pipeline.harmonise import harmonise, harmonise_figures
from pipeline.problems import ProblemError
from pipeline.release.codelists import codebook_rows
from pipeline.sources import read_raw
from pipeline.steps import declared_facts
from pipeline.weighting import weigh
from tests.barometers import BAROMETER, FIGURES_WAVE, edit, microdata, pin, write_barometer
from tests.golden import Estimated, close, estimate

CODEBOOK = """
[variables.region]
label = "Region"
codes = { north = "North", south = "South" }
[questions.q1]
type = "single"
text = "Have you introduced something new?"
codes = { yes = "Yes", no = "No", dont_know = "Don't know" }
nonresponse = ["dont_know"]
"""
INDICATORS = """
[bases.all]
[indicators.share]
any = ["q1=yes"]
[indicators.number]
total = "share"
"""
CROSSWALK = """source_variable,source_code,variable,code,note
REG,N,region,north,
REG,S,region,south,
Q1,1,q1,yes,
Q1,2,q1,no,
Q1,9,q1,dont_know,
"""
WAVE = """
country = "DK"
survey = "dk"
edition = "{edition}"
instrument = "q"
unit = "workplace"
{declared}
reference_period = {{ start = {edition}-01-01, end = {edition}-12-31 }}
[origin]
producer = "Test office"
title = "Survey {edition}"
licence = "CC-BY-4.0"
[source]
kind = "microdata"
file = "dk-{edition}.csv"
sha256 = ""
bytes = 0
[design]
id = "ID"
weight = "W"
{design}
[weighting]
method = "given"
"""


def write_survey(
    root: Path, raw: Mapping[str, str], design: str = "", declared: Mapping[str, str] | None = None
) -> Path:
    """A barometer of one survey; ``raw`` is the raw file of each edition."""
    for folder in ("schemas/waves", "schemas/instruments", "warehouse/raw"):
        (root / folder).mkdir(parents=True)
    files = {
        "barometer.toml": BAROMETER.replace('["en", "da"]', '["en"]'),
        "codebook.toml": CODEBOOK,
        "indicators.toml": INDICATORS,
        "domains.toml": '[domains.total]\nby = []\n[domains.region]\nby = ["region"]\n',
        "instruments/q.toml": 'language = "da"\nunit_verb = "introduced"\n',
        "instruments/q.csv": CROSSWALK,
    }
    for name, text in files.items():
        (root / "schemas" / name).write_text(text, encoding="utf-8")
    for edition, text in raw.items():
        (root / "warehouse" / "raw" / f"dk-{edition}.csv").write_text(text, encoding="utf-8")
        own = (declared or {}).get(edition, "")
        (root / "schemas" / "waves" / f"dk-{edition}.toml").write_text(
            WAVE.format(edition=edition, design=design, declared=own), encoding="utf-8"
        )
        pin(root, f"dk-{edition}")
    return root


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    return "\n".join(",".join(map(str, row)) for row in [head, *rows]) + "\n"


def run(root: Path) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(
        CliRunner().invoke(app, ["--project", str(root), "run", "--json"]).stdout
    )
    return told


def harmonised(root: Path, wave: str) -> tuple[Any, Catalogue]:
    catalogue = load_catalogue(root)
    assert not catalogue.problems, catalogue.problems
    declared = catalogue.waves[wave]
    return harmonise(
        read_raw(catalogue.raw_path(declared.source.file), declared.source).frame, declared, catalogue
    ), catalogue


# ── Replicate weights ────────────────────────────────────────────────────────

REPLICATES = {
    "brr": 'columns = "brr*", method = "brr"',
    "fay": 'columns = "fay*", method = "fay", rho = 0.3',
    "boot": 'columns = "boot*", method = "bootstrap"',
}
# R 4.2, survey 4.1-1: svrepdesign(data, weights = ~W, repweights, type = "BRR" | "Fay" (rho = 0.3) | "bootstrap"
# (scale = 1/11), combined.weights = FALSE, mse = TRUE); the standard errors of svymean and svytotal.
R_ERRORS = {
    "brr": (0.0594321940828, 675.140726071),
    "fay": (0.0593326684032, 675.140726071),
    "boot": (0.0336617109521, 720.023484465),
}


def hadamard() -> Any:
    matrix = np.array([[1]])
    for _ in range(3):
        matrix = np.block([[matrix, matrix], [matrix, -matrix]])
    return matrix


def sampled(scale: float = 1.0, full: bool = False) -> str:
    """64 workplaces in 8 strata of two halves; factors of three kinds, or (``full``) full weights."""
    balanced, rows = hadamard(), []
    for row in range(64):
        stratum, psu = row // 8, row % 2
        weight = (20 + row * 37 % 97 * 3) * scale
        signs = [int(balanced[each, stratum]) * (1 - 2 * psu) for each in range(8)]
        factors = [1 + sign for sign in signs] + [1 + 0.7 * sign for sign in signs]
        factors += [2 * ((((stratum * 31 + r * 17 + 7) * 2654435761) >> 11) % 2 == psu) for r in range(12)]
        answers = (row + 1, "NS"[row % 3 == 0], 1 if row * 7 % 10 < 6 else 2, weight)
        rows.append((*answers, *(factor * weight if full else round(factor, 1) for factor in factors)))
    names = [
        f"{kind}{number}" for kind, count in (("brr", 8), ("fay", 8), ("boot", 12)) for number in range(count)
    ]
    return table(["ID", "REG", "Q1", "W", *names], rows)


def replicated(root: Path, raw: str, declared: str) -> Path:
    return write_survey(root, {"2020": raw}, f"replicate_weights = {{ {declared} }}")


def weighted(root: Path) -> Mapping[str, Any]:
    made, catalogue = harmonised(root, "dk-2020")
    return weigh(made.answers, catalogue.waves["dk-2020"], catalogue).report


@pytest.mark.parametrize("kind", REPLICATES)
def test_factors_declared_as_such_equal_r(kind: str, tmp_path: Path) -> None:
    found: Estimated = estimate(replicated(tmp_path, sampled(), f"{REPLICATES[kind]}, combined = false"))
    share, total = (found.cell(name, "yes") for name in ("share", "number"))
    assert close(share["value"], 61.4973781317) and close(total["value"], 6333)
    assert close(share["se"], 100 * R_ERRORS[kind][0])
    assert close(total["se"], R_ERRORS[kind][1])


@pytest.mark.parametrize("kind", REPLICATES)
@pytest.mark.parametrize("scale", [1.0, 1 / 160.90625])
def test_factors_read_as_full_weights_stop_the_wave(kind: str, scale: float, tmp_path: Path) -> None:
    """Also where the weights are scaled to a mean of 1, so that their sums are those of the factors."""
    with pytest.raises(ProblemError, match="holds factors, not full weights") as raised:
        weighted(replicated(tmp_path, sampled(scale), REPLICATES[kind]))
    (problem,) = raised.value.problems
    assert (problem.key, problem.wave) == ("design.replicate_weights", "dk-2020")
    assert "combined = false" in problem.hint


@pytest.mark.parametrize("kind", REPLICATES)
def test_full_weights_are_taken_as_such_and_never_as_factors(kind: str, tmp_path: Path) -> None:
    raw = sampled(full=True)
    report = weighted(replicated(tmp_path / "full", raw, REPLICATES[kind]))
    assert report["replicates"]["columns"] == (12 if kind == "boot" else 8)
    with pytest.raises(ProblemError, match="holds full weights, not factors"):
        weighted(replicated(tmp_path / "factors", raw, f"{REPLICATES[kind]}, combined = false"))


@pytest.mark.parametrize(
    ("declared", "said", "hint"),
    [
        ('columns = "fay*", method = "brr"', "they are 1 ± 0.7 times the weight, not 1 ('brr')", 'method = "fay", rho = 0.3'),
        ('columns = "fay*", method = "fay", rho = 0.5', "they are 1 ± 0.7 times the weight, not 0.5", 'method = "fay", rho = 0.3'),
        ('columns = "brr*", method = "fay", rho = 0.5', "they are 1 ± 1 times the weight, not 0.5", 'method = "brr"'),
    ],
)  # fmt: skip
@pytest.mark.parametrize("full", [True, False])
def test_half_samples_of_another_rho_than_declared_stop_the_wave(
    declared: str, said: str, hint: str, full: bool, tmp_path: Path
) -> None:
    combined = "" if full else ", combined = false"
    with pytest.raises(ProblemError) as raised:
        weighted(replicated(tmp_path, sampled(full=full), declared + combined))
    (problem,) = raised.value.problems
    assert problem.key == "design.replicate_weights.method"
    assert said in str(problem) and hint in problem.hint


@pytest.mark.parametrize(
    "declared", ['columns = "fay*", method = "brr", scale = 0.25', 'columns = "brr*", method = "bootstrap"']
)
def test_a_scale_of_ones_own_or_another_method_is_taken_as_declared(declared: str, tmp_path: Path) -> None:
    weighted(replicated(tmp_path, sampled(full=True), declared))


def test_replicates_on_another_scale_than_the_weight_stop_the_wave(tmp_path: Path) -> None:
    """Full replicates that add up to the population beside a weight that adds up to a third of it."""
    lines = [line.split(",") for line in sampled(full=True).splitlines()]
    third = [lines[0], *([*row[:3], float(row[3]) / 3, *row[4:]] for row in lines[1:])]
    with pytest.raises(ProblemError, match=r"another scale than the weight.*2\.99 times the sum"):
        weighted(replicated(tmp_path, table(third[0], third[1:]), REPLICATES["brr"]))


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ('columns = "brr[0-5]", method = "brr"', "a brr set has a multiple of four"),
        ('columns = "brr*", method = "brr"', ""),
        ('columns = "*5", method = "bootstrap"', ""),
    ],
)
def test_a_set_that_its_method_does_not_make_is_said(columns: str, said: str, tmp_path: Path) -> None:
    root = replicated(tmp_path, sampled(full=True), columns)
    found = declared_facts.replicates(weighted(root), load_catalogue(root).waves["dk-2020"])
    assert (found.passed, said in found.message) == (not said, True), found.message


def test_replicates_that_repeat_each_other_or_the_weight_are_said(tmp_path: Path) -> None:
    lines = [line.split(",") for line in sampled(full=True).splitlines()]
    head = [*lines[0], "brr8", "brr9", "brrA", "brrB"]
    rows = [[*row, row[4], row[5], row[3], row[6]] for row in lines[1:]]
    root = replicated(tmp_path, table(head, rows), REPLICATES["brr"])
    found = declared_facts.replicates(weighted(root), load_catalogue(root).waves["dk-2020"])
    assert not found.passed
    assert "3 columns repeat an earlier one" in found.message
    assert "hold the weight itself" in found.message


# ── Units of two waves ───────────────────────────────────────────────────────


def answered(ids: Iterable[object]) -> str:
    rows = [(unit, "NS"[place % 2], 1 + place % 3 // 2, 10) for place, unit in enumerate(ids)]
    return table(["ID", "REG", "Q1", "W"], rows)


def numbered(first: int, last: int, form: str = "{:04}") -> list[str]:
    return [form.format(number) for number in range(first, last + 1)]


REGISTER = [f"{(number * 7919) % 900000 + 100000}" for number in range(1, 401)]  # ids of a business register
HASHED = [f"{number * 2654435761 % 2**32:08x}" for number in range(1, 401)]
ONE_IN_THREE = [f"w{number}" for number in range(1, 1201) if number % 3 == 0]  # who answered, of 1,200 drawn


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        (numbered(1, 400), numbered(1, 400), "unknown"),  # the files' rows are numbered
        (numbered(1, 400), numbered(401, 800), "no"),
        (numbered(1, 400, "DK-{}"), numbered(1, 300, "DK-{}"), "unknown"),
        (ONE_IN_THREE, numbered(1, 1200, "w{}")[::2], "unknown"),  # half and a third of the same run
        (ONE_IN_THREE, ONE_IN_THREE, "yes"),  # always the same third
        (REGISTER, REGISTER, "yes"),
        (REGISTER, REGISTER[:200] + numbered(1, 200, "9{:06}"), "yes"),
        (REGISTER, REGISTER[:10] + numbered(1, 390, "9{:06}"), "no"),  # a few drawn twice
        (HASHED, HASHED[100:], "yes"),
        (HASHED, [each[::-1] for each in HASHED], "no"),
    ],
)
def test_ids_tell_of_a_panel_only_where_they_are_no_run_of_numbers(
    a: list[str], b: list[str], expected: str, tmp_path: Path
) -> None:
    catalogue = load_catalogue(write_survey(tmp_path, {"2020": answered(a), "2022": answered(b)}))
    waves = [catalogue.waves[key] for key in ("dk-2020", "dk-2022")]
    assert shared_units(*waves, {"dk-2020": a, "dk-2022": b}.__getitem__) == expected
    assert shared_units(*reversed(waves), {"dk-2020": a, "dk-2022": b}.__getitem__) == expected


@pytest.mark.parametrize("without_ids", ["dk-2020", "dk-2022"])
def test_numbers_of_rows_do_not_tell_of_a_panel(without_ids: str, tmp_path: Path) -> None:
    root = write_survey(tmp_path, dict.fromkeys(("2020", "2022"), answered(REGISTER)))
    edit(root / f"schemas/waves/{without_ids}.toml", 'id = "ID"', 'id = "row"')
    catalogue = load_catalogue(root)
    ids = {"dk-2020": REGISTER, "dk-2022": REGISTER} | {without_ids: numbered(1, 400, "{}")}
    assert shared_units(catalogue.waves["dk-2020"], catalogue.waves["dk-2022"], ids.__getitem__) == "unknown"


@pytest.mark.parametrize(
    ("declared", "ids", "verdict", "reasons", "found"),
    [
        ({}, REGISTER, "caution", "shared_units", False),
        ({"2022": "panel = true"}, numbered(1, 400), "caution", "shared_units", False),
        ({"2020": "panel = false"}, REGISTER, "comparable", "", False),
        ({}, numbered(1, 400), "caution", "shared_units_unknown", True),
    ],
)
def test_a_panel_is_compared_with_caution_or_asked_for(
    declared: dict[str, str], ids: list[str], verdict: str, reasons: str, found: bool, tmp_path: Path
) -> None:
    editions = {edition: answered(ids) + f"x{edition},N,1,10\n" for edition in ("2020", "2022")}
    root = write_survey(tmp_path, editions, declared=declared)
    told = run(root)
    assert told["problems"] == []
    assert ("shared_units" in [each["check"] for each in told["findings"]]) == found
    asked = CliRunner().invoke(
        app, ["--project", str(root), "compare", "dk-2022", "dk-2020", "--indicator", "share", "--json"]
    )
    compared = json.loads(asked.stdout)
    assert compared["verdict"] == verdict
    assert "|".join(each["reason"] for each in compared["reasons"]) == reasons
    assert {row["verdict"] for row in compared["comparisons"]} == {verdict}
    assert {row["reasons"] for row in compared["comparisons"]} == {reasons}


@pytest.mark.parametrize(
    ("declared", "expected"), [("", "no"), ("panel = true\n", "yes"), ("panel = false\n", "no")]
)
def test_figures_are_of_a_panel_where_that_is_declared(barometer: Path, declared: str, expected: str) -> None:
    waves = barometer / "schemas/waves"
    other = FIGURES_WAVE.replace('edition = "2020"', 'edition = "2021"').replace(
        "[origin]", f"{declared}[origin]"
    )
    (waves / "no-2021.toml").write_text(other, encoding="utf-8")
    catalogue = load_catalogue(barometer)
    pair = Pair(catalogue.waves["no-2021"], catalogue.waves["no-2020"], WaveFacts(catalogue))
    assert pair.shared_units == expected
    assert ("shared_units" in pair.judge("any_innovation").reasons) == (expected == "yes")


def test_before_anything_is_built_what_is_not_declared_is_not_known(tmp_path: Path) -> None:
    editions = {edition: answered(REGISTER) + f"x{edition},N,1,10\n" for edition in ("2020", "2022")}
    catalogue = load_catalogue(write_survey(tmp_path, editions))
    pair = Pair(catalogue.waves["dk-2022"], catalogue.waves["dk-2020"], WaveFacts(catalogue))
    judged = pair.judge("share")
    assert (pair.shared_units, judged.verdict, judged.reasons) == (
        "unknown",
        "caution",
        ("shared_units_unknown",),
    )


LEFT_OUT = '[[exclusion]]\ncolumn = "REG"\nvalues = ["{}"]\nreason = "Of the other survey."\n'


def test_one_file_is_not_two_waves(tmp_path: Path) -> None:
    catalogue = load_catalogue(write_survey(tmp_path, dict.fromkeys(("2020", "2022"), answered(REGISTER))))
    assert [(problem.wave, problem.key) for problem in catalogue.problems] == [
        ("dk-2020", "source.file"),
        ("dk-2022", "source.file"),
    ]
    assert "is the file of dk-2022 as well" in catalogue.problems[0].message


@pytest.mark.parametrize(
    ("a", "b", "allowed"),
    [
        ("", "", False),
        ('rows = { REG = ["N"] }', 'rows = { REG = ["S"] }', True),
        ('rows = { REG = ["N", "S"] }', 'rows = { REG = ["S"] }', False),
        ('rows = { REG = ["N"] }', 'rows = { Q1 = ["1"] }', False),  # who of N said 1 is in both
        ('rows = { REG = ["N"] }', "", False),
        ('rows = { REG = ["N"] }', LEFT_OUT.format("N"), True),
        ('rows = { REG = ["N"] }', LEFT_OUT.format("S"), False),
        ("", 'note = "Confirmed: the workplaces of dk, asked about another topic."', True),
    ],
)
def test_the_same_rows_are_not_two_surveys_unless_somebody_says_so(
    a: str, b: str, allowed: bool, tmp_path: Path
) -> None:
    root = write_survey(tmp_path, dict.fromkeys(("2020", "2022"), answered(REGISTER)))
    edit(root / "schemas/waves/dk-2022.toml", 'survey = "dk"', 'survey = "dk-state"')
    for edition, declared in (("2020", a), ("2022", b)):
        at = (
            "[source]"
            if declared.startswith("rows")
            else "reference_period"
            if "note" in declared
            else "[design]"
        )
        wave = root / f"schemas/waves/dk-{edition}.toml"
        edit(wave, at, f"{at}\n{declared}" if at == "[source]" else f"{declared}\n{at}")
    problems = load_catalogue(root).problems
    assert [(problem.wave, problem.key) for problem in problems] == (
        [] if allowed else [("dk-2020", "source.file"), ("dk-2022", "source.file")]
    )
    assert all("begin the note of one of the waves with confirmed" in problem.hint for problem in problems)


# ── Published figures ────────────────────────────────────────────────────────

HEAD = "indicator,category,domain,domain_code,value,n,note\n"


def figures(barometer: Path, rows: str, response: str = "") -> list[str]:
    """The problems of a file of figures, as key and message."""
    (barometer / "warehouse/raw/no-2020.csv").write_text(HEAD + rows, encoding="utf-8")
    (barometer / "schemas/waves/no-2020.toml").write_text(FIGURES_WAVE + response, encoding="utf-8")
    pin(barometer, "no-2020")
    catalogue = load_catalogue(barometer)
    wave = catalogue.waves["no-2020"]
    try:
        harmonise_figures(read_raw(catalogue.raw_path(wave.source.file), wave.source).frame, wave, catalogue)
    except ProblemError as error:
        return [f"{problem.key} {problem.message}" for problem in error.problems]
    return []


FRACTIONS = "fractions, not percentages"


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("any_innovation,yes,total,,0.74,1786,\nany_innovation,yes,sector,care,0.71,,\n", [FRACTIONS]),
        ("novelty,first,total,,1,,\n", [FRACTIONS]),
        (
            "any_innovation,yes,total,,0.4,90,\nstaff_mean,mean,total,,12,90,\n",
            [FRACTIONS],
        ),  # a mean is no share
        ("any_innovation,yes,total,,0.4,,Confirmed: rare\nnovelty,first,total,,0.2,,confirmed\n", []),
        ("any_innovation,yes,total,,0,90,\n", []),
        ("any_innovation,yes,total,,0.4,90,\nnovelty,first,total,,1.2,90,\n", []),
        # one indicator in fractions beside others in percent
        (
            "any_innovation,yes,total,,74,,\nnovelty,first,total,,0.62,,\n"
            "novelty,copied,total,,0.31,,\nnovelty,dont_know,total,,0.07,,\n",
            [FRACTIONS],
        ),
        ("any_innovation,yes,total,,74,,\nnovelty,first,total,,62,,\nnovelty,copied,total,,38,,\n", []),
    ],
)
def test_fractions_are_no_percentages(barometer: Path, rows: str, said: list[str]) -> None:
    found = figures(barometer, rows)
    assert len(found) == len(said)
    assert all(text in problem for text, problem in zip(said, found, strict=True)), found


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("any_innovation,yes,total,,74,0,\n", "row 1, n is 0, and the figure has a value"),
        ("any_innovation,yes,total,,74,1787,\n", "row 1, n is more than the 1786 that answered"),
        (
            "any_innovation,yes,total,,74,900,\nany_innovation,yes,sector,care,70,901,\n",
            "row 2, n is more than that of the total, 900",
        ),
        (
            "innovative_workplaces,yes,sector,school,810,,\ninnovative_workplaces,yes,total,,800,,\n",
            "row 1, value is more than that of the total, 800",
        ),
        ("any_innovation,yes,total,,74,1786,\nany_innovation,yes,sector,care,99,1786,\n", ""),
    ],
)
def test_figures_that_contradict_what_is_known_stop_the_wave(barometer: Path, rows: str, said: str) -> None:
    found = figures(barometer, rows, "[response]\nrespondents = 1786\n")
    assert found == ([said] if said else [])


def test_figures_stand_in_one_wave(barometer: Path) -> None:
    other = (barometer / "schemas/waves/no-2020.toml").read_text(encoding="utf-8")
    other = other.replace('edition = "2020"', 'edition = "2021"').replace("2020-12-31", "2021-12-31")
    (barometer / "schemas/waves/no-2021.toml").write_text(other, encoding="utf-8")
    rows = "any_innovation,yes,total,,74,1786,\n"
    (barometer / "warehouse/raw/no-2020.csv").write_text(HEAD + rows, encoding="utf-8")
    pin(barometer, "no-2021")
    assert figures(barometer, rows) == [" holds the figures of no-2021 as well"]
    (barometer / "warehouse/raw/no-2020.csv").write_text(HEAD, encoding="utf-8")
    pin(barometer, "no-2021")
    assert figures(barometer, "") == [], "waves of which nothing is published have an empty file each"


# ── Numbers, answers and rows ────────────────────────────────────────────────


def staff(barometer: Path, numbers: Sequence[str], limits: str = "") -> Path:
    """The edition 2020 with these numbers of staff in its first rows."""
    path = barometer / "warehouse/raw/dk-2020.csv"
    lines = path.read_text(encoding="utf-8").splitlines()
    for row, number in enumerate(numbers, 1):
        lines[row] = lines[row].rpartition(";")[0] + f";{number}"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    pin(barometer, "dk-2020")
    edit(barometer / "schemas/codebook.toml", 'type = "numeric"\n', f'type = "numeric"\n{limits}')
    return barometer


@pytest.mark.parametrize(
    ("limits", "numbers", "rules"),
    [
        ("minimum = 0\nmaximum = 500\n", ["-1", "501", "500", "0"], {"minimum": 1, "maximum": 1}),
        ("minimum = 1\n", ["0", "0,5", "100000"], {"minimum": 2}),
        ("maximum = 34.5\n", ["34,5", "35"], {"maximum": 1}),
        ("", ["-1", "100000"], {}),
    ],
)
def test_numbers_outside_their_limits_are_quarantined(
    barometer: Path, limits: str, numbers: list[str], rules: dict[str, int]
) -> None:
    made, _ = harmonised(staff(barometer, numbers, limits), "dk-2020")
    assert made.report["rules"] == rules
    assert set(made.quarantine["column"]) == ({"staff"} if rules else set())
    assert made.report["kept"] == 80 - sum(rules.values())


WITH_POINT = ("1.500", "12.000", "999.250")


@pytest.mark.parametrize(
    ("decimal", "numbers", "declared", "found"),
    [
        (".", WITH_POINT, "", ["ANSATTE"]),
        (".", ("1.500",), "", ["ANSATTE"]),
        (",", ("1,500", "-2,000"), "", ["ANSATTE"]),
        (".", (*WITH_POINT, "1.5"), "", []),  # decimals after all
        (".", (*WITH_POINT, "0.125"), "", []),  # a group of thousands does not begin with 0
        (".", (*WITH_POINT, "1500.250"), "", []),
        (".", WITH_POINT, 'thousands = ""', []),
        (",", ("30", "7"), "", []),
        (",", WITH_POINT, 'thousands = "."', []),
    ],
)
def test_a_decimal_mark_that_may_part_thousands_is_asked_about(
    barometer: Path, decimal: str, numbers: tuple[str, ...], declared: str, found: list[str]
) -> None:
    edit(
        barometer / "schemas/waves/dk-2020.toml",
        'decimal = ","',
        f'decimal = "{decimal}"\n{declared}'.strip(),
    )
    made, catalogue = harmonised(staff(barometer, [*numbers * 80][:80]), "dk-2020")
    assert made.report["thousands"] == found
    told = declared_facts.thousands(made.report, catalogue.waves["dk-2020"])
    assert told.passed == (not found)
    assert all(number not in told.message for number in numbers)
    if found:
        other = "." if decimal == "," else ","
        assert f"ANSATTE with a '{decimal}'" in told.message
        assert f"source.thousands = '{decimal}' and decimal = '{other}'" in told.message


def test_a_confirmed_line_is_not_asked_about_and_weights_are(barometer: Path) -> None:
    edit(
        barometer / "schemas/instruments/dk.csv",
        "ANSATTE,*,staff,=,",
        "ANSATTE,*,staff,=,Confirmed by the agency",
    )
    wave = barometer / "schemas/waves/dk-2020.toml"
    edit(wave, 'population = "dk-strata.csv"', 'weight = "W"')
    edit(
        wave,
        'method = "rake"\nmargins = [["sector"], ["region"]]\ntotals = "dk-margins.csv"',
        'method = "given"',
    )
    staff(barometer, ["1,500"] * 80)
    raw = barometer / "warehouse/raw/dk-2020.csv"
    head, *rows = raw.read_text(encoding="utf-8").splitlines()
    raw.write_text("\n".join([f"{head};W", *(f"{row};1,500" for row in rows)]) + "\n", encoding="utf-8")
    pin(barometer, "dk-2020")
    made, _ = harmonised(barometer, "dk-2020")
    assert made.report["thousands"] == ["W"]


@pytest.mark.parametrize(("number", "found"), [(1.125, []), (1.5, []), ("1.500", ["ANSATTE"])])
def test_what_a_workbook_holds_as_numbers_is_in_no_doubt(
    barometer: Path, number: float | str, found: list[str]
) -> None:
    lines = [line.split(";") for line in microdata().splitlines()]
    book = openpyxl.Workbook()
    assert book.active
    for line in [lines[0], *([*line[:-1], number] for line in lines[1:])]:
        book.active.append(line)
    book.save(barometer / "warehouse/raw/dk-2020.xlsx")
    wave = barometer / "schemas/waves/dk-2020.toml"
    edit(wave, 'file = "dk-2020.csv"', 'file = "dk-2020.xlsx"')
    edit(wave, 'delimiter = ";"\ndecimal = ","\n', "")
    pin(barometer, "dk-2020")
    made, _ = harmonised(barometer, "dk-2020")
    assert made.report["thousands"] == found


@pytest.mark.parametrize(
    ("rows", "found"),
    [
        ("innovative_workplaces,yes,total,,12.000,,\n", ["column value"]),
        ("any_innovation,yes,total,,74.125,2.000,\n", ["column n"]),
        ("any_innovation,yes,total,,74.125,,\ninnovative_workplaces,yes,total,,1234.500,,\n", []),
    ],
)
def test_counts_among_published_figures_have_no_decimals(
    barometer: Path, rows: str, found: list[str]
) -> None:
    told = figures(barometer, rows)
    assert told == [f"{column} has three digits after every '.': thousands separator?" for column in found]


def test_the_limits_of_a_number_are_published_with_its_variable(barometer: Path) -> None:
    edit(
        barometer / "schemas/codebook.toml",
        'type = "numeric"\n',
        'type = "numeric"\nminimum = 0\nmaximum = 34.5\n',
    )
    rows = pd.DataFrame(list(codebook_rows(load_catalogue(barometer))), columns=columns("codebook"))
    found = conform(rows, "codebook").set_index("variable")[["minimum", "maximum"]]
    assert found.loc["staff"].tolist() == [0.0, 34.5]
    assert found.drop("staff").isna().all(axis=None)


def test_many_numbers_outside_their_limits_stop_the_wave_and_none_is_told(barometer: Path) -> None:
    with pytest.raises(ProblemError, match="breaks the rule 'maximum' in 5 rows") as raised:
        harmonised(staff(barometer, ["70707"] * 5, "maximum = 100\n"), "dk-2020")
    assert "70707" not in str(raised.value)


@pytest.mark.parametrize(
    ("question", "line", "said"),
    [
        ("staff", "minimum = 5\nmaximum = 4\n", "questions.staff.maximum"),
        ("novelty", "minimum = 5\n", "questions.novelty.minimum"),
        ("value", "maximum = 5\n", "questions.value.maximum"),
    ],
)
def test_limits_are_of_numbers_and_in_order(barometer: Path, question: str, line: str, said: str) -> None:
    path = barometer / "schemas/codebook.toml"
    edit(path, f"[questions.{question}]\n", f"[questions.{question}]\n{line}")
    assert [problem.key for problem in load_catalogue(barometer).problems] == [said]


@pytest.mark.parametrize(
    ("numbers", "rows"),
    [
        (["18000,5"], 0),  # the median is about 20: a thousand times that is a large place, not an error
        (["25000"], 1),
        (["25000", "31000000", "0,01"], 3),
        (["0", "-3"], 0),
    ],
)
def test_numbers_in_another_unit_are_counted_and_never_told(
    barometer: Path, numbers: list[str], rows: int
) -> None:
    made, _ = harmonised(staff(barometer, numbers), "dk-2020")
    found = declared_facts.outliers(made.report)
    assert found.passed == (rows == 0)
    assert made.report["outliers"] == ({"staff": rows} if rows else {})
    assert not any(number in found.message for number in numbers if len(number) > 2)


def test_item_nonresponse_is_counted_by_question(barometer: Path) -> None:
    """The counts that the arithmetic of the file gives: ``tests/barometers.microdata``."""
    made, _ = harmonised(barometer, "dk-2020")
    counts = made.report["item_nonresponse"]
    assert counts["introduced.product"] == {
        "asked": 80, "answered": 73, "nonresponse": 7, "no_answer": 0, "not_asked": 0,
    }  # fmt: skip
    innovative = [row for row in range(1, 81) if (row % 11 and row % 3) or row % 5 == 0]
    unsure = [row for row in innovative if row % 13 == 0]
    assert counts["novelty"] == {
        "asked": len(innovative), "answered": len(innovative) - len(unsure), "nonresponse": len(unsure),
        "no_answer": 0, "not_asked": 80 - len(innovative),
    }  # fmt: skip
    assert counts["staff"] == {"asked": 80, "answered": 76, "nonresponse": 0, "no_answer": 4, "not_asked": 0}


@pytest.mark.parametrize(
    ("code", "most", "said"),
    [
        ("dont_know", "", "novelty (0 of"),
        ("no_answer", "", "novelty (0 of"),
        ("copied", "", ""),
        ("dont_know", "[validation]\nmax_item_nonresponse = 1\n", ""),
        ("copied", "[validation]\nmax_item_nonresponse = 0.04\n", "introduced.product (73 of 80 answered)"),
    ],
)
def test_a_base_that_lost_most_of_those_asked_is_pointed_out(
    barometer: Path, code: str, most: str, said: str
) -> None:
    crosswalk = barometer / "schemas/instruments/dk.csv"
    text = crosswalk.read_text(encoding="utf-8").replace("Q2,9,novelty,dont_know", f"Q2,9,novelty,{code}")
    if code == "no_answer":
        text = text.replace(f"Q2,9,novelty,{code}", "Q2,9,novelty,dont_know")
    crosswalk.write_text(text, encoding="utf-8")
    raw = barometer / "warehouse/raw/dk-2020.csv"
    lines = [line.split(";") for line in raw.read_text(encoding="utf-8").splitlines()]
    for row in lines[1:]:
        row[5] = "" if code == "no_answer" or not row[5] else "9"
    raw.write_text("\n".join(";".join(row) for row in lines) + "\n", encoding="utf-8")
    pin(barometer, "dk-2020")
    edit(barometer / "schemas/barometer.toml", "[[contributors]]", f"{most}[[contributors]]")
    made, catalogue = harmonised(barometer, "dk-2020")
    found = declared_facts.item_nonresponse(made.report, catalogue.waves["dk-2020"], catalogue)
    assert found.passed == (not said), found.message
    assert said in found.message


@pytest.mark.parametrize(("key", "number"), [("sample", 79), ("population", 40)])
def test_more_units_than_were_drawn_stop_the_wave(barometer: Path, key: str, number: int) -> None:
    counts = "population = 400\nsample = 160\nrespondents = 80\n"
    edit(barometer / "schemas/waves/dk-2020.toml", counts, f"{key} = {number}\n")
    with pytest.raises(ProblemError, match="is fewer than the 80 units that answered") as raised:
        harmonised(barometer, "dk-2020")
    assert [problem.key for problem in raised.value.problems] == [f"response.{key}"]


@pytest.mark.parametrize(("declared", "passed"), [("80", True), ("79", False), ("81", False)])
def test_rows_that_are_not_the_respondents_are_said(barometer: Path, declared: str, passed: bool) -> None:
    wave = barometer / "schemas/waves/dk-2020.toml"
    edit(wave, "respondents = 80", f"respondents = {declared}")
    made, catalogue = harmonised(barometer, "dk-2020")
    found = declared_facts.response(made.report, catalogue.waves["dk-2020"])
    assert found.passed == passed
    assert found.message.startswith(f"80 rows, and response.respondents is {declared}")


def test_rows_left_out_are_said_beside_the_respondents(barometer: Path) -> None:
    wave = barometer / "schemas/waves/dk-2020.toml"
    edit(wave, "[response]", '[[exclusion]]\ncolumn = "REG"\nvalues = ["N"]\nreason = "Pilot."\n[response]')
    made, catalogue = harmonised(barometer, "dk-2020")
    found = declared_facts.response(made.report, catalogue.waves["dk-2020"])
    assert not found.passed
    assert found.message.startswith("54 rows besides 26 left out, and response.respondents is 80: correct it")


# ── Design and scope ─────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("alone", "rule", "passed", "said"),
    [
        (0, "certainty", True, "0 of 2 strata"),
        (1, "certainty", True, "1 of 3 strata have one sampling unit, 1.2% of the weights"),
        (4, "certainty", False, "4 of 6 strata have one sampling unit, 5.0% of the weights"),
        (5, "certainty", False, "they add nothing to any standard error"),
        (
            5,
            "adjust",
            True,
            "5 of 7 strata have one sampling unit, 6.2% of the weights; estimation.lonely_psu is adjust",
        ),
    ],
)
def test_lonely_strata_are_counted_and_many_are_not_taken_for_certain(
    alone: int, rule: str, passed: bool, said: str, tmp_path: Path
) -> None:
    rows = [
        (row, "NS"[row % 2], 1 + row % 2, 1, f"s{row}" if row <= alone else row % 2) for row in range(1, 81)
    ]
    raw = {"2020": table(["ID", "REG", "Q1", "W", "STR"], rows)}
    root = write_survey(tmp_path, raw, 'strata = ["STR"]')
    edit(
        root / "schemas/barometer.toml",
        "[[contributors]]",
        f'[estimation]\nlonely_psu = "{rule}"\n[[contributors]]',
    )
    catalogue = load_catalogue(root)
    found = declared_facts.lonely_psus(weighted(root), catalogue.waves["dk-2020"], catalogue)
    assert (found.passed, said in found.message) == (passed, True), found.message


def held(care: int, school: int = 0, other: int = 0) -> dict[str, dict[str, int]]:
    units = {"care": care, "school": school, "other": other}
    return {"sector": {code: count for code, count in units.items() if count}}


@pytest.mark.parametrize(
    ("own", "before", "scope", "passed"),
    [
        (held(80), held(40, 40), "", False),
        (held(80), held(40, 40), '[scope]\nsector = ["care"]\n', True),
        (held(80), held(40, 4), "", True),  # eight of 88: it may have drawn none
        (held(900), held(800, 20), "", False),
        (held(40, 40), held(40, 40), "", True),
        (held(40, 0, 40), held(40, 40), "", True),  # classified in another way
        ({}, held(40, 40), "", True),
    ],
)
def test_a_forgotten_scope_is_asked_for(
    own: dict[str, dict[str, int]],
    before: dict[str, dict[str, int]],
    scope: str,
    passed: bool,
    barometer: Path,
) -> None:
    edit(barometer / "schemas/waves/dk-2022.toml", "[origin]", f"{scope}[origin]")
    found = declared_facts.scopes({"dk-2020": before, "dk-2022": own}, load_catalogue(barometer))
    assert found.passed == passed
    assert ("declare scope.sector" in found.message) == (not passed)


@pytest.mark.parametrize(("crosswalk", "passed"), [("SEKTOR,2,sector,school,\n", False), ("", True)])
def test_another_country_may_classify_in_another_way(crosswalk: str, passed: bool, barometer: Path) -> None:
    wave = barometer / "schemas/waves/dk-2022.toml"
    edit(wave, 'country = "DK"\nsurvey = "dk"', 'country = "SE"\nsurvey = "se"')
    edit(barometer / "schemas/instruments/dk.csv", "SEKTOR,2,sector,school,\n", crosswalk)
    found = declared_facts.scopes({"dk-2020": held(40, 40), "dk-2022": held(80)}, load_catalogue(barometer))
    assert found.passed == passed


def test_what_may_be_right_is_shown_by_every_run_until_it_is_declared(tmp_path: Path) -> None:
    root = write_barometer(tmp_path / "barometer")
    raw = root / "warehouse/raw/dk-2022.csv"
    lines = raw.read_text(encoding="utf-8").splitlines()
    kept = [lines[0], *(line for line in lines[1:] if line.split(";")[1] == "1")]
    raw.write_text("\n".join(kept) + "\n", encoding="utf-8")
    pin(root, "dk-2022")
    wave = root / "schemas/waves/dk-2022.toml"
    edit(
        wave,
        'method = "rake"\nmargins = [["sector"], ["region"]]\ntotals = "dk-margins.csv"',
        'method = "design"',
    )
    first = run(root)
    found = [(row["check"], row["wave"]) for row in first["findings"]]
    assert found == [("response", "dk-2022"), ("weights", "dk-2022"), ("jumps", ""), ("scopes", "")]
    told = json.loads((root / "warehouse/candidate/test-barometer/quality.json").read_text(encoding="utf-8"))
    assert {key: wave["findings"] for key, wave in told["waves"].items()} == {
        "dk-2020": [],
        "dk-2022": ["response", "weights"],
        "no-2020": [],
    }
    assert run(root)["findings"] == first["findings"]
    edit(wave, "[origin]", '[scope]\nsector = ["care"]\n[origin]')
    edit(wave, "respondents = 80", "respondents = 40")
    edit(wave, "population = 400", "population = 220")
    assert [row["check"] for row in run(root)["findings"]] == ["jumps"], "a fact, not a declaration"


def test_item_nonresponse_is_a_table_of_the_warehouse_and_of_no_package(barometer: Path) -> None:
    run(barometer)
    sql = "SELECT * FROM statistics.item_nonresponse WHERE question IN ('staff', 'introduced.product') ORDER BY ALL"
    asked = CliRunner().invoke(app, ["--project", str(barometer), "query", sql, "--format", "csv"])
    assert asked.stdout.splitlines() == [
        "wave,question,asked,answered,nonresponse,no_answer,not_asked",
        "dk-2020,introduced.product,80,73,7,0,0",
        "dk-2020,staff,80,76,0,4,0",
        "dk-2022,introduced.product,80,73,7,0,0",
        "dk-2022,staff,80,76,0,4,0",
    ]
    packed = barometer / "warehouse/candidate/test-barometer"
    assert not list(packed.rglob("*nonresponse*"))
    assert "item_nonresponse" not in (packed / "datapackage.json").read_text(encoding="utf-8")
    page = barometer / "warehouse/site/en/test-barometer/waves/no-2020.html"
    assert page.is_file(), sorted(path.name for path in (barometer / "warehouse/site").rglob("no-2020.html"))
    text = page.read_text(encoding="utf-8")
    assert text.count("Not known") >= 5 and "Weighting and design are not known" in text
    quality = json.loads((packed / "quality.json").read_text(encoding="utf-8"))
    assert quality["waves"]["dk-2020"]["design"]["lonely_psus"] == 0
    assert quality["waves"]["no-2020"]["design"] == "unknown"
