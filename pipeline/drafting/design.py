"""Guesses which columns say how units were drawn and weighted: identifier, weights, strata, sampling units.

The wave before of the survey is asked first: what it declares is proposed where the file still has the
columns. Then names, labels and values speak.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from pipeline.catalogue.fieldwork import ReplicateWeights, Wave
from pipeline.drafting.columns import SourceColumn
from pipeline.drafting.folder import slug

MIN_REPLICATES = 4
MAX_LABEL_WORDS = 8  # a longer label is a question
WORD = "w(?:eigh|gh?)?ts?"  # weight, wght, wgt, wt
COMPOUND = (
    r"(?!over|kropp|foe?d)[a-z]{0,10}(?:vekt|vaegt|vikt|paino|gewicht)"  # design weight, not body weight
)
WEIGHT = re.compile(rf"(?:.*_)?(?:[a-z]{{0,5}}{WORD}|pwgtp|pw|{COMPOUND}|pond|peso|poids)(?:_.*|\d*)")
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
    r"(?:.*_)?(?:id|resp(?:ondent)?(?:_?id)?|resp_?nr|caseid|serial|uuid|lopenr|lobenr)(?:_.*|\d*)"
)
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
    replicates: ReplicateWeights | None = None
    replicate_columns: tuple[str, ...] = ()
    other_weights: tuple[str, ...] = ()
    why: dict[str, str] = field(default_factory=dict)

    @property
    def delivered(self) -> str:
        """The column that the start weights come from."""
        return self.weight or self.probability

    @property
    def ignored(self) -> dict[str, str]:
        """The columns that answer nothing, with what they are. Strata may be a background as well."""
        found = dict.fromkeys(self.other_weights, "a weight") | dict.fromkeys(
            self.replicate_columns, "a replicate weight"
        )
        found |= dict.fromkeys(self.identifier, "identifies the unit") | {
            self.weight: "the weight",
            self.psu: "the sampling unit",
            self.probability: "the selection probability",
        }
        return {name: what for name, what in found.items() if name}


def guess_design(
    columns: Sequence[SourceColumn], former: Wave | None = None, identifier: Sequence[str] = ()
) -> DesignGuess:
    """Guess the design columns: as in the wave before where the file has them, else by name and label.

    ``identifier`` is what is known to tell units apart.
    """
    found = DesignGuess()
    design, names = former.design if former else None, {column.name for column in columns}
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
    left = [column for column in columns if column.name not in found.identifier]
    varied = {c.name for c in left if c.codes is None or not all(map(str.isdigit, c.codes))}  # no scale
    _add_replicates(found, left, former)
    left = [column for column in left if column.name not in found.replicate_columns]
    weights = _called(left, WEIGHT, WEIGHT_LABEL, _could_weigh)
    weights = [name for name in weights if WEIGHT.fullmatch(slug(name, "_")) or name in varied]
    if design and design.probability in names:
        found.probability = choose("probability", design.probability, "", "")
    else:
        found.weight = choose(
            "weight", design.weight if design else "", next(iter(weights), ""), "by its name or label"
        )
    found.other_weights = tuple(name for name in weights if name != found.weight)
    left = [column for column in left if column.name not in (*weights, found.probability)]
    psu = _called(left, PSU, PSU_LABEL, lambda column: not column.blank)
    found.psu = choose("psu", design.psu if design else "", next(iter(psu), ""), "by its name or label")
    if design and design.strata and {*design.strata} <= names:
        found.strata, found.why["strata"] = design.strata, as_before
    else:
        found.strata = tuple(_called(left, STRATUM, STRATUM_LABEL, lambda column: not column.blank))
        found.why["strata"] = "by its name or label"
    return found


def _add_identifier(found: DesignGuess, columns: Sequence[SourceColumn], former: Wave | None) -> None:
    """The column that has no value twice and is called so, else the first that has none, else the row."""
    unique = [column.name for column in columns if column.unique and not column.blank]
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
    """Numbers above 0 on every row, none of them a code with a label, and not what somebody weighs."""
    return (
        column.positive
        and not column.labels
        and not BODY.search(f"{column.name.replace('_', ' ')} {column.label}")
    )


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
