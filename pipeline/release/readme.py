"""The texts of a package for people: what is in it, how to read its flags, how to cite it.

Made from the declarations and the descriptor, so that they always agree.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from pipeline.contracts import table
from pipeline.release.contents import Contents
from pipeline.release.descriptor import Descriptor
from pipeline.release.notes import flags, rules

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


def readme(contents: Contents, described: Descriptor) -> str:
    """README.md of the package that ``described`` describes."""
    barometer = contents.catalogue.barometer
    cited = contents.citation.removesuffix(barometer.homepage)
    return README.format(
        title=plain(contents.title),
        description=plain(contents.description),
        version=barometer.version,
        released=barometer.released.isoformat(),
        licence=plain(barometer.licence),
        licence_address=contents.licence_address.replace("(", "%28").replace(")", "%29"),
        citation=f"{plain(cited)}{barometer.homepage}",
        name=contents.name,
        tables=_list(
            f"`{name}`: {table(name)['description']} ({len(rows)} rows)"
            for name, rows in contents.rows.items()
        ),
        columns=_list(
            f"`{field['name']}`: {field['description']}" for field in contents.schema("estimates")["fields"]
        ),
        obs_status=_codes("obs_status"),
        conf_status=_codes("conf_status"),
        rules=_list(rules(contents.catalogue)),
        sources=_list(map(_source, described.get("sources", []))),
    )


def plain(text: str) -> str:
    """A declared text as Markdown that shows it as it stands: no HTML, link, picture, list or heading."""
    line = re.sub(r"\s*\n\s*", " ", text)
    line = re.sub(r"[\\`*_\[\]<>&]", r"\\\g<0>", line)
    return re.sub(r"^(\s*\d*)(?=[-+#=~.)])", r"\1\\", line)


def licence_text(contents: Contents) -> str:
    """LICENSE: the name of the licence and where its text stands."""
    licence = contents.catalogue.barometer.licence
    return f"This data package is published under {licence}.\n{contents.licence_address}\n"


def _codes(column: str) -> str:
    return _list(f"`{code}`: {label}" for code, label in flags(column))


def _source(source: Mapping[str, Any]) -> str:
    text = plain(f"{source['title']} ({source['version']})")
    return f"{text}, <{source['path']}>" if "path" in source else text


def _list(lines: Iterable[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)
