"""The texts of a package for people: what is in it, how to read its flags, how to cite it.

Filled in from the declarations and the descriptor, so that they cannot disagree.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pipeline.catalogue import Catalogue
from pipeline.contracts import table
from pipeline.release.descriptor import Descriptor, licence_address

README = """\
# {title}

{description}

Version {version}, {released}. Licence: [{licence}]({licence_address}).

## How to cite

{citation}

## What is in it

Every table is there as CSV (UTF-8, comma, decimal point, blank where missing) and, cell by cell the
same, as Parquet. `datapackage.json` describes every column; `SHA256SUMS` lets you check every file.
Start with `estimates`: its keys are explained in the other tables, and `translations` has every label
in the other languages. A text that a spreadsheet would run as a formula has an apostrophe before it.

{tables}

## The columns of estimates

{columns}

## Flags

`obs_status`, SDMX CL_OBS_STATUS:

{obs_status}

`conf_status`, SDMX CL_CONF_STATUS:

{conf_status}

A rule holds for a whole answer distribution in a cell, never for one category alone. Figures that a
producer has published stand as printed.

{rules}

## Sources

{sources}
"""


def readme(catalogue: Catalogue, described: Descriptor, rows: Mapping[str, int]) -> str:
    """README.md of the package that ``described`` describes. ``rows``: the number of rows of each table."""
    barometer = catalogue.barometer
    return README.format(
        title=described["title"],
        description=described["description"],
        version=barometer.version,
        released=barometer.released.isoformat(),
        licence=barometer.licence,
        licence_address=licence_address(barometer.licence),
        citation=citation(catalogue, described["title"]),
        tables=_list(
            f"`{name}`: {table(name)['description']} ({count} rows)" for name, count in rows.items()
        ),
        columns=_list(f"`{field['name']}`: {field['description']}" for field in table("estimates")["fields"]),
        obs_status=_codes("obs_status"),
        conf_status=_codes("conf_status"),
        rules=_rules(catalogue),
        sources=_list(map(_source, described.get("sources", []))),
    )


def citation(catalogue: Catalogue, title: str) -> str:
    """How to cite a package, in one line."""
    barometer = catalogue.barometer
    names = ", ".join(
        contributor["title"] for contributor in barometer.contributors if "title" in contributor
    )
    said = f"{names} ({barometer.released.year}). {title}. Version {barometer.version}."
    return f"{said} {barometer.homepage}".strip()


def licence_text(licence: str) -> str:
    """LICENSE: the name of the licence and where its text stands."""
    return f"This data package is published under {licence}.\n{licence_address(licence)}\n"


def _rules(catalogue: Catalogue) -> str:
    """When a value is hidden, left out or flagged, in the numbers that the barometer declares."""
    declared = catalogue.barometer
    limits, quality, rounding = declared.disclosure, declared.reliability, declared.rounding
    secondary = "Q, D: the cell would give another away by subtraction; all is blank."
    rules = [
        f"Q, C: fewer than {limits.min_n} answers, or fewer than {limits.min_group} on one side of a share, "
        f"more than {limits.max_fraction:.0%} of the population having answered; all is blank.",
        f"Q, F: fewer than {quality.unpublish_n} answers, or an interval of at least "
        f"{quality.unpublish_ci_width:g} points; only n is given.",
        f"U: fewer than {quality.flag_n} answers, or an interval of at least {quality.flag_ci_width:g} "
        "points, or none that could be computed.",
        f"Decimals: {rounding.total} in a total, {rounding.breakdown} in a breakdown; means and standard "
        "errors have one more, counts none. Halves are rounded up.",
    ]
    return _list([rules[0], *([secondary] if limits.secondary else []), *rules[1:]])


def _codes(column: str) -> str:
    field = next(field for field in table("estimates")["fields"] if field["name"] == column)
    return _list(f"`{category['value']}`: {category['label']}" for category in field["categories"])


def _source(source: Mapping[str, Any]) -> str:
    said = f"{source['title']} ({source['version']})"
    return f"{said}, <{source['path']}>" if "path" in source else said


def _list(lines: Iterable[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)
