"""What Dagster loads: the barometer that BAROMETER_PROJECT or the current folder names."""

from __future__ import annotations

import dagster as dg

from pipeline.defs.location import definitions
from pipeline.defs.resources import project_root


@dg.definitions
def defs() -> dg.Definitions:
    """The definitions that Dagster finds here, made when it asks for them."""
    return definitions(project_root())
