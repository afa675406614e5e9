"""May two waves be compared on an indicator, why, and by how much do they differ?

The verdict comes from the declarations and needs nothing built; whether units answered in both is seen in
the ids too, once the waves are harmonised. The numbers are those of the warehouse.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pipeline.catalogue import Catalogue, Wave, load_catalogue, text_in
from pipeline.catalogue.hints import did_you_mean
from pipeline.catalogue.scopes import scope_text
from pipeline.comparison import Judgement, Pair, WaveFacts
from pipeline.contracts import literal
from pipeline.problems import Problem, ProblemError
from pipeline.staleness.status import wave_problems
from pipeline.steps.comparisons import unit_ids
from pipeline.warehouse import database, query

NUMBER_COLUMNS = (
    "category", "domain", "domain_code", "standard", "scope", "value_a", "value_b", "difference", "se",
    "ci_low", "ci_high", "p_value", "p_adjusted", "p_distribution", "rank_a", "rank_b", "verdict", "reasons",
)  # fmt: skip
Row = dict[str, Any]


def compare_waves(
    root: Path, waves: tuple[str, str], indicator: str, domain: str = "", lang: str = ""
) -> Row:
    """The verdict, its reasons in a sentence each, the facts side by side and the numbers, as plain values.

    Raises ProblemError when the declarations are at fault, a name is not known, or the waves cannot be set
    against each other at all.
    """
    catalogue = load_catalogue(root)
    if catalogue.shared_problems:
        raise ProblemError(catalogue.shared_problems)
    domain = domain or catalogue.total.key
    lang = lang or catalogue.barometer.languages[0]
    problems = [problem for key in dict.fromkeys(waves) for problem in wave_problems(key, catalogue)]
    problems += [
        *_unknown(indicator, catalogue.indicators, "--indicator", "an indicator"),
        *_unknown(domain, catalogue.domains, "--domain", "a breakdown"),
        *_unknown(lang, catalogue.barometer.languages, "--lang", "a language"),
    ]
    if problems:
        raise ProblemError(problems)
    wave_a, wave_b = (catalogue.waves[key] for key in waves)
    if wave_a.key == wave_b.key:
        raise ProblemError(
            Problem("WAVE_B", "", "is the same wave as WAVE_A", "Name two different waves.", wave_b.key)
        )
    pair = Pair(wave_a, wave_b, WaveFacts(catalogue, lambda wave: unit_ids(wave, catalogue)))
    by = catalogue.domains[domain].by
    judged = pair.judge(indicator, by=by)
    return {
        "wave_a": wave_a.key,
        "wave_b": wave_b.key,
        "indicator": indicator,
        "verdict": judged.verdict,
        "text": sentence(catalogue, lang, f"verdicts.{judged.verdict}"),
        "reasons": _reasons(judged, catalogue, lang),
        "scope": scope_text(pair.used(indicator, by)),
        "waves": [_facts(wave, catalogue) for wave in (wave_a, wave_b)],
        "comparisons": _numbers(root, indicator, wave_a.key, wave_b.key, domain),
    }


def sentence(catalogue: Catalogue, lang: str, key: str) -> str:
    """The sentence of a verdict or a rule in a language; the product's own where no other is declared."""
    if catalogue.comparability.own:
        return text_in(catalogue, lang, key)[0]
    kind, name = key.split(".")[:2]
    rules, verdicts = catalogue.comparability.rules, catalogue.comparability.verdicts
    return rules[name].text if kind == "rules" else verdicts[name]


def _unknown(key: str, known: Any, option: str, what: str) -> Iterator[Problem]:
    if key not in known:
        hint = f"`barometer query 'FROM published.indicators'` lists them.{did_you_mean(key, list(known))}"
        hint = (
            hint
            if option == "--indicator"
            else f"Use one of {', '.join(known)}.{did_you_mean(key, list(known))}"
        )
        yield Problem(option, "", f"is not {what} of this barometer", hint, key)


def _reasons(judged: Judgement, catalogue: Catalogue, lang: str) -> list[Row]:
    rules = catalogue.comparability.rules
    return [
        {"reason": key, "verdict": rules[key].verdict, "text": sentence(catalogue, lang, f"rules.{key}.text")}
        for key in judged.reasons
    ]


def _facts(wave: Wave, catalogue: Catalogue) -> Row:
    """The declared facts of a wave that belong beside its number; None where nothing is declared."""
    instrument, period = catalogue.instruments[wave.instrument], wave.reference_period
    rate = wave.response.known_rate
    weighting = wave.weighting
    margins = "|".join("*".join(margin) for margin in weighting.margins) if weighting else ""
    return {
        "wave": wave.key,
        "unit": wave.unit,
        "verb": instrument.unit_verb or None,
        "about": instrument.about or None,
        "reference period": f"{period.start} to {period.end}",
        "scope": scope_text(wave.scope) or "all",
        "weighting": f"{weighting.method} {margins}".strip() if weighting else None,
        "mode": wave.mode or None,
        "respondent": wave.respondent or None,
        "respondents": wave.response.respondents,
        "response rate": None if rate is None else round(rate, 1),
        "source": wave.source.kind,
    }


def _numbers(root: Path, indicator: str, wave_a: str, wave_b: str, domain: str) -> list[Row]:
    if not database(root).is_file():
        return []
    arguments = ", ".join(literal(text) for text in (indicator, wave_a, wave_b))
    sql = f"SELECT {', '.join(NUMBER_COLUMNS)} FROM compare({arguments}) WHERE domain = {literal(domain)}"
    return [dict(zip(NUMBER_COLUMNS, map(_plain, row), strict=True)) for row in query(root, sql).rows]


def _plain(value: Any) -> Any:
    return None if isinstance(value, float) and math.isnan(value) else value
