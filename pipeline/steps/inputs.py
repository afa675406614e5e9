"""What each step would be made from, as one fingerprint: declarations, files and code.

A step's fingerprint covers that of the step before it, so a whole chain is known, and whether it is
current, without running anything. Standard library only.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from pipeline.catalogue import Catalogue, Wave, fingerprint
from pipeline.faults import Fault, FaultError
from pipeline.shelf import SUMS, earlier, shelf
from pipeline.steps.folders import WAVE_STEPS, is_current, product_folder, wave_folder
from pipeline.steps.hashes import code, hash_of_file
from pipeline.steps.structure import comparing, estimands, facts, harmonising, weighting

Standing = Literal["broken", "stale", "current"]
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
)


def wave_inputs(wave: Wave, catalogue: Catalogue) -> dict[str, str]:
    """The fingerprint of every step of a wave's chain, in order."""
    delivered = (
        wave.source.sha256 if wave.source.remote else hash_of_file(catalogue.raw_path(wave.source.file))
    )
    own = {
        "raw_wave": (wave.source, delivered),
        "harmonised_wave": harmonising(wave, catalogue) if wave.is_microdata else estimands(catalogue),
        "weighted_wave": weighting(wave, catalogue),
        "wave_statistics": (estimands(catalogue), catalogue.barometer.estimation, facts(wave)),
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


def standing(wave: str, catalogue: Catalogue) -> Standing:
    """Whether a wave is at fault, has something to be redone, or is built from what is declared now."""
    if wave_faults(wave, catalogue):
        return "broken"
    return "current" if _built(wave, wave_inputs(catalogue.waves[wave], catalogue), catalogue) else "stale"


def sound_waves(catalogue: Catalogue) -> Sound:
    """The waves that are built from what is declared now, each with the fingerprint of its whole chain."""
    sound = {}
    for key, wave in catalogue.waves.items():
        if not catalogue.faults_of(key) and _built(key, steps := wave_inputs(wave, catalogue), catalogue):
            sound[key] = list(steps.values())[-1]
    return sound


def _built(wave: str, steps: Mapping[str, str], catalogue: Catalogue) -> bool:
    return all(is_current(wave_folder(catalogue.root, step, wave), made) for step, made in steps.items())


def product_inputs(catalogue: Catalogue, sound: Sound) -> dict[str, str]:
    """The fingerprint of every barometer-wide step, in order, made from these waves."""
    waves = [catalogue.waves[wave] for wave in sound]
    estimated = (sound, [facts(wave) for wave in waves], estimands(catalogue), catalogue.barometer.estimation)
    everything = [getattr(catalogue, name) for name in DECLARED]
    chain = {"estimates": fingerprint("estimates", code("estimates"), *estimated)}
    compared = comparing(waves, catalogue)
    chain["comparisons"] = fingerprint("comparisons", code("comparisons"), chain["estimates"], compared)
    made = (chain["comparisons"], everything, waves, _released(catalogue))
    chain["warehouse"] = fingerprint("warehouse", code("warehouse"), *made)
    chain["data_package"] = fingerprint("data_package", code("data_package"), chain["warehouse"])
    return chain


def _released(catalogue: Catalogue) -> list[tuple[str, str, str]]:
    """The releases that a candidate is compared with and audited together with."""
    version = catalogue.barometer.version
    return [
        (package, release.version, hash_of_file(release.folder / SUMS))
        for package in catalogue.barometer.packages
        for release in earlier(catalogue.root, package, version)
    ]


def product_outputs(step: str, catalogue: Catalogue, sound: Sound) -> tuple[Path, ...]:
    """What a barometer-wide step swaps in beside its own folder."""
    warehouse = catalogue.path("warehouse")
    if step == "data_package":
        kept = dict.fromkeys(catalogue.package_of(catalogue.waves[wave]).key for wave in sound)
        return tuple(warehouse / "candidate" / package / "datapackage.json" for package in kept)
    return (warehouse / "barometer.duckdb",) if step == "warehouse" else ()


def products_current(catalogue: Catalogue, sound: Sound) -> bool:
    """Whether estimates, warehouse and packages are made from exactly these waves."""
    return all(
        is_current(product_folder(catalogue.root, step), made, product_outputs(step, catalogue, sound))
        for step, made in product_inputs(catalogue, sound).items()
    )


def site_input(catalogue: Catalogue, sound: Sound) -> str:
    """The fingerprint of the site: its packages, what is released, the engine of its SQL page."""
    shelves = (shelf(catalogue.root, package) for package in catalogue.barometer.packages)
    released = [hash_of_file(folder / "versions.json") for folder in shelves]
    engine = hash_of_file(catalogue.path(".sqljs", "sql-wasm.wasm"))
    packages = product_inputs(catalogue, sound)["data_package"]
    return fingerprint("site", code("site"), packages, released, engine)


def site_output(catalogue: Catalogue) -> tuple[Path, Path]:
    """Where it stands what the site was made from, and the page that must be there."""
    return catalogue.path("warehouse", "pages"), catalogue.path("warehouse", "site", "index.html")


def site_current(catalogue: Catalogue, sound: Sound) -> bool:
    """Whether the site shows exactly these packages and releases."""
    folder, front = site_output(catalogue)
    return is_current(folder, site_input(catalogue, sound), (front,))


def source_version(wave: str, catalogue: Catalogue) -> str:
    """The hash of all that a wave is made from; of its faults, when it cannot be made."""
    if faults := wave_faults(wave, catalogue):
        return fingerprint([str(fault) for fault in faults])
    return wave_input(catalogue.waves[wave], catalogue)


def wave_faults(wave: str, catalogue: Catalogue) -> tuple[Fault, ...]:
    """What stops a wave before it starts: the faults of its declarations, or that there are none."""
    faults = catalogue.faults_of(wave)
    if not faults and wave not in catalogue.waves:
        return (
            Fault(
                file=f"schemas/waves/{wave}.toml",
                key="",
                message="is not a wave of this barometer",
                mend=f"Use one of {', '.join(catalogue.waves) or 'none: declare a wave first'}.",
                value=wave,
                wave=wave,
            ),
        )
    return faults


def sound_wave(wave: str, catalogue: Catalogue) -> Wave:
    """A wave fit to run. Raises FaultError with everything that stops it."""
    if faults := wave_faults(wave, catalogue):
        raise FaultError(faults)
    return catalogue.waves[wave]
