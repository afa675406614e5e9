"""Typed access to one TOML table: a wrong type, a missing or an unknown key is a problem, never a crash."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pipeline.catalogue.hints import did_you_mean
from pipeline.catalogue.reader import read_toml
from pipeline.problems import Problem

_REQUIRED: Any = object()


def opened(path: Path, root: Path, problems: list[Problem], wave: str) -> Section:
    """One TOML file as a section; empty, with a problem, when it cannot be read."""
    data = read_toml(path, root, problems, wave)
    return Section(data, path.relative_to(root).as_posix(), problems, wave=wave)


class Section:
    """A TOML table being read. Every key that is read is noted; ``done`` reports those that were not.

    Reading never raises: a wrong value is added to ``problems`` and a placeholder returned, so that one
    reading lists all problems of a file.
    """

    def __init__(
        self,
        data: dict[str, Any],
        file: str,
        problems: list[Problem],
        path: str = "",
        wave: str | None = None,
    ):
        self.data, self.file, self.problems, self.path, self.wave = (data, file, problems, path, wave)
        self._read: set[str] = set()

    def place(self, key: str) -> str:
        """The key's full TOML path."""
        return f"{self.path}.{key}" if self.path and key else self.path or key

    def problem(self, key: str, message: str, hint: str, value: object = None) -> None:
        """Reports a problem at a key."""
        given = None if value is None else str(value)
        self.problems.append(Problem(self.file, self.place(key), message, hint, given, self.wave))

    def _get(self, key: str, kind: type | tuple[type, ...], what: str, default: Any, empty: Any) -> Any:
        self._read.add(key)
        if key not in self.data:
            if default is not _REQUIRED:
                return default
            self.problem(key, "is missing", f"Add {key} = ..., {what}.")
            return empty
        value = self.data[key]
        wrong_bool = isinstance(value, bool) and kind is not bool
        if wrong_bool or not isinstance(value, kind):
            self.problem(key, f"must be {what}", f"Write {key} as {what}.", value)
            return empty if default is _REQUIRED else default
        return value

    def __contains__(self, key: str) -> bool:
        return key in self.data

    def text(self, key: str, default: Any = _REQUIRED) -> Any:
        """A text, not empty unless it has a default."""
        value = self._get(key, str, "a text in quotes", default, "")
        if value == "" and default is _REQUIRED and key in self.data:
            self.problem(key, "is empty", f"Fill in {key}.")
        return value

    def integer(self, key: str, default: Any = _REQUIRED) -> Any:
        """A whole number."""
        return self._get(key, int, "a whole number", default, 0)

    def number(self, key: str, default: Any = _REQUIRED) -> Any:
        """A number, as float."""
        value = self._get(key, (int, float), "a number", default, 0.0)
        return float(value) if isinstance(value, int) else value

    def texts(self, key: str, default: Any = _REQUIRED) -> tuple[str, ...]:
        """A list of texts."""
        values = self._get(key, list, "a list of texts", default, [])
        if any(not isinstance(value, str) for value in values):
            self.problem(key, "must be a list of texts", 'Put every entry in quotes, as ["a", "b"].', values)
            return ()
        return tuple(values)

    def numbers(self, key: str) -> tuple[float, float] | None:
        """An optional pair of numbers, low then high."""
        values = self._get(key, list, "a list of two numbers, the lower one first", None, None)
        if values is None:
            return None
        good = len(values) == 2 and all(isinstance(value, (int, float)) for value in values)
        if not good or not 0 <= values[0] < values[1]:
            self.problem(
                key,
                "must be a list of two numbers, the lower one first",
                f"Write {key} = [0.3, 3.0].",
                values,
            )
            return None
        return float(values[0]), float(values[1])

    def section(self, key: str, required: bool = False) -> Section:
        """The table below ``key``; an empty one when it is absent."""
        data = self._get(key, dict, "a table", _REQUIRED if required else {}, {})
        return Section(data, self.file, self.problems, self.place(key), self.wave)

    def sections(self, key: str) -> list[Section]:
        """The tables of an array of tables."""
        rows = self._get(key, list, f"a list of tables, each under [[{key}]]", [], [])
        made = []
        for number, row in enumerate(rows, start=1):
            if isinstance(row, dict):
                made.append(Section(row, self.file, self.problems, self.place(f"{key}[{number}]"), self.wave))
            else:
                self.problem(f"{key}[{number}]", "must be a table", f"Write it as [[{key}]].", row)
        return made

    def each(self) -> Iterator[tuple[str, Section]]:
        """Every entry as a table of its own, in the file's order."""
        for key in self.data:
            yield key, self.section(key)

    def mapping(self, key: str) -> dict[str, str]:
        """A table of texts."""
        table = self.section(key)
        return {name: table.text(name) for name in table.data}

    def done(self) -> None:
        """Reports every key that was not read."""
        for key in self.data:
            if key not in self._read:
                known = sorted(self._read)
                self.problem(
                    key,
                    "is not a known key",
                    f"Remove it, or use one of {', '.join(known)}.{did_you_mean(key, known)}",
                )
