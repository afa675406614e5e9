"""barometer.duckdb: built beside the old one, put in its place whole, and read without writing.

Here belong opening DuckDB on the warehouse and running the models of ``sql``. The columns of every table
are declared in ``contracts/tables``; what is published and what is hidden is decided before.
Schemas: ``microdata`` never leaves, ``statistics`` is unrounded and unsuppressed, ``published`` holds
what the data packages hold.
"""

from pipeline.warehouse.building import INSIDE, build
from pipeline.warehouse.reading import Result, database, query

__all__ = ["INSIDE", "Result", "build", "database", "query"]
