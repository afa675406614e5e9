"""The barometer-wide steps, in order: estimates, comparisons, the candidate packages, the warehouse.

A wave that is at fault or stale is left out and named, and never stops the others. What an
estimate is, how the warehouse is laid out and what a package holds belong to the packages below.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from pipeline.catalogue import Catalogue, Package
from pipeline.disclosure import protect
from pipeline.release import published_tables
from pipeline.release.package import candidate
from pipeline.staleness.outputs import product_folder
from pipeline.staleness.status import sound_waves
from pipeline.steps.candidates import audited, write_candidate
from pipeline.steps.comparisons import comparisons, published_comparisons
from pipeline.steps.data_package import data_package
from pipeline.steps.estimates import estimates
from pipeline.steps.product_step import units_of
from pipeline.steps.warehouse import warehouse

__all__ = ["comparisons", "data_package", "estimates", "package_alone", "warehouse"]


def package_alone(catalogue: Catalogue, package: Package) -> Path:
    """The candidate of one package, straight from its waves; the warehouse is not built for it."""
    estimates(catalogue)
    comparisons(catalogue)
    made = pd.read_parquet(product_folder(catalogue.root, "estimates") / "estimates.parquet")
    units, protected = units_of(sound_waves(catalogue), catalogue), protect(made, catalogue)
    compared = published_comparisons(catalogue, made, protected)
    tables = published_tables(catalogue, protected, units, package, compared)
    write_candidate(catalogue, audited(catalogue, package, tables))
    return candidate(catalogue.root, package)
