"""The four steps of one wave, in order: pin and read the raw file, harmonise, weigh, sum up.

Each reads the folder of the step before it and makes its own; a step whose inputs are unchanged does
nothing. Published figures are pinned and validated, and pass by the other two. All raise ProblemError
when the wave or its data is at fault, and leave the former output in place.
"""

from pipeline.steps.harmonised_wave import harmonised_wave
from pipeline.steps.raw_wave import raw_wave
from pipeline.steps.wave_statistics import wave_statistics
from pipeline.steps.weighted_wave import weighted_wave

__all__ = ["harmonised_wave", "raw_wave", "wave_statistics", "weighted_wave"]
