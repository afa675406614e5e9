"""Composites over shared answers: the same as if they had been declared so, and only where that says
something.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from pipeline.catalogue import Catalogue, Logic, load_catalogue
from pipeline.comparison import Pair, WaveFacts, comparisons_of, trends
from pipeline.site.language import Language, Section
from pipeline.staleness.outputs import read_json, recorded, shared_folder
from pipeline.staleness.status import status
from tests.barometers import edit, pin
from tests.comparing import Prepared, one, prepared
from tests.optional import COMPOSITES, SHARED, write_optional
from tests.releases import build
from tests.test_comparison import narrower

S = "-synthetic"
KEPT = {
    "any_partner": "partner=citizens|companies", "no_partner": "partner=citizens|companies",
    "all_partners": "partner=citizens|companies", "two_partners": "partner=citizens|companies",
    "evaluated": "evaluation=self", "any_role": "evaluation=self", "partnered": "partner=citizens|companies",
}  # fmt: skip
NUMBERS = ["value", "se", "n", "df"]


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    return prepared(write_optional(tmp_path_factory.mktemp("optional") / "barometer"))


@pytest.fixture(scope="module")
def declared(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    """The same data, the composites declared over the shared answers from the start."""
    return prepared(write_optional(tmp_path_factory.mktemp("declared") / "barometer", SHARED))


def pair(found: Prepared, a: str = "dk-2022", b: str = "dk-2020") -> Pair:
    return Pair(found.catalogue.waves[a], found.catalogue.waves[b], WaveFacts(found.catalogue))


@pytest.mark.parametrize("indicator", COMPOSITES)
def test_a_composite_is_what_it_would_be_if_declared_over_the_shared_answers(
    indicator: str, found: Prepared, declared: Prepared
) -> None:
    rows = comparisons_of(found.inputs()).query("indicator == @indicator")
    assert set(rows["domain"]) == {"total", "sector"} and set(rows["scope"]) == {KEPT[indicator]}
    assert set(rows["verdict"]) == {"like_for_like"} and set(rows["reasons"]) == {"options"}
    wanted = comparisons_of(declared.inputs()).query("indicator == @indicator")
    for name in ("value_a", "value_b", "difference", "se", "p_value", "n_a", "n_b"):
        assert rows[name].tolist() == pytest.approx(wanted[name].tolist(), nan_ok=True), name
    assert set(wanted["verdict"]) == {"comparable"} and set(wanted["scope"]) == {""}


def test_the_numerator_is_a_subset_and_the_base_the_same(found: Prepared) -> None:
    inputs = found.inputs()
    narrowed = inputs.narrowed_to(comparisons_of(inputs))
    again = narrowed.query("indicator == 'any_partner' and wave == 'dk-2020'")
    key = ["category", "domain", "domain_code"]
    both = again.merge(found.estimates.query("indicator == 'any_partner' and wave == 'dk-2020'"), on=key)
    assert len(both) == 3 and set(again["scope"]) == {"partner=citizens|companies"}
    assert (both["n_x"] == both["n_y"]).all() and (both["m_x"] < both["m_y"]).all()
    assert not narrowed.duplicated(["wave", "indicator", *key, "scope"]).any()


def test_other_is_never_shared(found: Prepared) -> None:
    options = pair(found).options("any_partner")
    assert options.kept == {"partner": ("citizens", "companies")} and options.narrowed == (True, True)
    # Where the whole list is the same, other is too, and nothing need be made again.
    assert pair(found, "dk-2022", "no-2020").options("any_partner").state == "same"  # figures


def test_other_has_another_meaning_where_what_it_is_not_differs(tmp_path: Path) -> None:
    narrow = {"asked_others": 'base = "all"\nany = ["partner.citizens=selected", "partner.other=selected"]'}
    found = prepared(write_optional(tmp_path / "barometer", narrow))
    options = pair(found).options("asked_others")
    assert options.state == "shared" and options.kept == {"partner": ("citizens",)}


def test_a_wave_that_offered_no_more_keeps_its_estimate(found: Prepared) -> None:
    options = pair(found).options("evaluated")
    assert options.narrowed == (False, True)
    row = one(comparisons_of(found.inputs()), wave_b="dk-2020", indicator="evaluated", domain="total")
    assert (row["narrowed_a"], row["narrowed_b"]) == ("", "evaluation=self")


def test_all_of_several_cannot_hold_where_one_was_not_offered(found: Prepared) -> None:
    there = found.estimates.query("indicator == 'all_partners'")
    assert set(there["wave"]) == {"dk-2020"}  # no estimate, and never 0
    assert pair(found).options("all_partners").narrowed == (True, True)


def test_a_pair_of_answers_goes_where_one_of_them_goes(found: Prepared) -> None:
    again = pair(found).options("two_partners").composite
    assert again is not None and again.logic is not None and len(again.logic.parts) == 1
    assert isinstance(again.logic.parts[0], Logic) and again.logic.parts[0].operator == "all"


def changed(found: Prepared, **questions: Mapping[str, object]) -> Catalogue:
    made = dict(found.catalogue.questions)
    for key, facts in questions.items():
        made[key] = replace(made[key], **facts)
    return replace(found.catalogue, questions=made)


def test_a_limited_choice_is_not_brought_to_shared_answers(found: Prepared) -> None:
    """Who may choose two chooses among all that are offered."""
    limited = replace(found, catalogue=changed(found, partner={"max_choices": 2}))
    assert pair(limited).options("any_partner").state == "mixed"
    judged = pair(limited).judge("any_partner", "yes")
    assert judged.verdict == "caution" and judged.reasons == ("options_mixed",)
    rows = comparisons_of(limited.inputs()).query("indicator == 'any_partner' and domain == 'total'")
    assert rows["scope"].tolist() == [""] and rows["narrowed_b"].tolist() == [""]


def test_without_shared_answers_the_share_stays_mixed(tmp_path: Path) -> None:
    found = prepared(write_optional(tmp_path / "barometer", {"x": 'base = "all"\nany = ["partner.unions=selected", "partner.other=selected"]'}))  # fmt: skip
    assert pair(found).options("x").state == "mixed"
    found = prepared(write_optional(tmp_path / "roles", {"x": 'base = "all"\nany = ["partner.citizens=selected", "evaluation=external"]'}))  # fmt: skip
    assert pair(found).options("x").state == "mixed"  # a whole question is missing: another meaning


def test_shared_answers_on_a_shared_part_of_the_population(tmp_path: Path) -> None:
    found = prepared(narrower(write_optional(tmp_path / "barometer")))
    wanted = prepared(narrower(write_optional(tmp_path / "declared", SHARED)))
    row = one(comparisons_of(found.inputs()), wave_b="dk-2020", indicator="any_partner", domain="total")
    assert row["scope"] == row["narrowed_b"] == "partner=citizens|companies sector=care"
    assert row["narrowed_a"] == "partner=citizens|companies" and row["reasons"] == "scope|options"
    other = one(comparisons_of(wanted.inputs()), wave_b="dk-2020", indicator="any_partner", domain="total")
    for number in ("value_a", "value_b", "se", "n_b"):
        assert row[number] == pytest.approx(other[number])


def test_a_wave_that_covers_more_answers_starts_a_level_of_its_own(found: Prepared) -> None:
    made = trends(found.estimates, found.catalogue)
    assert "any_partner" not in set(made["indicator"]) and "any_innovation" in set(made["indicator"])


def test_published_comparisons_name_the_answers(found: Prepared) -> None:
    tables = found.published()
    rows = tables["comparisons"].query("indicator == 'any_partner' and domain == 'total'")
    assert rows["scope"].tolist() == ["partner=citizens|companies"]


def test_where_they_may_not_be_compared_nothing_is_made_again(found: Prepared) -> None:
    waves = dict(found.catalogue.waves)
    waves["dk-2020"] = replace(waves["dk-2020"], unit="organisation")
    apart = replace(found, catalogue=replace(found.catalogue, waves=waves))
    inputs = apart.inputs()
    rows = comparisons_of(inputs).query("indicator == 'any_partner'")
    assert set(rows["verdict"]) == {"not_comparable"} and set(rows["scope"]) == {""}
    assert "options" in rows["reasons"].iloc[0].split("|") and not len(inputs.narrowed_to(rows))


def test_who_answered_none_of_the_shared_items_is_out_of_the_base(tmp_path: Path) -> None:
    """A grid with items left blank: the composite over one item is the share of that item."""
    root = write_optional(tmp_path / "barometer")
    crosswalk = root / "schemas/instruments/dk-2022.csv"
    lines = crosswalk.read_text(encoding="utf-8").splitlines()
    crosswalk.write_text("\n".join(line for line in lines if ",introduced.service," not in line) + "\n")
    raw = root / "warehouse/raw/dk-2020.csv"
    rows = [line.split(";") for line in raw.read_text(encoding="utf-8").splitlines()]
    blank = [[*row[:3], "", *row[4:]] if number % 9 == 4 else row for number, row in enumerate(rows)]
    raw.write_text("\n".join(";".join(row) for row in blank) + "\n", encoding="utf-8")
    pin(root, "dk-2020")
    found = prepared(root)
    total = {"wave_b": "dk-2020", "wave_a": "dk-2022", "domain": "total"}
    row = one(comparisons_of(found.inputs()), indicator="any_innovation", **total)
    item = one(found.estimates, wave="dk-2020", indicator="introduced", category="product", domain="total")
    assert row["scope"] == "introduced=product" and row["n_b"] == item["n"] < 80
    assert row["value_b"] == pytest.approx(item["value"])


def test_a_reader_sees_the_answers_in_words(repository: Path) -> None:
    section = Section.__new__(Section)
    section.language = Language("da", load_catalogue(repository))
    assert section.scope("financing=public_grants|abroad sector=education") == [
        ("Finansiering", "Offentlige tilskudsordninger, Kilder i udlandet"),
        ("Sektor", "Uddannelse og opvækst"),
    ]


# ── The microdata are read again only where the shared answers change ────────


def asked(wave: Path) -> str:
    return str(recorded(wave / "everyone")["fingerprint"])


def test_a_new_wave_leaves_old_microdata_alone_unless_the_shared_answers_change(tmp_path: Path) -> None:
    root = write_optional(tmp_path / "barometer")
    build(root)
    old = shared_folder(root, "dk-2020", "everyone").parent
    first, stamp = asked(old), (old / "everyone" / "cells.parquet").stat().st_mtime_ns
    assert read_json(old / "everyone" / "metadata.json")["measures"] == len(COMPOSITES)
    _newer(root, "dk-2022")
    build(root, ("dk-2024",))
    assert asked(old) == first and (old / "everyone" / "cells.parquet").stat().st_mtime_ns == stamp
    assert status("dk-2020", load_catalogue(root)) == "current"
    lines = (root / "schemas/instruments/dk-2024.csv").read_text(encoding="utf-8").splitlines()
    fewer = [line for line in lines if ",partner.companies," not in line]
    (root / "schemas/instruments/dk-2024.csv").write_text("\n".join(fewer) + "\n", encoding="utf-8")
    build(root, ("dk-2024",))
    assert asked(old) != first
    assert status("dk-2020", load_catalogue(root)) == "current"  # its own chain never depends on others


def _newer(root: Path, former: str) -> None:
    """One more edition, with the questionnaire of the one before."""
    schemas, raw = root / "schemas", root / "warehouse" / "raw"
    for name in (f"instruments/{former}.csv", f"instruments/{former}.toml", f"waves/{former}.toml"):
        text = (schemas / name).read_text(encoding="utf-8")
        (schemas / name.replace("2022", "2024")).write_text(text, encoding="utf-8")
    wave = schemas / "waves/dk-2024.toml"
    for old, new in (
        ('edition = "2022"', 'edition = "2024"'),
        ('instrument = "dk-2022"', 'instrument = "dk-2024"'),
        ("dk-2022.csv", "dk-2024.csv"),
        ("start = 2020-01-01, end = 2021-12-31", "start = 2022-01-01, end = 2023-12-31"),
        ("2022-02-01, end = 2022-03-31", "2024-02-01, end = 2024-03-31"),
    ):
        edit(wave, old, new)
    header, *rows = (raw / "dk-2022.csv").read_text(encoding="utf-8").splitlines(keepends=True)
    # No two editions are one file: the same rows, the other way round.
    (raw / "dk-2024.csv").write_text("".join((header, *reversed(rows))), encoding="utf-8")
    pin(root, "dk-2024")


def test_the_sums_kept_are_those_of_the_microdata(tmp_path: Path, found: Prepared) -> None:
    root = write_optional(tmp_path / "barometer")
    build(root)
    stored = pd.read_parquet(root / "warehouse/compared/comparisons.parquet")
    columns = ["wave_a", "wave_b", "indicator", "category", "domain", "domain_code", "scope", "value_a", "se"]
    pd.testing.assert_frame_equal(
        stored[columns], comparisons_of(found.inputs())[columns], check_dtype=False, check_exact=True
    )


# ── The Nordic barometer ─────────────────────────────────────────────────────


def test_denmark_and_ks_share_three_sources_of_financing(repository: Path) -> None:
    known = WaveFacts(load_catalogue(repository))
    waves = known.catalogue.waves
    made = Pair(waves[f"no-ks-2018{S}"], waves[f"dk-2017{S}"], known)
    options = made.options("external_financing")
    assert options.kept == {"financing": ("public_grants", "external_programmes", "private_foundations")}
    judged = made.judge("external_financing", "yes")
    assert judged.verdict == "like_for_like" and judged.reasons == ("scope", "options")
    role = made.judge("politicians_role", "yes")
    assert role.verdict == "caution" and "max_choices_composite" in role.reasons
    assert made.options("any_collaboration").state == "same"
