"""What the columns of a wave's sums are called, in the SQL that makes them and in the frame that keeps them.

A column is the sum, over the units of a row, of a power of their weight times what it counts:

    n_  w_  w2_      1 (so units), the weight w, and w^2
    answered_<i>     1 for those who belong to a denominator: mask i of the plan
    y_<j>            what measure j counts: 1 for those in the numerator of a share or a count; of a mean
                     its number, from a centre that keeps the digits of its variance
    y2_<j>           that number squared, of means only
    asked_<k>        1 for those whom base k asked (units only)
    everyone         1

so ``w2_y_3`` is the sum of w^2 y of measure 3. In SQL they stand beside the variables ``v<i>``,
``stratum``, ``psu``, the weight ``w`` and the start weight ``d``. In a frame they stand beside background
variables under the codebook's names, and have ``sum.`` before them: no name of a codebook has a dot, so a
codebook may call a variable ``w`` or ``y_3``. Here belongs no arithmetic: ``sums`` reads these columns.
"""

from __future__ import annotations

SUM = "sum."
POWERS = (0, 1, 2)  # of the weight
PREFIXES = ("n_", "w_", "w2_")  # by the power
EVERYONE = "everyone"
START = f"{SUM}d_{EVERYONE}"  # start weights, those before calibration, of everyone
SHARED = "shared.weight"  # the weight that all units of a row have, where they do


def answered(mask: int) -> str:
    """Who belongs to a denominator."""
    return f"answered_{mask}"


def value(measure: int) -> str:
    """What a measure counts."""
    return f"y_{measure}"


def squared(measure: int) -> str:
    """The square of what a mean counts."""
    return f"y2_{measure}"


def asked(base: int) -> str:
    """Whom a base asked."""
    return f"asked_{base}"


def in_sql(counted: str, power: int = 0) -> str:
    """The name of a sum as the engine gives it back."""
    return f"{PREFIXES[power]}{counted}"


def in_frame(counted: str, power: int = 0) -> str:
    """The name of a sum beside a codebook's names."""
    return f"{SUM}{in_sql(counted, power)}"
