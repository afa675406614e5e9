"""The code that makes a step's output: every module that the step imports, found in the sources themselves.

A step is carried out by the module of its name in ``steps``. Its code is that module, what it imports
anywhere in its text, the packages around each, and so on; and of every package the files that are not Python
(tables, SQL, templates), which its modules read. After a fixed bug the steps it touched are redone, and no
others. So are they all after a change of
Python or of a library.
"""

from __future__ import annotations

import ast
import hashlib
import re
import sys
from collections.abc import Collection, Iterator
from contextlib import suppress
from functools import cache
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

from pipeline.catalogue.digest import fingerprint

PRODUCT = Path(__file__).resolve().parents[1]  # the package, wherever it is installed
STEPS = "steps"
DISTRIBUTION = "barometer"
READERS = ("pyreadstat",)  # of an extra, and what they read is published
NAME = re.compile(r"[A-Za-z0-9._-]+")
STATEMENT = re.compile(
    rb"^[ \t]*((?:import|from[ \t]+[.\w]+(?:[ \t]|\\\n)+import)\b(?:[^\n\\(]|\\\n|\([^)]*\))*)", re.MULTILINE
)


def code(step: str) -> str:
    """The hash of the code that makes a step's output, and of the libraries that it runs on."""
    return fingerprint(code_of(f"{STEPS}.{step}"), libraries())


def requirements() -> list[str]:
    """The distributions that every barometer needs, by name."""
    needed = (text for text in requires(DISTRIBUTION) or [] if "extra ==" not in text)
    return sorted(match.group() for text in needed if (match := NAME.match(text)))


@cache
def libraries() -> dict[str, str]:
    """What a step runs on: Python's minor version, and each library that the product itself names."""
    found = {"python": ".".join(map(str, sys.version_info[:2]))}
    for name in (*requirements(), *READERS):
        with suppress(PackageNotFoundError):  # of an extra that is not installed
            found[name] = version(name)
    return found


@cache
def code_of(module: str) -> str:
    """The hash of a module, by its name inside the product, and of all that it imports."""
    sources = _installed()
    return sources.hash(sources.closure(module))


@cache
def product() -> str:
    """The hash of all code of the product, with its tables and SQL."""
    sources = _installed()
    return sources.hash({file for name in sources.modules for file in sources.files_of(name)})


class Sources:
    """The source files of a product, as they were when they were first read."""

    def __init__(self, product: Path) -> None:
        self.product = product
        files = ((file.relative_to(product.parent), file) for file in sorted(product.rglob("*.py")))
        named = ((".".join(relative.with_suffix("").parts), file) for relative, file in files)
        self.modules = {name.removesuffix(".__init__"): file for name, file in named}
        self._imports = cache(self._find_imports)
        self._hash = cache(self._hash_of_file)
        self.files_of = cache(self._find_files)

    def closure(self, module: str) -> set[Path]:
        """The files of a module, by its name inside the product, and of all that it imports."""
        found: set[str] = set()
        waiting = {f"{self.product.name}.{module}"}
        while waiting:
            found.add(name := waiting.pop())
            waiting |= self._imports(name) - found
        return {file for name in found for file in self.files_of(name)}

    def hash(self, files: Collection[Path]) -> str:
        """The hash of some of the files, with their places in the product."""
        return hashlib.sha256(b"".join(sorted(self._hash(file) for file in files))).hexdigest()

    def _hash_of_file(self, file: Path) -> bytes:
        relative = file.relative_to(self.product.parent).as_posix()
        return hashlib.sha256(relative.encode() + b"\0" + file.read_bytes()).digest()

    def _find_imports(self, name: str) -> set[str]:
        """The modules that a module imports, with the packages around it and them."""
        file = self.modules[name]
        package = name if file.name == "__init__.py" else name.rpartition(".")[0]
        named = {name, *imports(file.read_bytes(), package)}
        return {around for each in named for around in _upwards(each)} & self.modules.keys()

    def _find_files(self, name: str) -> list[Path]:
        """A module's own file, and the data that it may read: of a package, what lies in its folder."""
        file = self.modules[name]
        return [file, *(_data(file.parent) if file.name == "__init__.py" else [])]


@cache
def _installed() -> Sources:
    return Sources(PRODUCT)


def _upwards(name: str) -> Iterator[str]:
    """A module and the packages around it: to import it is to import them."""
    while name:
        yield name
        name = name.rpartition(".")[0]


def imports(source: bytes, package: str) -> set[str]:
    """All that a module of a package may import: ``from a import b`` names a, and b may be a module of it.

    Only its import statements are parsed, which takes a tenth of the time; the whole module where what looks
    like one does not parse by itself.
    """
    try:
        nodes = [node for found in STATEMENT.findall(source) for node in ast.parse(found).body]
    except SyntaxError:
        nodes = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.stmt)]
    return {name for node in nodes for name in _named(node, package)}


def _named(node: ast.stmt, package: str) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        around = package.split(".")[: len(package.split(".")) + 1 - node.level] if node.level else []
        module = ".".join([*around, *filter(None, [node.module])])
        yield module
        yield from (f"{module}.{alias.name}" for alias in node.names)


def _data(folder: Path) -> list[Path]:
    """The files in and below a folder that are not Python, but for those of the packages inside it."""
    found = []
    for path in sorted(folder.glob("[!.]*")):
        if path.is_dir() and path.name != "__pycache__" and not (path / "__init__.py").is_file():
            found += _data(path)
        elif path.is_file() and path.suffix not in (".py", ".pyc"):
            found.append(path)
    return found
