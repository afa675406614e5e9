"""Variance from delivered replicate weights: how far the estimates made with each of them spread.

    V = sum over r of scale_r (theta_r - theta)^2

around the full-sample estimate theta (Wolter 2007, Introduction to Variance Estimation, chapters 3 to 5;
R's ``survey::svrepdesign`` with ``mse = TRUE``). The replicates carry the whole design: strata,
sampling units and population counts play no part. Degrees of freedom are the rank of the replicate weights
of those who count, less 1, as R's ``degf`` has it. ``statistics`` has the sums made here; ``estimates`` and
``contrasts`` ask for errors and covariances.

Sums are kept by domain, not by cell: cells times replicates would outgrow the microdata. Weights are
added as whole numbers of 2^-k, which no order of the rows and no thread can change, and the full weights
in the same way as the replicates: where a replicate changes nothing, the difference is exactly 0.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
from scipy import sparse
from scipy.linalg import lapack

from pipeline.arrays import Flags, Floats, Ints
from pipeline.catalogue.fieldwork import ReplicateWeights
from pipeline.catalogue.questionnaire import Domain
from pipeline.estimation import columns
from pipeline.estimation.domains import Domains, domains_of
from pipeline.estimation.encoding import AnswersMetadata, decoded
from pipeline.estimation.engine import Columns, Engine
from pipeline.estimation.plan import Plan

KEY = ["domain", "domain_code", "sum", "rank"]
ROW = "sum.row"  # beside the codebook's names, as in ``columns``
BITS = 62  # of a sum that a whole number of 64 bits holds
DEPENDENT = 1e-5  # of its norm: what is left of a column that R's degf takes for dependent on others


def replicate_sums(
    engine: Engine,
    codes: pa.Table,
    plan: Plan,
    centres: Mapping[int, float],
    metadata: AnswersMetadata,
    breakdowns: Iterable[Domain],
) -> pd.DataFrame:
    """The sums of a wave, a row a domain and sum (``KEY``): with the full weights ``w``, ``r1`` to ``rR``.

    ``codes`` are the encoded answers. Sums are named as in ``columns``; ``rank`` is that of the
    replicate weights of those who count.
    """
    weights = _weights(codes)
    cell = {name: decoded(codes[name].to_numpy(), name, metadata) for name in plan.cell}
    domains = domains_of(pd.DataFrame(cell, index=pd.RangeIndex(len(weights))), plan.cell, breakdowns)
    answers = _answers(engine, codes, plan)
    scale, whole = _whole(weights)
    ranks = _Ranks(weights[:, 1:])
    parts, rank_of = [], {}
    for number, mask in enumerate(plan.masks):
        counted = answers[columns.answered(number)].astype(bool)
        rank_of[mask] = ranks.of(domains, counted)
        parts.append(
            _stored(
                domains,
                columns.answered(number),
                rank_of[mask],
                _added_by_domain(domains, counted, whole) / scale,
            )
        )
    for number, measure in enumerate(plan.measures):
        y = answers[columns.value(number)].astype(np.float64)
        if measure.unit == "mean":
            counted = ~np.isnan(y)
            own, products = _whole(weights * np.where(counted, y - centres[number], 0.0)[:, None])
            sums = _added_by_domain(domains, counted, products) / own
        else:
            sums = _added_by_domain(domains, y > 0, whole) / scale
        parts.append(_stored(domains, columns.value(number), rank_of[measure.mask], sums))
    return pd.concat(parts, ignore_index=True)


def _weights(table: pa.Table) -> Floats:
    """The full weight and the replicate weights of every unit: units x (1 + R)."""
    count = sum(name.startswith("replicate_") for name in table.column_names)
    names = ["weight", *(f"replicate_{number}" for number in range(1, count + 1))]
    return np.column_stack([table[name].to_numpy() for name in names]).astype(np.float64)


def _answers(engine: Engine, table: pa.Table, plan: Plan) -> Columns:
    """Unit by unit, in the order of the rows: whom each mask counts, and the value of each measure.

    The value of a mean is NaN where the mask does not count.
    """
    placed = table.append_column(ROW, pa.array(np.arange(table.num_rows)))
    wanted = [
        f"CASE WHEN {mask} THEN 1 ELSE 0 END AS {columns.answered(number)}"
        for number, mask in enumerate(plan.masks)
    ]
    for number, measure in enumerate(plan.measures):
        value = (
            f"WHEN {measure.mask} THEN CAST({measure.value} AS DOUBLE) ELSE CAST('NaN' AS DOUBLE) END"
            if measure.unit == "mean"
            else f"WHEN {measure.value} THEN 1 ELSE 0 END"
        )
        wanted.append(f"CASE {value} AS {columns.value(number)}")
    listed = ",\n  ".join(["place", *wanted])
    read = {ROW: "place", **plan.columns}
    return engine.query(f"SELECT\n  {listed}\nFROM answers\nORDER BY place", placed, read)


def _whole(terms: Floats) -> tuple[float, Ints]:
    """The terms as whole numbers of 1 / scale, whose sums over all units fit 64 bits."""
    size = len(terms) * float(np.abs(terms).max(initial=0.0))
    scale = 2.0 ** (BITS - math.frexp(size)[1]) if size > 0 else 1.0
    return scale, np.rint(terms * scale).astype(np.int64)


def _added_by_domain(domains: Domains, kept: Flags, terms: Ints) -> Ints:
    """The sums of the kept units' terms by domain."""
    chosen = kept[domains.cell]
    place = (domains.domain[chosen], domains.cell[chosen])
    ones = np.ones(len(place[0]), dtype=np.int64)
    return np.asarray(sparse.csr_array((ones, place), shape=(len(domains), len(terms))) @ terms)


def _stored(domains: Domains, name: str, rank: Ints, sums: Floats) -> pd.DataFrame:
    names = ["w", *(f"r{number}" for number in range(1, sums.shape[1]))]
    keys = {"domain": domains.breakdowns, "domain_code": domains.codes, "sum": name, "rank": rank}
    return pd.concat([pd.DataFrame(keys), pd.DataFrame(sums, columns=names)], axis=1)


class _Ranks:
    """Ranks of the replicate weights of groups of units.

    Units whose replicate weights are proportional, as those of one sampling unit are, count as one, and
    equal groups are worked out once.
    """

    def __init__(self, replicates: Floats) -> None:
        norm = np.linalg.norm(replicates, axis=1, keepdims=True)
        rows = np.divide(replicates, norm, out=np.zeros_like(replicates), where=norm > 0)
        _, firsts, of_unit = np.unique(rows.round(9), axis=0, return_index=True, return_inverse=True)
        self._rows: Floats = rows[firsts]
        self._of_unit: Ints = of_unit.reshape(-1)
        self._known: dict[bytes, int] = {}
        self._full = _rank(self._rows, min(self._rows.shape))

    def of(self, domains: Domains, kept: Flags) -> Ints:
        """The rank of the kept units of each domain."""
        ranks = np.zeros(len(domains), dtype=np.int64)
        chosen = kept[domains.cell]
        present = np.zeros((len(domains), len(self._rows)), dtype=bool)
        present[domains.domain[chosen], self._of_unit[domains.cell[chosen]]] = True
        for number, rows in enumerate(present):
            key = np.packbits(rows).tobytes()
            if key not in self._known:
                self._known[key] = _rank(self._rows[rows], self._full)
            ranks[number] = self._known[key]
        return ranks


def _rank(rows: Floats, most: int) -> int:
    """The rank of rows of length 1, which is ``most`` at the most: by pivoted Cholesky of their products.

    Rows are taken a block at a time, until ``most`` is reached.
    """
    width, found = rows.shape[1], 0
    products = np.zeros((width, width))
    for start in range(0, len(rows), 2 * width):
        block = rows[start : start + 2 * width]
        products = block @ block.T if len(rows) < width else products + block.T @ block
        size = np.sqrt(products.diagonal())
        size[size == 0] = 1.0
        found = int(lapack.dpstrf(products / size / size[:, None], tol=DEPENDENT**2)[2])
        if found >= most:
            break
    return found


def factors(declared: ReplicateWeights, count: int) -> Floats:
    """scale_r of each of ``count`` replicates: the declared scale and rscales, else the method's own.

    Of R replicates: balanced half samples (brr) 1/R (McCarthy 1969), Fay's 1/(R (1 - rho)^2) (Judkins
    1990), the bootstrap 1/(R - 1) (Rao & Wu 1988), the jackknife (R - 1)/R of JK1, or 1 where rscales are
    declared, as JKn's (n_h - 1)/n_h (Wolter 2007, chapter 4).
    """
    own = {
        "brr": 1 / count,
        "fay": 1 / (count * (1 - (declared.rho or 0.0)) ** 2),
        "bootstrap": 1 / (count - 1),
        "jkn": 1.0 if declared.rscales else (count - 1) / count,
    }
    scale = own[declared.method] if declared.scale is None else declared.scale
    return scale * np.array(declared.rscales or [1.0] * count)


@dataclass(frozen=True)
class Replicates:
    """A wave's sums by mask, then measure, and domain, with the full weights and every replicate's.

    ``scale`` is that of each replicate's squared deviation.
    """

    domains: Domains  # of which each is a row of the sums
    sums: Floats  # (masks + measures) x domains x (1 + R)
    scale: Floats

    @classmethod
    def of(cls, sums: pd.DataFrame, plan: Plan, declared: ReplicateWeights) -> Replicates:
        """From the sums as they are stored: by mask, then by measure, and in each by domain."""
        numbers = sums.drop(columns=KEY).to_numpy(dtype=np.float64)
        blocks = numbers.reshape(len(plan.masks) + len(plan.measures), -1, numbers.shape[1])
        own, names = np.arange(blocks.shape[1]), sums[: blocks.shape[1]]
        domains = Domains(tuple(names["domain"]), tuple(names["domain_code"]), own, own)
        return cls(domains, blocks, factors(declared, blocks.shape[2] - 1))

    @property
    def rows(self) -> int:
        """How many domains there are."""
        return len(self.domains)

    def joint(
        self, plan: Plan, measures: list[int], category: Ints, numerator: Floats, denominator: Floats
    ) -> tuple[Floats, Floats]:
        """Estimates t of ``measures[category[t]]``, and their covariance: estimates, estimates x estimates.

        Counted are the rows ``numerator[:, t]``, of ``denominator[:, t]``: both rows x estimates, 0 or 1.

        Means are from their centre, shares are proportions; NaN where nobody answered. A replicate
        adds nothing to the covariance of those estimates that it leaves nobody to count.
        """
        first, masks = plan.measures[measures[0]], list(plan.masks)
        base = denominator.T @ self.sums[masks.index(first.mask)]
        thetas = np.empty_like(base)
        for number, measure in enumerate(measures):
            of = category == number
            thetas[of] = numerator[:, of].T @ self.sums[len(masks) + measure]
        if first.unit != "count":
            thetas = np.divide(thetas, base, out=np.full_like(base, np.nan), where=base > 0)
        deviation = np.nan_to_num(thetas[:, 1:] - thetas[:, :1])
        values = np.where(base[:, 0] > 0, thetas[:, 0], np.nan)
        return values, np.asarray((deviation * self.scale) @ deviation.T, dtype=np.float64)


def replicated(
    sums: pd.DataFrame, plan: Plan, sum_w: Floats, declared: ReplicateWeights
) -> tuple[Floats, Floats]:
    """Variance (of a share, as a proportion) and degrees of freedom: both domains x measures.

    ``sum_w`` is the weight of who counts (domains x masks): ValueError where it is not of the same units as
    ``sums``. A replicate that leaves nobody to count in a domain says nothing of its shares and means: it
    is left out there, as R does.
    """
    made, masks = Replicates.of(sums, plan, declared), list(plan.masks)
    blocks = made.sums
    everyone = blocks[: len(masks), :, 0].T
    if everyone.shape != sum_w.shape or not np.allclose(everyone, sum_w, rtol=1e-9, atol=0.0):
        raise ValueError("the replicates' sums are of other units than the cells'")
    variance = np.empty((len(sum_w), len(plan.measures)))
    for number, measure in enumerate(plan.measures):
        theta = blocks[len(masks) + number]
        if measure.unit != "count":
            with np.errstate(divide="ignore", invalid="ignore"):
                theta = theta / blocks[masks.index(measure.mask)]
        variance[:, number] = np.nansum((theta[:, 1:] - theta[:, :1]) ** 2 * made.scale, axis=1)
    ranks = sums["rank"].to_numpy(dtype=np.float64).reshape(-1, len(sum_w))[len(masks) :]
    return variance, ranks.T - 1
