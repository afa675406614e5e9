"""The command ``barometer``: its verbs and their options. Each verb has a module of its own."""

from __future__ import annotations

from importlib.metadata import version as installed
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from pipeline.cli.output import PROJECT, alone, reporting

app = typer.Typer(
    name="barometer",
    help="Builds a barometer's declarations and raw survey files into open, documented indicators.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,  # they would print local values, and so respondents' answers
)

Json = Annotated[bool, typer.Option("--json", help="Print a report as JSON.")]
Waves = Annotated[
    list[str] | None, typer.Option("--wave", metavar="ID", help="Build only this wave; may be repeated.")
]
Packages = Annotated[
    list[str] | None, typer.Option("--package", metavar="P", help="Only this package; may be repeated.")
]
Format = Annotated[
    Literal["table", "csv", "json"] | None, typer.Option("--format", help="Form of the output.")
]

Encoding = Annotated[str | None, typer.Option("--encoding", help="Of its texts, as cp1252.")]
Delimiter = Annotated[str | None, typer.Option("--delimiter", help="Between the columns of a text file.")]
Decimal = Annotated[Literal[".", ","] | None, typer.Option("--decimal", help="The decimal mark.")]
Thousands = Annotated[
    Literal[",", ".", " ", "'"] | None, typer.Option("--thousands", help="Between groups of three digits.")
]
Sheet = Annotated[str | None, typer.Option("--sheet", help="Of a workbook.")]
SkipRows = Annotated[int | None, typer.Option("--skip-rows", min=0, help="Rows above the header.")]
HeaderRows = Annotated[int | None, typer.Option("--header-rows", min=0, help="Rows of the header.")]
NameRow = Annotated[int | None, typer.Option("--name-row", min=1, help="Which of them holds the names.")]
LabelRow = Annotated[int | None, typer.Option("--label-row", min=1, help="Which of them holds labels.")]
Rows = Annotated[
    list[str] | None,
    typer.Option("--rows", metavar="COLUMN=VALUE", help="Only these rows are the wave's; may be repeated."),
]
Identifier = Annotated[
    list[str] | None,
    typer.Option("--id", metavar="COLUMN", help="What tells units apart; may be repeated; or row."),
]


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"barometer {installed('barometer')}")
        raise typer.Exit


@app.callback()
def barometer(
    context: typer.Context,
    project: Annotated[
        Path,
        typer.Option(
            "--project", envvar="BAROMETER_PROJECT", help="The barometer's folder.", show_default="here"
        ),
    ] = Path(),
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and leave.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    """The folder every verb works on."""
    context.obj = project.resolve()
    PROJECT.set(context.obj)


@app.command()
def init(
    context: typer.Context,
    name: Annotated[
        str, typer.Argument(help="Folder of the new barometer; the current folder by default.")
    ] = "",
    file: Annotated[
        Path | None, typer.Option("--from", metavar="FILE", help="Raw file to draft the declarations from.")
    ] = None,
    encoding: Encoding = None,
    delimiter: Delimiter = None,
    decimal: Decimal = None,
    thousands: Thousands = None,
    sheet: Sheet = None,
    skip_rows: SkipRows = None,
    header_rows: HeaderRows = None,
    name_row: NameRow = None,
    label_row: LabelRow = None,
    rows: Rows = None,
    identifier: Identifier = None,
    wave: Annotated[
        str, typer.Option(metavar="ID", help="Key of the drafted wave; the file's name by default.")
    ] = "",
    as_json: Json = False,
) -> None:
    """Create a barometer: a small working one with synthetic data, or a draft from a raw file."""
    from pipeline.cli.init import begin

    given = _given(
        encoding=encoding,
        delimiter=delimiter,
        decimal=decimal,
        thousands=thousands,
        sheet=sheet,
        skip_rows=skip_rows,
        header_rows=header_rows,
        name_row=name_row,
        label_row=label_row,
        rows=_chosen(rows),
    )
    with reporting(as_json):
        begin(context.obj, name, file, given, wave, identifier or [], as_json)


@app.command()
def check(context: typer.Context, as_json: Json = False) -> None:
    """Check all declarations, without building anything; list every problem at once."""
    from pipeline.cli.check import check_declarations

    with reporting(as_json):
        check_declarations(context.obj, as_json)


@app.command()
def schema(
    context: typer.Context,
    folder: Annotated[
        Path | None, typer.Argument(help="Folder to write them to; schemas/.json when left out.")
    ] = None,
    markdown: Annotated[
        bool, typer.Option("--markdown", help="Print tables of the keys, as Markdown, instead.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Write the JSON Schema of every declaration file, for editors that complete and check TOML."""
    from pipeline.cli.schema import write

    with reporting(as_json):
        write(context.obj, folder, markdown, as_json)


@app.command()
def run(context: typer.Context, wave: Waves = None, as_json: Json = False) -> None:
    """Build waves, estimates, warehouse and candidate packages; redo only what changed."""
    from pipeline.cli.run import build

    with reporting(as_json), alone(context.obj, as_json):
        build(context.obj, wave or [], as_json)


@app.command()
def release(context: typer.Context, package: Packages = None, as_json: Json = False) -> None:
    """Seal the candidates as immutable releases, checked again, with a version that fits the changes."""
    from pipeline.cli.release import seal

    with reporting(as_json), alone(context.obj, as_json):
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
    new: Annotated[str, typer.Argument(help="What to compare it with, in the same form.")],
    as_json: Json = False,
) -> None:
    """Show what changed between two releases, cell by cell, and the version bump that it requires."""
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
    """Send the releases to a folder or a bucket; files that are there already are not sent again."""
    from pipeline.cli.publish import send

    with reporting(as_json), alone(context.obj, as_json):
        send(context.obj, destination, package or [], as_json)


@app.command()
def withdraw(
    context: typer.Context,
    package: Annotated[str, typer.Argument(help="The package.")],
    version: Annotated[str, typer.Argument(help="The version to withdraw.")],
    reason: Annotated[str, typer.Option("--reason", help="The reason, for readers.")],
    date: Annotated[str, typer.Option("--date", metavar="YYYY-MM-DD", help="The day of the withdrawal.")],
    as_json: Json = False,
) -> None:
    """Remove the data of a release and leave a tombstone with date and reason."""
    from pipeline.cli.withdraw import take_back

    with reporting(as_json), alone(context.obj, as_json):
        take_back(context.obj, package, version, reason, date, as_json)


@app.command()
def query(
    context: typer.Context,
    sql: Annotated[str, typer.Argument(help="One SQL statement that reads.")],
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
    wave_b: Annotated[str, typer.Argument(metavar="WAVE_B", help="Key of the wave to compare it with.")],
    indicator: Annotated[str, typer.Option("--indicator", help="Key of the indicator to compare.")],
    domain: Annotated[
        str, typer.Option("--domain", help="Key of the breakdown to compare; the total by default.")
    ] = "",
    lang: Annotated[
        str, typer.Option("--lang", help="Language of the texts; the first declared by default.")
    ] = "",
    as_json: Json = False,
) -> None:
    """Say whether two waves may be compared on an indicator, why, and by how much they differ."""
    from pipeline.cli.compare import compare as answer

    with reporting(as_json):
        answer(context.obj, (wave_a, wave_b), indicator, domain, lang, as_json)


@app.command()
def ui(
    context: typer.Context,
    port: Annotated[int, typer.Option("--port", min=1, max=65535, help="Port on 127.0.0.1.")] = 3000,
) -> None:
    """Open Dagster on 127.0.0.1: assets, partitions, runs and checks."""
    from pipeline.cli.ui import open_dagster

    with reporting(as_json=False):
        open_dagster(context.obj, port)


@app.command()
def serve(
    context: typer.Context,
    port: Annotated[
        int, typer.Option("--port", min=0, max=65535, help="Port on 127.0.0.1; 0 for any free one.")
    ] = 8000,
) -> None:
    """Open the catalogue site on 127.0.0.1."""
    from pipeline.cli.serve import serve_site

    with reporting(as_json=False):
        serve_site(context.obj, port)


@app.command("new-wave")
def new_wave(
    context: typer.Context,
    wave: Annotated[
        str, typer.Argument(metavar="ID", help="Key of the new wave: its survey and edition, as staff-2026.")
    ],
    file: Annotated[Path, typer.Argument(help="Its raw file.")],
    instrument: Annotated[
        str, typer.Option(help="Its questionnaire; one with the key of the wave by default.")
    ] = "",
    encoding: Encoding = None,
    delimiter: Delimiter = None,
    decimal: Decimal = None,
    thousands: Thousands = None,
    sheet: Sheet = None,
    skip_rows: SkipRows = None,
    header_rows: HeaderRows = None,
    name_row: NameRow = None,
    label_row: LabelRow = None,
    rows: Rows = None,
    identifier: Identifier = None,
    as_json: Json = False,
) -> None:
    """Draft a wave file and a crosswalk from a raw file's variables, labels and codes."""
    from pipeline.cli.new_wave import draft

    given = _given(
        encoding=encoding,
        delimiter=delimiter,
        decimal=decimal,
        thousands=thousands,
        sheet=sheet,
        skip_rows=skip_rows,
        header_rows=header_rows,
        name_row=name_row,
        label_row=label_row,
        rows=_chosen(rows),
    )
    with reporting(as_json):
        draft(context.obj, wave, file, instrument, given, identifier or [], as_json)


def _chosen(rows: list[str] | None) -> dict[str, tuple[str, ...]] | None:
    """The values of each column that select the wave's rows; None for all rows."""
    chosen: dict[str, tuple[str, ...]] = {}
    for each in rows or []:
        column, mark, value = each.partition("=")
        if not (column and mark):
            raise typer.BadParameter(f"{each!r} is not COLUMN=VALUE", param_hint="--rows")
        chosen[column] = (*chosen.get(column, ()), value)
    return chosen or None


def _given(**options: Any) -> dict[str, Any]:
    """The options of a raw file that were written, by their keys in ``source``."""
    return {key: value for key, value in options.items() if value is not None}
