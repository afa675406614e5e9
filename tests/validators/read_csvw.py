"""Validates the CSV files of a package with csvw, keys between tables included, and writes their rows as
JSON.
"""

import json
import sys

from csvw import CSVW

described = CSVW(sys.argv[1], validate=True)
found = {
    "valid": described.is_valid,
    "warnings": [str(warning.message) for warning in described.warnings],
    "keys": all(table.check_primary_key() for table in described.tables),
    "relations": described.tablegroup.check_referential_integrity(),
    "tables": {str(table.url): [dict(row) for row in table] for table in described.tables},
}
json.dump(found, sys.stdout, default=lambda cell: str(cell).removesuffix(" 00:00:00"))
