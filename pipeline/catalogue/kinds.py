"""The types of values in declarations: names, texts, numbers, dates, files and addresses.

The types of a record's fields determine how it is read, the messages, the JSON Schemas and the tables of
``docs/declarations.md``. What a single field must be is declared here or at the field; what must hold between
fields belongs to ``check``.
"""

from __future__ import annotations

import codecs
import re
import unicodedata
from collections.abc import Callable
from datetime import date
from typing import Annotated, Any
from zoneinfo import available_timezones

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    WithJsonSchema,
)
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from pipeline.catalogue.codes import COUNTRIES, LANGUAGES
from pipeline.catalogue.hints import did_you_mean
from pipeline.release_store import SEMANTIC_VERSION

CONFIG = ConfigDict(extra="forbid", allow_inf_nan=False, regex_engine="python-re")
LONGEST_TEXT = 10_000  # characters: no workbook takes four times as many in a cell
LONGEST_NAME = 100  # a file of that name, with its ending, fits every file system
MOST = 10_000_000_000  # units of a population: more than there are people
BIDI = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"  # they turn the text that follows around
DEVICES = {"CON", "PRN", "AUX", "NUL", *(f"{name}{n}" for name in ("COM", "LPT") for n in range(1, 10))}


class Hidden:
    """Marks a field that is not a key of its table: it is the table's own name, or made of other keys."""


def refused(message: str, hint: str) -> PydanticCustomError:
    """The error of a value that one of these validators refuses, with a hint for its owner."""
    return PydanticCustomError("refused", "{message}", {"message": message, "hint": hint})


def unprintable(value: str) -> tuple[str, str] | None:
    """Message and hint for a text with an invisible control character; None for any other."""
    for character in value:
        kind = unicodedata.category(character)
        if (kind == "Cc" and character not in "\n\t") or kind in ("Zl", "Zp", "Cs") or character in BIDI:
            return (
                f"holds the control character U+{ord(character):04X}",
                "Remove it: readers cannot see it, and it breaks programs.",
            )
    return None


def _printable(value: str) -> str:
    if reason := unprintable(value):
        raise refused(*reason)
    return value


class Matching:
    """Validates that a text matches a pattern; refuses it with this message and hint otherwise."""

    def __init__(self, pattern: str, message: str, hint: str) -> None:
        self.pattern, self.message, self.hint = pattern, message, hint

    def fault(self, value: str) -> tuple[str, str] | None:
        """Message and hint for a text that does not match; None for one that does."""
        return None if re.fullmatch(self.pattern, value) else (self.message, self.hint)

    def check(self, value: str) -> str:
        """The value, if it matches."""
        if reason := self.fault(value):
            raise refused(*reason)
        return value

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self.check, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {**handler(schema), "pattern": f"^(?:{self.pattern})$"}


def name_fault(value: str) -> tuple[str, str] | None:
    """Message and hint for a text that is no valid name; None for one that is.

    Names become files, addresses, columns and identifiers: they have no slash and no dot, do not begin with a
    hyphen (spreadsheets read that as a formula) and are not words that programs read as something else.
    """
    if not value:
        return "is empty", "Fill in a name of letters, digits, _ and -."
    if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_-]*", value):
        return "is not a valid name", "Use the letters a to z, digits, _ and -, and do not begin with -."
    if len(value) > LONGEST_NAME:
        return "is too long for a name", f"Use at most {LONGEST_NAME} characters."
    if value.upper() == "NA":
        return "is a reserved word", "Choose another name: many programs read NA as missing."
    if value.upper() in DEVICES:
        return "is a reserved word", "Choose another name: Windows cannot have a file of that name."
    return None


def slug_fault(value: str) -> tuple[str, str] | None:
    """As ``name_fault``, for names in lower case: of waves, packages and barometers."""
    return name_fault(value) or SLUG.fault(value)


def _name(value: str) -> str:
    if reason := name_fault(value):
        raise refused(*reason)
    return value


NAME_PATTERN = {"pattern": "^[A-Za-z0-9_][A-Za-z0-9_-]*$", "maxLength": LONGEST_NAME}
SLUG = Matching(
    r"[a-z0-9]+([-_][a-z0-9]+)*",
    "is not a valid name",
    "Use lower-case letters and digits, joined by - or _, such as no-ks-2018.",
)
# What a URI may hold (RFC 3986), without addresses of hosts in brackets, user names, and quotes.
HOST = r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?(?::[0-9]{1,5})?"
URI_CHARACTERS = r"(?:[A-Za-z0-9._~:/@!$&()*+,;=?-]|%[0-9A-Fa-f]{2})*"
WEB = rf"https?://{HOST}(?:[/?]{URI_CHARACTERS})?(?:#{URI_CHARACTERS})?"
MAILBOX = rf"[A-Za-z0-9._~!$&*+=-]+@{HOST}"
IN_FULL = "and other characters than letters, digits and -._~:/?#@!$&()*+,;= as %XX."
ADDRESS = Matching(
    rf"({WEB})?", "is not a web address", f"Write it in full, beginning with https://, {IN_FULL}"
)
LINK = Matching(
    rf"({WEB}|mailto:{MAILBOX})?",
    "is not a web or mail address",
    f"Write it in full, beginning with https:// or mailto:, {IN_FULL}",
)
EMAIL = Matching(rf"({MAILBOX})?", "is not an e-mail address", "Write name@domain.")
LICENCE = Matching(
    rf"[A-Za-z0-9][A-Za-z0-9.+-]*|{WEB}",
    "is not a licence",
    "Write its identifier at spdx.org/licenses, such as CC-BY-4.0, or the https:// address of its text.",
)
DOI = Matching(
    r"(10\.[0-9]{4,9}/(?:[A-Za-z0-9._~:/@!$&()*+,;=-]|%[0-9A-Fa-f]{2})+)?",
    "is not a DOI",
    "Write it as 10.1234/abc, without https://doi.org/.",
)
SHA256 = Matching(r"[0-9a-f]{64}", "is not a sha256", "Write its 64 hexadecimal digits.")
VERSION = Matching(SEMANTIC_VERSION.pattern, "is not a version", "Write three numbers, such as 1.0.0.")
IN_RAW = Matching(
    r"(?!\.{1,2}$)[^/\\:]*",
    "points outside warehouse/raw",
    "Write the name of the file alone, and put it there.",
)
SOURCE = Matching(
    rf"(?!\.{{1,2}}$)[^/\\:]+|(?!.*::)(?:{WEB}|s3://[A-Za-z0-9._-]+/[^\s\\\"<>^`{{|}}]+)",
    "points outside warehouse/raw",
    f"Write the name of the file alone, or an https:// or s3:// address, {IN_FULL}",
)

NO_ENCODINGS = {"idna", "punycode", "raw_unicode_escape", "undefined", "unicode_escape"}


def _encoding(value: str) -> str:
    known = not value  # left out
    try:
        if value and codecs.lookup(value).name.replace("-", "_") not in NO_ENCODINGS:
            known = bool("x".encode(value))
    except (LookupError, ValueError):  # ValueError: not one of texts, or not a name at all
        known = False
    if not known:
        raise refused("is not a known encoding", "Name an encoding such as utf-8, cp1252 or utf-16.")
    return value


CRON_RANGES = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))


def _cron(value: str) -> str:
    parts = value.split(" ")
    if len(parts) != len(CRON_RANGES) or not all(map(_cron_part, parts, CRON_RANGES)):
        raise refused(
            "is not a cron schedule",
            "Write minute, hour, day of the month, month and day of the week, such as 0 6 1 2 *.",
        )
    return value


def _cron_part(part: str, limits: tuple[int, int]) -> bool:
    for each in part.split(","):
        found = re.fullmatch(r"(?:\*|(\d{1,2})(?:-(\d{1,2}))?)(?:/([1-9]\d?))?", each, re.ASCII)
        if not found:
            return False
        bounds = [int(end) for end in found.groups()[:2] if end]
        if bounds != sorted(bounds) or any(not limits[0] <= end <= limits[1] for end in bounds):
            return False
        if found[3] and len(bounds) == 1:
            return False
    return True


OWNER = Matching(
    r"team:[A-Za-z0-9_.-]+|[^\s@:]+@[^\s@:]+\.[^\s@:]+",
    "is not an owner",
    "Write team:NAME or an e-mail address.",
)


def _timezone(value: str) -> str:
    if value != "UTC" and value not in available_timezones():
        raise refused(
            "is not a time zone",
            f"Write a name such as Europe/Oslo.{did_you_mean(value, sorted(available_timezones()))}",
        )
    return value


def _country(value: str) -> str:
    if value not in COUNTRIES:
        raise refused(
            "is not a country",
            f"Write its ISO 3166-1 code of two capital letters, as DK for Denmark."
            f"{did_you_mean(value.upper(), sorted(COUNTRIES)) if len(value) == 2 else ''}",
        )
    return value


def _language(value: str) -> str:
    if value not in LANGUAGES:
        raise refused("is not a language", "Write its ISO 639 code in lower case, as da for Danish.")
    return value


def _visible(value: str) -> str:
    """A text that a field needs: one that shows nothing is as good as none."""
    if all(unicodedata.category(character)[0] in "CZ" for character in value):
        raise refused("is empty", "Fill it in: it holds blanks alone." if value else "Fill it in.")
    return value


# Texts. A text that a field needs may not be blank; a note may.
Note = Annotated[str, Field(max_length=LONGEST_TEXT), AfterValidator(_printable)]
Text = Annotated[
    str, Field(min_length=1, max_length=LONGEST_TEXT), AfterValidator(_printable), AfterValidator(_visible)
]
Name = Annotated[str, AfterValidator(_name), Field(json_schema_extra=dict(NAME_PATTERN))]
Slug = Annotated[Name, SLUG]
Address = Annotated[Note, ADDRESS]
Link = Annotated[Note, LINK]
Email = Annotated[Note, EMAIL]
Licence = Annotated[Text, LICENCE]
Doi = Annotated[Note, DOI]
Encoding = Annotated[Note, AfterValidator(_encoding)]
Sha256 = Annotated[str, SHA256, Field(examples=["0" * 64])]
Version = Annotated[str, VERSION, Field(examples=["1.0.0"])]
Country = Annotated[str, AfterValidator(_country), Field(examples=["NO"])]
Language = Annotated[str, AfterValidator(_language), Field(examples=["en"])]
InRaw = Annotated[Note, IN_RAW]
SourceFile = Annotated[Text, SOURCE]
Cron = Annotated[Note, AfterValidator(_cron)]
Timezone = Annotated[Note, AfterValidator(_timezone)]
Owner = Annotated[Note, OWNER]


def _one_or_more(value: Any) -> Any:
    """A single text as a list of one."""
    return (value,) if isinstance(value, str) else value


Columns = Annotated[  # of a raw file; one may be written without the list
    tuple[Text, ...],
    BeforeValidator(_one_or_more),
    Field(min_length=1),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "minLength": 1},
                {"type": "array", "minItems": 1, "items": {"type": "string", "minLength": 1}},
            ]
        }
    ),
]

# Numbers, dates, flags: TOML values of that type, never texts. Ranges are declared at the fields.
Whole = Annotated[int, Field(strict=True)]
Units = Annotated[Whole, Field(ge=0, le=MOST)]
Number = Annotated[float, Field(strict=True)]
Measure = Annotated[
    Number, Field(ge=-1e12, le=1e12)
]  # a score, a figure or a factor: beyond it sums overflow
Share = Annotated[Number, Field(ge=0, le=1)]
Percent = Annotated[Number, Field(ge=0, le=100)]
Flag = Annotated[bool, Field(strict=True)]
Day = Annotated[date, Field(strict=True)]

Key = Annotated[Name, Field(alias="<key>"), Hidden()]  # the key of the record's own table
SlugKey = Annotated[Slug, Field(alias="<key>"), Hidden()]


def _fold_entries(fold: Callable[[dict[str, Any]], dict[str, Any]]) -> BeforeValidator:
    def prepare(value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        return {
            key: {**fold(entry), "<key>": key} if isinstance(entry, dict) else entry
            for key, entry in value.items()
        }

    return BeforeValidator(prepare)


KEYED = _fold_entries(lambda entry: entry)  # on a mapping of records: each learns its own key


def folding(keys: tuple[str, ...], into: str) -> BeforeValidator:
    """As ``KEYED``, and each record's ``keys`` are read together, as its field ``into``."""

    def fold(entry: dict[str, Any]) -> dict[str, Any]:
        joined = {key: entry[key] for key in keys if key in entry}
        rest = {key: value for key, value in entry.items() if key not in keys}
        return {**rest, into: joined} if joined else rest

    return _fold_entries(fold)
