"""From sums to estimates: value, standard error, interval, design effect and n of every cell of a wave."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import sparse

from pipeline.catalogue.counts import read_population
from pipeline.catalogue.model import Catalogue, Wave
from pipeline.estimation import intervals
from pipeline.estimation.design import Design, design_of
from pipeline.estimation.domains import Breakdown, Floats, adder, breakdowns
from pipeline.estimation.plan import Measure
from pipeline.estimation.statistics import Cells
from pipeline.estimation.variance import Covariance, Sums, covariance, sums_of

KEY = ["wave", "indicator", "category", "domain", "domain_code"]
COLUMNS = [
    "wave", "country", "survey", "edition", "time_period", "indicator", "category", "domain", "domain_code",
    "unit_measure", "source_kind", "n", "value", "se", "ci_low", "ci_high", "deff", "obs_status",
    "conf_status", "note",
]  # fmt: skip
EXTRAS = ["df", "m", "n_eff", "fraction"]


def estimate_wave(cells: Cells, wave: Wave, catalogue: Catalogue) -> pd.DataFrame:
    """Every estimate of a microdata wave, unrounded and unsuppressed: ``COLUMNS`` and ``EXTRAS`` by ``KEY``.

    Shares are percent. ``df`` are degrees of freedom, ``m`` the units in the numerator, ``n_eff`` Kish's
    effective n, ``fraction`` the part of the domain's population that answered (NaN where unknown). A
    cell in which nobody answered has n = 0, no value and obs_status M.
    """
    assert wave.design is not None and wave.weighting is not None
    population = read_population(wave, catalogue.root) if wave.design.population else {}
    design = design_of(cells, wave, population, catalogue.barometer.estimation.lonely_psu)
    sums = sums_of(cells)
    counted = bool(population) or bool(wave.weighting.margins)
    frames = [
        _breakdown(cells, sums, design, breakdown, counted, catalogue)
        for breakdown in breakdowns(cells.frame, cells.plan.cell, catalogue)
    ]
    frame = pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=[*COLUMNS, *EXTRAS])
    return identified(frame, wave, "microdata")


def identified(frame: pd.DataFrame, wave: Wave, kind: str) -> pd.DataFrame:
    """Adds the wave's identity and puts columns and rows in their order."""
    frame = frame.assign(
        wave=wave.key, country=wave.country, survey=wave.survey, edition=wave.edition,
        time_period=wave.time_period, source_kind=kind, conf_status="F",
    )  # fmt: skip
    return frame[[*COLUMNS, *EXTRAS]].sort_values(KEY, kind="stable", ignore_index=True)


def _breakdown(
    cells: Cells, sums: Sums, design: Design, breakdown: Breakdown, counted: bool, catalogue: Catalogue
) -> pd.DataFrame:
    measures, declared = cells.plan.measures, catalogue.barometer.estimation
    is_mean = np.array([measure.unit == "mean" for measure in measures])
    is_count = np.array([measure.unit == "count" for measure in measures])
    gather = adder(breakdown.of_cell, len(breakdown.codes))
    n, one, one2, m, a, ayy = (
        gather @ part for part in (sums.n, sums.one, sums.one2, sums.m, sums.a, sums.ayy)
    )
    b = one - np.where(is_mean, 0.0, a)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = a / one
        alpha = np.where(is_count, 1.0, np.where(is_mean, 1.0 / one, (b / one) / one))
        beta = np.where(is_count, 0.0, -ratio / one)
        spread = np.where(is_mean, ayy / one - ratio**2, ratio * (b / one))
        n_eff = one**2 / one2
    parts = covariance(sums, np.where(is_mean, 0.0, 1.0), breakdown, design)
    se = np.sqrt(np.maximum(_variance(alpha, beta, parts), 0.0))
    df = _degrees(sums.n, breakdown, design)
    with np.errstate(divide="ignore", invalid="ignore"):
        deff = se**2 / (np.where(is_count, one**2, 1.0) * spread / (n - 1))
    value = np.where(is_count, a, ratio + _centres(cells))
    low, high = _interval(
        value, ratio, se, n, n_eff, df, is_mean | is_count, declared.confidence, declared.proportion_ci
    )
    scale = np.where(is_mean | is_count, 1.0, 100.0)
    empty = n == 0
    fraction = _fraction(cells, gather) if counted else np.full(len(breakdown.codes), np.nan)
    columns: dict[str, Floats] = {
        "n": n, "value": value * scale, "se": se * scale, "ci_low": low * scale, "ci_high": high * scale,
        "deff": np.where(np.isfinite(deff), deff, np.nan), "df": df,
        "m": np.where(is_mean, np.nan, m), "n_eff": n_eff,
        "fraction": np.repeat(fraction[:, None], len(measures), 1),
    }  # fmt: skip
    blank = {
        name: np.where(empty, np.nan, values)
        for name, values in columns.items()
        if name not in ("n", "m", "fraction")
    }
    return _long(measures, breakdown, {**columns, **blank}, empty)


def _variance(alpha: Floats, beta: Floats, parts: Covariance) -> Floats:
    return alpha**2 * parts.aa + beta**2 * parts.bb + 2 * alpha * beta * parts.ab


def _centres(cells: Cells) -> Floats:
    return np.array([cells.centres.get(number, 0.0) for number in range(len(cells.plan.measures))])


def _degrees(n: Floats, breakdown: Breakdown, design: Design) -> Floats:
    """PSUs (or units) less strata, counting only those with members of the cell: domains x measures."""
    strata = len(design.size)
    made = []
    for number in range(len(breakdown.codes)):
        rows = np.flatnonzero(breakdown.of_cell == number)
        occupied = ((adder(design.stratum[rows], strata) @ n[rows]) > 0).sum(axis=0)
        if design.psu is None or design.psu_stratum is None:
            units = n[rows].sum(axis=0)
        else:
            units = ((adder(design.psu[rows], len(design.psu_stratum)) @ n[rows]) > 0).sum(axis=0)
        made.append(units - occupied)
    return np.array(made, dtype=float).reshape(len(breakdown.codes), n.shape[1])


def _interval(
    value: Floats, p: Floats, se: Floats, n: Floats, n_eff: Floats, df: Floats,
    plain: np.ndarray[tuple[int], np.dtype[np.bool_]], confidence: float, method: str,
) -> tuple[Floats, Floats]:  # fmt: skip
    low, high = intervals.wald(value, se, df, confidence)
    share_low, share_high = intervals.share(p, se, n, n_eff, df, confidence, method)
    return np.where(plain, low, share_low), np.where(plain, high, share_high)


def _fraction(cells: Cells, gather: sparse.csr_array) -> Floats:
    units = cells.frame["n"].to_numpy(dtype=float)
    weights = cells.frame["w"].to_numpy(dtype=float)
    result: Floats = (gather @ units) / (gather @ weights)
    return result


def _long(
    measures: tuple[Measure, ...], breakdown: Breakdown, columns: dict[str, Floats], empty: object
) -> pd.DataFrame:
    """One row a domain and measure."""
    domains, count = len(breakdown.codes), len(measures)
    frame = pd.DataFrame(
        {
            "indicator": [measure.indicator for measure in measures] * domains,
            "category": [measure.category for measure in measures] * domains,
            "unit_measure": [measure.unit for measure in measures] * domains,
            "domain": breakdown.domain,
            "domain_code": np.repeat(np.array(breakdown.codes, dtype=object), count),
            **{name: values.reshape(-1) for name, values in columns.items()},
        }
    )
    frame["obs_status"] = np.where(np.asarray(empty).reshape(-1), "M", "A")
    frame["note"] = ""
    return frame.astype({"n": "int64", "m": "Int64"})
