"""Guesses the harmonised variable of a source column, and the code of a source code.

Meaning decides, names help: how alike the labels of a column and of its codes are to the wordings of the
catalogue (``catalogue.wordings``) and to the labels that the file of the wave before has. The name that a
column had before decides where no label speaks, and never against one. Columns and variables, and the codes
of a column and of a variable, are assigned one to one, so that the sum of likenesses is greatest.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from scipy.optimize import linear_sum_assignment

from pipeline.arrays import Floats
from pipeline.catalogue.model import Catalogue
from pipeline.catalogue.questionnaire import (
    IGNORE,
    NO_ANSWER,
    NOT_SELECTED,
    SELECTED,
    CrosswalkRow,
    Instrument,
    question_key,
)
from pipeline.catalogue.wordings import SEPARATOR, TICKED, Target, likeness, plain, targets
from pipeline.drafting.columns import SourceColumn
from pipeline.drafting.design import is_called_id
from pipeline.sources import FileMetadata

MIN_SCORE = 0.5  # a lower score is not a guess
CODE_LABELS_SHARE = 0.3  # of the score that the labels of the codes decide
ITEM_SHARE = 0.7  # of the score of a label with question and item that the item decides
MAX_NAME_WORDS = 4  # a wording of more is no name
NAME_SHARE = 0.5  # of the likeness of a name, beside a label
SAME_NAME = 0.1  # added where the column had this name in the wave before
PRIOR_SCORE = 0.9  # the score of a column without a label that the wave before has by the same name
TODO = "TODO"

DraftRow = tuple[str, str, str, str, str]  # source_variable, source_code, variable, code, note


@dataclass(frozen=True)
class Former:
    """The wave before of the survey: its questionnaire, and what its raw file says of its columns."""

    instrument: Instrument
    metadata: FileMetadata

    def rows(self, column: str) -> list[CrosswalkRow]:
        """The crosswalk's rows of a column."""
        return [row for row in self.instrument.crosswalk if row.source_variable == column]

    def variables(self, column: str) -> list[str]:
        """Where a column led."""
        return list(dict.fromkeys(row.variable for row in self.rows(column) if row.variable))


def crosswalk_rows(
    columns: Sequence[SourceColumn], catalogue: Catalogue, former: Former | None, ignored: Mapping[str, str]
) -> Iterator[DraftRow]:
    """A draft of a crosswalk: every column with every code, each with a guess or to be mapped.

    ``ignored``: the columns that answer nothing, as identifiers and weights, with the reason.
    """
    known = targets(catalogue)
    known = [_with_labels(target, former) for target in known] if former else known
    asked = [column for column in columns if column.name not in ignored and not _is_mention(column)]
    chosen = _chosen(asked, known, former)
    items = _items_of_mentions(columns, known)
    for column in columns:
        target, score = chosen.get(column.name, (None, 0.0))
        before = former.rows(column.name) if former else []
        if column.name in ignored:
            yield column.name, "*", "", IGNORE, f"guess: {ignored[column.name]}"
        elif _is_mention(column) and not before:
            yield from _mention_rows(column, items.get(column.name, {}))
        elif former and before and (score == PRIOR_SCORE or _is_mention(column)):
            yield from _rows_of_former(
                column, former, f"guess {score:.2f}: as in {former.instrument.key}", None
            )
        elif former and target and target.variable in former.variables(column.name):
            note = f"guess {score:.2f}: {_said(column)} (as in {former.instrument.key})"
            yield from _rows_of_former(column, former, note, target)
        elif target:
            elsewhere = _elsewhere(column, former)
            yield from _guessed_rows(column, target, score, elsewhere)
        elif former and before and _was_ignored(column, former):
            note = f"guess: ignored as in {former.instrument.key}" + (
                f": {column.label}" if column.label else ""
            )
            yield column.name, "*", "", IGNORE, note
        elif column.text or (column.codes is None and is_called_id(column)):
            kind = column.kind if column.text else "identifies something"
            yield column.name, "*", "", IGNORE, f"guess: {kind}"
        elif not _source_codes(column):
            yield column.name, "*", "", IGNORE, f"guess: always blank: {_said(column)}"
        else:
            for code in _source_codes(column):
                yield column.name, code, "", "", _hint(column, code) + _elsewhere(column, former)


def _is_mention(column: SourceColumn) -> bool:
    """Whether a column holds codes of several answers to a question: one of them, or several in a cell."""
    of_set = column.set is not None and not column.counted and column.codes is not None
    return bool(column.mark) or of_set


def _items_of_mentions(
    columns: Iterable[SourceColumn], known: Sequence[Target]
) -> dict[str, dict[str, tuple[str, float]]]:
    """The items of one multiple question that the codes of a column of mentions are, with their scores.

    It is the question whose items fit best, its own text counting as well.
    """
    questions: dict[str, list[Target]] = {}
    for target in known:
        if target.type == "multiple":
            questions.setdefault(question_key(target.variable), []).append(target)
    found = {}
    for column in filter(_is_mention, columns):
        labels = {code: label or code for code, label in (column.codes or {}).items()}
        best = 2 * MIN_SCORE
        for items in questions.values():
            scores = np.array([[_item_score(label, item) for item in items] for label in labels.values()])
            pairs = _assigned(scores.reshape(len(labels), len(items)))
            text = max(_label_score(column.full_label, item) for item in items)
            fit = sum(float(scores[pair]) for pair in pairs) / max(len(pairs), 1) + text
            if pairs and fit >= best:
                codes, best = [*labels], fit
                found[column.name] = {
                    codes[row]: (items[at].variable, float(scores[row, at])) for row, at in pairs
                }
    return found


def _item_score(label: str, target: Target) -> float:
    return max(1.0 if plain(label) == plain(text) else likeness(label, text) for text in target.items)


def _mention_rows(column: SourceColumn, items: Mapping[str, tuple[str, float]]) -> Iterator[DraftRow]:
    """The codes of a column that is one of several mentions: guessed ``items``, the others to be mapped."""
    one_of = f"one of {len(column.set.columns)} mentions" if column.set else "one of several in a cell"
    for code, label in (column.codes or {}).items():
        if code in column.missing:
            yield column.name, code, "", IGNORE, f"guess: {column.missing_note(code)}"
        elif code in items:
            variable, score = items[code]
            yield column.name, code, variable, SELECTED, f"guess {score:.2f}: {label or code} ({one_of})"
        else:
            yield column.name, code, "", "", f"{_hint(column, code)} ({one_of}: QUESTION.ITEM, selected)"
    if column.rest:
        yield column.name, "*", "", IGNORE, "guess: what respondents wrote"
    for variable, score in items.values():
        yield column.name, "", variable, NOT_SELECTED, f"guess {score:.2f}: not this one ({one_of})"
    if not items:
        said = f"{TODO}: blank, or not this one: a line for each QUESTION.ITEM, not_selected"
        yield column.name, "", "", "", said


def _said(column: SourceColumn) -> str:
    return column.full_label or column.name


def _elsewhere(column: SourceColumn, former: Former | None) -> str:
    """Where the name of a column led before, as a remark on one that its label leads elsewhere."""
    led = former.variables(column.name) if former else []
    return f" (the name was {', '.join(led)} in {former.instrument.key})" if former and led else ""


def _with_labels(target: Target, former: Former) -> Target:
    """A target with the labels that the wave before has for its columns and codes, as further wordings."""
    labels: dict[str, None] = {}
    codes = {code: dict.fromkeys(texts) for code, texts in target.codes.items()}
    for row in former.instrument.crosswalk:
        if row.variable == target.variable:
            if label := former.metadata.labels.get(row.source_variable):
                labels[label] = None
            said = former.metadata.value_labels.get(row.source_variable, {}).get(row.source_code)
            if said and row.code in codes:
                codes[row.code][said] = None
    whole, items = [*target.texts, *labels], list(target.items)
    if target.items:
        items += [_item_part(label) for label in labels]
    return replace(
        target,
        texts=tuple(dict.fromkeys(whole)),
        items=tuple(dict.fromkeys(items)),
        codes={code: tuple(texts) for code, texts in codes.items()},
    )


# ── columns ──────────────────────────────────────────────────────────────────


def _chosen(
    columns: Sequence[SourceColumn], known: Sequence[Target], former: Former | None
) -> dict[str, tuple[Target, float]]:
    """The target of each column that has one, with its score.

    A column without labels follows its name to where it led before; the others get the targets that are
    left, one to one. Where no label of a column with a former name agrees with what it was, labels and
    wordings are in different languages, and the names of labelled columns count as well, at the least score.
    """
    by_name = {target.variable: target for target in known}
    led = {column.name: former.variables(column.name) if former else [] for column in columns}
    chosen: dict[str, tuple[Target, float]] = {}
    for column in columns:
        if not _speaks(column) and (before := [by_name[key] for key in led[column.name] if key in by_name]):
            chosen[column.name] = before[0], PRIOR_SCORE
    taken = {key for name in chosen for key in led[name]}
    left = [column for column in columns if column.name not in chosen]
    free = [target for target in known if target.variable not in taken]
    scores = np.array([[_score(column, target) for target in free] for column in left], dtype=np.float64)
    scores = scores.reshape(len(left), len(free))
    same = np.array([[target.variable in led[c.name] for target in free] for c in left], dtype=bool)
    same = same.reshape(scores.shape)
    scores = np.minimum(np.where(same & (scores > 0), scores + SAME_NAME, scores), 1.0)
    if former and not (same & (scores >= MIN_SCORE)).any():
        fits = np.array([[_can_hold(column, target) for target in free] for column in left], dtype=bool)
        scores = np.where(same & fits.reshape(scores.shape), MIN_SCORE, scores)
    for row, position in _assigned(scores):
        chosen[left[row].name] = free[position], float(scores[row, position])
    return chosen


def _speaks(column: SourceColumn) -> bool:
    return bool(column.label) or any((column.codes or {}).values())


def _assigned(scores: Floats) -> list[tuple[int, int]]:
    """Rows and positions one to one, so that the sum of the scores of at least ``MIN_SCORE`` is greatest."""
    weights = np.where(scores >= MIN_SCORE, scores, 0.0)
    rows, positions = linear_sum_assignment(weights, maximize=True)
    pairs = zip(rows.tolist(), positions.tolist(), strict=True)
    return [(row, position) for row, position in pairs if weights[row, position] > 0]


def _can_hold(column: SourceColumn, target: Target) -> bool:
    """Whether the values of a column could be those of a target: numbers for a number, codes for the rest."""
    return column.numeric if target.type == "numeric" else column.codes is not None and not column.text


def _score(column: SourceColumn, target: Target) -> float:
    if not _can_hold(column, target):
        return 0.0
    score = max((likeness(column.name, text) for text in _names(target.words)), default=0.0)
    if column.label:
        labels_of = dict.fromkeys([column.label, column.full_label])
        score = max(*(_label_score(label, target) for label in labels_of), NAME_SHARE * score)
    labels = _code_labels(column)
    if score < MIN_SCORE / 2 or not labels or not target.codes:
        return score
    fit = sum(fit for _, fit in _code_guesses(labels, target).values()) / len(labels)
    return (1 - CODE_LABELS_SHARE) * score + CODE_LABELS_SHARE * fit


@cache
def _names(words: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(text for text in words if len(text.split()) <= MAX_NAME_WORDS)


def _label_score(label: str, target: Target) -> float:
    """How alike a label is to a target. Items of one question differ in the item, so that counts most."""
    whole = max((likeness(label, text) for text in (*target.texts, *target.names)), default=0.0)
    if not target.items:
        return whole
    item = _item_part(label)
    part = max(likeness(item, text) for text in target.items)
    return max(part, whole) if item == label else ITEM_SHARE * part + (1 - ITEM_SHARE) * whole


def _item_part(label: str) -> str:
    """What a label says after the mark between question and item; all of it where there is none."""
    ends = [match.end() for match in SEPARATOR.finditer(label)]
    return label[ends[-1] :] if ends and ends[-1] < len(label) else label


def _was_ignored(column: SourceColumn, former: Former) -> bool:
    """Whether the wave before ignored the column, and labels do not say that it is another one."""
    label = former.metadata.labels.get(column.name, "")
    same = not (label and column.label) or likeness(label, column.label) >= MIN_SCORE
    return same and all(row.code == IGNORE for row in former.rows(column.name))


# ── rows ─────────────────────────────────────────────────────────────────────


def _source_codes(column: SourceColumn) -> list[str]:
    return ["*"] if column.codes is None else list(column.codes)


def _hint(column: SourceColumn, code: str) -> str:
    note = " = ".join(text for text in (column.full_label, (column.codes or {}).get(code, "")) if text)
    return f"{TODO}: {note}" if note else TODO


def _rows_of_former(
    column: SourceColumn, former: Former, note: str, target: Target | None
) -> Iterator[DraftRow]:
    """The rows that the wave before has for a column of this name, and the codes it has not.

    A code whose label is that of another code than it led to goes where its label leads.
    """
    rows = former.rows(column.name)
    listed = {row.source_code for row in rows}
    codes = [*_source_codes(column), *([""] if column.blank or _is_mention(column) else []), "*"]
    guesses = _code_guesses(_code_labels(column), target) if target and target.codes else {}
    for code in _source_codes(column):
        if code not in listed and "*" not in listed and code not in column.missing:
            guess, fit = guesses.get(code, ("", 0.0))
            said = f"guess {fit:.2f}: {column.labels.get(code, '')}" if guess else _hint(column, code)
            said += column.twin_note(code)
            variable = target.variable if target else next(iter(former.variables(column.name)), "")
            yield column.name, code, variable, guess, said
    for row in rows:
        if row.source_code in codes or column.codes is None:
            guess, fit = guesses.get(row.source_code, ("", 0.0))
            twin = column.twin_note(row.source_code)
            if guess and target and row.code in target.codes and guess != row.code:
                label = column.labels.get(row.source_code, "")
                said = f"guess {fit:.2f}: {label} (was {row.code} in {former.instrument.key}){twin}"
                yield column.name, row.source_code, row.variable, guess, said
            else:
                yield column.name, row.source_code, row.variable, row.code, f"{note}{twin}"
    for variable in former.variables(column.name):
        yield from _missing_rows(column, variable, [code for code in column.missing if code not in listed])


def _missing_rows(column: SourceColumn, variable: str, codes: Iterable[str]) -> Iterator[DraftRow]:
    """The codes that the file declares missing, as no answer or as put to nobody."""
    return (
        (column.name, code, variable, column.state(code) or NO_ANSWER, column.missing_note(code))
        for code in codes
    )


def _guessed_rows(column: SourceColumn, target: Target, score: float, remark: str) -> Iterator[DraftRow]:
    note = f"guess {score:.2f}: {_said(column)}{remark}"
    if target.type == "numeric":
        yield column.name, "*", target.variable, "=", note
        yield from _missing_rows(column, target.variable, column.missing)
        for code, label in column.labels.items():
            if column.is_missing(code) and code not in column.missing:
                state = column.state(code) or NO_ANSWER
                yield column.name, code, target.variable, state, f"{note} = {label}"
        return
    chosen = _tick_codes(column) if target.type == "multiple" else {}
    words = {code: label or code for code, label in (column.codes or {}).items()}
    guesses = {} if target.type == "multiple" else _code_guesses(words, target)
    for code in dict.fromkeys([*words, *chosen]):
        label = (column.codes or {}).get(code, "")
        code_guess, fit = (chosen.get(code, ""), score) if chosen else guesses.get(code, ("", 0.0))
        if code in column.missing and code_guess not in target.nonresponse:
            yield from _missing_rows(column, target.variable, [code])
        elif code_guess:
            said = " = ".join(text for text in (_said(column), label) if text)
            said = f"guess {min(score, fit):.2f}: {said}{remark}{column.twin_note(code)}"
            yield column.name, code, target.variable, code_guess, said
        elif state := column.state(code):
            yield column.name, code, target.variable, state, f"{note} = {label}"
        else:
            said = _hint(column, code) + remark + column.twin_note(code)
            yield column.name, code, target.variable, "", said
    if target.type == "multiple" and column.blank and NOT_SELECTED not in chosen.values():
        yield column.name, "", target.variable, NOT_SELECTED, note


def _tick_codes(column: SourceColumn) -> dict[str, str]:
    """The two states of a box to tick, where the file or a label says them or its codes are the usual 1 and
    0, 2 or blank.
    """
    codes = [
        code for code in column.box_codes if code in ("0", column.counted) or not column.is_missing(code)
    ]
    called = any(TICKED.fullmatch(column.labels.get(code) or code) for code in codes)
    alone = len(codes) == 1 and (column.blank or codes == ["1"])
    if not (column.counted or alone or (len(codes) == 2 and called) or codes in (["0", "1"], ["1", "2"])):
        return {}
    ticked = "1" if codes == ["1", "2"] and not (called or column.counted) else column.ticked
    return {code: SELECTED if code == ticked else NOT_SELECTED for code in codes}


def _code_labels(column: SourceColumn) -> dict[str, str]:
    return {code: label for code, label in (column.codes or {}).items() if label}


def _code_guesses(labels: Mapping[str, str], target: Target) -> dict[str, tuple[str, float]]:
    """The code of a target for each source code, one to one, by its label; equal texts come first."""
    codes = list(target.codes)
    scores = np.array(
        [[_code_score(label, target.codes[code]) for code in codes] for label in labels.values()]
    )
    pairs = _assigned(scores.reshape(len(labels), len(codes)))
    names = list(labels)
    return {names[row]: (codes[at], min(1.0, float(scores[row, at]))) for row, at in pairs}


def _code_score(label: str, texts: Iterable[str]) -> float:
    """2 for an equal text, so that no sum of lesser ones outweighs it for long; else the likeness."""
    return max(2.0 if plain(label) == plain(text) else likeness(label, text) for text in texts)
