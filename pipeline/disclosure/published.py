"""What a verdict does to an estimate: rounding, blanking, flags, and n beside a hidden cell.

Which cells are hidden belongs to ``rules`` and ``secondary``.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.catalogue.model import Catalogue
from pipeline.contracts import columns, conform
from pipeline.disclosure.rules import FLAGGED, HIDDEN, UNPUBLISHED, answered_measures, live_rows

MEASURES = ["value", "se", "ci_low", "ci_high", "deff"]
FREE = "F"
DEFF_DECIMALS = 2
MOST_DECIMALS = 6


def published(frame: pd.DataFrame, catalogue: Catalogue) -> pd.DataFrame:
    """Estimates with a column ``verdict`` and one ``beside`` (a hidden cell), as they are published."""
    return conform(carried_out(frame, catalogue)[columns("estimates")], "estimates")


def carried_out(frame: pd.DataFrame, catalogue: Catalogue) -> pd.DataFrame:
    """The same, before the table's contract is enforced: for a look at what would be published."""
    return _blanked(as_printed(frame, catalogue), catalogue)


def decided(frame: pd.DataFrame, verdicts: pd.DataFrame) -> pd.DataFrame:
    """Estimates with the ``verdict`` of their distribution, "" where there is none, and ``beside``.

    A cell without an answer is hidden with its distribution, else it stays as it is.
    """
    key = list(verdicts.index.names)
    made = frame.merge(verdicts[["verdict", "beside"]], how="left", left_on=key, right_index=True)
    live = live_rows(frame).to_numpy()
    bound = live | (answered_measures(frame).to_numpy() & made["verdict"].isin(HIDDEN).to_numpy())
    return made.assign(
        verdict=made["verdict"].where(bound, "").fillna(""), beside=(made["beside"] == 1).to_numpy() & live
    )


def decimals_of(frame: pd.DataFrame, catalogue: Catalogue, name: str = "value") -> npt.NDArray[np.int64]:
    """The declared decimals of each row's value or limits: a mean has one more, a count none. Errors have one
    more than values, those of counts none; design effects always two.
    """
    rounding = catalogue.barometer.rounding
    if name == "deff":
        return np.full(len(frame), DEFF_DECIMALS)
    unit, units = pd.factorize(frame["unit_measure"].astype(str))
    total = (frame["domain"] == catalogue.total.key).to_numpy(dtype=np.int64)
    by_unit = [[rounding.decimals(each, is_total=is_total) for is_total in (False, True)] for each in units]
    decimals = np.array(by_unit, dtype=np.int64).reshape(-1, 2)[unit, total]
    return decimals + ((frame["unit_measure"] != "count").to_numpy() & (name == "se"))


def printed_decimals(frame: pd.DataFrame, name: str = "value") -> npt.NDArray[np.int64]:
    """The decimals that each row's number is printed with, up to six."""
    number = np.abs(frame[name].to_numpy(dtype=float, na_value=0.0))
    printed = np.full(len(number), MOST_DECIMALS)
    for decimals in reversed(range(MOST_DECIMALS)):
        scaled = np.nan_to_num(number) * 10.0**decimals
        printed[np.abs(scaled - np.rint(scaled)) < 1e-6] = decimals
    return printed


def as_printed(frame: pd.DataFrame, catalogue: Catalogue) -> pd.DataFrame:
    """Every measure to its declared decimals; figures keep the values they were printed with."""
    printed = (frame["source_kind"] == "figures").to_numpy()
    numbers = {name: frame[name].to_numpy(dtype=float) for name in MEASURES}
    made = {name: half_up(own, decimals_of(frame, catalogue, name)) for name, own in numbers.items()}
    return frame.assign(**made | {"value": np.where(printed, numbers["value"], made["value"])})


def half_up(values: npt.NDArray[np.float64], decimals: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Numbers rounded to a number of decimals, halves up (12.5 to 13, -12.5 to -12).

    A number within 1e-9 of a half at that decimal counts as the half, so the last bit of a sum, which
    may differ between machines, never decides.
    """
    scale = 10.0 ** np.asarray(decimals)
    rounded: npt.NDArray[np.float64] = np.floor(np.round(values * scale, 9) + 0.5) / scale
    return rounded


def coarse(n: Any, step: int) -> Any:
    """Numbers of units (array or series) to a multiple of ``step``, halves up."""
    return (n + step // 2) // step * step


def _blanked(frame: pd.DataFrame, catalogue: Catalogue) -> pd.DataFrame:
    """Each verdict carried out: what is hidden is blank, and the flags say why.

    Beside a hidden cell n is rounded to a multiple of ``rounding.n``, so that the n of the total less
    what is shown leaves that of the hidden cells open; and deff is blank, which with the standard error
    would give n back.
    """
    verdict: pd.Series[Any] = frame["verdict"]
    step = catalogue.barometer.rounding.n
    hidden = verdict.isin(HIDDEN)
    suppressed = hidden | (verdict == UNPUBLISHED)
    beside = frame["beside"].to_numpy(dtype=bool)
    measures = {name: frame[name].mask(suppressed) for name in MEASURES}
    measures["deff"] = measures["deff"].mask(beside)
    exact = frame["n"].astype("Int64")
    flag = (verdict == FLAGGED) & (frame["obs_status"] == "A")
    return frame.assign(
        **measures,
        n=exact.mask(beside, coarse(exact, step)).mask(hidden),
        obs_status=frame["obs_status"].mask(flag, "U").mask(suppressed, "Q"),
        conf_status=verdict.where(hidden, FREE),
    )
