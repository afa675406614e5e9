"""Every cell of a breakdown against the total of its wave: how do units like ours compare with all of them?

The total includes the cell, so their covariance counts; the rank of a cell comes with the range that
sampling error leaves open. Only what differs after adjustment for the number of comparisons is marked.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import special

from pipeline.arrays import Floats
from pipeline.catalogue import Catalogue, Wave
from pipeline.comparison.inputs import ComparisonInputs, breakdowns
from pipeline.comparison.significance import adjusted_within, t_test, too_few_cases
from pipeline.contracts import columns, primary_key
from pipeline.estimation.contrasts import Contrasts, EstimateCovariance
from pipeline.estimation.domains import Domains
from pipeline.estimation.linearisation import ROUNDING

BENCHMARK_KEY = primary_key("benchmarks")
COLUMNS = [*columns("benchmarks"), "df", "above", "below"]
REST = "rest of the wave"
Texts = npt.NDArray[np.object_]


def benchmarks(inputs: ComparisonInputs) -> pd.DataFrame:
    """Every cell of a breakdown with the total of its wave, unrounded: ``COLUMNS`` by ``BENCHMARK_KEY``.

    ``above`` and ``below`` are the cells of the same breakdown that are significantly larger and smaller,
    joined by ``|``: the ranges of ranks are made from them. Published figures have differences but no test.
    """
    made = [frame for wave in inputs.waves if len(frame := _wave_benchmarks(wave, inputs))]
    frame = pd.concat(made, ignore_index=True) if made else pd.DataFrame(columns=COLUMNS)
    frame = with_verdict(with_ranks(frame), inputs.catalogue)
    return frame[COLUMNS].sort_values(BENCHMARK_KEY, kind="stable", ignore_index=True)


def with_verdict(frame: pd.DataFrame, catalogue: Catalogue) -> pd.DataFrame:
    """Adds ``p_adjusted``, over the cells of one indicator of a wave, and ``differs``."""
    p = adjusted_within(frame["p_value"], frame["wave"], frame["indicator"])
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
    tested = frame["p_value"].notna().to_numpy()
    low, high = 1 + np.array(counted[0]), ranked.to_numpy() - np.array(counted[1])
    return frame.assign(
        ranked=ranked.astype("Int64"), rank=rank.astype("Int64"),
        rank_low=pd.Series(low, frame.index, dtype="Int64").where(tested),
        rank_high=pd.Series(high, frame.index, dtype="Int64").where(tested),
    )  # fmt: skip


def _wave_benchmarks(wave: Wave, inputs: ComparisonInputs) -> pd.DataFrame:
    catalogue = inputs.catalogue
    frame = inputs.estimates(wave.key)
    total = catalogue.total.key
    names = [key for key in breakdowns(catalogue) if key != total]
    frame = frame[frame["unit_measure"] != "count"]
    cells = frame.loc[
        frame["domain"].isin(names), [*BENCHMARK_KEY, "unit_measure", "n", "value", "obs_status"]
    ]
    whole = frame.loc[frame["domain"] == total, ["indicator", "category", "value", "df"]]
    rows = cells.merge(whole.rename(columns={"value": "total"}), on=["indicator", "category"])
    contrasts = inputs.contrasts(wave.key)
    codes_of = {name: rows[name].to_numpy(dtype=object) for name in ("domain", "domain_code")}
    freedom = rows["df"].to_numpy(dtype=np.float64)
    se = np.full(len(rows), np.nan)
    above, below = np.full(len(rows), "", dtype=object), np.full(len(rows), "", dtype=object)
    confidence = catalogue.barometer.estimation.confidence
    if contrasts is not None:
        sources = [contrasts.held[domain] for domain in codes_of["domain"]]
        measures = list(zip(rows["indicator"], rows["category"], sources, strict=True))
        measure_of_row = pd.factorize(pd.Index(measures, tupleize_cols=False))[0]
        for number, (indicator, category, _) in enumerate(dict.fromkeys(measures)):
            at = np.flatnonzero(measure_of_row == number)
            domains, codes = codes_of["domain"][at], codes_of["domain_code"][at]
            cells_of_measure = [(total, ""), *zip(domains, codes, strict=True)]
            joint = contrasts.between(indicator, category, cells_of_measure)
            errors = _difference_errors(joint)
            se[at] = errors[0, 1:]
            above[at], below[at] = _surely_apart(
                joint.values[1:], errors[1:, 1:], float(freedom[at[0]]), domains, codes, confidence
            )
    difference: Floats = (rows["value"] - rows["total"]).to_numpy(dtype=np.float64)
    made = t_test(difference, se, freedom, confidence)
    n: Floats = np.asarray(rows["n"].astype("float64"), dtype=np.float64)
    too_few = (rows["unit_measure"] == "percent").to_numpy(dtype=bool) & too_few_cases(
        rows["value"].to_numpy(dtype=np.float64), n
    )
    low, high, p = (np.where(too_few, np.nan, part) for part in (made.low, made.high, made.p))
    return rows.assign(
        difference=made.value, se=made.se, ci_low=low, ci_high=high, p_value=p,
        above=above, below=below,
    )  # fmt: skip


def _difference_errors(joint: EstimateCovariance) -> Floats:
    """The standard error of the difference of every two estimates; 0 where they are one and the same."""
    variances = np.diag(joint.covariance)
    both = variances[:, None] + variances[None, :]
    variance = both - 2 * joint.covariance
    errors: Floats = np.sqrt(np.where(variance > ROUNDING * both, variance, 0.0))
    return errors


def _surely_apart(
    values: Floats, errors: Floats, df: float, domains: Texts, codes: Texts, confidence: float
) -> tuple[Texts, Texts]:
    """The cells of its breakdown significantly above and below each: Bonferroni over the other cells."""
    above, below = np.full(len(values), "", dtype=object), np.full(len(values), "", dtype=object)
    for domain in dict.fromkeys(domains):
        at = np.flatnonzero(domains == domain)
        if len(at) < 2:
            continue
        tail = 0.5 + (1 - (1 - confidence) / (len(at) - 1)) / 2
        far = (values[at][:, None] - values[at][None, :]) / special.stdtrit(max(df, 1.0), tail)
        error = errors[np.ix_(at, at)]
        for number in np.flatnonzero(((np.abs(far) > error) & (error > 0)).any(axis=1)):
            known = error[number] > 0
            above[at[number]] = "|".join(codes[at[known & (far[number] < -error[number])]])
            below[at[number]] = "|".join(codes[at[known & (far[number] > error[number])]])
    return above, below


def against_rest(
    contrasts: Contrasts, indicator: str, category: str, domain: str, code: str
) -> tuple[EstimateCovariance, tuple[float, float]]:
    """A cell and the rest of its breakdown: both estimates, and their difference with its standard error."""
    contrasts = contrasts.of_indicator(indicator)
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
