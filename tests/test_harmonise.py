"""A raw file's codes become the codebook's; what does not fit is named, set aside or stops the wave."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pipeline.catalogue import (
    Catalogue,
    Condition,
    Correction,
    CrosswalkRow,
    Logic,
    ReplicateWeights,
    Wave,
    load_catalogue,
)
from pipeline.harmonise import Harmonised, harmonise, holds
from pipeline.problems import ProblemError
from pipeline.sources import fetch, read_raw


@dataclass
class Fieldwork:
    """A wave with its raw frame, for a test to change: row r is the unit with the id r + 1, in four
    digits.
    """

    catalogue: Catalogue
    wave: Wave
    raw: pd.DataFrame

    def put(self, row: int, **cells: str) -> None:
        for column, value in cells.items():
            self.raw.loc[row, column] = value

    def design(self, **facts: Any) -> None:
        assert self.wave.design is not None
        self.wave = replace(self.wave, design=replace(self.wave.design, **facts))

    def crosswalk(
        self, change: Callable[[CrosswalkRow], CrosswalkRow | None], *more: tuple[str, ...]
    ) -> None:
        """Change or drop rows of the crosswalk, then add some."""
        instrument = self.catalogue.instruments["dk"]
        rows = [changed for row in instrument.crosswalk if (changed := change(row))]
        rows += [CrosswalkRow(100 + place, *row) for place, row in enumerate(more)]
        made = replace(instrument, crosswalk=tuple(rows))
        self.catalogue = replace(self.catalogue, instruments={"dk": made})

    def done(self) -> Harmonised:
        return harmonise(self.raw, self.wave, self.catalogue)

    def stopped(self) -> str:
        with pytest.raises(ProblemError) as error:
            self.done()
        assert all(problem.wave == self.wave.key for problem in error.value.problems)
        return str(error.value)

    def unit(self, unit: str) -> pd.Series:
        answers = self.done().answers
        return answers[answers["unit"] == unit].iloc[0]

    def reasons(self) -> list[list[Any]]:
        return self.done().quarantine[["row", "column", "rule", "code"]].to_numpy().tolist()


def same(row: CrosswalkRow) -> CrosswalkRow:
    return row


@pytest.fixture
def fieldwork(barometer: Path) -> Fieldwork:
    catalogue = load_catalogue(barometer)
    assert not catalogue.problems
    wave = catalogue.waves["dk-2020"]
    return Fieldwork(catalogue, wave, read_raw(fetch(wave, barometer), wave.source).frame)


# ── the map ──────────────────────────────────────────────────────────────────


def test_columns_stand_in_their_order_and_rows_by_unit(fieldwork: Fieldwork) -> None:
    fieldwork.raw = fieldwork.raw.iloc[::-1]
    answers = fieldwork.done().answers
    assert list(answers.columns) == [
        *("wave", "unit", "stratum", "psu", "design_weight", "sector", "region"),
        *("introduced.product", "introduced.service", "novelty", "value.quality", "value.savings", "staff"),
    ]
    assert list(answers["unit"]) == sorted(answers["unit"])
    assert len(answers) == 80


def test_codes_numbers_and_blanks_are_mapped(fieldwork: Fieldwork) -> None:
    fieldwork.put(0, SEKTOR="2", REG="N", Q1_1="1", Q1_2="9", Q2="2", Q3_1="1", Q3_2="", ANSATTE="12,5")
    unit = fieldwork.unit("0001")
    assert unit["stratum"] == "2"
    assert unit["sector"] == "school"
    assert unit["introduced.service"] == "dont_know"
    assert unit["novelty"] == "copied"
    assert (unit["value.quality"], unit["value.savings"]) == ("selected", "not_selected")
    assert unit["staff"] == 12.5


def test_a_nonresponse_code_and_a_blank_are_no_number(fieldwork: Fieldwork) -> None:
    fieldwork.put(0, ANSATTE="999")
    fieldwork.put(1, ANSATTE="")
    assert np.isnan(fieldwork.unit("0001")["staff"])
    assert np.isnan(fieldwork.unit("0002")["staff"])


def test_a_blank_where_the_base_applies_is_no_answer(fieldwork: Fieldwork) -> None:
    fieldwork.put(0, Q1_1="1", Q1_2="", Q2="", REG="")
    unit = fieldwork.unit("0001")
    assert unit["introduced.service"] == "no_answer"
    assert unit["novelty"] == "no_answer"
    assert unit["region"] == "no_answer"


def test_an_ignored_code_is_a_blank_without_the_blank_row(fieldwork: Fieldwork) -> None:
    fieldwork.put(0, Q1_1="1", Q3_1="7")
    fieldwork.crosswalk(same, ("Q3_1", "7", "value.quality", "ignore"))
    assert fieldwork.unit("0001")["value.quality"] == "no_answer"
    fieldwork.crosswalk(same, ("Q3_1", "7", "", "ignore"))
    assert fieldwork.unit("0001")["value.quality"] == "no_answer"


def test_a_star_maps_every_code_that_has_no_row_of_its_own(fieldwork: Fieldwork) -> None:
    fieldwork.put(0, Q1_1="1", Q2="other")
    fieldwork.crosswalk(lambda row: None if (row.source_variable, row.source_code) == ("Q2", "9") else row)
    fieldwork.crosswalk(same, ("Q2", "*", "novelty", "dont_know"))
    assert fieldwork.unit("0001")["novelty"] == "dont_know"


def test_several_columns_may_list_the_choices_of_a_multiple_question(fieldwork: Fieldwork) -> None:
    """First and second choice as two columns of item codes: a code of another item says nothing."""
    fieldwork.crosswalk(
        lambda row: None if row.source_variable in ("Q3_1", "Q3_2") else row,
        *(
            (column, code, f"value.{item}", state)
            for column in ("Q3_1", "Q3_2")
            for item, own in (("quality", "1"), ("savings", "2"))
            for code, state in ((own, "selected"), ("", "not_selected"))
        ),
    )
    fieldwork.raw[["Q1_1", "Q3_1", "Q3_2"]] = ["1", "", ""]
    fieldwork.put(0, Q3_1="2", Q3_2="1")
    fieldwork.put(1, Q3_1="2", Q3_2="")
    first, second, third = (fieldwork.unit(unit) for unit in ("0001", "0002", "0003"))
    assert (first["value.quality"], first["value.savings"]) == ("selected", "selected")
    assert (second["value.quality"], second["value.savings"]) == ("not_selected", "selected")
    assert (third["value.quality"], third["value.savings"]) == ("not_selected", "not_selected")


def test_an_unknown_code_stops_the_wave_and_every_one_is_named(fieldwork: Fieldwork) -> None:
    fieldwork.put(0, Q1_1="5", Q2="8")
    fieldwork.put(1, Q1_1="5")
    message = fieldwork.stopped()
    assert (
        "schemas/instruments/dk.csv, column Q1_1: holds a code that the crosswalk does not list, in 2 rows of dk-2020.csv"
        in message
    )
    assert "('5')" in message
    assert "column Q2: holds a code that the crosswalk does not list, in 1 row of" in message
    assert "('8')" in message


def test_a_column_of_free_text_is_not_poured_into_the_message(fieldwork: Fieldwork) -> None:
    fieldwork.raw["Q2"] = [f"text {row}" for row in range(80)]
    assert "column Q2: holds 80 texts that the crosswalk does not list, in 80 rows of" in fieldwork.stopped()


def test_a_text_where_numbers_are_copied_is_named_with_the_unknown_codes(fieldwork: Fieldwork) -> None:
    fieldwork.put(0, ANSATTE="many", Q2="8")
    message = fieldwork.stopped()
    assert "column ANSATTE" in message
    assert "'many'" in message
    assert "column Q2" in message


# ── corrections ──────────────────────────────────────────────────────────────


def test_a_correction_changes_the_rows_that_match(fieldwork: Fieldwork) -> None:
    fieldwork.put(4, ANSATTE="190")
    correction = Correction("ANSATTE", {"ID": "0005", "ANSATTE": "190"}, "19", "Typing error")
    fieldwork.wave = replace(fieldwork.wave, corrections=(correction,))
    assert fieldwork.unit("0005")["staff"] == 19
    assert fieldwork.done().report["corrections"] == [
        {"column": "ANSATTE", "reason": "Typing error", "rows": 1}
    ]


def test_a_correction_that_no_longer_matches_has_expired(fieldwork: Fieldwork) -> None:
    gone = Correction("ANSATTE", {"ID": "0005", "ANSATTE": "190"}, "19", "Typing error")
    lost = Correction("Q99", {"ID": "0005"}, "1", "Typing error")
    fieldwork.wave = replace(fieldwork.wave, corrections=(gone, lost))
    message = fieldwork.stopped()
    assert "correction[1]: has expired" in message
    assert "correction[2]: is not a column of the raw file" in message
    assert "0005" not in message


# ── routing ──────────────────────────────────────────────────────────────────


def test_an_answer_where_the_base_is_false_is_counted_and_set_to_not_asked(fieldwork: Fieldwork) -> None:
    fieldwork.put(0, Q1_1="2", Q1_2="2", Q2="1", Q3_1="", Q3_2="")
    fieldwork.put(1, Q1_1="2", Q1_2="2", Q2="", Q3_1="", Q3_2="")
    unit = fieldwork.unit("0001")
    assert unit["novelty"] == "not_asked"
    assert unit["value.quality"] == "not_asked"
    assert fieldwork.done().report["contradictions"] == {"novelty": 1}


def test_an_unticked_box_and_a_dont_know_contradict_nothing(fieldwork: Fieldwork) -> None:
    fieldwork.put(0, Q1_1="2", Q1_2="2", Q2="9", Q3_1="0", Q3_2="")
    fieldwork.crosswalk(same, ("Q3_1", "0", "value.quality", "not_selected"))
    assert fieldwork.done().report["contradictions"] == {}
    assert fieldwork.unit("0001")["value.quality"] == "not_asked"


def test_a_number_outside_its_base_is_not_kept(fieldwork: Fieldwork) -> None:
    staff = replace(fieldwork.catalogue.questions["staff"], base="innovative")
    fieldwork.catalogue = replace(
        fieldwork.catalogue, questions={**fieldwork.catalogue.questions, "staff": staff}
    )
    fieldwork.put(0, Q1_1="2", Q1_2="2", Q2="", Q3_1="", Q3_2="", ANSATTE="5")
    assert np.isnan(fieldwork.unit("0001")["staff"])
    assert fieldwork.done().report["contradictions"]["staff"] > 0


def test_logic_joins_conditions_and_what_was_not_asked_does_not_hold(barometer: Path) -> None:
    catalogue = load_catalogue(barometer)
    columns = {
        "introduced.product": pd.Series(["yes", "no", "dont_know"]),
        "sector": pd.Series(["care", "care", ""]),
    }
    innovates, care = Condition("introduced.*", ("yes",)), Condition("sector", ("care", "school"))
    unasked = Condition("novelty", ("first",))

    def met(*parts: Condition | Logic, operator: str = "any") -> list[bool]:
        return holds(Logic(operator, parts), columns, catalogue, 3).tolist()

    assert met(innovates) == [True, False, False]
    assert met(innovates, care, operator="all") == [True, False, False]
    assert met(innovates, care) == [True, True, False]
    assert met(innovates, operator="none") == [False, True, True]
    assert met(unasked) == [False, False, False]
    assert met(care, Logic("none", (innovates,)), operator="all") == [False, True, False]
    assert holds(None, columns, catalogue, 3).all()


# ── quarantine ───────────────────────────────────────────────────────────────


def test_bad_rows_are_set_aside_with_their_reasons(fieldwork: Fieldwork) -> None:
    fieldwork.wave = replace(fieldwork.wave, scope={"region": ("north", "south")})
    fieldwork.put(2, SEKTOR="")
    assert fieldwork.reasons() == [[3, "SEKTOR", "required", ""]]
    made = fieldwork.done()
    assert len(made.answers) == 79
    assert "0003" not in set(made.answers["unit"])
    assert made.report["rules"] == {"required": 1}
    assert (made.report["rows"], made.report["kept"], made.report["quarantined"]) == (80, 79, 1)


def test_a_blank_and_a_repeated_id_are_set_aside_without_being_shown(fieldwork: Fieldwork) -> None:
    fieldwork.put(0, ID="")
    assert fieldwork.reasons() == [[1, "ID", "required", ""]]
    fieldwork.put(0, ID="0002")
    assert fieldwork.reasons() == [[1, "ID", "unique", ""], [2, "ID", "unique", ""]]


def test_a_unit_outside_the_scope_is_set_aside(fieldwork: Fieldwork) -> None:
    fieldwork.raw["REG"] = "N"
    fieldwork.wave = replace(fieldwork.wave, scope={"region": ("north",)})
    fieldwork.put(7, REG="S")
    assert fieldwork.reasons() == [[8, "region", "scope", "south"]]


def test_two_columns_that_disagree_are_a_conflict(fieldwork: Fieldwork) -> None:
    fieldwork.raw["Q2_again"] = fieldwork.raw["Q2"]
    rows = (
        ("Q2_again", code, "novelty", meant)
        for code, meant in (("1", "first"), ("2", "copied"), ("9", "ignore"))
    )
    fieldwork.crosswalk(same, *rows)
    assert fieldwork.reasons() == []
    fieldwork.put(0, Q1_1="1", Q2="1", Q2_again="2")
    assert fieldwork.reasons() == [[1, "novelty", "conflict", ""]]


def test_more_choices_than_allowed_are_set_aside(fieldwork: Fieldwork) -> None:
    instrument = replace(fieldwork.catalogue.instruments["dk"], max_choices={"value": 1})
    fieldwork.raw[["Q3_1", "Q3_2"]] = ["1", ""]
    fieldwork.put(0, Q1_1="1", Q3_1="1", Q3_2="1")
    assert fieldwork.reasons() == []
    fieldwork.catalogue = replace(fieldwork.catalogue, instruments={"dk": instrument})
    assert fieldwork.reasons() == [[1, "value", "max_choices", "2"]]


def test_too_many_bad_rows_stop_the_wave_with_counts_only(fieldwork: Fieldwork) -> None:
    for row in range(4):
        fieldwork.put(row, SEKTOR="")
    assert len(fieldwork.done().answers) == 76
    fieldwork.put(4, SEKTOR="")
    message = fieldwork.stopped()
    assert "5 of 80 rows are faulty" in message
    assert "5.0%" in message
    assert "0005" not in message


# ── the design ───────────────────────────────────────────────────────────────


def test_missing_and_empty_columns_are_all_named(fieldwork: Fieldwork) -> None:
    fieldwork.design(strata=("SEKTOR", "KOMMUNE"), psu="REG")
    fieldwork.raw = fieldwork.raw.drop(columns="Q2").assign(REG="")
    message = fieldwork.stopped()
    assert "design.strata: is not a column of the raw file ('KOMMUNE')" in message
    assert "design.psu: has only blank cells ('REG')" in message
    assert "column Q2: is not a column of the raw file" in message


def test_a_file_without_rows_is_a_problem(fieldwork: Fieldwork) -> None:
    fieldwork.raw = fieldwork.raw.iloc[:0]
    assert "has no rows" in fieldwork.stopped()


def test_strata_that_joining_would_confuse_are_a_problem(fieldwork: Fieldwork) -> None:
    fieldwork.design(strata=("SEKTOR", "REG"))
    fieldwork.put(0, REG="N*S")
    assert "design.strata: has values that contain * ('REG')" in fieldwork.stopped()


def test_strata_are_joined_and_the_psu_kept(fieldwork: Fieldwork) -> None:
    fieldwork.design(strata=("SEKTOR", "REG"), psu="Q1_1")
    fieldwork.put(0, SEKTOR="2", REG="N", Q1_1="1")
    unit = fieldwork.unit("0001")
    assert (unit["stratum"], unit["psu"]) == ("2*N", "1")


def test_delivered_weights_and_replicates_are_read(fieldwork: Fieldwork) -> None:
    fieldwork.raw = fieldwork.raw.assign(vekt="1,5", rw_1="0", rw_2="3,0")
    fieldwork.design(weight="vekt", replicate_weights=ReplicateWeights("rw_*", "brr"))
    answers = fieldwork.done().answers
    assert answers[["design_weight", "replicate_1", "replicate_2"]].iloc[0].tolist() == [1.5, 0.0, 3.0]


@pytest.mark.parametrize(("text", "said"), [("", "missing"), ("0", "zero"), ("-1", "negative")])
def test_a_weight_that_is_none_stops_the_wave(fieldwork: Fieldwork, text: str, said: str) -> None:
    fieldwork.raw["vekt"] = "1,5"
    fieldwork.design(weight="vekt")
    fieldwork.put(0, vekt=text)
    fieldwork.put(1, vekt=text)
    assert f"column vekt: has 2 rows with a {said} weight" in fieldwork.stopped()


def test_columns_that_nothing_reads_are_reported(fieldwork: Fieldwork) -> None:
    fieldwork.raw["Q9"] = "1"
    assert fieldwork.done().report["unused_columns"] == ["Q9"]


def test_the_same_file_gives_the_same_bytes(fieldwork: Fieldwork, tmp_path: Path) -> None:
    for name in ("a", "b"):
        fieldwork.done().answers.to_parquet(tmp_path / name, index=False)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
