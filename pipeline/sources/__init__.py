"""Layer 1: raw files as delivered, fetched, held to their pinned hash and read as text.

Nothing here knows what an answer means: that is the crosswalk's, in ``harmonise``.
"""

from pipeline.sources.cells import numbers
from pipeline.sources.fetch import fetch
from pipeline.sources.layout import raw_file_name
from pipeline.sources.readers import RawTable, format_of, read_raw

__all__ = ["RawTable", "fetch", "format_of", "numbers", "raw_file_name", "read_raw"]
