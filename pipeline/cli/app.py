"""The command ``barometer``: its verbs and their options. What a verb does stands in a module of its own."""

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
Packages = Annotated[
    list[str] | None, typer.Option("--package", metavar="P", help="Only this package; may be repeated.")
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
def init(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="Its folder, made here; by default this folder.")] = "",
    file: Annotated[
        Path | None, typer.Option("--from", metavar="FILE", help="A delivered file to draft it from.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Begin a barometer: a small one that runs, with synthetic data, or a draft from a delivered file."""
    from pipeline.cli.init import begin

    with reporting(as_json):
        begin(context.obj, name, file, as_json)


@app.command()
def check(context: typer.Context, as_json: Json = False) -> None:
    """Check every declaration against every other, without data; list all problems at once."""
    from pipeline.cli.check import check_declarations

    with reporting(as_json):
        check_declarations(context.obj, as_json)


@app.command()
def schema(
    folder: Annotated[
        Path | None, typer.Argument(help="Where to write them; without it they are printed.")
    ] = None,
    markdown: Annotated[
        bool, typer.Option("--markdown", help="Print the tables of the keys instead.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Give the JSON Schema of every declaration file, for editors that complete and mark TOML."""
    from pipeline.cli.schema import write

    with reporting(as_json):
        write(folder, markdown, as_json)


@app.command()
def run(context: typer.Context, wave: Waves = None, as_json: Json = False) -> None:
    """Build waves, estimates, warehouse and candidate packages; redo only what changed."""
    from pipeline.cli.run import build

    with reporting(as_json):
        build(context.obj, wave or [], as_json)


@app.command()
def release(context: typer.Context, package: Packages = None, as_json: Json = False) -> None:
    """Seal the candidates as releases: immutable, checked again, and with a version that fits the changes."""
    from pipeline.cli.release import seal

    with reporting(as_json):
        seal(context.obj, package or [], as_json)


@app.command()
def verify(
    context: typer.Context,
    path: Annotated[Path, typer.Argument(help="The folder of a sealed release, or its zip.")],
    as_json: Json = False,
) -> None:
    """Rebuild a sealed release from raw files and compare it byte for byte."""
    from pipeline.cli.verify import check_release

    with reporting(as_json):
        check_release(context.obj, path, as_json)


@app.command()
def diff(
    context: typer.Context,
    old: Annotated[str, typer.Argument(help="A package folder, PACKAGE@VERSION or candidate.")],
    new: Annotated[str, typer.Argument(help="The same of the other side.")],
    as_json: Json = False,
) -> None:
    """Show what one release changed of another, cell by cell, and which version it calls for."""
    from pipeline.cli.diff import show

    with reporting(as_json):
        show(context.obj, old, new, as_json)


@app.command()
def publish(
    context: typer.Context,
    destination: Annotated[str, typer.Argument(help="A folder, or s3://BUCKET/PREFIX.")],
    package: Packages = None,
    as_json: Json = False,
) -> None:
    """Send the releases to a folder or a bucket; what lies there is not sent again."""
    from pipeline.cli.publish import send

    with reporting(as_json):
        send(context.obj, destination, package or [], as_json)


@app.command()
def withdraw(
    context: typer.Context,
    package: Annotated[str, typer.Argument(help="The package.")],
    version: Annotated[str, typer.Argument(help="The release that should not have been.")],
    reason: Annotated[str, typer.Option("--reason", help="Why, for its readers.")],
    date: Annotated[str, typer.Option("--date", metavar="YYYY-MM-DD", help="The day of the withdrawal.")],
    as_json: Json = False,
) -> None:
    """Take the data of a release away and leave a tombstone with date and reason."""
    from pipeline.cli.withdraw import take_back

    with reporting(as_json):
        take_back(context.obj, package, version, reason, date, as_json)


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
def compare(
    context: typer.Context,
    wave_a: Annotated[str, typer.Argument(metavar="WAVE_A", help="Key of a wave.")],
    wave_b: Annotated[str, typer.Argument(metavar="WAVE_B", help="Key of the wave to set it against.")],
    indicator: Annotated[str, typer.Option("--indicator", help="Key of what is compared.")],
    domain: Annotated[
        str, typer.Option("--domain", help="Breakdown whose cells are compared; the total by default.")
    ] = "",
    lang: Annotated[str, typer.Option("--lang", help="Language of the sentences.")] = "",
    as_json: Json = False,
) -> None:
    """May two waves be compared on an indicator, why or why not, and by how much do they differ?"""
    from pipeline.cli.compare import compare as answer

    with reporting(as_json):
        answer(context.obj, (wave_a, wave_b), indicator, domain, lang, as_json)


@app.command()
def ui(
    context: typer.Context,
    port: Annotated[int, typer.Option("--port", help="Where to listen on 127.0.0.1.")] = 3000,
) -> None:
    """Open Dagster on 127.0.0.1: the graph, the waves, their runs and checks."""
    from pipeline.cli.ui import open_dagster

    with reporting(as_json=False):
        open_dagster(context.obj, port)


@app.command()
def serve(
    context: typer.Context,
    port: Annotated[int, typer.Option("--port", help="Where to listen; 0 for any free one.")] = 8000,
) -> None:
    """Open the catalogue site on 127.0.0.1."""
    from pipeline.cli.serve import serve_site

    with reporting(as_json=False):
        serve_site(context.obj, port)


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
