"""Synthetic microdata: a seeded draw from a recipe that agrees with published figures.

Only demonstration waves are made here; no real wave needs it. What is particular to a wave is in its recipe
(``tools/synthetic/recipes``), its wave file and its crosswalk.
"""

from tools.synthetic.wave import FigureMatch, SyntheticWave, draw, synthesise

__all__ = ["FigureMatch", "SyntheticWave", "draw", "synthesise"]
