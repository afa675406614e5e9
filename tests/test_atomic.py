"""A file or folder is put in its place whole, or the former one stays."""

from __future__ import annotations

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
    path.with_name(".file.new").write_bytes(b"half of another")
    with replace_file(path) as fresh:
        assert not fresh.exists()
        fresh.write_bytes(b"whole")
    assert path.read_bytes() == b"whole" and list(tmp_path.iterdir()) == [path]
