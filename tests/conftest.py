"""Fixtures every test module shares."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fsspec
import pytest

from pipeline.catalogue import Catalogue, load_catalogue
from tests.barometers import write_barometer
from tests.releases import build, correct, raise_version, seal

REPOSITORY = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def repository() -> Path:
    """The project's own folder, with the bundled barometer."""
    return REPOSITORY


@pytest.fixture(scope="session")
def shared() -> Path:
    """Real open survey files and reference results that stand beside the project; skips where they do not."""
    folder = REPOSITORY.parent / "shared"
    if not folder.is_dir():
        pytest.skip("the folder of reference data and results is not beside the project")
    return folder


@pytest.fixture
def barometer(tmp_path: Path) -> Path:
    """A small sound barometer in a folder of its own."""
    return write_barometer(tmp_path / "barometer")


@pytest.fixture
def catalogue(barometer: Path) -> Catalogue:
    """The small barometer, with a breakdown by region; modules that need another have their own."""
    path = barometer / "schemas" / "domains.toml"
    path.write_text(
        path.read_text(encoding="utf-8") + '[domains.region]\nby = ["region"]\n', encoding="utf-8"
    )
    return load_catalogue(barometer)


@pytest.fixture(scope="session")
def awkward(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A package with everything in it that a format could stumble on."""
    from tests.packages import awkward_package

    return awkward_package(tmp_path_factory.mktemp("awkward") / "barometer")


@pytest.fixture(scope="session")
def official(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundled official package."""
    from tests.packages import official_package

    return official_package(REPOSITORY, tmp_path_factory.mktemp("official"))


@pytest.fixture(params=["awkward", "official"])
def package(request: pytest.FixtureRequest) -> Path:
    """Each of the two, which a test only reads."""
    folder: Path = request.getfixturevalue(request.param)
    return folder


@pytest.fixture
def spoilt(awkward: Path, tmp_path: Path) -> Path:
    """A package that a test may tamper with."""
    return shutil.copytree(awkward, tmp_path / awkward.name)


@pytest.fixture(scope="session")
def released_twice(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small barometer with releases 1.0.0 and 1.0.1, a correction. Never changed: tests copy it."""
    root = write_barometer(tmp_path_factory.mktemp("released") / "barometer")
    build(root)
    seal(root)
    correct(root)
    raise_version(root, "1.0.1")
    build(root)
    seal(root)
    return root


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """A real S3 server on loopback; of two requests at once one comes first, as at Amazon's."""
    from moto.s3.responses import S3Response
    from moto.server import ThreadedMotoServer

    one_by_one, put = threading.Lock(), S3Response.put_object

    def put_object(response: S3Response) -> Any:
        with one_by_one:  # moto looks at the condition first, and writes later
            return put(response)

    running = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(S3Response, "put_object", put_object)
        running.start()
        host, port = running.get_host_and_port()
        yield f"http://{host}:{port}"
        running.stop()


@pytest.fixture
def s3(server: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Any]:
    """The environment of somebody who may write to that server, and its file system; a public bucket is
    there.
    """
    for name, value in (("ENDPOINT_URL", server), ("ACCESS_KEY_ID", "somebody"), ("SECRET_ACCESS_KEY", "secret"), ("DEFAULT_REGION", "us-east-1")):  # fmt: skip
        monkeypatch.setenv(f"AWS_{name}", value)
    for name in ("CONFIG_FILE", "SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(f"AWS_{name}", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    files = fsspec.filesystem("s3", skip_instance_cache=True, use_listings_cache=False)
    files.mkdir("open-data", acl="public-read")
    yield files
    files.rm("open-data", recursive=True)
