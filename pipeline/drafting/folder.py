"""A new barometer's folder: the starter that ships with the product, and how new files are written.

The starter is a small working barometer with synthetic data. ``starter/`` holds its files as written,
except for the barometer's name, which is the folder's.
"""

from __future__ import annotations

import re
import shutil
import unicodedata
from collections.abc import Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from pipeline.atomic import inside
from pipeline.catalogue.kinds import unprintable
from pipeline.catalogue.schema import schema_files
from pipeline.problems import Problem, ProblemError

NAME = b"NAME"  # stands in the starter for the name of the barometer
PLAIN_LETTERS = str.maketrans({"æ": "ae", "ø": "oe", "ß": "ss", "ð": "d", "þ": "th", "ł": "l", "đ": "d"})


def write_starter(folder: Path) -> list[Path]:
    """Write the starter barometer into a new or empty folder; returns the paths written.

    Raises ProblemError, and writes nothing, when the folder holds declarations or a file would be
    overwritten.
    """
    content = {**_starter_files(), **schema_files()}
    for name in ("README.md", "schemas/barometer.toml"):
        content[name] = content[name].replace(NAME, name_of(folder).encode())
    return write_new(folder, content)


def gitignore(keep_raw: bool) -> bytes:
    """What a version control leaves out: all that is built and, but for ``keep_raw``, the raw files."""
    text = _starter_files()[".gitignore"]
    if keep_raw:
        return text
    built = text.decode().partition("# The raw files")[0]
    return (
        f"{built}# The raw files hold respondents' answers and stay out too. To keep other files of\n"
        "# warehouse/raw, add a line !warehouse/raw/ and one for each file that stays out.\n"
    ).encode()


def name_of(folder: Path) -> str:
    """The folder's own name as that of a barometer: ``My Survey`` is ``my-survey``."""
    return slug(folder.resolve().name, "-") or "barometer"


def slug(text: str, joiner: str, longest: int = 40) -> str:
    """A text in plain lower-case letters and digits, words joined and cut at a word's end; may be ""."""
    plain = unicodedata.normalize("NFKD", text.casefold().translate(PLAIN_LETTERS))
    words = re.findall(r"[a-z0-9]+", re.sub(r"['\u2019\u0300-\u036f]", "", plain))
    while len(words) > 1 and len(joiner.join(words)) > longest:
        words.pop()
    return joiner.join(words)[:longest]


def write_new(folder: Path, content: Mapping[str, bytes | Path]) -> list[Path]:
    """Write files, by their path in the folder; a Path is copied. Returns the paths, in the order given.

    All are made beside their places before the first is put there, and barometer.toml, which makes a folder a
    barometer, comes last. Raises ProblemError, and writes nothing, when one of them is there already or the
    folder holds declarations.
    """
    _require_free(folder, content)
    fresh = folder / ".init.new"
    try:
        shutil.rmtree(fresh, ignore_errors=True)
        for name, made in content.items():
            (fresh / name).parent.mkdir(parents=True, exist_ok=True)
            if isinstance(made, Path):
                shutil.copyfile(made, fresh / name)
            else:
                (fresh / name).write_bytes(made)
        for name in sorted(content, key=lambda name: name == "schemas/barometer.toml"):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (fresh / name).replace(folder / name)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        hint = "Choose a folder that you can write to."
        raise ProblemError(Problem(str(folder), "", f"cannot be written: {reason}", hint)) from None
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return [folder / name for name in content]


def require_raw_file(file: Path) -> None:
    """Raises ProblemError where there is no such file, or declarations cannot hold its name."""
    if not file.is_file():
        raise ProblemError(Problem(str(file), "", "does not exist", "Name the raw file."))
    if unprintable(file.name) or {*file.name} & {"\n", "\t"}:
        message = "has a name with a control character"
        raise ProblemError(Problem(str(file), "", message, "Rename the file."))


def require_inside(folder: Path, name: str) -> None:
    """Raises ProblemError when ``name``, links followed, leads out of the folder."""
    try:
        inside(folder, name)
    except ValueError:
        hint = "Nothing is written outside the barometer's folder: put a folder where the link is."
        raise ProblemError(Problem(name, "", f"leads out of {folder}", hint)) from None


def _require_free(folder: Path, content: Mapping[str, bytes | Path]) -> None:
    for name in content:
        require_inside(folder, name)
    hint = "Choose a new folder: nothing is overwritten."
    if (folder / "schemas").is_dir() and any((folder / "schemas").iterdir()):
        raise ProblemError(Problem(str(folder / "schemas"), "", "contains declarations already", hint))
    taken = [name for name in content if (folder / name).exists()]
    if taken:
        raise ProblemError(Problem(str(folder / name), "", "exists already", hint) for name in taken)


def _starter_files() -> dict[str, bytes]:
    found = dict(_below(files("pipeline.drafting") / "starter", ""))
    return {name.replace("gitignore", ".gitignore"): found[name] for name in sorted(found)}


def _below(entry: Traversable, path: str) -> list[tuple[str, bytes]]:
    if not entry.is_dir():
        return [(path, entry.read_bytes())]
    entries = sorted(entry.iterdir(), key=lambda entry: entry.name)
    return [found for entry in entries for found in _below(entry, f"{path}/{entry.name}".lstrip("/"))]
