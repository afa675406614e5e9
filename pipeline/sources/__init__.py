"""Raw files as delivered: fetched, checked against their declared hash and read as text.

What an answer means is defined by the crosswalk and belongs to ``harmonise``.
"""

from pipeline.sources.apart import apart
from pipeline.sources.cells import numbers
from pipeline.sources.contents import require_contents
from pipeline.sources.fetch import fetch
from pipeline.sources.layout import raw_file_name
from pipeline.sources.metadata import NO_METADATA, FileMetadata, Missing, MultipleSet
from pipeline.sources.readers import RawTable, format_of, read_raw
from pipeline.sources.shown import listed, named, shown, visible
from pipeline.sources.workbook import sheets_of

__all__ = [
    "NO_METADATA",
    "FileMetadata",
    "Missing",
    "MultipleSet",
    "RawTable",
    "apart",
    "fetch",
    "format_of",
    "listed",
    "named",
    "numbers",
    "raw_file_name",
    "read_raw",
    "require_contents",
    "sheets_of",
    "shown",
    "visible",
]
