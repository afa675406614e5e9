"""The comparison with the previous release, as a package holds it: table, ``revisions.json`` and CHANGELOG.

Here belongs how a change is shown to readers; finding it belongs to ``diff``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline.contracts import columns, conform, primary_key
from pipeline.release.bump import reasons, required_bump
from pipeline.release.compared_tables import tables_of
from pipeline.release.diff import Changes, ComparedTable, compare, diff
from pipeline.release_store import SealedRelease

TRACKED = ("value", "n", "ci_low", "ci_high", "obs_status", "conf_status")
CHANGELOG, JSON = "CHANGELOG.md", "revisions.json"
HEADING = "# Changelog\n\nEvery release, the newest first, against the one before it.\n"
LISTED = 20
Row = dict[str, Any]


def revision_table(before: SealedRelease | None, estimates: ComparedTable, version: str) -> pd.DataFrame:
    """The rows of the table ``revisions``: each cell of estimates that differs from the previous release."""
    rows: list[Row] = []
    if before:
        old = tables_of(before.folder)["estimates"]
        changes = compare(old, estimates)
        versions = {"old_version": before.version, "new_version": version}
        rows = [row | versions for row in _revised_cells(changes, old, estimates)]
    frame = pd.DataFrame(rows, columns=columns("revisions"))
    return conform(frame.sort_values(primary_key("revisions"), kind="stable"), "revisions")


def _revised_cells(changes: Changes, old: ComparedTable, new: ComparedTable) -> list[Row]:
    key = primary_key("revisions")
    before, after = (
        {tuple(row[name] for name in key): row for row in compared_table.rows.to_pylist()}
        for compared_table in (old, new)
    )
    found = [
        *((_key(each["row"], key), "added", ()) for each in changes["added"]),
        *((_key(each, key), "removed", ()) for each in changes["removed"]),
        *((_key(each["key"], key), "changed", tuple(each["cells"])) for each in changes["changed"]),
    ]
    return [
        dict(zip(key, cell, strict=True))
        | {"change": change, "changed_columns": "|".join(changed)}
        | {f"old_{name}": before.get(cell, {}).get(name) for name in TRACKED}
        | {f"new_{name}": after.get(cell, {}).get(name) for name in TRACKED}
        for cell, change, changed in found
    ]


def _key(row: Row, key: list[str]) -> tuple[Any, ...]:
    return tuple(row[name] for name in key)


def comparison(
    package: str,
    old: tuple[str, Mapping[str, ComparedTable]] | None,
    new: tuple[str, Mapping[str, ComparedTable]],
) -> Row:
    """The whole comparison of two releases, each with its version; empty where there is no earlier one."""
    changes = diff(old[1], new[1]) if old else {}
    return {
        "package": package,
        "old": old[0] if old else None,
        "new": new[0],
        "bump": required_bump(changes),
        "reasons": [{"bump": bump, "reason": reason} for bump, reason in reasons(changes)],
        "tables": changes,
    }


def as_json(compared: Row) -> bytes:
    """``revisions.json``, a comparison on one line."""
    return (json.dumps(compared, ensure_ascii=False, separators=(",", ":")) + "\n").encode("utf-8")


def compared_in(folder: Path) -> Row:
    """The comparison that a package holds."""
    loaded: Row = json.loads((folder / JSON).read_text(encoding="utf-8"))
    return loaded


def last_entry(folder: Path) -> str:
    """The newest entry of the CHANGELOG that a package holds, without its heading."""
    text = (folder / CHANGELOG).read_text(encoding="utf-8").removeprefix(HEADING)
    return text.strip().partition("\n\n")[2].partition("\n\n## ")[0]


def changelog(compared: Row, released: str, before: Path | None) -> bytes:
    """``CHANGELOG.md``: what this release changed, above the entries of the one before it."""
    earlier = (before / CHANGELOG).read_text(encoding="utf-8").removeprefix(HEADING) if before else ""
    lines = [f"\n## {compared['new']}, {released}\n", *entry(compared)]
    return (HEADING + "\n".join(lines) + "\n" + earlier).encode("utf-8")


def entry(compared: Row) -> list[str]:
    """A comparison in words, one line for each table."""
    if compared["old"] is None:
        return ["- First release."]
    if not compared["tables"]:
        return [f"- The same data as {compared['old']}."]
    lines = [f"- Against {compared['old']} ({compared['bump']})."]
    lines += [f"- {name}: {_counts(changes)}." for name, changes in compared["tables"].items()]
    return [*lines, f"- {compared['bump'].capitalize()}: {calling(compared)}."]


def calling(compared: Row) -> str:
    """Why a comparison calls for its bump, in words."""
    calls = [each["reason"] for each in compared["reasons"] if each["bump"] == compared["bump"]]
    more = f" and {len(calls) - LISTED} more" if len(calls) > LISTED else ""
    return f"{'; '.join(calls[:LISTED])}{more}"


def _counts(changes: Changes) -> str:
    cells = sum(len(row["cells"]) for row in changes["changed"])
    kinds = ("added", "removed", "moved")
    words = [f"{_plural(len(changes[kind]), 'row')} {kind}" for kind in kinds if changes[kind]]
    words += (
        [f"{_plural(cells, 'cell')} in {_plural(len(changes['changed']), 'row')} changed"] if cells else []
    )
    words += ["columns or codes described anew"] if changes["schema"] else []
    return ", ".join(words)


def _plural(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")
