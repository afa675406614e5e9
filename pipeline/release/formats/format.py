"""What the product knows of a format of a package, and of each kind of file in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from pipeline.problems import Problem

REBUILD = "Build the package again with `barometer run`; its files are never edited."
Described = Mapping[str, Any]  # the descriptor of a package


class Media(NamedTuple):
    """What portals are told of a file with data.

    ``code``: of the European file types; ``standard``: that it follows.
    """

    type: str
    code: str
    standard: str = ""


class Kind(NamedTuple):
    """A kind of file.

    ``label``: its heading among the downloads, ``files_LABEL`` in the texts of the site; ``media``: None
    for a document about the data; ``marked``: whether its text carries the marks (synthetic, draft).
    """

    label: str
    media: Media | None
    marked: bool


class Format(NamedTuple):
    """A format of a package.

    ``kinds``: its files, by pattern of their paths; ``files``: makes them, by path; ``check``: reads them
    back and yields every way in which they disagree with the tables; None for documents, and for the
    tables themselves, which the check of the descriptor reads.
    """

    kinds: Mapping[str, Kind]
    files: Callable[..., dict[str, bytes]]
    check: Callable[[Path, Described], Iterator[Problem]] | None
