"""Guesses which columns say how units were drawn and weighted: identifier, weights, strata, sampling units.

The wave before of the survey is asked first: what it declares is proposed where the file still has the
columns. Then names, labels and values speak.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from pipeline.catalogue.fieldwork import ReplicateWeights, Source, Wave
from pipeline.drafting.columns import SourceColumn
from pipeline.drafting.folder import slug

MIN_REPLICATES = 4
MAX_LABEL_WORDS = 8  # a longer label is a question
WORD = "w(?:eigh|gh?)?ts?"  # weight, wght, wgt, wt
WEIGHT = re.compile(
    rf"(?:.*_)?(?:[a-z]{{0,5}}{WORD}|pwgtp|pw|vekt|vaegt|vikt|paino|gewicht|pond|peso|poids)(?:_.*|\d*)"
)
WEIGHT_LABEL = re.compile(
    r"\b(?:\w*weights?|weighting|vekt|v[aæ]gt|vikt|paino\w*|gewicht\w*|ponderaci[oó]n|ponderation)\b",
    re.IGNORECASE,
)
BODY = re.compile(r"\b(?:kg|kilos?|kilograms?|pounds|lbs?|body|birth)\b", re.IGNORECASE)  # no weight of units
REPLICATE = re.compile(
    rf"(?:.*_)?(?:rep(?:l(?:icate)?)?(?:_?{WORD})?|rw|wrep|brr|fay|jkn?|bsw|bootw?|pwgtp|{WORD}|[a-z]*r{WORD})_?"
)
STRATUM = re.compile(r"(?:.*_)?strat(?:um|a|en)?(?:_.*|\d*)")
STRATUM_LABEL = re.compile(r"\b(?:sampling |design |variance )?strat(?:um|a)\b", re.IGNORECASE)
PSU = re.compile(r"(?:.*_)?(?:psu|clusters?)(?:_.*|\d*)")
PSU_LABEL = re.compile(r"\b(?:psus?|primary sampling units?|sampling clusters?)\b", re.IGNORECASE)
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
        found |= dict.fromkeys(self.records, "the survey tool's own record")
        found |= dict.fromkeys(self.identifier, "identifies the unit")
        found |= dict.fromkeys(self.selecting, "tells which rows are the wave's") | {
            self.weight: "the weight",
            self.psu: "the sampling unit",
            self.probability: "the selection probability",
        }
        return {name: what for name, what in found.items() if name}


def guess_design(
    columns: Sequence[SourceColumn],
    source: Source,
    former: Wave | None = None,
    identifier: Sequence[str] = (),
) -> DesignGuess:
    """Guess the design columns: as in the wave before where the file has them, else by name and label.

    ``identifier`` is what is known to tell units apart.
    """
    found = DesignGuess(selecting=tuple(name for name, values in source.rows.items() if len(values) == 1))
    design, names = former.design if former else None, {column.name for column in columns}
    if names >= RECORDS:
        found.records = tuple(column.name for column in columns if RECORD.fullmatch(column.name))
        for column in columns:
            if marks := tuple(
                code for code in NO_ANSWERS.get(column.name, ()) if code in (column.codes or {})
            ):
                found.no_answers[column.name] = marks
    as_before = f"as in {former.key}" if former else ""

    def choose(key: str, before: str, guessed: str, reason: str) -> str:
        chosen = before if before in names else guessed
        if chosen:
            found.why[key] = as_before if chosen == before else reason
        return chosen

    if identifier:
        found.identifier = tuple(identifier)
    else:
        _add_identifier(found, columns, former)
    left = [column for column in columns if column.name not in (*found.identifier, *found.records)]
    varied = {c.name for c in left if c.codes is None or not all(map(str.isdigit, c.codes))}  # no scale
    _add_replicates(found, left, former)
    left = [column for column in left if column.name not in found.replicate_columns]
    weights = _weights(left, varied, lambda column: column.positive)
    if design and design.probability in names:
        found.probability = choose("probability", design.probability, "", "")
    else:
        found.weight = choose(
            "weight", design.weight if design else "", next(iter(weights), ""), "by its name or label"
        )
    if found.delivered:  # only beside a main weight is one of part of the sample looked for
        weights += [name for name in _weights(left, varied, lambda c: c.partly) if name not in weights]
    found.other_weights = tuple(name for name in weights if name != found.weight)
    _add_further_weights(found, former, names)
    left = [column for column in left if column.name not in (*weights, found.probability)]
    psu = _called(left, PSU, PSU_LABEL, lambda column: not column.blank)
    found.psu = choose("psu", design.psu if design else "", next(iter(psu), ""), "by its name or label")
    if design and design.strata and {*design.strata} <= names:
        found.strata, found.why["strata"] = design.strata, as_before
    else:
        found.strata = tuple(_called(left, STRATUM, STRATUM_LABEL, lambda column: not column.blank))
        found.why["strata"] = "by its name or label"
    return found


def _weights(
    columns: Iterable[SourceColumn], varied: Collection[str], fits: Callable[[SourceColumn], bool]
) -> list[str]:
    """The columns that could weigh units and are called so; by its label only one that is no scale."""
    called = _called(columns, WEIGHT, WEIGHT_LABEL, lambda column: fits(column) and _could_weigh(column))
    return [name for name in called if WEIGHT.fullmatch(slug(name, "_")) or name in varied]


def _add_further_weights(found: DesignGuess, former: Wave | None, names: Collection[str]) -> None:
    """Weights beside the main one, which indicators may name: those of the wave before, then all others.

    Not beside replicate weights, which carry the variance of the main one.
    """
    if found.replicates:
        return
    before = former.design.weights if former and former.design else {}
    found.weights = {name: column for name, column in before.items() if column in names}
    if former and found.weights:
        found.why["weights"] = f"as in {former.key}"
        return
    found.weights = {name: column for column in found.other_weights if (name := slug(column, "_"))}
    found.why["weights"] = "by names or labels; an indicator has one of them by weight = its name"


def _add_identifier(found: DesignGuess, columns: Sequence[SourceColumn], former: Wave | None) -> None:
    """The column that has no value twice and is called so, else the first that has none, else the row.

    When somebody answered tells nobody apart for sure.
    """
    unique = [c.name for c in columns if c.unique and not c.blank and not MOMENT.search(slug(c.name, "_"))]
    declared = former.design.id if former and former.design else ()
    names = {column.name for column in columns}
    if former and declared and {*declared} <= ({*unique} if len(declared) == 1 else names):
        found.identifier, found.why["id"] = declared, f"as in {former.key}"
        return
    named = [name for name in unique if UNIT.fullmatch(slug(name, "_"))]
    found.identifier = tuple((named or unique)[:1])
    found.why["id"] = "a value of its own on every row"
    if not found.identifier and ROW not in names:
        found.identifier, found.why["id"] = (ROW,), "no column has a value of its own on every row"


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


def _add_replicates(found: DesignGuess, columns: Sequence[SourceColumn], former: Wave | None) -> None:
    """Columns of one stem and running numbers that are called like replicate weights."""
    declared = former.design.replicate_weights if former and former.design else None
    if former and declared:
        columns_before = tuple(c.name for c in columns if fnmatchcase(c.name, declared.columns))
        if len(columns_before) >= MIN_REPLICATES:
            found.replicates, found.replicate_columns = declared, columns_before
            found.why["replicate_weights"] = f"as in {former.key}"
            return
    stems: dict[str, list[str]] = {}
    for column in columns:
        name = re.fullmatch(r"(.*?)(\d+)", column.name)
        if name and column.numeric and not column.labels and not column.blank:
            stems.setdefault(name[1], []).append(column.name)
    for stem, names in stems.items():
        if len(names) >= MIN_REPLICATES and REPLICATE.fullmatch(slug(stem, "_")):
            others = {column.name for column in columns} - {*names}
            pattern = f"{stem}*" if not any(name.startswith(stem) for name in others) else f"{stem}[0-9]*"
            found.replicates, found.replicate_columns = ReplicateWeights(pattern, "brr"), tuple(names)
            found.why["replicate_weights"] = "by their names; brr, fay, jkn or bootstrap: ask its producer"
            return
