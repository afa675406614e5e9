"""Killed at every single change: what readers find is whole, and the next plain run ends as if
undisturbed.
"""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import fsspec
import pytest
from aiobotocore.client import AioBaseClient

from pipeline.release_store import sealed_releases
from pipeline.steps.releases import publish_releases
from tests.release_stores import (
    candidate,
    check_reader,
    complete,
    deaths,
    forked,
    in_bucket,
    in_store,
    put_on_shelf,
    seal_small,
    sealed_store,
    take_back,
    tombstone,
    within,
)
from tests.releases import PACKAGE


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Packages without formats may be sealed; a killed process, unlike a machine, leaves the disk its
    writes.
    """
    monkeypatch.setattr("pipeline.release.seal.check_package", lambda _: [])
    monkeypatch.setattr(os, "fsync", lambda _: None)


def restored(source: Path, target: Path) -> Callable[[], object]:
    def restore() -> None:
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(source, target)

    return restore


def sealing(root: Path) -> None:
    put_on_shelf(root, "1.0.1")


def withdrawing(root: Path) -> None:
    take_back(root, "1.0.1")


def withdrawing_the_last(root: Path) -> None:
    take_back(root, "1.0.0")


SHELVES = {sealing: ("1.0.0",), withdrawing: ("1.0.0", "1.0.1"), withdrawing_the_last: ("1.0.0",)}


@pytest.mark.parametrize("act", SHELVES, ids=lambda act: act.__name__)
def test_a_killed_act_leaves_the_shelf_whole_and_is_finished(
    act: Callable[[Path], object], tmp_path: Path
) -> None:
    start, root = sealed_store(tmp_path / "start", *SHELVES[act]), tmp_path / "barometer"
    candidate(start, "1.0.1")
    undisturbed = shutil.copytree(start, tmp_path / "undisturbed")
    act(undisturbed)
    before, after, www = in_store(start), in_store(undisturbed), tmp_path / "www"
    points = 0
    for _ in deaths(lambda: act(root), root, restored(start, root)):
        points += 1
        check_reader(in_store(root), before, after)
        states = [(release.version, bool(release.withdrawn)) for release in sealed_releases(root, PACKAGE)]
        shutil.rmtree(www, ignore_errors=True)
        publish_releases(root, str(www))  # any verb finishes what was begun, and undoes nothing
        assert states == [
            (release.version, bool(release.withdrawn)) for release in sealed_releases(root, PACKAGE)
        ]
        assert in_store(root) == within(www / PACKAGE) and in_store(root) in (before, after)
        act(root)
        assert in_store(root) == after
    assert points > 20


def first(root: Path) -> None:
    """Nothing is published yet."""


def withdrawal_of_all(root: Path) -> None:
    take_back(root, "1.0.0")
    take_back(root, "1.0.1")


def all_at_once(root: Path) -> None:
    take_back(root, "1.0.1")
    seal_small(root, "1.0.2")


def prepared(news: Callable[[Path], None], tmp_path: Path) -> tuple[Path, Path]:
    """A release store with news, and a folder as it was published before them."""
    root, published = sealed_store(tmp_path / "barometer", "1.0.0", "1.0.1"), tmp_path / "published"
    (published / PACKAGE).mkdir(parents=True)
    if news is not first:
        publish_releases(root, str(published))
    news(root)
    return root, published


def check_published(found: dict[str, bytes], before: dict[str, bytes], after: dict[str, bytes]) -> None:
    """As a reader, and stricter than in the release store: indexes are changed before data are taken away."""
    check_reader(found, before, after)
    for version in {name.partition("/")[0] for name in found if name.endswith("/datapackage.json")}:
        if tombstone(found, version):
            assert found["versions.json"] == after["versions.json"]
            assert found.get("latest.zip") == after.get("latest.zip")
    if "versions.json" in found:
        indexed = before if found["versions.json"] == before.get("versions.json") else after
        for version in {name.partition("/")[0] for name in indexed if name.endswith("/SHA256SUMS")}:
            assert complete(found, version)


@pytest.mark.parametrize("news", [first, withdrawal_of_all, all_at_once], ids=lambda news: news.__name__)
def test_a_killed_publisher_of_a_folder(news: Callable[[Path], None], tmp_path: Path) -> None:
    root, published = prepared(news, tmp_path)
    www, before, after = tmp_path / "www", within(published / PACKAGE), in_store(root)
    points = 0
    for _ in deaths(lambda: publish_releases(root, str(www)), www, restored(published, www)):
        points += 1
        found = within(www / PACKAGE)
        check_published(found, before, after)
        right = [name for name, content in found.items() if after.get(name) == content]
        place = publish_releases(root, str(www))[PACKAGE]
        assert within(www / PACKAGE) == after
        assert place.sent == len(after) - len(right), "what was sent is not sent again"
    assert points > 20


def test_a_killed_publisher_of_a_bucket(tmp_path: Path, s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    root, published = prepared(all_at_once, tmp_path)
    before, after = within(published / PACKAGE), in_store(root)
    real, left = AioBaseClient._make_api_call, 0

    async def dying(client: AioBaseClient, operation: str, given: Any) -> Any:
        nonlocal left
        left -= operation in ("PutObject", "DeleteObject")
        if not left:
            os.kill(os.getpid(), signal.SIGKILL)
        return await real(client, operation, given)

    for point in count(1):
        base = f"open-data/{point}/{PACKAGE}"
        s3.pipe({f"{base}/{name}": content for name, content in before.items()})
        left = point
        doomed = partial(monkeypatch.setattr, AioBaseClient, "_make_api_call", dying)
        killed = forked(partial(publish_releases, root, f"s3://open-data/{point}"), doomed)
        check_published(in_bucket(s3, base), before, after)
        with monkeypatch.context() as patch:  # no client of its own, which takes a third of a second
            patch.setattr(fsspec.core, "url_to_fs", lambda place, **_: (s3, place.removeprefix("s3://")))
            publish_releases(root, f"s3://open-data/{point}")
        assert in_bucket(s3, base) == after
        if not killed:
            break
    assert point == 17, "six files, three indexes, two of the tombstone, five removals, and undisturbed"
