"""What each step would be made from, as one fingerprint: declarations, files and code.

A step's fingerprint covers that of the step before it, so a whole chain is known, and whether it is
current, without running anything.
"""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.catalogue import Catalogue, Wave, fingerprint
from pipeline.release_store import SUMS, earlier, releases_folder
from pipeline.staleness.code import code
from pipeline.staleness.declared import (
    comparing,
    estimands,
    estimating,
    facts,
    figures,
    harmonising,
    weighting,
)
from pipeline.staleness.files import hash_of_file
from pipeline.staleness.outputs import WAVE_STEPS

Sound = Mapping[str, str]  # wave -> fingerprint of its whole chain
DECLARED = (  # what the published tables tell of, labels and translations included
    "barometer",
    "variables",
    "questions",
    "bases",
    "indicators",
    "domains",
    "instruments",
    "translations",
    "comparability",
    "unconfirmed",
)


def wave_inputs(wave: Wave, catalogue: Catalogue) -> dict[str, str]:
    """The fingerprint of every step of a wave's chain, in order."""
    delivered = (
        wave.source.sha256 if wave.source.remote else hash_of_file(catalogue.raw_path(wave.source.file))
    )
    own = {
        "raw_wave": (wave.source, delivered),
        "harmonised_wave": harmonising(wave, catalogue) if wave.is_microdata else figures(wave, catalogue),
        "weighted_wave": weighting(wave, catalogue),
        "wave_statistics": estimating(wave, catalogue),
    }
    chain: dict[str, str] = {}
    before = wave.key
    for step in steps_of(wave):
        before = chain[step] = fingerprint(step, code(step), before, own[step])
    return chain


def steps_of(wave: Wave) -> tuple[str, ...]:
    """The steps that make something of a wave: published figures are neither weighted nor estimated."""
    return WAVE_STEPS if wave.is_microdata else WAVE_STEPS[:2]


def shared_input(wave: Wave, catalogue: Catalogue, scope: Mapping[str, tuple[str, ...]]) -> str:
    """The fingerprint of sums that are made again: of a catalogue's indicators and the units in a scope."""
    weighted = wave_inputs(wave, catalogue)["weighted_wave"]
    return fingerprint("shared", code("wave_statistics"), weighted, estimands(catalogue), facts(wave), scope)


def wave_input(wave: Wave, catalogue: Catalogue) -> str:
    """The fingerprint of a wave's whole chain: of its last step."""
    return list(wave_inputs(wave, catalogue).values())[-1]


def product_inputs(catalogue: Catalogue, sound: Sound) -> dict[str, str]:
    """The fingerprint of every barometer-wide step, in order, made from these waves."""
    waves = [catalogue.waves[wave] for wave in sound]
    estimated = (sound, [facts(wave) for wave in waves], estimands(catalogue), catalogue.barometer.estimation)
    everything = [getattr(catalogue, name) for name in DECLARED]
    chain = {"estimates": fingerprint("estimates", code("estimates"), *estimated)}
    compared = comparing(waves, catalogue)
    chain["comparisons"] = fingerprint("comparisons", code("comparisons"), chain["estimates"], compared)
    made = (chain["comparisons"], everything, waves, _released(catalogue))
    chain["data_package"] = fingerprint("data_package", code("data_package"), *made)
    chain["warehouse"] = fingerprint("warehouse", code("warehouse"), chain["data_package"])
    return chain


def _released(catalogue: Catalogue) -> list[tuple[str, str, str]]:
    """The releases that a candidate is compared with and audited together with."""
    version = catalogue.barometer.version
    return [
        (package, release.version, hash_of_file(release.folder / SUMS))
        for package in catalogue.barometer.packages
        for release in earlier(catalogue.root, package, version)
    ]


def site_input(catalogue: Catalogue, sound: Sound) -> str:
    """The fingerprint of the site: its packages, what is released, the engine of its SQL page."""
    release_stores = (releases_folder(catalogue.root, package) for package in catalogue.barometer.packages)
    released = [hash_of_file(folder / "versions.json") for folder in release_stores]
    engine = hash_of_file(catalogue.path(".sqljs", "sql-wasm.wasm"))
    packages = product_inputs(catalogue, sound)["data_package"]
    return fingerprint("site", code("site"), packages, released, engine)
