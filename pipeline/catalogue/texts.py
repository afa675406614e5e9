"""Every text of the declarations by its key, and the same text in another language."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipeline.catalogue.model import Catalogue


def texts(catalogue: Catalogue) -> Mapping[str, str]:
    """Every text that can be translated, in the language of the declarations, by its TOML path."""
    barometer = catalogue.barometer
    found = {"barometer.title": barometer.title, "barometer.description": barometer.description}
    for variable in catalogue.variables.values():
        path = f"variables.{variable.key}"
        found[f"{path}.label"] = variable.label
        found |= {f"{path}.codes.{code}": label for code, label in variable.codes.items()}
    for question in catalogue.questions.values():
        path = f"questions.{question.key}"
        found |= {f"{path}.label": question.label, f"{path}.text": question.text}
        found |= {f"{path}.items.{item}": label for item, label in question.items.items()}
        found |= {f"{path}.codes.{code}": label for code, label in question.codes.items()}
    for base in catalogue.bases.values():
        found[f"bases.{base.key}.label"] = base.label
    for indicator in catalogue.indicators.values():
        path = f"indicators.{indicator.key}"
        found |= {f"{path}.label": indicator.label, f"{path}.description": indicator.description}
    for domain in catalogue.domains.values():
        found[f"domains.{domain.key}.label"] = domain.label
    found |= catalogue.comparability.texts()
    return {key: text for key, text in found.items() if text}


def text_in(catalogue: Catalogue, language: str, key: str) -> tuple[str, bool]:
    """A text in a language and True; where there is no translation, the declarations' own text and False.

    Raises KeyError when no declaration has this key.
    """
    own = texts(catalogue)[key]
    if language == catalogue.barometer.languages[0]:
        return own, True
    translated = catalogue.translations.get(language, {}).get(key, "")
    return (translated, True) if translated else (own, False)
