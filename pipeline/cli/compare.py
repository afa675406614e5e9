"""``barometer compare``: may two waves be compared on an indicator, why, and by how much do they differ?

The verdict comes from the declarations alone and needs nothing built; the numbers are those of the warehouse.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import typer

from pipeline.catalogue import Catalogue, Wave, load_catalogue, text_in
from pipeline.catalogue.hints import hint
from pipeline.cli.output import print_json
from pipeline.comparison import Judgement, Known, Pair, response_rate, scope_text
from pipeline.contracts import literal
from pipeline.faults import Fault, FaultError
from pipeline.staleness.status import sound_wave
from pipeline.warehouse import database, query

NUMBERS = (
    "category", "domain", "domain_code", "standard", "scope", "value_a", "value_b", "difference", "se",
    "ci_low", "ci_high", "p_value", "p_adjusted", "p_distribution", "rank_a", "rank_b", "verdict", "reasons",
)  # fmt: skip
Row = dict[str, Any]


def compare(
    root: Path, waves: tuple[str, str], indicator: str, domain: str, lang: str, as_json: bool
) -> None:
    """Prints the verdict, its reasons in one sentence each, the facts side by side, and the numbers."""
    catalogue = load_catalogue(root)
    if catalogue.shared_faults:
        raise FaultError(catalogue.shared_faults)
    one, other = (sound_wave(key, catalogue) for key in waves)
    _known(indicator, catalogue.indicators, "--indicator", "an indicator")
    domain = domain or catalogue.total.key
    _known(domain, catalogue.domains, "--domain", "a breakdown")
    lang = lang or catalogue.barometer.languages[0]
    _known(lang, catalogue.barometer.languages, "--lang", "a language")
    if one.key == other.key:
        raise FaultError(Fault("WAVE_B", "", "is the same wave", "Name two waves.", other.key))
    pair = Pair(one, other, Known(catalogue))
    by = catalogue.domains[domain].by
    judged = pair.judge(indicator, by=by)
    answer = {
        "wave_a": one.key,
        "wave_b": other.key,
        "indicator": indicator,
        "verdict": judged.verdict,
        "text": sentence(catalogue, lang, f"verdicts.{judged.verdict}"),
        "reasons": _reasons(judged, catalogue, lang),
        "scope": scope_text(pair.used(indicator, by)),
        "waves": [_facts(wave, catalogue) for wave in (one, other)],
        "comparisons": _numbers(root, indicator, one.key, other.key, domain),
    }
    print_json(answer) if as_json else _say(answer, database(root).is_file())


def sentence(catalogue: Catalogue, lang: str, key: str) -> str:
    """The sentence of a verdict or a rule in a language; the product's own where no other is declared."""
    if catalogue.comparability.own:
        return text_in(catalogue, lang, key)[0]
    kind, name = key.split(".")[:2]
    rules, verdicts = catalogue.comparability.rules, catalogue.comparability.verdicts
    return rules[name].text if kind == "rules" else verdicts[name]


def _known(key: str, known: Any, option: str, what: str) -> None:
    if key not in known:
        mend = f"`barometer query` lists them: FROM published.indicators.{hint(key, list(known))}"
        mend = mend if option == "--indicator" else f"Use one of {', '.join(known)}.{hint(key, list(known))}"
        raise FaultError(Fault(option, "", f"is not {what} of this barometer", mend, key))


def _reasons(judged: Judgement, catalogue: Catalogue, lang: str) -> list[Row]:
    rules = catalogue.comparability.rules
    return [
        {"reason": key, "verdict": rules[key].verdict, "text": sentence(catalogue, lang, f"rules.{key}.text")}
        for key in judged.reasons
    ]


def _facts(wave: Wave, catalogue: Catalogue) -> Row:
    """What is declared of a wave that a reader should see beside its number; None where nothing is."""
    instrument, period, rate = (
        catalogue.instruments[wave.instrument],
        wave.reference_period,
        response_rate(wave),
    )
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


def _numbers(root: Path, indicator: str, one: str, other: str, domain: str) -> list[Row]:
    if not database(root).is_file():
        return []
    asked = ", ".join(literal(text) for text in (indicator, one, other))
    sql = f"SELECT {', '.join(NUMBERS)} FROM compare({asked}) WHERE domain = {literal(domain)}"
    return [dict(zip(NUMBERS, map(_plain, row), strict=True)) for row in query(root, sql).rows]


def _plain(value: Any) -> Any:
    return None if isinstance(value, float) and math.isnan(value) else value


def _say(answer: Row, built: bool) -> None:
    from rich.console import Console
    from rich.table import Column, Table

    a, b = answer["wave_a"], answer["wave_b"]
    typer.echo(f"{answer['indicator']}: {a} against {b}")
    typer.echo(f"{answer['verdict']}: {answer['text']}")
    for reason in answer["reasons"]:
        typer.echo(f"  {reason['reason']}: {reason['text']}")
    if answer["scope"]:
        typer.echo(f"shared scope: {answer['scope']}")
    facts = Table("declared", *(Column(wave["wave"], overflow="fold") for wave in answer["waves"]))
    for name in list(answer["waves"][0])[1:]:
        facts.add_row(
            name, *("not known" if wave[name] is None else str(wave[name]) for wave in answer["waves"])
        )
    console = Console()
    console.print(facts)
    if not answer["comparisons"]:
        why = (
            "none of them may be published, or one of the waves has no estimate"
            if built
            else "run `barometer run`"
        )
        typer.echo(f"no numbers: {why}")
        return
    console.print(_table(answer["comparisons"], a, b, answer["verdict"]))


def _table(rows: list[Row], a: str, b: str, verdict: str) -> Any:
    """The numbers; which cell and which verdict only where they are not the same for all."""
    from rich.table import Column, Table

    cells = [" ".join(filter(None, (row["domain_code"] or row["domain"], row["standard"]))) for row in rows]
    several, judged = len(set(cells)) > 1, any(row["verdict"] != verdict for row in rows)
    values = (Column(name, overflow="fold") for name in (a, b))
    table = Table("category", *(["cell"] if several else []), *values, "difference", "adjusted p")
    if judged:
        table.add_column("verdict")
    for row, cell in zip(rows, cells, strict=True):
        said = [
            "" if row[name] is None else f"{row[name]:g}" for name in ("value_a", "value_b", "difference")
        ]
        if row["ci_low"] is not None:
            said[2] += f" ({row['ci_low']:g} to {row['ci_high']:g})"
        p = "" if row["p_adjusted"] is None else f"{row['p_adjusted']:.4f}"
        last = [row["verdict"]] if judged else []
        table.add_row(row["category"], *([cell] if several else []), *said, p, *last)
    return table
