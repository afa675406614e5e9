"""Builds barometer.duckdb beside the old one, by the models of ``sql``, and puts it in its place whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import duckdb
import pandas as pd

from pipeline.arrow import arrow
from pipeline.atomic import make_parent, remove, replace_file
from pipeline.catalogue.model import Catalogue
from pipeline.contracts import Field, ddl, literal, microdata_fields, quoted
from pipeline.problems import Problem, ProblemError
from pipeline.warehouse.reading import SETTINGS, database

INSIDE = ("comparisons", "benchmarks", "trends", "reconciliation", "item_nonresponse")
NOTHING: Mapping[str, pd.DataFrame] = MappingProxyType({})
MODELS = Path(__file__).parent / "sql"


def build(
    root: Path,
    catalogue: Catalogue,
    estimates: pd.DataFrame,
    published: Mapping[str, pd.DataFrame],
    *,
    answers: Sequence[Path] = (),
    quarantine: Sequence[Path] = (),
    inside: Mapping[str, pd.DataFrame] = NOTHING,
) -> Path:
    """Build the warehouse and put it in place; a reader sees either the old one or the new one, whole.

    ``estimates``: the columns of the tables ``estimates`` and ``precision``, unrounded and unsuppressed.
    ``published``: every published table by name. ``inside``: further tables of the schema ``statistics``, by
    name; those of ``INSIDE`` left out are empty. ``answers`` and ``quarantine``: a Parquet file a wave.
    """
    target = database(root)
    make_parent(target)
    if target.is_dir():  # in the way
        remove(target)
    try:
        with replace_file(target) as fresh, duckdb.connect(str(fresh), config=dict(SETTINGS)) as connection:
            _run(connection, "schemas")
            _microdata(connection, catalogue, answers, quarantine)
            for name in ("estimates", "precision"):
                _insert(connection, "statistics", name, estimates)
            for name in INSIDE:
                _insert(connection, "statistics", name, inside.get(name))
            for name, frame in published.items():
                _insert(connection, "published", name, frame)
            _run(connection, "labelled")
            _inherit_comments(connection, "labelled", "estimates")
            _run(connection, "compare")
            connection.execute("CHECKPOINT")
            connection.close()  # before it is put in its place
    except duckdb.IOException as error:
        hint = (
            "Make room on the disk, or free memory, and run it again: the former warehouse stays as it was."
        )
        message = f"cannot be written: {_first_line(error)}"
        raise ProblemError(Problem(target.relative_to(root).as_posix(), "", message, hint)) from None
    return target


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]


def _microdata(
    connection: duckdb.DuckDBPyConnection,
    catalogue: Catalogue,
    answers: Sequence[Path],
    quarantine: Sequence[Path],
) -> None:
    variables = [_optional(field) for field in microdata_fields(catalogue)]
    _create(connection, ddl("microdata", "microdata", variables, called="answers"))
    _create(connection, ddl("quarantine", "microdata"))
    for model, files in (("answers", answers), ("quarantine", quarantine)):
        if files:
            connection.execute("SET VARIABLE files = ?", [[str(path) for path in files]])
            _run(connection, model)
    connection.execute("RESET VARIABLE files")


def _optional(field: Field) -> Field:
    """A variable of the codebook as a column of the wide table, optional as not every wave has it."""
    constraints = {key: value for key, value in field.get("constraints", {}).items() if key != "required"}
    return {**field, "constraints": constraints}


def _insert(
    connection: duckdb.DuckDBPyConnection, schema: str, name: str, frame: pd.DataFrame | None
) -> None:
    _create(connection, ddl(name, schema))
    if frame is None:
        return
    connection.register("incoming", arrow(frame, name))
    connection.execute(f"INSERT INTO {quoted(schema)}.{quoted(name)} BY NAME FROM incoming")
    connection.unregister("incoming")


def _create(connection: duckdb.DuckDBPyConnection, statements: Sequence[str]) -> None:
    for statement in statements:
        connection.execute(statement)


def _run(connection: duckdb.DuckDBPyConnection, model: str) -> None:
    connection.execute((MODELS / f"{model}.sql").read_text(encoding="utf-8"))


def _inherit_comments(connection: duckdb.DuckDBPyConnection, view: str, table: str) -> None:
    """Give the columns that a view takes over from a published table the comments they have there."""
    taken_over = connection.execute(
        """
        SELECT mine.column_name, theirs.comment
        FROM duckdb_columns() AS mine JOIN duckdb_columns() AS theirs USING (column_name)
        WHERE mine.table_name = ? AND mine.comment IS NULL
          AND theirs.schema_name = 'published' AND theirs.table_name = ?
        """,
        [view, table],
    ).fetchall()
    for column, comment in taken_over:
        connection.execute(f"COMMENT ON COLUMN {quoted(view)}.{quoted(column)} IS {literal(comment)}")
