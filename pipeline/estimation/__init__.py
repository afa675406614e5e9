"""Weighted indicators with their uncertainty, from one pass over the microdata.

One DuckDB query a wave sums weights by stratum and finest cell (``statistics``); every breakdown,
share, mean, total and interval is then small algebra on those sums (``domains``, ``variance``,
``intervals``), never another pass. What an indicator means in terms of a wave's columns stands in
``plan``.
"""

from pipeline.estimation.encoding import write_codes
from pipeline.estimation.estimates import COLUMNS, EXTRAS, KEY, estimate_wave
from pipeline.estimation.figures import figures_estimates
from pipeline.estimation.plan import Plan, plan_wave, totals_of
from pipeline.estimation.specification import Specification
from pipeline.estimation.statistics import Cells, read_cells, wave_statistics, write_cells

__all__ = [
    "COLUMNS",
    "EXTRAS",
    "KEY",
    "Cells",
    "Plan",
    "Specification",
    "estimate_wave",
    "figures_estimates",
    "plan_wave",
    "read_cells",
    "totals_of",
    "wave_statistics",
    "write_cells",
    "write_codes",
]
