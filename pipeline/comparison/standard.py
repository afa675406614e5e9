"""Direct standardisation: both waves' estimates weighted to the same declared composition.

The estimate is the composition's average of the estimates by code, sum s_c p_c with sum s_c = 1 over the
codes that both waves have; its variance takes the covariances of the p_c, which share one sample, one
calibration and its margins (Särndal, Swensson & Wretman 1992, 7.6, with known shares).
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np
import pandas as pd

from pipeline.arrays import Floats
from pipeline.catalogue import Catalogue, Composition
from pipeline.catalogue.scopes import Scope, scope_text
from pipeline.comparison.inputs import ComparisonInputs
from pipeline.comparison.options import name_of
from pipeline.comparison.significance import independent
from pipeline.comparison.verdicts import Pair
from pipeline.estimation.contrasts import Contrasts

Estimated = dict[tuple[str, str], tuple[float, float]]  # (indicator, category) -> value, standard error


def standardised(pair: Pair, compared: pd.DataFrame, inputs: ComparisonInputs) -> Iterator[pd.DataFrame]:
    """The pair's comparisons for everyone again, on each declared composition.

    ``compared``: the pair's comparisons. A pair that may not be compared, or lacks the variable, has none.
    """
    total = compared["domain"] == inputs.catalogue.total.key
    compared = compared[
        total & (compared["verdict"] != "not_comparable") & (compared["unit_measure"] != "count")
    ]
    for composition in inputs.catalogue.comparability.compositions.values():
        if pair.shared.state((composition.variable,)) not in ("same", "shared"):
            continue
        for indicators, answers in pair.narrowings():
            wanted = set(indicators) & set(composition.indicators or indicators)
            rows = compared[compared["indicator"].isin(wanted)]
            if len(rows) and len(frame := _standardised_on(composition, pair, answers, rows, inputs)):
                yield frame


def _standardised_on(
    composition: Composition,
    pair: Pair,
    answers: tuple[Scope, Scope],
    rows: pd.DataFrame,
    inputs: ComparisonInputs,
) -> pd.DataFrame:
    catalogue, by = inputs.catalogue, (composition.variable,)
    waves = (pair.a.key, pair.b.key)
    narrowing: list[Scope] = [{**pair.shared.narrowing(side, by), **answers[side]} for side in (0, 1)]
    codes = common_codes(composition, waves, narrowing, inputs)
    found = [
        _estimated(composition, wave, scope, codes, rows, inputs)
        for wave, scope in zip(waves, narrowing, strict=True)
    ]
    estimate_keys = list(zip(rows["indicator"], rows["category"], strict=True))
    there = np.array(
        [all(estimate_key in side for side in found) for estimate_key in estimate_keys], dtype=bool
    )
    rows, estimate_keys = (
        rows[there],
        [estimate_key for estimate_key in estimate_keys if all(estimate_key in side for side in found)],
    )
    a, b = (
        (
            np.array([side[estimate_key][0] for estimate_key in estimate_keys]),
            np.array([side[estimate_key][1] for estimate_key in estimate_keys]),
            _degrees_of_freedom(rows, wave, scope, inputs),
        )
        for side, wave, scope in zip(found, waves, narrowing, strict=True)
    )
    made = independent(a, b, catalogue.barometer.estimation.confidence)
    scopes = [{**pair.used(indicator, by), composition.variable: codes} for indicator in rows["indicator"]]
    unranked = pd.Series(pd.NA, rows.index, dtype="Int64")
    return rows.assign(
        standard=composition.key, scope=[scope_text(scope) for scope in scopes],
        value_a=a[0], value_b=b[0], difference=made.value, se=made.se, df=made.df, ci_low=made.low,
        ci_high=made.high, p_value=made.p, p_distribution=np.nan, rank_a=unranked, rank_b=unranked,
        narrowed_a=scope_text(narrowing[0]), narrowed_b=scope_text(narrowing[1]),
    )  # fmt: skip


def common_codes(
    composition: Composition, waves: tuple[str, str], narrowing: list[Scope], inputs: ComparisonInputs
) -> tuple[str, ...]:
    """The codes of the composition in which both waves have units; none where that leaves a single one."""
    domain = domain_of(composition.variable, inputs.catalogue)
    there = set(composition.shares)
    for wave, scope in zip(waves, narrowing, strict=True):
        contrasts = inputs.contrasts(wave, scope)
        if contrasts is None:
            return ()
        known = {
            code for source in contrasts.sources for name, code in source.domain_numbers if name == domain
        }
        limits = scope.get(composition.variable)
        there &= known if limits is None else known & set(limits)
    codes = tuple(code for code in inputs.catalogue.variables[composition.variable].codes if code in there)
    return codes if len(codes) > 1 else ()


def domain_of(variable: str, catalogue: Catalogue) -> str:
    """The breakdown by one variable alone."""
    return next(key for key, domain in catalogue.domains.items() if domain.by == (variable,))


def _estimated(
    composition: Composition,
    wave: str,
    scope: Scope,
    codes: tuple[str, ...],
    rows: pd.DataFrame,
    inputs: ComparisonInputs,
) -> Estimated:
    contrasts = inputs.contrasts(wave, scope)
    if contrasts is None or not codes:
        return {}
    found: Estimated = {}
    answers = inputs.answers(scope)
    for estimate_key in zip(rows["indicator"], rows["category"], strict=True):
        key = (wave, scope_text(scope), composition.key, *codes, *estimate_key)
        named = (name_of(estimate_key[0], answers), estimate_key[1])
        make = partial(standardise, contrasts, composition, codes, named, inputs.catalogue)
        value, error = inputs.cached(key, make)
        if np.isfinite(value):
            found[estimate_key] = (value, error)
    return found


def standardise(
    contrasts: Contrasts,
    composition: Composition,
    codes: tuple[str, ...],
    estimate_key: tuple[str, str],
    catalogue: Catalogue,
) -> tuple[float, float]:
    """One (indicator, category) standardised on the composition's shares of ``codes``, and its error.

    NaN where a code has no answer: then there is nothing to put its share on.
    """
    domain = domain_of(composition.variable, catalogue)
    joint = contrasts.between(*estimate_key, [(domain, code) for code in codes])
    shares: Floats = np.array([composition.shares[code] for code in codes])
    shares = shares / shares.sum()
    variance = float(shares @ joint.covariance @ shares)
    return float(shares @ joint.values), float(np.sqrt(variance)) if variance > 0 else variance


def _degrees_of_freedom(rows: pd.DataFrame, wave: str, scope: Scope, inputs: ComparisonInputs) -> Floats:
    """The degrees of freedom of the total's estimates on the same basis."""
    frame = inputs.estimates(wave, scope)
    total = frame[frame["domain"] == inputs.catalogue.total.key]
    df = dict(zip(zip(total["indicator"], total["category"], strict=True), total["df"], strict=True))
    estimate_keys = zip(rows["indicator"], rows["category"], strict=True)
    return np.array([df.get(estimate_key, np.nan) for estimate_key in estimate_keys], dtype=np.float64)
