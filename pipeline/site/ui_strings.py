"""The texts of the site itself: one TOML file for each language in ``ui_strings``, edited by translators.

Here belongs how a text is found and its gaps filled in. The texts of a barometer (labels, questions, rules)
come from its declarations and translations, by way of ``language``.
"""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path

from markupsafe import Markup, escape

FOLDER = Path(__file__).parent / "ui_strings"
OWN = "en"  # has every text


class UiStrings:
    """The texts of one language; one that is not translated yet is given in English, and tagged as such."""

    def __init__(self, language: str) -> None:
        self.language = language
        self._strings, self._own = load(language), load(OWN)

    def __getattr__(self, key: str) -> Markup:
        """A text by its key, as ``t.downloads``. Raises AttributeError when there is none."""
        if key.startswith("__"):
            raise AttributeError(key)
        return self.markup(key)

    def markup(self, key: str, **values: object) -> Markup:
        """A text with its gaps filled in; values that are not markup are escaped."""
        text = escape(self.plain_form(key)).format(**{name: escape(value) for name, value in values.items()})
        return Markup(text) if self.has(key) else Markup('<span lang="{}">{}</span>').format(OWN, text)

    def plain(self, key: str, **values: object) -> str:
        """The same as plain text, for attributes, scripts and pictures."""
        return self.plain_form(key).format(**values)

    def plain_form(self, key: str) -> str:
        """A text as in the file, its gaps not filled in. Raises AttributeError when there is none."""
        try:
            return self._strings.get(key) or self._own[key]
        except KeyError:
            raise AttributeError(key) from None

    def has(self, key: str) -> bool:
        """Whether there is a text in this language."""
        return self.language == OWN or bool(self._strings.get(key))

    def code(self, kind: str, code: str) -> Markup | str:
        """The text for a declared code, as ``verdict_caution``; the code itself where there is none."""
        key = f"{kind}_{code}"
        return self.markup(key) if key in self._own else code.replace("_", " ")


@cache
def load(language: str) -> dict[str, str]:
    """Every text of a language; empty where there is no file."""
    path = FOLDER / f"{language}.toml"
    return tomllib.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
