"""The published cells as scripts: a page opened from a folder may load a script, but not a data file.

For each indicator one file with the cells of breakdowns by one variable at most, one with the
cross-classified breakdowns, and two with its comparisons: of the total and of groups. Each calls
``barometer(name, data)``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from pipeline.site.comparability import PublishedVerdicts
from pipeline.site.package_reader import Estimate, PackageData, Row

SHARED = ("wave_a", "wave_b", "scope", "verdict", "reasons")
COMPARED = ("value_a", "value_b", "difference", "ci_low", "ci_high", "p_value", "p_adjusted")


def scripts(package: PackageData, comparability: PublishedVerdicts) -> Iterator[tuple[str, bytes]]:
    """Every file of a package's cells, by its name."""
    cross_classified = {key for key, domain in package.domains.items() if len(domain["by"]) > 1}
    by_indicator: dict[str, list[Estimate]] = {}
    for cell in package.estimates:
        by_indicator.setdefault(cell.indicator, []).append(cell)
    for indicator, cells in by_indicator.items():
        plain = [cell for cell in cells if cell.domain not in cross_classified]
        crossed_cells = [cell for cell in cells if cell.domain in cross_classified]
        yield f"{indicator}.js", script(indicator, _estimates(package, indicator, plain))
        yield (
            f"{indicator}.crossed.js",
            script(f"{indicator}.crossed", _estimates(package, indicator, crossed_cells)),
        )
    for indicator, rows in comparability.rows.items():
        total = [row for row in rows if row["domain"] == package.total_domain]
        groups = [row for row in rows if row["domain"] != package.total_domain]
        yield f"{indicator}.compared.js", script(f"{indicator}.compared", _comparisons(total))
        yield f"{indicator}.compared.groups.js", script(f"{indicator}.compared.groups", _comparisons(groups))


def script(name: str, data: Any) -> bytes:
    """Data as a script that passes them to the page."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return f"barometer({json.dumps(name)},{text})\n".encode()


def _estimates(package: PackageData, indicator: str, cells: Sequence[Estimate]) -> list[Any]:
    """By wave and breakdown, a row: category, cell, value, interval, n, standard error, flag and note.

    Categories and cells are given by their position in the code lists; blanks at the end of a row are left
    out.
    """
    positions = {key: at for at, key in enumerate(package.categories[indicator])}
    codes = {key: {code: at for at, code in enumerate(row["codes"])} for key, row in package.domains.items()}
    found: dict[tuple[str, str], list[Any]] = {}
    for cell in cells:
        row: list[Any] = [
            positions[cell.category],
            codes[cell.domain][cell.domain_code],
            *(None if each is None else _short(each) for each in (cell.value, cell.ci_low, cell.ci_high)),
            cell.n,
            None if cell.se is None else _short(cell.se),
            cell.flag or None,
            cell.note or None,
        ]
        while row[-1] is None:
            row.pop()
        found.setdefault((cell.wave, cell.domain), []).append(row)
    return [[wave, domain, rows] for (wave, domain), rows in found.items()]


def _comparisons(rows: Sequence[Row]) -> list[Any]:
    """By pair of waves, scope, verdict and reasons, a row: category, breakdown, cell, values and test."""
    found: dict[tuple[str, ...], list[Any]] = {}
    for row in rows:
        shared = tuple(row[name] for name in SHARED)
        numbers = [None if row[name] is None else _short(row[name]) for name in COMPARED]
        found.setdefault(shared, []).append([row["category"], row["domain"], row["domain_code"], *numbers])
    return [[*shared, cells] for shared, cells in found.items()]


def _short(number: float) -> float | int:
    """A number as JSON writes it shortest."""
    return int(number) if float(number).is_integer() else float(number)
