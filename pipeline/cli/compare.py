"""``barometer compare``: may two waves be compared on an indicator, why, and by how much do they differ?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import typer

from pipeline.cli.output import print_json
from pipeline.steps.pair import Row, compare_waves
from pipeline.warehouse import database


def compare(
    root: Path, waves: tuple[str, str], indicator: str, domain: str, lang: str, as_json: bool
) -> None:
    """Prints the verdict, its reasons in one sentence each, the facts side by side, and the numbers."""
    answer = compare_waves(root, waves, indicator, domain, lang)
    print_json(answer) if as_json else _print(answer, database(root).is_file())


def _print(answer: Row, built: bool) -> None:
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
        reason = (
            "none may be published, or one of the waves has no estimate"
            if built
            else "build them with `barometer run`"
        )
        typer.echo(f"no numbers: {reason}")
        return
    console.print(_table(answer["comparisons"], a, b, answer["verdict"]))


def _table(rows: list[Row], a: str, b: str, verdict: str) -> Any:
    """The numbers; which cell and which verdict only where they are not the same for all."""
    from rich.table import Column, Table

    cells = [" ".join(filter(None, (row["domain_code"] or row["domain"], row["standard"]))) for row in rows]
    several, judged = len(set(cells)) > 1, any(row["verdict"] != verdict for row in rows)
    values = (Column(name, overflow="fold") for name in (a, b))
    table = Table(
        Column("category", overflow="fold"),
        *(["cell"] if several else []),
        *values,
        "difference",
        "adjusted p",
    )
    if judged:
        table.add_column("verdict")
    for row, cell in zip(rows, cells, strict=True):
        texts = [
            "" if row[name] is None else _number(row[name]) for name in ("value_a", "value_b", "difference")
        ]
        if row["ci_low"] is not None:
            texts[2] += f" ({_number(row['ci_low'])} to {_number(row['ci_high'])})"
        p = "" if row["p_adjusted"] is None else _p_value(row["p_adjusted"])
        last = [row["verdict"]] if judged else []
        table.add_row(row["category"], *([cell] if several else []), *texts, p, *last)
    return table


def _number(value: float) -> str:
    """A number as published; a rounded 0 has no sign."""
    return f"{value or 0.0:g}"


def _p_value(p: float) -> str:
    """A p value in four decimals; none is 0."""
    return f"{p:.4f}" if p >= 0.00005 else "<0.0001"
