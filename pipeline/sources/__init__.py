"""Raw files as delivered: fetched, checked against their declared hash and read as text.

What an answer means is defined by the crosswalk and belongs to ``harmonise``.
"""

from pipeline.sources.cells import numbers
from pipeline.sources.fetch import fetch
from pipeline.sources.layout import raw_file_name
from pipeline.sources.readers import RawTable, format_of, read_raw

__all__ = ["RawTable", "fetch", "format_of", "numbers", "raw_file_name", "read_raw"]
