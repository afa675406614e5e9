"""A raw file is fetched once and held to its pinned hash."""

from __future__ import annotations

import hashlib
import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import fsspec
import pytest

from pipeline.catalogue import Wave, load_catalogue
from pipeline.problems import ProblemError
from pipeline.sources import fetch

CONTENT = b"id,a\n1,2\n"


@pytest.fixture
def wave(barometer: Path) -> Wave:
    return load_catalogue(barometer).waves["dk-2020"]


def pinned(wave: Wave, file: str, content: bytes = CONTENT) -> Wave:
    sha256 = hashlib.sha256(content).hexdigest()
    return replace(wave, source=replace(wave.source, file=file, sha256=sha256, bytes=len(content)))


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """A web server on the loopback address: its address and its folder."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            pass

    folder = tmp_path / "served"
    folder.mkdir()
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}", folder
        server.shutdown()


def test_a_local_file_is_taken_from_warehouse_raw(wave: Wave, barometer: Path) -> None:
    assert fetch(wave, barometer) == barometer / "warehouse/raw/dk-2020.csv"


def test_another_hash_and_size_are_both_named(wave: Wave, barometer: Path) -> None:
    expected, path = wave.source.sha256, barometer / "warehouse/raw/dk-2020.csv"
    path.write_bytes(path.read_bytes() + b"\n")
    with pytest.raises(ProblemError) as error:
        fetch(wave, barometer)
    assert f"expected {expected}, found {hashlib.sha256(path.read_bytes()).hexdigest()}" in str(error.value)
    assert f"expected {wave.source.bytes} bytes, found {path.stat().st_size}" in str(error.value)
    assert all(problem.wave == "dk-2020" for problem in error.value.problems)


def test_a_missing_file_or_one_outside_the_folder_is_a_problem(wave: Wave, barometer: Path) -> None:
    outside = barometer / "outside.csv"
    outside.write_bytes(CONTENT)
    for file in ("gone.csv", "../../outside.csv", str(outside)):
        with pytest.raises(ProblemError, match="is not in warehouse/raw"):
            fetch(pinned(wave, file), barometer)


def test_a_remote_file_is_fetched_once(wave: Wave, barometer: Path, served: tuple[str, Path]) -> None:
    address, folder = served
    (folder / "survey.csv").write_bytes(CONTENT)
    remote = pinned(wave, f"{address}/survey.csv")
    path = fetch(remote, barometer)
    assert path.read_bytes() == CONTENT
    assert path.name == f"{remote.source.sha256[:12]}-survey.csv"
    (folder / "survey.csv").unlink()
    assert fetch(remote, barometer) == path
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_a_damaged_copy_is_fetched_again(wave: Wave, barometer: Path, served: tuple[str, Path]) -> None:
    address, folder = served
    (folder / "survey.csv").write_bytes(CONTENT)
    remote = pinned(wave, f"{address}/survey.csv")
    fetch(remote, barometer).write_bytes(b"damaged")
    assert fetch(remote, barometer).read_bytes() == CONTENT


def test_a_remote_file_with_other_content_is_a_problem_and_leaves_nothing(
    wave: Wave, barometer: Path, served: tuple[str, Path]
) -> None:
    address, folder = served
    (folder / "survey.csv").write_bytes(CONTENT + b"3,4\n")
    with pytest.raises(ProblemError, match="another sha256"):
        fetch(pinned(wave, f"{address}/survey.csv"), barometer)
    assert list((barometer / "warehouse/fetched").iterdir()) == []


def test_nothing_at_the_address_is_a_problem(wave: Wave, barometer: Path, served: tuple[str, Path]) -> None:
    with pytest.raises(ProblemError, match="was not found at its address"):
        fetch(pinned(wave, f"{served[0]}/gone.csv"), barometer)


def test_an_unreachable_host_is_worth_another_try(wave: Wave, barometer: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(OSError):
        fetch(pinned(wave, f"http://127.0.0.1:{port}/survey.csv"), barometer)


def test_any_fsspec_protocol_will_do_and_an_unknown_one_is_a_problem(wave: Wave, barometer: Path) -> None:
    with fsspec.open("memory://surveys/survey.csv", "wb") as file:
        file.write(CONTENT)
    assert fetch(pinned(wave, "memory://surveys/survey.csv"), barometer).read_bytes() == CONTENT
    with pytest.raises(ProblemError, match="cannot be fetched"):
        fetch(pinned(wave, "pigeon://surveys/other.csv"), barometer)
