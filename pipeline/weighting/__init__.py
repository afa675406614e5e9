"""Weights of a wave: given, from the design, or calibrated to margins; with their diagnostics.

Here belong a unit's weights and how they were made. The variance that follows from them belongs to
``estimation``.
"""

from pipeline.weighting.calibration import MARGIN_TOLERANCE
from pipeline.weighting.weights import Weighted, weigh

__all__ = ["MARGIN_TOLERANCE", "Weighted", "weigh"]
