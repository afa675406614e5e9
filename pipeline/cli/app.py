"""The command ``barometer``: its verbs and their options. What a verb does stands in a room of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from pipeline.cli.output import reporting

app = typer.Typer(
    name="barometer",
    help="Builds a barometer's declarations and raw survey files into open, documented indicators.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,  # they would print local values, and so respondents' answers
)

Json = Annotated[bool, typer.Option("--json", help="Report as JSON, for machines.")]
Waves = Annotated[
    list[str] | None, typer.Option("--wave", metavar="ID", help="Only this wave; may be repeated.")
]
Format = Annotated[
    Literal["table", "csv", "json"] | None, typer.Option("--format", help="How to show the rows.")
]


@app.callback()
def barometer(
    context: typer.Context,
    project: Annotated[
        Path,
        typer.Option(
            "--project", envvar="BAROMETER_PROJECT", help="The barometer's folder.", show_default="here"
        ),
    ] = Path(),
) -> None:
    """The folder every verb works on."""
    context.obj = project.resolve()


@app.command()
def check(context: typer.Context, as_json: Json = False) -> None:
    """Check every declaration against every other, without data; list all faults at once."""
    from pipeline.cli.check import check_declarations

    with reporting(as_json):
        check_declarations(context.obj, as_json)


@app.command()
def run(context: typer.Context, wave: Waves = None, as_json: Json = False) -> None:
    """Build waves, estimates, warehouse and candidate packages; redo only what changed."""
    from pipeline.cli.run import build

    with reporting(as_json):
        build(context.obj, wave or [], as_json)


@app.command()
def query(
    context: typer.Context,
    sql: Annotated[str, typer.Argument(help="One SQL statement; it can only read.")],
    form: Format = None,
    as_json: Json = False,
) -> None:
    """Read the warehouse with SQL: schemas published, statistics and microdata."""
    from pipeline.cli.query import show

    with reporting(as_json or form == "json"):
        show(context.obj, sql, "json" if as_json else form)


@app.command()
def ui(
    context: typer.Context,
    port: Annotated[int, typer.Option("--port", help="Where to listen on 127.0.0.1.")] = 3000,
) -> None:
    """Open Dagster on 127.0.0.1: the graph, the waves, their runs and checks."""
    from pipeline.cli.ui import open_dagster

    with reporting(as_json=False):
        open_dagster(context.obj, port)


@app.command("new-wave")
def new_wave(
    context: typer.Context,
    wave: Annotated[str, typer.Argument(metavar="ID", help="Key of the new wave, such as no-ks-2018.")],
    file: Annotated[Path, typer.Argument(help="Its raw file.")],
    instrument: Annotated[
        str, typer.Option(help="Its questionnaire; by default one named as the wave.")
    ] = "",
    as_json: Json = False,
) -> None:
    """Draft a wave file and a crosswalk from a raw file's variables, labels and codes."""
    from pipeline.cli.new_wave import draft

    with reporting(as_json):
        draft(context.obj, wave, file, instrument, as_json)
