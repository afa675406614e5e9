"""What a barometer's declarations say in one language, ready for a page: labels, questions, rules.

A text that is not translated stands as declared, between tags that name its language and with a visible
mark. The interface's own words belong to ``ui_strings``, numbers to ``numbers``.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

from markupsafe import Markup, escape

from pipeline.catalogue import Catalogue, texts
from pipeline.release.labels import Labels, labels
from pipeline.site.numbers import Numbers, name_of
from pipeline.site.package_reader import PackageData
from pipeline.site.ui_strings import UiStrings


class Language:
    """One language of the site."""

    def __init__(self, code: str, catalogue: Catalogue) -> None:
        rounding = catalogue.barometer.rounding
        self.code, self.catalogue = code, catalogue
        self.name = name_of(code)
        self.strings = UiStrings(code)
        self.numbers = Numbers(code, rounding.total, rounding.breakdown)

    @cached_property
    def own(self) -> str:
        """The language of the declarations."""
        return self.catalogue.barometer.languages[0]

    @cached_property
    def _declared(self) -> Mapping[str, str]:
        return texts(self.catalogue)

    def plain(self, key: str) -> str:
        """A declared text as plain text, marked where it is not translated; blank where there is none."""
        text = self._declared.get(key, "")
        if not text or self.code == self.own:
            return text
        return self.catalogue.translations.get(self.code, {}).get(key) or f"{text} [{self.own}]"

    def say(self, key: str) -> Markup:
        """A declared text for a page."""
        return self.tagged(self.plain(key))

    def tagged(self, text: str) -> Markup:
        """A text that may end in the mark of a missing translation, its language told to machines as well."""
        mark = f" [{self.own}]"
        if self.code == self.own or not text.endswith(mark):
            return escape(text)
        said = Markup('<span lang="{}">{}</span> <span class="foreign">[{}]</span>')
        return said.format(self.own, text.removesuffix(mark), self.own)


class Section:
    """One package in one language: every label that its pages need."""

    def __init__(self, book: PackageData, language: Language) -> None:
        self.book, self.language = book, language
        self.labels: Labels = labels(book.catalogue, language.code, book.tables)

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
        country = self.book.waves[self.book.surveys[key][0]]["country"]
        several = sum(self.book.waves[waves[0]]["country"] == country for waves in self.book.surveys.values())
        return f"{self.country(country)} ({key})" if several > 1 else self.country(country)

    def wave(self, key: str) -> str:
        """A wave by its survey and edition."""
        row = self.book.waves[key]
        return f"{self.survey(row['survey'])} {row['edition']}"

    def scope(self, text: str) -> list[tuple[str, str]]:
        """A scope as published, ``variable=code|code`` or ``question=answer|answer`` a part, in labels."""
        say, parts = self.language.plain, []
        for part in text.split():
            name, _, codes = part.partition("=")
            question = self.language.catalogue.questions.get(name)
            place = f"questions.{name}" if question else f"variables.{name}"
            kind = "items" if question and question.items else "codes"
            said = ", ".join(say(f"{place}.{kind}.{code}") or code for code in codes.split("|"))
            parts.append((say(f"{place}.label") or say(f"{place}.text") or name, said))
        return parts
