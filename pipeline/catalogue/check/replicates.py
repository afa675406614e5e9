"""A wave's replicate weights against their method, its strata and its weighting."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.catalogue.fieldwork import Design, ReplicateWeights, Wave
from pipeline.faults import Fault

KEY = "design.replicate_weights"


def check_replicates(wave: Wave) -> Iterator[Fault]:
    """Faults of a microdata wave that has both a design and a weighting."""
    assert wave.design is not None and wave.weighting is not None
    declared = wave.design.replicate_weights
    if declared is None:
        return
    if wave.weighting.calibrates:
        # Calibrating the full weights alone would leave the replicates around another estimate.
        mend = 'Write method = "given", or remove replicate_weights and let the design give the variance.'
        yield _fault(wave, KEY, "replicate weights are used with given weights only", mend, declared.columns)
    yield from _numbers(wave, declared)
    yield from _scales(wave, wave.design, declared)


def _numbers(wave: Wave, declared: ReplicateWeights) -> Iterator[Fault]:
    if declared.method == "fay" and declared.rho is None:
        mend = "Add rho, as the producer documents it: from 0 to below 1."
        yield _fault(wave, f"{KEY}.rho", "is missing for fay", mend)
    if declared.method != "fay" and declared.rho is not None:
        mend = 'Remove it, or write method = "fay".'
        yield _fault(wave, f"{KEY}.rho", "belongs to fay alone", mend, f"{declared.rho:g}")


def _scales(wave: Wave, design: Design, declared: ReplicateWeights) -> Iterator[Fault]:
    if declared.method == "jkn" and design.strata and declared.scale is None and not declared.rscales:
        mend = "Add rscales, a number a column: (n_h - 1)/n_h of the stratum it drops a unit of; or scale."
        yield _fault(wave, KEY, "a jackknife of strata needs rscales or scale", mend, "jkn")


def _fault(wave: Wave, key: str, message: str, mend: str, value: str | None = None) -> Fault:
    return Fault(f"schemas/waves/{wave.key}.toml", key, message, mend, value, wave.key)
