"""The charts of an indicator: small multiples over time for one share, rows of dots for several."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.site.charts import Dots, Figure, PanelGroup, Scale, Trend, categories, scale_of, trend, zoomed
from pipeline.site.comparability import Group
from pipeline.site.language import Section
from pipeline.site.package_reader import Estimate
from pipeline.site.page import Site

EDITIONS = 4  # of a survey that one row of dots shows


def figures(section: Section, site: Site, indicator: str) -> list[Figure]:
    """The charts of an indicator: one for all surveys, or one for each survey where it has several
    categories.

    None where nothing is published for the total.
    """
    if not any(section.package.waves_of(indicator, survey) for survey in section.package.surveys):
        return []
    if len(section.package.categories[indicator]) == 1:
        return [over_time(section, site, indicator)]
    return list(_by_survey(section, site, indicator))


def over_time(section: Section, site: Site, indicator: str, survey: str = "") -> Figure:
    """A share over time: a panel for each survey, in groups that may be read together; or one survey only."""
    package, verdicts = section.package, site.comparability[section.package.key]
    groups = [Group([survey])] if survey else verdicts.groups(indicator)
    category = package.categories[indicator][0]
    waves = {key: package.waves_of(indicator, key) for group in groups for key in group.surveys}
    cells = [package.total(indicator, wave, category) for keys in waves.values() for wave in keys]
    times = [package.waves[wave]["time_period"] for keys in waves.values() for wave in keys]
    span, scale = (min(times), max(times)), zoomed(cell for cell in cells if cell)
    blocks = [
        PanelGroup(
            [_panel(section, site, indicator, key, waves[key], span, scale) for key in group.surveys],
            *_why(section, site, group, is_first=group is groups[0]),
        )
        for group in groups
    ]
    return _figure(section, indicator, f"{indicator}.{survey}" if survey else indicator, blocks, survey, [])


def _panel(
    section: Section,
    site: Site,
    indicator: str,
    survey: str,
    waves: list[str],
    span: tuple[int, int],
    scale: Scale,
) -> Trend:
    package, numbers = section.package, section.language.numbers
    points = []
    for wave in waves:
        row = package.waves[wave]
        cell = package.total(indicator, wave, package.categories[indicator][0])
        text = written(section, cell)
        interval = f"({numbers.interval(cell)})" if cell and numbers.interval(cell) else ""
        points.append((row["time_period"], row["edition"], text, interval, cell))
    between = site.comparability[package.key].breaks(indicator, waves)
    return trend(section.survey(survey), points, between, span, scale, ticks(section, scale))


def _by_survey(section: Section, site: Site, indicator: str) -> Iterator[Figure]:
    package = section.package
    scale = scale_of(cell for wave in package.waves for cell in package.totals(indicator, wave))
    groups = site.comparability[package.key].groups(indicator)
    for group in groups:
        heading, note = _why(section, site, group, is_first=group is groups[0])
        for survey in group.surveys:
            panel, apart = _newest_panel(section, site, indicator, survey, scale)
            block = PanelGroup([panel], heading if note else "", note)
            yield _figure(section, indicator, f"{indicator}.{survey}", [block], survey, apart)


def _newest_panel(
    section: Section, site: Site, indicator: str, survey: str, scale: Scale
) -> tuple[Dots, list[str]]:
    """The panel of a survey's newest edition and those beside it, and why others are not drawn."""
    package = section.package
    waves = package.waves_of(indicator, survey)
    newest = waves[-1]
    older = [wave for wave in reversed(waves[:-1]) if _may_join(site, section, indicator, newest, wave)]
    drawn = [newest, *older][:EDITIONS]
    rows = []
    for category in package.categories[indicator]:
        cells = [
            package.total(indicator, wave, category)
            if wave == newest or _may_join(site, section, indicator, newest, wave, category)
            else None
            for wave in drawn
        ]
        if any(cells):
            rows.append((section.category(indicator, category), written(section, cells[0]), cells))
    legend = [str(package.waves[wave]["edition"]) for wave in drawn]
    title = section.survey(survey) if older else section.wave(newest)
    panel = categories(title, rows, legend, scale, ticks(section, scale))
    left_out = [wave for wave in waves[:-1] if wave not in drawn]
    return panel, list(_apart(section, site, indicator, newest, left_out))


def _may_join(
    site: Site, section: Section, indicator: str, newest: str, wave: str, category: str = ""
) -> bool:
    verdict = site.comparability[section.package.key].verdict(indicator, newest, wave, category)
    return verdict.beside and not verdict.breaks


def _apart(section: Section, site: Site, indicator: str, newest: str, waves: list[str]) -> Iterator[str]:
    """Why an edition is not drawn beside the newest one."""
    strings = section.language.strings
    for wave in waves:
        verdicts = site.comparability[section.package.key]
        verdict = verdicts.verdict(indicator, newest, wave)
        if verdict.verdict != "unknown" and not (verdict.beside and not verdict.breaks):
            reasons = " ".join(
                section.language.plain(f"rules.{key}.text") or key for key in verdicts.decisive(verdict)
            )
            yield strings.plain("not_drawn", wave=section.package.waves[wave]["edition"], reasons=reasons)


def _why(section: Section, site: Site, group: Group, is_first: bool) -> tuple[str, str]:
    """Heading and note of a group of surveys."""
    strings = section.language.strings
    if not site.comparability[section.package.key].known:
        return "", ""
    if is_first:
        return (strings.plain("side_by_side"), "") if len(group.surveys) > 1 else ("", "")
    reasons = " ".join(section.language.plain(f"rules.{key}.text") or key for key in group.reasons)
    return strings.plain("stands_apart"), reasons


def _figure(
    section: Section, indicator: str, key: str, blocks: list[PanelGroup], survey: str, notes: list[str]
) -> Figure:
    strings, package = section.language.strings, section.package
    unit = package.indicators[indicator]["unit_measure"]
    level = section.language.numbers.count(100 * package.catalogue.barometer.estimation.confidence)
    given = {"draft_short": package.unconfirmed, "synthetic_short": package.synthetic}
    marks = [mark for mark, holds in given.items() if holds]
    return Figure(
        key=key,
        title=section.indicator(indicator),
        subtitle=strings.plain(f"unit_{unit}") + ". " + strings.plain("bars_are_intervals", level=level),
        blocks=blocks,
        source=strings.plain("source", title=section.labels.title, version=package.version),
        warning=". ".join(strings.plain(mark) for mark in marks),
        survey=survey,
        notes=notes,
    )


def written(section: Section, cell: Estimate | None) -> str:
    """A value as a chart shows it: the number, or that it is hidden."""
    if cell is None or cell.value is None:
        return ":"
    return section.language.numbers.value(cell)


def ticks(section: Section, scale: Scale) -> list[str]:
    """The values that an axis names."""
    whole = all(float(tick).is_integer() for tick in scale.ticks)
    return [section.language.numbers.text(tick, 0 if whole else None) for tick in scale.ticks]
