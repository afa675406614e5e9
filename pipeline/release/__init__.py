"""Layer 3: the data package, from published tables to validated files.

Only the published tables of ``contracts/tables`` can get into a package; microdata cannot. Frictionless and
the Data Package profiles are used here and nowhere else.
"""

from pipeline.release.checks import check_package, check_untouched
from pipeline.release.package import write_package
from pipeline.release.tables import PUBLISHED, published_tables

__all__ = ["PUBLISHED", "check_package", "check_untouched", "published_tables", "write_package"]
