"""Guesses a codebook and a crosswalk from a file for which nothing is declared yet.

The guess rests on a column's name, its label, its codes and their labels, and on its neighbours:
columns side by side with the same codes, whose names or labels begin alike, are items of one question.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise, takewhile

from pipeline.catalogue.check.codebook import MICRODATA_COLUMNS, RESERVED
from pipeline.catalogue.questionnaire import (
    IGNORE,
    NO_ANSWER,
    NOT_SELECTED,
    SELECTED,
    Question,
    QuestionType,
    Variable,
)
from pipeline.catalogue.wordings import NO, NO_ANSWER_LABEL, SEPARATOR, TICKED, YES
from pipeline.drafting.columns import MISSING_NOTE, SourceColumn
from pipeline.drafting.design import DesignGuess, guess_design
from pipeline.drafting.folder import slug
from pipeline.drafting.match import DraftRow

GUESS_NOTE = "guess"
MAX_SCALE_POINTS = 7  # numbers without labels: no more different ones are codes of a scale
BACKGROUND = re.compile(
    r"\b(?:sex|gender|age(?:[ _]?(?:group|band|class|cat)\w*)?|region|county|municipality|district|country"
    r"|province|urban\w*|sector|industry|branch|department|division|occupation|position"
    r"|education(?:al)?[ _]level|highest[ _]education|size(?:[ _](?:class|group|band)\w*)?"
    r"|employment[ _]status|marital[ _]status|kj[oø]nn|k[oø]n|alder\w*|fylke|kommune|n[aæ]ring|sektor"
    r"|avdeling|utdanning|uddannelse|utbildning"
    r"|[aå]lder\w*|bransch|sukupuoli|ik[aä]ryhm[aä]|alue|toimiala)\b",
    re.IGNORECASE,
)
# columns of the microdata table, and words with a meaning in conditions and crosswalks
RESERVED_NAMES = re.compile(rf"{MICRODATA_COLUMNS.pattern}|total|all|na|{'|'.join(sorted(RESERVED))}")


@dataclass
class Guesses:
    """What a file seems to hold: how its units were drawn, what they were asked, where each code leads."""

    design: DesignGuess = field(default_factory=DesignGuess)
    variables: dict[str, Variable] = field(default_factory=dict)
    questions: dict[str, Question] = field(default_factory=dict)
    rows: list[DraftRow] = field(default_factory=list)
    unworded: set[str] = field(default_factory=set)  # questions whose file has no text for them
    unordered: set[str] = field(default_factory=set)  # questions whose answers have no order in the file

    def name(self, text: str, end: str = "answer") -> str:
        """A free name for a variable or question; ``end`` is added to one that means something else."""
        key = slug(text, "_") or f"question_{len(self.questions) + len(self.variables) + 1}"
        key = f"q{key}" if key[0].isdigit() else key
        return _free(
            f"{key}_{end}" if RESERVED_NAMES.fullmatch(key) else key, {*self.variables, *self.questions}
        )


def guess(columns: Sequence[SourceColumn]) -> Guesses:
    """Guess what every column of a file is; each has its rows in the crosswalk, in the file's order."""
    found = Guesses(guess_design(columns))
    ignored, battery = found.design.ignored, _battery(columns)
    for run in _item_runs(columns, {*ignored, *found.design.strata}):
        column = run[0]
        if column.name in ignored:
            found.rows.append((column.name, "*", "", IGNORE, f"{GUESS_NOTE}: {ignored[column.name]}"))
        elif len(run) > 1:
            _add_items(run, found)
        elif (reason := _why_ignored(column)) is not None:
            found.rows.append((column.name, "*", "", IGNORE, f"{GUESS_NOTE}: {reason}"))
        elif _is_number(column):
            _add_number(column, found)
        else:
            _add_single_choice(column, found, column.name in battery)
    return found


def _battery(columns: Sequence[SourceColumn]) -> set[str]:
    """The columns that have a neighbour with the very same answers: they ask, whatever else they mention."""
    return {
        each.name
        for a, b in pairwise(columns)
        if len(a.labels) > 2 and a.labels == b.labels
        for each in (a, b)
    }


def _why_ignored(column: SourceColumn) -> str | None:
    """Why a column answers no question that could be counted, or None."""
    if column.codes is None:
        return None if column.numeric else "texts, or too many codes to be an answer"
    used = [code for code in column.codes if not column.is_missing(code)]
    if not used:
        return "always blank"
    return "the same on every row" if len(used) == 1 and not column.labels and not column.blank else None


def _is_number(column: SourceColumn) -> bool:
    """Numbers, not codes: too many of them, or none with a label but what stands for no answer."""
    if column.codes is None:
        return column.numeric
    plain = [code for code in column.codes if code not in column.labels and code not in column.missing]
    labelled = [code for code in column.labels if not column.is_missing(code)]
    whole = all(re.fullmatch(r"-?\d+", code) for code in plain)
    return column.numeric and not labelled and (len(plain) > MAX_SCALE_POINTS or not whole)


# ── one column ───────────────────────────────────────────────────────────────


def _add_number(column: SourceColumn, found: Guesses) -> None:
    key = found.name(column.name)
    _add_question(found, Question(key, "numeric", column.label or column.name), bool(column.label))
    found.rows.append((column.name, "*", key, "=", f"{GUESS_NOTE}: a number"))
    for code in column.labels:
        if column.is_missing(code) and code not in column.missing:
            found.rows.append((column.name, code, key, NO_ANSWER, _guess_note(column, code)))
    found.rows += _missing_rows(column, key, ())


def _add_single_choice(column: SourceColumn, found: Guesses, in_battery: bool) -> None:
    """A background variable, where it is called like one; else a question with one answer."""
    names = (column.name, *(() if in_battery else _short_label(column.label)))
    is_background = column.name in found.design.strata or any(
        BACKGROUND.search(text.replace("_", " ")) for text in names
    )
    key = found.name(column.name, "group" if is_background else "answer")
    is_box = column.blank and list(column.codes or {}) == ["1"] and not column.labels
    texts = {"1": "Yes"} if is_box else _texts(column)
    codes = _codes(texts)
    missing = {code for code in texts if column.is_missing(code)}
    if is_background:
        kept = {codes[code]: text for code, text in texts.items() if code not in missing}
        found.variables[key] = Variable(key, column.label or column.name, kept)
    else:
        listed = {codes[code]: text for code, text in texts.items()} | ({"no": "No"} if is_box else {})
        absent = tuple(codes[code] for code in texts if code in missing)
        question = Question(key, "single", column.label or column.name, codes=listed, nonresponse=absent)
        _add_question(found, question, bool(column.label))
        if len(listed) > 2 and not column.labels and not column.numeric:
            found.unordered.add(key)
    for code in texts:
        target = NO_ANSWER if is_background and code in missing else codes[code]
        found.rows.append((column.name, code, key, target, _guess_note(column, code)))
    found.rows += _missing_rows(column, key, texts)
    if is_box and not is_background:
        found.rows.append((column.name, "", key, "no", f"{GUESS_NOTE}: a box left blank"))


def _short_label(label: str) -> tuple[str, ...]:
    """A label that could name a trait of the unit: a few words, and not a sentence."""
    return (label,) if len(label.split()) <= 5 else ()


def _texts(column: SourceColumn) -> dict[str, str]:
    """The codes with their labels, but those of no answer that have none."""
    return {
        code: label or code
        for code, label in (column.codes or {}).items()
        if label or code not in column.missing
    }


def _missing_rows(column: SourceColumn, variable: str, listed: Container[str]) -> Iterator[DraftRow]:
    """The codes that the file declares missing and that are not listed, as no answer."""
    return (
        (column.name, code, variable, NO_ANSWER, column.missing_note(code))
        for code in column.missing
        if code not in listed
    )


def _codes(texts: Mapping[str, str]) -> dict[str, str]:
    """A harmonised code for each source code: its label in plain letters."""
    codes: dict[str, str] = {}
    for source, text in texts.items():
        negative = "minus_" if re.fullmatch(r"-\d.*", text) else ""
        code = negative + slug(text, "_") if slug(text, "_") else f"code_{len(codes) + 1}"
        code = f"{code}_answer" if code in RESERVED | {"na"} else code
        codes[source] = _free(code, set(codes.values()))
    return codes


def _free(name: str, taken: set[str]) -> str:
    numbered = (name if number == 1 else f"{name}_{number}" for number in range(1, len(taken) + 2))
    return next(candidate for candidate in numbered if candidate not in taken)


def _guess_note(column: SourceColumn, code: str) -> str:
    label = column.labels.get(code, "")
    label_text = " = ".join(text for text in (column.label, label) if text)
    declared = f", {MISSING_NOTE}" if code in column.missing else ""
    return f"{GUESS_NOTE}: {label_text or 'the file has no label'}{declared}{column.twin_note(code)}"


def _add_question(found: Guesses, question: Question, worded: bool) -> None:
    found.questions[question.key] = question
    if not worded:
        found.unworded.add(question.key)


# ── columns that are items of one question ───────────────────────────────────


def _item_runs(columns: Sequence[SourceColumn], design_columns: set[str]) -> Iterator[list[SourceColumn]]:
    """The columns in their order; those side by side that are items of one question together."""
    run: list[SourceColumn] = []
    for column in columns:
        if run and not (
            _same_question(run[-1], column)
            and _can_be_item(column, design_columns)
            and _can_be_item(run[-1], design_columns)
        ):
            yield run
            run = []
        run.append(column)
    if run:
        yield run


def _can_be_item(column: SourceColumn, design_columns: set[str]) -> bool:
    """Whether a column may be an item at all."""
    return (
        column.name not in design_columns
        and bool(column.codes)
        and not _is_number(column)
        and not column.unique
    )


def _same_question(a: SourceColumn, b: SourceColumn) -> bool:
    if _is_tick_box(a) != _is_tick_box(b):
        return False
    if not _is_tick_box(a):
        if a.labels != b.labels:
            return False
        first, second = set(a.codes or {}), set(b.codes or {})
        if 2 * len(first & second) < len(first | second):
            return False
    same_name = bool(_name_stem(a.name)) and _name_stem(a.name) == _name_stem(b.name)
    return same_name or bool(_question_text([a, b]))


def _name_stem(name: str) -> str:
    """What the names of items share: ``q3`` of q3_1, q3.b and q3c."""
    plain = re.match(r"(.+)[_.]\w+$", name) or re.match(r"(.*\d)[A-Za-z]$", name)
    return plain[1] if plain else ""


def _question_text(run: Sequence[SourceColumn]) -> str:
    """What the labels of items begin with, up to a mark between question and item."""
    common_signs = takewhile(
        lambda signs: len(set(signs)) == 1, zip(*(column.label for column in run), strict=False)
    )
    common = "".join(signs[0] for signs in common_signs)
    ends = [match.end() for match in SEPARATOR.finditer(common)]
    return common[: ends[-1]] if ends else ""


def _is_tick_box(column: SourceColumn) -> bool:
    """A box to tick: 1 and blank, 0 and 1, or two codes of which one is labelled as ticked."""
    codes = _box_codes(column)
    if len(codes) == 1:
        return column.blank or bool(column.labels)
    if codes == ["0", "1"]:
        label_text = column.labels.get("1", "")
        return not NO.fullmatch(label_text)
    return len(codes) == 2 and any(TICKED.fullmatch(column.labels.get(code, "")) for code in codes)


def _box_codes(column: SourceColumn) -> list[str]:
    """The codes of a box, but those of no answer; programs declare 0 missing to count ticked boxes only."""
    return [code for code in column.codes or {} if code == "0" or code not in column.missing]


def _add_items(run: Sequence[SourceColumn], found: Guesses) -> None:
    """Boxes make a multiple question, other columns a grid."""
    key = found.name(_name_stem(run[0].name) or run[0].name)
    text = _question_text(run)
    items: dict[str, str] = {}
    targets: list[str] = []
    for column in run:
        label = column.label.removeprefix(text).strip()
        label_text = label or _only_label(column) or column.name
        item = _codes({"": label_text})[""]
        targets.append(_free(item, set(items)))
        items[targets[-1]] = label_text
    plain = text.rstrip(" -\u2013\u2014:")
    kind: QuestionType = "multiple" if _is_tick_box(run[0]) else "grid"
    texts = {} if kind == "multiple" else _all_texts(run)
    codes = _codes(texts)
    missing = {code for column in run for code in column.missing}
    absent = [
        code
        for code, label_text in (items if kind == "multiple" else texts).items()
        if NO_ANSWER_LABEL.fullmatch(label_text) or (kind == "grid" and code in missing)
    ]
    question = Question(
        key, kind, plain or key, items, {codes[code]: label_text for code, label_text in texts.items()},
        tuple(absent if kind == "multiple" else (codes[code] for code in absent)),
    )  # fmt: skip
    _add_question(found, question, bool(plain))
    for column, item in zip(run, targets, strict=True):
        variable = f"{key}.{item}"
        if kind == "multiple":
            found.rows += _tick_rows(column, variable)
        else:
            found.rows += (
                (column.name, code, variable, codes[code], _guess_note(column, code))
                for code in _texts(column)
            )
            found.rows += _missing_rows(column, variable, codes)


def _only_label(column: SourceColumn) -> str:
    """The label of a box's one code, where it says what is ticked."""
    labels = [label for code, label in column.labels.items() if code != "0"]
    says = len(labels) == 1 and not TICKED.fullmatch(labels[0]) and not YES.fullmatch(labels[0])
    return labels[0] if says else ""


def _all_texts(run: Iterable[SourceColumn]) -> dict[str, str]:
    return {code: text for column in run for code, text in _texts(column).items()}


def _tick_rows(column: SourceColumn, variable: str) -> Iterator[DraftRow]:
    codes = _box_codes(column)
    labelled = [code for code in codes if TICKED.fullmatch(column.labels.get(code, ""))]
    ticked = labelled[0] if labelled and len(codes) > 1 else codes[-1]
    for code in codes:
        yield (
            column.name,
            code,
            variable,
            SELECTED if code == ticked else NOT_SELECTED,
            _guess_note(column, code),
        )
    yield from _missing_rows(column, variable, codes)
    if column.blank and len(codes) == 1:
        yield column.name, "", variable, NOT_SELECTED, f"{GUESS_NOTE}: a box left blank"
