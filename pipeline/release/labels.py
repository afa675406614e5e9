"""Every label of a package in one language; where there is none, the declared text, visibly marked.

The labels are those of the published code lists, made from translated declarations.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import pyarrow as pa
from babel import Locale, UnknownLocaleError

from pipeline.catalogue import Catalogue
from pipeline.release.codelists import category_rows, domain_rows, indicator_rows

Pair = tuple[str, str]


@dataclass(frozen=True)
class Labels:
    """The labels of one language by key; a text that is not translated ends in ``mark``."""

    language: str
    mark: str
    title: str
    description: str
    indicators: Mapping[str, str]
    categories: Mapping[Pair, str]  # (indicator, category)
    domains: Mapping[str, str]
    cells: Mapping[Pair, str]  # (domain, domain_code)
    countries: Mapping[str, str]

    def is_translated(self, label: str) -> bool:
        """Whether a label is wholly in this language."""
        return not self.mark or self.mark not in label

    def foreign(self, text: str) -> str:
        """A text that stands only in the language of the declarations."""
        return text + self.mark


def labels(catalogue: Catalogue, language: str, rows: Mapping[str, pa.Table]) -> Labels:
    """The labels of what is in the published tables ``rows``, in one of the barometer's languages."""
    own = catalogue.barometer.languages[0]
    mark = "" if language == own else f" [{own}]"
    localised = translated(catalogue, language, mark)
    frames = {name: rows[name].to_pandas() for name in ("indicators", "categories", "domains")}
    cells = list(domain_rows(localised, frames["domains"]))
    return Labels(
        language=language,
        mark=mark,
        title=localised.barometer.title,
        description=localised.barometer.description,
        indicators={
            row["indicator"]: row["label"] for row in indicator_rows(localised, frames["indicators"])
        },
        categories={
            (row["indicator"], row["category"]): row["label"]
            for row in category_rows(localised, frames["categories"])
        },
        domains={row["domain"]: row["domain_label"] for row in cells},
        cells={(row["domain"], row["domain_code"]): row["label"] for row in cells},
        countries={code: _country(code, language) for code in rows["waves"]["country"].unique().to_pylist()},
    )


def translated(catalogue: Catalogue, language: str, mark: str) -> Catalogue:
    """The declarations with their texts in a language; a text that is not there is followed by ``mark``."""

    localised = catalogue.translations.get(language, {})

    def text_of(key: str, text: str) -> str:
        return text and (localised.get(key) or text + mark)

    def all_of(prefix: str, declared: Mapping[str, str]) -> dict[str, str]:
        return {code: text_of(f"{prefix}.{code}", text) for code, text in declared.items()}

    barometer = catalogue.barometer
    return replace(
        catalogue,
        barometer=replace(
            barometer,
            title=text_of("barometer.title", barometer.title),
            description=text_of("barometer.description", barometer.description),
        ),
        variables={
            key: replace(
                each,
                label=text_of(f"variables.{key}.label", each.label),
                codes=all_of(f"variables.{key}.codes", each.codes),
            )
            for key, each in catalogue.variables.items()
        },
        questions={
            key: replace(
                each,
                items=all_of(f"questions.{key}.items", each.items),
                codes=all_of(f"questions.{key}.codes", each.codes),
            )
            for key, each in catalogue.questions.items()
        },
        indicators={
            key: replace(each, label=text_of(f"indicators.{key}.label", each.label))
            for key, each in catalogue.indicators.items()
        },
        domains={
            key: replace(
                each, label=_domain(each.label, bool(each.by), f"domains.{key}.label", text_of, mark)
            )
            for key, each in catalogue.domains.items()
        },
    )


def _domain(label: str, parted: bool, key: str, text_of: Callable[[str, str], str], mark: str) -> str:
    """A breakdown's own label; the total, where nobody named it, has the product's own word."""
    return text_of(key, label) if label or parted else f"Total{mark}"


def _country(code: str, language: str) -> str:
    """The name of a country in a language, by ISO 3166-1; English, or the code, where there is none."""
    english = Locale("en").territories
    try:
        names = Locale.parse(language, sep="-").territories
    except (UnknownLocaleError, ValueError):
        names = english
    name: str = names.get(code) or english.get(code, code)
    return name
