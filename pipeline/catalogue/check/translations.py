"""translations/: every translated text has the key of a declared text.

A missing text is not a problem: readers see the declarations' own, marked. ``gaps`` lists what is missing.
"""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.catalogue.hints import did_you_mean
from pipeline.catalogue.model import Catalogue
from pipeline.catalogue.texts import texts
from pipeline.problems import Problem


def check_translations(catalogue: Catalogue) -> Iterator[Problem]:
    """Translations whose key belongs to no text."""
    known = texts(catalogue)
    for language, translated in catalogue.translations.items():
        for key in translated:
            if key not in known:
                hint = f"Remove the line, or correct its key.{did_you_mean(key, list(known))}"
                yield Problem(f"schemas/translations/{language}.csv", key, "is not the key of a text", hint)


def gaps(catalogue: Catalogue) -> dict[str, list[str]]:
    """The keys each language has no text for."""
    known = texts(catalogue)
    return {
        language: [key for key in known if not translated.get(key)]
        for language, translated in catalogue.translations.items()
    }
