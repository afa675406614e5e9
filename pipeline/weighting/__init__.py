"""Weights of a wave: given, from the design, or calibrated to margins; with their diagnostics.

Variances that follow from the weights belong to ``estimation``.
"""

from pipeline.weighting.calibration import MARGIN_TOLERANCE
from pipeline.weighting.weights import Weighted, off_population, require_expansion, scaled_to_sample, weigh

__all__ = ["MARGIN_TOLERANCE", "Weighted", "off_population", "require_expansion", "scaled_to_sample", "weigh"]
