"""Reads declaration files by the types of their records: every problem of a file at once.

The content of a file is declared at the records' fields (see ``kinds``). Here belongs how TOML and CSV become
records, and how a validation error is worded for the file's owner.
"""

from __future__ import annotations

import csv
import errno
import io
import re
import tomllib
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, cast

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from pipeline.catalogue.fields import DAY, Field, field_at, fields_of, stand_in
from pipeline.catalogue.hints import did_you_mean
from pipeline.catalogue.kinds import CONFIG, unprintable
from pipeline.problems import Problem

DEEPEST = 50  # levels of tables and lists in a declaration: far more than any that a reader can follow
CROSSWALK_HEADER = ["source_variable", "source_code", "variable", "code", "note"]
Record = TypeVar("Record")


def read_toml(path: Path, root: Path, problems: list[Problem], wave: str | None = None) -> dict[str, Any]:
    """One TOML file as a table; empty, with a problem, when it cannot be read."""
    file = path.relative_to(root).as_posix()
    hint = "Create it; `barometer init` writes an example."
    text = _text(path, Problem(file, "", "is missing", hint, wave=wave), problems)
    if text is None:
        return {}
    try:
        table = tomllib.loads(text)
    except RecursionError:
        problems.append(_too_deep(file, "", wave))
    except ValueError as error:
        problems.append(_not_toml(file, text, error, wave))
    else:
        deep = [key for key, value in table.items() if _deeper(value, DEEPEST)]
        problems += [_too_deep(file, key, wave) for key in deep]
        return {} if deep else table
    return {}


def _text(path: Path, missing: Problem, problems: list[Problem]) -> str | None:
    """The text of a declaration file, without byte order mark; None, and a problem, for one without."""
    try:
        content = file_bytes(path)
        return content.decode("utf-8-sig")
    except FileNotFoundError:
        hint = "It is a link to a file that is not there: put the file in its place."
        problems.append(replace(missing, hint=hint) if path.is_symlink() else missing)
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        hint = "Save the file as UTF-8; its encoding is probably cp1252."
        if content.startswith((b"\xff\xfe", b"\xfe\xff")):
            hint = "Save the file as UTF-8; its encoding is UTF-16."
        problems.append(replace(missing, key=f"line {line}", message="is not UTF-8", hint=hint))
    except OSError as error:
        hint = "Put a file that you may read in its place."
        reason = "is a folder, not a file" if path.is_dir() else f"cannot be read: {error.strerror}"
        problems.append(replace(missing, message=reason, hint=hint))
    return None


def file_bytes(path: Path) -> bytes:
    """The bytes of a file. Raises OSError, and for a pipe or a device too: it may have no end."""
    if path.exists() and not (path.is_file() or path.is_dir()):
        raise OSError(errno.EINVAL, "it is a pipe or a device", str(path))
    return path.read_bytes()


def _deeper(value: Any, levels: int) -> bool:
    """Whether tables and lists stand in each other more than this many levels deep."""
    entries = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return any(levels == 0 or _deeper(each, levels - 1) for each in entries)


def _too_deep(file: str, key: str, wave: str | None) -> Problem:
    message = "has tables or lists in each other, too deep to be read"
    return Problem(file, key, message, f"Use at most {DEEPEST} levels.", wave=wave)


def _not_toml(file: str, text: str, error: ValueError, wave: str | None) -> Problem:
    """What is wrong with a file that is not TOML, with what the parser leaves unsaid."""
    said = str(error)
    if not isinstance(error, tomllib.TOMLDecodeError):  # Python's own limit on the digits of a number
        return Problem(file, "", "has a number of too many digits", "Correct it.", wave=wave)
    found = re.search(r"\(at line (\d+)", said)
    lines = text.splitlines()
    number = int(found[1]) if found else len(lines)
    line = lines[number - 1].strip() if 0 < number <= len(lines) else ""
    hint = "Correct that line."
    for tell, advice in _ADVICE:
        if tell(said, line):
            hint = advice
            break
    return Problem(file, "", f"is not valid TOML: {said}", hint, line or None, wave)


_BARE = r"[A-Za-z0-9_-]"
_ADVICE: tuple[tuple[Callable[[str, str], object], str], ...] = (
    (
        lambda said, line: "Cannot overwrite" in said or "twice" in said,
        "This key stands there twice: keep one.",
    ),
    (
        lambda said, line: re.match(r"\[*[^\"'\]=#]*[^\x00-\x7f]", line),
        "Write keys with the letters a to z, digits, _ and -; other letters belong in labels.",
    ),
    (
        lambda said, line: re.search(r"=\s*\d{4}-\d{1,2}-\d{1,2}(?!\d)", line) and not _dates_exist(line),
        "Write dates that exist as YEAR-MONTH-DAY, as 2026-11-30.",
    ),
    (
        lambda said, line: re.search(r"=\s*\d{1,2}[./-]\d{1,2}[./-]\d{2,4}", line),
        "Write dates as YEAR-MONTH-DAY without quotes, as 2026-11-30.",
    ),
    (lambda said, line: line.count('"') % 2, 'Begin and end every text with a double quote: "text".'),
    (
        lambda said, line: re.search(rf"=\s*{_BARE}*[A-Za-z]", line) and "Invalid value" in said,
        'Write texts in double quotes: "text".',
    ),
)


def _dates_exist(line: str) -> bool:
    for year, month, day in re.findall(r"=\s*(\d{4})-(\d{1,2})-(\d{1,2})(?!\d)", line):
        try:
            date.fromisoformat(f"{year}-{month}-{day}")
        except ValueError:
            return False
    return True


def read_rows(
    path: Path, root: Path, problems: list[Problem], header: list[str], wave: str | None = None
) -> Iterator[tuple[int, dict[str, str]]]:
    """The rows of a declaration's CSV with their line numbers; none, and a problem, for a wrong header.

    A cell with a control character, and one that belongs to no column, is a problem of its line.
    """
    file = path.relative_to(root).as_posix()
    columns = ",".join(header)
    missing = Problem(file, "", "is missing", f"Create it with the columns {columns}.", wave=wave)
    text = _text(path, missing, problems)
    if text is None:
        return
    reader = csv.reader(io.StringIO(text, newline=""))
    try:
        first = next(reader, [])
        if [name for name in first if name] != header or any(first[len(header) :]):
            message, hint = "has the wrong columns", f"The columns are {columns}."
            problems.append(Problem(file, "line 1", message, hint, ",".join(first), wave))
            return
        for cells in reader:
            line = f"line {reader.line_num}"
            if any(cells[len(header) :]):
                hint = f"Its columns are {columns}: put a text with commas in double quotes."
                value = ",".join(cells[len(header) :])
                problems.append(Problem(file, line, "has more cells than columns", hint, value, wave))
            for name, cell in zip(header, cells, strict=False):
                if reason := unprintable(cell):
                    problems.append(Problem(file, line, *reason, name, wave))
            if any(cells):
                padded = [*cells, *[""] * len(header)]
                yield (
                    reader.line_num,
                    {name: cell.strip() for name, cell in zip(header, padded, strict=False)},
                )
    except csv.Error as error:
        hint = "Save it as UTF-8 CSV, with every quote closed."
        problems.append(
            Problem(file, f"line {reader.line_num}", f"is not valid CSV: {error}", hint, wave=wave)
        )


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
        steps, shown = steps[:-1], str(steps[-2])
    message, hint = _message_and_hint(error, field, key, kind, steps)
    if error["type"] in ("unexpected_keyword_argument", "extra_forbidden"):
        shown = None
    return Problem(file, _path(steps), message, hint, shown, wave)


def _shown(value: object) -> str:
    try:
        return str(value)
    except ValueError:  # Python's own limit on the digits of a number
        return "a number of very many digits"


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
            near = did_you_mean(_shown(error["input"]), allowed)
            return "is not known", f"Use one of {field.choices if field else ''}.{near}"
        case "string_too_short":
            return "is empty", f"Fill in {key}." if key else "Fill it in."
        case "string_too_long":
            return "is too long", f"Use at most {error['ctx']['max_length']:,} characters."
        case "too_short" | "too_long":
            return f"must be {expected}", "Write the right number of entries."
        case "greater_than" | "greater_than_equal" | "less_than" | "less_than_equal" | "finite_number":
            return "is out of range", f"Write {expected}."
    short = "a date" if expected == DAY else expected.partition(", such as")[0]
    return f"must be {short}", field.example if field else "Correct it."


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
