"""A wave's replicate weights against their method, its strata and its weighting."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.catalogue.fieldwork import Design, ReplicateWeights, Wave
from pipeline.problems import Problem, wave_problem

KEY = "design.replicate_weights"


def check_replicates(wave: Wave) -> Iterator[Problem]:
    """Problems of a microdata wave that has both a design and a weighting."""
    assert wave.design is not None and wave.weighting is not None
    declared = wave.design.replicate_weights
    if declared is None:
        return
    if wave.weighting.calibrates:
        # Calibrating the full weights alone would leave the replicates around another estimate.
        hint = 'Write method = "given", or remove replicate_weights and let the design give the variance.'
        yield wave_problem(wave.key, KEY, "can be used with given weights only", hint, declared.columns)
    yield from _numbers(wave, declared)
    yield from _scales(wave, wave.design, declared)


def _numbers(wave: Wave, declared: ReplicateWeights) -> Iterator[Problem]:
    if declared.method == "fay" and declared.rho is None:
        hint = "Add rho, as the producer documents it: from 0 to below 1."
        yield wave_problem(wave.key, f"{KEY}.rho", "is required by the method fay", hint)
    if declared.method != "fay" and declared.rho is not None:
        hint = 'Remove it, or write method = "fay".'
        yield wave_problem(wave.key, f"{KEY}.rho", "is only for the method fay", hint, f"{declared.rho:g}")


def _scales(wave: Wave, design: Design, declared: ReplicateWeights) -> Iterator[Problem]:
    if declared.method == "jkn" and design.strata and declared.scale is None and not declared.rscales:
        hint = (
            "Add rscales, one number per column: (n_h - 1)/n_h of the stratum it drops a unit of; or scale."
        )
        yield wave_problem(wave.key, KEY, "needs rscales or scale: it is a stratified jackknife", hint, "jkn")
