"""Checks every declaration against every other, without data: one list of all problems.

A check reads the records and reports; it never changes or completes them.
"""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.catalogue.check.codebook import check_codebook
from pipeline.catalogue.check.comparability import check_comparability
from pipeline.catalogue.check.effect import check_effect
from pipeline.catalogue.check.identity import check_identity
from pipeline.catalogue.check.indicators import check_indicators
from pipeline.catalogue.check.instruments import check_instruments
from pipeline.catalogue.check.names import check_names
from pipeline.catalogue.check.translations import check_translations
from pipeline.catalogue.check.waves import check_waves
from pipeline.catalogue.model import Catalogue
from pipeline.problems import Problem

__all__ = ["check"]


def check(catalogue: Catalogue) -> Iterator[Problem]:
    """Every problem between the declarations, file by file."""
    yield from check_identity(catalogue)
    yield from check_names(catalogue)
    yield from check_codebook(catalogue)
    yield from check_indicators(catalogue)
    yield from check_instruments(catalogue)
    yield from check_waves(catalogue)
    yield from check_comparability(catalogue)
    yield from check_effect(catalogue)
    yield from check_translations(catalogue)
