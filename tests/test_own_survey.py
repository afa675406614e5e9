"""docs/your-own-survey.md: every command on the page, run in its order in an empty folder."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def walked(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """The folder after the walk, and what each command said."""
    folder = tmp_path_factory.mktemp("own-survey")
    (folder / ".bin").mkdir()
    command = folder / ".bin" / "barometer"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m pipeline "$@"\n', encoding="utf-8")
    command.chmod(0o755)
    own = {"PATH": f"{command.parent}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": str(repository)}
    page = (repository / "docs/your-own-survey.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```sh\n(.*?)^```", page, flags=re.DOTALL | re.MULTILINE)
    said = {}
    for line in "".join(blocks).splitlines():
        done = subprocess.run(
            line,
            shell=True,
            cwd=folder,
            env={**os.environ, **own},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == line.endswith("# exits with 1"), f"{line}\n{done.stdout}{done.stderr}"
        assert "Traceback" not in done.stderr
        said[line] = done.stdout + done.stderr
    return folder, said


def test_every_command_on_the_page_does_what_it_says(walked: tuple[Path, dict[str, str]]) -> None:
    folder, said = walked
    assert len(said) == 25
    for name in ("example", "own"):
        assert (folder / name / f"warehouse/candidate/{name}/datapackage.json").is_file()
        assert (folder / name / "warehouse/site/index.html").is_file()
    assert (folder / "example/warehouse/releases/example/0.1.0/SHA256SUMS").is_file()
    verified = said["barometer --project example verify example/warehouse/releases/example/0.1.0"]
    assert "every byte the same" in verified
    assert (folder / "own/schemas/waves/staff-2027-synthetic.toml").is_file()


def test_the_site_of_one_wave_says_that_there_is_nothing_to_compare_yet(
    walked: tuple[Path, dict[str, str]],
) -> None:
    site = walked[0] / "example/warehouse/site/en"
    for name in ("example/compare.html", "example/indicators/satisfaction.html"):
        text = (site / name).read_text(encoding="utf-8")
        assert "There is one wave so far" in text and "Comparisons are not built" not in text
    front = (site / "index.html").read_text(encoding="utf-8")
    assert "Waves: 1, 2026;" in front and "2026\u20132026" not in front


def test_published_figures_are_drafted_as_such(walked: tuple[Path, dict[str, str]]) -> None:
    wave = (walked[0] / "own/schemas/waves/staff-2025-synthetic.toml").read_text(encoding="utf-8")
    assert 'kind = "figures"' in wave and "[design]" not in wave


def test_a_draft_is_refused_until_its_guesses_are_confirmed(walked: tuple[Path, dict[str, str]]) -> None:
    folder, said = walked
    refused = said["barometer --project own release # exits with 1"]
    assert "schemas/instruments/staff-2026-synthetic.csv, lines 2-" in refused
    assert "schemas/codebook.toml" in refused and "nobody has confirmed" in refused
    assert "Draft: " not in said["barometer --project own run"]
    assert (folder / "own/warehouse/releases/own/0.1.0/SHA256SUMS").is_file()


def test_check_names_just_what_the_page_says_is_left(walked: tuple[Path, dict[str, str]]) -> None:
    listed = walked[1]["barometer --project own check # exits with 1"]
    for key in (
        "licence",
        "released",
        "language",
        "country",
        "reference_period.start",
        "producer",
        "weighting",
    ):
        assert key in listed, key
    assert (
        "is not mapped to the codebook" not in listed
        and "codebook" not in listed
        and "indicators" not in listed
    )
