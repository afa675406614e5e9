"""Guesses which columns say how units were drawn and weighted: identifier, weights, strata, sampling units.

The wave before of the survey is asked first: what it declares is proposed where the file still has the
columns. Then names, labels and values speak.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field

import pandas as pd

from pipeline.catalogue.fieldwork import ReplicateWeights, Source, Wave
from pipeline.drafting.columns import MAX_SCALE_POINTS, SourceColumn
from pipeline.drafting.folder import slug
from pipeline.drafting.replicates import WORD, how_made, replicate_columns, replicated

MAX_LABEL_WORDS = 8  # a longer label is a question
COMPOUND = (
    r"(?!over|kropp|foe?d)[a-z]{0,10}(?:vekt|vaegt|vikt|paino|gewicht)"  # design weight, not body weight
)
WEIGHT = re.compile(rf"(?:.*_)?(?:[a-z]{{0,5}}{WORD}|pwgtp|pw|{COMPOUND}|pond|peso|poids)(?:_.*|\d*)")
WEIGHT_LABEL = re.compile(
    r"\b(?:\w*weights?|weighting|vekt|v[aæ]gt|vikt|paino\w*|gewicht\w*|ponderaci[oó]n|ponderation)\b",
    re.IGNORECASE,
)
BODY = re.compile(r"\b(?:kg|kilos?|kilograms?|pounds|lbs?|body|birth)\b", re.IGNORECASE)  # no weight of units
STRATUM = re.compile(r"(?:.*_)?(?:strat(?:um|a|en)?|(?:var|jk|brr)_?zone)(?:_.*|\d*)")
STRATUM_LABEL = re.compile(
    r"\b(?:(?:sampling |design |variance )?strat(?:um|a)|(?:variance|jackknife) zone)\b", re.IGNORECASE
)
PSU = re.compile(r"(?:.*_)?(?:psu|clusters?|(?:var|jk|brr)_?unit|jk_?rep)(?:_.*|\d*)")
PSU_LABEL = re.compile(
    r"\b(?:psus?|primary sampling units?|sampling clusters?|variance units?)\b", re.IGNORECASE
)
UNIT = re.compile(
    r"(?:.*_)?(?:id|resp(?:ondent|onse)?(?:_?id)?|resp_?nr|caseid|serial|uuid|lopenr|lobenr)(?:_.*|\d*)"
)
# what Qualtrics writes about an answer, and its marks of those that are none
RECORD = re.compile(
    r"(?:Start|End|Recorded)Date|Status|IPAddress|Progress|Duration \(in seconds\)|Finished|ResponseId"
    r"|Recipient(?:LastName|FirstName|Email)|ExternalReference|Location(?:Latitude|Longitude)"
    r"|DistributionChannel|UserLanguage|Q_\w+"
)
RECORDS = {"ResponseId", "Finished"}  # tell such a file
NO_ANSWERS = {"Status": ("Survey Preview", "Survey Test", "Spam", "1", "2", "8"), "Finished": ("false", "0")}
MOMENT = re.compile(r"(?:date|time|stamp)(?:_|$)")
UNIT_LABEL = re.compile(r"\bID\b|\b[Ii]dentif(?:ier|ication)\b")
NUMBERED = re.compile(r"(?:.*_)?(?:no|nr|num|number|lnr)\d*")  # tells units apart together with another
GUESS = "guess"
ROW = "row"  # in place of an identifier: the row's number


@dataclass
class DesignGuess:
    """The design columns of a file. ``why`` has the reason of each, by its key of ``[design]``."""

    identifier: tuple[str, ...] = ()
    weight: str = ""
    psu: str = ""
    strata: tuple[str, ...] = ()
    probability: str = ""  # in place of a weight
    weights: dict[str, str] = field(default_factory=dict)  # further ones: the column of each name
    replicates: ReplicateWeights | None = None
    replicate_columns: tuple[str, ...] = ()
    other_weights: tuple[str, ...] = ()
    records: tuple[str, ...] = ()  # of a survey tool, about the answers
    no_answers: dict[str, tuple[str, ...]] = field(default_factory=dict)  # of its columns: tests, unfinished
    selecting: tuple[str, ...] = ()  # the same on every row of the wave
    numbered_strata: tuple[str, ...] = ()  # which are no background
    coded: frozenset[str] = frozenset()  # of several identifying columns: a background as well
    why: dict[str, str] = field(default_factory=dict)

    @property
    def delivered(self) -> str:
        """The column that the start weights come from."""
        return self.weight or self.probability

    @property
    def ignored(self) -> dict[str, str]:
        """The columns that answer nothing, with what they are. Strata may be a background as well."""
        found = dict.fromkeys((*self.other_weights, *self.weights.values()), "a weight")
        found |= dict.fromkeys(self.replicate_columns, "a replicate weight")
        found |= dict.fromkeys(self.numbered_strata, "the stratum")
        found |= dict.fromkeys(self.records, "the survey tool's own record")
        found |= dict.fromkeys(self.identifier, "identifies the unit")
        found |= dict.fromkeys(self.selecting, "tells which rows are the wave's") | {
            self.weight: "the weight",
            self.psu: "the sampling unit",
            self.probability: "the selection probability",
        }
        return {name: what for name, what in found.items() if name and name not in self.coded}


def guess_design(
    columns: Sequence[SourceColumn],
    frame: pd.DataFrame,
    source: Source,
    former: Wave | None = None,
    identifier: Sequence[str] = (),
) -> DesignGuess:
    """Guess the design columns: as in the wave before where the file has them, else by name, label, values.

    ``frame`` holds the cells of the columns, which ``source`` says how to read; ``identifier`` is what is
    known to tell units apart.
    """
    found = DesignGuess(selecting=tuple(name for name, values in source.rows.items() if len(values) == 1))
    design, names = former.design if former else None, {column.name for column in columns}
    if names >= RECORDS:
        _add_records(found, columns)
    as_before = f"as in {former.key}" if former else ""

    def choose(key: str, before: str, guessed: str, reason: str) -> str:
        chosen = before if before in names else guessed
        if chosen:
            found.why[key] = as_before if chosen == before else reason
        return chosen

    found.identifier = tuple(identifier)
    if not identifier:
        _add_identifier(found, columns, frame, former)
    if len(found.identifier) > 1:
        coded = {column.name for column in columns if column.codes is not None}
        found.coded = frozenset(coded & {*found.identifier} - {*found.selecting})
    left = [column for column in columns if column.name not in (*found.identifier, *found.records)]
    varied = {c.name for c in left if c.codes is None or not all(map(str.isdigit, c.codes))}  # no scale
    pattern, found.replicate_columns = replicate_columns(left, former)
    replicates = [column for column in left if column.name in found.replicate_columns]
    left = [column for column in left if column.name not in found.replicate_columns]
    weights = _weights(left, varied, lambda column: column.positive)
    if own := replicated(frame, found.replicate_columns, weights, source.decimal):
        weights = [own, *(name for name in weights if name != own)]
    if design and design.probability in names:
        found.probability = choose("probability", design.probability, "", "")
    else:
        found.weight = choose(
            "weight", design.weight if design else "", next(iter(weights), ""), "by its name or label"
        )
    if found.delivered:  # only beside a main weight is one of part of the sample looked for
        weights += [name for name in _weights(left, varied, lambda c: c.partly) if name not in weights]
    found.other_weights = tuple(name for name in weights if name != found.weight)
    if replicates:
        made, why = how_made(frame, replicates, pattern, found.delivered, source.decimal, former)
        found.replicates, found.why["replicate_weights"] = made, why
        if found.weight and found.weight == own:
            found.why["weight"] = "the replicate weights are of it"
        elif found.weight and found.other_weights:
            found.why["weight"] += f"; there are {', '.join(found.other_weights)} as well"
    else:
        _add_further_weights(found, former, names)
    left = [column for column in left if column.name not in (*weights, found.probability)]
    psu = _called(left, PSU, PSU_LABEL, lambda column: not column.blank)
    found.psu = choose("psu", design.psu if design else "", next(iter(psu), ""), "by its name or label")
    strata = _called(left, STRATUM, STRATUM_LABEL, lambda column: not column.blank)
    found.strata, found.why["strata"] = tuple(strata), "by its name or label"
    if design and design.strata and {*design.strata} <= names:
        found.strata, found.why["strata"] = design.strata, as_before
    found.numbered_strata = tuple(
        column.name
        for column in columns
        if column.name in found.strata and not column.labels and column.distinct > MAX_SCALE_POINTS
    )
    return found


def _add_records(found: DesignGuess, columns: Sequence[SourceColumn]) -> None:
    """What a survey tool wrote about the answers, and its marks of those that are none."""
    found.records = tuple(column.name for column in columns if RECORD.fullmatch(column.name))
    for column in columns:
        if marks := tuple(code for code in NO_ANSWERS.get(column.name, ()) if code in (column.codes or {})):
            found.no_answers[column.name] = marks


def _weights(
    columns: Iterable[SourceColumn], varied: Collection[str], fits: Callable[[SourceColumn], bool]
) -> list[str]:
    """The columns that could weigh units and are called so; by its label only one that is no scale."""
    called = _called(columns, WEIGHT, WEIGHT_LABEL, lambda column: fits(column) and _could_weigh(column))
    return [name for name in called if WEIGHT.fullmatch(slug(name, "_")) or name in varied]


def _add_further_weights(found: DesignGuess, former: Wave | None, names: Collection[str]) -> None:
    """Weights beside the main one, which indicators may name: those of the wave before, then all others.

    Not for a file with replicate weights, which carry the variance of the main one.
    """
    before = former.design.weights if former and former.design else {}
    found.weights = {name: column for name, column in before.items() if column in names}
    if former and found.weights:
        found.why["weights"] = f"as in {former.key}"
        return
    found.weights = {name: column for column in found.other_weights if (name := slug(column, "_"))}
    found.why["weights"] = "by names or labels; an indicator has one of them by weight = its name"


def _add_identifier(
    found: DesignGuess, columns: Sequence[SourceColumn], frame: pd.DataFrame, former: Wave | None
) -> None:
    """The column that has no value twice and is called so, else the first that has none; else one that is
    called so together with another, else the row. When somebody answered tells nobody apart for sure.
    """
    unique = [c.name for c in columns if c.unique and not c.blank and not MOMENT.search(slug(c.name, "_"))]
    declared = former.design.id if former and former.design else ()
    names = {column.name for column in columns}
    if former and declared and {*declared} <= ({*unique} if len(declared) == 1 else names):
        found.identifier, found.why["id"] = declared, f"as in {former.key}"
        return
    called = [column.name for column in columns if is_called_id(column)]
    found.identifier = tuple(([name for name in unique if name in called] or unique)[:1])
    found.why["id"] = "a value of its own on every row"
    if not found.identifier:
        found.identifier, found.why["id"] = _pair(columns, frame), "together a value of its own on every row"
    if not found.identifier and ROW not in names:
        found.identifier, found.why["id"] = (ROW,), "no column has a value of its own on every row"


def is_called_id(column: SourceColumn) -> bool:
    """Whether a column is called like one that tells units, or groups of them, apart."""
    return bool(UNIT.fullmatch(slug(column.name, "_")) or UNIT_LABEL.search(column.label))


def _pair(columns: Sequence[SourceColumn], frame: pd.DataFrame) -> tuple[str, ...]:
    """Two columns, one of them called a number or an identifier, that have no pair of values twice.

    The other one is that of the fewest values, and of few against the rows, so that it is no measure.
    """
    filled = [column for column in columns if not column.blank and column.distinct > 1]
    groups = sorted((c for c in filled if 2 * c.distinct <= len(frame)), key=lambda column: column.distinct)
    for column in filled:
        if is_called_id(column) or NUMBERED.fullmatch(slug(column.name, "_")):
            for other in groups:
                if column.distinct * other.distinct >= len(frame) and other is not column:
                    pair = [each.name for each in columns if each in (column, other)]
                    if not frame.duplicated(pair).any():
                        return tuple(pair)
    return ()


def _called(
    columns: Iterable[SourceColumn],
    name: re.Pattern[str],
    label: re.Pattern[str],
    fits: Callable[[SourceColumn], bool],
) -> list[str]:
    """The columns that fit and are called so: first by name, then by label."""
    fitting = [column for column in columns if fits(column)]
    by_name = [column.name for column in fitting if name.fullmatch(slug(column.name, "_"))]
    by_label = [
        column.name
        for column in fitting
        if label.search(column.label) and len(column.label.split()) <= MAX_LABEL_WORDS
    ]
    return list(dict.fromkeys([*by_name, *by_label]))


def _could_weigh(column: SourceColumn) -> bool:
    """No number is a code with a label, and it is not what somebody weighs."""
    return not column.labels and not BODY.search(f"{column.name.replace('_', ' ')} {column.label}")
