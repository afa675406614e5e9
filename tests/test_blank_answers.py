"""Nothing ticked of a multiple question is no answer, unless the question says otherwise."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pyreadstat
import pytest

from pipeline.catalogue import load_catalogue
from pipeline.drafting import draft_barometer
from pipeline.harmonise import Harmonised, harmonise
from pipeline.sources import read_raw
from pipeline.steps import quality
from tests.barometers import edit, pin
from tests.golden import estimated

WAVE = "dk-2020"
NONE = 'items.none = "None of these"\n'


def asked(root: Path, cells: list[str], codes: str = "1,;0,", declared: str = "", more: str = "") -> Path:
    """The small barometer's wave of 2020 with these answers: ``quality,savings,none`` a row, put to everyone.

    ``codes`` are the selected and the not selected code of a box.
    """
    ticked, unticked = (code.rstrip(",") for code in codes.split(";"))
    path = root / "warehouse/raw/dk-2020.csv"
    frame = pd.read_csv(path, sep=";", dtype="str", keep_default_na=False)
    rows = [cells[row % len(cells)].split(",") for row in range(len(frame))]
    names = ("Q3_1", "Q3_2", "Q3_3")[: len(rows[0])]
    for at, name in enumerate(names):
        frame[name] = [row[at] for row in rows]
    frame.to_csv(path, sep=";", index=False)
    pin(root, WAVE)
    codebook = root / "schemas/codebook.toml"
    edit(codebook, 'nothing_ticked = "not_selected"\n', declared)
    edit(codebook, 'items.savings = "Savings"\n', f'items.savings = "Savings"\n{more}')
    edit(codebook, '[questions.value]\ntype = "multiple"\nbase = "innovative"', '[questions.value]\ntype = "multiple"\nbase = "all"')  # fmt: skip
    crosswalk = root / "schemas/instruments/dk.csv"
    for line in crosswalk.read_text().splitlines():
        if line.startswith("Q3_"):
            edit(crosswalk, f"{line}\n", "")
    items = ("quality", "savings", more.partition(" = ")[0].removeprefix("items."))
    with crosswalk.open("a") as file:
        for name, item in zip(names, items, strict=False):
            file.write(
                f"{name},{ticked},value.{item},selected,\n{name},{unticked},value.{item},not_selected,\n"
            )
    return root


def harmonised(root: Path) -> Harmonised:
    catalogue = load_catalogue(root)
    assert not catalogue.problems
    wave = catalogue.waves[WAVE]
    return harmonise(read_raw(catalogue.raw_path(wave.source.file), wave.source).frame, wave, catalogue)


def states(root: Path, rows: int) -> list[str]:
    """What the first rows say of quality."""
    return list(harmonised(root).answers["value.quality"].astype(str)[:rows])


BLANK = ["1,", ",1", ","]  # quality, savings, nothing
ZERO = ["1,0", "0,1", "0,0"]


@pytest.mark.parametrize(
    ("cells", "codes", "declared", "more", "third"),
    [
        (BLANK, "1,;,", "", "", "no_answer"),
        (BLANK, "1,;,", 'nothing_ticked = "no_answer"\n', "", "no_answer"),
        (BLANK, "1,;,", 'nothing_ticked = "not_selected"\n', "", "not_selected"),
        (ZERO, "1,;0,", "", "", "not_selected"),  # seen, and not ticked
        (ZERO, "1,;0,", 'nothing_ticked = "no_answer"\n', "", "no_answer"),
        ([f"{row}," for row in BLANK], "1,;,", "", NONE, "no_answer"),
        ([f"{row},0" for row in ZERO], "1,;0,", "", NONE, "no_answer"),  # neither ticked nor "none"
        ([f"{row},0" for row in ZERO], "1,;0,", 'nothing_ticked = "not_selected"\n', NONE, "not_selected"),
        ([f"{row},0" for row in ZERO], "1,;0,", "", 'items.other = "Other"\n', "not_selected"),
        ([f"{row},0" for row in ZERO], "1,;0,", "", 'items.unsure = "Don\'t know"\nnonresponse = ["unsure"]\n', "no_answer"),
        ([f"{row},0" for row in ZERO], "1,;0,", "", 'items.ingen = "Ingen af disse"\n', "no_answer"),
    ],
)  # fmt: skip
def test_a_row_with_nothing_ticked(
    barometer: Path, cells: list[str], codes: str, declared: str, more: str, third: str
) -> None:
    asked(barometer, cells, codes, declared, more)
    assert states(barometer, 3) == ["selected", "not_selected", third]
    counts = harmonised(barometer).report["nothing_ticked"]
    assert counts == ({"value": 26} if third == "no_answer" else {})


def test_a_box_seen_beside_a_blank_one_is_an_answer(barometer: Path) -> None:
    asked(barometer, ["1,", "0,", ","], "1,;0,")
    assert states(barometer, 3) == ["selected", "not_selected", "no_answer"]


def test_who_was_not_asked_left_no_page_empty(barometer: Path) -> None:
    asked(barometer, [","], "1,;,")
    edit(barometer / "schemas/codebook.toml", '[questions.value]\ntype = "multiple"\nbase = "all"', '[questions.value]\ntype = "multiple"\nbase = "innovative"')  # fmt: skip
    found = harmonised(barometer)
    states = found.answers["value.quality"].value_counts()
    assert states["not_asked"] > 0
    assert found.report["nothing_ticked"] == {"value": int(states["no_answer"])}
    assert found.report["contradictions"] == {}


def test_it_is_a_finding_where_nobody_has_said_what_it_means(barometer: Path) -> None:
    asked(barometer, BLANK, "1,;,")
    catalogue = load_catalogue(barometer)
    found = quality.nothing_ticked(harmonised(barometer).report, catalogue)
    assert not found.passed
    assert "nothing is ticked of value in 26 rows, and no item says that nothing applies" in found.message
    edit(barometer / "schemas/codebook.toml", "max_choices = 2\n", 'max_choices = 2\nnothing_ticked = "no_answer"\n')  # fmt: skip
    declared = load_catalogue(barometer)
    assert quality.nothing_ticked(harmonised(barometer).report, declared).passed


def test_the_key_is_for_multiple_questions(barometer: Path) -> None:
    edit(barometer / "schemas/codebook.toml", 'codes.copied = "Copied"\n', 'codes.copied = "Copied"\nnothing_ticked = "no_answer"\n')  # fmt: skip
    assert [(problem.key, problem.message) for problem in load_catalogue(barometer).problems] == [
        ("questions.novelty.nothing_ticked", "has no effect")
    ]


def test_denominators_leave_empty_pages_out(barometer: Path) -> None:
    """Half of those who answered tick quality, a third savings, a third nothing; a quarter left the page."""
    cells = [*["1,,"] * 2, "1,1,", ",1,", *[",,1"] * 2, *[",,"] * 2]
    asked(barometer, cells, "1,;,", "", NONE)
    indicators = barometer / "schemas/indicators.toml"
    with indicators.open("a") as file:
        file.write('[indicators.any_value]\nlabel = "Any value"\nany = ["value.quality=selected", "value.savings=selected"]\n')  # fmt: skip
    edit(barometer / f"schemas/waves/{WAVE}.toml", 'method = "rake"\nmargins = [["sector"], ["region"]]\ntotals = "dk-margins.csv"', 'method = "given"')  # fmt: skip
    edit(barometer / f"schemas/waves/{WAVE}.toml", 'population = "dk-strata.csv"', 'weight = "ONE"')
    path = barometer / "warehouse/raw/dk-2020.csv"
    pd.read_csv(path, sep=";", dtype="str", keep_default_na=False).assign(ONE="1").to_csv(path, sep=";", index=False)  # fmt: skip
    pin(barometer, WAVE)
    catalogue = load_catalogue(barometer)
    found = estimated(catalogue.waves[WAVE], catalogue, barometer)
    for category, share in (("quality", 50), ("savings", 100 / 3), ("none", 100 / 3)):
        cell = found.cell("value", category)
        assert (round(cell["value"], 9), cell["n"]) == (round(share, 9), 60)
    assert found.cell("any_value", "yes")["value"] == pytest.approx(200 / 3)
    assert found.cell("any_value", "yes")["n"] == 60


def test_drafts_say_it(tmp_path: Path) -> None:
    rows = range(1, 41)
    boxes = {f"q3_{at}": [1.0 if row % at == 0 else None for row in rows] for at in (2, 3, 5)}
    frame = pd.DataFrame({"id": rows, "sex": [1 + row % 2 for row in rows], **boxes})
    for name, last in (("a", "Pay"), ("b", "None of these")):
        labels = {"q3_2": "Why? Colleagues", "q3_3": "Why? Tasks", "q3_5": f"Why? {last}"}
        pyreadstat.write_sav(frame, tmp_path / f"{name}.sav", column_labels=labels)
        draft_barometer(tmp_path / f"made-{name}", tmp_path / f"{name}.sav")
    first, second = ((tmp_path / f"made-{name}/schemas/codebook.toml").read_text() for name in "ab")
    assert 'nothing_ticked = "no_answer"  # guess' in first
    assert 'type = "multiple"' in second and "nothing_ticked" not in second
