"""Estimates beside the figures that the survey's owner published for the same edition, and their errata."""

from __future__ import annotations

import numpy as np
import pandas as pd

from pipeline.catalogue import Wave
from pipeline.comparison.inputs import CELL, ComparisonInputs
from pipeline.contracts import columns, primary_key
from pipeline.problems import Problem, ProblemError

RECONCILED, ERRATA = columns("reconciliation"), columns("errata")


def reconciliation(inputs: ComparisonInputs) -> pd.DataFrame:
    """Every estimate from microdata that the owner published as well: ``RECONCILED``, unrounded.

    ``reason`` says why they differ: ``rounding`` (they do not, beyond the printed digits),
    ``figure_uncertain`` (the figure itself is flagged E), ``superseded`` (an erratum replaced the figure),
    ``interval`` (the figure is inside the confidence interval) or ``unexplained``. The figure's note is kept
    beside it.
    """
    made = []
    for figures in inputs.waves:
        if not figures.is_microdata:
            made += [
                _reconciled(wave, figures, inputs) for wave in inputs.waves if _same_edition(wave, figures)
            ]
    frame = pd.concat(made, ignore_index=True) if made else pd.DataFrame(columns=RECONCILED)
    return frame[RECONCILED].sort_values(primary_key("reconciliation"), kind="stable", ignore_index=True)


def _same_edition(wave: Wave, figures: Wave) -> bool:
    same = (wave.country, wave.survey, wave.edition) == (figures.country, figures.survey, figures.edition)
    return wave.is_microdata and same


def _reconciled(wave: Wave, figures: Wave, inputs: ComparisonInputs) -> pd.DataFrame:
    mine = inputs.estimates(wave.key)[["wave", *CELL, "value", "ci_low", "ci_high"]]
    theirs = inputs.estimates(figures.key)[[*CELL, "value", "obs_status", "note", "wave"]]
    theirs = theirs.rename(columns={"value": "figure", "wave": "figures_wave"})
    both = mine.merge(theirs, on=CELL)
    figure, value = both["figure"].astype(float), both["value"].astype(float)
    half = np.where(figure == figure.round(), 0.5, 0.05)  # of the last digit that was printed
    within = (value - figure).abs() <= half + 1e-9
    low, high = both["ci_low"].astype(float).fillna(value), both["ci_high"].astype(float).fillna(value)
    inside = (low - half <= figure) & (figure <= high + half)
    replaced = {
        (each.indicator, each.category, each.domain, each.domain_code): each.was for each in figures.errata
    }
    was = np.array([replaced.get(cell, np.nan) for cell in zip(*(both[name] for name in CELL), strict=True)])
    reason = np.select(
        [within, figure.to_numpy() == was, both["obs_status"].to_numpy() == "E", inside],
        ["rounding", "superseded", "figure_uncertain", "interval"],
        "unexplained",
    )
    return both.assign(
        difference=value - figure, within_rounding=within, within_interval=inside, reason=reason
    )  # fmt: skip


def errata(inputs: ComparisonInputs) -> pd.DataFrame:
    """Published figures that their owners corrected, with both values: ``ERRATA``.

    Raises ProblemError where a wave's figures do not hold the corrected value, which is the one estimates
    use.
    """
    rows, problems = [], []
    for wave in inputs.waves:
        current: dict[tuple[str, ...], float] = {}
        if wave.errata:
            frame = inputs.estimates(wave.key)
            cells = zip(*(frame[name] for name in CELL), strict=True)
            current = dict(zip(cells, frame["value"], strict=True))
        for number, each in enumerate(wave.errata, start=1):
            cell = (each.indicator, each.category, each.domain, each.domain_code)
            found = current.get(cell)
            if found is None or float(found) != each.now:
                problems.append(
                    Problem(
                        file=f"schemas/waves/{wave.key}.toml",
                        key=f"erratum[{number}].now",
                        message=f"is not the value of {each.indicator} in the wave's file of figures",
                        hint=f"Enter the corrected value in warehouse/raw/{wave.source.file}.",
                        value=f"{each.now:g}",
                        wave=wave.key,
                    )
                )
            published = each.published.isoformat() if each.published else ""
            rows.append(
                [wave.key, *cell, each.was, each.now, published, each.corrected.isoformat(), each.source]
            )
    if problems:
        raise ProblemError(problems)
    return pd.DataFrame(rows, columns=ERRATA).sort_values(["wave", *CELL], kind="stable", ignore_index=True)
