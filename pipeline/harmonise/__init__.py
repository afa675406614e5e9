"""Layer 1: a raw file's columns and codes become the codebook's, row by row, and nothing else changes.

Weights are computed in ``weighting``, statistics in ``estimation``.
"""

from pipeline.harmonise.figures import harmonise_figures
from pipeline.harmonise.routing import holds
from pipeline.harmonise.wave import Harmonised, harmonise

__all__ = ["Harmonised", "harmonise", "harmonise_figures", "holds"]
