"""A Table Schema as a Pandera contract, and the rows of a frame that break it.

In a frame text is ``str`` or categorical, a missing text is "", and a date is ISO text.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd
import pandera.pandas as pa

from pipeline.contracts.tables import Field, TableSchema, extended
from pipeline.problems import DEFECT, Problem, ProblemError, counted

DTYPES: Mapping[str, Any] = {
    "string": "str",
    "integer": "Int64",
    "number": "float64",
    "boolean": "boolean",
    "date": "str",
}
ISO_DATE = r"^\d{4}-\d{2}-\d{2}$"
RULES = {"not_nullable": "required", "field_uniqueness": "unique", "multiple_fields_uniqueness": "unique"}


def pandera_schema(name: str, extra_fields: Iterable[Field] = ()) -> pa.DataFrameSchema:
    """The Pandera contract of a stored table: its columns, no others, in their order."""
    return compiled(extended(name, extra_fields))


def compiled(schema: TableSchema) -> pa.DataFrameSchema:
    """A Table Schema as a Pandera contract: strict, ordered, with primary key and every constraint."""
    columns = {field["name"]: _column(field) for field in schema["fields"]}
    key = list(schema.get("primaryKey", ())) or None
    return pa.DataFrameSchema(
        columns, name=schema.get("name", ""), strict=True, ordered=True, unique=key, report_duplicates="all"
    )


def _column(field: Field) -> pa.Column:
    kind, constraints = field["type"], field.get("constraints", {})
    required = bool(constraints.get("required", False))
    text = DTYPES[kind] == "str"
    checks = []
    if text and required:
        checks.append(pa.Check(_filled, error="required"))
    if kind == "date":
        checks.append(pa.Check.str_matches(ISO_DATE if required else f"{ISO_DATE}|^$", error="date"))
    if "enum" in constraints:
        blank = [] if required or not text else [""]
        checks.append(pa.Check.isin([*constraints["enum"], *blank], error="enum"))
    if "minimum" in constraints:
        checks.append(pa.Check.ge(constraints["minimum"], error="minimum"))
    if "maximum" in constraints:
        checks.append(pa.Check.le(constraints["maximum"], error="maximum"))
    dtype = None if "enum" in constraints and text else DTYPES[kind]  # a coded text may be categorical
    unique = bool(constraints.get("unique", False))
    return pa.Column(dtype, checks, nullable=not required, unique=unique, name=field["name"])


def _filled(column: pd.Series[Any]) -> pd.Series[bool]:
    return column != ""


def validate(frame: pd.DataFrame, schema: pa.DataFrameSchema) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The rows of a frame that conform to a contract, and the reasons why the others do not.

    ``frame`` needs a unique index. The second frame has the columns row (index value), column, rule
    (required, unique, enum, minimum, maximum, date) and code, ordered by row and column. Raises
    ProblemError, naming every one, when a column is missing, misplaced, undeclared or of a wrong type.
    """
    try:
        schema.validate(frame, lazy=True)
    except pa.errors.SchemaErrors as error:
        cases = error.failure_cases
    else:
        return frame, pd.DataFrame({name: [] for name in ("row", "column", "rule", "code")}, dtype="str")
    broken = cases[cases["index"].isna()]
    if len(broken):
        raise ProblemError(_broken(str(schema.name), broken))
    bad = _failures(cases, schema)
    return frame[~frame.index.isin(bad["row"])], bad


def _failures(cases: pd.DataFrame, schema: pa.DataFrameSchema) -> pd.DataFrame:
    """Pandera's failure cases by row, column and rule; Pandera reports a repeated key once per column."""
    whole = cases["check"] == "multiple_fields_uniqueness"
    column = cases["column"].mask(whole, "+".join(schema.unique or ()))
    rule = cases["check"].replace(RULES)
    code = cases["failure_case"].astype("str").mask(rule.isin(["unique", "required"]), "")
    bad = pd.DataFrame({"row": cases["index"], "column": column, "rule": rule, "code": code})
    order = {name: position for position, name in enumerate(schema.columns)}
    bad["order"] = bad["column"].map(order).fillna(-1)
    bad = bad.drop_duplicates(["row", "column", "rule"]).sort_values(["row", "order", "rule"], kind="stable")
    return bad.drop(columns="order").reset_index(drop=True)


def _broken(name: str, cases: pd.DataFrame) -> list[Problem]:
    problems = []
    for case in cases.drop_duplicates(["column", "check", "failure_case"]).itertuples():
        of_table = str(case.check).startswith("column_")
        column = case.failure_case if of_table else case.column
        what = str(case.check)
        if of_table or what.startswith("dtype"):  # an error's own words may quote a cell
            what += f": {case.failure_case}"
        problems.append(
            Problem(
                file=f"pipeline/contracts/tables/{name}.json",
                key=str(column),
                message=f"the column breaks the contract of the table ({what})",
                hint=DEFECT,
            )
        )
    return problems


def conform(frame: pd.DataFrame, name: str, extra_fields: Iterable[Field] = ()) -> pd.DataFrame:
    """A frame in the declared types and column order of a stored table, validated.

    Raises ProblemError, naming every column and rule with the number of rows, when it breaks its contract.
    """
    schema = extended(name, extra_fields)
    typed = frame.reset_index(drop=True)
    for field in schema["fields"]:
        if field["name"] in typed:
            typed[field["name"]] = _typed(typed[field["name"]], field["type"])
    declared = [field["name"] for field in schema["fields"] if field["name"] in typed]
    typed = typed[[*declared, *typed.columns.difference(declared, sort=False)]]
    good, bad = validate(typed, compiled(schema))
    if len(bad):
        counts = bad.groupby(["column", "rule"], sort=False).agg(rows=("row", "size"), code=("code", "first"))
        raise ProblemError(
            Problem(
                file=f"pipeline/contracts/tables/{name}.json",
                key=str(column),
                message=f"the rule '{rule}' of the table does not hold in {counted(rows, 'row')}",
                hint=DEFECT,
                value=code or None,
            )
            for (column, rule), rows, code in zip(counts.index, counts["rows"], counts["code"], strict=True)
        )
    return good


def _typed(column: pd.Series[Any], kind: str) -> pd.Series[Any]:
    filled = column.astype("object").where(column.notna(), "") if DTYPES[kind] == "str" else column
    typed: pd.Series[Any] = filled.astype(DTYPES[kind])
    return typed
