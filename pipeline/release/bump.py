"""The version number that a change calls for, by what users of the previous release rely on.

Major where a key, a column or a code has changed or gone; minor where data are added; patch where data are
corrected. https://datapackage.org/recipes/data-package-version/
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pipeline.release_store import version_numbers

BUMPS = ("none", "patch", "minor", "major")
IDENTIFIERS = ("waves", "indicators", "categories", "domains")  # tables that declare the keys
DATA = (*IDENTIFIERS, "estimates")  # comparisons follow from them
MEANING = ("unit_measure", "base", "question", "formula", "denominator", "version")  # of an indicator
Reason = tuple[str, str]  # bump, what calls for it


def required_bump(changes: Mapping[str, Any]) -> str:
    """The smallest bump that a comparison allows: none, patch, minor or major."""
    return max((bump for bump, _ in reasons(changes)), key=BUMPS.index, default="none")


def bump_between(old: str, new: str) -> str:
    """The bump from a version to a later one."""
    differs = (
        before != after for before, after in zip(version_numbers(old), version_numbers(new), strict=True)
    )
    return next((bump for bump, changed in zip(reversed(BUMPS), differs, strict=False) if changed), "none")


def next_version(old: str, bump: str) -> str:
    """The lowest version that is this bump of an old one; a patch where the bump is none."""
    numbers = list(version_numbers(old))
    at = min(BUMPS[::-1].index(bump), len(numbers) - 1)
    return ".".join(map(str, [*numbers[:at], numbers[at] + 1, *[0] * (len(numbers) - at - 1)]))


def reasons(changes: Mapping[str, Any]) -> list[Reason]:
    """What calls for a bump, in words, the greatest first."""
    found = [
        reason
        for name, changed in changes.items()
        for reason in (*_schema_reasons(name, changed["schema"]), *_row_reasons(name, changed))
    ]
    return sorted(dict.fromkeys(found), key=lambda reason: -BUMPS.index(reason[0]))


def _schema_reasons(name: str, schema: list[dict[str, Any]]) -> Iterator[Reason]:
    columns = next((change for change in schema if change["place"] == "columns"), None)
    if columns and columns["old"] is None:
        yield "minor", f"table {name} added"
        return
    if columns and columns["new"] is None:
        yield "major", f"table {name} removed"
        return
    before, after = (columns["old"], columns["new"]) if columns else ([], [])
    yield from (("major", f"column {name}.{each} removed") for each in before if each not in after)
    yield from (("major", f"column {name}.{each} added") for each in after if each not in before)
    if [each for each in before if each in after] != [each for each in after if each in before]:
        yield "major", f"columns of {name} in another order"
    for change in schema:
        yield from _place_reasons(name, change, {*before} ^ {*after})


def _place_reasons(name: str, change: Mapping[str, Any], other_columns: set[str]) -> Iterator[Reason]:
    place, _, word = str(change["place"]).removeprefix("columns.").rpartition(".")
    if word == "primaryKey":
        yield "major", f"key of {name} changed"
    elif word in ("type", "format", "constraints") and place not in other_columns:
        codes = [(change[side] or {}) if word == "constraints" else {} for side in ("old", "new")]
        before, after = (each.get("enum", []) for each in codes)
        yield from (("major", f"code {name}.{place}={code} removed") for code in before if code not in after)
        yield from (("major", f"code {name}.{place}={code} added") for code in after if code not in before)
        if before == after or {*before} == {*after}:
            yield "major", f"{word} of column {name}.{place} changed"
    elif word != "columns" and place not in other_columns:
        yield "patch", f"words about the columns of {name} changed"


def _row_reasons(name: str, changed: Mapping[str, Any]) -> Iterator[Reason]:
    added, removed, cells = changed["added"], changed["removed"], changed["changed"]
    if name in IDENTIFIERS:
        yield from (("major", f"{_described(name, row)} removed") for row in removed)
        yield from (("minor", f"{_described(name, row['row'])} added") for row in added)
    elif name == "codebook":
        yield from _code_reasons(changed)
    elif added or removed:
        yield "minor" if name in DATA else "patch", f"rows of {name} added or removed"
    if name == "indicators":
        redefined = (row for row in cells if {*MEANING} & {*row["cells"]})
        yield from (("major", f"indicator {row['key']['indicator']} redefined") for row in redefined)
    if cells or changed["moved"]:
        yield "patch", f"rows of {name} corrected"


def _code_reasons(changed: Mapping[str, Any]) -> Iterator[Reason]:
    """A code added or removed breaks a variable; a variable whose first code is new was itself added."""
    known = {row["variable"] for row in changed["removed"]}
    known |= {row["key"]["variable"] for row in changed["changed"]}
    first = {row["row"]["variable"] for row in changed["added"] if row["row"]["position"] == 1} - known
    yield from (("major", f"code {row['variable']}={row['code']} removed") for row in changed["removed"])
    for row in (each["row"] for each in changed["added"]):
        if row["variable"] in first:
            yield "minor", f"variable {row['variable']} added"
        else:
            yield "major", f"code {row['variable']}={row['code']} added"


def _described(name: str, row: Mapping[str, Any]) -> str:
    """A key as text: ``wave dk-2020``, ``category novelty first``, ``domain sector care``."""
    noun = {"waves": "wave", "indicators": "indicator", "categories": "category", "domains": "domain"}[name]
    keys = {"categories": ("indicator", "category"), "domains": ("domain", "domain_code")}.get(name, (noun,))
    return " ".join(filter(None, (noun, *(str(row[key]) for key in keys))))
