"""Publishing: versions before indexes, nothing sent twice, nothing overwritten; to a folder and to a
bucket.
"""

from __future__ import annotations

import errno
import shutil
from datetime import date
from pathlib import Path
from typing import Any

import fsspec
import pytest
from s3fs import S3FileSystem

from pipeline.problems import ProblemError
from pipeline.release.destination import Destination
from pipeline.release.versions import INDEXES
from pipeline.release_store import releases_folder, sealed_releases
from pipeline.steps.releases import publish_releases, withdraw_release
from tests.barometers import edit, write_barometer
from tests.releases import PACKAGE, build, raise_version, seal


@pytest.fixture
def root(released_twice: Path, tmp_path: Path) -> Path:
    return shutil.copytree(released_twice, tmp_path / "barometer")


def here(root: Path) -> dict[str, bytes]:
    """Every file of the release store by its name, indexes included."""
    folder = releases_folder(root, PACKAGE)
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != ".lock"
    }


def there(files: Any, base: str) -> dict[str, bytes]:
    return {name[len(base) + 1 :]: files.cat_file(name) for name in files.find(base)}


def in_folder(folder: Path) -> dict[str, bytes]:
    found = there(fsspec.filesystem("file"), str(folder / PACKAGE))
    assert found.pop(".lock") == b""
    return found


def publish(root: Path, destination: Path | str) -> Destination:
    return publish_releases(root, str(destination))[PACKAGE]


def test_a_folder_gets_every_byte(root: Path, tmp_path: Path) -> None:
    publish(root, tmp_path / "www")
    assert in_folder(tmp_path / "www") == here(root)


def test_a_bucket_gets_every_byte(root: Path, s3: Any) -> None:
    place = publish(root, "s3://open-data/statistics")
    assert there(s3, f"open-data/statistics/{PACKAGE}") == here(root)
    assert place.sent == len(here(root))


def test_nothing_is_sent_twice(root: Path, tmp_path: Path, s3: Any) -> None:
    for destination in (tmp_path / "www", "s3://open-data/statistics"):
        first = publish(root, destination)
        again = publish(root, destination)
        assert (again.sent, again.removed, again.kept) == (0, 0, first.sent)


def test_a_new_release_sends_itself_and_the_indexes(root: Path, s3: Any, tmp_path: Path) -> None:
    publish(root, "s3://open-data")
    edit(root / "schemas/codebook.toml", 'codes.care = "Care"', 'codes.care = "Health care"')
    raise_version(root, "1.0.2", "2025-12-01")
    build(root)
    seal(root)
    sent = publish(root, "s3://open-data").sent
    new = [name for name in here(root) if name.startswith(("1.0.2/", *INDEXES))]
    assert 0 < sent <= len(new)
    assert there(s3, f"open-data/{PACKAGE}") == here(root)


def test_indexes_come_last_and_checksums_last_of_a_version(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[str] = []
    real = Destination.send
    monkeypatch.setattr(
        Destination, "send", lambda place, name, path: (sent.append(name), real(place, name, path))
    )
    publish(root, tmp_path / "www")
    kinds = [name.partition("/")[0] for name in sent]
    assert list(dict.fromkeys(kinds)) == ["1.0.0", "1.0.1", *INDEXES]
    for folder in ("1.0.0", "1.0.1"):
        assert [name for name in sent if name.startswith(f"{folder}/")][-1] == f"{folder}/SHA256SUMS"


def test_a_published_version_is_never_overwritten(root: Path, s3: Any) -> None:
    publish(root, "s3://open-data")
    for name, content in (("1.0.0/SHA256SUMS", b"other"), ("1.0.1/data/estimates.csv", b"shorter")):
        kept = s3.cat_file(f"open-data/{PACKAGE}/{name}")
        s3.pipe_file(f"open-data/{PACKAGE}/{name}", content)
        with pytest.raises(
            ProblemError,
            match=rf"s3://open-data/{PACKAGE}/{name}: is not the same file as in this release. A version is never",
        ):
            publish(root, "s3://open-data")
        assert s3.cat_file(f"open-data/{PACKAGE}/{name}") == content
        s3.pipe_file(f"open-data/{PACKAGE}/{name}", kept)


def test_a_withdrawn_version_is_taken_down(root: Path, s3: Any) -> None:
    publish(root, "s3://open-data")
    withdraw_release(root, PACKAGE, "1.0.1", "A wrong file.", date(2025, 7, 1))
    place = publish(root, "s3://open-data")
    assert place.removed > 20
    found = there(s3, f"open-data/{PACKAGE}")
    assert found == here(root)
    assert {name for name in found if name.startswith("1.0.1/")} == {
        "1.0.1/datapackage.json",
        "1.0.1/WITHDRAWN.md",
    }


def test_what_only_the_destination_knows_is_not_lost(
    root: Path, released_twice: Path, tmp_path: Path
) -> None:
    publish(root, tmp_path / "www")
    withdraw_release(root, PACKAGE, "1.0.0", "A wrong file.", date(2025, 7, 1))
    publish(root, tmp_path / "www")
    with pytest.raises(
        ProblemError, match=r"versions.json, 1\.0\.0: is withdrawn there, but not in this release store"
    ):
        publish(released_twice, tmp_path / "www")
    shutil.rmtree(releases_folder(root, PACKAGE) / "1.0.1")
    with pytest.raises(
        ProblemError, match=r"versions.json, 1\.0\.1: is a release that this release store does not have"
    ):
        publish(root, tmp_path / "www")


def test_nothing_to_publish_is_said(root: Path, tmp_path: Path) -> None:
    barometer = write_barometer(tmp_path / "new")
    with pytest.raises(ProblemError, match=r"has no release to publish\. Seal a candidate"):
        publish_releases(barometer, str(tmp_path))
    with pytest.raises(ProblemError, match=r"has no release to publish \('other'\)"):
        publish_releases(root, str(tmp_path), ["other"])
    assert not (tmp_path / PACKAGE).exists()


def test_a_destination_that_does_not_take_it_says_why(
    root: Path, s3: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def said(destination: str) -> str:
        with pytest.raises(ProblemError) as error:
            publish(root, destination)
        return str(error.value)

    assert "s3://no-such-bucket: does not exist" in said(
        "s3://no-such-bucket"
    ) and "Create the bucket" in said("s3://no-such-bucket/x")
    assert "is not a valid destination" in said("gopher://somewhere")
    (tmp_path / "file").write_text("a file")
    assert "cannot be written to" in said(str(tmp_path / "file"))
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    assert "s3://open-data: needs credentials, and none were found. Set AWS_ACCESS_KEY_ID" in said(
        "s3://open-data"
    )


def test_an_unreachable_server_says_so(root: Path, s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with pytest.raises(
        ProblemError, match=r"s3://open-data: cannot be written to: .*127\.0\.0\.1:9.*Run the command again"
    ):
        publish(root, "s3://open-data")


def test_a_server_without_conditional_writes_is_refused(
    root: Path, s3: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = S3FileSystem._call_s3

    async def old(files: S3FileSystem, method: str, *given: Any, **named: Any) -> Any:
        if "IfNoneMatch" in named:
            raise OSError(errno.ENOSYS, "A header you provided implies functionality that is not implemented")
        return await real(files, method, *given, **named)

    monkeypatch.setattr(S3FileSystem, "_call_s3", old)
    with pytest.raises(
        ProblemError, match=r"s3://open-data: does not support conditional writes.* Publish to a folder"
    ):
        publish(root, "s3://open-data")


def test_the_shelf_is_left_as_it_is(root: Path, tmp_path: Path) -> None:
    before = here(root)
    publish(root, tmp_path / "www")
    assert here(root) == before and [release.version for release in sealed_releases(root, PACKAGE)] == [
        "1.0.0",
        "1.0.1",
    ]
