"""Small barometers that are built and released, for the tests of releases."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pipeline.catalogue import load_catalogue
from pipeline.staleness.outputs import PRODUCT_STEPS, WAVE_STEPS
from pipeline.steps import products, waves
from pipeline.steps.releases import Sealing, seal_candidates
from tests.barometers import edit, pin

PACKAGE = "test-barometer"
WAVES = ("dk-2020", "dk-2022", "no-2020")
FIRST_ROWS = {"dk-2020": "0001;2;S;1", "dk-2022": "0001;2;S;1"}


def build(root: Path, order: Sequence[str] = WAVES) -> Path:
    """Runs every step of a barometer; its candidate is then current."""
    catalogue = load_catalogue(root)
    for wave in order:
        if wave in catalogue.waves:
            for step in WAVE_STEPS:
                getattr(waves, step)(wave, catalogue)
    for step in PRODUCT_STEPS:
        getattr(products, step)(catalogue)
    return root / "warehouse" / "candidate" / PACKAGE


def seal(root: Path) -> Sealing:
    """Seals the candidate of the small barometer."""
    return seal_candidates(load_catalogue(root))[0]


def raise_version(root: Path, version: str, released: str = "2025-06-30") -> None:
    """Declares the next release."""
    declared = load_catalogue(root).barometer
    file = root / "schemas" / "barometer.toml"
    edit(file, f'version = "{declared.version}"', f'version = "{version}"')
    edit(file, f"released = {declared.released.isoformat()}", f"released = {released}")


def correct(root: Path) -> None:
    """Mends two answers in the raw file of 2022, which changes some estimates and no key."""
    raw = root / "warehouse" / "raw" / "dk-2022.csv"
    lines = raw.read_text(encoding="utf-8").splitlines()
    for at in (1, 4):
        cells = lines[at].split(";")
        cells[3] = "2" if cells[3] == "1" else "1"
        lines[at] = ";".join(cells)
    raw.write_text("\n".join(lines) + "\n", encoding="utf-8")
    pin(root, "dk-2022")
