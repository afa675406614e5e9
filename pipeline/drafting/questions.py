"""Guesses a codebook and a crosswalk from a file for which nothing is declared yet.

The guess rests on a column's name, its label, its codes and their labels, on the multiple-response sets of
the file, and on its neighbours: columns side by side with the same codes, whose names or labels begin alike,
are items of one question.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
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
from pipeline.drafting.columns import MAX_SCALE_POINTS, MISSING_NOTE, SourceColumn, code_order
from pipeline.drafting.design import DesignGuess, is_called_id
from pipeline.drafting.folder import slug
from pipeline.drafting.match import DraftRow

GUESS_NOTE = "guess"
BRACKETED = re.compile(r"(.+?)\s*\[([^\[\]]+)\]")  # question and item, as forms write them
BACKGROUND = re.compile(
    r"\b(?:sex|gender|age(?:[ _]?(?:group|band|class|cat)\w*)?|region|county|municipality|district|country"
    r"|province|urban\w*|sector|industry|branch|department|division|occupation|position"
    r"|nace|isic|naics|legal[ _]form"
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
    told: set[str] = field(default_factory=set)  # whose file has codes for not ticked and for no answer
    unordered: set[str] = field(default_factory=set)  # questions whose answers have no order in the file

    def name(self, text: str, end: str = "answer") -> str:
        """A free name for a variable or question; ``end`` is added to one that means something else."""
        key = slug(text, "_") or f"question_{len(self.questions) + len(self.variables) + 1}"
        key = f"q{key}" if key[0].isdigit() else key
        return _free(
            f"{key}_{end}" if RESERVED_NAMES.fullmatch(key) else key, {*self.variables, *self.questions}
        )


def guess(columns: Sequence[SourceColumn], design: DesignGuess) -> Guesses:
    """Guess what every column of a file is; each has its rows in the crosswalk, in the file's order, but
    replicate weights.
    """
    found = Guesses(design)
    ignored, battery = found.design.ignored, _battery(columns)
    for run in _runs(columns, {*ignored, *found.design.strata}):
        column = run[0]
        if column.name in found.design.replicate_columns:
            continue
        if column.mark or (len(run) > 1 and column.set and not column.counted):
            _add_mentions(run, found)
        elif column.name in ignored:
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
        if not column.numeric:
            return column.kind
        return "identifies something" if is_called_id(column) else None
    used = [code for code in column.codes if not column.is_missing(code)]
    if not used:
        return "always blank"
    answers = {code for code in column.labels if not column.is_missing(code)}
    constant = len(used) == 1 and answers <= {*used} and not column.blank
    return "the same on every row" if constant else None


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
    found.rows += (
        (*row[:3], NO_ANSWER, row[4]) if is_background else row for row in _missing_rows(column, key, texts)
    )
    if is_box and not is_background:
        found.rows.append((column.name, "", key, "no", f"{GUESS_NOTE}: a box left blank"))


def _short_label(label: str) -> tuple[str, ...]:
    """A label that could name a trait of the unit: a few words, and not a sentence."""
    return (label,) if len(label.split()) <= 6 else ()


def _texts(column: SourceColumn) -> dict[str, str]:
    """The codes with their labels, but those of no answer and of nobody asked."""
    return {code: label or code for code, label in (column.codes or {}).items() if not column.state(code)}


def _missing_rows(column: SourceColumn, variable: str, listed: Container[str]) -> Iterator[DraftRow]:
    """The codes that are no answer, by their label or the file's word, and not listed."""
    for code in dict.fromkeys([*(column.codes or {}), *column.labels, *column.missing]):
        if column.is_missing(code) and code not in listed:
            note = column.missing_note(code) if code in column.missing else _guess_note(column, code)
            yield column.name, code, variable, column.state(code) or NO_ANSWER, note


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
    """The columns in their order; those side by side that are items of one question together.

    What was written beside an answer stands between its items and breaks no run.
    """
    run: list[SourceColumn] = []
    beside: list[SourceColumn] = []
    for column in columns:
        if run and column.text and column.name.startswith(run[-1].name):
            beside.append(column)
            continue
        if run and not (
            _same_question(run, column)
            and _can_be_item(column, design_columns)
            and _can_be_item(run[-1], design_columns)
        ):
            yield from _closed(run, beside)
            run, beside = [], []
        run.append(column)
    if run:
        yield from _closed(run, beside)


def _closed(run: list[SourceColumn], beside: Sequence[SourceColumn]) -> Iterator[list[SourceColumn]]:
    """A run, unless nobody ever ticked any of its boxes, and each text beside it."""
    if any(column.codes for column in run):
        yield run
    else:
        yield from ([column] for column in run)
    yield from ([column] for column in beside)


def _can_be_item(column: SourceColumn, design_columns: set[str]) -> bool:
    """Whether a column may be an item at all."""
    return (
        column.name not in design_columns
        and column.codes is not None
        and not column.mark
        and not _is_number(column)
        and not column.unique
    )


def _same_question(run: Sequence[SourceColumn], b: SourceColumn) -> bool:
    """Whether a column is a further item of a run: by its last one with codes."""
    a = next((column for column in reversed(run) if column.codes), run[-1])
    if _is_tick_box(a) != _is_tick_box(b) and a.codes and b.codes:
        return False
    if not (a.codes and b.codes):  # a box that nobody ticked
        if not all(_is_tick_box(each) for each in (a, b) if each.codes):
            return False
    elif not _is_tick_box(a):
        if a.labels != b.labels:
            return False
        first, second = set(a.codes or {}), set(b.codes or {})
        if 2 * len(first & second) < len(first | second):
            return False
    same_name = bool(_name_stem(a.name)) and _name_stem(a.name) == _name_stem(b.name)
    return same_name or _next_letter(run[-1].name, b.name) or bool(_question_text([a, b]))


def _next_letter(name: str, following: str) -> bool:
    """Whether a name is another one with the next letter at its end: AGRB after AGRA."""
    letters = name[-1:] + following[-1:]
    return (
        len(name) > 1
        and name[:-1] == following[:-1]
        and letters.isalpha()
        and ord(letters[1]) == ord(letters[0]) + 1
    )


def _runs(columns: Sequence[SourceColumn], design_columns: set[str]) -> Iterator[list[SourceColumn]]:
    """The columns in their order; those that the file declares a set together, wherever they stand, and
    others side by side that are items of one question.
    """
    by_name = {column.name: column for column in columns}
    neighbours: list[SourceColumn] = []
    for column in columns:
        members = [by_name[name] for name in column.set.columns] if column.set else []
        if not members or not _is_set(members, design_columns):
            neighbours.append(replace(column, set=None, set_name=""))
        elif column is members[0]:
            yield from _item_runs(neighbours, design_columns)
            neighbours = []
            yield members
    yield from _item_runs(neighbours, design_columns)


def _is_set(members: Sequence[SourceColumn], design_columns: set[str]) -> bool:
    """Whether a set holds answers in codes: mentions, or boxes but no scale with one point counted."""
    return all(
        column.codes is not None and column.name not in design_columns and len(_uncounted(column)) <= 1
        for column in members
    )


def _uncounted(column: SourceColumn) -> list[str]:
    """The answers of a box besides the counted one; none where no code is counted."""
    codes = column.box_codes if column.counted else []
    return [code for code in codes if code != column.counted and not column.is_missing(code)]


def _name_stem(name: str) -> str:
    """What the names of items share: ``q3`` of q3_1, q3.b, q3c and q3[d]."""
    plain = BRACKETED.fullmatch(name) or re.match(r"(.+)[_.]\w+$", name) or re.match(r"(.*\d)[A-Za-z]$", name)
    return plain[1] if plain else ""


def _question_text(run: Sequence[SourceColumn]) -> str:
    """What the labels of items begin with, up to a mark between question and item."""
    common = _common([column.label for column in run])
    ends = [match.end() for match in SEPARATOR.finditer(common)]
    return common[: ends[-1]] if ends else ""


def _common(texts: Iterable[str]) -> str:
    """What texts begin with, all of them."""
    same = takewhile(lambda signs: len(set(signs)) == 1, zip(*texts, strict=False))
    return "".join(signs[0] for signs in same)


def _is_tick_box(column: SourceColumn) -> bool:
    """A box to tick: so declared, 1 and blank, 0 and 1, or two codes of which one is labelled as ticked."""
    codes = column.box_codes
    if column.counted:
        return True
    if len(codes) == 1:
        return column.blank or bool(column.labels)
    if codes == ["0", "1"]:
        label_text = column.labels.get("1", "")
        return not NO.fullmatch(label_text)
    return len(codes) == 2 and any(TICKED.fullmatch(column.labels.get(code) or code) for code in codes)


def _add_items(run: Sequence[SourceColumn], found: Guesses) -> None:
    """Boxes make a multiple question, other columns a grid."""
    key = found.name(_key_text(run))
    text, plain = _question_text(run), _asked(run)
    items: dict[str, str] = {}
    targets: list[str] = []
    repeated = len({column.label for column in run}) == 1
    for column in run:
        bracketed = BRACKETED.fullmatch(column.label)
        label = bracketed[2] if bracketed else column.label.removeprefix(text).strip()
        label_text = ("" if repeated else label) or _only_label(column) or column.name
        item = _codes({"": label_text})[""]
        targets.append(_free(item, set(items)))
        items[targets[-1]] = label_text
    if all(len(c.box_codes) > 1 for c in run) and any(NO_ANSWER in map(c.state, c.codes or ()) for c in run):
        found.told.add(key)
    kind: QuestionType = "multiple" if any(map(_is_tick_box, run)) else "grid"
    texts = {} if kind == "multiple" else _all_texts(run)
    codes = _codes(texts)
    missing = {code for column in run for code in texts if column.is_missing(code)}
    absent = [
        code
        for code, label_text in (items if kind == "multiple" else texts).items()
        if NO_ANSWER_LABEL.fullmatch(label_text) or code in missing
    ]
    question = Question(
        key, kind, plain or key, items, {codes[code]: label_text for code, label_text in texts.items()},
        tuple(absent if kind == "multiple" else (codes[code] for code in absent)),
    )  # fmt: skip
    _add_question(found, question, bool(plain))
    if len(texts) > 2 and not any(column.labels or column.numeric for column in run):
        found.unordered.add(key)
    for column, item in zip(run, targets, strict=True):
        variable = f"{key}.{item}"
        if kind == "multiple":
            found.rows += _tick_rows(column, variable, _unused_code(run, items[item]))
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


def _key_text(run: Sequence[SourceColumn]) -> str:
    """What a question of several columns is called: as their set, else as their names begin."""
    stem = _name_stem(run[0].name) if len(run) > 1 else ""
    return run[0].set_name or stem or _common(column.name for column in run) or run[0].name


def _asked(run: Sequence[SourceColumn]) -> str:
    """The text of a question of several columns: their set's label, else what their labels begin with."""
    of_set = run[0].set.label if run[0].set else ""
    bracketed = {found[1] for column in run if (found := BRACKETED.fullmatch(column.label))}
    if len(bracketed) == 1 < len(run) and not of_set:
        return bracketed.pop()
    same = run[0].label if len({column.label for column in run}) == 1 else ""
    return of_set or same or _question_text(run).rstrip(" -\u2013\u2014:")


def _unused_code(run: Sequence[SourceColumn], label: str) -> str:
    """The code of a box that nobody ticked: its own label, or what all boxes have, or ""."""
    ticked = {column.name: column.box_codes for column in run if column.codes}
    if all(column.label.endswith(code) for column in run for code in ticked.get(column.name, ())):
        return label
    codes = {code for own in ticked.values() for code in own}
    return next(iter(codes)) if len(codes) == 1 else ""


def _tick_rows(column: SourceColumn, variable: str, unused: str) -> Iterator[DraftRow]:
    """The rows of a box; ``unused`` is the code of one that nobody ticked."""
    codes = column.box_codes or list(filter(None, [unused]))
    ticked = column.ticked or unused
    for code in codes:
        target = NO_ANSWER if column.is_missing(code) and code != "0" else NOT_SELECTED
        yield column.name, code, variable, SELECTED if code == ticked else target, _guess_note(column, code)
    yield from _missing_rows(column, variable, codes)
    if column.blank and len(codes) <= 1:
        yield column.name, "", variable, NOT_SELECTED, f"{GUESS_NOTE}: a box left blank"


# ── a code of several: first and second mention, or several choices in one cell ──


def _add_mentions(run: Sequence[SourceColumn], found: Guesses) -> None:
    """A multiple question whose items are the codes: ticked where any of the columns holds the code, among
    others in a cell of several choices.
    """
    note = f"{GUESS_NOTE}: one of several choices in a cell"
    note = note if run[0].mark else f"{GUESS_NOTE}: one of {len(run)} mentions"
    texts = dict(sorted(_all_texts(run).items(), key=lambda each: code_order(each[0])))
    missing = {code for column in run for code in column.absent}
    items = _codes({code: text for code, text in texts.items() if code not in missing})
    absent = tuple(item for code, item in items.items() if any(column.is_missing(code) for column in run))
    key = found.name(_key_text(run))
    question = Question(
        key, "multiple", _asked(run) or key, {items[code]: texts[code] for code in items}, nonresponse=absent
    )
    _add_question(found, question, bool(_asked(run)))
    for place, column in enumerate(run):
        for code in _texts(column):
            if code in items:
                said = f"{note}: {texts[code]}"
                found.rows.append((column.name, code, f"{key}.{items[code]}", SELECTED, said))
        for code in column.absent:
            found.rows.append((column.name, code, "", IGNORE, _guess_note(column, code)))
        if column.rest:
            found.rows.append((column.name, "*", "", IGNORE, f"{GUESS_NOTE}: what respondents wrote"))
        for item in items.values() if place == 0 or missing else ():
            said = f"{note}: not this one"
            found.rows.append((column.name, "", f"{key}.{item}", NOT_SELECTED, said))
