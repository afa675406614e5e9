"""Two publishers at once: none undoes what the other did, and the slower one is told in plain words."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import fsspec
import pytest
from aiobotocore.client import AioBaseClient

from pipeline.problems import ProblemError
from pipeline.release.destination import Bucket, Destination, Folder
from pipeline.release_store import releases_folder
from pipeline.steps.releases import publish_releases
from tests.release_stores import in_bucket, in_store, seal_small, sealed_store, take_back, within
from tests.releases import PACKAGE

BUCKET, BASE = "s3://open-data", f"open-data/{PACKAGE}"
TOLD = "was changed by another publisher in the meantime, and was left as it is. Run the command again"


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Packages without formats may be sealed."""
    monkeypatch.setattr("pipeline.release.seal.check_package", lambda _: [])


@pytest.fixture
def one_client(s3: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """All publishers of this process speak to the server through one client: a new one takes a third of a
    second.
    """
    monkeypatch.setattr(fsspec.core, "url_to_fs", lambda place, **_: (s3, place.removeprefix("s3://")))
    return s3


class Pausing:
    """Stands still before its n-th change of a place, for others to do something; once."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, kind: type[Destination]) -> None:
        self.left, self.others = 0, lambda: None
        for act in ("_put", "_take"):
            monkeypatch.setattr(kind, act, self.paused(getattr(kind, act)))

    def paused(self, act: Callable[..., None]) -> Callable[..., None]:
        def pausing(place: Destination, *given: Any) -> None:
            self.left -= 1
            if not self.left:
                self.others()
            act(place, *given)

        return pausing

    def points(
        self, act: Callable[[int], object], others: Callable[[int], object]
    ) -> Iterator[tuple[int, str]]:
        """Runs an act, paused before its first change, its second and so on; gives what it was told."""
        for point in range(1, 100):
            self.left, self.others = point, lambda point=point: others(point)
            said = told(lambda point=point: act(point))
            if self.left > 0:
                return
            yield point, said


def told(act: Callable[[], object]) -> str:
    try:
        act()
    except ProblemError as error:
        return str(error)
    return ""


def two_shelves(tmp_path: Path) -> tuple[Path, Path]:
    """A release store with two releases, and one that has a third."""
    slow = sealed_store(tmp_path / "slow", "1.0.0", "1.0.1")
    quick = shutil.copytree(slow, tmp_path / "quick")
    seal_small(quick, "1.0.2")
    return slow, quick


def already_published(client: Any, tmp_path: Path) -> None:
    """The first release lies in ten places of the bucket."""
    lying = in_store(sealed_store(tmp_path / "start", "1.0.0"))
    for point in range(1, 11):
        client.pipe({f"open-data/{point}/{PACKAGE}/{name}": content for name, content in lying.items()})


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("first", [False, True])
def test_the_slower_one_never_undoes_what_the_quicker_one_published(
    first: bool, tmp_path: Path, one_client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow, quick = two_shelves(tmp_path)
    if not first:
        already_published(one_client, tmp_path)
    says = []
    pausing = Pausing(monkeypatch, Bucket)
    for point, said in pausing.points(
        lambda point: publish_releases(slow, f"{BUCKET}/{point}"),
        lambda point: publish_releases(quick, f"{BUCKET}/{point}"),
    ):
        assert in_bucket(one_client, f"open-data/{point}/{PACKAGE}") == in_store(quick), point
        says.append(said)
    assert len(says) == (15 if first else 9)
    assert all(TOLD in said and said.startswith(f"{BUCKET}/") for said in says)
    assert "1.0.2: is a release that this release store does not have" in told(
        lambda: publish_releases(slow, f"{BUCKET}/1")
    )


@pytest.mark.usefixtures("small")
def test_of_two_with_the_same_releases_both_end_well(
    tmp_path: Path, one_client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow, _ = two_shelves(tmp_path)
    same = shutil.copytree(slow, tmp_path / "same")
    for point, said in Pausing(monkeypatch, Bucket).points(
        lambda point: publish_releases(slow, f"{BUCKET}/{point}"),
        lambda point: publish_releases(same, f"{BUCKET}/{point}"),
    ):
        assert said == ""
        assert in_bucket(one_client, f"open-data/{point}/{PACKAGE}") == in_store(slow)
    assert point > 10


@pytest.mark.usefixtures("small")
def test_a_withdrawal_stands_against_a_publisher_that_does_not_know_it(
    tmp_path: Path, one_client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the slower one sends after the taking down is named nowhere, and goes with the next
    publication.
    """
    slow, _ = two_shelves(tmp_path)
    quick = shutil.copytree(slow, tmp_path / "withdrawn")
    take_back(quick, "1.0.1")
    already_published(one_client, tmp_path)
    told_there = ("versions.json", "feed.xml", "1.0.1/datapackage.json", "1.0.1/WITHDRAWN.md")
    for point, said in Pausing(monkeypatch, Bucket).points(
        lambda point: publish_releases(slow, f"{BUCKET}/{point}"),
        lambda point: publish_releases(quick, f"{BUCKET}/{point}"),
    ):
        found, after = in_bucket(one_client, f"open-data/{point}/{PACKAGE}"), in_store(quick)
        assert TOLD in said and all(found[name] == after[name] for name in told_there)
        assert "is withdrawn there, but not in this release store" in told(
            partial(publish_releases, slow, f"{BUCKET}/{point}")
        )
        publish_releases(quick, f"{BUCKET}/{point}")
        assert in_bucket(one_client, f"open-data/{point}/{PACKAGE}") == after
    assert point == 9


@pytest.mark.usefixtures("small")
def test_a_latest_is_taken_away_only_by_who_saw_it(
    tmp_path: Path, s3: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow, _ = two_shelves(tmp_path)
    publish_releases(slow, BUCKET)
    for version in ("1.0.0", "1.0.1"):
        take_back(slow, version)
    quick = shutil.copytree(slow, tmp_path / "newer")
    seal_small(quick, "1.0.2")
    pausing = Pausing(monkeypatch, Bucket)
    pausing.left, pausing.others = 2, lambda: publish_releases(quick, BUCKET)  # 1 is versions.json
    assert f"{BUCKET}/{PACKAGE}/latest.zip: {TOLD}" in told(lambda: publish_releases(slow, BUCKET))
    assert in_bucket(s3, BASE) == in_store(quick)


@pytest.mark.usefixtures("small")
def test_what_was_taken_away_meanwhile_is_not_put_back(
    tmp_path: Path, one_client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow, quick = two_shelves(tmp_path)
    publish_releases(slow, BUCKET)
    pausing = Pausing(monkeypatch, Bucket)
    pausing.left, pausing.others = 8, lambda: one_client.rm(f"{BASE}/latest.zip")
    assert f"{BUCKET}/{PACKAGE}/latest.zip: {TOLD}" in told(lambda: publish_releases(quick, BUCKET))
    assert not one_client.exists(f"{BASE}/latest.zip")


@pytest.mark.usefixtures("small")
def test_processes_that_publish_at_once_to_a_bucket(tmp_path: Path, s3: Any) -> None:
    slow, quick = two_shelves(tmp_path)
    for turn in range(4):
        codes = at_once([slow, quick], f"{BUCKET}/{turn}")
        found = in_bucket(s3, f"open-data/{turn}/{PACKAGE}")
        assert 0 in codes, "one of them wins"
        assert codes[1] or found["versions.json"] == in_store(quick)["versions.json"]
        publish_releases(quick, f"{BUCKET}/{turn}")
        assert in_bucket(s3, f"open-data/{turn}/{PACKAGE}") == in_store(quick)


@pytest.mark.usefixtures("small")
def test_processes_that_publish_at_once_to_a_folder(tmp_path: Path) -> None:
    slow, quick = two_shelves(tmp_path)
    same = shutil.copytree(quick, tmp_path / "same")
    for turn in range(10):
        www = tmp_path / f"www-{turn}"
        assert at_once([slow, quick, same], str(www))[1:] == [0, 0]
        assert within(www / PACKAGE) == in_store(quick)


def at_once(roots: list[Path], destination: str) -> list[int]:
    """Publishes from several release stores, a process each; 1 for who was refused in plain words."""
    children = []
    for root in roots:
        if not (child := os.fork()):
            try:
                os._exit(bool(told(lambda: publish_releases(root, destination))))  # noqa: B023
            finally:
                os._exit(2)
        children.append(child)
    codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
    assert 2 not in codes
    return codes


@pytest.mark.usefixtures("small")
def test_a_folder_is_held_by_one_publisher(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slow, quick = two_shelves(tmp_path)
    www, answers = str(tmp_path / "www"), []
    pausing = Pausing(monkeypatch, Folder)
    monkeypatch.setattr("pipeline.release.lock.TIMEOUT", 0.1)

    def from_elsewhere() -> None:
        thread = threading.Thread(target=lambda: answers.append(told(lambda: publish_releases(quick, www))))
        thread.start()
        thread.join()

    pausing.left, pausing.others = 12, from_elsewhere
    publish_releases(slow, www)
    assert answers == [
        f"{www}/{PACKAGE}: another process is changing these releases. Wait until it has ended, and try again."
    ]
    assert within(tmp_path / "www" / PACKAGE) == in_store(slow)


@pytest.mark.usefixtures("small")
def test_the_shelf_is_no_place_to_publish_to(tmp_path: Path) -> None:
    root, _ = two_shelves(tmp_path)
    before = in_store(root)
    said = told(lambda: publish_releases(root, str(releases_folder(root, PACKAGE).parent)))
    assert "is the release store itself. Give another folder" in said and in_store(root) == before


@pytest.mark.usefixtures("small")
def test_an_answer_that_was_lost_is_no_rival(
    tmp_path: Path, s3: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server took a file, the answer got lost, and the request was made again."""
    root, _ = two_shelves(tmp_path)
    real = AioBaseClient._make_api_call

    async def twice(client: AioBaseClient, operation: str, given: Any) -> Any:
        if operation in ("PutObject", "DeleteObject"):
            await real(client, operation, given)
        return await real(client, operation, given)

    monkeypatch.setattr(AioBaseClient, "_make_api_call", twice)
    publish_releases(root, BUCKET)
    take_back(root, "1.0.1")
    publish_releases(root, BUCKET)
    assert in_bucket(s3, BASE) == in_store(root)
