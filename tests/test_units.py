"""Sums by sampling unit within domains: rolled up from breakdown to breakdown as from the cells
themselves.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.arrays import Ints
from pipeline.estimation.domains import BackgroundCells, Domains
from pipeline.estimation.psu_sums import psu_sums
from pipeline.estimation.sums import Layout, Sums
from pipeline.grouping import cross_classify_codes

LAYOUT = Layout(mask=np.array([0]), mean=np.zeros(0, dtype=np.int64), base=np.array([0]), masks=1, bases=1)
BREAKDOWNS = {
    "all": [],
    "a": ["a"],
    "b": ["b"],
    "ab": ["a", "b"],
    "nested": ["nested"],
    "a_nested": ["a", "nested"],
}


def _domains(codes: dict[str, Ints]) -> Domains:
    """Domains of rows by their codes; a code below 0 is none."""
    names, texts, domain, cell = [], [], [], []
    rows = len(codes["a"])
    for key, by in BREAKDOWNS.items():
        inside = np.flatnonzero(
            np.logical_and.reduce([np.ones(rows, dtype=bool), *(codes[name] >= 0 for name in by)])
        )
        found, place = cross_classify_codes(
            [(["0", "1", "2", "3"], codes[name][inside]) for name in by], len(inside)
        )
        domain.append(len(texts) + place)
        cell.append(inside)
        names += [key] * len(found)
        texts += found
    return Domains(tuple(names), tuple(texts), np.concatenate(domain), np.concatenate(cell))


@pytest.mark.parametrize("own", [False, True], ids=["shared weights", "own weights"])
@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_each_breakdown_has_the_sums_of_its_cells(seed: int, own: bool) -> None:
    random = np.random.default_rng(seed)
    rows, units = 120, 9
    unit = np.append(np.arange(units), random.integers(units, size=rows - units))
    codes = {
        "a": random.integers(-1, 4, rows),
        "b": random.integers(2, size=rows),
        "nested": (unit % 3) - (seed % 2),
    }
    counts = random.integers(0, 5, (rows, 4)).astype(np.uint16)
    weight = random.uniform(0.5, 9, rows) if own else random.uniform(0.5, 9, units)[unit]
    frame = pd.DataFrame({name: pd.Categorical(code.astype(str)) for name, code in codes.items()}).assign(
        stratum=""
    )
    background = BackgroundCells.of(frame, ("a", "b", "nested"))
    of_background = _domains({name: code[background.example] for name, code in codes.items()})
    expected = _domains(codes)
    assert (of_background.breakdowns, of_background.codes) == (expected.breakdowns, expected.codes)
    seen = []
    for found in psu_sums(Sums(LAYOUT, counts, weight), of_background, background, unit):
        seen += list(range(found.rows.start, found.rows.stop))
        places = list(zip(found.domain, found.psu, strict=True))
        assert places == sorted(set(places))
        wanted: dict[tuple[int, int], list[np.ndarray]] = {}
        for domain, cell in zip(expected.domain - found.rows.start, expected.cell, strict=True):
            if 0 <= domain < len(found.domains):
                wanted.setdefault((domain, unit[cell]), []).append(
                    counts[cell] * np.append(np.full(3, weight[cell]), 1)
                )
        assert set(places) == set(wanted)
        sums = np.array([np.sum(wanted[place], axis=0) for place in places])
        np.testing.assert_allclose(found.sums.sum_w[:, 0], sums[:, 0], rtol=1e-13)
        np.testing.assert_allclose(found.sums.sum_wy[:, 0], sums[:, 1], rtol=1e-13)
        np.testing.assert_array_equal(found.n_asked[:, 0], sums[:, 3])
    assert sorted(seen) == list(range(len(expected)))
