"""How do workplaces like ours do it? Every cell of a breakdown against the whole of its wave.

The whole holds the cell, so their covariance counts; the rank of a cell comes with the range that chance
leaves open. Only what differs after adjustment for the number of comparisons is marked.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import special

from pipeline.arrays import Floats
from pipeline.catalogue import Catalogue, Wave
from pipeline.comparison.inputs import CELL, ComparisonInputs, breakdowns
from pipeline.comparison.significance import adjusted, few, t_test
from pipeline.estimation.contrasts import Contrasts, EstimateCovariance
from pipeline.estimation.domains import Domains
from pipeline.estimation.linearisation import ROUNDING

KEY = ["wave", *CELL]
COLUMNS = [
    *KEY, "unit_measure", "n", "value", "total", "difference", "se", "df", "ci_low", "ci_high", "p_value",
    "p_adjusted", "differs", "rank", "rank_low", "rank_high", "ranked", "above", "below", "obs_status",
]  # fmt: skip
REST = "rest of the wave"
Texts = npt.NDArray[np.object_]


def benchmarks(inputs: ComparisonInputs) -> pd.DataFrame:
    """Every cell of a breakdown with the whole of its wave, unrounded: ``COLUMNS`` by ``KEY``.

    ``above`` and ``below`` are the cells of the same breakdown that are surely larger and smaller, joined
    by ``|``: what ranks are made from. Published figures have differences, and no test.
    """
    made = [frame for wave in inputs.waves if len(frame := _of_wave(wave, inputs))]
    frame = pd.concat(made, ignore_index=True) if made else pd.DataFrame(columns=COLUMNS)
    frame = with_verdict(with_ranks(frame), inputs.catalogue)
    return frame[COLUMNS].sort_values(KEY, kind="stable", ignore_index=True)


def with_verdict(frame: pd.DataFrame, catalogue: Catalogue) -> pd.DataFrame:
    """Adds ``p_adjusted``, over the cells of one indicator of a wave, and ``differs``."""
    families = (frame["wave"].astype(str) + " " + frame["indicator"].astype(str)).factorize()[0]
    p = adjusted(frame["p_value"].to_numpy(dtype=np.float64), np.asarray(families, dtype=np.int64))
    limit = 1 - catalogue.barometer.estimation.confidence
    return frame.assign(p_adjusted=p, differs=np.nan_to_num(p, nan=1.0) < limit)


def with_ranks(frame: pd.DataFrame) -> pd.DataFrame:
    """Adds ``ranked`` (how many cells), ``rank`` and its range, among the cells at hand."""
    group = frame.groupby(["wave", "indicator", "category", "domain"], sort=False)
    ranked, rank = group["value"].transform("size"), group["value"].rank(ascending=False, method="min")
    present = set(zip(group.ngroup(), frame["domain_code"], strict=True))
    counted = [
        [
            sum((number, code) in present for code in codes.split("|")) if codes else 0
            for number, codes in zip(group.ngroup(), frame[name], strict=True)
        ]
        for name in ("above", "below")
    ]
    tested_at_all = frame["p_value"].notna().to_numpy()
    low, high = 1 + np.array(counted[0]), ranked.to_numpy() - np.array(counted[1])
    return frame.assign(
        ranked=ranked.astype("Int64"), rank=rank.astype("Int64"),
        rank_low=pd.Series(low, frame.index, dtype="Int64").where(tested_at_all),
        rank_high=pd.Series(high, frame.index, dtype="Int64").where(tested_at_all),
    )  # fmt: skip


def _of_wave(wave: Wave, inputs: ComparisonInputs) -> pd.DataFrame:
    catalogue = inputs.catalogue
    frame = inputs.estimates(wave.key)
    total = catalogue.total.key
    names = [key for key in breakdowns(catalogue) if key != total]
    frame = frame[frame["unit_measure"] != "count"]
    cells = frame.loc[frame["domain"].isin(names), [*KEY, "unit_measure", "n", "value", "obs_status"]]
    whole = frame.loc[frame["domain"] == total, ["indicator", "category", "value", "df"]]
    rows = cells.merge(whole.rename(columns={"value": "total"}), on=["indicator", "category"])
    contrasts = inputs.contrasts(wave.key)
    every = {name: rows[name].to_numpy(dtype=object) for name in ("domain", "domain_code")}
    freedom = rows["df"].to_numpy(dtype=np.float64)
    se = np.full(len(rows), np.nan)
    above, below = np.full(len(rows), "", dtype=object), np.full(len(rows), "", dtype=object)
    confidence = catalogue.barometer.estimation.confidence
    if contrasts is not None:
        held = [contrasts.held[domain] for domain in every["domain"]]
        measures = list(zip(rows["indicator"], rows["category"], held, strict=True))
        of_row = pd.factorize(pd.Index(measures, tupleize_cols=False))[0]
        for number, (indicator, category, _) in enumerate(dict.fromkeys(measures)):
            at = np.flatnonzero(of_row == number)
            domains, codes = every["domain"][at], every["domain_code"][at]
            places = [(total, ""), *zip(domains, codes, strict=True)]
            joint = contrasts.between(indicator, category, places)
            spread = _spread(joint)
            se[at] = spread[0, 1:]
            above[at], below[at] = _beside(
                joint.values[1:], spread[1:, 1:], float(freedom[at[0]]), domains, codes, confidence
            )
    difference: Floats = (rows["value"] - rows["total"]).to_numpy(dtype=np.float64)
    made = t_test(difference, se, freedom, confidence)
    n: Floats = np.asarray(rows["n"].astype("float64"), dtype=np.float64)
    rare = (rows["unit_measure"] == "percent").to_numpy(dtype=bool) & few(
        rows["value"].to_numpy(dtype=np.float64), n
    )
    low, high, p = (np.where(rare, np.nan, part) for part in (made.low, made.high, made.p))
    return rows.assign(
        difference=made.value, se=made.se, ci_low=low, ci_high=high, p_value=p,
        above=above, below=below,
    )  # fmt: skip


def _spread(joint: EstimateCovariance) -> Floats:
    """The standard error of the difference of every two estimates; 0 where they are one and the same."""
    size = np.diag(joint.covariance)
    both = size[:, None] + size[None, :]
    variance = both - 2 * joint.covariance
    spread: Floats = np.sqrt(np.where(variance > ROUNDING * both, variance, 0.0))
    return spread


def _beside(
    values: Floats, spread: Floats, df: float, domains: Texts, codes: Texts, confidence: float
) -> tuple[Texts, Texts]:
    """Which cells of its breakdown lie surely above and below each: Bonferroni over those beside it."""
    above, below = np.full(len(values), "", dtype=object), np.full(len(values), "", dtype=object)
    for domain in dict.fromkeys(domains):
        at = np.flatnonzero(domains == domain)
        if len(at) < 2:
            continue
        tail = 0.5 + (1 - (1 - confidence) / (len(at) - 1)) / 2
        far = (values[at][:, None] - values[at][None, :]) / special.stdtrit(max(df, 1.0), tail)
        sure = spread[np.ix_(at, at)]
        for number in np.flatnonzero(((np.abs(far) > sure) & (sure > 0)).any(axis=1)):
            known = sure[number] > 0
            above[at[number]] = "|".join(codes[at[known & (far[number] < -sure[number])]])
            below[at[number]] = "|".join(codes[at[known & (far[number] > sure[number])]])
    return above, below


def against_rest(
    contrasts: Contrasts, indicator: str, category: str, domain: str, code: str
) -> tuple[EstimateCovariance, tuple[float, float]]:
    """A cell and the rest of its breakdown: both estimates, and their difference with its standard error."""
    source = contrasts.source_of([(domain, code)])
    own = source.domains
    part = [number for number, of in enumerate(own.breakdowns) if of == domain]
    (mine,) = [number for number in part if own.codes[number] == code]
    rest = np.concatenate([own.cell[own.domain == number] for number in part if number != mine])
    cells = own.cell[own.domain == mine]
    domains = Domains(
        (domain, domain),
        (code, REST),
        np.concatenate([np.zeros(len(cells), dtype=np.int64), np.ones(len(rest), dtype=np.int64)]),
        np.concatenate([cells, rest]),
    )
    apart = replace(contrasts, sources=(replace(source, domains=domains),))
    joint = apart.between(indicator, category, [(domain, code), (domain, REST)])
    return joint, joint.difference(0, 1)
