"""The pages of surveys and of their waves: facts, trend, breakdowns, and each group against the total."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pipeline.site.charts import Dots, breakdown, scale_of
from pipeline.site.language import Section
from pipeline.site.numbers import DASH, TIMES
from pipeline.site.package_reader import Estimate, Row
from pipeline.site.page import Page, Site
from pipeline.site.pages.figures import over_time, ticks, written
from pipeline.site.pages.tables import flags, write

FACTS = ("unit", "mode", "respondent", "population", "sample", "respondents", "response_rate", "n")
METHOD = ("weighting_method", "stratified", "clustered", "replicate_method", "corrections")


def pages(section: Section, site: Site) -> Iterator[Page]:
    """The list of surveys, a page a survey and a page a wave."""
    package, strings = section.package, section.language.strings
    countries: dict[str, list[str]] = {}
    for survey, waves in package.surveys.items():
        countries.setdefault(package.waves[waves[0]]["country"], []).append(survey)
    yield Page(
        "surveys/index.html",
        "surveys.html.j2",
        strings.plain("surveys"),
        {"countries": list(countries.items())},
    )
    for survey, waves in package.surveys.items():
        context = {
            "survey": survey,
            "waves": waves,
            **_series(section, survey),
            **_headline(section, site, survey),
        }
        yield Page(f"surveys/{survey}.html", "survey.html.j2", section.survey(survey), context)
    for wave, row in package.waves.items():
        context = {
            "wave": row,
            "before_after": _neighbours(package.surveys[row["survey"]], wave),
            "facts": [(name, row[name]) for name in FACTS if name != "n" or row[name] is not None],
            "method": [(name, row[name]) for name in METHOD if row[name] not in (None, "", 0)],
            "published": row["source_kind"] == "figures",
            "margins": _margins(section, row["weighting_margins"]),
            "scope": section.scope(row["scope"]),
            "source": row,
            **_headline(section, site, row["survey"]),
            **_groups(section, wave),
            **_values(section, wave),
            "answered": list(_answered(section, wave)),
        }
        yield Page(f"waves/{wave}.html", "wave.html.j2", section.wave(wave), context)


def _margins(section: Section, text: str) -> list[str]:
    """The margins that weights meet, in labels."""
    plain = section.language.plain
    return [
        f" {TIMES} ".join(
            plain(f"variables.{name}.label") or plain(f"questions.{name}.text") or name
            for name in margin.split("*")
        )
        for margin in text.split("|")
        if margin
    ]


def _headline(section: Section, site: Site, survey: str) -> dict[str, Any]:
    key = section.package.headline
    single = len(section.package.categories[key]) == 1 and section.package.waves_of(key, survey)
    return {"headline": key, "figure": over_time(section, site, key, survey) if single else None}


def _series(section: Section, survey: str) -> dict[str, Any]:
    """Every indicator's values in the total, one column for each edition."""
    package = section.package
    rows, shown = [], []
    for indicator, categories in package.categories.items():
        for category in categories:
            cells = [package.total(indicator, wave, category) for wave in package.surveys[survey]]
            if any(cells):
                label = section.category(indicator, category) if len(categories) > 1 else ""
                change = _change(section, package.trends.get((survey, indicator, category)))
                rows.append((indicator, label, [write(section, cell) for cell in cells], change))
                shown += cells
    return {"rows": rows, "flags": flags(shown), "changes": any(row[-1] for row in rows)}


def _change(section: Section, row: Row | None) -> tuple[str, str] | None:
    """The yearly change and its interval, as written; None where none is published."""
    if row is None or row["change_per_year"] is None:
        return None
    numbers = section.language.numbers
    unit = section.package.indicators[row["indicator"]]["unit_measure"]
    decimals = numbers.rounding.decimals(unit, is_total=True)
    ends = (row["ci_low"], row["ci_high"])
    interval = f" {DASH} ".join(numbers.text(end, decimals) for end in ends) if None not in ends else ""
    return numbers.signed(row["change_per_year"], decimals), interval


def _values(section: Section, wave: str) -> dict[str, Any]:
    """Every indicator's value in the total of one wave."""
    cells = [
        cell for indicator in section.package.indicators for cell in section.package.totals(indicator, wave)
    ]
    several = section.package.categories
    rows = [
        (
            cell.indicator,
            section.category(cell.indicator, cell.category) if len(several[cell.indicator]) > 1 else "",
            write(section, cell),
        )
        for cell in cells
    ]
    return {"rows": rows, "flags": flags(cells), "noted": any(cell.note for cell in cells)}


def _answered(section: Section, wave: str) -> Iterator[tuple[str, str, str, str, str]]:
    """Item nonresponse as the published total tells it, of a wave of microdata: question, base, the answers,
    their share of all units where everyone was asked, and the share of answers that are none.

    Unpublished counts would tell hidden cells, so that only published cells are read. The items of a grid
    have bases of their own: the fewest answers and the most.
    """
    package, numbers = section.package, section.language.numbers
    catalogue, units = package.catalogue, package.waves[wave]["n"]
    if package.waves[wave]["source_kind"] == "figures" or not units:
        return
    seen: set[str] = set()
    for key in package.indicators:
        declared = catalogue.indicators[key]
        cells = [cell for cell in package.totals(key, wave) if cell.n is not None and cell.value is not None]
        if declared.question is None or declared.question in seen or not cells:
            continue
        seen.add(declared.question)
        question = catalogue.questions[declared.question]
        counts = sorted({cell.n for cell in cells if cell.n is not None})
        ends = dict.fromkeys((counts[0], counts[-1]))
        shares = dict.fromkeys(numbers.count(min(100 * n / units, 100)) for n in ends)
        everyone = catalogue.bases[declared.base].logic is None
        unknown = [cell for cell in cells if cell.category in question.nonresponse]
        whole = question.type == "single" and len(unknown) == len(question.nonresponse) > 0
        yield (
            question.key,
            declared.base,
            DASH.join(numbers.count(n) for n in ends),
            DASH.join(shares) + numbers.percent if everyone else "",
            numbers.value(unknown[0], sum(cell.value or 0 for cell in unknown)) + numbers.percent
            if whole
            else "",
        )


def _groups(section: Section, wave: str) -> dict[str, Any]:
    """The headline in every group of a wave, against the total; tested where the package has benchmarks."""
    package = section.package
    key, category = package.headline, package.categories[package.headline][0]
    total, cells = package.total(key, wave, category), package.cells.get((key, wave), {})
    panels: list[tuple[Dots, list[tuple[Estimate, Row]]]] = []
    tests = package.benchmarks.get((wave, key, category), {})
    if total and total.value is not None:
        whole = (total, f"{section.language.strings.plain('everyone')} {written(section, total)}")
        for domain in package.one_way:
            found = [cells.get((domain, code, category)) for code in package.domains[domain]["codes"]]
            groups = [cell for cell in found if cell]
            if not groups:
                continue
            scale = scale_of([total, *groups])
            rows = [
                (section.cell(domain, cell.domain_code), written(section, cell), [cell]) for cell in groups
            ]
            drawn = breakdown(section.domain(domain), rows, whole, scale, ticks(section, scale))
            panels.append((drawn, [(cell, tests.get((domain, cell.domain_code), {})) for cell in groups]))
    shown = [cell for _, rows in panels for cell, _ in rows]
    return {
        "panels": panels,
        "total": total,
        "measured": _measured(section, key, category),
        "group_flags": flags(shown),
        "tested": bool(tests),
        "differing": any(test.get("differs") for _, rows in panels for _, test in rows),
    }


def _measured(section: Section, indicator: str, category: str) -> str:
    """What a chart of one category shows: the indicator, and the category where there are several."""
    label = section.indicator(indicator)
    if len(section.package.categories[indicator]) == 1:
        return label
    return f"{label}: {section.category(indicator, category)}"


def _neighbours(waves: list[str], wave: str) -> tuple[str, str]:
    at = waves.index(wave)
    return waves[at - 1] if at else "", waves[at + 1] if at + 1 < len(waves) else ""
