"""The texts of a barometer's declarations in one language, ready for a page: labels, questions, rules.

A text that is not translated is shown as declared, between tags that name its language and with a visible
mark. The texts of the site itself are in ``ui_strings``, the formats of numbers in ``numbers``.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

from markupsafe import Markup, escape

from pipeline.catalogue import Catalogue, texts
from pipeline.catalogue.scopes import parsed_scope
from pipeline.release.labels import Labels, labels
from pipeline.site.numbers import NumberFormat, name_of
from pipeline.site.package_reader import PackageData
from pipeline.site.ui_strings import OWN as PRODUCT
from pipeline.site.ui_strings import UiStrings


class Language:
    """One language of the site."""

    def __init__(self, code: str, catalogue: Catalogue) -> None:
        self.code, self.catalogue = code, catalogue
        self.name = name_of(code)
        self.strings = UiStrings(code)
        self.numbers = NumberFormat(code, catalogue.barometer.rounding)

    @cached_property
    def own(self) -> str:
        """The language of the declarations."""
        return self.catalogue.barometer.languages[0]

    @cached_property
    def _declared(self) -> Mapping[str, str]:
        return texts(self.catalogue)

    @cached_property
    def _product(self) -> Mapping[str, str]:
        """The sentences of the product's rules and verdicts, where the barometer declares none of its own."""
        rules = self.catalogue.comparability
        if rules.own:
            return {}
        found = {f"verdicts.{verdict}": f"verdict_text_{verdict}" for verdict in rules.verdicts}
        found |= {f"rules.{rule}.text": f"rule_text_{rule}" for rule in rules.rules}
        mark = f" [{PRODUCT}]"
        return {
            key: self.strings.plain(string) + ("" if self.strings.has(string) else mark)
            for key, string in found.items()
        }

    def plain(self, key: str) -> str:
        """A declared text as plain text, marked where it is not translated; blank where there is none.

        Of rules and verdicts that a barometer does not declare, the product's own text.
        """
        text = self._declared.get(key, "")
        if not text or self.code == self.own:
            return text or self._product.get(key, "")
        return self.catalogue.translations.get(self.code, {}).get(key) or f"{text} [{self.own}]"

    def base(self, key: str) -> Markup:
        """Whom a question is put to, or an indicator is about; a base that nobody labelled is everyone."""
        return self.markup(f"bases.{key}.label") or (self.strings.everyone if key == "all" else escape(key))

    def markup(self, key: str) -> Markup:
        """A declared text for a page, its language tagged where it is not translated."""
        return self.tagged(self.plain(key))

    def tagged(self, text: str) -> Markup:
        """A text for a page; one that ends in the mark of a missing translation has its language tagged."""
        for other in dict.fromkeys((self.own, PRODUCT)):
            if other != self.code and text.endswith(f" [{other}]"):
                marked = Markup('<span lang="{}">{}</span> <span class="foreign">[{}]</span>')
                return marked.format(other, text.removesuffix(f" [{other}]"), other)
        return escape(text)


class Section:
    """One package in one language: every label that its pages need."""

    def __init__(self, package: PackageData, language: Language) -> None:
        self.package, self.language = package, language
        self.labels: Labels = labels(package.catalogue, language.code, package.tables)

    def indicator(self, key: str) -> str:
        """The label of an indicator."""
        return self.labels.indicators[key]

    def category(self, indicator: str, key: str) -> str:
        """The label of a category."""
        return self.labels.categories[indicator, key]

    def cell(self, domain: str, code: str) -> str:
        """The label of a cell of a breakdown."""
        return self.labels.cells[domain, code]

    def domain(self, key: str) -> str:
        """The label of a breakdown."""
        return self.labels.domains[key]

    def country(self, code: str) -> str:
        """The name of a country."""
        return self.labels.countries[code]

    def survey(self, key: str) -> str:
        """A survey by its country, and by its key where the country has several."""
        code = self._country_of[key]
        return f"{self.country(code)} ({key})" if self._has_several(code) else self.country(code)

    def survey_title(self, key: str) -> str:
        """The title of a survey's newest wave, with its producer, as declared."""
        row = self.package.waves[self.package.surveys[key][-1]]
        return f"{row['title']}. {row['producer']}"

    def wave(self, key: str) -> str:
        """A wave by its survey and edition."""
        row = self.package.waves[key]
        return f"{self.survey(row['survey'])} {row['edition']}"

    def short_wave(self, key: str) -> str:
        """A wave for the head of a narrow column: by the code of its country, or by the key of its survey."""
        row = self.package.waves[key]
        return f"{row['survey'] if self._has_several(row['country']) else row['country']} {row['edition']}"

    @cached_property
    def _country_of(self) -> Mapping[str, str]:
        return {key: self.package.waves[waves[0]]["country"] for key, waves in self.package.surveys.items()}

    def _has_several(self, country: str) -> bool:
        """Whether a country has several surveys."""
        return list(self._country_of.values()).count(country) > 1

    def scope(self, text: str) -> list[tuple[str, str]]:
        """A scope as published, ``variable=code|code`` or ``question=answer|answer`` a part, in labels."""
        plain, parts = self.language.plain, []
        for name, codes in parsed_scope(text).items():
            question = self.language.catalogue.questions.get(name)
            key = f"questions.{name}" if question else f"variables.{name}"
            kind = "items" if question and question.items else "codes"
            labels = ", ".join(plain(f"{key}.{kind}.{code}") or code for code in codes)
            parts.append((plain(f"{key}.label") or plain(f"{key}.text") or name, labels))
        return parts
