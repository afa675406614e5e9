"""Layer 1: a new barometer's folder, and first drafts of declarations from what a raw file says of itself.

Everything here is a guess for a statistician to confirm, and marked as one. Nothing is mapped for good,
and no answer is ever written next to an identifier.
"""

from pipeline.drafting.barometer import draft_barometer
from pipeline.drafting.draft import draft_wave
from pipeline.drafting.folder import write_starter

__all__ = ["draft_barometer", "draft_wave", "write_starter"]
