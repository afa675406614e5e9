"""Numbers and dates as readers of a language write them, on pages only: files keep the decimal point.

The conventions are those of Unicode's CLDR, by way of Babel.
"""

from __future__ import annotations

from datetime import date
from functools import cache
from typing import Any

from babel import Locale, UnknownLocaleError
from babel.dates import format_date
from babel.numbers import format_decimal

from pipeline.catalogue.model import Rounding
from pipeline.site.package_reader import Estimate

MINUS, DASH, TIMES = "\N{MINUS SIGN}", "\N{EN DASH}", "\N{MULTIPLICATION SIGN}"


class NumberFormat:
    """The numbers of one language, with the decimals of the barometer's ``rounding``."""

    def __init__(self, language: str, rounding: Rounding) -> None:
        self.locale = _locale(language)
        self.rounding = rounding
        self.text = cache(self._text)

    def value(self, cell: Estimate, number: float | None = None) -> str:
        """The value of a cell, or another number in its unit, with the decimals it was published with."""
        return self.text(cell.value if number is None else number, self.decimals_of(cell))

    def interval(self, cell: Estimate) -> str:
        """The confidence interval of a cell, with an en dash; blank where there is none."""
        if cell.ci_low is None or cell.ci_high is None:
            return ""
        decimals = self.decimals_of(cell)
        return f"{self.text(cell.ci_low, decimals)}{DASH}{self.text(cell.ci_high, decimals)}"

    def decimals_of(self, cell: Estimate) -> int | None:
        """The decimals of a cell; None for a published figure, which is shown as it was printed."""
        if cell.source_kind == "figures":
            return None
        return self.rounding.decimals(cell.unit_measure, is_total=cell.domain_code == "")

    def count(self, number: int | float | None) -> str:
        """A whole number."""
        return self.text(number, 0)

    def _text(self, number: float | None, decimals: int | None) -> str:
        if number is None:
            return ""
        pattern = "#,##0.###" if decimals is None else "#,##0" + ("." + "0" * decimals if decimals else "")
        written: str = format_decimal(number, pattern, locale=self.locale)
        return written.replace("-", MINUS)

    def signed(self, number: float, decimals: int | None) -> str:
        """A difference, with its sign."""
        return ("+" if number > 0 else "") + self.text(number, decimals)

    def difference(self, cell: Estimate, whole: Estimate) -> str:
        """The difference of a cell from the whole, both as published, with the decimals of the finer one."""
        if cell.value is None or whole.value is None:
            return ""
        decimals = [self.decimals_of(each) for each in (cell, whole)]
        known = [each for each in decimals if each is not None]
        finer = max(known) if len(known) == len(decimals) else None
        return self.signed(round(cell.value - whole.value, 6 if finer is None else finer), finer)

    @property
    def percent(self) -> str:
        """The percent sign as it follows a number."""
        pattern: str = self.locale.percent_formats[None].pattern
        return "\N{NO-BREAK SPACE}%" if pattern[-2:-1].isspace() else "%"

    def day(self, day: Any) -> str:
        """A date in words; blank where there is none."""
        day = date.fromisoformat(day) if isinstance(day, str) and day else day
        return str(format_date(day, "long", locale=self.locale)) if day else ""

    def month(self, day: Any) -> str:
        """A month and its year; blank where there is none."""
        return str(format_date(day, "LLLL y", locale=self.locale)) if day else ""

    def months(self, first: Any, last: Any) -> str:
        """The months from one day to another; one month where both lie in it."""
        ends = [self.month(day) for day in (first, last) if day]
        return f" {DASH} ".join(dict.fromkeys(ends))

    def size(self, count: int) -> str:
        """The size of a file."""
        for unit, factor in (("MB", 1_000_000), ("kB", 1_000)):
            if count >= factor:
                return f"{self.text(count / factor, 1 if count < 10 * factor else 0)} {unit}"
        return f"{self.text(count, 0)} B"

    @property
    def separators(self) -> dict[str, str]:
        """The marks that a script needs to read and write these numbers."""
        symbols = self.locale.number_symbols["latn"]
        return {"decimal_mark": symbols["decimal"], "group_mark": symbols["group"]}


def name_of(language: str) -> str:
    """The name of a language in itself; its code where it is not known."""
    try:
        name = Locale.parse(language, sep="-").get_display_name() or language
    except (UnknownLocaleError, ValueError):
        return language
    return name[0].upper() + name[1:]


def _locale(language: str) -> Locale:
    """The conventions of a language; of English, those of Britain."""
    try:
        return Locale.parse("en_GB" if language == "en" else language.replace("-", "_"))
    except (UnknownLocaleError, ValueError):
        return Locale.parse("en")
