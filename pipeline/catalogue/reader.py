"""Reads declaration files by the types of their records: every problem of a file at once.

The content of a file is declared at the records' fields (see ``kinds``). Here belongs how TOML and CSV become
records, and how a validation error is worded for the file's owner.
"""

from __future__ import annotations

import csv
import io
import tomllib
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, cast

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from pipeline.catalogue.fields import Field, field_at, fields_of, stand_in
from pipeline.catalogue.hints import did_you_mean
from pipeline.catalogue.kinds import CONFIG
from pipeline.problems import Problem, outside_problem

CROSSWALK_HEADER = ["source_variable", "source_code", "variable", "code", "note"]
Record = TypeVar("Record")


def read_toml(path: Path, root: Path, problems: list[Problem], wave: str | None = None) -> dict[str, Any]:
    """One TOML file as a table; empty, with a problem, when it cannot be read."""
    file = path.relative_to(root).as_posix()
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        problems.append(
            Problem(file, "", "is missing", "Create it; `barometer init` writes an example.", wave=wave)
        )
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: error.start].count(b"\n") + 1
        problems.append(Problem(file, f"line {line}", "is not UTF-8", "Save the file as UTF-8.", wave=wave))
    except tomllib.TOMLDecodeError as error:
        problems.append(Problem(file, "", f"is not valid TOML: {error}", "Correct that line.", wave=wave))
    except RecursionError:
        problems.append(
            Problem(file, "", "is nested too deeply", "Write it flat, as the docs do.", wave=wave)
        )
    except OSError as error:
        problems.append(replace(outside_problem(error, root), file=file, wave=wave))
    return {}


def read_rows(
    path: Path, root: Path, problems: list[Problem], header: list[str], wave: str | None = None
) -> Iterator[tuple[int, dict[str, str]]]:
    """The rows of a declaration's CSV with their line numbers; none, and a problem, for a wrong header."""
    file = path.relative_to(root).as_posix()
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        problems.append(
            Problem(file, "", "is missing", f"Create it with the columns {','.join(header)}.", wave=wave)
        )
        return
    except UnicodeDecodeError:
        problems.append(Problem(file, "", "is not UTF-8", "Save the file as UTF-8 CSV.", wave=wave))
        return
    except OSError as error:
        problems.append(replace(outside_problem(error, root), file=file, wave=wave))
        return
    reader = csv.DictReader(io.StringIO(text, newline=""), restkey="", restval="")
    if [name for name in reader.fieldnames or [] if name] != header:
        found = ",".join(reader.fieldnames or [])
        problems.append(
            Problem(
                file, "line 1", "has the wrong columns", f"The columns are {','.join(header)}.", found, wave
            )
        )
        return
    for row in reader:
        if any(value for value in row.values()):
            yield reader.line_num, {name: (row[name] or "").strip() for name in header}


@cache
def adapter(kind: Any) -> TypeAdapter[Any]:
    """What validates a table as a record of this kind."""
    kind.__pydantic_config__ = CONFIG
    return TypeAdapter(kind)


def read_record(
    kind: type[Record], table: Mapping[str, Any], file: str, problems: list[Problem], wave: str | None = None
) -> Record:
    """The record a table declares.

    Never raises for the content of the table: every problem is reported, and the record is made of what is
    valid, with stand-ins for required values, so that the other declarations can be checked against it.
    """
    data: Any = table
    validator: TypeAdapter[Record] = adapter(cast(Hashable, kind))
    reported = False
    for _ in range(20):  # the first pass reports; a repaired value may bring up more, which is not
        try:
            return validator.validate_python(data)
        except ValidationError as error:
            errors = error.errors(include_url=False)
        if not reported:
            problems += dict.fromkeys(_problem(each, kind, file, wave) for each in errors)
            reported = True
        for each in reversed(errors):  # from the end, so that positions in a list stay valid
            data = _repaired(data, _steps(each), kind)
    return validator.validate_python(stand_in(kind))


def _steps(error: ErrorDetails) -> tuple[int | str, ...]:
    """The path of the error in the table, keys and positions only."""
    return tuple(step for step in error["loc"] if not str(step).startswith("<") or step in ("<key>",))


def _path(steps: Sequence[int | str]) -> str:
    """A path in a table as TOML writes it, the entries of a list counted from 1."""
    path = ""
    for step in steps:
        if isinstance(step, int):
            path += f"[{step + 1}]"
        elif step not in ("[key]", "<key>"):
            path += f".{step}" if path else step
    return path


def _problem(error: ErrorDetails, kind: type, file: str, wave: str | None) -> Problem:
    steps = _steps(error)
    field = field_at(kind, steps)
    key = str(steps[-1]) if steps else ""
    value = error["input"]
    shown = None if value is None or error["type"] == "missing" else _shown(value)
    if len(steps) > 1 and steps[-1] in ("[key]", "<key>"):  # an entry's name: a key of the table above
        steps, shown = steps[:-2], str(steps[-2])
    message, hint = _message_and_hint(error, field, key, kind, steps)
    if error["type"] in ("unexpected_keyword_argument", "extra_forbidden"):
        shown = None
    return Problem(file, _path(steps), message, hint, shown, wave)


def _shown(value: object) -> str:
    text = str(value)
    printable = "".join(character if character.isprintable() else repr(character)[1:-1] for character in text)
    return printable if len(printable) <= 200 else printable[:200] + "..."


def _message_and_hint(
    error: ErrorDetails, field: Field | None, key: str, kind: type, steps: Sequence[int | str]
) -> tuple[str, str]:
    """An error of the validator as a message and a hint."""
    expected = field.phrase if field else "a value"
    match error["type"]:
        case "refused":
            return str(error["ctx"]["message"]), str(error["ctx"]["hint"])
        case "missing":
            return "is missing", f"Add {key} = ... ({expected})."
        case "unexpected_keyword_argument" | "extra_forbidden":
            above = field_at(kind, steps[:-1])
            known = [each.name for each in fields_of(above.type if above else kind)]
            return (
                "is not a known key",
                f"Remove it, or use one of {', '.join(known)}.{did_you_mean(key, known)}",
            )
        case "literal_error":
            allowed = field.allowed if field else ()
            near = did_you_mean(str(error["input"]), allowed)
            return "is not known", f"Use one of {', '.join(each for each in allowed if each)}.{near}"
        case "string_too_short":
            return "is empty", f"Fill in {key}."
        case "too_short" | "too_long":
            return f"must be {expected}", "Write the right number of entries."
        case "greater_than" | "greater_than_equal" | "less_than" | "less_than_equal" | "finite_number":
            return "is out of range", f"Write {expected}."
    return f"must be {expected}", f"Write it as {expected}."


def _repaired(data: Any, steps: Sequence[int | str], kind: type) -> Any:
    """The data without the value at the path, or with a stand-in where a value is required."""
    if steps and steps[-1] in ("[key]", "<key>") and len(steps) > 1:
        steps = steps[:-1]
    while steps:
        field = field_at(kind, steps)
        value = stand_in(field.kind) if field and field.required else _REMOVED
        changed = _with_value(data, steps, "x" if steps == ("<key>",) else value)
        if changed != data:
            return changed
        steps = steps[:-1]
    return stand_in(kind)


_REMOVED: Any = object()


def _with_value(data: Any, steps: Sequence[int | str], value: Any) -> Any:
    """The data with another value at the path, or without one."""
    first, rest = steps[0], steps[1:]
    if isinstance(data, Mapping):
        changed = dict(data)
        if rest:
            if first in changed:
                changed[str(first)] = _with_value(changed[str(first)], rest, value)
        elif value is _REMOVED:
            changed.pop(str(first), None)
        else:
            changed[str(first)] = value
        return changed
    if isinstance(data, list) and isinstance(first, int) and first < len(data):
        inner = _with_value(data[first], rest, value) if rest else value
        return [*data[:first], *([] if inner is _REMOVED else [inner]), *data[first + 1 :]]
    return data
