"""The Table Schemas of a package: the contracts', with the declared level and method of its intervals.

A file that is read alone, years later, must say what its limits are limits of.
"""

from __future__ import annotations

from typing import Any

from pipeline.catalogue.model import Estimation
from pipeline.contracts import table
from pipeline.intervals import METHODS

LIMITS = ("ci_low", "ci_high")


def schema(name: str, estimation: Estimation) -> dict[str, Any]:
    """The Table Schema of a published table, its limits described as ``estimation`` declares them."""
    declared = table(name)
    said = of_shares(estimation) if name == "estimates" else of_others(estimation)
    fields = [
        {**field, "description": f"{field['description']} {said}"} if field["name"] in LIMITS else field
        for field in declared["fields"]
    ]
    return declared | {"fields": fields}


def of_others(estimation: Estimation) -> str:
    """The level and the method of every interval but those of shares."""
    return f"{level(estimation)} interval by Student's t."


def of_shares(estimation: Estimation) -> str:
    """The level and the method of the intervals of estimates."""
    method = estimation.proportion_ci
    return (
        f"{level(estimation)} interval: of shares {method} ({METHODS[method].label}; at 0 and 100 % "
        "Clopper-Pearson), of means and counts by Student's t."
    )


def level(estimation: Estimation) -> str:
    """The level of the intervals in per cent."""
    return f"{100 * estimation.confidence:.10g} %"
