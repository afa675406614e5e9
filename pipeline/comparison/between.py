"""Comparisons between waves: every pair of one status, cell by cell, with verdict, reasons and test.

``wave_a`` is the one whose reference period ends later, so that inside a survey the difference is the change.
Cells of a breakdown are compared where their waves are comparable; a pair that is not has one row, for the
total, and no difference.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeline.arrays import Floats
from pipeline.catalogue import Catalogue
from pipeline.catalogue.scopes import Scope, scope_text
from pipeline.comparison.inputs import CELL, NUMBERS, ComparisonInputs, breakdowns
from pipeline.comparison.significance import adjusted_within, homogeneity, independent, too_few_cases
from pipeline.comparison.standard import standardised
from pipeline.comparison.verdicts import Judgement, Pair
from pipeline.contracts import columns, primary_key

COMPARISON_KEY = primary_key("comparisons")
COLUMNS = [*columns("comparisons"), "df"]
NOT_COMPARABLE = "not_comparable"


@dataclass(frozen=True)
class CommonBasis:
    """What two waves are compared on: breakdowns and indicators, and what each is narrowed to for them."""

    breakdowns: tuple[str, ...]
    indicators: tuple[str, ...]
    narrowing: tuple[Scope, Scope]


def comparisons(inputs: ComparisonInputs) -> pd.DataFrame:
    """Every comparison between the waves at hand, unrounded: ``COLUMNS`` by ``COMPARISON_KEY``.

    ``narrowed_a`` and ``narrowed_b`` say on which scope a value was estimated again ("" where it was not).
    """
    made = [frame for pair in inputs.pairs for frame in _pair_comparisons(pair, inputs)]
    frame = pd.concat(made, ignore_index=True) if made else pd.DataFrame(columns=COLUMNS)
    return with_adjusted(frame, inputs.catalogue)[COLUMNS].sort_values(
        COMPARISON_KEY, kind="stable", ignore_index=True
    )


def with_adjusted(frame: pd.DataFrame, catalogue: Catalogue) -> pd.DataFrame:
    """Adds ``p_adjusted``: over the comparisons of one indicator among waves of one status."""
    status = frame["wave_a"].map({key: wave.status for key, wave in catalogue.waves.items()})
    return frame.assign(p_adjusted=adjusted_within(frame["p_value"], status.astype(str), frame["indicator"]))


def _pair_comparisons(pair: Pair, inputs: ComparisonInputs) -> Iterator[pd.DataFrame]:
    made = list(_compared(pair, inputs))
    yield from made
    if made:
        yield from standardised(pair, pd.concat(made, ignore_index=True), inputs)


def _compared(pair: Pair, inputs: ComparisonInputs) -> Iterator[pd.DataFrame]:
    for basis in common_bases(pair, inputs.catalogue):
        a, b = (
            _chosen(inputs.estimates(wave.key, scope), basis)
            for wave, scope in zip((pair.a, pair.b), basis.narrowing, strict=True)
        )
        both = a.merge(b, on=[*CELL, "unit_measure"], suffixes=("_a", "_b"))
        judged = _judged(_in_shared_scope(both, pair, inputs.catalogue), pair, basis, inputs.catalogue)
        if len(judged):
            yield _tested(_ranked(judged, inputs.catalogue), pair, basis, inputs)


def common_bases(pair: Pair, catalogue: Catalogue) -> list[CommonBasis]:
    """The breakdowns and indicators of a pair, grouped by what narrows both waves to what they share."""
    found: dict[str, CommonBasis] = {}
    for indicators, answers in pair.narrowings():
        for key in breakdowns(catalogue):
            by = catalogue.domains[key].by
            state = pair.shared.state(by)
            if by and state in ("unmatched", "apart"):
                continue
            scopes: tuple[Scope, Scope] = ({}, {})
            if state == "shared":
                scopes = (pair.shared.narrowing(0, by), pair.shared.narrowing(1, by))
            narrowing = ({**scopes[0], **answers[0]}, {**scopes[1], **answers[1]})
            former = found.get(repr(narrowing), CommonBasis((), indicators, narrowing))
            found[repr(narrowing)] = CommonBasis((*former.breakdowns, key), indicators, narrowing)
    return list(found.values())


def _chosen(frame: pd.DataFrame, basis: CommonBasis) -> pd.DataFrame:
    chosen = frame["domain"].isin(basis.breakdowns) & frame["indicator"].isin(basis.indicators)
    return frame.loc[chosen, [*CELL, *NUMBERS]]


def _in_shared_scope(both: pd.DataFrame, pair: Pair, catalogue: Catalogue) -> pd.DataFrame:
    """The cells that lie in the shared scope."""
    inside = np.ones(len(both), dtype=bool)
    for name, codes in pair.shared.scope.items():
        for key, domain in catalogue.domains.items():
            if name in domain.by and codes:
                part = both["domain_code"].str.split("*").str[domain.by.index(name)]
                inside &= ((both["domain"] != key) | part.isin(codes)).to_numpy()
    return both[inside]


def _judged(both: pd.DataFrame, pair: Pair, basis: CommonBasis, catalogue: Catalogue) -> pd.DataFrame:
    by = {key: catalogue.domains[key].by for key in basis.breakdowns}
    keys = list(zip(both["indicator"], both["category"], both["domain"], strict=True))
    judged = {key: pair.judge(key[0], key[1], by[key[2]]) for key in dict.fromkeys(keys)}
    held: list[Judgement] = [judged[key] for key in keys]
    scopes = {key: scope_text(pair.used(key[0], by[key[2]])) for key in judged}
    both = both.assign(
        verdict=[each.verdict for each in held],
        reasons=["|".join(each.reasons) for each in held],
        breaks=np.array([each.breaks for each in held], dtype=bool),
        ranked=np.array([each.ranks for each in held], dtype=bool),
        scope=[scopes[key] for key in keys],
        narrowed_a=scope_text(basis.narrowing[0]),
        narrowed_b=scope_text(basis.narrowing[1]),
    )
    kept = np.array(
        [each.verdict != NOT_COMPARABLE or not by[key[2]] for each, key in zip(held, keys, strict=True)]
    )
    return both[kept.astype(bool)]


def _ranked(both: pd.DataFrame, catalogue: Catalogue) -> pd.DataFrame:
    """The rank of each category in its indicator, largest first, where the order may be compared."""
    several = [catalogue.indicators[key].question is not None for key in both["indicator"]]
    ranked = both["ranked"].to_numpy(dtype=bool) & np.array(several, dtype=bool)
    cell = [both[name] for name in ("indicator", "domain", "domain_code")]
    ranks = {
        f"rank_{side}": both[f"value_{side}"].where(ranked).groupby(cell).rank(ascending=False, method="min")
        for side in "ab"
    }
    return both.assign(**{name: rank.astype("Int64") for name, rank in ranks.items()})


def _tested(both: pd.DataFrame, pair: Pair, basis: CommonBasis, inputs: ComparisonInputs) -> pd.DataFrame:
    confidence = inputs.catalogue.barometer.estimation.confidence
    a, b = (
        tuple(both[f"{name}_{side}"].to_numpy(dtype=np.float64) for name in ("value", "se", "df"))
        for side in "ab"
    )
    made = independent((a[0], a[1], a[2]), (b[0], b[1], b[2]), confidence)
    apart = (both["verdict"] == NOT_COMPARABLE).to_numpy(dtype=bool)
    rare = (both["unit_measure"] == "percent").to_numpy(dtype=bool) & np.any(
        [too_few_cases(a[0], _numbers(both, "n_a")), too_few_cases(b[0], _numbers(both, "n_b"))], axis=0
    )

    def allowed(values: Floats) -> Floats:
        return np.where(apart, np.nan, values)

    def tested(values: Floats) -> Floats:
        return np.where(apart | rare, np.nan, values)

    figures = ((both["source_kind_a"] == "figures") | (both["source_kind_b"] == "figures")).to_numpy(
        dtype=bool
    )
    return both.assign(
        wave_a=pair.a.key, wave_b=pair.b.key, standard="",
        difference=allowed(made.value), se=allowed(made.se), df=made.df, ci_low=tested(made.low),
        ci_high=tested(made.high), p_value=tested(made.p), obs_status=np.where(figures, "E", "A"),
        p_distribution=_distributions(both, pair, basis, inputs),
    )[[name for name in COLUMNS if name != "p_adjusted"]]  # fmt: skip


def _numbers(frame: pd.DataFrame, name: str) -> Floats:
    numbers: Floats = np.asarray(frame[name].astype("float64"), dtype=np.float64)
    return numbers


def _distributions(both: pd.DataFrame, pair: Pair, basis: CommonBasis, inputs: ComparisonInputs) -> Floats:
    """The p-value of a single-choice question's whole distribution, on each of its rows for everyone."""
    catalogue, found = inputs.catalogue, np.full(len(both), np.nan)
    total = (both["domain"] == catalogue.total.key).to_numpy()
    comparable = (both["verdict"] != NOT_COMPARABLE).to_numpy()
    for indicator in both.loc[total & comparable, "indicator"].unique():
        declared = catalogue.indicators[indicator]
        question = catalogue.questions.get(declared.question or "")
        if question is None or question.type != "single" or declared.codes:
            continue
        rows = total & comparable & (both["indicator"] == indicator).to_numpy()
        found[rows] = _distribution(both[rows], str(indicator), pair, basis, inputs)
    return found


def _distribution(
    rows: pd.DataFrame, indicator: str, pair: Pair, basis: CommonBasis, inputs: ComparisonInputs
) -> float:
    shares, covariances = [], []
    for wave, scope in zip((pair.a, pair.b), basis.narrowing, strict=True):
        joint = inputs.shares(wave.key, indicator, scope)
        if joint is None:
            return float("nan")
        at = [[name[0] for name in joint.names].index(category) for category in rows["category"]]
        if len(at) != len(joint.names):  # an answer that only one of them offered
            return float("nan")
        shares.append(joint.values[at] / 100)
        covariances.append(joint.covariance[np.ix_(at, at)] / 100**2)
    first = rows.iloc[0]
    df = float(first["df_a"] + first["df_b"])
    return homogeneity(shares, covariances, [float(first["n_a"]), float(first["n_b"])], df).p
