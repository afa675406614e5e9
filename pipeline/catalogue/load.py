"""From a barometer's folder to a checked catalogue."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from pipeline.catalogue.check import check
from pipeline.catalogue.fieldwork import Wave
from pipeline.catalogue.model import Catalogue
from pipeline.catalogue.questionnaire import Instrument
from pipeline.catalogue.reader import (
    CROSSWALK_HEADER,
    read_barometer,
    read_codebook,
    read_domains,
    read_indicators,
    read_instrument,
    read_rows,
    read_toml,
)
from pipeline.catalogue.rules import load_comparability
from pipeline.catalogue.waves import read_wave
from pipeline.faults import Fault, FaultError


def load_catalogue(root: Path) -> Catalogue:
    """Reads and checks every declaration below ``root/schemas``.

    Faulty declarations do not raise: every fault found is in ``faults``, those of one wave under its
    key. Raises FaultError only when the folder holds no readable ``schemas/barometer.toml``.
    """
    faults: list[Fault] = []
    schemas = root / "schemas"
    if not (schemas / "barometer.toml").is_file():
        raise FaultError(
            Fault(
                "schemas/barometer.toml",
                "",
                f"is missing: {root} holds no barometer",
                "Run from a barometer's folder, or name it with --project or BAROMETER_PROJECT.",
            )
        )
    opened = read_toml(schemas / "barometer.toml", root, faults)
    if not opened.data:
        raise FaultError(
            faults or [Fault("schemas/barometer.toml", "", "is empty", "Declare the barometer in it.")]
        )
    barometer = read_barometer(opened)
    variables, questions = read_codebook(read_toml(schemas / "codebook.toml", root, faults))
    bases, indicators = read_indicators(read_toml(schemas / "indicators.toml", root, faults), questions)
    catalogue = Catalogue(
        root=root,
        barometer=barometer,
        variables=variables,
        questions=questions,
        bases=bases,
        indicators=indicators,
        domains=read_domains(read_toml(schemas / "domains.toml", root, faults)),
        instruments=_instruments(schemas / "instruments", root, faults),
        waves=_waves(schemas / "waves", root, faults),
        translations=_translations(barometer.languages[1:], root, faults),
        comparability=load_comparability(root, faults),
    )
    return replace(catalogue, faults=(*faults, *check(catalogue)))


def _instruments(folder: Path, root: Path, faults: list[Fault]) -> dict[str, Instrument]:
    instruments = {}
    for path in sorted(folder.glob("*.toml")):
        rows = read_rows(path.with_suffix(".csv"), root, faults, CROSSWALK_HEADER)
        instruments[path.stem] = read_instrument(read_toml(path, root, faults), rows, path.stem)
    return instruments


def _waves(folder: Path, root: Path, faults: list[Fault]) -> dict[str, Wave]:
    waves = {}
    for path in sorted(folder.glob("*.toml")):
        section = read_toml(path, root, faults, wave=path.stem)
        if section.data:
            waves[path.stem] = read_wave(section, path.stem)
    return waves


def _translations(languages: tuple[str, ...], root: Path, faults: list[Fault]) -> dict[str, dict[str, str]]:
    found = {}
    for language in languages:
        path = root / "schemas" / "translations" / f"{language}.csv"
        found[language] = {
            row["key"]: row["text"] for _, row in read_rows(path, root, faults, ["key", "text"])
        }
    return found
