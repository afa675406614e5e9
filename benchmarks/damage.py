"""What can be wrong with a file: mutators by name, each a function of something sound and a seeded generator.

A table is mutated before it is written in a format, bytes after it, and a place is what stands where a file
belongs. Nothing here knows the product.
"""

from __future__ import annotations

import io
import json
import os
import tomllib
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, time
from pathlib import Path
from random import Random
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pyreadstat

Mutators = Mapping[str, Callable[..., Any]]
MARKER = "Respondent-Secret-7319"  # what a respondent wrote: it may stand in no message
LEAF = "\ue000"  # in a declaration: to be replaced by what is no value of Python
# fmt: off
NUMBERS = ("1e308", "-1e308", "1e-320", "inf", "-inf", "nan", "1e30", "-0", "-1", "1e15", "9" * 400, "0x1F", "1_000", "\u0663", "1.000,5",
           "1,000.5", "--1", "1e", ".", "1 000", "999999999999999999999", "0.1.2", "\u00bd", "NaN", "NA", "#N/A", "TRUE", "2020-02-30")
TEXTS = ("", " ", "\u200b", "\ufeff", "..", "../../../outside/x", "/etc/passwd", "a\0b", "\x1b[31m", "\u202e", "a\nb", "a\r\nb", '"', "'",
         ",", ";", "\t", "=1+1", "=HYPERLINK(1)", "{}", "%s", "*", "=", "con", "row", "x" * 5000, "\u00f8" * 300, "\U0001f600", "a.b", "a*b",
         "no_answer", "not_asked", "selected", "1..", "9..1", "1-2", "all", "total", "*.csv", "dk-2020.csv", "<script>", "\u0130", "ANSATTE")
VALUES = (*map(json.dumps, TEXTS), *NUMBERS[:9], "0", "1", "0.5", "9" * 30, "9" * 5000, "0x" + "f" * 5000, "true", "[]", "{}", "[[]]", "[{}]",
          "[1, 'a']", "['']", "{ a = 1 }", "[" * 60 + "]" * 60, "[" * 3000 + "]" * 3000, "{a=" * 200 + "1" + "}" * 200, "1979-05-27", "9999-12-31",
          "1979-05-27T07:32:00Z", "07:32:00", "1979-13-01", "'''\n'''", '"', "[", "=", '["care"]', '["sector", "sector"]', '["introduced.*=yes"]',
          '"staff >= 1e400"', '"novelty"', '"any_innovation"', '["any_innovation"]', '"DK"', '["1"]', '"rake"', '"given"', '"ANSATTE"')
BEGINNINGS = (b"PK\x03\x04", b"$FL2@(#) SPSS DATA FILE", b"<stata_dta>", b"PAR1", b"HEADER RECORD*******", b"\xd0\xcf\x11\xe0",
              b"\0" * 12 + b"\xc2\xea\x81\x60", b"\xef\xbb\xbf", b"\xff\xfe", b"%PDF-1.7", b"\x1f\x8b\x08", b"{")
MARKS = (b";", b",", b"\t", b"\n", b"\r\n", b"\r", b'"', b"|", b"=", b".", b"\x85", b"\xe2\x80\xa8")
CELLS = (b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>', b'<row r="999999999999"><c r="A999999999999"><v>1</v></c></row>', b"&lol;",
         b'<row><c r="A0"><v>1</v></c></row>', b'<row r="-5"><c r="ZZZZ1" t="s"><v>99999</v></c></row>', b"<row><c><f>1+1</f></c></row>",
         b'<row><c t="e"><v>#REF!</v></c><c t="b"><v>7</v></c></row>', b'<row><c t="n"><v>1e999</v></c><c s="99"><v>5</v></c></row>',
         b"<r>" * 20_000 + b"</r>" * 20_000, b" " * ((1 << 26) + 1), b"<row><c><v>" + b"9" * 1_000_000 + b"</v></c></row>", b"</sheetData>")
COLUMNS = ([[1]], [{"a": 1}], [b"\xff\0"], [float("inf")], ["a\0b"], [None], [1 << 62], [True], [date(1, 1, 1)], [time(1)])
# fmt: on


def cells(texts: Sequence[str]) -> Callable[[pd.DataFrame, Random], pd.DataFrame]:
    def mutated(frame: pd.DataFrame, drawn: Random) -> pd.DataFrame:
        for _ in range(drawn.randint(1, 3) if len(frame) else 0):
            frame.iat[drawn.randrange(len(frame)), drawn.randrange(frame.shape[1])] = drawn.choice(texts)
        return frame

    return mutated


def renamed(frame: pd.DataFrame, drawn: Random) -> pd.DataFrame:
    names = list(frame)
    names[drawn.randrange(len(names))] = drawn.choice([*TEXTS, *names])
    return frame.set_axis(names, axis=1)


TABLE: Mutators = {
    "numbers": cells(NUMBERS),
    "texts": cells(TEXTS),
    "what a respondent wrote": cells((MARKER, f"{MARKER} and more", f"{MARKER}\n")),
    "blank cells": cells([""]),
    "column of numbers": lambda frame, drawn: frame.assign(**{drawn.choice(list(frame)): drawn.choices(NUMBERS, k=len(frame))}),
    "blank column": lambda frame, drawn: frame.assign(**{drawn.choice(list(frame)): ""}),
    "column gone": lambda frame, drawn: frame.drop(columns=drawn.choice(list(frame))) if frame.shape[1] > 2 else frame,
    "column renamed": renamed,
    "few rows": lambda frame, drawn: frame.head(drawn.choice([0, 1, 2, 50])),
    "rows twice": lambda frame, drawn: pd.concat([frame, frame.head(drawn.randint(1, 3))], ignore_index=True),
    "rows moved": lambda frame, drawn: frame.sample(frac=1, random_state=drawn.randrange(1000)),
    "more columns": lambda frame, drawn: pd.concat([frame, pd.DataFrame("", frame.index, [f"more_{n}" for n in range(300)])], axis=1),
}  # fmt: skip


def flipped(content: bytes, drawn: Random) -> bytes:
    made = bytearray(content)
    for _ in range(drawn.choice([1, 3, 20]) if made else 0):
        made[drawn.randrange(len(made))] ^= 1 << drawn.randrange(8)
    return bytes(made)


def over(block: bytes, content: bytes, drawn: Random, before: int = 1 << 30) -> bytes:
    at = drawn.randrange(min(len(content), before) + 1)
    return content[:at] + block + content[at + len(block) :]


def moved(content: bytes, drawn: Random) -> bytes:
    """A block that is gone, or stands there twice."""
    one, two = sorted(drawn.randrange(len(content) + 1) for _ in range(2))
    return drawn.choice([content[:one] + content[two:], content[:two] + content[one:]])


def begun(content: bytes, drawn: Random) -> bytes:
    mark = drawn.choice(BEGINNINGS)
    return drawn.choice([mark + content, mark + content[len(mark) :], mark])


ANY: Mutators = {
    "cut": lambda content, drawn: content[: drawn.randrange(len(content) + 1)],
    "bits": flipped,
    "overwritten": lambda content, drawn: over(drawn.choice([bytes(64), b"\xff" * 16, drawn.randbytes(16)]), content, drawn),
    "block": moved,
    "beginning": begun,
    "end": lambda content, drawn: content + drawn.choice([bytes(1000), b"\n" * 10, drawn.randbytes(100), content]),
    "empty": lambda *_: b"",
}  # fmt: skip


def lines(content: bytes, drawn: Random) -> bytes:
    """A line that is gone, twice, elsewhere, or cut."""
    every = content.splitlines(keepends=True) or [b""]
    line = every.pop(drawn.randrange(len(every)))
    again = drawn.choice([b"", line * 2, line[: len(line) // 2] + b"\n", line.strip(), line])
    at = drawn.randrange(len(every) + 1)
    return b"".join([*every[:at], again, *every[at:]])


def encoded(content: bytes, drawn: Random) -> bytes:
    text = content.decode("utf-8", "replace").replace("a", drawn.choice("aø€"))
    codecs = ("utf-16", "utf-16-le", "utf-32", "cp1252", "cp037", "utf-7", "utf-8-sig")
    return text.encode(drawn.choice(codecs), "replace")


def inserted(content: bytes, drawn: Random) -> bytes:
    at = drawn.randrange(len(content) + 1)
    added = drawn.choice(
        [*TEXTS, '"""', "#", "\n[x]\n", "\n,,,,,,,,,,,,,\n", "x" * 200_000, '"' + "y" * 200_000]
    )
    return content[:at] + added.encode() + content[at:]


TEXT: Mutators = {
    "line": lines,
    "encoding": encoded,
    "marks": lambda content, drawn: content.replace(*drawn.sample(MARKS, 2), drawn.choice([1, -1])),
    "text": inserted,
}


def parts(content: bytes, word: str, change: Callable[[bytes], bytes]) -> bytes:
    """A workbook with some of its parts changed."""
    made = io.BytesIO()
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as whole, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:  # fmt: skip
            for name in whole.namelist():
                archive.writestr(name, change(whole.read(name)) if word in name else whole.read(name))
    except (zipfile.BadZipFile, ValueError, NotImplementedError):  # damaged before
        return content
    return made.getvalue()


def sheet(content: bytes, drawn: Random) -> bytes:
    added = drawn.choice(CELLS) + b"</sheetData>"
    return parts(content, "sheet1.xml", lambda part: part.replace(b"</sheetData>", added))


def nested(content: bytes, drawn: Random) -> bytes:
    made = io.BytesIO()
    names = drawn.choice([["ID", "SEKTOR"], ["ID", "ID"], ["", " "], ["a\0", "\x1b"]])
    pq.write_table(pa.table([pa.array(each) for each in drawn.sample(COLUMNS, 2)], names=names), made)
    return made.getvalue()


WORDS = [b"\xff" * 4, bytes(4), b"\x7f\xff\xff\xff", b"\xff\xff\xff\x7f", b"\x01\0\0\0"]
HEADER: Mutators = {"header": lambda content, drawn: over(drawn.choice(WORDS), content, drawn, 1500)}
WORKBOOK: Mutators = {
    "sheet": sheet,
    "part": lambda content, drawn: parts(
        content, drawn.choice(["sheet1", "workbook.xml", "styles", "shared", "Content", "rels"]), lambda part: flipped(part, drawn)
    ),
}  # fmt: skip
SAS7BDAT = (
    bytes(12) + b"\xc2\xea\x81\x60\xb3\x14\x11\xcf\xbd\x92\x08\0\x09\xc7\x31\x8c\x18\x1f\x10\x11"
)  # how one begins; nothing writes them


def typed(column: pd.Series) -> pd.Series:
    made = pd.to_numeric(column.where(column != ""), errors="coerce")
    return made if (made.notna() == (column != "")).all() else column


def write(frame: pd.DataFrame, path: Path) -> None:
    """Write a table of texts in the format of the path's name, columns of numbers as numbers. Raises whatever a
    library does for what its format does not take.
    """
    numbers = frame.apply(typed)
    {
        "csv": lambda: frame.to_csv(path, sep=";", index=False),
        "tsv": lambda: frame.to_csv(path, sep="\t", index=False),
        "xlsx": lambda: numbers.to_excel(path, index=False),
        "parquet": lambda: numbers.to_parquet(path, index=False),
        "sav": lambda: pyreadstat.write_sav(numbers, path),
        "zsav": lambda: pyreadstat.write_sav(numbers, path, compress=True),
        "dta": lambda: pyreadstat.write_dta(numbers, path),
        "xpt": lambda: pyreadstat.write_xport(numbers, path),
        "sas7bdat": lambda: path.write_bytes(SAS7BDAT + frame.to_csv().encode().ljust(70_000, b"\0")),
    }[path.suffix[1:]]()


def replaced(by: Callable[[Path], object]) -> Callable[[Path, Random], None]:
    def mutated(path: Path, _: Random) -> None:
        path.unlink()
        by(path)

    return mutated


NAMES = ["\u00f8.toml", "a b.toml", ".toml", "x" * 200 + ".toml", "\x1b[31m.toml", "con.toml", "dk-2030.csv"]
PLACE: Mutators = {
    "missing": replaced(lambda path: None),
    "folder": replaced(Path.mkdir),
    "pipe": replaced(os.mkfifo),
    "loop": replaced(lambda path: path.symlink_to(path)),
    "link to nothing": replaced(lambda path: path.symlink_to("gone")),
    "device": replaced(lambda path: path.symlink_to("/dev/zero")),
    "link outside": replaced(lambda path: path.symlink_to("/etc/passwd")),
    "renamed": lambda path, drawn: path.rename(path.with_name(drawn.choice(NAMES))),
}


def values(table: Any) -> Iterator[tuple[Any, Any]]:
    """Every place of a value in a table: what holds it, and its key or position."""
    for key, value in table.items() if isinstance(table, dict) else enumerate(table):
        yield table, key
        if isinstance(value, dict | list):
            yield from values(value)


def toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{json.dumps(key)} = {toml(each)}" for key, each in value.items()) + " }"
    if isinstance(value, list):
        return f"[{', '.join(map(toml, value))}]"
    return value.isoformat() if isinstance(value, date | time) else json.dumps(value, ensure_ascii=False)


def declared(content: bytes, drawn: Random) -> bytes:
    """A TOML file with values and keys deleted, replaced, renamed, copied elsewhere or added."""
    try:
        table = tomllib.loads(content.decode())
    except (ValueError, RecursionError):  # damaged before
        return content
    for _ in range(drawn.choice([1, 1, 2, 4]) if table else 0):
        (holder, key), (other, name) = drawn.choices(list(values(table)) or [(table, "x")], k=2)
        match drawn.randrange(5):
            case 0:
                holder.pop(key)
            case 1:
                holder[key] = json.loads(json.dumps(other[name], default=str))
            case 2 if isinstance(holder, dict):
                holder[drawn.choice(TEXTS)] = holder.pop(key)
            case 3 if isinstance(holder, dict):
                holder[drawn.choice(TEXTS)] = LEAF
            case _:
                holder[key] = LEAF
        if not table:
            break
    text = "".join(f"{json.dumps(key)} = {toml(value)}\n" for key, value in table.items())
    while (leaf := f'"{LEAF}"') in text:
        text = text.replace(leaf, drawn.choice(VALUES), 1)
    return text.encode()


def rows(content: bytes, drawn: Random) -> bytes:
    """A CSV file mutated as a table."""
    try:
        frame = pd.read_csv(io.BytesIO(content), dtype="str", keep_default_na=False).astype(object)
    except ValueError:  # damaged before
        return content
    name = drawn.choice([name for name in TABLE if name != "what a respondent wrote"])
    return TABLE[name](frame, drawn).to_csv(index=False).encode()


GROUPS: Mapping[str, Sequence[Mutators]] = {  # by suffix: one of them is drawn, then one of its mutators
    "csv": (TEXT, ANY),
    "tsv": (TEXT, ANY),
    "xlsx": (WORKBOOK, ANY),
    "parquet": (HEADER, {"types": nested}, ANY),
    **dict.fromkeys(("sav", "zsav", "dta", "xpt", "sas7bdat"), (HEADER, ANY)),
    "toml": ({"values": declared}, {"values": declared}, TEXT, ANY),
}
COUNTS = ({"rows": rows}, {"rows": rows}, TEXT, ANY)  # CSV that is no raw file of answers
