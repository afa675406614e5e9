"""A wave whose background makes too many cells: its breakdowns are summed by several sets of cells."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks import data
from pipeline.catalogue import Catalogue, Wave, Weighting
from pipeline.comparison import ComparisonInputs, against_rest, benchmarks
from pipeline.comparison.shared_scope import restricted
from pipeline.estimation import Cells, Specification, estimate_wave, read_cells, wave_statistics, write_cells
from pipeline.estimation.contrasts import Contrasts

STATISTICS = "pipeline.estimation.statistics"
SETS = [("sector", "region"), ("sector", "size"), ("region", "size"), ("size", "age"), ("sector", "owner"), ("region", "age")]  # fmt: skip
OWNERS = Weighting("rake", margins=(("owner",),))


@pytest.fixture(scope="module", params=[False, True], ids=["elements", "clusters"])
def surveyed(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Catalogue, Path]:
    """Waves of 300 made-up units with five background variables, and the first one's file."""
    root = tmp_path_factory.mktemp("cubes")
    layout = {"per_psu": 5} if request.param else {}
    catalogue = data.catalogue(root, clustered=request.param)
    return catalogue, data.coded(data.write(root, 300 * data.WAVES, **layout)[:1], catalogue)[0]


def summed(
    surveyed: tuple[Catalogue, Path], weighting: Weighting | None, most: int, patch: pytest.MonkeyPatch
) -> tuple[Cells, Wave, Catalogue]:
    catalogue, path = surveyed
    patch.setattr(f"{STATISTICS}.MANY", 0)
    patch.setattr(f"{STATISTICS}.CELLS", most)
    wave = catalogue.waves[path.stem]
    wave = wave if weighting is None else replace(wave, weighting=weighting)
    return wave_statistics(path, wave, catalogue), wave, catalogue


@pytest.mark.parametrize(
    ("weighting", "most", "sets"),
    [(None, 20, 6), (None, 3000, 3), (OWNERS, 20, 5), (OWNERS, 3000, 3)],
    ids=["apart", "joined", "raked", "raked and joined"],
)
def test_what_is_split_has_the_estimates_of_the_whole(
    surveyed: tuple[Catalogue, Path],
    weighting: Weighting | None,
    most: int,
    sets: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole, wave, catalogue = summed(surveyed, weighting, 10**9, monkeypatch)
    parts, *_ = summed(surveyed, weighting, most, monkeypatch)
    assert not whole.further
    assert len(parts.cubes) == sets
    assert all(weighting is None or "owner" in cube.plan.cell for cube in parts.cubes)
    write_cells(parts, tmp_path)
    stored = read_cells(tmp_path)
    assert [cube.plan.cell for cube in stored.cubes] == [cube.plan.cell for cube in parts.cubes]
    expected = estimate_wave(whole, Specification.of(wave, catalogue))
    for cells in (parts, stored):
        pd.testing.assert_frame_equal(
            estimate_wave(cells, Specification.of(wave, catalogue)), expected, rtol=1e-9, atol=1e-9
        )


def test_sets_are_the_largest_that_breakdowns_need(
    surveyed: tuple[Catalogue, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    parts, *_ = summed(surveyed, None, 20, monkeypatch)
    assert [cube.plan.cell for cube in parts.cubes] == SETS
    sizes = [len(cube.frame.drop_duplicates(list(cube.plan.cell))) for cube in parts.cubes]
    assert max(sizes) <= 40
    assert {int(cube.everyone().sum()) for cube in parts.cubes} == {300}


def test_a_scope_is_narrowed_in_every_set(
    surveyed: tuple[Catalogue, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    catalogue, path = surveyed
    waves = {**catalogue.waves, "xx-01": replace(catalogue.waves["xx-01"], scope={"owner": ("owner0",)})}
    scoped = replace(catalogue, waves=waves)
    made = []
    for most in (10**9, 20):
        cells, wave, _ = summed((scoped, path), None, most, monkeypatch)
        with np.errstate(divide="ignore", invalid="ignore"):
            made.append(
                estimate_wave(restricted(cells, {"owner": ("owner0",)}), Specification.of(wave, scoped))
            )
    pd.testing.assert_frame_equal(made[1], made[0], rtol=1e-9, atol=1e-9)


def test_covariances_are_of_domains_in_one_set(
    surveyed: tuple[Catalogue, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = [summed(surveyed, OWNERS, most, monkeypatch) for most in (10**9, 20)]
    whole, parts = (Contrasts.of(cells, Specification.of(wave, catalogue)) for cells, wave, catalogue in made)
    for places in (
        [("sector", "sector0"), ("total", "")],
        [("age", "age0"), ("age", "age2"), ("size", "size1")],
    ):
        found, expected = (each.between("q00", "i1", places) for each in (parts, whole))
        np.testing.assert_allclose(found.values, expected.values, rtol=1e-9)
        np.testing.assert_allclose(found.covariance, expected.covariance, rtol=1e-9, atol=1e-9)
    with pytest.raises(ValueError, match="told apart by all of sector, age"):
        parts.between("q00", "i1", [("sector", "sector0"), ("age", "age0")])
    with pytest.raises(ValueError, match="no domain sector nowhere"):
        parts.between("q00", "i1", [("sector", "nowhere")])


def test_comparisons_are_the_same(surveyed: tuple[Catalogue, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    for most in (10**9, 20):
        cells, wave, catalogue = summed(surveyed, None, most, monkeypatch)
        only = replace(catalogue, waves={wave.key: wave})
        inputs = ComparisonInputs(
            estimate_wave(cells, Specification.of(wave, only)), {wave.key: cells}.__getitem__, not_again, only
        )
        own = inputs.contrasts(wave.key)
        assert own is not None
        joint, rest = against_rest(own, "q00", "i1", "age", "age1")
        made.append((benchmarks(inputs), [*joint.values, *rest]))
    pd.testing.assert_frame_equal(made[1][0], made[0][0], rtol=1e-9, atol=1e-9)
    assert made[1][1] == pytest.approx(made[0][1], rel=1e-9)
    assert made[0][0]["p_value"].notna().any()


def not_again(*_: object) -> Cells:
    raise AssertionError("nothing is estimated again")
