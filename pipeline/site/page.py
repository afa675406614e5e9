"""A page before it is rendered, and the data that every page draws on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pipeline.catalogue import Catalogue
from pipeline.site.comparability import PublishedVerdicts
from pipeline.site.language import Language, Section
from pipeline.site.package_reader import PackageData
from pipeline.site.releases import SiteRelease

POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data:",
    "connect-src": "'self'",
    "font-src": "'self'",
    "base-uri": "'none'",
    "form-action": "'self'",
}


def policy(**others: str) -> str:
    """The content security policy of a page; ``script_src`` and the like replace what all pages have."""
    rules = POLICY | {name.replace("_", "-"): value for name, value in others.items()}
    return "; ".join(f"{name} {value}" for name, value in rules.items())


@dataclass(frozen=True)
class Page:
    """One page in one language. ``path``: below language and package, the same in every language."""

    path: str
    template: str
    title: str
    context: Mapping[str, Any] = field(default_factory=dict)
    description: str = ""
    policy: str = policy()
    listed: bool = True  # in the sitemap


@dataclass(frozen=True)
class Site:
    """Everything that is shown: packages, languages, verdicts and releases."""

    catalogue: Catalogue
    packages: list[PackageData]
    languages: list[Language]
    sections: Mapping[tuple[str, str], Section]
    comparability: Mapping[str, PublishedVerdicts]
    releases: Mapping[str, list[SiteRelease]]
    sql: bool = False  # whether the engine of the SQL page is at hand
