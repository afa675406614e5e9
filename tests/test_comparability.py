"""May two numbers be compared? Every pitfall of the Nordic barometers, and the rules that catch it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.catalogue import Catalogue, load_catalogue
from pipeline.catalogue.check.translations import gaps
from pipeline.catalogue.fieldwork import Weighting
from pipeline.comparison.facts import WaveFacts
from pipeline.comparison.verdicts import Judgement, Pair
from pipeline.problems import ProblemError
from tests.barometers import edit, write_barometer

S = "-synthetic"


@pytest.fixture(scope="module")
def bundled(repository: Path) -> Catalogue:
    return load_catalogue(repository)


@pytest.fixture(scope="module")
def known(bundled: Catalogue) -> WaveFacts:
    return WaveFacts(bundled)


def judged(
    known: WaveFacts, a: str, b: str, indicator: str, category: str = "yes", by: str = ""
) -> Judgement:
    pair = Pair(known.catalogue.waves[a], known.catalogue.waves[b], known)
    return pair.judge(indicator, category, (by,) if by else ())


def waves(catalogue: Catalogue, prefix: str, status: str) -> list[str]:
    return [key for key, wave in catalogue.waves.items() if key.startswith(prefix) and wave.status == status]


def test_finland_is_comparable_with_nobody_else(known: WaveFacts) -> None:
    for status in ("official", "synthetic"):
        others = [
            key
            for key, wave in known.catalogue.waves.items()
            if wave.status == status and wave.unit == "workplace"
        ]
        assert others
        for finnish in waves(known.catalogue, "fi-", status):
            for other in others:
                for indicator in ("any_innovation", "novelty", "value"):
                    found = judged(known, finnish, other, indicator)
                    assert found.verdict == "not_comparable" and "unit" in found.reasons, (finnish, other)


def test_the_norwegian_state_works_with_what_others_introduce(known: WaveFacts) -> None:
    for other in ("dk-2020", "no-ks-2020", "se-2018", "is-2021"):
        found = judged(known, "no-state-2021", other, "any_innovation")
        assert found.verdict == "not_comparable" and "verb" in found.reasons
    own = judged(known, "no-state-2018", "no-state-2021", "works_with_innovation")
    assert own.verdict == "caution" and "verb" not in own.reasons


def test_ks_2018_and_2020_share_two_sectors_and_no_weighting(known: WaveFacts) -> None:
    everyone = judged(known, f"no-ks-2018{S}", f"no-ks-2020{S}", "any_innovation")
    assert everyone.verdict == "caution" and everyone.breaks
    assert everyone.reasons == ("scope", "weighting_changed")
    by_sector = judged(known, f"no-ks-2018{S}", f"no-ks-2020{S}", "any_innovation", by="sector")
    assert by_sector.verdict == "caution" and by_sector.reasons == ("weighting_changed",)
    waves = known.catalogue.waves
    pair = Pair(waves[f"no-ks-2018{S}"], waves[f"no-ks-2020{S}"], known)
    assert pair.shared.scope["sector"] == ("health_care", "education")
    assert pair.shared.used() == {"sector": ("health_care", "education")}
    # The published totals cannot be brought to the two sectors; by sector they may be set side by side.
    assert judged(known, "no-ks-2018", "no-ks-2020", "any_innovation").verdict == "not_comparable"
    assert judged(known, "no-ks-2018", "no-ks-2020", "any_innovation", by="sector").verdict == "caution"


def test_factors_on_another_scale_are_not_differenced(known: WaveFacts) -> None:
    found = judged(known, f"no-ks-2018{S}", f"no-ks-2020{S}", "factor_promoting", "law")
    assert found.verdict == "not_comparable" and "version" in found.reasons
    unclear = judged(known, f"no-ks-2018{S}", f"dk-2017{S}", "factor_promoting", "law")
    assert unclear.verdict == "caution" and "uncertain" in unclear.reasons


def test_three_initiators_against_any_number_compare_in_order_not_in_level(known: WaveFacts) -> None:
    for norwegian, danish in ((f"no-ks-2018{S}", f"dk-2017{S}"), ("no-ks-2018", "dk-2017")):
        found = judged(known, norwegian, danish, "initiator", "politicians")
        assert found.verdict == "not_comparable" and "max_choices" in found.reasons
    assert judged(known, f"no-ks-2018{S}", f"dk-2017{S}", "initiator", "politicians").ranks
    assert judged(known, f"dk-2017{S}", f"dk-2020{S}", "initiator", "politicians").verdict == "comparable"
    role = judged(known, f"no-ks-2018{S}", f"dk-2017{S}", "politicians_role")
    assert role.verdict == "caution" and "max_choices_composite" in role.reasons


def test_sweden_2018_and_statistics_sweden_sort_innovations_otherwise(known: WaveFacts) -> None:
    for scb in ("se-2020", "se-2022"):
        anything = judged(known, "se-2018", scb, "any_innovation")
        assert anything.verdict == "caution" and anything.breaks and "typology" in anything.reasons
        for indicator, category in (("introduced", "product"), ("novelty", "first"), ("value", "quality")):
            found = judged(known, "se-2018", scb, indicator, category)
            assert found.verdict == "not_comparable" and "version" in found.reasons


def test_iceland_narrowed_its_target(known: WaveFacts) -> None:
    for by in ("", "government_level"):
        found = judged(known, "is-2018", "is-2021", "any_innovation", by=by)
        assert found.verdict == "not_comparable" and "scope_unmatched" in found.reasons


def test_only_shared_options_are_compared_and_other_never(known: WaveFacts) -> None:
    shared = judged(known, f"no-ks-2018{S}", f"dk-2017{S}", "value", "quality")
    assert shared.verdict == "like_for_like" and shared.reasons == ("scope", "options")
    for a, b in ((f"no-ks-2018{S}", f"dk-2017{S}"), (f"dk-2017{S}", f"dk-2020{S}")):
        found = judged(known, a, b, "collaboration", "other")
        assert found.verdict == "not_comparable" and "other" in found.reasons


def test_the_most_significant_innovation_is_not_the_newest(known: WaveFacts) -> None:
    found = judged(known, "fi-municipal-2022", "dk-2020", "value", "quality")
    assert "about" in found.reasons
    assert "about" not in judged(known, "fi-municipal-2022", "dk-2020", "any_innovation").reasons
    assert "about_unknown" in judged(known, "se-2020", "dk-2020", "value", "quality").reasons


def test_published_figures_earn_caution_at_most(known: WaveFacts) -> None:
    official = [wave for wave in known.catalogue.waves.values() if wave.status == "official"]
    for one in official:
        for other in official:
            if one.key != other.key:
                assert judged(known, one.key, other.key, "any_innovation").verdict in (
                    "caution",
                    "not_comparable",
                )


def test_denmark_over_time_is_the_safest(known: WaveFacts) -> None:
    assert judged(known, f"dk-2017{S}", f"dk-2020{S}", "any_innovation").verdict == "comparable"
    assert judged(known, "dk-2017", "dk-2020", "any_innovation").reasons == ("figures",)
    assert judged(known, "dk-2015", "dk-2017", "any_innovation").reasons == ("response", "figures")


def test_the_pair_that_was_printed(known: WaveFacts) -> None:
    printed = judged(known, "no-ks-2018", "dk-2017", "any_innovation")
    assert printed.verdict == "not_comparable" and printed.reasons == ("scope_unmatched", "figures")
    again = judged(known, f"no-ks-2018{S}", f"dk-2017{S}", "any_innovation")
    assert again.verdict == "like_for_like" and again.reasons == ("scope",)


def test_weights_that_correct_are_not_answers_as_they_came(known: WaveFacts) -> None:
    assert "weighting" in judged(known, "is-2018", "dk-2017", "any_innovation").reasons
    assert "weighting_unknown" in judged(known, "se-2018", "dk-2017", "any_innovation").reasons


def test_an_edition_is_never_a_date(known: WaveFacts) -> None:
    catalogue = known.catalogue
    labels = {
        key: replace(wave, edition="2099") if key == f"dk-2017{S}" else wave
        for key, wave in catalogue.waves.items()
    }
    other = WaveFacts(replace(catalogue, waves=labels))
    for indicator in ("any_innovation", "novelty"):
        pair = (f"no-ks-2018{S}", f"dk-2017{S}", indicator)
        assert judged(known, *pair) == judged(other, *pair)


def test_a_real_wave_is_never_set_against_a_generated_one(known: WaveFacts) -> None:
    with pytest.raises(ProblemError, match="synthetic data say nothing about real surveys"):
        judged(known, "dk-2017", f"dk-2020{S}", "any_innovation")


def test_a_verdict_does_not_depend_on_the_order_of_the_waves(known: WaveFacts) -> None:
    for a, b in ((f"no-ks-2018{S}", f"dk-2017{S}"), ("is-2018", "is-2021"), ("se-2018", "se-2020")):
        for indicator in ("any_innovation", "value", "initiator"):
            assert judged(known, a, b, indicator) == judged(known, b, a, indicator)


def test_every_rule_has_its_sentence_in_every_language(bundled: Catalogue) -> None:
    wanted = set(bundled.comparability.texts())
    assert len(wanted) >= len(bundled.comparability.rules) + 4
    for language, missing in gaps(bundled).items():
        assert not wanted & set(missing), language
    for rule in bundled.comparability.rules.values():
        assert rule.text.endswith(".") and rule.rationale.endswith(".")


# ── The rules themselves, on the small barometer ─────────────────────────────


@pytest.fixture
def small(tmp_path: Path) -> Path:
    return write_barometer(tmp_path / "barometer")


def of(root: Path, indicator: str = "any_innovation", category: str = "yes") -> Judgement:
    catalogue = load_catalogue(root)
    assert not catalogue.problems, [str(problem) for problem in catalogue.problems]
    return judged(WaveFacts(catalogue), "dk-2022", "dk-2020", indicator, category)


def test_a_barometer_without_rules_is_judged_by_the_products(small: Path) -> None:
    assert of(small) == Judgement("comparable", (), False, True)
    edit(small / "schemas/waves/dk-2020.toml", 'unit = "workplace"', 'unit = "organisation"')
    assert of(small).verdict == "not_comparable" and of(small).reasons == ("unit",)
    assert not any(key.startswith("rules.") for key in gaps(load_catalogue(small))["da"])


def test_the_worst_rule_wins(small: Path) -> None:
    wave = small / "schemas/waves/dk-2020.toml"
    edit(wave, 'margins = [["sector"], ["region"]]', 'margins = [["sector"]]')
    totals = small / "warehouse/raw/dk-margins.csv"
    text = totals.read_text(encoding="utf-8")
    (small / "warehouse/raw/dk-2020-margins.csv").write_text("".join(text.splitlines(keepends=True)[:3]))
    edit(wave, "dk-margins.csv", "dk-2020-margins.csv")
    assert of(small).verdict == "caution" and of(small).reasons == ("weighting_changed",)
    edit(wave, 'mode = "post"\n' if "mode" in wave.read_text() else "[origin]", 'mode = "post"\n[origin]')
    assert of(small).reasons == ("weighting_changed",)  # the other wave's mode is not known
    edit(small / "schemas/waves/dk-2022.toml", "[origin]", 'mode = "web"\n[origin]')
    assert of(small).reasons == ("weighting_changed", "mode")


def test_weights_of_which_nothing_is_known_are_not_made_in_another_way(small: Path) -> None:
    catalogue = load_catalogue(small)
    wave = replace(catalogue.waves["dk-2020"], weighting=Weighting("unspecified"))
    facts = WaveFacts(catalogue).facts(wave, "any_innovation")
    assert (facts["weighting"], facts["weighting_margins"]) == ("corrected", None)


def test_a_narrower_scope_is_re_estimated_where_the_other_wave_can_be_narrowed(small: Path) -> None:
    edit(small / "schemas/waves/dk-2020.toml", "[origin]", '[scope]\nsector = ["care"]\n[origin]')
    edit(small / "schemas/waves/dk-2020.toml", 'margins = [["sector"], ["region"]]', 'margins = [["region"]]')
    edit(small / "schemas/waves/dk-2022.toml", 'margins = [["sector"], ["region"]]', 'margins = [["region"]]')
    (small / "warehouse/raw/dk-margins.csv").write_text(
        "margin,code,total\nregion,north,150\nregion,south,250\n"
    )
    assert of(small).verdict == "like_for_like" and of(small).reasons == ("scope",)
    edit(small / "schemas/waves/dk-2022.toml", "[origin]", '[scope]\nsector = ["school"]\n[origin]')
    assert of(small).reasons == ("scope_apart",) and of(small).verdict == "not_comparable"


RULES = """
breakdowns = ["total"]
[verdicts]
comparable = "Yes."
like_for_like = "On what they share."
caution = "With care."
not_comparable = "No."
[rules.unit]
kind = "differs"
fact = "unit"
verdict = "caution"
text = "Units differ."
rationale = "A test."
"""


def test_rules_of_its_own_take_the_place_of_the_products(small: Path) -> None:
    (small / "schemas/comparability.toml").write_text(RULES, encoding="utf-8")
    edit(small / "schemas/waves/dk-2020.toml", 'unit = "workplace"', 'unit = "organisation"')
    assert of(small).verdict == "caution"
    assert "rules.unit.text" in gaps(load_catalogue(small))["da"]
    with (small / "schemas/translations/da.csv").open("a", encoding="utf-8") as file:
        file.write("rules.unit.text,Enhederne er ikke de samme.\n")
    assert not load_catalogue(small).problems


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('fact = "unit"', 'fact = "units"', "Did you mean 'unit'?"),
        ('kind = "differs"', 'kind = "difers"', "Did you mean 'differs'?"),
        ('verdict = "caution"', 'verdict = "comparable"', "Use one of like_for_like, caution, not_comparable"),
        ('text = "Units differ."', 'text = ""', "Fill in text."),
        ('kind = "differs"', 'kind = "either"', "what the rule looks for"),
        ('kind = "differs"\nfact = "unit"', 'kind = "apart"\nfact = "response_rate"', "at_least = NUMBER"),
        ('kind = "differs"\nfact = "unit"', 'kind = "pair"\nfact = "scope"\nvalues = ["sharde"]', "Did you mean 'shared'?"),
        ("[rules.unit]", '[rules.unit]\nindicators = ["any_inovation"]', "Did you mean 'any_innovation'?"),
        ("[rules.unit]", '[rules.unit]\nquestions = ["introduce"]', "Did you mean 'introduced'?"),
        ("[rules.unit]", '[rules.unit]\nbases = ["innovativ"]', "Did you mean 'innovative'?"),
        ('["total"]', '["totals"]', "Did you mean 'total'?"),
        ("[rules.unit]", '[compositions.x]\nvariable = "sector"\nlabel = "X"\nshares = { cares = 1 }\n[rules.unit]', "Did you mean 'care'?"),
        ("[rules.unit]", '[compositions.x]\nvariable = "region"\nlabel = "X"\nshares = { north = 1 }\n[rules.unit]', "has no breakdown of its own"),
    ],
)  # fmt: skip
def test_a_faulty_rule_is_named(small: Path, old: str, new: str, said: str) -> None:
    assert old in RULES
    (small / "schemas/comparability.toml").write_text(RULES.replace(old, new), encoding="utf-8")
    assert any(said in str(problem) for problem in load_catalogue(small).problems)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[weighting]\nmethod = "unspecified"\ntotals = "x.csv"\n', "which published figures cannot have"),
        ('[weighting]\nmethod = "rake"\nmargins = [["sectors"]]\n', "Did you mean 'sector'?"),
        ('[weighting]\nmethod = "raked"\n', "Did you mean 'rake'?"),
    ],
)
def test_figures_state_their_weighting_as_a_fact(small: Path, text: str, said: str) -> None:
    wave = small / "schemas/waves/no-2020.toml"
    whole = wave.read_text(encoding="utf-8")
    wave.write_text(whole + '[weighting]\nmethod = "none"\n', encoding="utf-8")
    assert not load_catalogue(small).problems
    wave.write_text(whole + text, encoding="utf-8")
    assert any(said in str(problem) for problem in load_catalogue(small).problems)


def test_microdata_state_how_they_are_weighted(small: Path) -> None:
    edit(small / "schemas/waves/dk-2020.toml", 'method = "rake"', 'method = "unspecified"')
    assert any("is for published figures only" in str(problem) for problem in load_catalogue(small).problems)


ERRATUM = """
[[erratum]]
indicator = "any_innovation"
was = 70
now = 74
corrected = 2021-05-01
source = "The office's own page"
"""


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("any_innovation", "any_innovations", "Did you mean 'any_innovation'?"),
        ("now = 74", "now = 70", "is equal to the value that it replaced"),
        ("2021-05-01", "2035-05-01", "is after the release"),
        ('source = "', 'domain = "totals"\nsource = "', "Did you mean 'total'?"),
    ],
)
def test_a_faulty_erratum_is_named(small: Path, old: str, new: str, said: str) -> None:
    wave = small / "schemas/waves/no-2020.toml"
    whole = wave.read_text(encoding="utf-8")
    wave.write_text(whole + ERRATUM, encoding="utf-8")
    assert not load_catalogue(small).problems
    wave.write_text(whole + ERRATUM.replace(old, new), encoding="utf-8")
    assert any(said in str(problem) for problem in load_catalogue(small).problems)
