"""Guesses the harmonised variable of a source column, and the code of a source code.

A guess rests on how alike the file's labels are to the wordings of the catalogue (``catalogue.wordings``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pipeline.catalogue.model import Catalogue
from pipeline.catalogue.questionnaire import IGNORE, NO_ANSWER, NOT_SELECTED, SELECTED, Instrument
from pipeline.catalogue.wordings import Target, likeness, targets
from pipeline.drafting.columns import SourceColumn

MIN_SCORE = 0.5  # a lower score is not a guess
CODE_LABELS_SHARE = 0.3  # of the score that the labels of the codes decide
PRIOR_SCORE = 0.9  # the score of a column that an earlier questionnaire of the survey has by the same name
TODO = "TODO"

DraftRow = tuple[str, str, str, str, str]  # source_variable, source_code, variable, code, note


def crosswalk_rows(
    columns: Iterable[SourceColumn], catalogue: Catalogue, former: Instrument | None, identifier: str
) -> Iterator[DraftRow]:
    """A draft of a crosswalk: every column with every code, each with a guess or to be mapped."""
    columns = list(columns)
    guesses = _best_targets([column for column in columns if column.name != identifier], targets(catalogue))
    known = {row.source_variable for row in former.crosswalk} if former else set()
    for column in columns:
        if column.name == identifier:
            yield column.name, "*", "", IGNORE, "guess: identifies the unit"
        elif former and column.name in known:
            yield from _rows_of_former(column, former)
        elif column.name in guesses:
            yield from _guessed_rows(column, *guesses[column.name])
        else:
            for code in _source_codes(column):
                yield column.name, code, "", "", _hint(column, code)


def _source_codes(column: SourceColumn) -> list[str]:
    return ["*"] if column.codes is None else list(column.codes)


def _hint(column: SourceColumn, code: str) -> str:
    note = " = ".join(text for text in (column.label, (column.codes or {}).get(code, "")) if text)
    return f"{TODO}: {note}" if note else TODO


def _rows_of_former(column: SourceColumn, former: Instrument) -> Iterator[DraftRow]:
    """The rows that an earlier questionnaire has for a column of this name, and the codes it has not."""
    rows = [row for row in former.crosswalk if row.source_variable == column.name]
    listed = {row.source_code for row in rows}
    note = f"guess {PRIOR_SCORE:.2f}: as in {former.key}"
    codes = [*_source_codes(column), *([""] if column.blank else []), "*"]
    for code in _source_codes(column):
        if code not in listed and "*" not in listed and code not in column.missing:
            yield column.name, code, "", "", _hint(column, code)
    for row in rows:
        if row.source_code in codes or column.codes is None:
            twin = column.twin_note(row.source_code)
            yield column.name, row.source_code, row.variable, row.code, f"{note}{twin}"
    for variable in dict.fromkeys(row.variable for row in rows if row.variable):
        yield from _missing_rows(column, variable, [code for code in column.missing if code not in listed])


def _missing_rows(column: SourceColumn, variable: str, codes: Iterable[str]) -> Iterator[DraftRow]:
    """The codes that the file declares missing, as no answer."""
    return ((column.name, code, variable, NO_ANSWER, column.missing_note(code)) for code in codes)


def _best_targets(
    columns: Iterable[SourceColumn], known: Iterable[Target]
) -> dict[str, tuple[Target, float]]:
    """The best target of each column, best scores first; no target is given twice."""
    scores = [
        (score, position, target_position, column.name, target)
        for target_position, target in enumerate(known)
        for position, column in enumerate(columns)
        if (score := _score(column, target)) >= MIN_SCORE
    ]
    guesses: dict[str, tuple[Target, float]] = {}
    taken: set[str] = set()
    for score, _, _, name, target in sorted(scores, key=lambda entry: (-entry[0], entry[1], entry[2])):
        if name not in guesses and target.variable not in taken:
            guesses[name] = (target, score)
            taken.add(target.variable)
    return guesses


def _score(column: SourceColumn, target: Target) -> float:
    if (target.type == "numeric" and not column.numeric) or (
        target.type != "numeric" and column.codes is None
    ):
        return 0.0
    score = max(
        likeness(own, text) for own in (column.label or column.name, column.name) for text in target.words
    )
    labels = [label for label in (column.codes or {}).values() if label]
    if score < MIN_SCORE / 2 or not labels or not target.codes:
        return score
    fit = sum(_best_code(label, target)[1] for label in labels) / len(labels)
    return (1 - CODE_LABELS_SHARE) * score + CODE_LABELS_SHARE * fit


def _guessed_rows(column: SourceColumn, target: Target, score: float) -> Iterator[DraftRow]:
    note = f"guess {score:.2f}: {column.label or column.name}"
    if target.type == "numeric":
        yield column.name, "*", target.variable, "=", note
        yield from _missing_rows(column, target.variable, column.missing)
        return
    chosen = _tick_codes(column) if target.type == "multiple" else {}
    for code, label in (column.codes or {}).items():
        code_guess, fit = (
            (chosen.get(code, ""), score) if target.type == "multiple" else _best_code(label or code, target)
        )
        if code in column.missing and not (fit >= MIN_SCORE and code_guess in target.nonresponse):
            yield from _missing_rows(column, target.variable, [code])
        elif code_guess and fit >= MIN_SCORE:
            words = label or column.label or column.name
            note = f"guess {min(score, fit):.2f}: {words}{column.twin_note(code)}"
            yield column.name, code, target.variable, code_guess, note
        else:
            yield column.name, code, target.variable, "", _hint(column, code)
    if target.type == "multiple" and column.blank and NOT_SELECTED not in chosen.values():
        yield column.name, "", target.variable, NOT_SELECTED, note


def _tick_codes(column: SourceColumn) -> dict[str, str]:
    """The two states of a box to tick, where its codes are the usual 1 and 0, 2 or blank."""
    codes = list(column.codes or {})
    if codes == ["1"]:
        return {"1": SELECTED}
    return (
        {"1": SELECTED, codes[1 - codes.index("1")]: NOT_SELECTED}
        if codes in (["0", "1"], ["1", "2"])
        else {}
    )


def _best_code(label: str, target: Target) -> tuple[str, float]:
    scores = {code: max(likeness(label, text) for text in texts) for code, texts in target.codes.items()}
    return max(scores.items(), key=lambda entry: entry[1], default=("", 0.0))
