"""A file or folder is put in its place whole, or the former one stays."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from pipeline.atomic import replace_directory, replace_file, write_file


def made(folder: Path, text: str) -> Path:
    with replace_directory(folder) as fresh:
        (fresh / "file").write_text(text)
    return folder


def test_the_new_folder_takes_the_place_of_the_old(tmp_path: Path) -> None:
    folder = made(made(tmp_path / "made", "old"), "new")
    assert (folder / "file").read_text() == "new"
    assert list(tmp_path.iterdir()) == [folder]


def test_a_failure_leaves_the_old_folder(tmp_path: Path) -> None:
    folder = made(tmp_path / "made", "old")
    with pytest.raises(KeyboardInterrupt), replace_directory(folder) as fresh:
        (fresh / "file").write_text("half")
        raise KeyboardInterrupt
    assert (folder / "file").read_text() == "old"
    assert list(tmp_path.iterdir()) == [folder]


def test_a_failed_rename_puts_the_old_folder_back(tmp_path: Path) -> None:
    folder = made(tmp_path / "made", "old")
    with pytest.raises(FileNotFoundError), replace_directory(folder) as fresh:
        (fresh).rmdir()
    assert (folder / "file").read_text() == "old"


def test_what_a_killed_process_left_is_put_back(tmp_path: Path) -> None:
    folder = made(tmp_path / "made", "old")
    folder.replace(tmp_path / ".made.old")  # killed between the two renames
    with pytest.raises(ValueError, match="no"), replace_directory(folder):
        raise ValueError("no")
    assert (folder / "file").read_text() == "old"


def test_a_file_takes_the_place_of_the_old_one_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    path = write_file(write_file(tmp_path / "file", b"old"), b"new")
    assert path.read_bytes() == b"new" and list(tmp_path.iterdir()) == [path]


def test_a_failure_leaves_the_old_file(tmp_path: Path) -> None:
    path = write_file(tmp_path / "file", b"old")
    with pytest.raises(KeyboardInterrupt), replace_file(path) as fresh:
        fresh.write_bytes(b"half")
        raise KeyboardInterrupt
    assert path.read_bytes() == b"old" and list(tmp_path.iterdir()) == [path]


def test_what_a_killed_run_left_of_a_file_is_not_continued(tmp_path: Path) -> None:
    path = tmp_path / "file"
    ended = subprocess.run(["sh", "-c", "echo $$"], capture_output=True, text=True, check=True).stdout.strip()
    path.with_name(f".file.{ended}.new").write_bytes(b"half of another")
    with replace_file(path) as fresh:
        assert not fresh.exists()
        fresh.write_bytes(b"whole")
    assert path.read_bytes() == b"whole" and list(tmp_path.iterdir()) == [path]


def test_what_another_process_is_writing_is_left_to_it(tmp_path: Path) -> None:
    others = tmp_path / f".made.{os.getppid()}.new"
    others.mkdir()
    folder = made(tmp_path / "made", "mine")
    assert {*tmp_path.iterdir()} == {folder, others}


def test_whatever_stands_in_the_way_of_an_output_is_replaced(tmp_path: Path) -> None:
    elsewhere = made(tmp_path / "elsewhere", "theirs")
    (tmp_path / "file").write_text("in the way")
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "link").symlink_to(elsewhere)
    (tmp_path / "parent").write_text("in the way")
    for name in ("file", "loop", "link", "parent/made"):
        assert (made(tmp_path / name, name) / "file").read_text() == name
    assert (elsewhere / "file").read_text() == "theirs"
    assert not [*tmp_path.glob(".*")]
