"""Layer 1: raw files as delivered, fetched, held to their pinned hash and read as text.

Nothing here knows what an answer means: that is the crosswalk's, in ``harmonise``.
"""

from pipeline.sources.apart import apart
from pipeline.sources.cells import numbers
from pipeline.sources.contents import require_contents
from pipeline.sources.fetch import digest, fetch
from pipeline.sources.layout import place
from pipeline.sources.metadata import NO_METADATA, FileMetadata, Missing, MultipleSet
from pipeline.sources.readers import RawTable, format_of, read_raw
from pipeline.sources.shown import shown
from pipeline.sources.workbook import sheets_of

__all__ = [
    "NO_METADATA",
    "FileMetadata",
    "Missing",
    "MultipleSet",
    "RawTable",
    "apart",
    "digest",
    "fetch",
    "format_of",
    "numbers",
    "place",
    "read_raw",
    "require_contents",
    "sheets_of",
    "shown",
]
