"""Floor 1: a first draft of a new wave's declarations, from what its raw file says of itself.

Everything here is a guess for a statistician to confirm, and marked as one. Nothing is mapped for good,
and no answer is ever written next to an identifier.
"""

from pipeline.drafting.draft import draft_wave

__all__ = ["draft_wave"]
