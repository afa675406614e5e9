"""translations/: every language has its file, and every text of it a key that is still there.

A missing text is no problem (readers see the English one, marked); ``gaps`` lists them for the translator.
"""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.catalogue.hints import did_you_mean
from pipeline.catalogue.model import Catalogue
from pipeline.catalogue.texts import texts
from pipeline.problems import Problem


def check_translations(catalogue: Catalogue) -> Iterator[Problem]:
    """Texts whose key is gone."""
    known = texts(catalogue)
    for language, translated in catalogue.translations.items():
        for key in translated:
            if key not in known:
                hint = f"Remove the line.{did_you_mean(key, list(known))}"
                yield Problem(f"schemas/translations/{language}.csv", key, "is no longer used", hint)


def gaps(catalogue: Catalogue) -> dict[str, list[str]]:
    """The keys each language has no text for."""
    known = texts(catalogue)
    return {
        language: [key for key in known if not translated.get(key)]
        for language, translated in catalogue.translations.items()
    }
