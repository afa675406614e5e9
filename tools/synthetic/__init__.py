"""Synthetic microdata: a seeded draw from a recipe that agrees with published figures.

Here belong the making of demonstration waves and nothing that a real wave needs. Everything particular
stands in the recipe (``tools/synthetic/recipes``), the wave file and its crosswalk.
"""

from tools.synthetic.wave import Drawn, Met, draw, synthesise

__all__ = ["Drawn", "Met", "draw", "synthesise"]
