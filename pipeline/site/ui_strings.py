"""The interface's own words: one TOML file a language in ``ui_strings``, edited by translators.

Here belongs how a word is found and filled in. What barometers themselves say (labels, questions, rules)
comes from their declarations and translations, by way of ``language``.
"""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path

from markupsafe import Markup, escape

FOLDER = Path(__file__).parent / "ui_strings"
OWN = "en"  # every word is there


class UiStrings:
    """The words of one language; one that is not translated yet stands in English, and is marked so."""

    def __init__(self, language: str) -> None:
        self.language = language
        self._strings, self._own = load(language), load(OWN)

    def __getattr__(self, key: str) -> Markup:
        """A word by its key, as ``t.downloads``. Raises AttributeError when there is no such word."""
        if key.startswith("__"):
            raise AttributeError(key)
        return self.say(key)

    def say(self, key: str, **values: object) -> Markup:
        """A sentence with its gaps filled in; values that are not markup are escaped."""
        text = escape(self.plain_form(key)).format(**{name: escape(value) for name, value in values.items()})
        return Markup(text) if self.has(key) else Markup('<span lang="{}">{}</span>').format(OWN, text)

    def plain(self, key: str, **values: object) -> str:
        """The same as plain text, for attributes, scripts and pictures."""
        return self.plain_form(key).format(**values)

    def plain_form(self, key: str) -> str:
        """A word as it stands in the file, its gaps open. Raises AttributeError when there is none."""
        try:
            return self._strings.get(key) or self._own[key]
        except KeyError:
            raise AttributeError(key) from None

    def has(self, key: str) -> bool:
        """Whether a word is there in this language."""
        return self.language == OWN or bool(self._strings.get(key))

    def code(self, kind: str, code: str) -> Markup | str:
        """The word for a declared code, as ``verdict_caution``; the code itself where there is none."""
        key = f"{kind}_{code}"
        return self.say(key) if key in self._own else code.replace("_", " ")


@cache
def load(language: str) -> dict[str, str]:
    """Every word of a language; empty where there is no file."""
    path = FOLDER / f"{language}.toml"
    return tomllib.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
