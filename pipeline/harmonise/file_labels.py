"""The labels that a raw file gives its columns and codes, held against what the crosswalk makes of them.

A label that is another code's or variable's text contradicts its line of the crosswalk: a problem. A label
that merely resembles nothing is a doubt, for somebody to look at. What is alike: ``catalogue.wordings``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pandas as pd

from pipeline.catalogue.fieldwork import Wave
from pipeline.catalogue.model import Catalogue
from pipeline.catalogue.questionnaire import ABSENT, IGNORE, SELECTED, CrosswalkRow, item_key, question_key
from pipeline.catalogue.wordings import (
    NO,
    SEPARATOR,
    TICKED,
    UNLIKE,
    UNTICKED,
    YES,
    Target,
    likeness,
    plain,
    says_no_answer,
    targets,
)
from pipeline.harmonise.crosswalk import COPY_NUMBER, MappedText, mapped_texts
from pipeline.problems import Problem
from pipeline.sources import FileMetadata, shown

SAME = 2.0  # the fit of a text that is the very same
CLEAR, MARGIN = 0.5, 0.4  # so alike is another text, and by so much more, that a label fits it clearly better
CODE_IN_LABEL = re.compile(r"(?<![\w.])(-?\d+)\s*[=:]\s*([^\d\s,;/|()\[\]][^,;/|()\[\]]*)")
LONGEST = 100  # characters of a column's label that a message shows
HINT = 'Correct the line, or begin its note with "confirmed" if the label is to be read so.'


@dataclass
class LabelFaults:
    """What contradicts the file's labels, and what may: sentences, and how many labels were compared."""

    problems: list[Problem] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)
    compared: int = 0

    def report(self) -> dict[str, Any]:
        """The doubts, for the wave's report."""
        return {"compared": self.compared, "doubts": self.doubts}


def codes_in_labels(metadata: FileMetadata, crosswalk: Iterable[CrosswalkRow]) -> FileMetadata:
    """The metadata, with the labels of codes that stand in a column's own label: ``... (1 = no, 2 = yes)``.

    A column that has labels of codes keeps those; numbers are codes where the crosswalk has two of them.
    """
    listed: dict[str, set[str]] = {}
    for row in crosswalk:
        listed.setdefault(row.source_variable, set()).add(row.source_code)
    found = {}
    for column, label in metadata.labels.items():
        said = {code: text.strip() for code, text in CODE_IN_LABEL.findall(label)}
        if column not in metadata.value_labels and len(said.keys() & listed.get(column, set())) > 1:
            found[column] = said
    return replace(metadata, value_labels={**metadata.value_labels, **found})


def label_faults(raw: pd.DataFrame, wave: Wave, catalogue: Catalogue, metadata: FileMetadata) -> LabelFaults:
    """Every label of the file's that says another thing than its line of the crosswalk.

    Lines whose note begins with ``confirmed`` are left alone.
    """
    faults = LabelFaults()
    if not (metadata.labels or metadata.value_labels):
        return faults
    known = {target.variable: target for target in targets(catalogue, catalogue.instruments[wave.instrument])}
    file = f"schemas/instruments/{wave.instrument}.csv"
    mapped = list(mapped_texts(raw, wave, catalogue, metadata.value_labels))
    of_codes = list(_code_verdicts(catalogue, metadata, mapped, known))
    vouched = {verdict.row.source_variable for verdict in of_codes if verdict.fits}
    of_columns = _column_verdicts(wave, catalogue, metadata, mapped, known)
    for verdict in (*of_columns, *of_codes):
        faults.compared += 1
        if verdict.fits or verdict.row.confirmed:
            continue
        label = "" if verdict.label is None else f" {verdict.label!r}"
        if verdict.other:
            message = (
                f"maps to {verdict.target} what {wave.source.file} labels{label}: that is {verdict.other}"
            )
            faults.problems.append(
                Problem(file, f"line {verdict.row.line}", message, HINT, verdict.source, wave.key)
            )
        elif verdict in of_codes or verdict.row.source_variable not in vouched:
            faults.doubts.append(f"{verdict.source}, labelled{label or ' otherwise'}, as {verdict.target}")
    faults.doubts += _duplicates(metadata, mapped)
    return faults


@dataclass(frozen=True)
class _Verdict:
    """Of one label: whether it fits its target, else which one it names, "" for none."""

    row: CrosswalkRow
    source: str  # the column, or the column and code
    label: str | None  # None where it may be a respondent's own words
    target: str
    fits: bool
    other: str = ""


# ── labels of codes ──────────────────────────────────────────────────────────


def _code_verdicts(
    catalogue: Catalogue, metadata: FileMetadata, mapped: Iterable[MappedText], known: Mapping[str, Target]
) -> Iterator[_Verdict]:
    by_column: dict[tuple[str, str], list[tuple[MappedText, str]]] = {}
    for each in mapped:
        label = metadata.value_labels[each.row.source_variable].get(each.text, "")
        if plain(label) not in ("", plain(each.text)) and each.row.code not in (IGNORE, COPY_NUMBER):
            by_column.setdefault((each.row.source_variable, each.variable), []).append((each, label))
    for (column, variable), codes in by_column.items():
        target = known[variable]
        for each, label in codes:
            judge = _of_box if target.type == "multiple" else _of_code
            verdict = judge(each, label, target, codes)
            if verdict is None:
                continue
            fits, other = verdict
            source, own = f"{column} = {each.text}", f"{variable} {each.row.code}"
            yield _Verdict(each.row, source, shown(label, each.rows), own, fits, other)


def _of_code(
    each: MappedText, label: str, target: Target, codes: Sequence[tuple[MappedText, str]]
) -> tuple[bool, str] | None:
    """Whether a label fits the code that its own is mapped to, and the code that it is clearly of instead."""
    texts, own = _without_code(label, each.text), each.row.code
    if _is_one_of(texts, target.codes.get(own, ())):
        return True, ""
    exact = next((code for code, words in target.codes.items() if _is_one_of(texts, words)), "")
    absent = own in (*ABSENT, *target.nonresponse)
    if exact and not (own in ABSENT and exact in target.nonresponse):
        return False, f"the text of {exact}"
    if own in ABSENT or (absent and any(map(says_no_answer, texts))):
        return True, ""
    if any(pattern.fullmatch(label) for pattern in (TICKED, UNTICKED)):
        return None
    fit = _best(texts, target.codes[own])
    others = {code: _best(texts, words) for code, words in target.codes.items() if code != own}
    best = max(others, key=lambda code: others[code], default="")
    if best and others[best] >= max(CLEAR, fit + MARGIN):
        served = [
            _best(_without_code(text, one.text), target.codes[best])
            for one, text in codes
            if one.row.code == best
        ]
        if max(served, default=0.0) < others[best]:
            return False, f"rather {best}"
    finer = target.type == "background" and any(  # a coarser code is made of several
        one.row.code == own and plain(text) != plain(label) for one, text in codes
    )
    return finer or fit > UNLIKE, ""


def _of_box(
    each: MappedText, label: str, target: Target, codes: Sequence[tuple[MappedText, str]]
) -> tuple[bool, str] | None:
    """Whether a label fits a box that is ticked or not; the item's own text is a column's label."""
    ticked = any(pattern.fullmatch(label) for pattern in (YES, TICKED))
    unticked = any(pattern.fullmatch(label) for pattern in (NO, UNTICKED))
    if each.row.code in ABSENT or not (ticked or unticked):
        return None
    fits = ticked == (each.row.code == SELECTED)
    return fits, "" if fits else f"a box {'ticked' if ticked else 'not ticked'}"


def _without_code(label: str, code: str) -> list[str]:
    """A label, and what follows the code in it: ``1 - Yes``, ``(1) Yes``."""
    words, number = plain(label), plain(code)
    rest = words.removeprefix(f"{number} ")
    return [words] if rest == words or not re.search(r"[^\W\d]", rest) else [words, rest]


def _duplicates(metadata: FileMetadata, mapped: Iterable[MappedText]) -> Iterator[str]:
    """Codes of a column that carry one label and are answers both."""
    first: dict[tuple[str, str, str], MappedText] = {}
    for each in mapped:
        label = plain(metadata.value_labels[each.row.source_variable].get(each.text, ""))
        if not label or each.row.code in (IGNORE, *ABSENT):
            continue
        before = first.setdefault((each.row.source_variable, each.variable, label), each)
        if before is not each and not (each.confirmed or before.confirmed):
            yield (
                f"{each.row.source_variable} = {each.text} has the same label as {before.text}, "
                f"mapped to {each.variable} {each.row.code} and {before.row.code}"
            )


# ── labels of columns ────────────────────────────────────────────────────────


def _column_verdicts(
    wave: Wave,
    catalogue: Catalogue,
    metadata: FileMetadata,
    mapped: Iterable[MappedText],
    known: Mapping[str, Target],
) -> Iterator[_Verdict]:
    labels = _column_labels(wave, catalogue, metadata, mapped)
    by_question: dict[str, list[list[str]]] = {}
    for (_, variable), (_, texts) in labels.items():
        by_question.setdefault(question_key(variable), []).append(plain(texts[0]).split())
    stems = {question: _common(words) for question, words in by_question.items()}
    fed: dict[str, list[str]] = {}
    for column, variable in labels:
        fed.setdefault(column, []).append(variable)

    def fit(column: str, variable: str, name: str) -> float:
        """How well the labels of a column that fills ``variable`` fit ``name``; 2 where they are its text."""
        labelled, question = labels[column, variable][1], question_key(variable)
        texts = [each for text in labelled for each in _without_code(text, column)]
        inside = bool(item_key(variable)) and question_key(name) == question
        parts = _parts(labelled, stems[question]) if inside else []
        return _fit(texts, parts, known[name], name in fed[column])

    for (column, variable), (row, texts) in labels.items():
        own = max(fit(column, variable, name) for name in fed[column])
        scores: dict[str, float] = {}
        best, better = "", False
        if own < SAME:
            scores = {name: fit(column, variable, name) for name in known}
            best = max(scores, key=lambda name: scores[name])
            clearly = scores[best] >= max(CLEAR, own + MARGIN)
            rivals = (fit(*key, best) for key in labels if clearly and key[1] == best and key[0] != column)
            better = scores[best] == SAME or (clearly and max(rivals, default=0.0) < scores[best])
            if known[variable].type == "background" == known[best].type:  # a coarser one may be made of it
                better &= any(fills == best for _, fills in labels)
        absent = item_key(variable) in known[variable].nonresponse
        alike = own > UNLIKE or (absent and any(map(says_no_answer, texts)))
        other = f"{'the text of' if scores[best] == SAME else 'rather'} {best}" if better else ""
        yield _Verdict(row, column, _short(texts[0], wave), variable, alike and not better, other)


def _column_labels(
    wave: Wave, catalogue: Catalogue, metadata: FileMetadata, mapped: Iterable[MappedText]
) -> dict[tuple[str, str], tuple[CrosswalkRow, list[str]]]:
    """Of each source column and variable that it fills: a line of the crosswalk, and what the file calls it.

    That is the column's label, and the label of a ticked box. A confirmed line comes first.
    """
    found: dict[tuple[str, str], tuple[CrosswalkRow, list[str]]] = {}
    for row in catalogue.instruments[wave.instrument].crosswalk:
        label = metadata.labels.get(row.source_variable, "")
        if not (row.variable and plain(label)) or row.code in (IGNORE, *ABSENT):
            continue
        key = (row.source_variable, row.variable)
        if plain(label) != plain(row.source_variable) and (key not in found or row.confirmed):
            found[key] = (row, [label])
    for each in mapped:
        label = metadata.value_labels[each.row.source_variable].get(each.text, "")
        says = not any(pattern.fullmatch(label) for pattern in (YES, NO, TICKED, UNTICKED))
        if each.row.code == SELECTED and says and plain(label) not in ("", plain(each.text)):
            found.setdefault((each.row.source_variable, each.variable), (each.row, []))[1].append(label)
    return found


def _fit(texts: Sequence[str], parts: Sequence[str], target: Target, own: bool) -> float:
    """How well labels fit a variable, 2 where they are its text. Its key and short name count for its own."""
    whole = (*target.texts, *target.names, *target.items) if own else target.texts
    if _is_one_of(texts, whole) or _is_one_of(parts, target.items):
        return SAME
    return max(_best(texts, whole), _best(parts, target.items))


def _parts(labels: Sequence[str], stem: tuple[int, int]) -> list[str]:
    """What a label may say of the item alone: what follows a mark, or stands apart from its neighbours."""
    parts = []
    for label in labels:
        ends = [match.end() for match in SEPARATOR.finditer(label)]
        parts += [plain(label), *(plain(label[end:]) for end in ends)]
        words = plain(label).split()
        before, after = stem
        parts += [" ".join(words[start : len(words) - after]) for start in range(before + 1)]
    return [part for part in dict.fromkeys(parts) if part]


def _common(labels: Sequence[Sequence[str]]) -> tuple[int, int]:
    """How many words several labels begin and end with alike."""
    if len({tuple(words) for words in labels}) < 2:
        return 0, 0
    least = min(map(len, labels))
    before = next((at for at in range(least) if len({words[at] for words in labels}) > 1), least)
    after = next((at for at in range(least) if len({words[-1 - at] for words in labels}) > 1), least)
    return before, min(after, least - before)


def _short(label: str, wave: Wave) -> str | None:
    """A column's label as a message shows it.

    A row of labels that is declared one too low holds what the first respondent answered: as of answers then.
    """
    if wave.source.label_row and shown(label, 1) is None:
        return None
    text = "".join(sign if sign.isprintable() else " " for sign in label)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."


def _is_one_of(texts: Iterable[str], words: Iterable[str]) -> bool:
    return not {_spoken(text) for text in texts}.isdisjoint(_spoken(word) for word in words)


def _spoken(text: str) -> str:
    """The words of a text, and ``yes`` and ``no`` for what means just that, or says that a box is ticked."""
    words = plain(text)
    if YES.fullmatch(words) or TICKED.fullmatch(words):
        return "yes"
    return "no" if NO.fullmatch(words) or UNTICKED.fullmatch(words) else words


def _best(texts: Iterable[str], words: Sequence[str]) -> float:
    return max((likeness(text, word) for text in texts for word in words), default=0.0)
