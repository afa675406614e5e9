"""The one pass over a wave's microdata: sums by stratum and finest cell.

From encoded answers (``encoding``) and what to sum of them (``plan``) to ``Cells``, which are stored: all
that ``estimates``, ``contrasts`` and ``comparison`` work on. How units are added stands in ``passes``.

The sums are additive over rows, cells, strata and files, and exact: units are counted, and where
weights must be added they are added as whole numbers (``passes``). So the same wave gives the same bits
whatever the order of its rows and the number of threads.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.arrays import Flags, Floats
from pipeline.catalogue.fieldwork import Wave
from pipeline.catalogue.model import Catalogue
from pipeline.estimation import columns
from pipeline.estimation.encoding import (
    GROUPED,
    AnswersMetadata,
    decoded,
    design_columns,
    encoded,
    metadata_of,
    read_codes,
)
from pipeline.estimation.engine import Engine, default_engine
from pipeline.estimation.passes import Centring, added_weights, counted_by_weight
from pipeline.estimation.plan import Measure, Plan, plan_wave, split
from pipeline.estimation.replicates import replicate_sums
from pipeline.problems import Problem, ProblemError

FEW = 20_000  # rows that are listed sooner than grouped
MANY = 500_000  # the same where units have their own weights or are in clusters
WEIGHTS = "weights"  # the folder of sums with other weights than the first
CELLS = 100_000  # that the engine groups units into at once: many more would not fit memory


@dataclass(frozen=True)
class Cells:
    """The sums of a wave, one row a cell, ordered by its key; units of other weights are other rows.

    Key columns: ``stratum``, ``psu`` (clustered designs) and ``plan.cell``, as categories; also, as it is, a
    number that weights are calibrated to the sum of. The other columns are sums, named in ``columns``: where
    all units of a row share a weight, it stands beside the numbers of units; where units of several weights
    were added up instead, so do the sums of w and w^2. Everyone always has all three, and the sum of start
    weights. The numbers of mean j are counted from ``centres[j]``. ``replicates`` holds the sums by domain of
    a wave with replicate weights.

    Where the background of all breakdowns would make too many cells, ``further`` holds the same units' sums
    by other parts of it: each breakdown is in one of the ``cubes``. ``others`` are the sums with further
    weights, of all units as well: who lacks one has 0, and the main weight in place of a start weight.
    """

    frame: pd.DataFrame
    plan: Plan
    centres: Mapping[int, float]
    replicates: pd.DataFrame | None = None
    further: tuple[Cells, ...] = ()
    others: tuple[Cells, ...] = ()

    @property
    def cubes(self) -> tuple[Cells, ...]:
        """These cells and the further ones."""
        return (self, *self.further)

    @property
    def by_weight(self) -> tuple[Cells, ...]:
        """These cells and those with other weights."""
        return (self, *self.others)

    @property
    def weight(self) -> Floats | None:
        """The weight of each of a row's units, if they share one."""
        return self._numbers(columns.SHARED) if columns.SHARED in self.frame else None

    @property
    def start(self) -> Floats:
        """The sum of start weights of everyone, of each row."""
        return self._numbers(columns.START)

    @property
    def represented(self) -> Floats:
        """The part of the population that everyone stands for, of each row: the sum of main weights."""
        return self.start if self.plan.weight else self.everyone(1)

    @property
    def having_weight(self) -> Floats:
        """The units that have the weight, of each row: everyone, but for a further one."""
        return self._numbers(self._having_weight)

    @property
    def _having_weight(self) -> str:
        last = columns.asked(len(self.plan.bases) - 1)
        return columns.in_frame(last if self.plan.weight else columns.EVERYONE)

    def everyone(self, power: int = 0) -> Floats:
        """The sum of w to a power over everyone, of each row."""
        return self._numbers(columns.in_frame(columns.EVERYONE, power))

    def total(self, counted: str, power: int = 0) -> Floats:
        """The sum of w to a power times what is counted, of each row."""
        weight = self.weight
        if power == 0 or weight is None:
            return self._numbers(columns.in_frame(counted, power))
        return self._numbers(columns.in_frame(counted)) * weight**power

    def restricted(self, inside: Flags) -> Cells:
        """These cells alone, counting none but the units of some rows; the design stays whole (everyone)."""
        whole = {columns.in_frame(columns.EVERYONE, power) for power in columns.POWERS}
        whole |= {columns.START, self._having_weight}
        counting = [
            name for name in map(str, self.frame) if name.startswith(columns.SUM) and name not in whole
        ]
        numbers = self.frame[counting].to_numpy().copy()
        numbers[~inside] = 0
        kept = self.frame.drop(columns=counting)
        counted = pd.DataFrame(numbers, columns=pd.Index(counting), index=kept.index)
        return replace(self, frame=pd.concat([kept, counted], axis=1)[list(self.frame.columns)])

    def _numbers(self, name: str) -> Floats:
        return self.frame[name].to_numpy(dtype=np.float64)


def wave_statistics(
    weighted: Path | pd.DataFrame, wave: Wave, catalogue: Catalogue, engine: Engine | None = None
) -> Cells:
    """Sums of a microdata wave from its weighted answers: a frame, or the file ``write_codes`` wrote.

    Each weight has a pass of its own over the answers. Raises ProblemError where the wave asks nothing that
    an indicator is made from.
    """
    plan = plan_wave(wave, catalogue)
    if not plan.measures:
        file = f"schemas/instruments/{wave.instrument}.csv"
        hint = "Map the questions of at least one indicator."
        raise ProblemError(
            Problem(file, "", "maps nothing that an indicator is made from", hint, wave=wave.key)
        )
    codes = read_codes(weighted) if isinstance(weighted, Path) else encoded(weighted, wave, catalogue)
    metadata = metadata_of(codes)
    engine = engine or default_engine(metadata.rows)
    replicated = wave.design is not None and wave.design.replicate_weights is not None
    together = replicated or metadata.rows <= MANY  # whose units are no more than can be listed
    scopes = {name for each in catalogue.waves.values() for name in each.scope}
    plans = (
        [plan] if together else split(plan, metadata.levels, list(catalogue.domains.values()), scopes, CELLS)
    )
    cubes = [part.by_weight() for part in plans]
    first, *others = (_of_weight(codes, list(own), metadata, engine) for own in zip(*cubes, strict=True))
    replicates = (
        replicate_sums(engine, codes, plan, first.centres, metadata, catalogue.domains.values())
        if replicated
        else None
    )
    return replace(first, replicates=replicates, others=tuple(others))


def _of_weight(codes: pa.Table, plans: list[Plan], metadata: AnswersMetadata, engine: Engine) -> Cells:
    """The sums with one weight; ``plans`` are alike but for their cells."""
    centrings = {
        number: _centring(measure, plans[0], metadata)
        for number, measure in enumerate(plans[0].measures)
        if measure.unit == "mean"
    }
    first, *further = (_summed(codes, part, centrings, metadata, engine) for part in plans)
    return replace(first, further=tuple(further))


def _summed(
    codes: pa.Table, plan: Plan, centrings: Mapping[int, Centring], metadata: AnswersMetadata, engine: Engine
) -> Cells:
    design = design_columns(plan.weight)
    weights = {alias: name for name, alias in design.items() if alias in ("w", "d")}
    query = partial(engine.query, answers=codes, columns={**design, **plan.columns})
    keys = ["stratum", *(["psu"] if plan.clustered else []), *(plan.columns[name] for name in plan.cell)]
    distinct = max(metadata.distinct_weights.get(name, 0) for name in weights.values())
    shared = metadata.rows <= FEW or distinct <= metadata.rows // 20
    listed = metadata.rows <= (FEW if shared and not plan.clustered else MANY)
    if shared or (listed and plan.clustered):
        keyed, sums = counted_by_weight(query, plan, keys, centrings, listed=listed)
    else:
        largest = {alias: metadata.largest_weight[name] for alias, name in weights.items()}
        keyed, sums = added_weights(query, plan, keys, centrings, largest, listed=listed)
    names = {alias: name for name, alias in plan.columns.items()} | {name: name for name in GROUPED}
    cell = {
        names.get(key, key): decoded(column, names[key], metadata)
        if names.get(key) in metadata.levels
        else column
        for key, column in keyed.items()
    }
    frame = pd.concat([pd.DataFrame(cell), sums], axis=1)
    return Cells(frame, plan, {number: centring.centre for number, centring in centrings.items()})


def _centring(measure: Measure, plan: Plan, metadata: AnswersMetadata) -> Centring:
    """The middle and half the range of a mean's numbers; neither depends on the order of the rows."""
    variable = next((name for name, alias in plan.columns.items() if alias == measure.value), "")
    low, high = measure.scores or metadata.ranges[variable]
    return Centring((low + high) / 2, (high - low) / 2)


def write_cells(cells: Cells, folder: Path) -> None:
    """Writes ``cells.parquet`` and ``plan.json``; also, where there are any, ``replicates.parquet`` and the
    further cells: ``cells-1.parquet`` and so on. Sums with other weights have a folder by the weight's name.
    """
    frames = {_file(number): cube.frame for number, cube in enumerate(cells.cubes)}
    if cells.replicates is not None:
        frames["replicates.parquet"] = cells.replicates
    for name, frame in frames.items():
        pq.write_table(pa.Table.from_pandas(frame, preserve_index=False), folder / name)
    plan = asdict(cells.plan) | {
        "further": [cube.plan.cell for cube in cells.further],
        "centres": {str(number): centre for number, centre in cells.centres.items()},
    }
    (folder / "plan.json").write_text(json.dumps(plan, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    for other in cells.others:
        below = folder / WEIGHTS / other.plan.weight
        below.mkdir(parents=True)
        write_cells(other, below)


def read_cells(folder: Path) -> Cells:
    """Reads what ``write_cells`` wrote."""
    stored = json.loads((folder / "plan.json").read_text(encoding="utf-8"))
    plan = Plan(
        columns=stored["columns"],
        cell=tuple(stored["cell"]),
        margins=tuple(tuple(margin) for margin in stored["margins"]),
        clustered=stored["clustered"],
        measures=tuple(
            Measure(**{**measure, "scores": tuple(measure["scores"])}) for measure in stored["measures"]
        ),
        weight=stored["weight"],
    )
    centres = {int(number): float(centre) for number, centre in stored["centres"].items()}
    first, *further = (
        Cells(pq.read_table(folder / _file(number)).to_pandas(), replace(plan, cell=tuple(cell)), centres)
        for number, cell in enumerate([stored["cell"], *stored["further"]])
    )
    file = folder / "replicates.parquet"
    replicates = pq.read_table(file).to_pandas() if file.is_file() else None
    others = tuple(read_cells(each) for each in sorted((folder / WEIGHTS).glob("*")))
    return replace(first, replicates=replicates, further=tuple(further), others=others)


def _file(number: int) -> str:
    return f"cells-{number}.parquet" if number else "cells.parquet"
