"""The fields of the records as their types declare them, for messages, JSON Schemas and documentation."""

from __future__ import annotations

import types
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, fields, is_dataclass
from datetime import date
from functools import cache
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from pydantic.fields import FieldInfo

from pipeline.catalogue.kinds import Hidden
from pipeline.catalogue.logic import LOGIC, LogicTable

SCALARS = {str: "a text in quotes", bool: "true or false", int: "a whole number", float: "a number"}
DAY = "a date such as 2026-11-30, without quotes"
PLURALS = {str: "texts", int: "whole numbers", float: "numbers"}


@dataclass(frozen=True)
class Field:
    """A key of a table: its annotation, whether it is required, and its default."""

    name: str
    kind: Any
    required: bool = False
    default: Any = None

    @property
    def type(self) -> Any:
        """The bare type: no metadata, no None."""
        return bare(self.kind)

    @property
    def info(self) -> Mapping[str, Any]:
        """Description and limits (ge, gt, le, lt) from the metadata."""
        found: dict[str, Any] = {}
        for each in _metadata(self.kind):
            if isinstance(each, FieldInfo):
                if each.description:
                    found["description"] = each.description
                for limit in each.metadata:
                    found |= {
                        name: getattr(limit, name)
                        for name in ("ge", "gt", "le", "lt")
                        if hasattr(limit, name)
                    }
        return found

    @property
    def allowed(self) -> tuple[str, ...]:
        """The values of a choice, or those of the entries of a list."""
        kind = self.type
        if get_origin(kind) is tuple:
            kind = bare(get_args(kind)[0])
        return get_args(kind) if get_origin(kind) is Literal else ()

    @property
    def choices(self) -> str:
        """The allowed values in words, marks in quotes."""
        return ", ".join(each if each[0].isalnum() else f'"{each}"' for each in self.allowed if each)

    @property
    def example(self) -> str:
        """How the value is written, as a hint to one who wrote a value of another type."""
        kind = self.type
        if kind is date:
            return "Write it as 2026-11-30, without quotes."
        if kind is str:
            return "Put it in double quotes."
        if kind in SCALARS or get_origin(kind) is Literal:
            return "Write it without quotes." if kind in SCALARS else "Write one of them in double quotes."
        if get_origin(kind) in (tuple, list):
            entry = bare(get_args(kind)[0])
            return 'Write it as ["...", "..."].' if entry is str else "Write it in [ and ]."
        return f"Write its keys below [{self.name}], or between {{ and }}."

    @property
    def range(self) -> str:
        """The limits in words; empty without any."""
        info = self.info
        shown = {limit: f"{info[limit]:,.15g}" for limit in ("ge", "gt", "le", "lt") if limit in info}
        low = shown.get("ge") or (f"above {shown['gt']}" if "gt" in shown else "")
        high = shown.get("le") or (f"below {shown['lt']}" if "lt" in shown else "")
        if low and high:
            return f"from {low} to {high}"
        return f"of {low} or more" if "ge" in info else low or high

    @property
    def phrase(self) -> str:
        """What the value must be, in words."""
        kind = self.type
        if kind in SCALARS:
            return f"{SCALARS[kind]} {self.range}".rstrip()
        if kind is date:
            return DAY
        if get_origin(kind) is Literal:
            return f"one of {self.choices}"
        if get_origin(kind) in (tuple, list):
            return self._list(get_args(kind))
        return "a table"

    def _list(self, entries: tuple[Any, ...]) -> str:
        entry = bare(entries[0])
        if get_origin(self.type) is tuple and len(entries) == 2 and entries[1] is not ...:
            return "a list of two numbers, the lower one first"
        if self.allowed:
            return f"a list of {self.choices}"
        if get_origin(entry) is tuple:
            return 'a list of lists, such as [["a"], ["b"]]'
        if is_table(entry):
            return f"a list of tables, each under [[{self.name}]]"
        if get_origin(self.type) is list:
            return 'a list of conditions, such as ["variable=code|code"]'
        return f"a list of {PLURALS.get(entry, 'values')}"


def bare(kind: Any) -> Any:
    """A type without its metadata and without None."""
    while True:
        if get_origin(kind) is Annotated:
            kind = get_args(kind)[0]
        elif get_origin(kind) in (Union, types.UnionType):
            kind = [each for each in get_args(kind) if each is not type(None)][-1]
        else:
            return kind


def _metadata(kind: Any) -> list[Any]:
    """What is annotated, outermost last; through None, and a list's limits are not its entries'."""
    if get_origin(kind) is Annotated:
        return [*_metadata(get_args(kind)[0]), *kind.__metadata__]
    if get_origin(kind) in (Union, types.UnionType):
        return [each for part in get_args(kind) for each in _metadata(part)]
    return []


def is_table(kind: Any) -> bool:
    """Whether a type is a record, written as a table with keys of its own."""
    return is_dataclass(kind)


@cache
def fields_of(record: Any) -> tuple[Field, ...]:
    """The keys of a record's table, in order; none when the type is not a record."""
    if not is_table(record):
        return ()
    hints = get_type_hints(record, include_extras=True)
    found: list[Field] = []
    for each in fields(record):
        kind = hints[each.name]
        annotated = _metadata(kind)
        name = next(
            (item.alias for item in annotated if isinstance(item, FieldInfo) and item.alias), each.name
        )
        if name == LOGIC:
            found += fields_of(LogicTable)
        elif not any(isinstance(item, Hidden) for item in annotated):
            made = each.default_factory() if each.default_factory is not MISSING else each.default
            found.append(Field(name, kind, made is MISSING, None if made is MISSING else made))
    return tuple(found)


def field_at(kind: Any, steps: Sequence[int | str]) -> Field | None:
    """The field at a path in a table of this kind; in a list or mapping, its entry. None if there is none."""
    found: Field | None = None
    here = kind
    for step in steps:
        here = bare(here)
        origin, inner = get_origin(here), get_args(here)
        if is_table(here):
            found = next((each for each in fields_of(here) if each.name == step), None)
        elif origin in (tuple, list):
            found = Field(str(step), inner[0])
        elif inner:  # a mapping: of names to values
            found = Field(str(step), inner[1])
        else:
            found = None
        if found is None:
            return None
        here = found.kind
    return found


def stand_in(kind: Any) -> Any:
    """The smallest valid value of this kind, in place of one that is missing or cannot be read."""
    annotated = _metadata(kind)
    kind = bare(kind)
    if is_table(kind):
        return {each.name: stand_in(each.kind) for each in fields_of(kind) if each.required}
    if get_origin(kind) is Literal:
        return get_args(kind)[0]
    if get_origin(kind) in (tuple, list):
        return []
    if get_origin(kind) in (dict, Mapping):
        return {}
    example = next(
        (item.examples[0] for item in annotated if isinstance(item, FieldInfo) and item.examples), None
    )
    if example is not None:
        return example
    limits = Field("", Annotated[kind, *annotated] if annotated else kind).info
    return {str: "x", bool: False, int: limits.get("ge", 1), float: limits.get("ge", 1.0), date: date.max}[
        kind
    ]
