"""Shelves of releases with a handful of files, what a reader finds, and processes that are killed."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from functools import partial
from hashlib import sha256
from itertools import count
from pathlib import Path
from typing import Any

from pipeline.release.archive import zipped
from pipeline.release.files import json_bytes, sha256sums
from pipeline.release.lock import locked
from pipeline.release.seal import seal
from pipeline.release.versions import refresh
from pipeline.release_store import previous, releases_folder
from pipeline.steps.releases import withdraw_release
from tests.releases import PACKAGE

CHANGES = ("open", "os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.chmod")
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
Found = Mapping[str, bytes]


def candidate(root: Path, version: str) -> None:
    """A package with one small table, as a candidate."""
    folder = root / "warehouse" / "candidate" / PACKAGE
    shutil.rmtree(folder, ignore_errors=True)
    before = previous(root, PACKAGE, version)
    compared = {"old": before.version if before else None, "new": version, "bump": "patch", "reasons": []}
    resource = {"name": "estimates", "path": "data/estimates.csv", "format": "csv"}
    described = {"name": PACKAGE, "title": "Test", "version": version, "created": "2025-01-31T00:00:00Z"}
    made = {
        "data/estimates.csv": f"value\n{version}\n".encode(),
        "datapackage.json": json_bytes({**described, "resources": [resource]}),
        "revisions.json": json_bytes(compared),
        "CHANGELOG.md": f"# Changelog\n\n## {version}, 2025-01-31\n\n- Release {version}.\n".encode(),
    }
    made["SHA256SUMS"] = sha256sums(made)
    made |= {f"{PACKAGE}-{version}.zip": zipped(made, f"{PACKAGE}-{version}")}
    for name, content in made.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


def sealed_store(root: Path, *versions: str) -> Path:
    """Seals such packages, one a version."""
    for version in versions:
        seal_small(root, version)
    return root


def seal_small(root: Path, version: str) -> None:
    """Seals such a package; its tests patch ``check_package``, which asks for every format."""
    candidate(root, version)
    put_on_shelf(root, version)


def put_on_shelf(root: Path, version: str) -> None:
    """Seals what lies in the folder of the candidate."""
    with locked(root, PACKAGE):
        seal(root, PACKAGE, version, root / "warehouse" / "candidate" / PACKAGE)
        refresh(root, PACKAGE)


def take_back(root: Path, version: str) -> None:
    """Withdraws a version."""
    withdraw_release(root, PACKAGE, version, "A wrong file.", date(2025, 7, 1))


def within(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, hidden ones included, but for the lock."""
    paths = (path for path in folder.rglob("*") if path.is_file() and path.name != ".lock")
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def in_bucket(files: Any, base: str) -> dict[str, bytes]:
    """Every file below a place in a bucket."""
    names = files.find(base)
    found = files.cat(names) if names else {}
    return {name[len(base) + 1 :]: content for name, content in found.items()}


def in_store(root: Path) -> dict[str, bytes]:
    """Every file of the release store."""
    return within(releases_folder(root, PACKAGE))


def check_reader(found: Found, before: Found, after: Found) -> None:
    """What a reader finds half-way is whole: old or new files, complete versions, one whole archive."""
    shown = {name: content for name, content in found.items() if "/." not in f"/{name}"}
    for name, content in shown.items():
        assert content in (before.get(name), after.get(name)), f"{name} is neither the old nor the new one"
    indexed = json.loads(shown.get("versions.json", b'{"versions": []}'))
    for entry in indexed["versions"]:
        if entry["status"] == "released" and not tombstone(shown, entry["version"]):
            assert sha256(shown[f"{entry['version']}/SHA256SUMS"]).hexdigest() == entry["sha256sums"]
    for version in {name.partition("/")[0] for name in shown if name.endswith("/SHA256SUMS")}:
        if not tombstone(shown, version):
            assert complete(shown, version), f"{version} looks whole and is not"


def tombstone(found: Found, version: str) -> bool:
    """Whether a version says itself that it is withdrawn."""
    return b'"withdrawn": {' in found.get(f"{version}/datapackage.json", b"")


def complete(found: Found, version: str) -> bool:
    """Whether every file that the checksums of a version name is there, with that checksum."""
    lines = found[f"{version}/SHA256SUMS"].decode().splitlines()
    listed = {path: digest for digest, _, path in (line.partition("  ") for line in lines)}
    return listed == {path: sha256(found.get(f"{version}/{path}", b"")).hexdigest() for path in listed}


def deaths(act: Callable[[], object], folder: Path, restore: Callable[[], object]) -> Iterator[None]:
    """Runs an act until it ends well: killed before its first change below a folder, before its second and
    so on.

    A write is also killed half-way. Between two changes nothing happens on the disk: just before one is just
    after the one before it.
    """
    for point in count(1):
        restore()
        if not forked(act, partial(_killed_at, point, folder)):
            return
        yield


def _killed_at(point: int, folder: Path) -> None:
    """Has this process killed at a point of what it will do."""
    left = point

    def watch(event: str, given: tuple[Any, ...]) -> None:
        nonlocal left
        if not left or event not in CHANGES or (event == "open" and not given[2] & WRITING):
            return
        if Path(given[0]).is_absolute() and not Path(given[0]).is_relative_to(folder):
            return
        left -= 1
        if not left:
            os.kill(os.getpid(), signal.SIGKILL)
        if event == "open" and given[2] & os.O_TRUNC:
            left -= 1
            if not left:
                os.write(os.open(given[0], os.O_WRONLY | os.O_CREAT | os.O_TRUNC), b'{"half": ')
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(watch)


def forked(act: Callable[[], object], first: Callable[[], object] = lambda: None) -> int:
    """Runs an act in a process of its own: 0, or the number of the signal that killed it, below 0."""
    child = os.fork()
    if not child:
        try:
            first()
            act()
            os._exit(0)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert code in (0, -signal.SIGKILL), "the process failed; its words stand above"
    return code
