"""Pages that work by a script: compare, explore, search, SQL. Their data lie in files of their own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pipeline.site.language import Section
from pipeline.site.page import Page, Site, policy

SCRIPT_STRINGS = {  # the words that each script shows
    "explore": "loading rows_of copied all_word no_rows",
    "compare": "loading no_pair difference interval p_value p_adjusted scope_shared apart_no_difference "
    "category group everyone",
    "search": "found_n found_none",
    "sql": "sql_loading sql_ready rows_of sql_failed",
}


def pages(section: Section, site: Site) -> Iterator[Page]:
    """Compare, explore, search and, where its engine is at hand, SQL."""
    strings, package = section.language.strings, section.package
    known = site.comparability[package.key].known
    shared: dict[str, Any] = {"codes": codes(section), "known": known}
    yield Page(
        "explore.html", "explore.html.j2", strings.plain("explore"), shared | _strings(section, "explore")
    )
    compared = {"codes": {**shared["codes"], "scopes": _scopes(section, site)}, "known": known}
    yield Page(
        "compare.html", "compare.html.j2", strings.plain("compare"), compared | _strings(section, "compare")
    )
    found = {"entries": entries(section)} | _strings(section, "search")
    yield Page("search.html", "search.html.j2", strings.plain("search"), found)
    if site.sql:
        relaxed = policy(script_src="'self' 'wasm-unsafe-eval'")
        context = shared | _strings(section, "sql")
        yield Page("sql.html", "sql.html.j2", strings.plain("sql"), context, policy=relaxed)


def _strings(section: Section, page: str) -> dict[str, Any]:
    strings = section.language.strings
    named = {key: strings.plain_form(key) for key in SCRIPT_STRINGS[page].split()}
    if page in ("explore", "compare"):
        named |= {
            f"flag_{flag}": strings.plain(f"flag_{flag}") for flag in ("U", "E", "B", "QC", "QD", "QF", "M")
        }
    if page == "compare":
        named |= {f"verdict_{name}": strings.plain(f"verdict_{name}")
                  for name in ("comparable", "like_for_like", "caution", "not_comparable")}  # fmt: skip
    return {"words": named | section.language.numbers.separators}


def codes(section: Section) -> dict[str, Any]:
    """Every key of a package with its label, for scripts."""
    package, language = section.package, section.language
    reasons = {key: language.plain(f"rules.{key}.text") for key in package.catalogue.comparability.rules}
    return {
        "package": package.key,
        "total": package.total_domain,
        "indicators": [
            [key, section.indicator(key), row["unit_measure"]] for key, row in package.indicators.items()
        ],
        "categories": {
            key: [[each, section.category(key, each)] for each in several]
            for key, several in package.categories.items()
        },
        "waves": [
            [key, section.wave(key), row["country"], section.country(row["country"])]
            for key, row in package.waves.items()
        ],
        "domains": [
            [
                key,
                section.domain(key),
                [[code, section.cell(key, code)] for code in domain["codes"]],
                len(domain["by"]),
            ]
            for key, domain in package.domains.items()
        ],
        "reasons": reasons,
    }


def _scopes(section: Section, site: Site) -> dict[str, str]:
    """Every scope that the published comparisons narrow to, in labels."""
    rows = site.comparability[section.package.key].rows.values()
    return {
        scope: "; ".join(f"{variable}: {cells}" for variable, cells in section.scope(scope))
        for scope in dict.fromkeys(row["scope"] for several in rows for row in several if row["scope"])
    }


def entries(section: Section) -> list[list[str]]:
    """What can be found: kind, title, more words to find it by, and its address."""
    package, language = section.package, section.language
    strings = language.strings
    found = []
    for key in package.indicators:
        labels = [section.category(key, each) for each in package.categories[key]]
        more = " · ".join(labels) if len(labels) > 1 else language.plain(f"indicators.{key}.description")
        found.append([strings.plain("indicator"), section.indicator(key), more, f"indicators/{key}.html"])
    found += [
        [strings.plain("wave"), section.wave(key), f"{row['title']} · {row['producer']}", f"waves/{key}.html"]
        for key, row in package.waves.items()
    ]
    for key in package.catalogue.questions:
        text = language.plain(f"questions.{key}.text")
        label = language.plain(f"questions.{key}.label")
        found.append(
            [strings.plain("question"), label or text, text if label else "", f"codebook/{key}.html"]
        )
    return found
