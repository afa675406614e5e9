"""Names that differ in case alone: they become files and columns, which not every system can tell apart."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pipeline.catalogue.model import Catalogue
from pipeline.problems import Problem


def check_names(catalogue: Catalogue) -> Iterator[Problem]:
    """Variables, questions and items, bases, indicators, breakdowns, questionnaires, surveys and weights."""
    codebook, indicators = "schemas/codebook.toml", "schemas/indicators.toml"
    yield from _alike(codebook, "", [*catalogue.variables, *catalogue.questions])
    for question in catalogue.questions.values():
        yield from _alike(codebook, f"questions.{question.key}.items", question.items)
    yield from _alike(indicators, "bases", catalogue.bases)
    yield from _alike(indicators, "indicators", catalogue.indicators)
    yield from _alike("schemas/domains.toml", "domains", catalogue.domains)
    yield from _alike("schemas/instruments", "", catalogue.instruments)
    yield from _alike("schemas/waves", "survey", dict.fromkeys(w.survey for w in catalogue.waves.values()))
    weights = (name for wave in catalogue.waves.values() if wave.design for name in wave.design.weights)
    yield from _alike("schemas/waves", "design.weights", dict.fromkeys(weights))


def _alike(file: str, key: str, names: Iterable[str]) -> Iterator[Problem]:
    first: dict[str, str] = {}
    for name in names:
        other = first.setdefault(name.lower(), name)
        if other != name:
            hint = "Rename one of them: macOS, Windows and SQL cannot tell them apart."
            yield Problem(file, key, f"differs from {other} in case alone", hint, name)
