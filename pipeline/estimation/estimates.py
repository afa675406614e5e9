"""From sums to estimates: value, standard error, interval, design effect and n of every cell of a wave.

The last step of estimation: ``domains`` and ``sums`` roll the cells up, ``variance`` or ``replicates`` give
the errors, ``intervals`` the limits. Out comes a frame, unrounded and with nothing hidden, for ``disclosure``
and ``comparison``; ``figures`` makes the same frame of published figures.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from pandas.api.extensions import ExtensionArray

from pipeline import intervals
from pipeline.arrays import Floats, Ints
from pipeline.catalogue.fieldwork import Wave
from pipeline.estimation.design import design_of
from pipeline.estimation.domains import BackgroundCells, Domains, domains_of
from pipeline.estimation.linearisation import Linearisation
from pipeline.estimation.plan import Measure
from pipeline.estimation.replicates import replicated
from pipeline.estimation.specification import Specification
from pipeline.estimation.statistics import Cells
from pipeline.estimation.sums import Sums
from pipeline.estimation.variance import StratumSums, variance

KEY = ["wave", "indicator", "category", "domain", "domain_code"]
COLUMNS = [
    "wave", "country", "survey", "edition", "time_period", "indicator", "category", "domain", "domain_code",
    "unit_measure", "source_kind", "n", "value", "se", "ci_low", "ci_high", "deff", "obs_status",
    "conf_status", "note",
]  # fmt: skip
EXTRAS = ["df", "m", "n_eff", "fraction"]
TEXT = pd.StringDtype("pyarrow", na_value=np.nan)
WITHOUT_ANSWERS = ("n", "m", "fraction")  # what a cell in which nobody answered still has


def estimate_wave(cells: Cells, specification: Specification) -> pd.DataFrame:
    """Every estimate of a microdata wave, unrounded and unsuppressed: ``COLUMNS`` and ``EXTRAS`` by ``KEY``.

    Shares are percent. ``df`` are degrees of freedom, ``m`` the units in the numerator, ``n_eff`` Kish's
    effective n, ``fraction`` the part of the domain's population that answered (NaN where unknown). A
    cell in which nobody answered has n = 0, no value and obs_status M.
    """
    made = [_with_one_weight(each, specification) for each in cells.by_weight]
    if len(made) == 1:
        return made[0]
    return pd.concat(made).sort_values(KEY, kind="stable", ignore_index=True)


def _with_one_weight(cells: Cells, specification: Specification) -> pd.DataFrame:
    wave = specification.wave
    assert wave.weighting is not None
    counted = bool(specification.population) or bool(wave.weighting.margins) or specification.census
    parts: list[_DomainEstimates] = []
    for cube in cells.cubes:
        done = {breakdown for part in parts for breakdown in part.breakdowns}
        parts.append(_DomainEstimates.of(cube, done, specification))
    whole = _DomainEstimates.joined(parts) if len(parts) > 1 else parts[0]
    if not counted:
        whole.columns["fraction"] = np.full_like(whole.columns["fraction"], np.nan)
    return identified(_long(cells.plan.measures, whole), wave, "microdata")


@dataclass(frozen=True)
class _DomainEstimates:
    """The estimates of some breakdowns: of each domain its breakdown and code, and domains x measures."""

    breakdowns: tuple[str, ...]
    codes: tuple[str, ...]
    columns: dict[str, Floats]

    @classmethod
    def of(cls, cells: Cells, besides: set[str], specification: Specification) -> _DomainEstimates:
        """Of all breakdowns that one set of cells holds, besides some."""
        frame, plan = cells.frame, cells.plan
        breakdowns = [each for each in specification.breakdowns if each.key not in besides]
        background = BackgroundCells.of(frame, plan.cell) if plan.clustered else None
        rows = frame if background is None else frame.iloc[background.example]
        domains = domains_of(rows, plan.cell, breakdowns)
        columns = _columns(cells, domains, background, specification)
        return cls(domains.breakdowns, domains.codes, columns)

    @classmethod
    def joined(cls, parts: list[_DomainEstimates]) -> _DomainEstimates:
        """All of them in the order of breakdowns."""
        breakdowns = [breakdown for part in parts for breakdown in part.breakdowns]
        codes = [code for part in parts for code in part.codes]
        order = sorted(range(len(codes)), key=breakdowns.__getitem__)
        columns = {
            name: np.concatenate([part.columns[name] for part in parts])[order] for name in parts[0].columns
        }
        return cls(tuple(breakdowns[i] for i in order), tuple(codes[i] for i in order), columns)


def identified(columns: Mapping[str, Any], wave: Wave, kind: str) -> pd.DataFrame:
    """Adds the wave's identity and puts the columns, arrays of one length, in their order."""
    rows = len(columns["indicator"])
    facts = {
        "wave": wave.key, "country": wave.country, "survey": wave.survey, "edition": wave.edition,
        "source_kind": kind, "conf_status": "F",
    }  # fmt: skip
    texts = {name: constant(text, rows) for name, text in facts.items()}
    known = {"time_period": np.full(rows, wave.time_period), **texts, **columns}
    return pd.DataFrame({name: known[name] for name in [*COLUMNS, *EXTRAS]}, copy=False)


def _columns(
    cells: Cells, domains: Domains, background: BackgroundCells | None, specification: Specification
) -> dict[str, Floats]:
    """The numbers of every domain and measure (domains x measures)."""
    measures, conventions = cells.plan.measures, specification.conventions
    is_mean = np.array([measure.unit == "mean" for measure in measures])
    is_count = np.array([measure.unit == "count" for measure in measures])
    sums = Sums.of(cells)
    declared = specification.wave.design.replicate_weights if specification.wave.design else None
    design = None if declared else design_of(cells, specification)
    stratum = design.stratum if design else np.zeros(len(cells.frame), dtype=np.int64)
    if background is None:
        strata = StratumSums.of(sums, domains, stratum)
    else:
        strata = StratumSums.of(sums.gathered(background.matrix()), domains, stratum[background.example])
    total = strata.total(len(domains))
    mask = sums.layout.mask
    n, sum_w, sum_wy = total.n[:, mask], total.sum_w[:, mask], total.sum_wy
    if design is not None:
        variances, df = variance(
            sums, strata, domains, design, Linearisation.of_domains(total, is_count), background
        )
    elif cells.replicates is not None and declared is not None:
        variances, df = replicated(cells.replicates, cells.plan, total.sum_w, declared)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = sum_wy / sum_w
        se = np.sqrt(np.maximum(variances, 0.0))
        n_eff = (total.sum_w**2 / total.sum_w2)[:, mask]
        dispersion = np.where(is_mean, total.sum_wy2 / sum_w - ratio**2, ratio * (total.sum_wc / sum_w))
        deff = se**2 / (np.where(is_count, sum_w**2, 1.0) * dispersion / (n - 1))
        represented = total.everyone(1)
        if cells.plan.weight:
            rows = cells.represented if background is None else background.matrix() @ cells.represented
            represented = domains.groups().matrix(len(rows)) @ rows
        fraction = total.everyone(0) / represented
    centres = np.array([cells.centres.get(number, 0.0) for number in range(len(measures))])
    value = np.where(is_count, sum_wy, ratio + centres)
    low, high = intervals.share(ratio, se, n, n_eff, df, conventions.confidence, conventions.proportion_ci)
    plain = is_mean | is_count
    low[:, plain], high[:, plain] = intervals.wald(
        value[:, plain], se[:, plain], df[:, plain], conventions.confidence
    )
    if specification.census:  # nothing is left to chance, not even where one unit makes a domain
        low, high = value.copy(), value.copy()
    scale = np.where(plain, 1.0, 100.0)
    return {
        "n": n, "value": value * scale, "se": se * scale, "ci_low": low * scale,
        "ci_high": high * scale, "deff": np.where(np.isfinite(deff), deff, np.nan),
        "df": df, "m": np.where(is_mean, np.nan, total.sum_y), "n_eff": n_eff,
        "fraction": np.broadcast_to(fraction[:, None], n.shape),
    }  # fmt: skip


def _long(measures: tuple[Measure, ...], part: _DomainEstimates) -> dict[str, Any]:
    """One row a measure and domain, by indicator, category, domain and code."""
    order = sorted(
        range(len(measures)), key=lambda number: (measures[number].indicator, measures[number].category)
    )
    ordered = [measures[number] for number in order]
    flat = {name: values.T[order].reshape(-1) for name, values in part.columns.items()}
    empty = flat["n"] == 0
    flat |= {
        name: np.where(empty, np.nan, values) for name, values in flat.items() if name not in WITHOUT_ANSWERS
    }
    unknown = np.isnan(flat["m"])
    whole = {
        "n": flat["n"].astype(np.int64),
        "m": pd.arrays.IntegerArray(np.where(unknown, 0, flat["m"]).astype(np.int64), unknown),
    }
    count = len(part.codes)
    texts = {
        "indicator": repeated([measure.indicator for measure in ordered], count),
        "category": repeated([measure.category for measure in ordered], count),
        "unit_measure": repeated([measure.unit for measure in ordered], count),
        "domain": repeated(part.breakdowns, times=len(ordered)),
        "domain_code": repeated(part.codes, times=len(ordered)),
        "obs_status": _texts(np.where(empty, b"M", b"A").tobytes(), np.arange(len(empty) + 1)),
        "note": constant("", len(empty)),
    }
    return {**texts, **flat, **whole}


def constant(text: str, rows: int) -> ExtensionArray:
    """A column of one text."""
    coded = text.encode()
    return _texts(coded * rows, np.arange(rows + 1) * len(coded))


def repeated(texts: Sequence[str], each: int = 1, times: int = 1) -> ExtensionArray:
    """A column of texts, ``each`` so many times in a row, and all of them so many times."""
    coded = [text.encode() for text in texts]
    ends = np.zeros(len(texts) * each * times + 1, dtype=np.int64)
    np.cumsum(np.tile(np.repeat([len(text) for text in coded], each), times), out=ends[1:])
    return _texts(b"".join(text * each for text in coded) * times, ends)


def _texts(joined: bytes, ends: Ints) -> ExtensionArray:
    """A column of texts from all of them in a row, and where each ends: no text is an object on the way."""
    texts = pa.LargeStringArray.from_buffers(len(ends) - 1, pa.py_buffer(ends), pa.py_buffer(joined))
    column: ExtensionArray = TEXT.__from_arrow__(texts)  # type: ignore[attr-defined]  # not in its stubs
    return column
