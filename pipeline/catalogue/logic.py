"""Conditions on answers, joined by any, all and none: what bases and indicators are written in."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, cast

from pydantic import AfterValidator, Discriminator, Field, GetCoreSchemaHandler, Tag
from pydantic_core import CoreSchema, core_schema

from pipeline.catalogue.kinds import refused

Comparison = Literal["=", "<", "<=", ">", ">="]


@dataclass(frozen=True)
class Condition:
    """``pattern=code|code``: a variable takes one of the codes; ``question.*`` means any of its items.

    Of a numeric question the codes are numbers, and ``question>=number`` compares with one by its size.
    """

    pattern: str
    codes: tuple[str, ...]
    comparison: Comparison = "="

    def __str__(self) -> str:
        return f"{self.pattern}{self.comparison}{'|'.join(self.codes)}"

    @property
    def numbers(self) -> tuple[float, ...] | None:
        """The codes as numbers; None where one of them is none."""
        try:
            found = tuple(map(float, self.codes))
        except ValueError:
            return None
        return found if all(map(math.isfinite, found)) else None


@dataclass(frozen=True)
class Logic:
    """Conditions joined by any, all or none. An answer that is not there does not hold."""

    operator: Literal["any", "all", "none"]
    parts: tuple[Condition | Logic, ...]

    def conditions(self) -> Iterator[Condition]:
        """Every condition below it, however deep."""
        for part in self.parts:
            if isinstance(part, Condition):
                yield part
            else:
                yield from part.conditions()


CONDITION = re.compile(r"([^<>=]*[^<>=\s][^<>=]*)(<=|>=|<|>|=)([^<>=]*[^<>=\s][^<>=]*)")
OPERATORS: tuple[Literal["any", "all", "none"], ...] = ("any", "all", "none")
LOGIC = "<logic>"  # where the operators of a table are read together


def _condition(text: str) -> Condition:
    found = CONDITION.fullmatch(text.strip())
    if found is None:
        raise refused(
            "is not a condition", 'Write it as "variable=code|code", or of a number as "question>=10".'
        )
    pattern, comparison, codes = found.groups()
    made = Condition(
        pattern.strip(), tuple(code.strip() for code in codes.split("|")), cast("Comparison", comparison)
    )
    if comparison != "=" and (made.numbers is None or len(made.codes) > 1):
        raise refused(
            "does not compare with a number", f'Write one number, as "{made.pattern}{comparison}10".'
        )
    return made


def _nested(table: LogicTable) -> Logic:
    logic = _logic(table)
    if logic is None:
        raise refused("is an empty table", 'Write conditions in it: { any = ["variable=code|code"] }.')
    return logic


def _logic(table: LogicTable) -> Logic | None:
    made = [Logic(operator, tuple(found)) for operator in OPERATORS if (found := getattr(table, operator))]
    if not made:
        return None
    return made[0] if len(made) == 1 else Logic("all", tuple(made))


_Entry = Annotated[
    Annotated[str, AfterValidator(_condition), Tag("<condition>")]
    | Annotated["LogicTable", AfterValidator(_nested), Tag("<table>")],
    Discriminator(lambda entry: "<table>" if isinstance(entry, dict) else "<condition>"),
]


@dataclass(frozen=True)
class LogicTable:
    """Conditions joined; several operators must hold together."""

    any: Annotated[list[_Entry], Field(min_length=1, description="at least one of the conditions holds")] = (
        field(default_factory=list)
    )
    all: Annotated[list[_Entry], Field(min_length=1, description="every one of the conditions holds")] = (
        field(default_factory=list)
    )
    none: Annotated[list[_Entry], Field(min_length=1, description="not one of the conditions holds")] = field(
        default_factory=list
    )


class _FromTable:
    """A Logic is written as a table of conditions."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(_logic, handler.generate_schema(LogicTable))


LogicField = Annotated[Logic | None, _FromTable(), Field(alias=LOGIC)]
