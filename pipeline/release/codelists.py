"""The rows of the code lists, which explain the keys: indicators, categories, domains, codebook,
translations.

Only declared facts and labels; of indicators, categories and domains only those that the estimates use.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from pipeline.catalogue import Catalogue, Condition, Indicator, Logic, Question, texts
from pipeline.catalogue.questionnaire import question_key

Row = dict[str, Any]


def indicator_rows(catalogue: Catalogue, estimates: pd.DataFrame) -> Iterator[Row]:
    """A row an indicator that the estimates use, in declared order."""
    present = set(estimates["indicator"])
    for key, indicator in catalogue.indicators.items():
        if key in present:
            yield {
                "indicator": key,
                "label": indicator.label or key,
                "description": indicator.description,
                "base": indicator.base,
                "base_label": catalogue.bases[indicator.base].label,
                "unit_measure": indicator.unit,
                "question": indicator.question or "",
                "formula": formula(indicator),
                "denominator": indicator.denominator,
                "version": indicator.version,
                "note": indicator.note,
            }


def formula(indicator: Indicator) -> str:
    """What an indicator counts, in the codes of the codebook."""
    if indicator.total:
        return f"weighted count of {indicator.total}"
    if indicator.mean:
        scores = ", ".join(f"{code}={score:g}" for code, score in indicator.scores.items())
        return f"mean of {indicator.mean}" + (f" ({scores})" if scores else "")
    if indicator.logic:
        return _logic_text(indicator.logic)
    return f"share of {indicator.question}" + (f"={'|'.join(indicator.codes)}" if indicator.codes else "")


def _logic_text(part: Logic | Condition) -> str:
    if isinstance(part, Condition):
        return str(part)
    return f"{part.operator}({', '.join(map(_logic_text, part.parts))})"


def category_rows(catalogue: Catalogue, estimates: pd.DataFrame) -> Iterator[Row]:
    """A row a category that the estimates use, in the order of its question."""
    present = set(zip(estimates["indicator"], estimates["category"], strict=True))
    for key, indicator in catalogue.indicators.items():
        labels = _category_labels(indicator, catalogue)
        order = [
            *labels,
            *sorted(category for owner, category in present if owner == key and category not in labels),
        ]
        for position, category in enumerate(order, start=1):
            if (key, category) in present:
                label = labels.get(category) or indicator.label or key
                yield {"indicator": key, "category": category, "label": label, "position": position}


def _category_labels(indicator: Indicator, catalogue: Catalogue) -> Mapping[str, str]:
    """The categories of a question's shares or means, in its own order; none for an indicator of one row."""
    key = catalogue.share_behind(indicator).question
    if indicator.mean and indicator.mean.endswith(".*"):
        key = question_key(indicator.mean)
    if key is None:
        return {}
    question = catalogue.questions[key]
    return question.items or question.codes


def domain_rows(catalogue: Catalogue, estimates: pd.DataFrame) -> Iterator[Row]:
    """A row a cell that the estimates use, in the order of its codes."""
    present = set(zip(estimates["domain"], estimates["domain_code"], strict=True))
    for key, domain in catalogue.domains.items():
        orders = [list(catalogue.variables[variable].codes) for variable in domain.by]
        cells = [code.split("*") if domain.by else [] for owner, code in present if owner == key]
        cells.sort(key=lambda cell: [codes.index(code) for codes, code in zip(orders, cell, strict=True)])
        name = (
            domain.label
            or ", ".join(catalogue.variables[variable].label for variable in domain.by)
            or "Total"
        )
        for position, cell in enumerate(cells, start=1):
            pairs = zip(domain.by, cell, strict=True)
            label = ", ".join(catalogue.variables[variable].codes[code] for variable, code in pairs)
            yield {
                "domain": key,
                "domain_code": "*".join(cell),
                "label": label or name,
                "domain_label": name,
                "variables": "*".join(domain.by),
                "position": position,
            }


def codebook_rows(catalogue: Catalogue) -> Iterator[Row]:
    """A row a code of every variable; a row a variable that holds a number."""
    for variable in catalogue.variables.values():
        for position, (code, label) in enumerate(variable.codes.items(), start=1):
            yield {
                "variable": variable.key,
                "code": code,
                "code_label": label,
                "position": position,
                "role": "background",
                "type": "single",
                "label": variable.label,
                "substantive": True,
                "note": variable.note,
            }
    for question in catalogue.questions.values():
        for answer in question.answers:
            yield from _answer_rows(question, answer)


def _answer_rows(question: Question, answer: str) -> Iterator[Row]:
    item = answer.partition(".")[2]
    for position, code in enumerate(question.answer_codes or ("",), start=1):
        yield {
            "variable": answer,
            "code": code,
            "code_label": question.codes.get(code, code.replace("_", " ").capitalize()),
            "position": position,
            "role": "answer",
            "type": question.type,
            "label": question.items.get(item) or question.label or question.text,
            "question": question.key,
            "question_text": question.text,
            "base": question.base,
            "substantive": not {code, item} & set(question.nonresponse),
            "max_choices": question.max_choices,
            "minimum": question.minimum,
            "maximum": question.maximum,
            "note": question.note,
        }


def translation_rows(catalogue: Catalogue) -> Iterator[Row]:
    """A row a text and language: all texts in the first language, those that are there in the others."""
    declared = texts(catalogue)
    for lang in catalogue.barometer.languages:
        localised = (
            declared if lang == catalogue.barometer.languages[0] else catalogue.translations.get(lang, {})
        )
        yield from (
            {"lang": lang, "key": key, "text": localised[key]} for key in declared if localised.get(key)
        )
