"""A new barometer's folder, and drafts of declarations from the names, labels and codes of a raw file.

Everything drafted is a guess for a statistician to confirm, and marked as one. No answer is ever written
beside an identifier.
"""

from pipeline.drafting.barometer import draft_barometer
from pipeline.drafting.draft import draft_wave
from pipeline.drafting.folder import write_starter

__all__ = ["draft_barometer", "draft_wave", "write_starter"]
