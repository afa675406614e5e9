"""Which rows of a raw file are a wave's: several waves in one file, exclusions, units and weights of 0."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from pipeline.catalogue import Catalogue, load_catalogue
from pipeline.problems import ProblemError
from pipeline.steps.shared_read import reads, remove_unused_reads
from pipeline.steps.waves import harmonised_wave, raw_wave, weighted_wave
from tests.barometers import edit, microdata, pin

WAVES = {"DK": "dk-2020", "SE": "dk-2022"}


def put(root: Path, lines: list[str], *waves: str) -> None:
    """One raw file for these waves, which are weighted by their strata alone."""
    (root / "warehouse/raw/dk-2020.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    for wave in waves:
        path = root / f"schemas/waves/{wave}.toml"
        edit(path, f'file = "{wave}.csv"', 'file = "dk-2020.csv"')
        edit(path, 'method = "rake"', 'method = "design"')
        edit(path, 'margins = [["sector"], ["region"]]\ntotals = "dk-margins.csv"\n', "")
        pin(root, wave)


def declare(root: Path, wave: str, text: str, table: str = "[response]") -> None:
    edit(root / f"schemas/waves/{wave}.toml", table, f"{text}\n{table}")


@pytest.fixture
def integrated(barometer: Path) -> Path:
    """A file of two countries, their rows in turn: 80 of DK, 40 of SE; column CNTRY."""
    header, *danish = microdata().splitlines()
    swedish = microdata(shift=1).splitlines()[1:41]
    lines = [f"CNTRY;{header}"]
    for place, line in enumerate(danish):
        lines += [f"DK;{line}"] + ([f"SE;{swedish[place]}"] if place < 40 else [])
    put(barometer, lines, *WAVES.values())
    for country, wave in WAVES.items():
        declare(barometer, wave, f'rows = {{ CNTRY = ["{country}"] }}')
    return barometer


def harmonised(root: Path, wave: str) -> tuple[pd.DataFrame, dict[str, Any]]:
    catalogue = sound(root)
    raw_wave(wave, catalogue)
    harmonised_wave(wave, catalogue)
    folder = root / "warehouse/harmonised" / wave
    return pd.read_parquet(folder / "answers.parquet"), json.loads(
        (folder / "report.json").read_text(encoding="utf-8")
    )


def sound(root: Path) -> Catalogue:
    catalogue = load_catalogue(root)
    assert not catalogue.problems, catalogue.problems
    return catalogue


def stopped(root: Path, wave: str = "dk-2020") -> str:
    with pytest.raises(ProblemError) as error:
        harmonised(root, wave)
    return str(error.value)


# ── waves that share a file ──────────────────────────────────────────────────


def test_each_wave_takes_its_own_rows_of_a_shared_file(integrated: Path) -> None:
    danish, report = harmonised(integrated, "dk-2020")
    assert (len(danish), report["rows_in_file"], report["rows"], report["rows_of_other_waves"]) == (
        *(80, 120, 80),
        40,
    )
    swedish, report = harmonised(integrated, "dk-2022")
    assert (len(swedish), report["rows"], report["rows_of_other_waves"]) == (40, 40, 80)
    assert list(swedish["unit"]) == [f"{row:04}" for row in range(1, 41)]


def test_every_declared_column_must_match(integrated: Path) -> None:
    edit(integrated / "schemas/waves/dk-2020.toml", '["DK"] }', '["DK"], REG = ["N"] }')
    answers, report = harmonised(integrated, "dk-2020")
    assert len(answers) == 80 // 3 and set(answers["region"]) == {"north"}
    assert report["rows_of_other_waves"] == 120 - 80 // 3


def test_a_wave_may_take_several_values(integrated: Path) -> None:
    edit(integrated / "schemas/waves/dk-2022.toml", '["SE"] }', '["FI"] }')
    edit(integrated / "schemas/waves/dk-2020.toml", '["DK"] }', '["DK", "SE"] }')
    edit(integrated / "schemas/waves/dk-2020.toml", 'id = "ID"', 'id = ["CNTRY", "ID"]')
    answers, _ = harmonised(integrated, "dk-2020")
    assert len(answers) == 120 and {"DK*0001", "SE*0001"} <= set(answers["unit"])


def test_a_value_that_no_row_has_is_told_with_those_that_there_are(integrated: Path) -> None:
    edit(integrated / "schemas/waves/dk-2020.toml", '["DK"] }', '["DK", "Denmark"] }')
    message = stopped(integrated)
    assert "dk-2020.toml, source.rows.CNTRY: is in no row of the raw file ('Denmark')" in message
    assert "Values found: DK (80 rows), SE (40 rows)." in message


def test_a_column_that_the_file_lacks_is_told_with_those_that_there_are(integrated: Path) -> None:
    for wave in WAVES.values():
        edit(integrated / f"schemas/waves/{wave}.toml", "{ CNTRY =", "{ country =")
    message = stopped(integrated)
    assert "source.rows.country: is not a column of the raw file" in message
    assert "Names found in row 1: CNTRY, ID, SEKTOR, REG," in message


def test_a_wave_without_rows_is_a_problem(integrated: Path) -> None:
    path = integrated / "warehouse/raw/dk-2020.csv"
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith("SE")]
    path.write_text("\n".join([*lines, "SE;x;1;Ø;1;1;1;;;5"]) + "\n", encoding="utf-8")
    for wave in WAVES.values():
        pin(integrated, wave)
    edit(integrated / "schemas/waves/dk-2020.toml", '["DK"] }', '["DK"], REG = ["Ø"] }')
    assert "source.rows: no row of the raw file has all of them" in stopped(integrated)


def test_texts_of_respondents_are_counted_where_values_are_listed(integrated: Path) -> None:
    path = integrated / "warehouse/raw/dk-2020.csv"
    header, *rows = path.read_text(encoding="utf-8").splitlines()
    lines = [f"{header};SAID", *(f"{row};my name is number {place}" for place, row in enumerate(rows))]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    for wave in WAVES.values():
        pin(integrated, wave)
    edit(integrated / "schemas/waves/dk-2020.toml", "{ CNTRY =", '{ SAID = ["x"], CNTRY =')
    message = stopped(integrated)
    assert "120 texts not shown" in message and "my name" not in message


def test_a_file_is_read_once_for_all_its_waves(integrated: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pipeline.steps import shared_read

    read: list[Path] = []
    monkeypatch.setattr(
        shared_read, "read_raw", lambda path, source, by=shared_read.read_raw: (read.append(path), by(path, source))[1]
    )  # fmt: skip
    for wave in WAVES.values():
        harmonised(integrated, wave)
    assert len(read) == 1
    (kept,) = reads(integrated).glob("[!.]*")
    (kept / "raw.parquet").write_bytes(b"cut short")  # it is held to its hash, as every output is
    edit(integrated / "schemas/waves/dk-2022.toml", '["SE"] }', '["SE"], REG = ["S"] }')
    answers, _ = harmonised(integrated, "dk-2022")
    assert len(read) == 2 and set(answers["region"]) == {"south"}


def test_what_no_wave_takes_rows_from_is_removed(integrated: Path) -> None:
    harmonised(integrated, "dk-2020")
    remove_unused_reads(load_catalogue(integrated))
    assert len(list(reads(integrated).glob("[!.]*"))) == 1
    for country, wave in WAVES.items():
        edit(integrated / f"schemas/waves/{wave}.toml", f'rows = {{ CNTRY = ["{country}"] }}\n', "")
    remove_unused_reads(load_catalogue(integrated))
    assert not list(reads(integrated).iterdir())


def test_a_wave_is_made_again_only_when_its_own_rows_are_declared_anew(integrated: Path) -> None:
    for wave in WAVES.values():
        harmonised(integrated, wave)
    edit(integrated / "schemas/waves/dk-2020.toml", '["DK"] }', '["DK"], SEKTOR = ["1", "2"] }')
    catalogue = load_catalogue(integrated)
    assert raw_wave("dk-2020", catalogue).redone
    assert not raw_wave("dk-2022", catalogue).redone


def test_rows_are_numbered_as_in_the_file(integrated: Path) -> None:
    path = integrated / "warehouse/raw/dk-2020.csv"
    lines = path.read_text(encoding="utf-8").splitlines()
    lines[4] = lines[4].replace(";1;", ";;", 1).replace(";2;", ";;", 1)  # SE: the stratum of row 4 is blank
    assert lines[4].startswith("SE;0002;;")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    for wave in WAVES.values():
        pin(integrated, wave)
    harmonised(integrated, "dk-2022")
    found = pd.read_parquet(integrated / "warehouse/harmonised/dk-2022/quarantine.parquet")
    assert found[["row", "column", "rule"]].to_numpy().tolist() == [[4, "SEKTOR", "required"]]


def test_published_figures_have_no_rows_to_choose(barometer: Path) -> None:
    path = barometer / "schemas/waves/no-2020.toml"
    path.write_text(path.read_text(encoding="utf-8") + 'rows = { domain = ["total"] }\n', encoding="utf-8")
    (problem,) = load_catalogue(barometer).problems
    assert problem.key == "source.rows" and "in waves of microdata only" in problem.hint


# ── rows that are left out ───────────────────────────────────────────────────


def test_exclusions_are_counted_with_their_reason(integrated: Path) -> None:
    declare(integrated, "dk-2020", '[[exclusion]]\ncolumn = "REG"\nvalues = ["N"]\nreason = "Pilot."')
    declare(
        integrated,
        "dk-2020",
        '[[exclusion]]\ncolumn = "ID"\nvalues = ["0001", "0003"]\nreason = "Withdrew consent."',
    )
    answers, report = harmonised(integrated, "dk-2020")
    assert report["excluded"] == [
        {"column": "REG", "reason": "Pilot.", "rows": 26},
        {"column": "ID", "reason": "Withdrew consent.", "rows": 2},  # 0003 is of the pilot too
    ]
    assert len(answers) == 80 - 26 - 1 and "0001" not in set(answers["unit"])
    assert (report["rows"], report["kept"]) == (80, 53)


def test_an_exclusion_comes_before_the_crosswalk_and_corrections(barometer: Path) -> None:
    lines = microdata().splitlines()
    lines[1] = "0001;1;TEST;77;77;77;77;77;text"
    put(barometer, lines, "dk-2020")
    assert "holds a code that the crosswalk does not list" in stopped(barometer)
    declare(barometer, "dk-2020", '[[exclusion]]\ncolumn = "REG"\nvalues = ["TEST"]\nreason = "Test row."')
    answers, report = harmonised(barometer, "dk-2020")
    assert len(answers) == 79 and report["quarantined"] == 0


def test_a_blank_cell_may_exclude(barometer: Path) -> None:
    lines = microdata().splitlines()
    lines[1] = lines[1].replace(";S;", ";;")
    put(barometer, lines, "dk-2020")
    declare(barometer, "dk-2020", '[[exclusion]]\ncolumn = "REG"\nvalues = [""]\nreason = "Never begun."')
    answers, _ = harmonised(barometer, "dk-2020")
    assert len(answers) == 79


def test_an_exclusion_that_matches_nothing_has_expired(barometer: Path) -> None:
    declare(barometer, "dk-2020", '[[exclusion]]\ncolumn = "REG"\nvalues = ["X"]\nreason = "Test rows."')
    message = stopped(barometer)
    assert "exclusion[1]: has expired: no row matches it any more ('REG')" in message
    assert "Values found: S (54 rows), N (26 rows)." in message


def test_an_exclusion_of_every_row_is_a_problem(barometer: Path) -> None:
    declare(barometer, "dk-2020", '[[exclusion]]\ncolumn = "REG"\nvalues = ["N", "S"]\nreason = "?"')
    assert "exclusion: leaves out every row" in stopped(barometer)


# ── what tells units apart ───────────────────────────────────────────────────


def test_identifiers_that_are_unique_only_together(integrated: Path) -> None:
    for wave in WAVES.values():
        edit(integrated / f"schemas/waves/{wave}.toml", 'id = "ID"', 'id = ["REG", "ID"]')
    answers, _ = harmonised(integrated, "dk-2020")
    assert {"S*0001", "N*0003"} <= set(answers["unit"])


def test_units_without_an_identifier_take_the_number_of_their_row(integrated: Path) -> None:
    edit(integrated / "schemas/waves/dk-2022.toml", 'id = "ID"', 'id = "row"')
    answers, _ = harmonised(integrated, "dk-2022")
    assert sorted(map(int, answers["unit"])) == [*range(2, 81, 2)]


def test_a_column_called_row_is_that_column(barometer: Path) -> None:
    header, *rows = microdata().splitlines()
    put(barometer, [header.replace("ID", "row"), *rows], "dk-2020")
    edit(barometer / "schemas/waves/dk-2020.toml", 'id = "ID"', 'id = "row"')
    answers, _ = harmonised(barometer, "dk-2020")
    assert answers["unit"].iloc[0] == "0001"


def test_duplicates_are_counted_and_the_hint_says_what_helps(barometer: Path) -> None:
    edit(barometer / "schemas/waves/dk-2020.toml", 'id = "ID"', 'id = ["SEKTOR", "REG"]')
    message = stopped(barometer)
    assert "column SEKTOR*REG: breaks the rule 'unique' in 80 rows" in message
    assert 'design.id = "row"' in message


def test_a_part_of_an_identifier_may_not_be_blank_nor_hold_the_joiner(barometer: Path) -> None:
    lines = microdata().splitlines()
    lines[1] = lines[1].replace(";S;", ";;")
    put(barometer, lines, "dk-2020")
    edit(barometer / "schemas/waves/dk-2020.toml", 'id = "ID"', 'id = ["REG", "ID"]')
    _, report = harmonised(barometer, "dk-2020")
    assert report["rules"] == {"required": 1}
    lines[1] = lines[1].replace(";;", ";*;", 1)
    (barometer / "warehouse/raw/dk-2020.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    pin(barometer, "dk-2020")
    assert "design.id: has values that contain * ('REG')" in stopped(barometer)


# ── weights of 0 ─────────────────────────────────────────────────────────────


@pytest.fixture
def weighted(barometer: Path) -> Path:
    """Weights of 1,5, but for two of 0 and one of 0,0."""
    header, *rows = microdata().splitlines()
    texts = {3: "0", 7: "0,0", 9: "0"}
    put(
        barometer, [f"{header};W", *(f"{row};{texts.get(n, '1,5')}" for n, row in enumerate(rows))], "dk-2020"
    )
    path = barometer / "schemas/waves/dk-2020.toml"
    edit(path, 'population = "dk-strata.csv"', 'weight = "W"')
    edit(path, 'method = "design"', 'method = "given"')
    return barometer


def test_a_weight_of_0_is_refused_unless_it_is_said_to_be_left_out(weighted: Path) -> None:
    message = stopped(weighted)
    assert "column W: has 3 rows with a zero weight" in message
    assert 'design.zero_weights = "exclude"' in message


def test_units_with_a_weight_of_0_are_left_out_and_counted(weighted: Path) -> None:
    edit(weighted / "schemas/waves/dk-2020.toml", 'weight = "W"', 'weight = "W"\nzero_weights = "exclude"')
    edit(weighted / "schemas/waves/dk-2020.toml", "population = 400\nsample", "sample")
    answers, report = harmonised(weighted, "dk-2020")
    assert (len(answers), report["zero_weights"], report["quarantined"]) == (77, 3, 0)
    weighted_wave("dk-2020", sound(weighted))
    made = pd.read_parquet(weighted / "warehouse/weighted/dk-2020/answers.parquet")
    assert made["weight"].sum() == 1.5 * 77


def test_small_and_negative_weights_are_not_0(weighted: Path) -> None:
    edit(weighted / "schemas/waves/dk-2020.toml", 'weight = "W"', 'weight = "W"\nzero_weights = "exclude"')
    path = weighted / "warehouse/raw/dk-2020.csv"
    lines = path.read_text(encoding="utf-8").splitlines()
    lines[1] = lines[1].removesuffix("1,5") + "-0,5"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    pin(weighted, "dk-2020")
    assert "column W: has 1 row with a negative weight" in stopped(weighted)
