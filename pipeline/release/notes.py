"""What a reader must know about a value: the rules by which it is hidden or flagged, and the flags.

Made from the declarations and the table contracts, so that they always agree.
"""

from __future__ import annotations

from pipeline.catalogue import Catalogue
from pipeline.contracts import table
from pipeline.release.schemas import of_shares


def rules(catalogue: Catalogue) -> list[str]:
    """When a value is hidden, left out or flagged, in the numbers that the barometer declares."""
    declared = catalogue.barometer
    limits, quality, rounding = declared.disclosure, declared.reliability, declared.rounding
    secondary = "Q, D: the cell would give another away by subtraction; all is blank."
    texts = [
        f"Q, C: fewer than {limits.min_n} answers, or fewer than {limits.min_group} on one side of a share, "
        f"more than {limits.max_fraction:.0%} of the population having answered; all is blank.",
        f"Q, F: fewer than {quality.unpublish_n} answers, or an interval of at least "
        f"{quality.unpublish_ci_width:g} points; only n is given.",
        f"U: fewer than {quality.flag_n} answers, or an interval of at least {quality.flag_ci_width:g} "
        "points, or none that could be computed.",
        f"Intervals: {of_shares(declared.estimation)}",
        f"Decimals: {rounding.total} in a total, {rounding.breakdown} in a breakdown; means and standard "
        "errors have one more, counts none. Halves are rounded up.",
    ]
    return [texts[0], *([secondary] if limits.secondary else []), *texts[1:]]


def flags(column: str) -> list[tuple[str, str]]:
    """The codes of a flag of the estimates, each with what it means."""
    field = next(field for field in table("estimates")["fields"] if field["name"] == column)
    return [(category["value"], category["label"]) for category in field["categories"]]
