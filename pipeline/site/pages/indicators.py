"""The pages of indicators: the question, the chart, every value, and what may be compared."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import Any

from pipeline.site.charts import Figure
from pipeline.site.language import Section
from pipeline.site.package_reader import Estimate
from pipeline.site.page import Page, Site, policy
from pipeline.site.pages.figures import figures
from pipeline.site.pages.tables import (
    FRAME,
    MOST_MARKS,
    MOST_ROWS,
    MOST_WAVES,
    Table,
    flags,
    one_category,
    several_categories,
    within_budget,
    write,
)


def pages(section: Section, site: Site) -> Iterator[tuple[Page, list[Figure]]]:
    """A page for each indicator, with its charts."""
    for indicator in section.package.indicators:
        made = figures(section, site, indicator)
        yield (
            Page(
                f"indicators/{indicator}.html",
                "indicator.html.j2",
                section.indicator(indicator),
                {
                    "indicator": section.package.indicators[indicator],
                    **_drawn(made),
                    "several": len(section.package.categories[indicator]) > 1,
                    **_facts(section, indicator),
                    **_values(section, indicator),
                    **_breakdowns(section, indicator),
                    **_verdicts(section, site, indicator),
                },
                section.language.plain(f"indicators.{indicator}.description"),
            ),
            made,
        )


def embed(figure: Figure, indicator: str) -> Page:
    """The page of a single chart, for other sites to embed in a frame."""
    context = {"figure": figure, "indicator": indicator}
    return Page(
        f"embed/{figure.key}.html", "embed.html.j2", figure.title, context, policy=policy(), listed=False
    )


def _drawn(made: list[Figure]) -> dict[str, Any]:
    """The charts that fit on the page, the first one always; the others are linked."""
    fit: list[Figure] = []
    marks = 0
    for figure in made:
        marks += figure.marks + FRAME
        if not fit or marks <= MOST_MARKS:
            fit.append(figure)
    return {"figures": fit, "elsewhere": [figure for figure in made if figure not in fit]}


def _facts(section: Section, indicator: str) -> dict[str, Any]:
    """What is measured: the questions it rests on, and whom they were put to."""
    row, language = section.package.indicators[indicator], section.language
    declared = section.package.catalogue.indicators[indicator]
    return {
        "description": language.markup(f"indicators.{indicator}.description"),
        "questions": [
            (key, language.markup(f"questions.{key}.text"))
            for key in section.package.catalogue.questions_of(declared)
        ],
        "base": language.base(row["base"]),
    }


def _values(section: Section, indicator: str) -> dict[str, Any]:
    """Every value in the total, by survey and edition; at most as many as a page holds."""
    package = section.package
    every = [
        cell
        for waves in package.surveys.values()
        for wave in waves
        for cell in package.totals(indicator, wave)
    ]
    shown = every[:MOST_ROWS]
    rows = [
        (
            package.waves[cell.wave]["survey"],
            cell.wave,
            section.category(indicator, cell.category),
            write(section, cell),
        )
        for cell in shown
    ]
    return {
        "rows": rows,
        "flags": flags(shown),
        "noted": any(cell.note for cell in shown),
        "more_rows": len(every) > len(shown),
    }


def _breakdowns(section: Section, indicator: str) -> dict[str, Any]:
    """Breakdowns by one variable: all editions of a single share, else the newest edition of each survey."""
    package, found = section.package, []
    for survey in package.surveys:
        waves = [wave for wave in package.surveys[survey] if (indicator, wave) in package.cells]
        if not waves:
            continue
        if len(package.categories[indicator]) == 1:
            found.append((section.survey(survey), list(one_category(section, indicator, survey))))
        else:
            found.append((section.wave(waves[-1]), list(several_categories(section, indicator, waves[-1]))))
    fit, left_out = within_budget(found)
    return {
        "breakdowns": fit,
        "left_out": left_out,
        "breakdown_flags": flags(_shown(section, indicator, fit)),
    }


def _shown(section: Section, indicator: str, fit: list[tuple[str, list[Table]]]) -> list[Estimate]:
    """The cells of breakdowns by one variable; none where no breakdown is shown."""
    package = section.package
    every = [cell for wave in package.waves for cell in package.cells.get((indicator, wave), {}).values()]
    return [cell for cell in every if fit and cell.domain in package.one_way]


def _verdicts(section: Section, site: Site, indicator: str) -> dict[str, Any]:
    """The verdict on every two waves, as a table of waves by waves, with the reasons that occur."""
    verdicts = site.comparability[section.package.key]
    waves = [wave for wave in section.package.waves if next(section.package.totals(indicator, wave), None)]
    if len(waves) > MOST_WAVES:
        newest = (section.package.waves_of(indicator, survey) for survey in section.package.surveys)
        waves = [several[-1] for several in newest if several][:MOST_WAVES]
    if not verdicts.known or len(waves) < 2:
        return {"matrix": [], "matrix_waves": [], "reasons": [], "comparisons_known": verdicts.known}
    found = {pair: verdicts.verdict(indicator, *pair) for pair in combinations(waves, 2)}
    why = {pair: verdicts.decisive(verdict) for pair, verdict in found.items()}
    reasons = list(dict.fromkeys(key for keys in why.values() for key in keys))
    number = {key: at for at, key in enumerate(reasons, start=1)}
    matrix = []
    for wave in waves:
        row = []
        for other in waves:
            pair = (wave, other) if (wave, other) in found else (other, wave)
            row.append((found[pair].verdict, [number[key] for key in why[pair]]) if pair in found else None)
        matrix.append((wave, row))
    texts = [section.language.markup(f"rules.{key}.text") or key for key in reasons]
    return {"matrix": matrix, "matrix_waves": waves, "reasons": texts, "comparisons_known": True}
