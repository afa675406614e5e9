"""A large survey in memory and on disk: 24 waves, 12 breakdowns, 25 questions of 4 items, routed.

Everything is drawn from a seeded generator; nothing in it is about anybody.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from pipeline.catalogue import (
    Barometer,
    Base,
    Catalogue,
    Condition,
    CrosswalkRow,
    Design,
    Domain,
    Indicator,
    Instrument,
    Logic,
    Origin,
    Package,
    Period,
    Question,
    Response,
    Source,
    Variable,
    Wave,
    Weighting,
)
from pipeline.estimation import write_codes

WAVES = 24
SIZES = {"sector": 8, "region": 5, "size": 4, "age": 3, "owner": 2}
QUESTIONS = {f"q{number:02}": [f"i{item}" for item in range(4)] for number in range(25)}
BREAKDOWNS = [
    (), ("sector",), ("region",), ("size",), ("age",), ("owner",), ("sector", "region"), ("sector", "size"),
    ("region", "size"), ("size", "age"), ("sector", "owner"), ("region", "age"),
]  # fmt: skip
ITEMS = [f"{question}.{item}" for question, items in QUESTIONS.items() for item in items]
TEXTS = pa.array(["selected", "not_selected", "not_asked", "no_answer"])


def catalogue(root: Path, *, clustered: bool = False) -> Catalogue:
    """The declarations of the large survey; ``root`` is where its population counts stand."""
    variables = {
        name: Variable(name, name, {f"{name}{code}": f"{name} {code}" for code in range(size)})
        for name, size in SIZES.items()
    }
    questions = {
        key: Question(
            key, "multiple", key, {item: item for item in items}, base="all" if number < 5 else "routed"
        )
        for number, (key, items) in enumerate(QUESTIONS.items())
    }
    rows = [CrosswalkRow(1, name, "1", name, code) for name in SIZES for code in variables[name].codes]
    rows += [CrosswalkRow(1, name, "1", name, "selected") for name in ITEMS]
    waves = {key: _wave(key, clustered) for key in keys()}
    return Catalogue(
        root=root,
        barometer=Barometer(
            "bench",
            "Bench",
            ("en",),
            "CC-BY-4.0",
            "1.0.0",
            date(2026, 1, 1),
            (),
            {"bench": Package("bench", None)},
        ),
        variables=variables,
        questions=questions,
        bases={
            "all": Base("all"),
            "routed": Base("routed", Logic("any", (Condition("q00.*", ("selected",)),))),
        },
        indicators={
            key: Indicator(key, key, question.base, question=key) for key, question in questions.items()
        },
        domains={"_".join(by) or "total": Domain("_".join(by) or "total", by) for by in BREAKDOWNS},
        instruments={"bench": Instrument("bench", "en", "", {}, {}, {}, tuple(rows))},
        waves=waves,
        translations={},
    )


def keys() -> list[str]:
    """The waves' keys."""
    return [f"xx-{number:02}" for number in range(WAVES)]


def _wave(key: str, clustered: bool) -> Wave:
    return Wave(
        key=key, country="XX", survey="xx", edition=key, instrument="bench", unit="unit", status="official",
        reference_period=Period(date(2020, 1, 1), date(2020, 12, 31)), fieldwork=None, scope={},
        origin=Origin("", "", ""), source=Source("microdata", "", ""), response=Response(),
        design=Design("unit", ("region", "size"), "psu" if clustered else "", population=f"{key}.csv"),
        weighting=Weighting("design"),
    )  # fmt: skip


def write(
    root: Path, rows: int, *, per_psu: int = 0, alike: bool = False, own_weights: bool = False
) -> list[Path]:
    """Weighted answers of ``rows`` units over all waves as Parquet files, with their population counts.

    Weights are constant in a stratum, or every unit's own. With ``per_psu`` units come in clusters, whose
    units are alike in all they are broken down by, or a mixture of their stratum.
    """
    (root / "warehouse" / "raw").mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(20261122)
    return [_write_wave(root, key, rows // WAVES, random, per_psu, alike, own_weights) for key in keys()]


def _write_wave(
    root: Path, key: str, rows: int, random: np.random.Generator, per_psu: int, alike: bool, own_weights: bool
) -> Path:
    codes = {
        name: np.sort(random.integers(size, size=rows))
        if name == "region"
        else random.integers(size, size=rows)
        for name, size in SIZES.items()
    }
    order = np.lexsort([codes[name] for name in reversed(("region", "size", "sector", "age", "owner"))])
    codes = {name: values[order] for name, values in codes.items()}
    stratum = codes["region"] * SIZES["size"] + codes["size"]
    sizes = np.bincount(stratum, minlength=20)
    population = sizes * 3 + 7
    weight = (population / np.maximum(sizes, 1))[stratum]
    if own_weights:
        weight = weight * random.uniform(0.5, 2.0, rows)
    psu = _clusters(stratum, per_psu, alike) if per_psu else np.zeros(rows, dtype=np.int64)
    drawn = {name: pa.array(random.choice(3, rows, p=[0.3, 0.65, 0.05])) for name in ITEMS}
    asked = np.logical_or.reduce([drawn[f"q00.i{item}"].to_numpy() == 0 for item in range(4)])
    columns = {
        "unit": pa.array(np.arange(rows).astype(str)),
        "stratum": pa.DictionaryArray.from_arrays(pa.array(stratum), pa.array([f"region{r}*size{s}" for r in range(5) for s in range(4)])),
        "psu": pa.array(np.char.mod("%d", psu)) if per_psu else pa.array([""] * rows),
        "base_weight": pa.array(weight),
        "weight": pa.array(weight),
        "population": pa.array(population[stratum].astype(float)),
    }  # fmt: skip
    for name in SIZES:
        texts = pa.array([f"{name}{code}" for code in range(SIZES[name])])
        columns[name] = pa.DictionaryArray.from_arrays(pa.array(codes[name]), texts)
    for name in ITEMS:
        answers = drawn[name].to_numpy().copy()
        answers[answers == 2] = 3
        if int(name[1:3]) >= 5:
            answers[~asked] = 2
        columns[name] = pa.DictionaryArray.from_arrays(pa.array(answers), TEXTS)
    path = root / f"{key}.parquet"
    pq.write_table(pa.table(columns), path)
    counts = population if not per_psu else sizes // per_psu * 3 + 50
    lines = [f"region{r},size{s},{counts[r * 4 + s]}" for r in range(5) for s in range(4)]
    (root / "warehouse" / "raw" / f"{key}.csv").write_text(
        "region,size,population\n" + "\n".join(lines) + "\n"
    )
    return path


def _clusters(stratum: NDArray[np.int64], per_psu: int, alike: bool) -> NDArray[np.int64]:
    """Each unit's primary sampling unit within its stratum, of units in sorted order."""
    within = np.arange(len(stratum)) if alike else np.random.default_rng(7).permutation(len(stratum))
    order = np.lexsort((within, stratum))
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order)) - np.searchsorted(stratum[order], stratum[order])
    return rank // per_psu


def numbers(paths: list[Path], database: Path) -> None:
    """The same answers as a DuckDB table of numbers (1, 0, null) and weights: what the floor scans."""
    items = ", ".join(
        f"CASE \"{name}\" WHEN 'selected' THEN 1.0 WHEN 'not_selected' THEN 0.0 END::DOUBLE AS {name.replace('.', '_')}"
        for name in ITEMS
    )
    with duckdb.connect(str(database)) as connection:
        files = ", ".join(f"'{path}'" for path in paths)
        connection.execute(
            f"CREATE TABLE numbers AS SELECT weight AS w, {items} FROM read_parquet([{files}])"
        )
        connection.execute("CHECKPOINT")


def coded(paths: list[Path], declared: Catalogue) -> list[Path]:
    """The same answers as the step before the statistics leaves them: codes as numbers."""
    made = []
    for path in paths:
        target = path.parent / "codes" / f"{path.stem}.arrow"
        target.parent.mkdir(exist_ok=True)
        names = pq.read_schema(path).names
        table = pq.read_table(
            path,
            read_dictionary=[name for name in names if name not in ("base_weight", "weight", "population")],
        )
        write_codes(table, declared.waves[path.stem], declared, target)
        made.append(target)
    return made
