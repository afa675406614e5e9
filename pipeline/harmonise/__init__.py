"""Maps a raw file's columns and codes to the codebook's, row by row.

Weights belong to ``weighting``, statistics to ``estimation``.
"""

from pipeline.harmonise.boxes import is_doubtful
from pipeline.harmonise.figures import harmonise_figures
from pipeline.harmonise.routing import holds
from pipeline.harmonise.wave import Harmonised, harmonise

__all__ = ["Harmonised", "harmonise", "harmonise_figures", "holds", "is_doubtful"]
