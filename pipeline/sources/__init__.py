"""Raw files as delivered: fetched, checked against their declared hash and read as text.

What an answer means is defined by the crosswalk and belongs to ``harmonise``.
"""

from pipeline.sources.apart import apart
from pipeline.sources.cells import maybe_grouped, number_of, numbers
from pipeline.sources.contents import require_contents
from pipeline.sources.fetch import fetch
from pipeline.sources.layout import REPEATED, absent, raw_file_name
from pipeline.sources.metadata import NO_METADATA, FileMetadata, Missing, MultipleSet
from pipeline.sources.readers import RawTable, format_of, plainly, read_raw
from pipeline.sources.rows import rows_of, values_found
from pipeline.sources.shown import listed, named, shown, visible
from pipeline.sources.workbook import sheets_of

__all__ = [
    "NO_METADATA",
    "REPEATED",
    "FileMetadata",
    "Missing",
    "MultipleSet",
    "RawTable",
    "absent",
    "apart",
    "fetch",
    "format_of",
    "listed",
    "maybe_grouped",
    "named",
    "number_of",
    "numbers",
    "plainly",
    "raw_file_name",
    "read_raw",
    "require_contents",
    "rows_of",
    "sheets_of",
    "shown",
    "values_found",
    "visible",
]
