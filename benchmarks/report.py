"""Results on disk and on the screen: figures, the software and the machine they hold for, nothing else.

No host names, paths or clock times are kept: a result file says what was measured, not where or when.
"""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

RESULTS = Path(__file__).parent / "results"
PAGE = Path(__file__).parents[1] / "docs" / "performance.md"
SOFTWARE = ("duckdb", "numpy", "scipy", "pandas", "pyarrow")
Row = Mapping[str, Any]


def keep(name: str, title: str, rows: Sequence[Row], **facts: Any) -> None:
    """Prints the rows as a table and keeps them, with ``facts``, as ``results/<name>.json``."""
    result = {"title": title, "machine": machine(), "software": software(), **facts, "rows": list(rows)}
    RESULTS.mkdir(exist_ok=True)
    text = json.dumps(result, indent=1, ensure_ascii=False, default=float)
    (RESULTS / f"{name}.json").write_text(text + "\n", encoding="utf-8")
    show(title, rows)


def show(title: str, rows: Sequence[Row]) -> None:
    """Prints rows as a table."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    table = Table(*names, title=title, title_justify="left")
    for row in rows:
        table.add_row(*(_text(row.get(name, "")) for name in names))
    Console(width=max(100, 13 * len(names))).print(table)


def fill() -> None:
    """Puts the kept results into ``docs/performance.md``, each between ``<!-- name -->`` and its end."""
    text = PAGE.read_text(encoding="utf-8")
    for path in sorted(RESULTS.glob("*.json")):
        result = json.loads(path.read_text(encoding="utf-8"))
        start, end = f"<!-- {path.stem} -->", f"<!-- /{path.stem} -->"
        if start in text and end in text:
            before, _, rest = text.partition(start)
            text = f"{before}{start}\n{_markdown(result)}\n{end}{rest.partition(end)[2]}"
    PAGE.write_text(text, encoding="utf-8")


def _markdown(result: Row) -> str:
    rows = result["rows"]
    names = list(dict.fromkeys(name for row in rows for name in row))
    lines = [names, ["---"] * len(names), *([_text(row.get(name, "")) for name in names] for row in rows)]
    table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    software = ", ".join(f"{name} {number}" for name, number in result["software"].items())
    peers = "".join(f"; {peer}" for peer in result.get("peers", ()))
    on = f"{result['machine']['cores']} cores, {result['machine']['ram_gib']} GiB"
    return f"{result['title']}\n\n{table}\n\nOn {on}; {software}{peers}."


def machine() -> dict[str, Any]:
    """The properties of the machine that affect speed."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {"cores": os.cpu_count(), "ram_gib": round(memory), "system": platform.system()}


def software(names: Sequence[str] = SOFTWARE) -> dict[str, str]:
    """Versions of Python and of the libraries that do the work."""
    found = {"python": platform.python_version()}
    for name in names:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def digits(value: float, significant: int = 3) -> float:
    """A number to the given number of significant digits."""
    return float(f"{value:.{significant}g}")


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int) or (isinstance(value, float) and abs(value) >= 1000):
        return f"{value:,.0f}"
    return f"{value:.4g}" if isinstance(value, float) else str(value)
